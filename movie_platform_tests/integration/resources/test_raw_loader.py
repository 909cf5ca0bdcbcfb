"""Waiting for Snowpipe: files that load, fail, come without an event, or are too old for the pipe."""

import io
import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from movie_platform.build import build_resources
from movie_platform.contracts.locations import archive_file_name, archive_prefix
from movie_platform.contracts.tables import MOVIE_GENRES
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.raw_loader import LoadError, RawLoader
from movie_platform.resources.snowflake_connection import connect
from movie_platform.resources.transform import ArchiveFile
from movie_platform.settings import Settings
from movie_platform_tests.conftest import MOST_PIECES

DAY = datetime(2026, 11, 18, tzinfo=UTC).date()
LOG = cast("dg.DagsterLogManager", logging.getLogger(__name__))

pytestmark = pytest.mark.cloud


def genres(rows: int) -> bytes:
    values: dict[str, Any] = {
        "source": ["loader"] * rows,
        "dt": [DAY] * rows,
        "batch_id": ["b"] * rows,
        "transform_id": ["t"] * rows,
        "movie_id": [str(row) for row in range(rows)],
        "genre": ["Drama"] * rows,
        "position": pa.array([1] * rows, pa.int32()),
        "row_hash": ["h"] * rows,
    }
    stream = io.BytesIO()
    pq.write_table(pa.table(values), stream)
    return stream.getvalue()


@pytest.fixture
def version() -> str:
    return f"20261118T000000Z-{uuid.uuid4().hex[:12]}-{uuid.uuid4().hex[:12]}"


def put(settings: Settings, version: str, body: bytes, rows: int) -> tuple[ArchiveFile, str]:
    prefix = archive_prefix(MOVIE_GENRES.name, "loader", DAY, version)
    key = prefix + archive_file_name(MOVIE_GENRES.name, version, 0)
    aws_client(settings, "s3").put_object(Bucket=settings.bucket("archive"), Key=key, Body=body)
    return ArchiveFile(key, rows, len(body)), prefix


def loader(settings: Settings, **changes: int) -> RawLoader:
    return build_resources(settings.model_copy(update=changes))["loader"]


def test_a_file_that_an_event_brings_is_waited_for_and_counted(provisioned_cloud: Settings, version: str):
    file, prefix = put(provisioned_cloud, version, genres(3), 3)
    found = loader(provisioned_cloud).wait(
        MOVIE_GENRES, [file], prefix, datetime.now(UTC), log=LOG, run_id="test"
    )
    assert found.loaded == {file.key: 3}


def test_a_file_that_comes_in_many_pieces_is_waited_for_until_its_last_row_is_in(
    provisioned_cloud: Settings, version: str
):
    rows = 100 * MOST_PIECES
    file, prefix = put(provisioned_cloud, version, genres(rows), rows)
    found = loader(provisioned_cloud).wait(
        MOVIE_GENRES, [file], prefix, datetime.now(UTC), log=LOG, run_id="test"
    )
    with connect(provisioned_cloud) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT COUNT(*), COUNT(DISTINCT file_row), COUNT(DISTINCT loaded_at) FROM RAW.MOVIE_GENRES "
            "WHERE file_name = %s",
            (file.key,),
        )
        assert cursor.fetchall() == [(rows, rows, MOST_PIECES)]
    assert found.loaded == {file.key: rows}


def test_a_file_that_the_pipe_cannot_load_fails_with_the_pipes_own_error(
    provisioned_cloud: Settings, version: str
):
    file, prefix = put(provisioned_cloud, version, b"PAR1 this is no Parquet PAR1", 3)
    with pytest.raises(LoadError) as caught:
        loader(provisioned_cloud).wait(
            MOVIE_GENRES, [file], prefix, datetime.now(UTC), log=LOG, run_id="test"
        )
    assert caught.value.code == "load_failed"
    assert file.key in caught.value.message
    assert "parquet" in caught.value.message.lower()


def test_a_file_without_a_required_value_fails_and_loads_nothing(provisioned_cloud: Settings, version: str):
    table = pq.read_table(io.BytesIO(genres(2)))
    without = table.set_column(
        table.schema.get_field_index("genre"), "genre", pa.array(["Drama", None], pa.string())
    )
    stream = io.BytesIO()
    pq.write_table(without, stream)
    file, prefix = put(provisioned_cloud, version, stream.getvalue(), 2)
    with pytest.raises(LoadError):
        loader(provisioned_cloud).wait(
            MOVIE_GENRES, [file], prefix, datetime.now(UTC), log=LOG, run_id="test"
        )
    with connect(provisioned_cloud) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) FROM RAW.MOVIE_GENRES WHERE file_name = %s", (file.key,))
        assert cursor.fetchall() == [(0,)]


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=8)], ids=["young", "too old for a refresh"])
def test_a_file_whose_event_was_lost_is_asked_for(provisioned_cloud: Settings, version: str, age: timedelta):
    s3, bucket = aws_client(provisioned_cloud, "s3"), provisioned_cloud.bucket("archive")
    notified = s3.get_bucket_notification_configuration(Bucket=bucket)
    notified.pop("ResponseMetadata", None)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        file, prefix = put(provisioned_cloud, version, genres(2), 2)
    finally:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=cast("Any", notified)
        )
    found = loader(provisioned_cloud, load_refresh_after_seconds=1).wait(
        MOVIE_GENRES, [file], prefix, datetime.now(UTC) - age, log=LOG, run_id="test"
    )
    assert found.loaded == {file.key: 2}


def test_a_file_that_never_comes_is_reported_as_late(provisioned_cloud: Settings, version: str):
    prefix = archive_prefix(MOVIE_GENRES.name, "loader", DAY, version)
    missing = ArchiveFile(prefix + archive_file_name(MOVIE_GENRES.name, version, 0), 1, 1)
    with pytest.raises(LoadError) as caught:
        loader(provisioned_cloud, load_timeout_seconds=3).wait(
            MOVIE_GENRES, [missing], prefix, datetime.now(UTC), log=LOG, run_id="test"
        )
    assert caught.value.code == "load_late"
    assert "PIPE_STATUS" in str(caught.value.next_step)
