"""From a bundle that landed to the archive: verify and unpack it, transform it, check what came out.

Written by `movie-platform export airflow` from the asset graph: change the graph or the templates, not this file.
Needs Airflow 3.1 or later with the amazon and snowflake providers; deploy/airflow/README.md says how to run it.

Form and templates: a367a76debc6a1cd187de25fbfb85c1ce7b318649e15780ffd9414bbe843f8c5

Not carried over, or carried otherwise:
- automation conditions: a run of Airflow carries a day to its end; what ended half way is cleared and run
  again
- column schemas and column lineage: Airflow knows assets, not their columns
- sensor bundle_arrival_sensor: an AssetWatcher on the same queue emits the landing asset; it takes messages
  off the queue before they are worked on, and attempts are Airflow's retries instead of counted runs
- sensor freshness_alerts: deadlines of runs and the watchdog send the same message
- sensor run_failure_alerts: failure callbacks of tasks and DAGs send the same message
- manifest_is_valid, row_counts_match_manifest and columns_match_contract of unzipped_files rest on the answer
  of the function, which verifies by the same rules before it publishes; so do the checks of a bundle that
  somebody else landed
- partitions: a run is about the bundles that its events name, whatever their dates
- jitter of retries: Airflow's back-off has its own
"""

from __future__ import annotations

import importlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pendulum
from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.operators.lambda_function import LambdaInvokeFunctionOperator
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException
from airflow.providers.common.messaging.triggers.msg_queue import MessageQueueTrigger
from airflow.sdk import DAG, Asset, AssetWatcher, Context, Param, Variable, task, task_group
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

# The Airflow Variable that says where this deployment's buckets, function, job and topic are.
VARIABLE = "movie_platform"
AWS_CONNECTION = "aws_default"

# A trigger's and a deadline's arguments are not templates: these two are read when the file is. Everything else is
# read when a task runs.
AT_PARSING = Variable.get(VARIABLE, default={}, deserialize_json=True)


def setting(name: str) -> str:
    """A deployment's setting. Raises AirflowFailException where the Variable does not have it."""
    found = Variable.get(VARIABLE, default={}, deserialize_json=True).get(name)
    if not found:
        raise AirflowFailException(
            f"the Airflow Variable {VARIABLE!r} has no {name!r}: deploy/airflow/README.md says how it is made"
        )
    return found


# SNS takes a subject of fewer than 100 ASCII characters.
SUBJECT_CHARACTERS = 99
TEXT_CHARACTERS = 4000


class CheckFailedError(AirflowFailException):
    """A blocking check did not hold. Trying again cannot help."""


class ToldAlreadyError(AirflowFailException):
    """A failure that somebody else has told of."""


def alert(kind: str, what: str, why: str, where: str, next_step: str) -> None:
    """Sends one message, in the form of all alerts of the platform, to the alert topic."""
    text = f"Movie Platform: {what}".splitlines()[0].encode("ascii", "replace").decode()
    fields = {"kind": kind, "what": what, "why": why, "where": where, "next": next_step}
    body = {name: value[:TEXT_CHARACTERS] for name, value in fields.items()}
    SnsHook(aws_conn_id=AWS_CONNECTION).publish_to_target(
        target_arn=setting("alert_topic_arn"),
        subject="".join(character for character in text if character.isprintable())[:SUBJECT_CHARACTERS],
        message=json.dumps({**body, "at": datetime.now(UTC).isoformat()}, ensure_ascii=False),
        message_attributes={"kind": kind},
    )


def tell_of_task(context: Context) -> None:
    """One message about a task that failed for good: Airflow calls this after the last retry."""
    error = context.get("exception")
    if isinstance(error, ToldAlreadyError):
        return
    ti = context["ti"]
    number = "" if ti.map_index < 0 else f", number {ti.map_index}"
    alert(
        "check_failed" if isinstance(error, CheckFailedError) else "run_failed",
        what=f"Task {ti.dag_id}.{ti.task_id} failed",
        why=f"{type(error).__name__}: {error}" if error else "no message",
        where=f"Airflow run {ti.run_id}, task {ti.task_id}{number}, attempt {ti.try_number}",
        next_step="Open the task's log in Airflow; when the cause is mended, clear the task: what is done is not redone.",
    )


def tell_of_run(context: Context) -> None:
    """One message about a run that failed though none of its tasks did: out of time, or stuck."""
    reason = str(context.get("reason", "unknown"))
    if reason == "task_failure":
        return
    alert(
        "run_failed",
        what=f"A run of {context['dag'].dag_id} failed: {reason}",
        why=f"Airflow gave the run up: {reason}",
        where=f"Airflow run {context['run_id']}",
        next_step="Open the run in Airflow and see which task it waited for.",
    )


# From the freshness policies: of the 36 hours after which tables count as stale, a day goes by between two runs.
DEADLINE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(seconds=43200),
    callback=AsyncCallback(
        SnsNotifier,
        kwargs={
            "aws_conn_id": AWS_CONNECTION,
            "target_arn": AT_PARSING.get("alert_topic_arn", ""),
            "subject": "Movie Platform: a run of movie_transform is late",
            "message": json.dumps(
                {
                    "kind": "freshness_failed",
                    "what": "A run of movie_transform has not ended 12 hours after it was queued",
                    "why": "Its tables will be older than their freshness policy allows.",
                    "where": "Airflow run {{ dag_run.dag_run_id }}",
                    "next": "Open the run in Airflow and see which task it waits for.",
                }
            ),
            "message_attributes": {"kind": "freshness_failed"},
        },
    ),
)

LANDING = "landing/zipped_bundle"
# Who else drops bundles is heard of through the queue that the landing bucket's topic feeds.
WATCHERS = (
    [
        AssetWatcher(
            name="arrivals",
            trigger=MessageQueueTrigger(
                scheme="sqs",
                sqs_queue=AT_PARSING["arrivals_queue_url"],
                aws_conn_id=AWS_CONNECTION,
                max_messages=10,
                waiter_delay=10,
            ),
        )
    ]
    if AT_PARSING.get("arrivals_queue_url")
    else []
)

ASSETS = {
    key: Asset(name=key, uri=f"x-movie-platform://{key}", watchers=WATCHERS if key == LANDING else [])
    for key in [
        "archive/batches",
        "archive/movie_genres",
        "archive/movie_people",
        "archive/movie_ratings",
        "archive/movies",
        "archive/quarantined_rows",
        "landing/zipped_bundle",
        "processed/unzipped_files",
    ]
}
# Events of so many days are looked at for a bundle that another run has taken already.
DAYS_OF_EVENTS = 14


