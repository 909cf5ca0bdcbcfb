"""Snowpipe, COPY INTO and load history of the local Snowflake, with real files in the local S3."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows, wait_for

pytestmark = pytest.mark.cloud

FORMAT = "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
METADATA = (
    "INCLUDE_METADATA = (file_name = METADATA$FILENAME, file_row = METADATA$FILE_ROW_NUMBER, "
    "loaded_at = METADATA$START_SCAN_TIME)"
)

LONG_AGO = datetime(1960, 1, 2, 3, 4, 5, 6, tzinfo=UTC).replace(tzinfo=None)


class Place:
    """A schema with a table FILMS, a bucket of its own and a stage on it."""

    def __init__(self, cloud: SnowflakeCloud, connection: SnowflakeConnection) -> None:
        self.cloud = cloud
        self.connection = connection
        self.schema = f"T{uuid.uuid4().hex[:8].upper()}"
        self.bucket = cloud.bucket(f"archive-{uuid.uuid4().hex[:10]}")
        self.run(f"CREATE SCHEMA PIPES.{self.schema}")
        self.run(
            "CREATE TABLE films (id VARCHAR NOT NULL, title VARCHAR(20), budget NUMBER(18, 2), released DATE, "
            "at TIMESTAMP_NTZ(6), file_name VARCHAR, file_row NUMBER(19, 0), loaded_at TIMESTAMP_LTZ)"
        )
        self.role = cloud.create_stage(connection, "archive", self.bucket)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.connection, sql)

    def pipe(
        self, options: str = f"{FORMAT} {METADATA} PATTERN = '.*[.]parquet'", path: str = "films/"
    ) -> str:
        self.run(
            f"CREATE PIPE films_pipe AUTO_INGEST = TRUE AS COPY INTO films FROM @archive/{path} {options}"
        )
        channel = dicts(self.connection, "SHOW PIPES")[0]["notification_channel"]
        self.cloud.notify(self.bucket, channel)
        return channel

    def put(self, key: str, **columns: Any) -> None:
        self.cloud.put_parquet(self.bucket, key, columns or {"id": ["a", "b"], "title": ["A", None]})

    def count(self) -> int:
        return self.run("SELECT count(*) FROM films")[0][0]

    def history(self) -> list[dict[str, Any]]:
        return dicts(
            self.connection,
            "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'FILMS', "
            "START_TIME => DATEADD(hours, -1, CURRENT_TIMESTAMP()))) ORDER BY last_load_time",
        )

    def status(self) -> dict[str, Any]:
        return json.loads(self.run(f"SELECT SYSTEM$PIPE_STATUS('PIPES.{self.schema}.FILMS_PIPE')")[0][0])


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE PIPES")
        yield opened


@pytest.fixture
def place(snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection) -> Place:
    return Place(snowflake_cloud, connection)


def test_a_file_that_arrives_is_loaded_with_its_metadata(place: Place) -> None:
    """COPY INTO <table> (INCLUDE_METADATA); Query metadata for staged files: METADATA$FILENAME is the full path."""
    place.run("ALTER TABLE films ADD COLUMN dt DATE")
    place.pipe()
    place.put(
        "films/source=demo/dt=2026-11-18/one.parquet",
        ID=["x", "y"],
        TITLE=["Ä film", None],
        budget=pa.array([Decimal("1.50"), None], pa.decimal128(18, 2)),
        released=[date(1894, 1, 2), None],
        at=pa.array([LONG_AGO, None], pa.timestamp("us")),
        extra=["ignored", "ignored"],
    )
    wait_for(lambda: place.count() == 2)
    loaded = place.run("SELECT * FROM films ORDER BY file_row")
    assert loaded[0][8] is None, "a folder's name is no column"
    name = "films/source=demo/dt=2026-11-18/one.parquet"
    assert [row[:7] for row in loaded] == [
        ("x", "Ä film", Decimal("1.50"), date(1894, 1, 2), LONG_AGO, name, 1),
        ("y", None, None, None, None, name, 2),
    ]
    assert abs((datetime.now(UTC) - loaded[0][7]).total_seconds()) < 60


def test_a_moment_of_a_file_becomes_a_clock_by_the_accounts_time_zone(place: Place) -> None:
    """CREATE FILE FORMAT (USE_LOGICAL_TYPE): a timestamp that is adjusted to UTC is a TIMESTAMP_LTZ; Parameters: a
    pipe runs in no client's session."""
    place.run("ALTER SESSION SET TIMEZONE = 'UTC'")
    place.pipe()
    place.put("films/zoned.parquet", ID=["x"], at=pa.array([LONG_AGO], pa.timestamp("us", tz="UTC")))
    place.put("films/plain.parquet", ID=["y"], at=pa.array([LONG_AGO], pa.timestamp("us")))
    wait_for(lambda: place.count() == 2)
    assert place.run("SELECT at FROM films ORDER BY id") == [(LONG_AGO - timedelta(hours=8),), (LONG_AGO,)]


