"""Streams that nobody reads for long, with a clock that the tests put ahead.

Introduction to Streams (docs.snowflake.com/en/user-guide/streams-intro), data retention period and staleness: a stream
is stale when its offset is older than the longer of DATA_RETENTION_TIME_IN_DAYS and MAX_DATA_EXTENSION_TIME_IN_DAYS of
its table. SHOW STREAMS: STALE, STALE_AFTER. SYSTEM$STREAM_HAS_DATA.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, clock_option, dicts, pass_days, rows

pytestmark = pytest.mark.cloud

STALE = 91902
CONSUME = "INSERT INTO seen SELECT id FROM news"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, clean_environment: None) -> Iterator[SnowflakeCloud]:
    """A local Snowflake whose clock the tests put ahead."""
    home = tmp_path_factory.mktemp("stale") / "home"
    found = SnowflakeCloud(home, (clock_option(home),))
    try:
        found.up()
        with found.connect() as opened:
            rows(opened, "CREATE DATABASE STALE")
        yield found
    finally:
        found.down()


class Place:
    """A schema with a table FILMS, its stream NEWS, and SEEN, which takes what the stream gives."""

    def __init__(self, cloud: SnowflakeCloud, connection: SnowflakeConnection) -> None:
        self.cloud = cloud
        self.connection = connection
        self.run(f"CREATE SCHEMA STALE.S{uuid.uuid4().hex[:8]}")
        self.run("CREATE TABLE films (id INTEGER)")
        self.run("CREATE TABLE seen (id INTEGER)")
        self.run("CREATE STREAM news ON TABLE films APPEND_ONLY = TRUE")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.connection, sql)

    def later(self, days: float) -> None:
        pass_days(self.cloud.home, days)

    def ahead(self) -> timedelta:
        file = self.cloud.home / "snowflake.clock"
        return timedelta(seconds=float(file.read_text()) if file.exists() else 0.0)

    def shown(self) -> dict[str, Any]:
        (row,) = [row for row in dicts(self.connection, "SHOW STREAMS") if row["name"] == "NEWS"]
        return row

    def refused(self, sql: str) -> None:
        with pytest.raises(snowflake.connector.ProgrammingError, match="has become stale") as caught:
            self.run(sql)
        assert caught.value.errno == STALE


@pytest.fixture
def place(cloud: SnowflakeCloud) -> Iterator[Place]:
    with cloud.connect(database="STALE") as opened:
        yield Place(cloud, opened)


def test_a_stream_that_nobody_reads_for_two_weeks_is_stale_and_cannot_be_read(place: Place) -> None:
    place.run("INSERT INTO films VALUES (1)")
    place.later(13.9)
    assert place.shown()["stale"] == "false"
    assert place.run("SELECT id FROM news") == [(1,)]
    place.later(0.2)
    assert place.shown()["stale"] == "true"
    for sql in ("SELECT * FROM news", CONSUME, "SELECT SYSTEM$STREAM_HAS_DATA('news')"):
        place.refused(sql)
    assert dicts(place.connection, "DESCRIBE STREAM news")[0]["stale"] == "true"


def test_consuming_a_stream_keeps_it_fresh_and_a_query_does_not(place: Place) -> None:
    place.later(10)
    place.run("INSERT INTO films VALUES (1)")
    place.run(CONSUME)
    place.later(10)
    assert place.shown()["stale"] == "false"
    place.run("SELECT * FROM news")
    place.later(5)
    assert place.shown()["stale"] == "true"


def test_asking_whether_an_empty_stream_has_data_keeps_it_fresh_and_asking_one_with_data_does_not(
    place: Place,
) -> None:
    """system_stream_has_data: prevents a stream from becoming stale where it is empty and the answer is FALSE."""
    place.later(10)
    assert place.run("SELECT SYSTEM$STREAM_HAS_DATA('news')") == [(False,)]
    place.later(10)
    assert place.shown()["stale"] == "false"
    place.run("INSERT INTO films VALUES (1)")
    assert place.run("SELECT SYSTEM$STREAM_HAS_DATA('news')") == [(True,)]
    place.later(5)
    assert place.shown()["stale"] == "true"


@pytest.mark.parametrize(
    ("retention", "extension", "days"), [(1, 14, 14), (14, 0, 14), (0, 90, 90), (30, 14, 30), (0, 0, 0)]
)
def test_the_longer_of_retention_and_extension_counts(
    place: Place, retention: int, extension: int, days: int
) -> None:
    """streams-intro: the table of retention periods and when a stream has to be consumed."""
    place.run(
        f"ALTER TABLE films SET DATA_RETENTION_TIME_IN_DAYS = {retention} "
        f"MAX_DATA_EXTENSION_TIME_IN_DAYS = {extension}"
    )
    now = place.shown()["created_on"].astimezone(UTC)
    expected = now + timedelta(days=days) + place.ahead()
    assert abs(place.shown()["stale_after"].astimezone(UTC) - expected) < timedelta(minutes=1)


def test_a_tables_own_retention_comes_before_its_schemas_and_this_before_the_databases(place: Place) -> None:
    place.run("CREATE DATABASE kept MAX_DATA_EXTENSION_TIME_IN_DAYS = 20")
    place.run("CREATE SCHEMA kept.longer DATA_RETENTION_TIME_IN_DAYS = 40")
    for schema, clause, days in (
        ("kept.public", "", 20),
        ("kept.longer", "", 40),
        ("kept.longer", "DATA_RETENTION_TIME_IN_DAYS = 50", 50),
    ):
        place.run(f"USE SCHEMA {schema}")
        place.run(f"CREATE OR REPLACE TABLE films (id INTEGER) {clause}")
        place.run("CREATE OR REPLACE STREAM news ON TABLE films")
        row = place.shown()
        age = row["stale_after"] - row["created_on"] - place.ahead()
        assert abs(age - timedelta(days=days)) < timedelta(minutes=1)
    place.run("DROP DATABASE kept")


@pytest.mark.parametrize("days", ["91", "'x'", "-1"])
def test_a_retention_of_no_allowed_number_of_days_is_refused(place: Place, days: str) -> None:
    """create-table: DATA_RETENTION_TIME_IN_DAYS is from 0 to 90."""
    with pytest.raises(snowflake.connector.ProgrammingError, match="DATA_RETENTION_TIME_IN_DAYS"):
        place.run(f"CREATE TABLE other (id INTEGER) DATA_RETENTION_TIME_IN_DAYS = {days}")


def test_a_stale_stream_that_is_replaced_gives_the_tables_rows_again(place: Place) -> None:
    place.run("INSERT INTO films VALUES (1), (2)")
    place.run(CONSUME)
    place.run("INSERT INTO films VALUES (3)")
    place.later(15)
    place.refused(CONSUME)
    place.run("CREATE OR REPLACE STREAM news ON TABLE films APPEND_ONLY = TRUE SHOW_INITIAL_ROWS = TRUE")
    assert place.run("SELECT id FROM news ORDER BY id") == [(1,), (2,), (3,)]
    assert place.shown()["stale"] == "false"


def test_staleness_survives_a_kill_of_the_server(cloud: SnowflakeCloud, place: Place) -> None:
    place.later(10)
    place.run("SELECT SYSTEM$STREAM_HAS_DATA('news')")
    schema = place.run("SELECT CURRENT_SCHEMA()")[0][0]
    cloud.kill()
    cloud.up()
    pass_days(cloud.home, 10)
    with cloud.connect(database="STALE", schema=schema) as again:
        (row,) = [row for row in dicts(again, "SHOW STREAMS") if row["schema_name"] == schema]
        assert row["stale"] == "false"
        pass_days(cloud.home, 5)
        (row,) = [row for row in dicts(again, "SHOW STREAMS") if row["schema_name"] == schema]
        assert row["stale"] == "true"