# Keys of the buckets, and what S3 says of an object that landed.

DATASET = "movies"
# A source's name is part of S3 keys, tags and file names: nothing in it may need escaping anywhere.
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
BATCH_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
_LANDING_KEY = re.compile(
    rf"{DATASET}/source=(?P<source>{SOURCE_NAME.pattern})/dt=(?P<dt>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{{0,199}})\.zip"
)


@dataclass(frozen=True, slots=True)
class LandingKey:
    """A landing key taken apart. `name` is the batch id for bundles of ours; an outside producer may name it freely."""

    source: str
    dt: date
    name: str

    def __str__(self) -> str:
        return f"{landing_prefix(self.source, self.dt)}{self.name}.zip"


def landing_prefix(source: str, dt: date) -> str:
    """Prefix of all bundles that landed for a source and date."""
    return f"{landing_dates_prefix(source)}{dt.isoformat()}/"


def parse_landing_key(key: str) -> LandingKey | None:
    """The parts of a landing key, or None for a key that no bundle may have."""
    match = _LANDING_KEY.fullmatch(key)
    if match is None:
        return None
    try:
        dt = date.fromisoformat(match["dt"])
    except ValueError:
        return None
    return LandingKey(match["source"], dt, match["name"])


def version_name(batch_id: str, transform_id: str) -> str:
    """Name of a version of a batch: what file names in the archive are made of."""
    return f"{batch_id}-{transform_id[:12]}"


def archive_prefix(table: str, source: str, dt: date, version: str) -> str:
    """Prefix, in the archive bucket, of one table's files of one version."""
    return f"{table}/source={source}/dt={dt.isoformat()}/version={version}/"


def run_prefix(source: str, dt: date, batch_id: str) -> str:
    """Prefix, in the archive bucket, of the records of all transform runs of a batch."""
    return f"_runs/source={source}/dt={dt.isoformat()}/batch={batch_id}/"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object that landed. `etag` has no quotes; together with the key it says which content."""

    bucket: str
    key: str
    etag: str
    size: int
    source: str
    dt: date


@dataclass(frozen=True, slots=True)
class Unusable:
    """An object, or a message, that no bundle can be read from; `reason` says why."""

    reason: str
    key: str | None = None


def arrivals_of_message(body: str) -> tuple[list[Arrival], list[Unusable]]:
    """The objects that an S3 event notification announces, raw or in SNS's envelope.

    Keys in S3 events are URL-encoded, spaces as '+'
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
    S3's test event announces nothing.
    """
    try:
        event = json.loads(body)
        if isinstance(event, dict) and isinstance(event.get("Message"), str):
            event = json.loads(event["Message"])
    except ValueError as error:
        return [], [Unusable(f"not JSON: {error}")]
    if not isinstance(event, dict):
        return [], [Unusable("not a JSON object")]
    if event.get("Event") == "s3:TestEvent":
        return [], []
    records = event.get("Records")
    if not isinstance(records, list):
        return [], [Unusable("no Records in the event")]
    arrivals: list[Arrival] = []
    unusable: list[Unusable] = []
    for record in records:
        found = _arrival_of_record(record)
        if isinstance(found, Arrival):
            arrivals.append(found)
        else:
            unusable.append(found)
    return arrivals, unusable


def _arrival_of_record(record: Any) -> Arrival | Unusable:
    try:
        entity = record["s3"]
        key = unquote_plus(entity["object"]["key"])
        bucket = str(entity["bucket"]["name"])
        etag = str(entity["object"].get("eTag", "")).strip('"')
        size = int(entity["object"].get("size", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unusable(f"a record of the event is not as S3 writes them: {error!r}")
    return arrival_of_object(bucket, key, etag, size)


def arrival_of_object(bucket: str, key: str, etag: str, size: int) -> Arrival | Unusable:
    """An object of the landing bucket as an arrival, or why it cannot be one."""
    parts = parse_landing_key(key)
    if parts is None:
        return Unusable("the key is not movies/source=<name>/dt=<date>/<batch>.zip", key)
    return Arrival(bucket, key, etag.strip('"'), size, parts.source, parts.dt)


def distinct(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Each key and content once, in the order of first appearance: S3 and SQS deliver at least once."""
    return list({(arrival.key, arrival.etag): arrival for arrival in arrivals}.values())


# What a check finds, and the checks of files.


@dataclass(frozen=True, slots=True)
class Column:
    """A typed column. `minimum` and `maximum` are inclusive; `raw` names the bundle columns that it is made of.

    `later`: the warehouse's table was there before the column, which therefore stands at its end, and is null in the
    rows that were there.
    """

    name: str
    type: str
    description: str
    nullable: bool = True
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    raw: tuple[str, ...] = ()
    later: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the archive. `primary_key` is unique within one version (batch_id and transform_id) of a batch."""

    name: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    snowflake_schema: str = "RAW"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in their order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name!r}")


SAMPLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `counts` are named numbers; `offenders` a sample, all with the same keys."""

    passed: bool
    summary: str
    counts: Mapping[str, int | float] = field(default_factory=dict)
    offenders: Sequence[Mapping[str, str | int | float | bool | None]] = ()
    next_step: str = ""


BATCH_ROWS = 65_536


