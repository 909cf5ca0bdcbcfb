"""The Glue job as it runs: started through Glue's API on the local cloud, its output read from the archive bucket."""

import csv
import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.locations import archive_prefix, processed_prefix, verified_key, version_name
from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(900)]

DT = date(2026, 11, 18)
COLUMNS = (
    "movie_id",
    "title",
    "year",
    "runtime",
    "genres",
    "cast",
    "imdb_rating",
    "imdb_votes",
    "updated_at",
)
Row = tuple[str | None, ...]

GOOD: list[Row] = [
    (
        "1",
        "Amélie",
        "2001",
        "122 min",
        "Comedy, Romance",
        "Audrey Tautou, Mathieu Kassovitz",
        "8.3/10",
        "12K",
        None,
    ),
    ("2", 'The "Quoted", Film', "1776", "2h 22m", None, None, None, None, "2026-11-01"),
    (
        "2",
        'The "Quoted", Film',
        "1994",
        "2h 22m",
        "Drama",
        "A|B",
        "9.2",
        "1,234",
        "2026-11-02T01:30:00+02:00",
    ),
    ("2", "Older\nTitle", "1994", "soon", "Drama", "A|B", "9.2", "1,234", "2026-11-01"),
    (
        "1",
        "Amélie",
        "2001",
        "122 min",
        "Comedy, Romance",
        "Audrey Tautou, Mathieu Kassovitz",
        "8.3/10",
        "12K",
        None,
    ),
    (None, "Keyless", None, None, None, None, None, None, None),
    ("4", "N/A", None, None, None, None, None, None, None),
    ("5", "Endless", "2012", "99999999 min", None, None, None, None, None),
    ("6", "Unreadable runtime", "2012", "soon", None, None, None, None, None),
]


@dataclass
class Batch:
    source: str
    rows: Sequence[Row] = ()
    rejected: Sequence[Mapping[str, Any]] = ()
    data_format: str = "parquet"
    row_count: int | None = None
    extracted_at: datetime = datetime(2026, 11, 18, 6, tzinfo=UTC)
    batch_id: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(repr((self.source, self.rows, self.rejected)).encode()).hexdigest()
        self.batch_id = f"{self.extracted_at:%Y%m%dT%H%M%SZ}-{digest[:12]}"
        self.content_id = digest

    def data(self) -> bytes:
        if self.data_format == "parquet":
            schema = pa.schema([(name, pa.string()) for name in COLUMNS])
            columns = [list(values) for values in zip(*self.rows, strict=True)]
            target = pa.BufferOutputStream()
            pq.write_table(pa.table(columns, schema=schema), target)
            return target.getvalue().to_pybytes()
        text = io.StringIO(newline="")
        csv.writer(text).writerows([COLUMNS, *self.rows])
        return text.getvalue().encode()


