"""Executing a task graph and waiting for it: on small tasks of the test's own, which can be made to fail."""

import logging
from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import dagster as dg
import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.build import build_resources
from movie_platform.contracts import ARCHIVE_TABLES, Table
from movie_platform.contracts.warehouse import (
    APPLIED_DAYS,
    ATTEMPTS_A_DAY,
    CORE_CHANGES,
    LOAD_RUNS,
    PENDING_DAYS,
)
from movie_platform.local_cloud.snowflake.state.user_keys import public_key_text
from movie_platform.resources.graph_state import TASKS
from movie_platform.resources.task_graph import (
    AppliedVersion,
    BatchNotAppliedError,
    TableChanges,
    TaskFailedError,
    TaskGraph,
)
from movie_platform.settings import Settings
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows

pytestmark = pytest.mark.cloud

DATABASE = "GRAPH"
LOG = cast("dg.DagsterLogManager", logging.getLogger(__name__))
DAY = date(2026, 11, 18)
TYPES = {"string": "VARCHAR", "int": "NUMBER", "bigint": "NUMBER", "timestamp": "TIMESTAMP_NTZ"}

# Shows the latest batch of each day, as the real graph does in the end.
APPLY = (
    "DELETE FROM GRAPH.CORE.APPLIED_DAYS;",
    (
        "INSERT INTO GRAPH.CORE.APPLIED_DAYS (source, dt, batch_id, transform_id)"
        " SELECT source, dt, batch_id, transform_id FROM GRAPH.RAW.BATCHES"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY source, dt ORDER BY extracted_at DESC, batch_id DESC) = 1;"
    ),
    (
        "INSERT INTO GRAPH.OPS.CORE_CHANGES"
        " SELECT source, dt, batch_id, transform_id, 'dim_movie', 3, 2, 1, 0, SYSDATE() FROM GRAPH.CORE.APPLIED_DAYS;"
    ),
)
BODIES = ("SELECT 1;", " ".join(("BEGIN TRANSACTION;", *APPLY, "COMMIT;")), "SELECT 1;")


def create(table: Table, schema: str) -> str:
    columns = ", ".join(
        f"{column.name} {TYPES.get(column.type, column.type.upper())}" for column in table.columns
    )
    return f"CREATE OR REPLACE TABLE {schema}.{table.name} ({columns})"


def make_tasks(connection: SnowflakeConnection, bodies: tuple[str, ...] = BODIES) -> None:
    """The graph, its children resumed; the root is left to those who execute it."""
    before = None
    for name, body in zip(TASKS, bodies, strict=True):
        after = f" AFTER CORE.{before}" if before else ""
        rows(
            connection, f"CREATE OR REPLACE TASK CORE.{name} WAREHOUSE = MOVIES_WH{after} AS BEGIN {body} END"
        )
        before = name
    for name in reversed(TASKS[1:]):
        rows(connection, f"ALTER TASK CORE.{name} RESUME")


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        rows(opened, f"USE DATABASE {DATABASE}")
        for schema in ("RAW", "CORE", "OPS"):
            rows(opened, f"CREATE SCHEMA IF NOT EXISTS {schema}")
        rows(opened, "CREATE WAREHOUSE IF NOT EXISTS MOVIES_WH WAREHOUSE_SIZE = XSMALL")
        let_the_transformer_in(snowflake_cloud, opened)
        yield opened