def count_rows(files: Sequence[Path]) -> int:
    """Rows of all files, from their footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in files)


def keys_are_unique(table: Table, files: Sequence[Path]) -> Finding:
    """Whether the primary key appears once in all files together.

    Holds a 64-bit hash a row (8 MB a million rows); only keys whose hashes meet are compared themselves.
    """
    import numpy as np
    import pandas.util

    # Found at run time by the module's own __getattr__, so that no type checker knows it.
    hash_pandas_object: Any = pandas.util.hash_pandas_object

    columns = list(table.primary_key)
    hashes: list[np.ndarray] = [
        hash_pandas_object(batch.to_pandas(), index=False).to_numpy() for batch in _batches(files, columns)
    ]
    every = np.concatenate(hashes) if hashes else np.empty(0, dtype="uint64")
    ordered = np.sort(every)
    suspects = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    repeated: dict[tuple[object, ...], int] = {}
    if len(suspects):
        for batch in _batches(files, columns):
            frame = batch.to_pandas()
            mine = frame[np.isin(hash_pandas_object(frame, index=False).to_numpy(), suspects)]
            for row in mine.itertuples(index=False, name=None):
                repeated[row] = repeated.get(row, 0) + 1
    offenders: list[dict[str, str | int | float | bool | None]] = [
        {**{name: str(value) for name, value in zip(columns, key, strict=True)}, "times": times}
        for key, times in repeated.items()
        if times > 1
    ]
    return Finding(
        passed=not offenders,
        summary=f"{len(every)} rows, {len(offenders)} keys more than once",
        counts={"rows": len(every), "repeated_keys": len(offenders)},
        offenders=offenders,
        next_step="the transform lets duplicates through: see glue_scripts, and run it again for the day",
    )


def values_in_range(table: Table, files: Sequence[Path]) -> Finding:
    """Whether required values are there and numbers lie between their columns' minimum and maximum."""
    import pyarrow as pa
    import pyarrow.compute

    # Its functions are made when it is imported, so that no type checker knows them.
    pc: Any = pyarrow.compute

    ruled = [c for c in table.columns if not c.nullable or c.minimum is not None or c.maximum is not None]
    rows = 0
    broken: dict[str, int] = {}
    offenders: list[dict[str, str | int | float | bool | None]] = []
    for batch in _batches(files, [column.name for column in ruled]):
        rows += batch.num_rows
        for column in ruled:
            values = batch.column(column.name)
            bad = pa.array([False] * batch.num_rows) if column.nullable else pc.is_null(values)
            for bound, outside in ((column.minimum, pc.less), (column.maximum, pc.greater)):
                if bound is not None:
                    compared = outside(
                        values.cast(pa.decimal128(38, 10), safe=False),
                        pa.scalar(bound, pa.decimal128(38, 10)),
                    )
                    bad = pc.or_(bad, pc.fill_null(compared, False))  # noqa: FBT003 - Arrow's own positional value
            found = pc.sum(bad).as_py() or 0
            if found:
                broken[column.name] = broken.get(column.name, 0) + found
                sample = pc.filter(values, bad).slice(0, SAMPLE_ROWS)
                offenders.extend(
                    {"column": column.name, "value": str(value.as_py()), "rule": _rule(column)}
                    for value in sample
                )
    total = sum(broken.values())
    return Finding(
        passed=total == 0,
        summary=f"{rows} rows, {total} values out of range or missing",
        counts={"rows": rows, **{f"broken_{name}": count for name, count in broken.items()}},
        offenders=offenders[:SAMPLE_ROWS],
        next_step="a parsing rule of glue_scripts is wrong, or the contract's range is; mend it and transform again",
    )


def _rule(column: Column) -> str:
    parts = [] if column.nullable else ["not null"]
    if column.minimum is not None:
        parts.append(f">= {column.minimum}")
    if column.maximum is not None:
        parts.append(f"<= {column.maximum}")
    return ", ".join(parts)


def quarantine_rate(rows_in: int, quarantined: int, earlier: Sequence[tuple[int, int]]) -> Finding:
    """Whether the share of quarantined rows is normal, compared with earlier days (rows in, quarantined).

    Normal is at most three times the earlier days' share plus one row in a hundred: a share that is small and grows
    by a row or two is no news. Without earlier days, one row in a hundred is normal.
    """
    share = Decimal(quarantined) / rows_in if rows_in else Decimal(0)
    before_in = sum(rows for rows, _ in earlier)
    before = Decimal(sum(count for _, count in earlier)) / before_in if before_in else Decimal(0)
    limit = before * 3 + Decimal("0.01")
    return Finding(
        passed=share <= limit,
        summary=f"{quarantined} of {rows_in} rows are in quarantine ({share:.3%}); up to {limit:.3%} is normal",
        counts={
            "rows_in": rows_in,
            "quarantined": quarantined,
            "share": float(share),
            "earlier_share": float(before),
            "earlier_days": len(earlier),
        },
        next_step="look at archive/quarantined_rows by rule_code: one rule may have begun to refuse good rows",
    )


