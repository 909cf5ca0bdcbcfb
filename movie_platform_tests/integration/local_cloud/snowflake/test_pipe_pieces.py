"""Pipes that commit a file in several transactions, with real files in the local S3.

Introduction to Snowpipe (docs.snowflake.com/en/user-guide/data-load-snowpipe-intro): loads "are combined or split into
a single or multiple transactions"; COPY_HISTORY: STATUS, ROW_PARSED, LAST_LOAD_TIME.
"""

import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows, wait_for

pytestmark = pytest.mark.cloud

PIECE = 3
COPY = (
    "COPY INTO films FROM @archive FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) "
    "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE INCLUDE_METADATA = (file_name = METADATA$FILENAME, "
    "file_row = METADATA$FILE_ROW_NUMBER, loaded_at = METADATA$START_SCAN_TIME)"
)
HISTORY = (
    "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'FILMS', "
    "START_TIME => DATEADD(hours, -1, CURRENT_TIMESTAMP()))) ORDER BY file_name, last_load_time"
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, clean_environment: None) -> Iterator[SnowflakeCloud]:
    """A local Snowflake whose pipes commit three rows at a time."""
    found = SnowflakeCloud(
        tmp_path_factory.mktemp("pieces") / "home", (f"--pipe-piece-rows={PIECE}", "--pipe-seed=11")
    )
    try:
        found.up()
        with found.connect() as opened:
            rows(opened, "CREATE DATABASE PIECES")
        yield found
    finally:
        found.down()


class Place:
    """A schema with a table FILMS, a bucket of its own, a stage on it and a pipe that is paused."""

    def __init__(self, cloud: SnowflakeCloud, connection: SnowflakeConnection) -> None:
        self.cloud = cloud
        self.connection = connection
        self.schema = f"T{uuid.uuid4().hex[:8].upper()}"
        self.bucket = cloud.bucket(f"pieces-{uuid.uuid4().hex[:10]}")
        self.run(f"CREATE SCHEMA PIECES.{self.schema}")
        self.run(
            "CREATE TABLE films "
            "(id VARCHAR NOT NULL, file_name VARCHAR, file_row NUMBER(19, 0), loaded_at TIMESTAMP_LTZ)"
        )
        self.run("CREATE TABLE seen (rows_then NUMBER)")
        self.run("CREATE STREAM arrivals ON TABLE films APPEND_ONLY = TRUE")
        self.role = cloud.create_stage(connection, "archive", self.bucket)
        self.run(f"CREATE PIPE films_pipe AS {COPY}")
        self.pause()

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.connection, sql)

    def pause(self) -> None:
        self.run("ALTER PIPE films_pipe SET PIPE_EXECUTION_PAUSED = TRUE")

    def go_on(self) -> None:
        self.run("ALTER PIPE films_pipe SET PIPE_EXECUTION_PAUSED = FALSE")

    def put(self, key: str, ids: list[str | None]) -> None:
        self.cloud.put_parquet(self.bucket, key, {"id": ids})

    def load(self) -> None:
        self.run("ALTER PIPE films_pipe REFRESH")
        self.go_on()

    def count(self) -> int:
        return self.run("SELECT count(*) FROM films")[0][0]

    def wait_until_idle(self) -> None:
        status = "SELECT PARSE_JSON(SYSTEM$PIPE_STATUS('films_pipe')):pendingFileCount::INT"
        wait_for(lambda: self.run(status) == [(0,)])


@pytest.fixture
def place(cloud: SnowflakeCloud) -> Iterator[Place]:
    with cloud.connect() as opened:
        yield Place(cloud, opened)


def test_a_file_with_more_rows_than_a_piece_is_committed_in_pieces_with_scan_times_of_their_own(
    place: Place,
) -> None:
    place.put("a.parquet", [str(number) for number in range(8)])
    place.put("b.parquet", ["x", "y", "z"])
    place.load()
    place.wait_until_idle()
    pieces = place.run(
        "SELECT file_name, min(file_row), max(file_row), count(*) FROM films "
        "GROUP BY file_name, loaded_at ORDER BY 1, 2"
    )
    assert pieces == [
        ("a.parquet", 1, 3, 3),
        ("a.parquet", 4, 6, 3),
        ("a.parquet", 7, 8, 2),
        ("b.parquet", 1, 3, 3),
    ]


def test_history_shows_a_file_of_several_pieces_once(place: Place) -> None:
    place.put("a.parquet", [str(number) for number in range(8)])
    place.load()
    place.wait_until_idle()
    (row,) = dicts(place.connection, HISTORY)
    assert (row["STATUS"], row["ROW_COUNT"], row["ROW_PARSED"]) == ("Loaded", 8, 8)
    first, last = place.run("SELECT min(loaded_at), max(loaded_at) FROM films")[0]
    assert (row["FIRST_COMMIT_TIME"], row["LAST_LOAD_TIME"]) == (first, last)
    assert first < last


