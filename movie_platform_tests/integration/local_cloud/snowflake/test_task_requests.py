"""Requests to run a task graph, in the engine without its server: what was promised is kept when a look fails."""

import time
from pathlib import Path

import duckdb
import pytest

from movie_platform.local_cloud.snowflake.background.services import Services
from movie_platform.local_cloud.snowflake.state.task_store import Task
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform_tests.local_engine import local_account, open_session, run


def test_a_run_that_was_promised_takes_place_though_the_first_look_at_its_task_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with local_account(tmp_path) as account:
        session = open_session(account)
        for statement in (
            "CREATE DATABASE d",
            "USE SCHEMA d.public",
            "CREATE TABLE ran (number INT)",
            "CREATE TASK add_one SCHEDULE = '60 MINUTES' AS INSERT INTO ran VALUES (1)",
        ):
            run(session, statement)
        [task] = account.tasks.tasks()
        looks: list[FullName] = []
        find = account.tasks.find

        def fail_once(name: FullName) -> Task | None:
            looks.append(name)
            if len(looks) == 1:
                raise duckdb.CatalogException("the database is being dropped")
            return find(name)

        monkeypatch.setattr(account.tasks, "find", fail_once)
        services = Services(account)
        services.start()
        try:
            account.task_requests.execute(task.name)
            deadline = time.monotonic() + 60
            while run(session, "SELECT count(*) FROM ran") != [(1,)]:
                assert time.monotonic() < deadline, looks
                time.sleep(0.05)
        finally:
            services.stop()
            session.close()
    assert len(looks) > 1