def _batches(files: Sequence[Path], columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    import pyarrow.parquet as pq

    for file in files:
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches(batch_size=BATCH_ROWS, columns=list(columns))


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file that the job wrote into the archive bucket."""

    key: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TransformRecord:
    """What the newest transform run of a batch recorded in `_RUN.json`."""

    source: str
    dt: date
    batch_id: str
    transform_id: str
    transformed_at: str
    job_run_id: str
    counts: dict[str, Any]
    nulled: dict[str, int]
    files: dict[str, tuple[ArchiveFile, ...]]
    rows: dict[str, int]
    seconds: float

    @classmethod
    def from_json(cls, text: str | bytes) -> "TransformRecord":
        """Reads a `_RUN.json`. Raises KeyError, TypeError or ValueError where it is not one."""
        record = json.loads(text)
        tables = record["tables"]
        return cls(
            source=record["source"],
            dt=date.fromisoformat(record["dt"]),
            batch_id=record["batch_id"],
            transform_id=record["transform_id"],
            transformed_at=record["transformed_at"],
            job_run_id=record["job_run_id"],
            counts=record["counts"],
            nulled={name: int(count) for name, count in record["nulled"].items()},
            files={
                name: tuple(ArchiveFile(f["key"], int(f["rows"]), int(f["bytes"])) for f in table["files"])
                for name, table in tables.items()
            },
            rows={name: int(table["rows"]) for name, table in tables.items()},
            seconds=float(record["seconds"]),
        )


EARLIER_DAYS = 7


def reconcile(record: TransformRecord, rows: dict[str, int]) -> Finding:
    """Whether every row that went in came out once: as a film, in quarantine, or as an exact duplicate.

    `rows` are those counted in the files; the record is what the job says it did.
    """
    rows_in = int(record.counts["rows_in"])
    duplicates = int(record.counts["exact_duplicates"])
    movies, quarantined = rows[MOVIES.name], rows[QUARANTINED_ROWS.name]
    unaccounted = rows_in - movies - quarantined - duplicates
    differing = [
        {"table": name, "recorded": record.rows[name], "counted": counted}
        for name, counted in rows.items()
        if record.rows[name] != counted
    ]
    return Finding(
        passed=unaccounted == 0 and not differing,
        summary=(
            f"{rows_in} rows in = {movies} films + {quarantined} quarantined + {duplicates} duplicates"
            + (f", {unaccounted} unaccounted for" if unaccounted else "")
            + (f"; {len(differing)} tables hold other numbers of rows than recorded" if differing else "")
        ),
        counts={
            "rows_in": rows_in,
            "movies": movies,
            "quarantined": quarantined,
            "exact_duplicates": duplicates,
            "unaccounted": unaccounted,
        },
        offenders=differing,
        next_step="files of the version are missing or were changed: delete its _RUN.json and transform it again",
    )


class LazyModule:
    """A module that is imported when it is first used: this file is read far more often than a check runs."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


pa, pacsv, pc, pq = map(LazyModule, ("pyarrow", "pyarrow.csv", "pyarrow.compute", "pyarrow.parquet"))

_CHUNK_ROWS = 10_000
_BLOCK_BYTES = 1024 * 1024
# A row must fit into one block of the reader; rows longer than the usual block are rare enough to start
# again.
_LARGEST_BLOCK_BYTES = 64 * 1024 * 1024
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. `row` counts from 0, the header left out; long values are cut."""

    row: int
    column: str
    csv: str | None
    parquet: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the comparison of one part found. `sample` holds the first differences."""

    csv_rows: int
    parquet_rows: int
    csv_columns: tuple[str, ...]
    parquet_columns: tuple[str, ...]
    differing_values: int
    sample: tuple[Difference, ...]

    @property
    def agree(self) -> bool:
        """Whether both files hold the same rows in the same order."""
        return (
            self.csv_rows == self.parquet_rows
            and self.csv_columns == self.parquet_columns
            and self.differing_values == 0
        )


def compare_csv_with_parquet(csv_path: Path, parquet_path: Path, *, sample_size: int = 20) -> Comparison:
    """Compares two files row by row; pyarrow.ArrowInvalid where one of them cannot be read."""
    try:
        return _compare(csv_path, parquet_path, sample_size, _BLOCK_BYTES)
    except pa.ArrowInvalid:
        return _compare(csv_path, parquet_path, sample_size, _LARGEST_BLOCK_BYTES)


def _compare(csv_path: Path, parquet_path: Path, sample_size: int, block_bytes: int) -> Comparison:
    with pq.ParquetFile(parquet_path, pre_buffer=False) as parquet:
        parquet_columns = tuple(parquet.schema_arrow.names)
        with _open_csv(csv_path, parquet_columns, block_bytes) as reader:
            csv_columns = tuple(reader.schema.names)
            if csv_columns != parquet_columns:
                rows = sum(batch.num_rows for batch in reader)
                return Comparison(rows, parquet.metadata.num_rows, csv_columns, parquet_columns, 0, ())
            row = 0
            differing = 0
            sample: list[Difference] = []
            csv_batches = _Aligned(iter(reader))
            parquet_batches = _Aligned(parquet.iter_batches(batch_size=_CHUNK_ROWS))
            while (count := min(csv_batches.available(), parquet_batches.available())) > 0:
                one, other = csv_batches.take(count), parquet_batches.take(count)
                for name in csv_columns:
                    found = _differences(one.column(name), other.column(name))
                    differing += len(found)
                    sample += [
                        Difference(row + index, name, _shown(one, name, index), _shown(other, name, index))
                        for index in found[: max(0, sample_size - len(sample))]
                    ]
                row += count
            return Comparison(
                row + csv_batches.drain(),
                row + parquet_batches.drain(),
                csv_columns,
                parquet_columns,
                differing,
                tuple(sample),
            )


def _open_csv(path: Path, columns: tuple[str, ...], block_bytes: int) -> pacsv.CSVStreamingReader:
    return pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(block_size=block_bytes, use_threads=False),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in columns}, strings_can_be_null=False
        ),
    )


