"""The local Snowflake's engine in the test's own process, without the server: for tests of many small steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from movie_platform.local_cloud.snowflake.session import Session, Statement, new_query_id
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake
from movie_platform.local_cloud.snowflake.statements.router import Router
from movie_platform.local_cloud.snowflake.text.bindings import Bindings
from movie_platform.local_cloud.snowflake.text.result_set import Result


@contextmanager
def local_account(home: Path) -> Iterator[Account]:
    """An account whose background services do not run, and whose lake nobody answers for."""
    engine = Engine(home)
    lake = Lake(home, endpoint="http://127.0.0.1:9", region="eu-west-1", aws_account="0" * 12, scratch=home)
    try:
        yield Account("LOCAL", engine, lake)
    finally:
        engine.close()


def open_session(account: Account, user: str = "TESTS", role: str = "ACCOUNTADMIN") -> Session:
    """A session whose statements go where a client's go, with a warehouse."""
    session = Session(account, Router(), user, role)
    if account.access.find("USER", user) is None:
        account.access.ensure_administrator(user, "")
    if account.access.find("WAREHOUSE", "TESTS") is None:
        run(session, "CREATE WAREHOUSE tests")
    run(session, "USE WAREHOUSE tests")
    return session


def run(session: Session, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    rows: list[tuple[Any, ...]] = []

    def keep(result: Result) -> None:
        for batch in result.batches:
            rows.extend(zip(*(column.to_pylist() for column in batch.columns), strict=True))

    session.execute(Statement(sql, Bindings(), new_query_id()), keep)
    return rows