def test_a_file_name_loads_once_whatever_is_in_it_later(place: Place) -> None:
    """Introduction to Snowpipe: load metadata prevents the same file name from loading again, even if modified."""
    place.pipe()
    place.put("films/a.parquet")
    wait_for(lambda: place.count() == 2)
    place.put("films/a.parquet", id=["changed"])
    place.put("films/b.parquet", id=["later"])
    wait_for(lambda: place.count() == 3)
    assert place.run("ALTER PIPE films_pipe REFRESH") == []
    assert [row["FILE_NAME"] for row in place.history()] == ["films/a.parquet", "films/b.parquet"]


def test_only_files_under_the_path_that_match_the_pattern_are_loaded(place: Place) -> None:
    """CREATE PIPE (PATTERN): the pattern is matched with the path below the stage's own."""
    place.pipe()
    for key in ("films/a.csv", "films/a.parquet.meta", "other/a.parquet", "filmsx/a.parquet"):
        place.put(key)
    place.put("films/deep/er/z.parquet", id=["only"])
    wait_for(lambda: place.count() == 1)
    assert place.run("SELECT id FROM films") == [("only",)]


def test_keys_with_spaces_plus_signs_percent_and_globs_are_loaded(place: Place) -> None:
    place.pipe()
    keys = ["films/a b+c%20d.parquet", "films/[x]*?.parquet", "films/ünï.parquet", "films/x//y.parquet"]
    for key in keys:
        place.put(key, id=[key])
    wait_for(lambda: place.count() == len(keys))
    assert set(place.run("SELECT id, file_name FROM films")) == {(key, key) for key in keys}


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"id": ["a", None]}, "NULL result in a non-nullable column"),
        ({"title": ["no id"]}, "NULL result in a non-nullable column"),
        ({"id": ["a"], "budget": ["abc"]}, "Numeric value 'abc' is not recognized"),
        ({"id": ["a"], "released": ["soon"]}, "Date 'soon' is not recognized"),
        ({"id": ["a"], "at": ["soon"]}, "Timestamp 'soon' is not recognized"),
        ({"id": ["a"], "title": ["t" * 21]}, "User character length limit (20) exceeded"),
        ({"id": ["a"], "ID": ["b"]}, "differ only in case"),
    ],
)
def test_a_file_that_does_not_fit_is_recorded_and_nothing_of_it_is_loaded(
    place: Place, columns: dict[str, Any], error: str
) -> None:
    """COPY_HISTORY: STATUS and FIRST_ERROR_MESSAGE; COPY INTO: SKIP_FILE is the default of Snowpipe."""
    place.pipe()
    place.put("films/bad.parquet", **columns)
    place.put("films/good.parquet")
    wait_for(lambda: len(place.history()) == 2)
    bad, good = sorted(place.history(), key=lambda row: row["FILE_NAME"])
    assert place.count() == 2
    assert bad["STATUS"] == "Load failed"
    assert error in bad["FIRST_ERROR_MESSAGE"]
    assert (bad["ERROR_COUNT"], bad["ROW_COUNT"], bad["PIPE_NAME"]) == (1, 0, "FILMS_PIPE")
    assert (good["STATUS"], good["ROW_COUNT"], good["FIRST_ERROR_MESSAGE"]) == ("Loaded", 2, None)