class _Aligned:
    """Batches of one reader, handed out in the sizes that suit both."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._current: pa.RecordBatch | None = None

    def available(self) -> int:
        while self._current is None or self._current.num_rows == 0:
            self._current = next(self._batches, None)
            if self._current is None:
                return 0
        return self._current.num_rows

    def take(self, count: int) -> pa.RecordBatch:
        assert self._current is not None
        taken = self._current.slice(0, count)
        self._current = self._current.slice(count)
        return taken

    def drain(self) -> int:
        rows = 0
        while (count := self.available()) > 0:
            self.take(count)
            rows += count
        return rows


def _differences(one: pa.Array, other: pa.Array) -> list[int]:
    if one.type != pa.string() or other.type != pa.string():
        one, other = one.cast(pa.string()), other.cast(pa.string())
    equal = pc.equal(pc.fill_null(one, ""), pc.fill_null(other, ""))
    if pc.all(equal).as_py() is not False:
        return []
    doubtful = pc.indices_nonzero(pc.invert(equal))
    same = pc.equal(_normalised(one.take(doubtful)), _normalised(other.take(doubtful)))
    return doubtful.filter(pc.invert(same)).to_pylist()


def _normalised(values: pa.Array) -> pa.Array:
    filled = pc.fill_null(values, "")
    return pc.replace_substring(pc.replace_substring(filled, "\r\n", "\n"), "\r", "\n")


def _shown(batch: pa.RecordBatch, column: str, index: int) -> str | None:
    value = batch.column(column)[index].as_py()
    return value if value is None or len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"


# The tables of the archive, as far as their checks need them: one line a column (name, type, null, range).
ARCHIVE_TABLES = (
    Table(
        name="movies",
        description="",
        primary_key=("source", "dt", "batch_id", "transform_id", "movie_id"),
        snowflake_schema="RAW",
        columns=(
            Column("source", "string", "", nullable=False),
            Column("dt", "date", "", nullable=False),
            Column("batch_id", "string", "", nullable=False),
            Column("transform_id", "string", "", nullable=False),
            Column("movie_id", "string", "", nullable=False),
            Column("imdb_id", "string", ""),
            Column("title", "string", "", nullable=False),
            Column("original_title", "string", ""),
            Column("title_sort_key", "string", ""),
            Column("type", "string", ""),
            Column("year", "int", "", minimum=Decimal("1870"), maximum=Decimal("2100")),
            Column("year_end", "int", "", minimum=Decimal("1870"), maximum=Decimal("2100")),
            Column("release_date", "date", ""),
            Column("release_date_precision", "string", ""),
            Column("release_quarter", "int", "", minimum=Decimal("1"), maximum=Decimal("4")),
            Column("decade", "int", ""),
            Column("runtime_minutes", "int", "", minimum=Decimal("1"), maximum=Decimal("60000")),
            Column("primary_genre", "string", ""),
            Column("languages", "string", ""),
            Column("countries", "string", ""),
            Column("production_companies", "string", ""),
            Column("certification", "string", ""),
            Column("overview", "string", ""),
            Column("awards", "string", ""),
            Column("budget", "decimal(18,2)", "", minimum=Decimal("0")),
            Column("box_office", "decimal(18,2)", "", minimum=Decimal("0")),
            Column("profit", "decimal(18,2)", ""),
            Column("return_on_investment", "decimal(18,4)", ""),
            Column("average_rating", "decimal(5,2)", "", minimum=Decimal("0"), maximum=Decimal("100")),
            Column("rating_band", "string", ""),
            Column("popularity", "decimal(18,4)", "", minimum=Decimal("0")),
            Column("homepage", "string", ""),
            Column("poster_url", "string", ""),
            Column("updated_at", "timestamp", ""),
            Column("extra", "string", ""),
            Column("row_hash", "string", "", nullable=False),
            Column("tracked_hash", "string", "", nullable=False),
        ),
    ),
    Table(
        name="movie_ratings",
        description="",
        primary_key=("source", "dt", "batch_id", "transform_id", "movie_id", "provider"),
        snowflake_schema="RAW",
        columns=(
            Column("source", "string", "", nullable=False),
            Column("dt", "date", "", nullable=False),
            Column("batch_id", "string", "", nullable=False),
            Column("transform_id", "string", "", nullable=False),
            Column("movie_id", "string", "", nullable=False),
            Column("provider", "string", "", nullable=False),
            Column("rating", "decimal(5,2)", "", minimum=Decimal("0"), maximum=Decimal("100")),
            Column("votes", "bigint", "", minimum=Decimal("0")),
            Column("row_hash", "string", "", nullable=False),
        ),
    ),
    Table(
        name="movie_genres",
        description="",
        primary_key=("source", "dt", "batch_id", "transform_id", "movie_id", "genre"),
        snowflake_schema="RAW",
        columns=(
            Column("source", "string", "", nullable=False),
            Column("dt", "date", "", nullable=False),
            Column("batch_id", "string", "", nullable=False),
            Column("transform_id", "string", "", nullable=False),
            Column("movie_id", "string", "", nullable=False),
            Column("genre", "string", "", nullable=False),
            Column("position", "int", "", nullable=False, minimum=Decimal("1")),
            Column("row_hash", "string", "", nullable=False),
        ),
    ),
    Table(
        name="movie_people",
        description="",
        primary_key=("source", "dt", "batch_id", "transform_id", "movie_id", "role", "person"),
        snowflake_schema="RAW",
        columns=(
            Column("source", "string", "", nullable=False),
            Column("dt", "date", "", nullable=False),
            Column("batch_id", "string", "", nullable=False),
            Column("transform_id", "string", "", nullable=False),
            Column("movie_id", "string", "", nullable=False),
            Column("role", "string", "", nullable=False),
            Column("person", "string", "", nullable=False),
            Column("position", "int", "", nullable=False, minimum=Decimal("1")),
            Column("row_hash", "string", "", nullable=False),
        ),
    ),
    Table(
        name="quarantined_rows",
        description="",
        primary_key=("source", "dt", "batch_id", "transform_id", "row_hash", "occurrence"),
        snowflake_schema="OPS",
        columns=(
            Column("source", "string", "", nullable=False),
            Column("dt", "date", "", nullable=False),
            Column("batch_id", "string", "", nullable=False),
            Column("transform_id", "string", "", nullable=False),
            Column("movie_id", "string", ""),
            Column("rule_code", "string", "", nullable=False),
            Column("message", "string", "", nullable=False),
            Column("origin", "string", "", nullable=False),
            Column("line_number", "bigint", ""),
            Column("raw_row", "string", "", nullable=False),
            Column("occurrence", "int", "", nullable=False, minimum=Decimal("1")),
            Column("row_hash", "string", "", nullable=False),
        ),
    ),
    Table(
        name="batches",
        description="",
        primary_key=("source", "dt", "batch_id", "transform_id", "announcement"),
        snowflake_schema="RAW",
        columns=(
            Column("source", "string", "", nullable=False),
            Column("dt", "date", "", nullable=False),
            Column("batch_id", "string", "", nullable=False),
            Column("transform_id", "string", "", nullable=False),
            Column("announcement", "int", "", nullable=False, minimum=Decimal("0")),
            Column("transformed_at", "timestamp", "", nullable=False),
            Column("load_type", "string", "", nullable=False),
            Column("extracted_at", "timestamp", "", nullable=False),
            Column("content_id", "string", "", nullable=False),
            Column("rows_in", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("exact_duplicates", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("movies_rows", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("movies_files", "int", "", nullable=False, minimum=Decimal("0")),
            Column("movie_ratings_rows", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("movie_ratings_files", "int", "", nullable=False, minimum=Decimal("0")),
            Column("movie_genres_rows", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("movie_genres_files", "int", "", nullable=False, minimum=Decimal("0")),
            Column("movie_people_rows", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("movie_people_files", "int", "", nullable=False, minimum=Decimal("0")),
            Column("quarantined_rows_rows", "bigint", "", nullable=False, minimum=Decimal("0")),
            Column("quarantined_rows_files", "int", "", nullable=False, minimum=Decimal("0")),
            Column("keyless_quarantined_rows", "bigint", "", nullable=False, minimum=Decimal("0")),
        ),
    ),
)
MOVIES, QUARANTINED_ROWS = (
    next(table for table in ARCHIVE_TABLES if table.name == name) for name in ("movies", "quarantined_rows")
)
FILE_CHECKS = {"keys_are_unique": keys_are_unique, "values_in_range": values_in_range}
# The checks of each table's files, and whether they are blocking.
CHECKS_OF_FILES: dict[str, dict[str, bool]] = {
    "archive/batches": {"keys_are_unique": True, "values_in_range": True},
    "archive/movie_genres": {"keys_are_unique": True, "values_in_range": True},
    "archive/movie_people": {"keys_are_unique": True, "values_in_range": True},
    "archive/movie_ratings": {"keys_are_unique": True, "values_in_range": True},
    "archive/movies": {"keys_are_unique": True, "values_in_range": True},
    "archive/quarantined_rows": {"keys_are_unique": True, "values_in_range": True},
}


def s3() -> Any:
    """A client of S3."""
    return S3Hook(aws_conn_id=AWS_CONNECTION).get_conn()


@contextmanager
def fetched(bucket: str, keys: Iterable[str]) -> Iterator[list[Path]]:
    """Objects as files on disk, for as long as the block lasts."""
    client = s3()
    with tempfile.TemporaryDirectory(prefix="movie-platform-", ignore_cleanup_errors=True) as folder:
        paths = []
        for number, key in enumerate(keys):
            path = Path(folder) / f"{number:05d}-{key.rsplit('/', 1)[-1]}"
            client.download_file(bucket, key, str(path))
            paths.append(path)
        yield paths


def hold(findings: Sequence[tuple[str, str, bool, Finding]]) -> dict[str, str]:
    """The summary of each (asset, check, blocking, finding). Raises CheckFailedError where a blocking one fails."""
    for asset, check, blocking, finding in findings:
        state = "holds" if finding.passed else "FAILS" if blocking else "fails, a warning"
        print(f"{asset}:{check} {state}: {finding.summary}")
        for offender in finding.offenders[:SAMPLE_ROWS]:
            print(f"  {dict(offender)}")
    failed = [found for found in findings if found[2] and not found[3].passed]
    if failed:
        raise CheckFailedError(
            "; ".join(f"{asset}:{check}: {finding.summary}" for asset, check, _, finding in failed)
            + f"; next: {failed[0][3].next_step}"
        )
    return {f"{asset}:{check}": finding.summary for asset, check, _, finding in findings}


def arrivals_of_event(extra: Mapping[str, Any]) -> tuple[list[Arrival], list[Unusable]]:
    """The bundles that an event of the landing asset is about: the extract's own, or S3's messages of the watcher."""
    if not extra.get("from_trigger"):
        try:
            size = int(extra.get("bytes", 0))
            found = arrival_of_object(extra["bucket"], extra["key"], extra["etag"], size)
        except KeyError as error:
            found = Unusable(f"an event without {error}, and not of the watcher")
        return ([found], []) if isinstance(found, Arrival) else ([], [found])
    arrivals: list[Arrival] = []
    unusable: list[Unusable] = []
    for message in extra.get("payload", {}).get("message_batch", ()):
        here, there = arrivals_of_message(message["Body"])
        arrivals += here
        unusable += there
    return arrivals, unusable


def new_arrivals(events: Sequence[Any], every: Iterable[Any]) -> list[Arrival]:
    """The bundles of a run's events that no earlier event was about: each bundle is announced by more than one.

    The extract tells of the bundle that it lands, and so does S3; whoever comes first is listened to.
    """
    first: dict[tuple[str, str], datetime] = {}
    for event in (*every, *events):
        for arrival in arrivals_of_event(event.extra)[0]:
            about = (arrival.key, arrival.etag)
            first[about] = min(first.get(about, event.timestamp), event.timestamp)
    found: list[Arrival] = []
    for event in events:
        arrivals, unusable = arrivals_of_event(event.extra)
        for other in unusable:
            print(f"passed over: {other.key or 'a message'}: {other.reason}")
        found += [a for a in arrivals if first[a.key, a.etag] >= event.timestamp]
    return distinct(found)


def arrival_asked_for(uri: str) -> Arrival:
    """The bundle that a person names as s3://bucket/key. Raises AirflowFailException where it cannot be one."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    found = arrival_of_object(bucket, key, "", 0)
    if isinstance(found, Unusable):
        raise AirflowFailException(f"{uri}: {found.reason}")
    return found