def let_the_transformer_in(cloud: SnowflakeCloud, administrator: SnowflakeConnection) -> None:
    """The orchestrator's user, and what its role needs of the tables and tasks that the tests make."""
    settings, role = cloud.settings, f"{DATABASE}_TRANSFORMER"
    assert settings.snowflake_private_key_path is not None
    key = public_key_text(settings.snowflake_private_key_path.read_bytes())
    for statement in (
        f"CREATE ROLE IF NOT EXISTS {role}",
        f"CREATE USER IF NOT EXISTS {settings.snowflake_user} RSA_PUBLIC_KEY = '{key}'",
        f"GRANT ROLE {role} TO USER {settings.snowflake_user}",
        f"GRANT USAGE ON WAREHOUSE MOVIES_WH TO ROLE {role}",
        f"GRANT EXECUTE TASK ON ACCOUNT TO ROLE {role}",
        f"GRANT USAGE ON DATABASE {DATABASE} TO ROLE {role}",
        f"GRANT USAGE ON ALL SCHEMAS IN DATABASE {DATABASE} TO ROLE {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON FUTURE TABLES IN DATABASE {DATABASE} TO ROLE {role}",
        f"GRANT MONITOR, OPERATE ON FUTURE TASKS IN DATABASE {DATABASE} TO ROLE {role}",
    ):
        rows(administrator, statement)


@pytest.fixture
def graph(snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection) -> TaskGraph:
    for table in ARCHIVE_TABLES:
        rows(connection, create(table, table.snowflake_schema))
        rows(
            connection,
            f"ALTER TABLE {table.snowflake_schema}.{table.name} ADD COLUMN file_name VARCHAR, file_row NUMBER",
        )
    rows(connection, create(APPLIED_DAYS, "CORE"))
    for table in (CORE_CHANGES, LOAD_RUNS, PENDING_DAYS):
        rows(connection, create(table, "OPS"))
    make_tasks(connection)
    return task_graph(snowflake_cloud.settings)


def task_graph(settings: Settings, **changes: Any) -> TaskGraph:
    changed = {"snowflake_database": DATABASE, "core_timeout_seconds": 60, **changes}
    return build_resources(settings.model_copy(update=changed))["task_graph"]


def announce(connection: SnowflakeConnection, batch_id: str, hour: int) -> None:
    counts = ", ".join(
        f"{column.name}" for column in ARCHIVE_TABLES[-1].columns if column.name.endswith(("_rows", "_files"))
    )
    zeros = ", ".join("0" for _ in counts.split(", "))
    moment = f"2026-11-18 {hour:02d}:00:00"
    rows(
        connection,
        f"INSERT INTO RAW.BATCHES (source, dt, batch_id, transform_id, announcement, extracted_at, transformed_at,"
        f" {counts}) VALUES ('demo', '{DAY}', '{batch_id}', 't', 0, '{moment}', '{moment}', {zeros})",
    )


def bring(graph: TaskGraph, batch_id: str, run_id: str = "run") -> AppliedVersion:
    return graph.bring("demo", DAY, batch_id, "t", log=LOG, run_id=run_id)


def test_a_batch_is_brought_by_executing_the_graph_and_its_changes_are_read(
    graph: TaskGraph, connection: SnowflakeConnection
):
    announce(connection, "a", 1)
    applied = bring(graph, "a")
    assert (applied.batch_id, applied.superseded, applied.executions) == ("a", False, 1)
    assert applied.changes == {"dim_movie": TableChanges(inserted=3, updated=2, closed=1, deleted=0)}


def test_what_the_graph_did_by_itself_is_not_done_again_and_the_run_is_noted_once(
    graph: TaskGraph, connection: SnowflakeConnection
):
    announce(connection, "a", 1)
    bring(graph, "a")
    assert bring(graph, "a").executions == 0
    assert rows(connection, "SELECT batch_id, run_id FROM OPS.LOAD_RUNS") == [("a", "run")]


def test_a_batch_that_a_later_one_replaced_needs_nothing(graph: TaskGraph, connection: SnowflakeConnection):
    announce(connection, "a", 1)
    announce(connection, "b", 2)
    bring(graph, "b")
    applied = bring(graph, "a")
    assert (applied.batch_id, applied.superseded, applied.executions) == ("b", True, 0)