@pytest.mark.parametrize("body", [b"", b"not parquet", b"PAR1" + b"\0" * 20 + b"PAR1"])
def test_a_file_that_is_no_parquet_is_a_load_error(place: Place, body: bytes) -> None:
    place.pipe()
    place.cloud.put(place.bucket, "films/bad.parquet", body)
    (row,) = wait_for(place.history)
    assert row["STATUS"] == "Load failed"
    assert row["FIRST_ERROR_MESSAGE"]
    assert row["FILE_SIZE"] == len(body)


def test_history_has_the_documented_columns_in_the_function_and_in_the_view(place: Place) -> None:
    """COPY_HISTORY (table function) and COPY_HISTORY view."""
    place.pipe()
    place.put("films/a.parquet")
    wait_for(place.history)
    (row,) = place.history()
    assert row["FILE_NAME"] == "films/a.parquet"
    assert row["STAGE_LOCATION"] == f"s3://{place.bucket}/"
    assert (row["TABLE_CATALOG_NAME"], row["TABLE_SCHEMA_NAME"], row["TABLE_NAME"]) == (
        "PIPES",
        place.schema,
        "FILMS",
    )
    assert (row["PIPE_CATALOG_NAME"], row["PIPE_SCHEMA_NAME"]) == ("PIPES", place.schema)
    assert row["PIPE_RECEIVED_TIME"] <= row["LAST_LOAD_TIME"]
    assert (row["ROW_PARSED"], row["ERROR_COUNT"], row["ERROR_LIMIT"]) == (2, 0, 1)
    view = dicts(
        place.connection,
        f"SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.COPY_HISTORY WHERE table_schema_name = '{place.schema}'",
    )
    assert view == [row]


def test_history_takes_bind_variables_and_a_range_of_times(
    snowflake_cloud: SnowflakeCloud, place: Place
) -> None:
    place.pipe()
    place.put("films/a.parquet")
    wait_for(place.history)
    sql = (
        "SELECT file_name, ? FROM TABLE(PIPES.INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => ?, "
        "START_TIME => ?::TIMESTAMP_LTZ, END_TIME => CURRENT_TIMESTAMP())) h WHERE h.status = ?"
    )
    with snowflake_cloud.connect(paramstyle="qmark", database="PIPES") as bound:
        table = f"{place.schema}.FILMS"
        assert rows(bound, sql, ("x", table, "2020-01-01", "Loaded")) == [("films/a.parquet", "x")]
        assert rows(bound, sql, ("x", table, "2999-01-01", "Loaded")) == []


def test_a_paused_pipe_keeps_its_files_until_it_is_resumed(place: Place) -> None:
    """ALTER PIPE (PIPE_EXECUTION_PAUSED): files that arrive are not processed until the pipe is resumed."""
    place.pipe()
    place.run("ALTER PIPE films_pipe SET PIPE_EXECUTION_PAUSED = TRUE")
    place.put("films/a.parquet")
    wait_for(lambda: place.status()["pendingFileCount"] == 1)
    assert place.status()["executionState"] == "PAUSED"
    assert place.count() == 0
    place.run("ALTER PIPE films_pipe SET PIPE_EXECUTION_PAUSED = FALSE")
    wait_for(lambda: place.count() == 2)
    assert place.status()["executionState"] == "RUNNING"