def answer_of(payload: str) -> dict[str, Any]:
    """What the function says of one bundle. Raises where it was refused: to Airflow a refusal is a success."""
    answer = json.loads(payload)["results"][0]
    if answer["status"] == "verified":
        return answer
    reason = answer.get("reason") or {}
    text = f"{answer['key']} was {answer['status']} ({reason.get('code')}): {reason.get('message')}"
    if answer["status"] == "quarantined":
        # The function tells of what it puts into quarantine.
        raise ToldAlreadyError(f"{text}; it is kept under {answer['quarantine_prefix']}")
    raise AirflowFailException(text)


def verified_by_function(answer: Mapping[str, Any]) -> Finding:
    """What the function established before it published, by the same rules as the check."""
    summary = f"verified by the function: {answer['rows']} rows, {len(answer['files'])} files"
    return Finding(passed=True, summary=summary)


def missing_files(answer: Mapping[str, Any], bucket: str) -> Finding:
    """Whether the published files are there, with the sizes that the function's answer has."""
    client = s3()
    faults = []
    for file in answer["files"]:
        size = client.head_object(Bucket=bucket, Key=file["key"])["ContentLength"]
        if size != file["bytes"]:
            faults.append({"file": file["key"], "bytes": size, "verified_bytes": file["bytes"]})
    return Finding(
        passed=not faults,
        summary=f"{len(answer['files'])} files, {len(faults)} of another size than verified",
        offenders=faults,
        next_step="somebody wrote to the processed bucket: have the producer send the bundle again",
    )


def csv_and_parquet(answer: Mapping[str, Any], bucket: str) -> Finding:
    """Whether the CSV and the Parquet file of each part hold the same rows."""
    parts: dict[int, dict[str, str]] = {}
    for file in answer["files"]:
        if file["part"] is not None:
            parts.setdefault(file["part"], {})[file["format"]] = file["key"]
    pairs = [(part["csv"], part["parquet"]) for part in parts.values() if {"csv", "parquet"} <= part.keys()]
    faults = []
    rows = 0
    for csv_key, parquet_key in pairs:
        with fetched(bucket, (csv_key, parquet_key)) as (csv_path, parquet_path):
            found = compare_csv_with_parquet(csv_path, parquet_path)
        rows += found.csv_rows
        if not found.agree:
            faults.append({"file": csv_key, "csv_rows": found.csv_rows, "parquet_rows": found.parquet_rows})
            faults += [
                {"row": one.row, "column": one.column, "csv": one.csv, "parquet": one.parquet}
                for one in found.sample
            ]
    return Finding(
        passed=not faults,
        summary=f"{rows} rows in {len(pairs)} parts compared, {len(faults)} faults",
        offenders=faults,
        next_step="the producer's two writers disagree: docs/bundle-format.md says how they are compared",
    )


