"""From the archive to the marts: waits for Snowpipe, checks, runs the task graph, checks again.

Written by `movie-platform export airflow` from the asset graph: change the graph or the templates, not this file.
Needs Airflow 3.1 or later with the amazon and snowflake providers; deploy/airflow/README.md says how to run it.

Form and templates: 253600523138d16145573d919e2399e5433606040c587636fb4f8c930820ab4a

Not carried over, or carried otherwise:
- column schemas and column lineage: Airflow knows assets, not their columns
- sensor bundle_arrival_sensor: an AssetWatcher on the same queue emits the landing asset; it takes messages
  off the queue before they are worked on, and attempts are Airflow's retries instead of counted runs
- sensor freshness_alerts: deadlines of runs and the watchdog send the same message
- sensor run_failure_alerts: failure callbacks of tasks and DAGs send the same message
- files that no event has brought are asked for at once instead of after a minute
- partitions: a run is about the batches that its events name, whatever their dates
- jitter of retries: Airflow's back-off has its own
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook
from airflow.sdk import DAG, Asset, Context, Param, PokeReturnValue, Variable, task, task_group
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

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
            "subject": "Movie Platform: a run of movie_load is late",
            "message": json.dumps(
                {
                    "kind": "freshness_failed",
                    "what": "A run of movie_load has not ended 12 hours after it was queued",
                    "why": "Its tables will be older than their freshness policy allows.",
                    "where": "Airflow run {{ dag_run.dag_run_id }}",
                    "next": "Open the run in Airflow and see which task it waits for.",
                }
            ),
            "message_attributes": {"kind": "freshness_failed"},
        },
    ),
)

ASSETS = {
    key: Asset(name=key, uri=f"x-movie-platform://{key}")
    for key in [
        "archive/batches",
        "archive/movie_genres",
        "archive/movie_people",
        "archive/movie_ratings",
        "archive/movies",
        "archive/quarantined_rows",
        "snowflake/ops/quarantined_rows",
        "snowflake/raw/batches",
        "snowflake/raw/movie_genres",
        "snowflake/raw/movie_people",
        "snowflake/raw/movie_ratings",
        "snowflake/raw/movies",
    ]
}
ARCHIVE = [
    "archive/batches",
    "archive/movie_genres",
    "archive/movie_people",
    "archive/movie_ratings",
    "archive/movies",
    "archive/quarantined_rows",
]
LOADED_TABLES = [
    "OPS.QUARANTINED_ROWS",
    "RAW.BATCHES",
    "RAW.MOVIE_GENRES",
    "RAW.MOVIE_PEOPLE",
    "RAW.MOVIE_RATINGS",
    "RAW.MOVIES",
]


# Sessions with Snowflake.

WAREHOUSE_CONNECTION = "snowflake_default"
FETCH_ROWS = 10_000
BindValues = Sequence[Any] | dict[str, Any]


class WarehouseHook(SnowflakeHook):
    """The provider's hook, with what it does not pass on: the connection's `protocol`, and bounds of waiting."""

    def __init__(self, *, query_tag: str, **arguments: Any) -> None:
        super().__init__(snowflake_conn_id=WAREHOUSE_CONNECTION, **arguments)
        self.query_tag = query_tag

    def get_conn(self) -> Any:
        """A session in UTC, marked with what it is for."""
        from snowflake.connector import connect

        extra = self.get_connection(WAREHOUSE_CONNECTION).extra_dejson
        parameters = self._get_conn_params()
        return connect(
            **{
                **parameters,
                "protocol": extra.get("protocol", "https"),
                "login_timeout": 30,
                "network_timeout": 120,
                "session_parameters": {
                    **(parameters.get("session_parameters") or {}),
                    "QUERY_TAG": self.query_tag,
                    "TIMEZONE": "UTC",
                },
            }
        )


@contextmanager
def warehouse(purpose: str, role: str | None = None) -> Iterator[Any]:
    """A session, closed at the end of the block; `role` instead of the connection's where it is given."""
    hook = WarehouseHook(query_tag=f"movie_platform airflow {purpose}", **({"role": role} if role else {}))
    with closing(hook.get_conn()) as connection:
        yield connection