def test_refresh_queues_what_was_staged_before_the_pipe(place: Place) -> None:
    """ALTER PIPE (REFRESH, PREFIX): a row a file with status SENT; loaded files are passed over."""
    for key in ("films/d1/a.parquet", "films/d2/b.parquet", "films/d2/c.csv"):
        place.put(key)
    place.pipe()
    assert place.run("ALTER PIPE films_pipe REFRESH PREFIX = 'd2/'") == [("films/d2/b.parquet", "SENT")]
    wait_for(lambda: place.count() == 2)
    assert place.run("ALTER PIPE films_pipe REFRESH") == [("films/d1/a.parquet", "SENT")]
    wait_for(lambda: place.count() == 4)
    after = datetime.now(UTC).isoformat()
    assert place.run(f"ALTER PIPE films_pipe REFRESH MODIFIED_AFTER = '{after}'") == []


def test_refresh_refuses_a_time_before_the_last_seven_days(place: Place) -> None:
    """ALTER PIPE (MODIFIED_AFTER): the start time must be within the last 7 days."""
    place.pipe()
    with pytest.raises(snowflake.connector.ProgrammingError, match="last 7 days"):
        place.run("ALTER PIPE films_pipe REFRESH MODIFIED_AFTER = '2020-01-01T00:00:00Z'")


def test_a_failed_file_is_tried_again_by_refresh(place: Place) -> None:
    place.pipe()
    place.cloud.put(place.bucket, "films/a.parquet", b"broken")
    wait_for(place.history)
    place.run("ALTER PIPE films_pipe SET PIPE_EXECUTION_PAUSED = TRUE")
    place.put("films/a.parquet")
    place.run("ALTER PIPE films_pipe SET PIPE_EXECUTION_PAUSED = FALSE")
    wait_for(lambda: place.count() == 2)
    assert [row["STATUS"] for row in place.history()] == ["Load failed", "Loaded"]


def test_a_recreated_pipe_has_loaded_nothing(place: Place) -> None:
    """CREATE PIPE: re-creating a pipe drops its load metadata."""
    place.pipe()
    place.put("films/a.parquet")
    wait_for(lambda: place.count() == 2)
    definition = dicts(place.connection, "DESCRIBE PIPE films_pipe")[0]["definition"]
    place.run(f"CREATE OR REPLACE PIPE films_pipe AUTO_INGEST = TRUE AS {definition}")
    assert place.run("ALTER PIPE films_pipe REFRESH") == [("films/a.parquet", "SENT")]
    wait_for(lambda: place.count() == 4)


def test_a_dropped_pipe_loads_nothing_more(place: Place) -> None:
    place.pipe()
    place.run("DROP PIPE films_pipe")
    place.put("films/a.parquet")
    assert place.run("SHOW PIPES") == []
    with pytest.raises(snowflake.connector.ProgrammingError, match="does not exist"):
        place.status()
    assert place.run("DROP PIPE IF EXISTS films_pipe") == [
        ("Drop statement executed successfully (FILMS_PIPE already dropped).",)
    ]


@pytest.mark.parametrize(
    "options",
    ["FILES = ('a')", "FORCE = TRUE", "ON_ERROR = ABORT_STATEMENT", "ON_ERROR = CONTINUE", "PURGE = TRUE"],
)
def test_a_pipe_refuses_copy_options_that_it_cannot_have(place: Place, options: str) -> None:
    """CREATE PIPE: FILES, FORCE and ON_ERROR = ABORT_STATEMENT are not for pipes."""
    with pytest.raises(snowflake.connector.ProgrammingError):
        place.pipe(f"{FORMAT} {options}")
    assert place.run("SHOW PIPES") == []


def test_show_pipes_gives_one_channel_an_account(place: Place) -> None:
    """SHOW PIPES: notification_channel is the ARN of the SQS queue."""
    channel = place.pipe()
    assert channel.startswith("arn:aws:sqs:us-east-1:000000000000:sf-snowpipe-")
    (row,) = dicts(place.connection, "SHOW PIPES LIKE 'films%'")
    assert row["pattern"] == ".*[.]parquet"
    assert row["definition"].startswith("COPY INTO films FROM @archive/films/")
    assert (row["database_name"], row["schema_name"], row["owner"]) == ("PIPES", place.schema, "ACCOUNTADMIN")
    assert {found["notification_channel"] for found in dicts(place.connection, "SHOW PIPES IN ACCOUNT")} == {
        channel
    }