def records_under(bucket: str, prefix: str) -> list[tuple[str, TransformRecord]]:
    """Key and content of each record that a transform run wrote last, oldest run first."""
    client = s3()
    found: list[tuple[str, TransformRecord]] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            if entry["Key"].endswith("/_RUN.json"):
                body = client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                found.append((entry["Key"], TransformRecord.from_json(body)))
    return sorted(found, key=lambda one: one[1].transformed_at)


def read_record(uri: str) -> TransformRecord:
    """The record at an address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return TransformRecord.from_json(s3().get_object(Bucket=bucket, Key=key)["Body"].read())


def earlier_counts(bucket: str, record: TransformRecord) -> list[tuple[int, int]]:
    """(rows in, quarantined) of the newest transforms of up to seven days before a batch's, the latest day first."""
    prefix = f"_runs/source={record.source}/"
    days: list[str] = []
    for page in s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
        days += [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
    before = [day for day in sorted(days, reverse=True) if day < f"{prefix}dt={record.dt.isoformat()}/"]
    newest = (records_under(bucket, day) for day in before[:EARLIER_DAYS])
    return [
        (int(found[-1][1].counts["rows_in"]), found[-1][1].rows["quarantined_rows"])
        for found in newest
        if found
    ]


class TransformJobOperator(GlueJobOperator):
    """Runs the job; a run that ends badly fails the task for good, with the end of its log.

    What keeps a run from starting heals and is tried again; a run that failed would fail again.
    """

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> str:
        """Called when the job run is over."""
        try:
            return super().execute_complete(context, event)
        except AirflowException as error:
            run_id = str((event or {}).get("run_id"))
            raise AirflowFailException(f"{error}\n{self._log_tail(run_id)}") from error

    def _log_tail(self, run_id: str) -> str:
        logs = AwsLogsHook(aws_conn_id=AWS_CONNECTION).get_conn()
        lines: list[str] = []
        for group in ("/aws-glue/jobs/error", "/aws-glue/jobs/output"):
            try:
                page = logs.get_log_events(
                    logGroupName=group, logStreamName=run_id, limit=20, startFromHead=False
                )
            except logs.exceptions.ResourceNotFoundException:
                continue
            lines += [event["message"].rstrip() for event in page["events"]]
        return "\n".join(lines[-20:])


with DAG(
    dag_id="movie_transform",
    description="Verifies and unpacks bundles that landed, whoever dropped them, and transforms them into the archive.",
    schedule=[ASSETS[LANDING]],
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    max_active_runs=4,
    deadline=DEADLINE,
    dagrun_timeout=timedelta(seconds=14400),
    on_failure_callback=tell_of_run,
    default_args={"owner": "team:data-platform", "on_failure_callback": tell_of_task},
    tags=["movies", "archive", "processed"],
    doc_md="""Runs for each bundle that landed: the extract's, and what others drop. A bundle that is refused stops alone; those beside it go on.

| asset | what it is | made with | owners |
|---|---|---|---|
| archive/batches | Announcements: a row says that a version of a batch is whole and what belongs to it. | glue, parquet, s3, spark | team:data-platform |
| archive/movie_genres | Genres: a row a film and genre, each genre once a film. | glue, parquet, s3, spark | team:data-platform |
| archive/movie_people | People: a row a film, role and person, each person once a role. | glue, parquet, s3, spark | team:data-platform |
| archive/movie_ratings | Ratings: a row a film and provider. | glue, parquet, s3, spark | team:data-platform |
| archive/movies | Films, cleansed and enriched: a row a film and version of a batch. | glue, parquet, s3, spark | team:data-platform |
| archive/quarantined_rows | Rows that broke a rule of the contract or that the reader could not make a row of. | glue, parquet, s3, spark | team:data-platform |
| processed/unzipped_files | The files of a bundle, verified and unpacked by AWS Lambda into the processed bucket. A bundle that breaks a rule of the format goes to quarantine instead, and nothing of it is published. | csv, lambda, parquet, s3 | team:data-platform |
""",
    params={
        "bundle": Param(
            "",
            type="string",
            pattern="^(s3://.+/movies/source=.+/dt=.+/.+[.]zip)?$",
            description="A bundle to process, s3://bucket/key; by default what the events name.",
        ),
    },
):

    @task(task_id="collect_bundles", inlets=[ASSETS[LANDING]])
    def collect_bundles(*, params=None, triggering_asset_events=None, inlet_events=None) -> list[dict]:
        """The bundles of this run, each once, as arguments of what processes one."""
        if params["bundle"]:
            arrivals = [arrival_asked_for(params["bundle"])]
        else:
            events = list(triggering_asset_events.get(ASSETS[LANDING], ()))
            every = inlet_events[ASSETS[LANDING]]
            if hasattr(every, "after"):  # Airflow 3.2 and later: no need to look at all that ever happened
                every = every.after((datetime.now(UTC) - timedelta(days=DAYS_OF_EVENTS)).isoformat())
            arrivals = new_arrivals(events, every)
        if not arrivals:
            raise AirflowSkipException("no bundle that another run has not taken: nothing to do")
        return [
            {
                "uri": f"s3://{arrival.bucket}/{arrival.key}",
                "payload": json.dumps(
                    {
                        "bucket": arrival.bucket,
                        "key": arrival.key,
                        **({"etag": arrival.etag} if arrival.etag else {}),
                    }
                ),
            }
            for arrival in arrivals
        ]

    @task_group(group_id="bundle")
    def process_bundle(uri, payload):
        """One bundle; those beside it do not wait for it and do not stop with it."""
        bundle_is_there = S3KeySensor(
            task_id="bundle_is_there",
            doc_md="The very object that this run is about, by its whole key: never an earlier day's.",
            bucket_key=uri,
            deferrable=True,
            poke_interval=30,
            timeout=timedelta(hours=6).total_seconds(),
            aws_conn_id=AWS_CONNECTION,
        )

        processed__unzipped_files = LambdaInvokeFunctionOperator(
            task_id="processed__unzipped_files",
            doc_md="processed/unzipped_files: The files of a bundle, verified and unpacked by AWS Lambda into the processed bucket. A bundle that breaks a rule of the format goes to quarantine instead, and nothing of it is published.",
            function_name="{{ var.json.movie_platform.unpack_function }}",
            payload=payload,
            log_type="Tail",
            # The function is given time to answer, and is called once: botocore would call it again after a minute.
            botocore_config={"read_timeout": 930, "retries": {"max_attempts": 0}},
            aws_conn_id=AWS_CONNECTION,
            inlets=[ASSETS["landing/zipped_bundle"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
        )

        @task(
            task_id="unzipped_files_checks",
            inlets=[ASSETS["landing/zipped_bundle"]],
            outlets=[ASSETS["processed/unzipped_files"]],
        )
        def unzipped_files_checks(payload, *, outlet_events=None) -> str:
            """Fails where the function refused the bundle, or where what it published is not what it verified."""
            answer = answer_of(payload)
            bucket = setting("processed_bucket")
            hold(
                [
                    (
                        "processed/unzipped_files",
                        "columns_match_contract",
                        True,
                        verified_by_function(answer),
                    ),
                    (
                        "processed/unzipped_files",
                        "csv_and_parquet_agree",
                        True,
                        csv_and_parquet(answer, bucket),
                    ),
                    (
                        "processed/unzipped_files",
                        "files_match_manifest",
                        True,
                        missing_files(answer, bucket),
                    ),
                    (
                        "processed/unzipped_files",
                        "manifest_is_valid",
                        True,
                        verified_by_function(answer),
                    ),
                    (
                        "processed/unzipped_files",
                        "row_counts_match_manifest",
                        True,
                        verified_by_function(answer),
                    ),
                ]
            )
            verified = f"s3://{bucket}/{answer['verified_key']}"
            extra = {name: answer[name] for name in ("source", "dt", "batch_id", "rows", "rejected", "bytes")}
            for key in ("processed/unzipped_files",):
                outlet_events[ASSETS[key]].extra = {**extra, "verified": verified}
            return verified

        verified = unzipped_files_checks(processed__unzipped_files.output)

        archive_tables = TransformJobOperator(
            task_id="archive_tables",
            doc_md="archive/batches: Announcements: a row says that a version of a batch is whole and what belongs to it. archive/movie_genres: Genres: a row a film and genre, each genre once a film. archive/movie_people: People: a row a film, role and person, each person once a role. archive/movie_ratings: Ratings: a row a film and provider. archive/movies: Films, cleansed and enriched: a row a film and version of a batch. archive/quarantined_rows: Rows that broke a rule of the contract or that the reader could not make a row of.",
            job_name="{{ var.json.movie_platform.transform_job }}",
            script_args={"--verified_uri": verified},
            run_job_kwargs={"Timeout": 60},
            deferrable=True,
            waiter_delay=10,
            waiter_max_attempts=420,
            stop_job_run_on_kill=True,
            aws_conn_id=AWS_CONNECTION,
            inlets=[ASSETS["processed/unzipped_files"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="glue",
        )

        @task(task_id="transform_record")
        def transform_record(payload) -> str:
            """Address of the record that the job wrote last: which version it made, and its files."""
            answer = answer_of(payload)
            bucket = setting("archive_bucket")
            prefix = run_prefix(answer["source"], date.fromisoformat(answer["dt"]), answer["batch_id"])
            records = records_under(bucket, prefix)
            if not records:
                raise AirflowFailException(
                    f"no record under s3://{bucket}/{prefix}: the deployed script may be of another version"
                )
            return f"s3://{bucket}/{records[-1][0]}"

        @task(task_id="catalog")
        def catalog(record_uri) -> list[str]:
            """Fails where a table that got files has no partition of this version in the Data Catalog."""
            record = read_record(record_uri)
            version = version_name(record.batch_id, record.transform_id)
            hook = GlueCatalogHook(aws_conn_id=AWS_CONNECTION)
            database = setting("catalog_database")
            values = [record.source, record.dt.isoformat(), version]
            tables = sorted(name for name, files in record.files.items() if files)
            missing = [name for name in tables if not hook.get_partition(database, name, values)]
            if missing:
                raise AirflowFailException(
                    f"{', '.join(missing)}: no partition {'/'.join(values)} in the catalog's database {database};"
                    " the job adds them, so look at its log and run it again"
                )
            return tables

        @task(
            task_id="archive_checks",
            inlets=[ASSETS["processed/unzipped_files"]],
            outlets=[
                ASSETS["archive/batches"],
                ASSETS["archive/movie_genres"],
                ASSETS["archive/movie_people"],
                ASSETS["archive/movie_ratings"],
                ASSETS["archive/movies"],
                ASSETS["archive/quarantined_rows"],
            ],
        )
        def archive_checks(record_uri, *, outlet_events=None) -> dict:
            """The checks of the archive's files, then the events of its tables."""
            record = read_record(record_uri)
            bucket = setting("archive_bucket")
            findings = []
            rows: dict[str, int] = {}
            for table in ARCHIVE_TABLES:
                asset = f"archive/{table.name}"
                with fetched(bucket, [file.key for file in record.files[table.name]]) as files:
                    rows[table.name] = count_rows(files)
                    for check, blocking in CHECKS_OF_FILES.get(asset, {}).items():
                        findings.append((asset, check, blocking, FILE_CHECKS[check](table, files)))
            rows_in, quarantined = int(record.counts["rows_in"]), rows["quarantined_rows"]
            findings += [
                (
                    "archive/movies",
                    "rows_reconcile",
                    True,
                    reconcile(record, rows),
                ),
                (
                    "archive/quarantined_rows",
                    "quarantine_rate_is_normal",
                    False,
                    quarantine_rate(rows_in, quarantined, earlier_counts(bucket, record)),
                ),
            ]
            summary = hold(findings)
            told = {
                "record": record_uri,
                "source": record.source,
                "dt": record.dt.isoformat(),
                "batch_id": record.batch_id,
                "transform_id": record.transform_id,
                "rows_in": rows_in,
                "quarantined": quarantined,
            }
            for table in ARCHIVE_TABLES:
                outlet_events[ASSETS[f"archive/{table.name}"]].extra = {**told, "rows": rows[table.name]}
            return summary

        record = transform_record(processed__unzipped_files.output)
        bundle_is_there >> processed__unzipped_files
        archive_tables >> record
        catalog(record) >> archive_checks(record)

    process_bundle.expand_kwargs(collect_bundles())