def test_pieces_of_other_files_come_in_between_and_files_in_any_order(place: Place) -> None:
    names = [f"{number}.parquet" for number in range(6)]
    for name in names:
        place.put(name, [str(row) for row in range(4 * PIECE)])
    place.load()
    place.wait_until_idle()
    order = [
        name
        for name, _ in place.run("SELECT file_name, loaded_at FROM films GROUP BY 1, 2 ORDER BY loaded_at")
    ]
    assert sorted(order) == sorted(names * 4)
    assert order != sorted(order), "each file came whole, in the order of the names"
    assert sum(one != other for one, other in pairwise(order)) > len(names)
    assert place.run("SELECT count(*), count(DISTINCT file_name, file_row) FROM films") == [(72, 72)]


def test_a_file_with_an_error_in_a_late_piece_is_skipped_as_a_whole(place: Place) -> None:
    """CREATE PIPE: ON_ERROR = SKIP_FILE is the default."""
    place.put("a.parquet", ["a", "b", "c", "d", "e", "f", "g", None])
    place.load()
    place.wait_until_idle()
    (row,) = dicts(place.connection, HISTORY)
    assert (row["STATUS"], row["ROW_COUNT"], place.count()) == ("Load failed", 0, 0)


def test_copy_into_by_hand_stays_one_transaction(place: Place) -> None:
    place.put("a.parquet", [str(number) for number in range(8)])
    place.run(COPY)
    assert place.run("SELECT count(*), count(DISTINCT loaded_at) FROM films") == [(8, 1)]


def test_a_csv_file_comes_in_pieces_too(place: Place) -> None:
    place.run(
        "CREATE PIPE csv_pipe AS COPY INTO films (id) FROM @archive PATTERN = '.*csv' FILE_FORMAT = (TYPE = CSV)"
    )
    place.cloud.put(place.bucket, "a.csv", b"".join(b"%d\n" % number for number in range(20)))
    place.run("ALTER PIPE csv_pipe REFRESH")
    wait_for(lambda: place.count() == 20)
    assert place.run("SELECT count(DISTINCT id) FROM films") == [(20,)]


@pytest.mark.timeout(600)
def test_a_kill_between_pieces_loses_and_repeats_no_row(cloud: SnowflakeCloud, place: Place) -> None:
    total = 600
    for name in ("a", "b"):
        place.put(f"{name}.parquet", [str(row) for row in range(total)])
    place.load()
    partial = "SELECT count(*) FROM films HAVING count(*) BETWEEN 1 AND 1000"
    found = wait_for(lambda: place.run(partial))
    in_progress = [row for row in dicts(place.connection, HISTORY) if row["STATUS"] == "Load in progress"]
    cloud.kill()
    assert in_progress, found
    assert all(row["ROW_PARSED"] is None and row["ROW_COUNT"] > 0 for row in in_progress)
    cloud.up()
    with cloud.connect(database="PIECES", schema=place.schema) as again:
        wait_for(lambda: rows(again, "SELECT count(*) FROM films")[0][0] >= 2 * total)
        assert rows(again, "SELECT count(*), count(DISTINCT file_name, file_row) FROM films") == [
            (2 * total, 2 * total)
        ]
        history = [(row["FILE_NAME"], row["STATUS"], row["ROW_COUNT"]) for row in dicts(again, HISTORY)]
        assert history == [("a.parquet", "Loaded", total), ("b.parquet", "Loaded", total)]


def test_a_file_that_is_changed_half_way_is_loaded_in_part(place: Place) -> None:
    """COPY_HISTORY: STATUS."""
    place.put("a.parquet", [str(row) for row in range(900)])
    place.load()
    wait_for(lambda: place.count() > 0)
    place.pause()
    place.put("a.parquet", ["another"])
    place.go_on()
    place.wait_until_idle()
    (row,) = dicts(place.connection, HISTORY)
    assert row["STATUS"] == "Partially loaded"
    assert "was changed" in row["FIRST_ERROR_MESSAGE"]
    assert row["ROW_COUNT"] == place.count() < 900


def test_a_stream_gives_the_pieces_as_they_come(place: Place) -> None:
    place.put("a.parquet", [str(row) for row in range(300)])
    place.load()
    looks = []
    while sum(looks) < 300:
        place.run("INSERT INTO seen SELECT count(*) FROM arrivals")
        looks = [count for (count,) in place.run("SELECT rows_then FROM seen")]
    assert sum(looks) == 300
    assert len([count for count in looks if count]) > 1