@dataclass
class Platform:
    settings: Settings

    def client(self, service: str) -> Any:
        return aws_client(self.settings, service)  # type: ignore[arg-type] - any service

    def put(self, batch: Batch) -> str:
        bucket, prefix = self.settings.bucket("processed"), processed_prefix(batch.source, DT, batch.batch_id)
        contents: list[tuple[str, str, int, bytes]] = []
        if batch.rows:
            name = f"{batch.data_format}/movies-00000.{batch.data_format}"
            contents.append((name, batch.data_format, len(batch.rows), batch.data()))
        if batch.rejected:
            lines = "".join(json.dumps(row) + "\n" for row in batch.rejected)
            contents.append(("rejected/rejected-00000.jsonl", "jsonl", len(batch.rejected), lines.encode()))
        s3 = self.client("s3")
        for name, _, _, data in contents:
            s3.put_object(Bucket=bucket, Key=prefix + name, Body=data)
        marker = {
            "format_version": 1,
            "batch_id": batch.batch_id,
            "content_id": batch.content_id,
            "source": batch.source,
            "dt": DT.isoformat(),
            "load_type": "full",
            "extracted_at": batch.extracted_at.isoformat(),
            "row_count": len(batch.rows) if batch.row_count is None else batch.row_count,
            "rejected_count": len(batch.rejected),
            "columns": list(COLUMNS),
            "files": [
                {
                    "key": prefix + name,
                    "path": name,
                    "format": kind,
                    "part": 0,
                    "rows": rows,
                    "bytes": len(data),
                }
                for name, kind, rows, data in contents
            ],
        }
        key = verified_key(batch.source, DT, batch.batch_id)
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(marker).encode())
        return f"s3://{bucket}/{key}"

    def start(self, batch: Batch, **arguments: str) -> str:
        given = {
            "--verified_uri": self.put(batch),
            "--output_uri": f"s3://{self.settings.bucket('archive')}",
            "--catalog_database": self.settings.glue_database_name,
            **{f"--{name}": value for name, value in arguments.items()},
        }
        answer = self.client("glue").start_job_run(JobName=self.settings.glue_job_name, Arguments=given)
        return answer["JobRunId"]

    def wait(self, run_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            run = self.client("glue").get_job_run(JobName=self.settings.glue_job_name, RunId=run_id)["JobRun"]
            if run["JobRunState"] in ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR"):
                return run
            time.sleep(0.5)
        raise TimeoutError(run_id)

    def transform(self, batch: Batch, **arguments: str) -> dict[str, Any]:
        run = self.wait(self.start(batch, **arguments))
        assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
        return max(self.records(batch), key=lambda record: record["transformed_at"])

    def records(self, batch: Batch) -> list[dict[str, Any]]:
        keys = [key for key in self.keys("_runs/") if batch.batch_id in key]
        return [json.loads(self.read(key)) for key in keys]

    def keys(self, prefix: str) -> dict[str, Any]:
        pages = self.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.settings.bucket("archive"), Prefix=prefix)
        return {item["Key"]: item for page in found for item in page.get("Contents", [])}

    def read(self, key: str) -> bytes:
        return self.client("s3").get_object(Bucket=self.settings.bucket("archive"), Key=key)["Body"].read()

    def table(self, record: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        files = record["tables"][name]["files"]
        parts = [pq.read_table(io.BytesIO(self.read(file["key"]))) for file in files]
        return pa.concat_tables(parts).to_pylist() if parts else []


@pytest.fixture(scope="module")
def platform(provisioned_cloud: Settings) -> Platform:
    return Platform(provisioned_cloud)


@pytest.fixture(scope="module")
def first(platform: Platform) -> tuple[Batch, dict[str, Any]]:
    rejected = [{"line_number": 7, "raw_text": "a;b", "code": "too_few_fields", "message": "2 fields, not 9"}]
    batch = Batch("whole", GOOD, rejected)
    return batch, platform.transform(batch)


def test_every_row_becomes_a_film_a_quarantined_row_or_a_removed_duplicate(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    _, record = first
    assert record["counts"] == {
        "rows_in": 10,
        "rejected": 1,
        "movies": 3,
        "quarantined": 6,
        "quarantined_by_rule": {
            "duplicate_key": 1,
            "impossible_runtime": 1,
            "impossible_year": 1,
            "missing_key": 1,
            "missing_title": 1,
            "too_few_fields": 1,
        },
        "exact_duplicates": 1,
    }
    assert record["nulled"] == {"runtime": 1}
    quarantined = platform.table(record, "quarantined_rows")
    assert sorted(row["rule_code"] for row in quarantined) == sorted(record["counts"]["quarantined_by_rule"])
    reader = next(row for row in quarantined if row["origin"] == "reader")
    assert (reader["line_number"], reader["raw_row"], reader["occurrence"]) == (7, "a;b", 1)
    keyless = next(row for row in quarantined if row["rule_code"] == "missing_key")
    assert json.loads(keyless["raw_row"]) == {"title": "Keyless"}


def _utc_clock(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def test_the_files_hold_exactly_the_columns_and_types_of_the_contract(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    _, record = first
    types = {
        "string": pa.string(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }
    for table in ARCHIVE_TABLES:
        (file,) = record["tables"][table.name]["files"]
        schema = pq.read_schema(io.BytesIO(platform.read(file["key"])))
        assert schema.names == list(table.column_names)
        for column in table.columns:
            expected = types.get(column.type)
            if expected is None:
                assert f"decimal128({column.type[8:-1].replace(',', ', ')})" == str(
                    schema.field(column.name).type
                )
            else:
                assert schema.field(column.name).type == expected, column.name


def test_points_in_time_are_written_as_clocks_in_utc(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    """The warehouse's tables have no zone: a moment that is adjusted to UTC would get that of the account."""
    _, record = first
    updated = {row["movie_id"]: row["updated_at"] for row in platform.table(record, "movies")}
    assert updated["2"] == datetime.fromisoformat("2026-11-01T23:30:00")
    assert updated["1"] is None


def test_the_announcement_says_what_belongs_to_the_version(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    batch, record = first
    (announced,) = platform.table(record, "batches")
    assert announced["batch_id"] == batch.batch_id
    assert announced["announcement"] == 0
    assert announced["extracted_at"] == _utc_clock(batch.extracted_at)
    assert announced["transformed_at"] == _utc_clock(datetime.fromisoformat(record["transformed_at"]))
    assert announced["rows_in"] == 10
    assert announced["keyless_quarantined_rows"] == 2
    for table in ARCHIVE_TABLES[:-1]:
        assert announced[f"{table.name}_rows"] == len(platform.table(record, table.name))
        assert announced[f"{table.name}_files"] == len(record["tables"][table.name]["files"])


def test_the_catalog_has_a_partition_of_each_table(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    batch, record = first
    name = version_name(batch.batch_id, record["transform_id"])
    for table in ARCHIVE_TABLES:
        answer = platform.client("glue").get_partition(
            DatabaseName=platform.settings.glue_database_name,
            TableName=table.name,
            PartitionValues=[batch.source, DT.isoformat(), name],
        )
        location = answer["Partition"]["StorageDescriptor"]["Location"]
        prefix = archive_prefix(table.name, batch.source, DT, name)
        assert location == f"s3://{platform.settings.bucket('archive')}/{prefix}"


def test_a_rerun_writes_nothing_until_another_version_became_the_newest(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    batch, record = first
    before = platform.keys("")
    platform.transform(batch)
    assert {key: item["LastModified"] for key, item in platform.keys("").items()} == {
        key: item["LastModified"] for key, item in before.items()
    }

    other = platform.transform(batch, write_csv="true")
    assert other["transform_id"] != record["transform_id"]
    assert other["announcement"] == 0
    for name, table in other["tables"].items():
        if name != "batches":
            assert [file["key"].removesuffix(".csv") for file in table["csv_files"]] == [
                file["key"].removesuffix(".parquet") for file in table["files"]
            ]
    titles = csv.DictReader(
        io.StringIO(platform.read(other["tables"]["movies"]["csv_files"][0]["key"]).decode())
    )
    assert {row["title"] for row in titles} == {"Amélie", 'The "Quoted", Film', "Unreadable runtime"}

    again = platform.transform(batch)
    assert again["transform_id"] == record["transform_id"]
    assert again["announcement"] == 1
    assert again["transformed_at"] > other["transformed_at"]
    assert [row["announcement"] for row in platform.table(again, "batches")] == [1]
    for table in ARCHIVE_TABLES[:-1]:
        assert again["tables"][table.name] == record["tables"][table.name]
    after = platform.keys("")
    assert all(
        after[key]["LastModified"] == item["LastModified"]
        for key, item in before.items()
        if "_runs" not in key
    )


def test_a_bundle_of_csv_gives_the_films_of_its_parquet_twin(
    platform: Platform, first: tuple[Batch, dict[str, Any]]
) -> None:
    _, record = first
    batch = Batch("whole-csv", GOOD, data_format="csv")
    other = platform.transform(batch)

    def films(found: Mapping[str, Any]) -> list[str]:
        return sorted(row["row_hash"] for row in platform.table(found, "movies"))

    assert films(other) == films(record)


def test_a_day_without_films_is_announced_without_files(platform: Platform) -> None:
    record = platform.transform(Batch("empty"))
    (announced,) = platform.table(record, "batches")
    assert {
        announced[f"{table.name}_{kind}"] for table in ARCHIVE_TABLES[:-1] for kind in ("rows", "files")
    } == {0}
    assert [
        key
        for key in platform.keys("")
        if "source=empty" in key and not key.startswith(("batches/", "_runs/"))
    ] == []


def test_a_file_with_other_rows_than_the_manifest_says_fails_the_job_and_writes_nothing(
    platform: Platform,
) -> None:
    batch = Batch("short", GOOD, row_count=len(GOOD) + 1)
    run = platform.wait(platform.start(batch))
    assert run["JobRunState"] == "FAILED"
    assert "the manifest says 10" in run["ErrorMessage"]
    assert [key for key in platform.keys("") if "source=short" in key] == []