@pytest.mark.parametrize("task", range(len(TASKS)), ids=TASKS)
def test_a_task_that_fails_is_raised_with_its_own_error_and_the_next_time_completes(
    graph: TaskGraph, connection: SnowflakeConnection, task: int
):
    announce(connection, "a", 1)
    bodies = list(BODIES)
    bodies[task] = "SELECT films_are_upside_down FROM RAW.BATCHES;"
    make_tasks(connection, tuple(bodies))
    with pytest.raises(TaskFailedError) as caught:
        bring(graph, "a")
    assert TASKS[task] in caught.value.message
    assert "films_are_upside_down" in caught.value.message.lower()
    assert caught.value.run.error_code
    make_tasks(connection)
    assert bring(graph, "a").batch_id == "a"


def fails_while(condition: str) -> tuple[str, ...]:
    """Bodies whose second task counts its tries, as the real one does, and fails while a condition holds."""
    number = "INSERT INTO GRAPH.OPS.FAILING SELECT TO_NUMBER('not a number') FROM GRAPH.OPS.PENDING_DAYS"
    failing = f"{number} WHERE {condition};"
    counting = "UPDATE GRAPH.OPS.PENDING_DAYS SET attempts = attempts + 1;"
    return (BODIES[0], " ".join((counting, "BEGIN TRANSACTION;", failing, *APPLY, "COMMIT;")), BODIES[2])


def test_a_day_that_failed_with_others_is_waited_for_until_it_is_tried_alone(
    graph: TaskGraph, connection: SnowflakeConnection
):
    announce(connection, "a", 1)
    rows(connection, "CREATE OR REPLACE TABLE OPS.FAILING (n NUMBER)")
    rows(
        connection,
        "INSERT INTO OPS.PENDING_DAYS (source, dt, arrived_at, attempts)"
        f" SELECT 'demo', '{DAY}', SYSDATE(), 0",
    )
    make_tasks(connection, fails_while("attempts < 3"))
    assert bring(graph, "a").executions == 3


def test_a_day_that_fails_alone_is_raised_and_tried_again_when_it_is_asked_for_again(
    graph: TaskGraph, connection: SnowflakeConnection
):
    announce(connection, "a", 1)
    rows(connection, "CREATE OR REPLACE TABLE OPS.FAILING (n NUMBER)")
    rows(
        connection,
        "INSERT INTO OPS.PENDING_DAYS (source, dt, arrived_at, attempts)"
        f" SELECT 'demo', '{DAY}', SYSDATE(), 0",
    )
    make_tasks(connection, fails_while("TRUE"))
    with pytest.raises(TaskFailedError) as caught:
        bring(graph, "a")
    assert "not a number" in caught.value.message
    assert rows(connection, "SELECT attempts FROM OPS.PENDING_DAYS") == [(ATTEMPTS_A_DAY,)]
    make_tasks(connection)
    assert bring(graph, "a").batch_id == "a"


def test_a_batch_that_raw_does_not_announce_is_refused_at_once(graph: TaskGraph):
    with pytest.raises(BatchNotAppliedError) as caught:
        bring(graph, "never")
    assert caught.value.code == "batch_not_announced"


def test_a_batch_that_the_graph_does_not_take_is_given_up_with_what_is_missing(
    graph: TaskGraph, connection: SnowflakeConnection
):
    announce(connection, "a", 1)
    rows(connection, "UPDATE RAW.BATCHES SET movies_rows = 7")
    make_tasks(connection, ("SELECT 1;",) * 3)
    with pytest.raises(BatchNotAppliedError) as caught:
        bring(graph, "a")
    assert caught.value.code == "batch_not_applied"
    assert "RAW.MOVIES 0 of 7 rows" in caught.value.message


def test_a_batch_that_is_not_there_at_the_deadline_is_reported_with_how_long_was_waited(
    graph: TaskGraph, connection: SnowflakeConnection
):
    announce(connection, "a", 1)
    hurried = TaskGraph(
        **{**graph.model_dump(exclude={"warehouse"}), "timeout_seconds": 0}, warehouse=graph.warehouse
    )
    with pytest.raises(BatchNotAppliedError) as caught:
        bring(hurried, "a")
    assert "waited for" in caught.value.message