def query_rows(
    connection: "SnowflakeConnection", sql: str, values: BindValues | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of a query as dictionaries by lower-case column name, fetched in chunks.

    `values` are bound to `%s` or `%(name)s`. The statement runs when the first row is asked for; errors are
    the connector's own.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name.lower() for column in cursor.description or ()]
        while rows := cursor.fetchmany(FETCH_ROWS):
            for row in rows:
                yield dict(zip(names, row, strict=True))


# Keys of the archive, and the record of a transform.


def version_name(batch_id: str, transform_id: str) -> str:
    """Name of a version of a batch: what file names in the archive are made of."""
    return f"{batch_id}-{transform_id[:12]}"


def archive_prefix(table: str, source: str, dt: date, version: str) -> str:
    """Prefix, in the archive bucket, of one table's files of one version."""
    return f"{table}/source={source}/dt={dt.isoformat()}/version={version}/"


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


# Loading: which statements are asked, and what the answers mean.

# COPY INTO takes a list of at most 1,000 files
# (https://docs.snowflake.com/en/sql-reference/sql/copy-into-table).
FILES_A_COPY = 1000
# Bind the table's name: COPY_HISTORY goes back 14 days.
HISTORY_STATEMENT = (
    "SELECT file_name, status, row_count, first_error_message FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY("
    "TABLE_NAME => %s, START_TIME => DATEADD(day, -13, CURRENT_TIMESTAMP()))) ORDER BY last_load_time"
)


def rows_statement(table: str, files: int) -> str:
    """Counts the rows of each of `files` files, which are to be bound; `table` is SCHEMA.TABLE."""
    marks = ", ".join(["%s"] * files)
    return (
        f"SELECT file_name, COUNT(*) AS row_total FROM {table}"  # noqa: S608 - a constant of the contracts
        f" WHERE file_name IN ({marks}) GROUP BY file_name"
    )


def refresh_statement(table: str) -> str:
    """Asks the table's pipe for the files below a prefix, which is to be bound."""
    return f"ALTER PIPE {table}_PIPE REFRESH PREFIX = %s"


def copy_statement(table: str, files: int) -> str:
    """Loads `files` files, whose keys are to be bound, as the pipe would; for files too old for its REFRESH."""
    marks = ", ".join(["%s"] * files)
    return (
        f"COPY INTO {table} FROM @RAW.ARCHIVE_STAGE FILES = ({marks})"
        " FILE_FORMAT = (FORMAT_NAME = RAW.PARQUET_FORMAT) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
        " INCLUDE_METADATA = (file_name = METADATA$FILENAME, file_row = METADATA$FILE_ROW_NUMBER,"
        " loaded_at = METADATA$START_SCAN_TIME)"
    )


# `ALTER PIPE … REFRESH` takes files that were staged within the last seven days
# (https://docs.snowflake.com/en/sql-reference/sql/alter-pipe).
REFRESHABLE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A row of COPY_HISTORY. `file` is the path as Snowflake shows it, whole or below the stage's path."""

    file: str
    status: str
    rows: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the expected files: rows of each loaded one, the error of each failed one, and the rest."""

    loaded: Mapping[str, int]
    failed: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every file is loaded."""
        return not self.failed and not self.missing


def assess(
    expected: Sequence[str], history: Iterable[HistoryEntry], rows_in_table: Mapping[str, int]
) -> Evidence:
    """Evidence for the expected keys. A file that failed once and was loaded later is loaded.

    File names are made of the batch and the transform, so a name says which key it is whatever path is before it.
    """
    by_name = {key.rsplit("/", 1)[-1]: key for key in expected}
    loaded = {key: rows_in_table[key] for key in expected if key in rows_in_table}
    failed: dict[str, str] = {}
    for entry in history:
        key = by_name.get(entry.file.rsplit("/", 1)[-1])
        if key is None or key in loaded:
            continue
        if entry.status.lower() == "loaded":
            loaded[key] = entry.rows
        elif entry.status.lower() in {"load failed", "partially loaded"}:
            failed[key] = entry.error or entry.status
    failed = {key: error for key, error in failed.items() if key not in loaded}
    missing = tuple(key for key in expected if key not in loaded and key not in failed)
    return Evidence(loaded, failed, missing)


def can_be_refreshed(written_at: datetime, now: datetime) -> bool:
    """Whether a pipe's REFRESH still finds files of that age; older ones need COPY INTO."""
    return now - written_at < REFRESHABLE


# What a check finds.

SAMPLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `counts` are named numbers; `offenders` a sample, all with the same keys."""

    passed: bool
    summary: str
    counts: Mapping[str, int | float] = field(default_factory=dict)
    offenders: Sequence[Mapping[str, str | int | float | bool | None]] = ()
    next_step: str = ""


def compare(files: tuple[ArchiveFile, ...], loaded: dict[str, int]) -> Finding:
    """Whether each file's rows are in the table, no fewer and no more."""
    offenders = [
        {"file": file.key, "archive_rows": file.rows, "loaded_rows": loaded.get(file.key, 0)}
        for file in files
        if loaded.get(file.key, 0) != file.rows
    ]
    return Finding(
        passed=not offenders,
        summary=f"{sum(loaded.values())} rows of {len(files)} files; {len(offenders)} files differ",
        counts={
            "files": len(files),
            "archive_rows": sum(file.rows for file in files),
            "loaded_rows": sum(loaded.values()),
        },
        offenders=offenders,
        next_step="compare COPY_HISTORY with the archive; more rows than the file has: it was loaded twice",
    )


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


def read_record(uri: str) -> TransformRecord:
    """The record of the transform at an address: the version of the batch, and the files of each table."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = S3Hook(aws_conn_id=AWS_CONNECTION).get_conn().get_object(Bucket=bucket, Key=key)["Body"].read()
    return TransformRecord.from_json(body)


def about(record: TransformRecord) -> dict[str, str]:
    """What the events of a batch's tables say of it."""
    return {
        "source": record.source,
        "dt": record.dt.isoformat(),
        "batch_id": record.batch_id,
        "transform_id": record.transform_id,
    }


def rows_by_file(connection: Any, table: str, keys: Sequence[str]) -> dict[str, int]:
    """How many rows of a table came from each of the files; files without any are left out."""
    if not keys:
        return {}
    rows = query_rows(connection, rows_statement(table, len(keys)), tuple(keys))
    return {row["file_name"]: int(row["row_total"]) for row in rows}


def evidence_of(connection: Any, table: str, files: Sequence[ArchiveFile]) -> Evidence:
    """What a table and its load history say of exactly these files."""
    expected = [file.key for file in files]
    rows = rows_by_file(connection, table, expected)
    names = {key.rsplit("/", 1)[-1] for key in expected if key not in rows}
    history = [
        HistoryEntry(
            row["file_name"], row["status"] or "", int(row["row_count"] or 0), row["first_error_message"]
        )
        for row in (query_rows(connection, HISTORY_STATEMENT, (table,)) if names else ())
        if row["file_name"].rsplit("/", 1)[-1] in names
    ]
    return assess(expected, history, rows)


def ask_for(connection: Any, table: str, missing: Sequence[str], record: TransformRecord) -> str:
    """Asks for files that are not loaded: by the pipe's refresh, or by COPY INTO where they are too old for that."""
    name = table.rsplit(".", 1)[-1].lower()
    if can_be_refreshed(datetime.fromisoformat(record.transformed_at), datetime.now(UTC)):
        version = version_name(record.batch_id, record.transform_id)
        prefix = archive_prefix(name, record.source, record.dt, version).removeprefix(f"{name}/")
        with connection.cursor() as cursor:
            cursor.execute(refresh_statement(table), (prefix,))
        return "refresh"
    for first in range(0, len(missing), FILES_A_COPY):
        some = missing[first : first + FILES_A_COPY]
        with connection.cursor() as cursor:
            cursor.execute(copy_statement(table, len(some)), tuple(some))
    return "copy"


def poke(table: str, record_uri: str) -> PokeReturnValue:
    """Whether every file of a batch is in a table. Raises AirflowFailException with the pipe's own error."""
    record = read_record(record_uri)
    name = table.rsplit(".", 1)[-1].lower()
    with warehouse("load") as connection:
        evidence = evidence_of(connection, table, record.files[name])
    if evidence.failed:
        key, error = next(iter(evidence.failed.items()))
        raise AirflowFailException(
            f"Snowpipe could not load {len(evidence.failed)} file(s) into {table}; the first is {key}: {error};"
            " next: compare the file's columns with the table's; after the table is mended, transform the batch again"
        )
    for key in evidence.missing:
        print(f"not loaded yet: {key}")
    return PokeReturnValue(is_done=evidence.complete, xcom_value=dict(evidence.loaded))


def check_loaded(asset: str, check: str, table: str, record_uri: str, outlet_events: Any) -> dict[str, str]:
    """Whether each file is in a table once, with all its rows; then what the asset's event says."""
    record = read_record(record_uri)
    files = record.files[table.rsplit(".", 1)[-1].lower()]
    with warehouse("check") as connection:
        loaded = rows_by_file(connection, table, [file.key for file in files])
    summary = hold([(asset, check, True, compare(files, loaded))])
    outlet_events[ASSETS[asset]].extra = {**about(record), "rows": sum(loaded.values())}
    return summary


with DAG(
    dag_id="movie_load",
    description="Loads what the transform wrote: from the archive through RAW and CORE to the marts.",
    schedule=[ASSETS[key] for key in ARCHIVE],
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    max_active_runs=4,
    deadline=DEADLINE,
    dagrun_timeout=timedelta(seconds=14400),
    on_failure_callback=tell_of_run,
    default_args={"owner": "team:data-platform", "on_failure_callback": tell_of_task},
    tags=["movies", "snowflake_ops", "snowflake_raw"],
    doc_md="""Runs when a transform has written all tables of the archive, for each batch that it announced.

| asset | what it is | made with | owners |
|---|---|---|---|
| snowflake/ops/quarantined_rows | Rows that broke a rule of the contract or that the reader could not make a row of. Append-only; loaded by Snowpipe from the archive bucket. | snowflake, snowpipe | team:data-platform |
| snowflake/raw/batches | Announcements: a row says that a version of a batch is whole and what belongs to it. Append-only; loaded by Snowpipe from the archive bucket. | snowflake, snowpipe | team:data-platform |
| snowflake/raw/movie_genres | Genres: a row a film and genre, each genre once a film. Append-only; loaded by Snowpipe from the archive bucket. | snowflake, snowpipe | team:data-platform |
| snowflake/raw/movie_people | People: a row a film, role and person, each person once a role. Append-only; loaded by Snowpipe from the archive bucket. | snowflake, snowpipe | team:data-platform |
| snowflake/raw/movie_ratings | Ratings: a row a film and provider. Append-only; loaded by Snowpipe from the archive bucket. | snowflake, snowpipe | team:data-platform |
| snowflake/raw/movies | Films, cleansed and enriched: a row a film and version of a batch. Append-only; loaded by Snowpipe from the archive bucket. | snowflake, snowpipe | team:data-platform |
""",
    params={
        "record": Param(
            "",
            type="string",
            pattern="^(s3://.+/_RUN[.]json)?$",
            description="Record of the transform to load, s3://bucket/_runs/…/_RUN.json; by default what the events name.",
        ),
    },
):

    @task(task_id="collect_batches")
    def collect_batches(*, params=None, triggering_asset_events=None) -> list[str]:
        """Addresses of the records of this run's batches, each once."""
        if params["record"]:
            return [params["record"]]
        named = [
            event.extra["record"]
            for asset in ARCHIVE
            for event in triggering_asset_events.get(ASSETS[asset], ())
            if "record" in event.extra
        ]
        if not named:
            raise AirflowFailException(
                "no event and no parameter names the record of a transform: nothing to load"
            )
        return list(dict.fromkeys(named))

    @task_group(group_id="batch")
    def load_batch(record):
        """One batch; those beside it do not wait for it and do not stop with it."""

        @task(
            task_id="refresh_pipes",
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
        )
        def refresh_pipes(record_uri) -> dict[str, str]:
            """Asks for the files of this batch that are not loaded yet, table by table."""
            record = read_record(record_uri)
            asked = {}
            with warehouse("refresh") as connection:
                for table in LOADED_TABLES:
                    files = record.files[table.rsplit(".", 1)[-1].lower()]
                    missing = evidence_of(connection, table, files).missing
                    asked[table] = ask_for(connection, table, missing, record) if missing else "none missing"
            return asked

        refreshed = refresh_pipes(record)

        @task.sensor(
            task_id="snowflake__ops__quarantined_rows",
            doc_md="snowflake/ops/quarantined_rows: Rows that broke a rule of the contract or that the reader could not make a row of. Append-only; loaded by Snowpipe from the archive bucket.",
            mode="reschedule",
            poke_interval=10,
            timeout=900,
            inlets=[ASSETS["archive/quarantined_rows"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def snowflake__ops__quarantined_rows(record_uri) -> PokeReturnValue:
            return poke("OPS.QUARANTINED_ROWS", record_uri)

        snowflake__ops__quarantined_rows_task = snowflake__ops__quarantined_rows(record)
        refreshed >> snowflake__ops__quarantined_rows_task

        @task(
            task_id="quarantined_rows_loaded_rows_match_archive",
            inlets=[ASSETS["archive/quarantined_rows"]],
            outlets=[ASSETS["snowflake/ops/quarantined_rows"]],
        )
        def quarantined_rows_loaded_rows_match_archive(record_uri, *, outlet_events=None) -> dict[str, str]:
            return check_loaded(
                "snowflake/ops/quarantined_rows",
                "loaded_rows_match_archive",
                "OPS.QUARANTINED_ROWS",
                record_uri,
                outlet_events,
            )

        quarantined_rows_loaded_rows_match_archive_task = quarantined_rows_loaded_rows_match_archive(record)
        snowflake__ops__quarantined_rows_task >> quarantined_rows_loaded_rows_match_archive_task

        @task.sensor(
            task_id="snowflake__raw__batches",
            doc_md="snowflake/raw/batches: Announcements: a row says that a version of a batch is whole and what belongs to it. Append-only; loaded by Snowpipe from the archive bucket.",
            mode="reschedule",
            poke_interval=10,
            timeout=900,
            inlets=[ASSETS["archive/batches"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def snowflake__raw__batches(record_uri) -> PokeReturnValue:
            return poke("RAW.BATCHES", record_uri)

        snowflake__raw__batches_task = snowflake__raw__batches(record)
        refreshed >> snowflake__raw__batches_task

        @task(
            task_id="batches_loaded_rows_match_archive",
            inlets=[ASSETS["archive/batches"]],
            outlets=[ASSETS["snowflake/raw/batches"]],
        )
        def batches_loaded_rows_match_archive(record_uri, *, outlet_events=None) -> dict[str, str]:
            return check_loaded(
                "snowflake/raw/batches",
                "loaded_rows_match_archive",
                "RAW.BATCHES",
                record_uri,
                outlet_events,
            )

        batches_loaded_rows_match_archive_task = batches_loaded_rows_match_archive(record)
        snowflake__raw__batches_task >> batches_loaded_rows_match_archive_task

        @task.sensor(
            task_id="snowflake__raw__movie_genres",
            doc_md="snowflake/raw/movie_genres: Genres: a row a film and genre, each genre once a film. Append-only; loaded by Snowpipe from the archive bucket.",
            mode="reschedule",
            poke_interval=10,
            timeout=900,
            inlets=[ASSETS["archive/movie_genres"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def snowflake__raw__movie_genres(record_uri) -> PokeReturnValue:
            return poke("RAW.MOVIE_GENRES", record_uri)

        snowflake__raw__movie_genres_task = snowflake__raw__movie_genres(record)
        refreshed >> snowflake__raw__movie_genres_task

        @task(
            task_id="movie_genres_loaded_rows_match_archive",
            inlets=[ASSETS["archive/movie_genres"]],
            outlets=[ASSETS["snowflake/raw/movie_genres"]],
        )
        def movie_genres_loaded_rows_match_archive(record_uri, *, outlet_events=None) -> dict[str, str]:
            return check_loaded(
                "snowflake/raw/movie_genres",
                "loaded_rows_match_archive",
                "RAW.MOVIE_GENRES",
                record_uri,
                outlet_events,
            )

        movie_genres_loaded_rows_match_archive_task = movie_genres_loaded_rows_match_archive(record)
        snowflake__raw__movie_genres_task >> movie_genres_loaded_rows_match_archive_task

        @task.sensor(
            task_id="snowflake__raw__movie_people",
            doc_md="snowflake/raw/movie_people: People: a row a film, role and person, each person once a role. Append-only; loaded by Snowpipe from the archive bucket.",
            mode="reschedule",
            poke_interval=10,
            timeout=900,
            inlets=[ASSETS["archive/movie_people"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def snowflake__raw__movie_people(record_uri) -> PokeReturnValue:
            return poke("RAW.MOVIE_PEOPLE", record_uri)

        snowflake__raw__movie_people_task = snowflake__raw__movie_people(record)
        refreshed >> snowflake__raw__movie_people_task

        @task(
            task_id="movie_people_loaded_rows_match_archive",
            inlets=[ASSETS["archive/movie_people"]],
            outlets=[ASSETS["snowflake/raw/movie_people"]],
        )
        def movie_people_loaded_rows_match_archive(record_uri, *, outlet_events=None) -> dict[str, str]:
            return check_loaded(
                "snowflake/raw/movie_people",
                "loaded_rows_match_archive",
                "RAW.MOVIE_PEOPLE",
                record_uri,
                outlet_events,
            )

        movie_people_loaded_rows_match_archive_task = movie_people_loaded_rows_match_archive(record)
        snowflake__raw__movie_people_task >> movie_people_loaded_rows_match_archive_task

        @task.sensor(
            task_id="snowflake__raw__movie_ratings",
            doc_md="snowflake/raw/movie_ratings: Ratings: a row a film and provider. Append-only; loaded by Snowpipe from the archive bucket.",
            mode="reschedule",
            poke_interval=10,
            timeout=900,
            inlets=[ASSETS["archive/movie_ratings"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def snowflake__raw__movie_ratings(record_uri) -> PokeReturnValue:
            return poke("RAW.MOVIE_RATINGS", record_uri)

        snowflake__raw__movie_ratings_task = snowflake__raw__movie_ratings(record)
        refreshed >> snowflake__raw__movie_ratings_task

        @task(
            task_id="movie_ratings_loaded_rows_match_archive",
            inlets=[ASSETS["archive/movie_ratings"]],
            outlets=[ASSETS["snowflake/raw/movie_ratings"]],
        )
        def movie_ratings_loaded_rows_match_archive(record_uri, *, outlet_events=None) -> dict[str, str]:
            return check_loaded(
                "snowflake/raw/movie_ratings",
                "loaded_rows_match_archive",
                "RAW.MOVIE_RATINGS",
                record_uri,
                outlet_events,
            )

        movie_ratings_loaded_rows_match_archive_task = movie_ratings_loaded_rows_match_archive(record)
        snowflake__raw__movie_ratings_task >> movie_ratings_loaded_rows_match_archive_task

        @task.sensor(
            task_id="snowflake__raw__movies",
            doc_md="snowflake/raw/movies: Films, cleansed and enriched: a row a film and version of a batch. Append-only; loaded by Snowpipe from the archive bucket.",
            mode="reschedule",
            poke_interval=10,
            timeout=900,
            inlets=[ASSETS["archive/movies"]],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def snowflake__raw__movies(record_uri) -> PokeReturnValue:
            return poke("RAW.MOVIES", record_uri)

        snowflake__raw__movies_task = snowflake__raw__movies(record)
        refreshed >> snowflake__raw__movies_task

        @task(
            task_id="movies_loaded_rows_match_archive",
            inlets=[ASSETS["archive/movies"]],
            outlets=[ASSETS["snowflake/raw/movies"]],
        )
        def movies_loaded_rows_match_archive(record_uri, *, outlet_events=None) -> dict[str, str]:
            return check_loaded(
                "snowflake/raw/movies",
                "loaded_rows_match_archive",
                "RAW.MOVIES",
                record_uri,
                outlet_events,
            )

        movies_loaded_rows_match_archive_task = movies_loaded_rows_match_archive(record)
        snowflake__raw__movies_task >> movies_loaded_rows_match_archive_task

    load_batch.expand(record=collect_batches())