def test_copy_into_loads_a_file_once_and_again_by_force(place: Place) -> None:
    """COPY INTO <table> (FORCE): files that were loaded and not changed are passed over unless FORCE = TRUE."""
    place.put("films/a.parquet")
    place.put("films/b.parquet")
    copy = f"COPY INTO films FROM @archive/films/ {FORMAT} {METADATA}"
    first = place.run(f"{copy} FILES = ('a.parquet')")
    assert first == [(f"s3://{place.bucket}/films/a.parquet", "LOADED", 2, 2, 1, 0, None, None, None, None)]
    assert [row[0].rsplit("/", 1)[1] for row in place.run(copy)] == ["b.parquet"]
    assert place.run(copy) == [("Copy executed with 0 files processed.",)]
    assert len(place.run(f"{copy} FORCE = TRUE")) == 2
    assert place.count() == 8


def test_copy_into_loads_a_changed_file_again_and_after_truncate(place: Place) -> None:
    """COPY INTO <table>: a file whose ETag changed loads again; TRUNCATE TABLE deletes the load metadata."""
    copy = f"COPY INTO films FROM @archive {FORMAT}"
    place.put("a.parquet")
    place.run(copy)
    place.put("a.parquet", id=["new"])
    place.run(copy)
    assert place.count() == 3
    place.run("TRUNCATE TABLE films")
    place.run(copy)
    assert place.run("SELECT id FROM films") == [("new",)]


def test_copy_into_aborts_as_a_whole(place: Place) -> None:
    """COPY INTO <table> (ON_ERROR = ABORT_STATEMENT, the default): the first error undoes the statement."""
    place.put("films/a.parquet")
    place.put("films/b.parquet", id=[None, "x"])
    copy = f"COPY INTO films FROM @archive/films/ {FORMAT}"
    with pytest.raises(snowflake.connector.DatabaseError, match="non-nullable") as caught:
        place.run(copy)
    assert caught.value.errno == 100072
    assert place.count() == 0
    assert [row["STATUS"] for row in place.history()] == ["Load failed"]
    skipped = place.run(f"{copy} ON_ERROR = SKIP_FILE")
    assert [row[1] for row in skipped] == ["LOADED", "LOAD_FAILED"]
    assert place.count() == 2


def test_copy_into_rolls_back_with_its_transaction(place: Place) -> None:
    place.put("a.parquet")
    copy = f"COPY INTO films FROM @archive {FORMAT}"
    place.run("BEGIN")
    place.run(copy)
    place.run("ROLLBACK")
    assert (place.count(), place.history()) == (0, [])
    place.run(copy)
    assert place.count() == 2


def test_copy_into_reads_csv_by_position(place: Place) -> None:
    place.cloud.put(place.bucket, "a.csv", b'id,title\n"a","A, quoted"\nb,\n')
    place.run(
        "COPY INTO films (id, title) FROM @archive FILES = ('a.csv') "
        "FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '\"')"
    )
    assert place.run("SELECT id, title FROM films ORDER BY id") == [("a", "A, quoted"), ("b", None)]


def test_dates_in_parquet_need_logical_types(place: Place) -> None:
    """CREATE FILE FORMAT (USE_LOGICAL_TYPE): without it Parquet's logical types are not interpreted."""
    place.put("a.parquet", id=["a"], released=[date(2020, 1, 1)])
    with pytest.raises(snowflake.connector.ProgrammingError, match="USE_LOGICAL_TYPE"):
        place.run(
            "COPY INTO films FROM @archive FILE_FORMAT = (TYPE = PARQUET) "
            "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
        )


