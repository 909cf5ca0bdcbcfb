"""What needs a virtual warehouse on the local Snowflake, and what does not.

Snowflake's documentation: "Overview of warehouses" (docs.snowflake.com/en/user-guide/warehouses-overview), "Snowflake
Information Schema" (docs.snowflake.com/en/sql-reference/info-schema).
"""

from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

from movie_platform_tests.snowflake_cloud import WAREHOUSE, SnowflakeCloud, rows, wait_for

pytestmark = pytest.mark.cloud

NO_WAREHOUSE = 606


@pytest.fixture(scope="module")
def place(snowflake_cloud: SnowflakeCloud) -> str:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IDLE")
        rows(opened, "CREATE TABLE films (id NUMBER)")
        rows(opened, "INSERT INTO films VALUES (1)")
        rows(opened, "CREATE VIEW seen AS SELECT id FROM films")
        rows(opened, "CREATE STREAM news ON TABLE films")
    return "IDLE"


@pytest.fixture
def idle(snowflake_cloud: SnowflakeCloud, place: str) -> Iterator[SnowflakeConnection]:
    """A session without a warehouse."""
    with snowflake_cloud.connect(database=place, schema="PUBLIC", warehouse=None) as opened:
        yield opened


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM films",
        "WITH f AS (SELECT id FROM films) SELECT id FROM f",
        "SELECT id FROM seen",
        "SELECT id FROM news",
        "SELECT table_name FROM INFORMATION_SCHEMA.TABLES",
        "SELECT name FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())",
        "SET biggest = (SELECT MAX(id) FROM films)",
        "INSERT INTO films VALUES (2)",
        "INSERT INTO films SELECT 2",
        "INSERT OVERWRITE INTO films SELECT 2",
        "UPDATE films SET id = 2",
        "DELETE FROM films",
        "TRUNCATE TABLE films",
        "MERGE INTO films USING (SELECT 1 AS id) AS new ON films.id = new.id WHEN MATCHED THEN DELETE",
        "CREATE TABLE copied AS SELECT id FROM films",
    ],
)
def test_what_computes_fails_without_a_warehouse(idle: SnowflakeConnection, sql: str) -> None:
    with pytest.raises(
        ProgrammingError, match="No active warehouse selected in the current session"
    ) as caught:
        rows(idle, sql)
    assert (caught.value.errno, caught.value.sqlstate) == (NO_WAREHOUSE, "57P03")
    rows(idle, f"USE WAREHOUSE {WAREHOUSE}")
    assert rows(idle, "SELECT id FROM films") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_TIMESTAMP()",
        "WITH one AS (SELECT 1 AS n) SELECT n FROM one",
        "SELECT SYSTEM$STREAM_HAS_DATA('news')",
        "SHOW TABLES",
        "DESCRIBE TABLE films",
        "USE SCHEMA PUBLIC",
        "SET answer = 42",
        "CREATE OR REPLACE TABLE empty (id NUMBER)",
        "CREATE OR REPLACE TABLE cloned CLONE films",
        "CREATE OR REPLACE VIEW also AS SELECT id FROM films",
        "COMMENT ON COLUMN films.id IS 'key'",
        "COMMENT ON TABLE films IS 'films'",
        "DROP TABLE IF EXISTS nothing",
        "GRANT SELECT ON TABLE films TO ROLE PUBLIC",
    ],
)
def test_what_computes_nothing_needs_no_warehouse(idle: SnowflakeConnection, sql: str) -> None:
    rows(idle, sql)


def test_results_that_are_kept_are_read_without_a_warehouse(idle: SnowflakeConnection) -> None:
    rows(idle, "SELECT 7 AS n")
    assert rows(idle, "SELECT n FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))") == [(7,)]


def test_a_default_warehouse_that_does_not_exist_is_none(snowflake_cloud: SnowflakeCloud, place: str) -> None:
    with snowflake_cloud.connect(database=place, warehouse="NOT_THERE") as opened:
        assert rows(opened, "SELECT CURRENT_WAREHOUSE()") == [(None,)]
        with pytest.raises(ProgrammingError) as caught:
            rows(opened, "SELECT id FROM PUBLIC.films")
        assert caught.value.errno == NO_WAREHOUSE


def test_a_warehouse_that_was_dropped_or_does_not_resume_computes_nothing(idle: SnowflakeConnection) -> None:
    """CREATE WAREHOUSE: AUTO_RESUME = FALSE leaves it asleep until it is resumed; a new one is the session's."""
    rows(idle, "CREATE WAREHOUSE sleeper AUTO_RESUME = FALSE")
    assert rows(idle, "SELECT id FROM films") == [(1,)]
    rows(idle, "ALTER WAREHOUSE sleeper SUSPEND")
    with pytest.raises(ProgrammingError) as caught:
        rows(idle, "SELECT id FROM films")
    assert caught.value.errno == NO_WAREHOUSE
    rows(idle, "ALTER WAREHOUSE sleeper RESUME")
    assert rows(idle, "SELECT id FROM films") == [(1,)]
    rows(idle, "DROP WAREHOUSE sleeper")
    with pytest.raises(ProgrammingError) as caught:
        rows(idle, "SELECT id FROM films")
    assert caught.value.errno == NO_WAREHOUSE


@pytest.mark.parametrize("warehouse", [f"WAREHOUSE = {WAREHOUSE}", ""])
def test_a_task_computes_with_its_own_warehouse_or_with_snowflakes(
    idle: SnowflakeConnection, snowflake_cloud: SnowflakeCloud, warehouse: str
) -> None:
    """CREATE TASK: without WAREHOUSE a task is serverless."""
    rows(idle, "CREATE OR REPLACE TABLE done (id NUMBER)")
    rows(
        idle,
        f"CREATE OR REPLACE TASK copying {warehouse} SCHEDULE = '1 MINUTE' AS INSERT INTO done SELECT id FROM films",
    )
    rows(idle, "EXECUTE TASK copying")
    with snowflake_cloud.connect(database="IDLE", schema="PUBLIC") as reading:
        assert wait_for(lambda: rows(reading, "SELECT id FROM done")) == [(1,)]
