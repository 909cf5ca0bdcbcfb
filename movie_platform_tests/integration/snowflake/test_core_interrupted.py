"""CORE after the server or the task ended in the middle of a run: nothing half done, and the next run completes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.resources.graph_state import ROOT_TASK
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows, wait_for
from movie_platform_tests.warehouse_history import core, graph, raw
from movie_platform_tests.warehouse_history.reference import star
from movie_platform_tests.warehouse_history.samples import batch, film, parts

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(600)]

TAG = "k"
# A query that takes hours: what runs it does not end by itself.
SLOW = "SELECT count(*) FROM CORE.MANY a, CORE.MANY b, CORE.MANY c WHERE a.number + b.number + c.number = 7"


def states(connection: SnowflakeConnection, task: str) -> list[str]:
    """States of a task's runs, the newest first."""
    found = rows(
        connection,
        "SELECT state FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => %s)) ORDER BY query_start_time DESC",
        [task],
    )
    return [state for (state,) in found]


def kill_the_server(cloud: SnowflakeCloud, connection: SnowflakeConnection, task: str) -> None:
    cloud.kill()
    cloud.up()


def cancel_the_task(cloud: SnowflakeCloud, connection: SnowflakeConnection, task: str) -> None:
    rows(connection, f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('CORE.{task}')")


@contextmanager
def never_committing(cloud: SnowflakeCloud, connection: SnowflakeConnection, task: str) -> Iterator[None]:
    """While entered, the task does all of its work and does not get to its COMMIT. That it is so far is told by the
    task REACHED, which nothing ever runs: to resume it is no part of a transaction.
    """
    [description] = dicts(connection, f"DESCRIBE TASK CORE.{task}")
    body = description["definition"]
    work, commit, rest = body.rpartition("COMMIT;")
    assert commit
    rows(
        connection,
        "CREATE OR REPLACE TABLE CORE.MANY AS SELECT seq4() AS number FROM TABLE(GENERATOR(ROWCOUNT => 20000))",
    )
    rows(connection, "CREATE OR REPLACE TASK CORE.REACHED AS SELECT 1")
    # The task runs with its owner's rights.
    owner = cloud.settings.snowflake_transformer_role
    rows(connection, f"GRANT SELECT ON TABLE CORE.MANY TO ROLE {owner}")
    rows(connection, f"GRANT OWNERSHIP ON TASK CORE.REACHED TO ROLE {owner}")
    signal = "SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('CORE.REACHED')"
    rows(connection, f"ALTER TASK CORE.{task} MODIFY AS {work}{signal}; {SLOW}; {commit}{rest}")
    try:
        yield
    finally:
        cloud.up()
        with cloud.connect() as again:
            rows(again, f"USE DATABASE {cloud.settings.snowflake_database}")
            rows(again, f"ALTER TASK CORE.{task} MODIFY AS {body}")
            # Where the test failed before it cut the run, the next one must not wait for it.
            cancel_the_task(cloud, again, task)


def has_done_its_work(connection: SnowflakeConnection) -> bool:
    return dicts(connection, "DESCRIBE TASK CORE.REACHED")[0]["state"] == "started"


@pytest.mark.parametrize("end", [kill_the_server, cancel_the_task])
@pytest.mark.parametrize("task", ["COLLECT_ARRIVALS", "APPLY_BATCHES"])
def test_a_run_that_is_cut_off_leaves_core_as_it_was_and_the_next_one_completes(
    snowflake_cloud: SnowflakeCloud,
    task: str,
    end: Callable[[SnowflakeCloud, SnowflakeConnection, str], None],
):
    tag = f"{TAG}{task[0].lower()}{end.__name__[0]}"
    before = batch(tag, 0, *(film(tag, str(number)) for number in range(30)))
    after = batch(tag, 1, *(film(tag, str(number), title="Changed") for number in range(5, 40)))
    with snowflake_cloud.connect() as connection:
        graph.deploy(snowflake_cloud, connection)
        raw.load(connection, parts(before))
        graph.run(connection)
        raw.load(connection, parts(after))
        with never_committing(snowflake_cloud, connection, task):
            rows(connection, f"EXECUTE TASK CORE.{ROOT_TASK}")
            wait_for(lambda: has_done_its_work(connection))
            assert states(connection, task)[0] == "EXECUTING"
            end(snowflake_cloud, connection, task)
    with snowflake_cloud.connect() as connection:
        rows(connection, f"USE DATABASE {snowflake_cloud.settings.snowflake_database}")
        wait_for(lambda: states(connection, task)[0] in ("FAILED", "CANCELLED"))
        assert core.read(connection, [tag], tag) == star([before])
        graph.run(connection)
        assert core.read(connection, [tag], tag) == star([before, after])
        errors = rows(
            connection,
            "SELECT state, error_code IS NOT NULL FROM OPS.TASK_ERRORS WHERE task_name = %s",
            [task],
        )
        assert set(errors) == {(state, True) for state in states(connection, task) if state != "SUCCEEDED"}