@pytest.mark.parametrize(
    "sql",
    [
        "COPY INTO films FROM (SELECT $1:id FROM @archive) FILE_FORMAT = (TYPE = PARQUET)",
        "COPY INTO @archive FROM films",
        "COPY INTO films FROM @archive VALIDATION_MODE = RETURN_ERRORS",
        "COPY INTO films FROM @archive ON_ERROR = CONTINUE",
        "SELECT * FROM @archive",
    ],
)
def test_loads_that_cannot_be_done_right_are_refused(place: Place, sql: str) -> None:
    with pytest.raises(snowflake.connector.ProgrammingError) as caught:
        place.run(sql)
    assert caught.value.errno == 2


def test_list_shows_the_objects_and_never_sidecar_files(place: Place) -> None:
    """LIST: name, size, md5 and last_modified of each file."""
    place.put("films/a.parquet")
    place.put("films/b.csv")
    listed = dicts(place.connection, "LIST @archive/films/ PATTERN = '.*parquet'")
    assert [row["name"] for row in listed] == [f"s3://{place.bucket}/films/a.parquet"]
    assert listed[0]["size"] > 0
    assert len(place.run("LIST @archive")) == 2


def test_many_files_that_arrive_at_once_are_all_loaded_once(place: Place) -> None:
    place.pipe()
    for number in range(60):
        place.put(f"films/{number:03}.parquet", id=[str(number)])
    wait_for(lambda: place.count() == 60, seconds=90)
    assert place.run("SELECT count(DISTINCT file_name), count(*) FROM films") == [(60, 60)]
    wait_for(lambda: place.status()["numOutstandingMessagesOnChannel"] == 0)


def test_a_lost_queue_is_made_again_under_the_same_arn(snowflake_cloud: SnowflakeCloud, place: Place) -> None:
    channel = place.pipe()
    sqs = snowflake_cloud.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=channel.rsplit(":", 1)[1])["QueueUrl"])

    wait_for(lambda: sqs.list_queues(QueueNamePrefix="sf-snowpipe").get("QueueUrls"))
    place.cloud.notify(place.bucket, channel)
    place.put("films/a.parquet")
    wait_for(lambda: place.count() == 2)


@pytest.mark.parametrize("statement", ["SHOW PIPES IN ACCOUNT", "DESCRIBE PIPE films_pipe"])
def test_a_channel_that_is_shown_can_be_notified_at_once_even_after_the_queue_was_lost(
    snowflake_cloud: SnowflakeCloud, place: Place, statement: str
) -> None:
    channel = place.pipe()
    sqs = snowflake_cloud.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=channel.rsplit(":", 1)[1])["QueueUrl"])

    shown = {found["notification_channel"] for found in dicts(place.connection, statement)}
    assert shown == {channel}
    place.cloud.notify(place.bucket, channel)


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_loaded_twice_when_the_server_is_killed(
    snowflake_cloud: SnowflakeCloud, place: Place
) -> None:
    place.pipe()
    place.run("CREATE ROLE keeper COMMENT = 'kept'")
    place.put("films/before.parquet", id=["before"])
    wait_for(lambda: place.count() == 1)
    for number in range(40):
        place.put(f"films/{number:03}.parquet", id=[str(number)])
    snowflake_cloud.kill()
    for number in range(40, 50):
        place.put(f"films/{number:03}.parquet", id=[str(number)])
    snowflake_cloud.up()
    with snowflake_cloud.connect(database="PIPES", schema=place.schema) as again:
        wait_for(lambda: rows(again, "SELECT count(*) FROM films") == [(51,)], seconds=180)
        assert rows(again, "SELECT count(DISTINCT id) FROM films") == [(51,)]
        status = json.loads(rows(again, "SELECT SYSTEM$PIPE_STATUS('films_pipe')")[0][0])
        assert status["executionState"] == "RUNNING"
        history = rows(
            again,
            "SELECT count(*), count(DISTINCT file_name), sum(row_count) FROM SNOWFLAKE.ACCOUNT_USAGE.COPY_HISTORY "
            f"WHERE table_schema_name = '{place.schema}' AND status = 'Loaded'",
        )
        assert history == [(51, 51, 51)]
        assert [row["comment"] for row in dicts(again, "SHOW ROLES LIKE 'keeper'")] == ["kept"]
