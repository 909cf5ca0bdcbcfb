"""From the archive to the marts: waits for Snowpipe, checks, runs the task graph, checks again.

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
- files that no event has brought are asked for at once instead of after a minute
- partitions: a run is about the batches that its events name, whatever their dates
- jitter of retries: Airflow's back-off has its own
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

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
        "snowflake/core/applied_days",
        "snowflake/core/bridge_movie_genre",
        "snowflake/core/bridge_movie_person",
        "snowflake/core/dim_date",
        "snowflake/core/dim_genre",
        "snowflake/core/dim_movie",
        "snowflake/core/dim_person",
        "snowflake/core/dim_rating_provider",
        "snowflake/core/fact_movie_rating",
        "snowflake/core/fact_movie_snapshot",
        "snowflake/marts/current_movies",
        "snowflake/marts/data_quality_daily",
        "snowflake/marts/director_leaderboard",
        "snowflake/marts/genre_performance",
        "snowflake/marts/movie_history",
        "snowflake/marts/rating_charts",
        "snowflake/marts/rating_trends",
        "snowflake/marts/top_movies",
        "snowflake/marts/yearly_box_office",
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


class PlatformError(Exception):
    """A failure that is explained: `code` for programs, `message` and `next_step` for people.

    `exit_code` is what the command ends with: 1 where the work failed, 2 where usage or configuration is wrong.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, next_step: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message


@contextmanager
def explained() -> Iterator[None]:
    """Fails the task for good where the platform knows why it failed; what else goes wrong is tried again."""
    try:
        yield
    except PlatformError as error:
        raise AirflowFailException(f"{error} [{error.code}]; next: {error.next_step}") from error


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
    """Counts the different rows of each of `files` files, which are to be bound; `table` is SCHEMA.TABLE."""
    marks = ", ".join(["%s"] * files)
    return (
        f"SELECT file_name, COUNT(DISTINCT file_row) AS row_total FROM {table}"  # noqa: S608 - a constant of the contracts
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
    expected: Mapping[str, int], history: Iterable[HistoryEntry], rows_in_table: Mapping[str, int]
) -> Evidence:
    """Evidence for files by their keys, with the rows that each should have.

    A file that failed once and was loaded later is loaded. One without rows is loaded by the history alone. File names
    are made of the batch and the transform, so a name says which key it is whatever path is before it.
    """
    by_name = {key.rsplit("/", 1)[-1]: key for key in expected}
    loaded = {key: rows for key, rows in rows_in_table.items() if rows >= expected.get(key, rows + 1)}
    failed: dict[str, str] = {}
    for entry in history:
        key = by_name.get(entry.file.rsplit("/", 1)[-1])
        if key is None or key in loaded:
            continue
        if entry.status.lower() == "loaded":
            failed.pop(key, None)
            if expected[key] == 0:
                loaded[key] = 0
        elif entry.status.lower() in {"load failed", "partially loaded"}:
            failed[key] = entry.error or entry.status
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
        next_step="compare COPY_HISTORY with the archive, and materialize the table again",
    )


# The task graph of CORE: what its history and CORE say, and the wait for a version.

# How often a day is tried before it waits for somebody to look; a success, or something that arrives, begins anew.
ATTEMPTS_A_DAY = 4
# The tasks in the order in which they run, each AFTER the one before it.
ROOT_TASK = "COLLECT_ARRIVALS"
APPLYING_TASK = "APPLY_BATCHES"
TASKS = (ROOT_TASK, APPLYING_TASK, "MEASURE_QUALITY")
_ENDED_WITHOUT_SUCCESS = frozenset({"FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "SKIPPED"})
_FAILED = frozenset({"FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED"})
# A statement waited too long for a lock that another transaction holds, and was aborted.
_LOCK_CONFLICT = 625


@dataclass(frozen=True, slots=True)
class AnnouncedVersion:
    """A version of a day's batch as its newest announcement describes it."""

    batch_id: str
    transform_id: str
    extracted_at: datetime
    transformed_at: datetime
    announcement: int

    @property
    def rank(self) -> tuple[datetime, str, datetime, int, str]:
        """The winner of a day has the greatest: the latest extract, and of it the newest transform."""
        return (
            self.extracted_at,
            self.batch_id,
            self.transformed_at,
            self.announcement,
            self.transform_id,
        )


class Standing(Enum):
    """Where a version stands in CORE."""

    APPLIED = "CORE shows it"
    SUPERSEDED = "CORE shows a later version of the day"
    PENDING = "CORE does not show it yet"
    UNKNOWN = "it is not announced in RAW"


def standing(
    batch_id: str, transform_id: str, announced: Sequence[AnnouncedVersion], applied: tuple[str, str] | None
) -> Standing:
    """Where a version stands, given all announced versions of its day and the one that CORE shows, if any."""
    if applied == (batch_id, transform_id):
        return Standing.APPLIED
    versions = {(version.batch_id, version.transform_id): version for version in announced}
    wanted = versions.get((batch_id, transform_id))
    if wanted is None:
        return Standing.UNKNOWN
    shown = None if applied is None else versions.get(applied)
    return Standing.SUPERSEDED if shown is not None and shown.rank > wanted.rank else Standing.PENDING


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A row of TASK_HISTORY."""

    graph_run: str
    task: str
    state: str
    error_code: str | None = None
    error_message: str | None = None
    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphRun:
    """One run of the whole graph: the newest attempt of each task that has begun or is about to."""

    graph_run: str
    tasks: Mapping[str, TaskRun]

    @property
    def failure(self) -> TaskRun | None:
        """The task that failed, if any: those after it do not run."""
        return next((run for name in TASKS if (run := self.tasks.get(name)) and run.state in _FAILED), None)

    @property
    def over(self) -> bool:
        """Whether no task of it will run any more."""
        for name in TASKS:
            run = self.tasks.get(name)
            if run is not None and run.state in _ENDED_WITHOUT_SUCCESS:
                return True
            if run is None or run.state != "SUCCEEDED":
                return False
        return True

    @property
    def at_work(self) -> bool:
        """Whether it has begun and is not over. A root that is merely scheduled has not begun."""
        root = self.tasks.get(ROOT_TASK)
        return not self.over and root is not None and root.state in {"EXECUTING", "SUCCEEDED"}


def graph_runs(history: Iterable[TaskRun]) -> dict[str, GraphRun]:
    """The runs of the graph by their identifier; `history` is oldest first, so a retried task shows its last try."""
    tasks: dict[str, dict[str, TaskRun]] = {}
    for run in history:
        if run.task in TASKS:
            tasks.setdefault(run.graph_run, {})[run.task] = run
    return {name: GraphRun(name, found) for name, found in tasks.items()}


@dataclass(frozen=True, slots=True)
class PendingDay:
    """A row of OPS.PENDING_DAYS: a day that the graph has still to apply, and what became of its last try."""

    attempts: int
    error_code: str | None
    error_message: str | None

    @property
    def waits_for_somebody(self) -> bool:
        """Whether it failed so often that the graph does not try it any more."""
        return self.attempts >= ATTEMPTS_A_DAY


class Step(Enum):
    """What to do next for a version."""

    DONE = "CORE shows the version or a later one, and nothing is at work"
    EXECUTE = "run the graph: no run of it can bring the version"
    WAIT = "a run of the graph may bring it"
    AGAIN = "the graph failed with a group of days; this one is tried again, in a smaller group"
    FAIL = "a task failed"
    GIVE_UP = "the graph ran as often as it may, and CORE does not show the version"


def next_step(
    now: Standing,
    runs: Mapping[str, GraphRun],
    seen: frozenset[str],
    *,
    executed: int,
    limit: int,
    day: PendingDay | None = None,
) -> tuple[Step, TaskRun | None]:
    """What to do; FAIL and AGAIN come with the failed task. `day` is what the graph has noted of the day.

    `seen` are the graph runs that were over before the last time that the graph was executed, or before we first
    looked. `executed` says how often it was executed for this version, at most `limit` times.
    """
    new = [run for name, run in runs.items() if name not in seen]
    failed = next((run.failure for run in new if run.failure is not None), None)
    if failed is not None:
        # Which of the days that were applied together was to blame shows when they are tried apart.
        apart = failed.task == APPLYING_TASK and now is Standing.PENDING
        return (Step.AGAIN if apart and day is not None and not day.waits_for_somebody else Step.FAIL), failed
    if any(run.at_work for run in new):
        return Step.WAIT, None
    if now in {Standing.APPLIED, Standing.SUPERSEDED}:
        return Step.DONE, None
    if executed and not any(run.over for run in new):
        return Step.WAIT, None
    return (Step.EXECUTE if executed < limit else Step.GIVE_UP), None


def is_lock_conflict(run: TaskRun) -> bool:
    """Whether a task failed only because another transaction held a lock for too long."""
    code = (run.error_code or "").strip()
    return code.isdecimal() and int(code) == _LOCK_CONFLICT


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a batch announces."""

    name: str
    snowflake_schema: str


ANNOUNCED_TABLES = (
    Table("movies", "RAW"),
    Table("movie_ratings", "RAW"),
    Table("movie_genres", "RAW"),
    Table("movie_people", "RAW"),
    Table("quarantined_rows", "OPS"),
)
Log = logging.Logger

FIRST_POLL_SECONDS = 0.5
LAST_POLL_SECONDS = 5.0
# The first run may have collected before the last file arrived, or have been on its way already; a third tells
# nothing that the second did not.
EXECUTIONS = 2
LOCK_CONFLICT_RETRIES = 2
# Runs of the graph that may fail while a day is tried with others, in smaller groups, and alone.
FAILURES_OF_OTHERS = 12
# A graph run that matters here began within the hour before: TASK_HISTORY answers faster for a short range.
HISTORY_SECONDS = 3600
HISTORY_ROWS = 1000


class TaskFailedError(PlatformError):
    """A task of the graph failed. `error_code` and `error_message` are Snowflake's own."""

    def __init__(self, run: TaskRun) -> None:
        super().__init__(
            "task_failed",
            f"task CORE.{run.task} ended {run.state}: {run.error_code or 'no code'}:"
            f" {run.error_message or 'no message'} (graph run {run.graph_run}, query {run.query_id or 'unknown'})",
            "nothing of the batch was applied, and nothing is lost: mend what the error names and materialize CORE"
            " again; OPS.PENDING_DAYS and OPS.TASK_ERRORS keep the errors",
        )
        self.run = run


class BatchNotAppliedError(PlatformError):
    """The graph did not bring the version into CORE, though no task failed."""


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What applying a version did to a table of CORE."""

    inserted: int = 0
    updated: int = 0
    closed: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class AppliedVersion:
    """What CORE shows of a day. `superseded`: it is a later version than the one that was asked for.

    `changes` are those of applying the version that is shown, by table; `executions` how often the graph was executed.
    """

    batch_id: str
    transform_id: str
    superseded: bool
    executions: int
    changes: Mapping[str, TableChanges]


def until_applied(request: "Request", log: "Log", timeout_seconds: int) -> AppliedVersion:
    """Executes the graph where it must, and returns when CORE shows the version or a later one of its day.

    Raises what `TaskGraph.bring` raises. The exported Airflow DAGs hold this function as it stands here.
    """
    started = time.monotonic()
    seen = frozenset(name for name, run in request.history().items() if run.over)
    pause = FIRST_POLL_SECONDS
    executed = conflicts = failures = 0
    while True:
        # History before the standing: a graph run that ended between the two then shows as both.
        runs = request.history()
        now = request.standing()
        if now is Standing.UNKNOWN:
            raise request.not_announced()
        step, failed = next_step(
            now, runs, seen, executed=executed, limit=EXECUTIONS + conflicts + failures, day=request.pending()
        )
        waited = time.monotonic() - started
        match step:
            case Step.DONE:
                return request.applied(executed)
            case Step.AGAIN if failed is not None and failures < FAILURES_OF_OTHERS:
                failures += 1
                log.warning(
                    f"CORE.{failed.task} failed: {failed.error_code}: {failed.error_message}; its days are tried apart."
                )
            case Step.AGAIN | Step.FAIL if failed is not None:
                if not is_lock_conflict(failed) or conflicts == LOCK_CONFLICT_RETRIES:
                    raise TaskFailedError(failed)
                conflicts += 1
                log.warning(
                    f"CORE.{failed.task} met another transaction's lock; the graph is executed again."
                )
                time.sleep(_jittered(2.0**conflicts))
            case Step.GIVE_UP:
                raise request.not_taken(f"the graph ran {executed} times without an error")
            case _:
                pass
        if waited > timeout_seconds:
            raise request.not_taken(f"it was waited for {waited:.0f} s")
        if step in {Step.EXECUTE, Step.AGAIN, Step.FAIL}:
            seen = frozenset(name for name, run in runs.items() if run.over)
            request.execute()
            executed += 1
            log.info(f"Executed {request.database}.CORE.{ROOT_TASK}.")
            pause = FIRST_POLL_SECONDS
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_POLL_SECONDS)


class Request:
    """The statements about one version, on one session."""

    def __init__(
        self,
        connection: "SnowflakeConnection",
        database: str,
        source: str,
        dt: date,
        batch_id: str,
        transform_id: str,
    ) -> None:
        self._connection = connection
        self.database = database
        self._day = (source, dt)
        self._version = (source, dt, batch_id, transform_id)
        self._wanted = (batch_id, transform_id)
        self._shown: tuple[str, str] | None = None

    def execute(self) -> None:
        """Runs the graph once; it goes on by itself."""
        # The names are the settings' and constants: identifiers cannot be bound.
        with self._connection.cursor() as cursor:
            cursor.execute(f"EXECUTE TASK {self.database}.CORE.{ROOT_TASK}")

    def history(self) -> dict[str, GraphRun]:
        """The graph's runs of the last hour, by their identifier."""
        rows = query_rows(
            self._connection,
            "SELECT graph_run_group_id, name, state, error_code, error_message, query_id"  # noqa: S608 - a name of the settings
            f" FROM TABLE({self.database}.INFORMATION_SCHEMA.TASK_HISTORY("
            "SCHEDULED_TIME_RANGE_START => DATEADD(second, %s, CURRENT_TIMESTAMP()), RESULT_LIMIT => %s))"
            " WHERE database_name = %s AND schema_name = 'CORE' AND graph_run_group_id IS NOT NULL"
            " ORDER BY scheduled_time, query_start_time",
            (-HISTORY_SECONDS, HISTORY_ROWS, self.database),
        )
        return graph_runs(
            TaskRun(
                str(row["graph_run_group_id"]),
                str(row["name"]).upper(),
                str(row["state"]).upper(),
                _text(row["error_code"]),
                _text(row["error_message"]),
                _text(row["query_id"]),
            )
            for row in rows
        )

    def standing(self) -> Standing:
        """Where the version stands in CORE now."""
        shown = list(
            query_rows(
                self._connection,
                "SELECT batch_id, transform_id FROM CORE.APPLIED_DAYS"
                " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD')",
                self._day,
            )
        )
        self._shown = (str(shown[0]["batch_id"]), str(shown[0]["transform_id"])) if shown else None
        return standing(*self._wanted, self._announced(), self._shown)

    def _announced(self) -> list[AnnouncedVersion]:
        rows = query_rows(
            self._connection,
            "SELECT batch_id, transform_id, extracted_at, transformed_at, announcement FROM RAW.BATCHES"
            " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD')"
            " QUALIFY ROW_NUMBER() OVER (PARTITION BY batch_id, transform_id"
            " ORDER BY transformed_at DESC, announcement DESC) = 1",
            self._day,
        )
        return [
            AnnouncedVersion(
                str(row["batch_id"]),
                str(row["transform_id"]),
                _moment(row["extracted_at"]),
                _moment(row["transformed_at"]),
                int(row["announcement"]),
            )
            for row in rows
        ]

    def pending(self) -> PendingDay | None:
        """What the graph has noted of the day; None where nothing of it is to be applied."""
        found = next(
            query_rows(
                self._connection,
                "SELECT attempts, error_code, error_message FROM OPS.PENDING_DAYS"
                " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD')",
                self._day,
            ),
            None,
        )
        if found is None:
            return None
        return PendingDay(int(found["attempts"]), _text(found["error_code"]), _text(found["error_message"]))

    def try_again(self) -> None:
        """Has a day that waits for somebody be tried again: whoever asks for it has looked."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE OPS.PENDING_DAYS SET attempts = 0, tried_at = NULL"
                " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD') AND attempts >= %s",
                (*self._day, ATTEMPTS_A_DAY),
            )

    def note_load(self, run_id: str) -> None:
        """Notes, once a run, which run of the orchestrator brought the version."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO OPS.LOAD_RUNS (source, dt, batch_id, transform_id, run_id, recorded_at)"
                " SELECT %s, TO_DATE(%s, 'YYYY-MM-DD'), %s, %s, %s, SYSDATE()"
                " WHERE NOT EXISTS (SELECT 1 FROM OPS.LOAD_RUNS WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD')"
                " AND batch_id = %s AND transform_id = %s AND run_id = %s)",
                (*self._version, run_id, *self._version, run_id),
            )

    def applied(self, executions: int) -> AppliedVersion:
        """What CORE shows of the day, as the newest `standing` saw it."""
        batch_id, transform_id = self._shown or self._wanted
        rows = query_rows(
            self._connection,
            "SELECT table_name, rows_inserted, rows_updated, rows_closed, rows_deleted FROM OPS.CORE_CHANGES"
            " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD') AND batch_id = %s AND transform_id = %s"
            " QUALIFY ROW_NUMBER() OVER (PARTITION BY table_name ORDER BY applied_at DESC) = 1",
            (*self._day, batch_id, transform_id),
        )
        return AppliedVersion(
            batch_id,
            transform_id,
            superseded=(batch_id, transform_id) != self._wanted,
            executions=executions,
            changes={
                str(row["table_name"]).lower(): TableChanges(
                    int(row["rows_inserted"]),
                    int(row["rows_updated"]),
                    int(row["rows_closed"]),
                    int(row["rows_deleted"]),
                )
                for row in rows
            },
        )

    def not_announced(self) -> BatchNotAppliedError:
        """The error for a version that RAW does not announce."""
        source, dt, batch_id, transform_id = self._version
        return BatchNotAppliedError(
            "batch_not_announced",
            f"RAW.BATCHES has no row of {source} {dt} batch {batch_id} transform {transform_id}",
            "materialize the RAW tables of the day first: their assets wait for the files and ask for lost ones",
        )

    def not_taken(self, why: str) -> BatchNotAppliedError:
        """The error for a version that the graph did not bring, and what RAW lacks of it."""
        source, dt, batch_id, _ = self._version
        short = self._short_tables()
        missing = f"; RAW has not what it announces: {', '.join(short)}" if short else ""
        return BatchNotAppliedError(
            "batch_not_applied",
            f"CORE does not show {source} {dt} batch {batch_id}: {why}{missing}",
            "materialize the RAW tables of the day again"
            if short
            else f"look at TASK_HISTORY, and whether CORE.{ROOT_TASK} and the tasks after it are resumed",
        )

    def _short_tables(self) -> Sequence[str]:
        announced = next(
            query_rows(
                self._connection,
                "SELECT * FROM RAW.BATCHES WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD')"
                " AND batch_id = %s AND transform_id = %s"
                " ORDER BY transformed_at DESC, announcement DESC LIMIT 1",
                self._version,
            )
        )
        short = []
        for table in ANNOUNCED_TABLES:
            name = f"{table.snowflake_schema}.{table.name.upper()}"
            [found] = query_rows(
                self._connection,
                f"SELECT COUNT(*) AS row_total FROM (SELECT DISTINCT file_name, file_row FROM {name}"  # noqa: S608 - a constant of the contracts
                " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD') AND batch_id = %s AND transform_id = %s)",
                self._version,
            )
            expected = int(announced[f"{table.name}_rows"])
            if int(found["row_total"]) != expected:
                short.append(f"{name} {found['row_total']} of {expected} rows")
        return short


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _jittered(seconds: float) -> float:
    """Between half of it and one and a half times it, so that two who met do not meet again."""
    return seconds * (0.5 + secrets.randbelow(1000) / 1000)


# Checks that are SQL: what is looked at, and the rows that break the rule.


@dataclass(frozen=True, slots=True)
class SqlRule:
    """A claim about an asset; one that binds is about a batch's source and day, others about all of them."""

    asset: str
    name: str
    blocking: bool
    binds: bool
    claim: str
    checked: str
    offenders: str
    next_step: str


RULES = (
    SqlRule(
        asset="snowflake/core/bridge_movie_genre",
        name="bridge_weights_sum_to_one",
        blocking=True,
        binds=True,
        claim="The weights of each (movie_key) sum to exactly 1.",
        checked="""
    SELECT COUNT(*) AS checked
        FROM CORE.BRIDGE_MOVIE_GENRE AS bridge
        JOIN CORE.DIM_MOVIE AS movie ON movie.movie_key = bridge.movie_key
        WHERE movie.source = %(source)s AND movie.valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
""",
        offenders="""
    SELECT bridge.movie_key, SUM(bridge.weight) AS weights
        FROM CORE.BRIDGE_MOVIE_GENRE AS bridge
        JOIN CORE.DIM_MOVIE AS movie ON movie.movie_key = bridge.movie_key
        WHERE movie.source = %(source)s AND movie.valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
    GROUP BY bridge.movie_key HAVING SUM(bridge.weight) <> 1
""",
        next_step="find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/bridge_movie_genre",
        name="foreign_keys_resolve",
        blocking=True,
        binds=False,
        claim="movie_key, genre_key: each has its row in the dimension, as of the row's day.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT * FROM CORE.BRIDGE_MOVIE_GENRE)",
        offenders="""
    SELECT
        'movie_key' AS foreign_key, CAST(referring.movie_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.BRIDGE_MOVIE_GENRE) AS referring
    LEFT JOIN CORE.DIM_MOVIE AS dimension ON dimension.movie_key = referring.movie_key AND NOT dimension.is_deleted
    WHERE dimension.movie_key IS NULL
    GROUP BY referring.movie_key
     UNION ALL
    SELECT
        'genre_key' AS foreign_key, CAST(referring.genre_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.BRIDGE_MOVIE_GENRE) AS referring
    LEFT JOIN CORE.DIM_GENRE AS dimension ON dimension.genre_key = referring.genre_key
    WHERE dimension.genre_key IS NULL
    GROUP BY referring.genre_key
""",
        next_step="find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/bridge_movie_person",
        name="bridge_weights_sum_to_one",
        blocking=True,
        binds=True,
        claim="The weights of each (movie_key, role) sum to exactly 1.",
        checked="""
    SELECT COUNT(*) AS checked
        FROM CORE.BRIDGE_MOVIE_PERSON AS bridge
        JOIN CORE.DIM_MOVIE AS movie ON movie.movie_key = bridge.movie_key
        WHERE movie.source = %(source)s AND movie.valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
""",
        offenders="""
    SELECT bridge.movie_key, bridge.role, SUM(bridge.weight) AS weights
        FROM CORE.BRIDGE_MOVIE_PERSON AS bridge
        JOIN CORE.DIM_MOVIE AS movie ON movie.movie_key = bridge.movie_key
        WHERE movie.source = %(source)s AND movie.valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
    GROUP BY bridge.movie_key, bridge.role HAVING SUM(bridge.weight) <> 1
""",
        next_step="find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/bridge_movie_person",
        name="foreign_keys_resolve",
        blocking=True,
        binds=False,
        claim="movie_key, person_key: each has its row in the dimension, as of the row's day.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT * FROM CORE.BRIDGE_MOVIE_PERSON)",
        offenders="""
    SELECT
        'movie_key' AS foreign_key, CAST(referring.movie_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.BRIDGE_MOVIE_PERSON) AS referring
    LEFT JOIN CORE.DIM_MOVIE AS dimension ON dimension.movie_key = referring.movie_key AND NOT dimension.is_deleted
    WHERE dimension.movie_key IS NULL
    GROUP BY referring.movie_key
     UNION ALL
    SELECT
        'person_key' AS foreign_key, CAST(referring.person_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.BRIDGE_MOVIE_PERSON) AS referring
    LEFT JOIN CORE.DIM_PERSON AS dimension ON dimension.person_key = referring.person_key
    WHERE dimension.person_key IS NULL
    GROUP BY referring.person_key
""",
        next_step="find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/dim_movie",
        name="one_current_version_per_key",
        blocking=True,
        binds=True,
        claim="Each film that the day touched has exactly one current version.",
        checked="""
    SELECT COUNT(DISTINCT movie_id) AS checked FROM (
        SELECT movie_id, valid_from, valid_to, is_current
        FROM CORE.DIM_MOVIE
        WHERE source = %(source)s AND movie_id IN (
            SELECT movie_id FROM CORE.DIM_MOVIE
            WHERE source = %(source)s AND (
                valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
                OR (valid_to >= TO_DATE(%(dt)s, 'YYYY-MM-DD') AND NOT is_current)
            )
        )
    )
""",
        offenders="""
    SELECT movie_id, COUNT_IF(is_current) AS current_versions
                FROM (
        SELECT movie_id, valid_from, valid_to, is_current
        FROM CORE.DIM_MOVIE
        WHERE source = %(source)s AND movie_id IN (
            SELECT movie_id FROM CORE.DIM_MOVIE
            WHERE source = %(source)s AND (
                valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
                OR (valid_to >= TO_DATE(%(dt)s, 'YYYY-MM-DD') AND NOT is_current)
            )
        )
    )
                GROUP BY movie_id
                HAVING COUNT_IF(is_current) <> 1
""",
        next_step="find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/dim_movie",
        name="versions_have_no_gap_or_overlap",
        blocking=True,
        binds=True,
        claim="Versions of a film follow each other: each ends where the next begins, and the last is open.",
        checked="""
    SELECT COUNT(*) AS checked FROM (
        SELECT movie_id, valid_from, valid_to, is_current
        FROM CORE.DIM_MOVIE
        WHERE source = %(source)s AND movie_id IN (
            SELECT movie_id FROM CORE.DIM_MOVIE
            WHERE source = %(source)s AND (
                valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
                OR (valid_to >= TO_DATE(%(dt)s, 'YYYY-MM-DD') AND NOT is_current)
            )
        )
    )
""",
        offenders="""
    SELECT movie_id, valid_from, valid_to, next_valid_from, is_current
                FROM (
                    SELECT
                        movie_id, valid_from, valid_to, is_current,
                        LEAD(valid_from) OVER (PARTITION BY movie_id ORDER BY valid_from) AS next_valid_from
                    FROM (
        SELECT movie_id, valid_from, valid_to, is_current
        FROM CORE.DIM_MOVIE
        WHERE source = %(source)s AND movie_id IN (
            SELECT movie_id FROM CORE.DIM_MOVIE
            WHERE source = %(source)s AND (
                valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
                OR (valid_to >= TO_DATE(%(dt)s, 'YYYY-MM-DD') AND NOT is_current)
            )
        )
    )
                )
                WHERE valid_from >= valid_to
                    OR valid_to <> COALESCE(next_valid_from, TO_DATE('9999-12-31', 'YYYY-MM-DD'))
                    OR is_current <> (valid_to = TO_DATE('9999-12-31', 'YYYY-MM-DD'))
""",
        next_step="find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/fact_movie_rating",
        name="fact_grain_is_unique",
        blocking=True,
        binds=True,
        claim="(source, movie_id, provider_key, dt) appears once.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT * FROM CORE.FACT_MOVIE_RATING WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD'))",
        offenders="SELECT source, movie_id, provider_key, dt, COUNT(*) AS row_total FROM (SELECT * FROM CORE.FACT_MOVIE_RATING WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) GROUP BY source, movie_id, provider_key, dt HAVING COUNT(*) > 1",
        next_step="find the run of the task graph in OPS.core_changes; the day's facts are made again when its batch is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/fact_movie_rating",
        name="foreign_keys_resolve",
        blocking=True,
        binds=True,
        claim="movie_key, provider_key, date_key: each has its row in the dimension, as of the row's day.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT * FROM CORE.FACT_MOVIE_RATING WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD'))",
        offenders="""
    SELECT
        'movie_key' AS foreign_key, CAST(referring.movie_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.FACT_MOVIE_RATING WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) AS referring
    LEFT JOIN CORE.DIM_MOVIE AS dimension ON dimension.movie_key = referring.movie_key AND NOT dimension.is_deleted AND dimension.source = referring.source AND dimension.movie_id = referring.movie_id AND dimension.valid_from <= referring.dt AND referring.dt < dimension.valid_to
    WHERE dimension.movie_key IS NULL
    GROUP BY referring.movie_key
     UNION ALL
    SELECT
        'provider_key' AS foreign_key, CAST(referring.provider_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.FACT_MOVIE_RATING WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) AS referring
    LEFT JOIN CORE.DIM_RATING_PROVIDER AS dimension ON dimension.provider_key = referring.provider_key
    WHERE dimension.provider_key IS NULL
    GROUP BY referring.provider_key
     UNION ALL
    SELECT
        'date_key' AS foreign_key, CAST(referring.date_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.FACT_MOVIE_RATING WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) AS referring
    LEFT JOIN CORE.DIM_DATE AS dimension ON dimension.date_key = referring.date_key
    WHERE dimension.date_key IS NULL
    GROUP BY referring.date_key
""",
        next_step="find the run of the task graph in OPS.core_changes; the day's facts are made again when its batch is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/fact_movie_snapshot",
        name="fact_grain_is_unique",
        blocking=True,
        binds=True,
        claim="(source, movie_id, dt) appears once.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT * FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD'))",
        offenders="SELECT source, movie_id, dt, COUNT(*) AS row_total FROM (SELECT * FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) GROUP BY source, movie_id, dt HAVING COUNT(*) > 1",
        next_step="find the run of the task graph in OPS.core_changes; the day's facts are made again when its batch is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/fact_movie_snapshot",
        name="foreign_keys_resolve",
        blocking=True,
        binds=True,
        claim="movie_key, date_key: each has its row in the dimension, as of the row's day.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT * FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD'))",
        offenders="""
    SELECT
        'movie_key' AS foreign_key, CAST(referring.movie_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) AS referring
    LEFT JOIN CORE.DIM_MOVIE AS dimension ON dimension.movie_key = referring.movie_key AND NOT dimension.is_deleted AND dimension.source = referring.source AND dimension.movie_id = referring.movie_id AND dimension.valid_from <= referring.dt AND referring.dt < dimension.valid_to
    WHERE dimension.movie_key IS NULL
    GROUP BY referring.movie_key
     UNION ALL
    SELECT
        'date_key' AS foreign_key, CAST(referring.date_key AS VARCHAR) AS unresolved, COUNT(*) AS row_total
    FROM (SELECT * FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')) AS referring
    LEFT JOIN CORE.DIM_DATE AS dimension ON dimension.date_key = referring.date_key
    WHERE dimension.date_key IS NULL
    GROUP BY referring.date_key
""",
        next_step="find the run of the task graph in OPS.core_changes; the day's facts are made again when its batch is transformed again",
    ),
    SqlRule(
        asset="snowflake/core/fact_movie_snapshot",
        name="snapshot_rows_match_raw",
        blocking=True,
        binds=True,
        claim="The films of the day's snapshot are those of its winning batch in RAW, no fewer and no more.",
        checked="""
    SELECT COUNT(*) AS checked FROM (
        SELECT films.movie_id
        FROM RAW.MOVIES AS films
        JOIN CORE.APPLIED_DAYS AS applied
            ON applied.source = films.source AND applied.dt = films.dt
            AND applied.batch_id = films.batch_id AND applied.transform_id = films.transform_id
        WHERE films.source = %(source)s AND films.dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
    )
""",
        offenders="""
    SELECT movie_id, 'only in RAW' AS fault FROM (
        SELECT films.movie_id
        FROM RAW.MOVIES AS films
        JOIN CORE.APPLIED_DAYS AS applied
            ON applied.source = films.source AND applied.dt = films.dt
            AND applied.batch_id = films.batch_id AND applied.transform_id = films.transform_id
        WHERE films.source = %(source)s AND films.dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
    )
                WHERE movie_id NOT IN (
        SELECT movie_id FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
    )
                UNION ALL
                SELECT movie_id, 'only in the snapshot' AS fault FROM (
        SELECT movie_id FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
    )
                WHERE movie_id NOT IN (
        SELECT films.movie_id
        FROM RAW.MOVIES AS films
        JOIN CORE.APPLIED_DAYS AS applied
            ON applied.source = films.source AND applied.dt = films.dt
            AND applied.batch_id = films.batch_id AND applied.transform_id = films.transform_id
        WHERE films.source = %(source)s AND films.dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
    )
""",
        next_step="find the run of the task graph in OPS.core_changes; the day's facts are made again when its batch is transformed again",
    ),
    SqlRule(
        asset="snowflake/marts/current_movies",
        name="films_match_core",
        blocking=True,
        binds=False,
        claim="The films are those that are current and not removed in CORE, with the box office of their latest snapshot.",
        checked="SELECT COUNT(*) AS checked FROM (SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted)",
        offenders="""
    SELECT COALESCE(mart.source, facts.source) AS source, COALESCE(mart.movie_id, facts.movie_id) AS movie_id, mart.films AS films_of_mart, facts.films AS films_of_facts, mart.box_office AS box_office_of_mart, facts.box_office AS box_office_of_facts
        FROM (SELECT source, movie_id, 1 AS films, box_office FROM MARTS.CURRENT_MOVIES) AS mart
        FULL OUTER JOIN (SELECT source, movie_id, 1 AS films, box_office FROM (
        SELECT film.source, film.movie_id, film.movie_key, snapshot.dt, snapshot.box_office, snapshot.average_rating
        FROM (SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted) AS film
        JOIN (
            SELECT source, movie_id, MAX(dt) AS dt FROM CORE.FACT_MOVIE_SNAPSHOT GROUP BY source, movie_id
        ) AS latest ON latest.source = film.source AND latest.movie_id = film.movie_id
        JOIN CORE.FACT_MOVIE_SNAPSHOT AS snapshot
            ON snapshot.source = latest.source AND snapshot.movie_id = latest.movie_id AND snapshot.dt = latest.dt
    )) AS facts ON mart.source = facts.source AND mart.movie_id = facts.movie_id
        WHERE ABS(COALESCE(mart.films, 0) - COALESCE(facts.films, 0)) > 0 OR ABS(COALESCE(mart.box_office, 0) - COALESCE(facts.box_office, 0)) > 0
""",
        next_step="compare the view with its file in snowflake/; `movie-platform provision` makes it again",
    ),
    SqlRule(
        asset="snowflake/marts/current_movies",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, movie_id) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.CURRENT_MOVIES",
        offenders="SELECT source, movie_id, COUNT(*) AS row_total FROM MARTS.CURRENT_MOVIES GROUP BY source, movie_id HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/data_quality_daily",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, dt) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.DATA_QUALITY_DAILY",
        offenders="SELECT source, dt, COUNT(*) AS row_total FROM MARTS.DATA_QUALITY_DAILY GROUP BY source, dt HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/data_quality_daily",
        name="rows_reconcile",
        blocking=True,
        binds=False,
        claim="For each day that CORE shows, rows in = films + quarantined rows + duplicates, and each quarantined row has its rule.",
        checked="SELECT COUNT(*) AS checked FROM CORE.APPLIED_DAYS",
        offenders="""
    SELECT
        applied.source, applied.dt, quality.rows_in, quality.films, quality.quarantined_rows,
        quality.exact_duplicates, quality.unaccounted_rows
    FROM CORE.APPLIED_DAYS AS applied
    LEFT JOIN MARTS.DATA_QUALITY_DAILY AS quality
        ON quality.source = applied.source AND quality.dt = applied.dt
    WHERE quality.rows_in IS NULL
        OR quality.rows_in <> quality.films + quality.quarantined_rows + quality.exact_duplicates
        OR quality.unaccounted_rows <> 0
        OR quality.quarantined_rows <> quality.quarantined_by_reader + quality.quarantined_missing_key + quality.quarantined_missing_title + quality.quarantined_impossible_year + quality.quarantined_impossible_runtime + quality.quarantined_duplicate_key + quality.quarantined_by_other_rule
""",
        next_step="compare the day's films in RAW and in fact_movie_snapshot, and its rows in OPS.quarantined_rows, with what RAW.batches announces",
    ),
    SqlRule(
        asset="snowflake/marts/director_leaderboard",
        name="directors_films_match_core",
        blocking=True,
        binds=False,
        claim="Exactly the directors with 5 rated films have a place, with all their films.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.DIRECTOR_LEADERBOARD",
        offenders="""
    SELECT COALESCE(mart.source, facts.source) AS source, COALESCE(mart.person_key, facts.person_key) AS person_key, mart.films AS films_of_mart, facts.films AS films_of_facts, mart.rated_films AS rated_films_of_mart, facts.rated_films AS rated_films_of_facts
        FROM (SELECT source, person_key, films, rated_films FROM MARTS.DIRECTOR_LEADERBOARD) AS mart
        FULL OUTER JOIN (
                    SELECT
                        film.source, bridge.person_key, COUNT(*) AS films, COUNT(film.average_rating) AS rated_films
                    FROM (
        SELECT film.source, film.movie_id, film.movie_key, snapshot.dt, snapshot.box_office, snapshot.average_rating
        FROM (SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted) AS film
        JOIN (
            SELECT source, movie_id, MAX(dt) AS dt FROM CORE.FACT_MOVIE_SNAPSHOT GROUP BY source, movie_id
        ) AS latest ON latest.source = film.source AND latest.movie_id = film.movie_id
        JOIN CORE.FACT_MOVIE_SNAPSHOT AS snapshot
            ON snapshot.source = latest.source AND snapshot.movie_id = latest.movie_id AND snapshot.dt = latest.dt
    ) AS film
                    JOIN CORE.BRIDGE_MOVIE_PERSON AS bridge
                        ON bridge.movie_key = film.movie_key AND bridge.role = 'director'
                    GROUP BY film.source, bridge.person_key
                    HAVING COUNT(film.average_rating) >= 5
                ) AS facts ON mart.source = facts.source AND mart.person_key = facts.person_key
        WHERE ABS(COALESCE(mart.films, 0) - COALESCE(facts.films, 0)) > 0 OR ABS(COALESCE(mart.rated_films, 0) - COALESCE(facts.rated_films, 0)) > 0
""",
        next_step="compare the view with its file in snowflake/; `movie-platform provision` makes it again",
    ),
    SqlRule(
        asset="snowflake/marts/director_leaderboard",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, person_key) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.DIRECTOR_LEADERBOARD",
        offenders="SELECT source, person_key, COUNT(*) AS row_total FROM MARTS.DIRECTOR_LEADERBOARD GROUP BY source, person_key HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/genre_performance",
        name="allocated_sums_match_facts",
        blocking=True,
        binds=False,
        claim="Films and takings that are shared out among genres add up to the films and takings of the latest snapshot.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.GENRE_PERFORMANCE",
        offenders="""
    SELECT mart.*, facts.films, facts.box_office
                FROM (
                    SELECT
                        source, COUNT(*) AS genres, SUM(allocated_films) AS allocated_films,
                        SUM(allocated_box_office) AS allocated_box_office
                    FROM MARTS.GENRE_PERFORMANCE
                    GROUP BY source
                ) AS mart
                FULL OUTER JOIN (
                    SELECT source, COUNT(*) AS films, SUM(box_office) AS box_office FROM (
        SELECT film.source, film.movie_id, film.movie_key, snapshot.dt, snapshot.box_office, snapshot.average_rating
        FROM (SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted) AS film
        JOIN (
            SELECT source, movie_id, MAX(dt) AS dt FROM CORE.FACT_MOVIE_SNAPSHOT GROUP BY source, movie_id
        ) AS latest ON latest.source = film.source AND latest.movie_id = film.movie_id
        JOIN CORE.FACT_MOVIE_SNAPSHOT AS snapshot
            ON snapshot.source = latest.source AND snapshot.movie_id = latest.movie_id AND snapshot.dt = latest.dt
    ) GROUP BY source
                ) AS facts ON facts.source = mart.source
                WHERE COALESCE(mart.allocated_films, 0) <> COALESCE(facts.films, 0)
                    OR ABS(COALESCE(mart.allocated_box_office, 0) - COALESCE(facts.box_office, 0))
                        > 0.005 * COALESCE(mart.genres, 0)
""",
        next_step="the weights of bridge_movie_genre do not sum to 1, or a film is in the view twice or not at all",
    ),
    SqlRule(
        asset="snowflake/marts/genre_performance",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, genre) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.GENRE_PERFORMANCE",
        offenders="SELECT source, genre, COUNT(*) AS row_total FROM MARTS.GENRE_PERFORMANCE GROUP BY source, genre HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/movie_history",
        name="changes_are_explained",
        blocking=False,
        binds=False,
        claim="A version that changed says in what.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.MOVIE_HISTORY WHERE event = 'changed'",
        offenders="""
    SELECT source, movie_id, valid_from, event, row_hash
    FROM MARTS.MOVIE_HISTORY
    WHERE event = 'changed' AND changed_attribute_count = 0
""",
        next_step="a newer transform hashes films otherwise: transform the days before again; or an attribute is not compared",
    ),
    SqlRule(
        asset="snowflake/marts/movie_history",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(movie_key) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.MOVIE_HISTORY",
        offenders="SELECT movie_key, COUNT(*) AS row_total FROM MARTS.MOVIE_HISTORY GROUP BY movie_key HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/movie_history",
        name="versions_match_core",
        blocking=True,
        binds=False,
        claim="The versions are those of dim_movie, no fewer and no more.",
        checked="SELECT COUNT(*) AS checked FROM CORE.DIM_MOVIE",
        offenders="""
    SELECT COALESCE(mart.source, facts.source) AS source, COALESCE(mart.movie_id, facts.movie_id) AS movie_id, COALESCE(mart.valid_from, facts.valid_from) AS valid_from, mart.versions AS versions_of_mart, facts.versions AS versions_of_facts
    FROM (SELECT source, movie_id, valid_from, 1 AS versions FROM MARTS.MOVIE_HISTORY) AS mart
    FULL OUTER JOIN (SELECT source, movie_id, valid_from, 1 AS versions FROM CORE.DIM_MOVIE) AS facts ON mart.source = facts.source AND mart.movie_id = facts.movie_id AND mart.valid_from = facts.valid_from
    WHERE ABS(COALESCE(mart.versions, 0) - COALESCE(facts.versions, 0)) > 0
""",
        next_step="compare the view with its file in snowflake/; `movie-platform provision` makes it again",
    ),
    SqlRule(
        asset="snowflake/marts/rating_charts",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, provider) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.RATING_CHARTS",
        offenders="SELECT source, provider, COUNT(*) AS row_total FROM MARTS.RATING_CHARTS GROUP BY source, provider HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/rating_charts",
        name="rated_films_match_facts",
        blocking=True,
        binds=False,
        claim="Each provider's films, and the bands that they fall in, are the ratings of the films' latest day.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.RATING_CHARTS",
        offenders="""
    SELECT COALESCE(mart.source, facts.source) AS source, COALESCE(mart.provider, facts.provider) AS provider, mart.films AS films_of_mart, facts.films AS films_of_facts, mart.rated_films AS rated_films_of_mart, facts.rated_films AS rated_films_of_facts, mart.banded_films AS banded_films_of_mart, facts.banded_films AS banded_films_of_facts
        FROM (SELECT source, provider, films, rated_films, acclaimed_films + good_films + mixed_films + poor_films AS banded_films FROM MARTS.RATING_CHARTS) AS mart
        FULL OUTER JOIN (
                    SELECT
                        rating.source, provider.provider, COUNT(*) AS films, COUNT(rating.rating) AS rated_films,
                        COUNT(rating.rating) AS banded_films
                    FROM (
        SELECT film.source, film.movie_id, film.movie_key, snapshot.dt, snapshot.box_office, snapshot.average_rating
        FROM (SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted) AS film
        JOIN (
            SELECT source, movie_id, MAX(dt) AS dt FROM CORE.FACT_MOVIE_SNAPSHOT GROUP BY source, movie_id
        ) AS latest ON latest.source = film.source AND latest.movie_id = film.movie_id
        JOIN CORE.FACT_MOVIE_SNAPSHOT AS snapshot
            ON snapshot.source = latest.source AND snapshot.movie_id = latest.movie_id AND snapshot.dt = latest.dt
    ) AS film
                    JOIN CORE.FACT_MOVIE_RATING AS rating
                        ON rating.source = film.source AND rating.movie_id = film.movie_id AND rating.dt = film.dt
                    JOIN CORE.DIM_RATING_PROVIDER AS provider ON provider.provider_key = rating.provider_key
                    GROUP BY rating.source, provider.provider
                ) AS facts ON mart.source = facts.source AND mart.provider = facts.provider
        WHERE ABS(COALESCE(mart.films, 0) - COALESCE(facts.films, 0)) > 0 OR ABS(COALESCE(mart.rated_films, 0) - COALESCE(facts.rated_films, 0)) > 0 OR ABS(COALESCE(mart.banded_films, 0) - COALESCE(facts.banded_films, 0)) > 0
""",
        next_step="compare the view with its file in snowflake/; `movie-platform provision` makes it again",
    ),
    SqlRule(
        asset="snowflake/marts/rating_trends",
        name="films_match_fact_rows",
        blocking=True,
        binds=False,
        claim="The films of all providers on a day are the rows of the fact on that day.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.RATING_TRENDS",
        offenders="""
    SELECT COALESCE(mart.source, facts.source) AS source, COALESCE(mart.dt, facts.dt) AS dt, mart.films AS films_of_mart, facts.films AS films_of_facts
    FROM (SELECT source, dt, SUM(films) AS films FROM MARTS.RATING_TRENDS GROUP BY source, dt) AS mart
    FULL OUTER JOIN (SELECT source, dt, COUNT(*) AS films FROM CORE.FACT_MOVIE_RATING GROUP BY source, dt) AS facts ON mart.source = facts.source AND mart.dt = facts.dt
    WHERE ABS(COALESCE(mart.films, 0) - COALESCE(facts.films, 0)) > 0
""",
        next_step="a rating whose provider is not in dim_rating_provider is left out: see foreign_keys_resolve of the fact",
    ),
    SqlRule(
        asset="snowflake/marts/rating_trends",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, provider, dt) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.RATING_TRENDS",
        offenders="SELECT source, provider, dt, COUNT(*) AS row_total FROM MARTS.RATING_TRENDS GROUP BY source, provider, dt HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/top_movies",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, provider, movie_id) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.TOP_MOVIES",
        offenders="SELECT source, provider, movie_id, COUNT(*) AS row_total FROM MARTS.TOP_MOVIES GROUP BY source, provider, movie_id HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/top_movies",
        name="weighted_ratings_are_bounded",
        blocking=True,
        binds=False,
        claim="A weighted rating lies between the film's rating and the prior mean, at least half-way to the rating, and better ones come first.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.TOP_MOVIES",
        offenders="""
    SELECT source, provider, rank, movie_id, rating, votes, weighted_rating, prior_mean, minimum_votes
    FROM (
        SELECT
            chart.*,
            LAG(weighted_rating) OVER (PARTITION BY source, provider ORDER BY rank) AS better,
            ROW_NUMBER() OVER (PARTITION BY source, provider ORDER BY rank) AS place
        FROM MARTS.TOP_MOVIES AS chart
    )
    WHERE weighted_rating < LEAST(rating, prior_mean) - 0.01
        OR weighted_rating > GREATEST(rating, prior_mean) + 0.01
        OR ABS(weighted_rating - rating) > ABS(weighted_rating - prior_mean) + 0.02
        OR votes < minimum_votes
        OR better < weighted_rating
        OR place <> rank
""",
        next_step="compare the view with its file in snowflake/; `movie-platform provision` makes it again",
    ),
    SqlRule(
        asset="snowflake/marts/yearly_box_office",
        name="grain_is_unique",
        blocking=True,
        binds=False,
        claim="(source, year) appears once.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.YEARLY_BOX_OFFICE",
        offenders="SELECT source, year, COUNT(*) AS row_total FROM MARTS.YEARLY_BOX_OFFICE GROUP BY source, year HAVING COUNT(*) > 1",
        next_step="the checks of the tables of CORE say more; a view is right when its tables are",
    ),
    SqlRule(
        asset="snowflake/marts/yearly_box_office",
        name="years_add_up_to_facts",
        blocking=True,
        binds=False,
        claim="Films and takings of all years, the unknown one among them, are those of the latest snapshot.",
        checked="SELECT COUNT(*) AS checked FROM MARTS.YEARLY_BOX_OFFICE",
        offenders="""
    SELECT COALESCE(mart.source, facts.source) AS source, mart.films AS films_of_mart, facts.films AS films_of_facts, mart.box_office AS box_office_of_mart, facts.box_office AS box_office_of_facts
        FROM (SELECT source, SUM(films) AS films, SUM(box_office_total) AS box_office FROM MARTS.YEARLY_BOX_OFFICE GROUP BY source) AS mart
        FULL OUTER JOIN (SELECT source, COUNT(*) AS films, SUM(box_office) AS box_office FROM (
        SELECT film.source, film.movie_id, film.movie_key, snapshot.dt, snapshot.box_office, snapshot.average_rating
        FROM (SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted) AS film
        JOIN (
            SELECT source, movie_id, MAX(dt) AS dt FROM CORE.FACT_MOVIE_SNAPSHOT GROUP BY source, movie_id
        ) AS latest ON latest.source = film.source AND latest.movie_id = film.movie_id
        JOIN CORE.FACT_MOVIE_SNAPSHOT AS snapshot
            ON snapshot.source = latest.source AND snapshot.movie_id = latest.movie_id AND snapshot.dt = latest.dt
    ) GROUP BY source) AS facts ON mart.source = facts.source
        WHERE ABS(COALESCE(mart.films, 0) - COALESCE(facts.films, 0)) > 0 OR ABS(COALESCE(mart.box_office, 0) - COALESCE(facts.box_office, 0)) > 0
""",
        next_step="compare the view with its file in snowflake/; `movie-platform provision` makes it again",
    ),
)


def examine(
    connection: "SnowflakeConnection", rule: SqlRule, values: dict[str, Any] | None = None
) -> Finding:
    """What a rule finds: how many rows it looked at, and which break it; `values` are what its queries bind.

    A rule whose queries Snowflake refuses does not hold: that something of it is missing is a finding, too.
    """
    import snowflake.connector

    try:
        [checked] = query_rows(connection, rule.checked, values)
        [rows_checked] = checked.values()
        faults = list(
            query_rows(
                connection,
                f"SELECT offenders.*, COUNT(*) OVER () AS offender_total FROM ({rule.offenders}) AS offenders"  # noqa: S608 - constants
                f" LIMIT {SAMPLE_ROWS}",
                values,
            )
        )
    except snowflake.connector.errors.ProgrammingError as error:
        return Finding(
            passed=False,
            summary=f"could not be evaluated: {error} ({rule.claim})",
            next_step="`movie-platform provision` makes what is missing; see whether the role may read it",
        )
    total = int(faults[0]["offender_total"]) if faults else 0
    return Finding(
        passed=total == 0,
        summary=f"{int(rows_checked)} looked at, {total} break the rule: {rule.claim}",
        counts={"checked": int(rows_checked), "offenders": total},
        offenders=[
            {name: _shown(value) for name, value in fault.items() if name != "offender_total"}
            for fault in faults
        ],
        next_step=rule.next_step,
    )


def _shown(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def hold_rules(assets: Sequence[str], record: TransformRecord, role: str | None) -> dict[str, str]:
    """The summary of each rule of some assets. Raises CheckFailedError where a blocking one does not hold."""
    values = {"source": record.source, "dt": record.dt}
    rules = [rule for rule in RULES if rule.asset in assets]
    with warehouse("check", role=role) as connection:
        findings = [(rule, examine(connection, rule, values if rule.binds else None)) for rule in rules]
    return hold([(rule.asset, rule.name, rule.blocking, finding) for rule, finding in findings])


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
    """How many different rows of a table came from each of the files; files without any are left out."""
    if not keys:
        return {}
    rows = query_rows(connection, rows_statement(table, len(keys)), tuple(keys))
    return {row["file_name"]: int(row["row_total"]) for row in rows}


def evidence_of(connection: Any, table: str, files: Sequence[ArchiveFile]) -> Evidence:
    """What a table and its load history say of exactly these files."""
    expected = {file.key: file.rows for file in files}
    rows = rows_by_file(connection, table, list(expected))
    short = [key for key, wanted in expected.items() if rows.get(key, 0) < wanted or not wanted]
    names = {key.rsplit("/", 1)[-1] for key in short}
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
    tags=[
        "movies",
        "layer:core",
        "layer:marts",
        "model:applied",
        "model:bridge",
        "model:dim",
        "model:fact",
        "snowflake_core",
        "snowflake_marts",
        "snowflake_ops",
        "snowflake_raw",
    ],
    doc_md="""Runs when a transform has written all tables of the archive, for each batch that it announced.

| asset | what it is | made with | owners |
|---|---|---|---|
| snowflake/core/applied_days | The winning version of each source and day: what the rest of CORE shows. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/bridge_movie_genre | Genres of each version of a film; a removed film has none. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/bridge_movie_person | People of each version of a film by role; a removed film has none. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/dim_date | Days from 1870-01-01 to 2100-12-31. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/dim_genre | Genres, SCD type 1: a row a genre, whatever its case; the newest spelling is kept. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/dim_movie | Films, SCD type 2: a row a version; versions of a film follow each other without gap or overlap. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/dim_person | People, SCD type 1: a row a name, whatever its case; the newest spelling is kept. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/dim_rating_provider | Who rates, SCD type 1. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/fact_movie_rating | A row a film, rating provider and day. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/core/fact_movie_snapshot | A row a film and day: what the day's winning batch says of it. Kept by streams and a task graph in Snowflake. | snowflake, sql, table | team:data-platform |
| snowflake/marts/current_movies | Films as they are now: a row a film that is current and not removed, with its latest measures. A view; grain: source, movie_id. | snowflake, view | team:data-platform |
| snowflake/marts/data_quality_daily | What became of the rows of each day, how complete its films are, and which rules of CORE failed. A view; grain: source, dt. | snowflake, view | team:data-platform |
| snowflake/marts/director_leaderboard | Directors by the mean rating of their films as they are now; it takes 5 rated films to have a place. A film of several directors counts in full for each, but for the box office, which they share. A view; grain: source, person_key. | snowflake, view | team:data-platform |
| snowflake/marts/genre_performance | Genres as they do now. A film counts in full in each of its genres, but for the columns that allocate: there it is shared out among them, so that their sums over all genres count each film once. A view; grain: source, genre. | snowflake, view | team:data-platform |
| snowflake/marts/movie_history | Every version of every film laid open: from when to when it was true, and what made it. A view; grain: movie_key. | snowflake, view | team:data-platform |
| snowflake/marts/rating_charts | How each provider rates the films as they are now: average, spread and bands, for charts. A view; grain: source, provider. | snowflake, view | team:data-platform |
| snowflake/marts/rating_trends | How ratings move: a row a provider and day. A film is compared with the last day before on which the provider had it. A view; grain: source, provider, dt. | snowflake, view | team:data-platform |
| snowflake/marts/top_movies | Best films by weighted rating, a chart a provider. The weighted rating is the one that IMDb published for its Top 250, a Bayesian estimate: WR = v / (v + m) * R + m / (v + m) * C, with R the film's rating and v its votes. C, the prior mean, is the mean rating of all films with votes of the source and provider; m is the third quartile of their votes. As on IMDb, m is also what it takes to be listed: films with fewer are not. A view; grain: source, provider, movie_id. | snowflake, view | team:data-platform |
| snowflake/marts/yearly_box_office | Takings by year of release, as they are known now; films without a year have a row of their own. A view; grain: source, year. | snowflake, view | team:data-platform |
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

        @task(
            task_id="core_tables",
            doc_md="snowflake/core/applied_days: The winning version of each source and day: what the rest of CORE shows. Kept by streams and a task graph in Snowflake. snowflake/core/bridge_movie_genre: Genres of each version of a film; a removed film has none. Kept by streams and a task graph in Snowflake. snowflake/core/bridge_movie_person: People of each version of a film by role; a removed film has none. Kept by streams and a task graph in Snowflake. snowflake/core/dim_date: Days from 1870-01-01 to 2100-12-31. Kept by streams and a task graph in Snowflake. snowflake/core/dim_genre: Genres, SCD type 1: a row a genre, whatever its case; the newest spelling is kept. Kept by streams and a task graph in Snowflake. snowflake/core/dim_movie: Films, SCD type 2: a row a version; versions of a film follow each other without gap or overlap. Kept by streams and a task graph in Snowflake. snowflake/core/dim_person: People, SCD type 1: a row a name, whatever its case; the newest spelling is kept. Kept by streams and a task graph in Snowflake. snowflake/core/dim_rating_provider: Who rates, SCD type 1. Kept by streams and a task graph in Snowflake. snowflake/core/fact_movie_rating: A row a film, rating provider and day. Kept by streams and a task graph in Snowflake. snowflake/core/fact_movie_snapshot: A row a film and day: what the day's winning batch says of it. Kept by streams and a task graph in Snowflake.",
            inlets=[
                ASSETS["snowflake/ops/quarantined_rows"],
                ASSETS["snowflake/raw/batches"],
                ASSETS["snowflake/raw/movie_genres"],
                ASSETS["snowflake/raw/movie_people"],
                ASSETS["snowflake/raw/movie_ratings"],
                ASSETS["snowflake/raw/movies"],
            ],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def core_tables(record_uri, *, run_id=None) -> dict:
            """Executes the task graph where it must, and waits until CORE shows the version, or a later one."""
            record = read_record(record_uri)
            version = (record.source, record.dt, record.batch_id, record.transform_id)
            with explained(), warehouse("core", role=setting("transformer_role")) as connection:
                request = Request(connection, connection.database, *version)
                request.try_again()
                request.note_load(run_id)
                applied = until_applied(request, logging.getLogger(__name__), 900)
            if applied.superseded:
                print(f"CORE shows a later batch of the day, {applied.batch_id}; this one is kept in RAW.")
            shown = {"batch_id": applied.batch_id, "transform_id": applied.transform_id}
            return {**shown, "executions": applied.executions}

        core_tables_task = core_tables(record)
        [
            batches_loaded_rows_match_archive_task,
            movie_genres_loaded_rows_match_archive_task,
            movie_people_loaded_rows_match_archive_task,
            movie_ratings_loaded_rows_match_archive_task,
            movies_loaded_rows_match_archive_task,
            quarantined_rows_loaded_rows_match_archive_task,
        ] >> core_tables_task

        @task(
            task_id="core_checks",
            inlets=[
                ASSETS["snowflake/ops/quarantined_rows"],
                ASSETS["snowflake/raw/batches"],
                ASSETS["snowflake/raw/movie_genres"],
                ASSETS["snowflake/raw/movie_people"],
                ASSETS["snowflake/raw/movie_ratings"],
                ASSETS["snowflake/raw/movies"],
            ],
            outlets=[
                ASSETS["snowflake/core/applied_days"],
                ASSETS["snowflake/core/bridge_movie_genre"],
                ASSETS["snowflake/core/bridge_movie_person"],
                ASSETS["snowflake/core/dim_date"],
                ASSETS["snowflake/core/dim_genre"],
                ASSETS["snowflake/core/dim_movie"],
                ASSETS["snowflake/core/dim_person"],
                ASSETS["snowflake/core/dim_rating_provider"],
                ASSETS["snowflake/core/fact_movie_rating"],
                ASSETS["snowflake/core/fact_movie_snapshot"],
            ],
        )
        def core_checks(record_uri, *, outlet_events=None) -> dict[str, str]:
            """The rules of these assets, then their events."""
            record = read_record(record_uri)
            assets = (
                "snowflake/core/applied_days",
                "snowflake/core/bridge_movie_genre",
                "snowflake/core/bridge_movie_person",
                "snowflake/core/dim_date",
                "snowflake/core/dim_genre",
                "snowflake/core/dim_movie",
                "snowflake/core/dim_person",
                "snowflake/core/dim_rating_provider",
                "snowflake/core/fact_movie_rating",
                "snowflake/core/fact_movie_snapshot",
            )
            summary = hold_rules(assets, record, setting("transformer_role"))
            for key in assets:
                outlet_events[ASSETS[key]].extra = about(record)
            return summary

        core_checks_task = core_checks(record)
        [core_tables_task] >> core_checks_task

        @task(
            task_id="marts",
            doc_md="snowflake/marts/current_movies: Films as they are now: a row a film that is current and not removed, with its latest measures. A view; grain: source, movie_id. snowflake/marts/data_quality_daily: What became of the rows of each day, how complete its films are, and which rules of CORE failed. A view; grain: source, dt. snowflake/marts/director_leaderboard: Directors by the mean rating of their films as they are now; it takes 5 rated films to have a place. A film of several directors counts in full for each, but for the box office, which they share. A view; grain: source, person_key. snowflake/marts/genre_performance: Genres as they do now. A film counts in full in each of its genres, but for the columns that allocate: there it is shared out among them, so that their sums over all genres count each film once. A view; grain: source, genre. snowflake/marts/movie_history: Every version of every film laid open: from when to when it was true, and what made it. A view; grain: movie_key. snowflake/marts/rating_charts: How each provider rates the films as they are now: average, spread and bands, for charts. A view; grain: source, provider. snowflake/marts/rating_trends: How ratings move: a row a provider and day. A film is compared with the last day before on which the provider had it. A view; grain: source, provider, dt. snowflake/marts/top_movies: Best films by weighted rating, a chart a provider. The weighted rating is the one that IMDb published for its Top 250, a Bayesian estimate: WR = v / (v + m) * R + m / (v + m) * C, with R the film's rating and v its votes. C, the prior mean, is the mean rating of all films with votes of the source and provider; m is the third quartile of their votes. As on IMDb, m is also what it takes to be listed: films with fewer are not. A view; grain: source, provider, movie_id. snowflake/marts/yearly_box_office: Takings by year of release, as they are known now; films without a year have a row of their own. A view; grain: source, year.",
            inlets=[
                ASSETS["snowflake/core/applied_days"],
                ASSETS["snowflake/core/bridge_movie_genre"],
                ASSETS["snowflake/core/bridge_movie_person"],
                ASSETS["snowflake/core/dim_genre"],
                ASSETS["snowflake/core/dim_movie"],
                ASSETS["snowflake/core/dim_person"],
                ASSETS["snowflake/core/dim_rating_provider"],
                ASSETS["snowflake/core/fact_movie_rating"],
                ASSETS["snowflake/core/fact_movie_snapshot"],
                ASSETS["snowflake/ops/quarantined_rows"],
                ASSETS["snowflake/raw/batches"],
            ],
            retries=2,
            retry_delay=timedelta(seconds=5),
            retry_exponential_backoff=2.0,
            pool="snowflake",
        )
        def marts(record_uri) -> dict:
            """Fails where a view is missing or is not as its contract says; else says how many rows it shows."""
            views = {
                "MARTS.CURRENT_MOVIES": [
                    "source",
                    "movie_id",
                    "movie_key",
                    "dt",
                    "measured_on",
                    "current_since",
                    "imdb_id",
                    "title",
                    "original_title",
                    "title_sort_key",
                    "type",
                    "year",
                    "decade",
                    "release_date",
                    "release_date_precision",
                    "release_quarter",
                    "runtime_minutes",
                    "primary_genre",
                    "genres",
                    "directors",
                    "languages",
                    "countries",
                    "production_companies",
                    "certification",
                    "popularity",
                    "budget",
                    "box_office",
                    "profit",
                    "return_on_investment",
                    "average_rating",
                    "rating_band",
                ],
                "MARTS.DATA_QUALITY_DAILY": [
                    "source",
                    "dt",
                    "batch_id",
                    "transform_id",
                    "load_type",
                    "extracted_at",
                    "rows_in",
                    "films",
                    "quarantined_rows",
                    "exact_duplicates",
                    "unaccounted_rows",
                    "quarantined_share",
                    "quarantined_by_reader",
                    "quarantined_missing_key",
                    "quarantined_missing_title",
                    "quarantined_impossible_year",
                    "quarantined_impossible_runtime",
                    "quarantined_duplicate_key",
                    "quarantined_by_other_rule",
                    "imdb_id_null_share",
                    "year_null_share",
                    "release_date_null_share",
                    "runtime_minutes_null_share",
                    "genres_null_share",
                    "directors_null_share",
                    "certification_null_share",
                    "budget_null_share",
                    "box_office_null_share",
                    "average_rating_null_share",
                    "rules_measured",
                    "rules_failed",
                    "failed_rules",
                    "measured_at",
                ],
                "MARTS.DIRECTOR_LEADERBOARD": [
                    "source",
                    "rank",
                    "person_key",
                    "director",
                    "dt",
                    "films",
                    "rated_films",
                    "average_rating",
                    "acclaimed_films",
                    "acclaimed_share",
                    "first_year",
                    "last_year",
                    "box_office_films",
                    "allocated_box_office",
                    "best_movie_id",
                    "best_title",
                    "best_rating",
                ],
                "MARTS.GENRE_PERFORMANCE": [
                    "source",
                    "genre",
                    "dt",
                    "films",
                    "allocated_films",
                    "rated_films",
                    "average_rating",
                    "acclaimed_films",
                    "acclaimed_share",
                    "box_office_films",
                    "box_office_total",
                    "box_office_average",
                    "box_office_median",
                    "allocated_box_office",
                    "profit_films",
                    "allocated_profit",
                    "return_on_investment",
                ],
                "MARTS.MOVIE_HISTORY": [
                    "source",
                    "movie_id",
                    "movie_key",
                    "version",
                    "versions",
                    "valid_from",
                    "valid_to",
                    "is_current",
                    "is_deleted",
                    "event",
                    "changed_attribute_count",
                    "changed_attributes",
                    "changes",
                    "title",
                    "previous_title",
                    "type",
                    "year",
                    "primary_genre",
                    "genres",
                    "directors",
                    "runtime_minutes",
                    "release_date",
                    "certification",
                    "row_hash",
                ],
                "MARTS.RATING_CHARTS": [
                    "source",
                    "provider",
                    "provider_name",
                    "original_scale",
                    "dt",
                    "films",
                    "rated_films",
                    "rated_share",
                    "average_rating",
                    "vote_weighted_rating",
                    "lower_quartile",
                    "median_rating",
                    "upper_quartile",
                    "lowest_rating",
                    "highest_rating",
                    "rating_deviation",
                    "voted_films",
                    "votes",
                    "acclaimed_films",
                    "good_films",
                    "mixed_films",
                    "poor_films",
                ],
                "MARTS.RATING_TRENDS": [
                    "source",
                    "provider",
                    "provider_name",
                    "dt",
                    "films",
                    "rated_films",
                    "average_rating",
                    "votes",
                    "first_rated_films",
                    "compared_films",
                    "risen_films",
                    "fallen_films",
                    "average_change",
                    "greatest_rise",
                    "greatest_fall",
                    "votes_gained",
                ],
                "MARTS.TOP_MOVIES": [
                    "source",
                    "provider",
                    "provider_name",
                    "rank",
                    "movie_id",
                    "dt",
                    "title",
                    "year",
                    "genres",
                    "directors",
                    "weighted_rating",
                    "rating",
                    "votes",
                    "prior_mean",
                    "minimum_votes",
                    "box_office",
                ],
                "MARTS.YEARLY_BOX_OFFICE": [
                    "source",
                    "year",
                    "dt",
                    "decade",
                    "films",
                    "box_office_films",
                    "box_office_known_share",
                    "box_office_total",
                    "box_office_average",
                    "box_office_median",
                    "box_office_change",
                    "budget_films",
                    "budget_total",
                    "profit_films",
                    "profit_total",
                    "top_movie_id",
                    "top_title",
                    "top_box_office",
                ],
            }
            rows = {}
            with warehouse("marts", role=setting("transformer_role")) as connection:
                for view, columns in views.items():
                    found = [row["name"].lower() for row in query_rows(connection, f"DESCRIBE VIEW {view}")]
                    if found != columns:
                        raise AirflowFailException(
                            f"{view} has the columns {', '.join(found)}; its contract says {', '.join(columns)}"
                        )
                    [row] = query_rows(connection, f"SELECT COUNT(*) AS row_total FROM {view}")
                    rows[view] = int(row["row_total"])
            return rows

        marts_task = marts(record)
        [
            batches_loaded_rows_match_archive_task,
            core_checks_task,
            quarantined_rows_loaded_rows_match_archive_task,
        ] >> marts_task

        @task(
            task_id="mart_checks",
            inlets=[
                ASSETS["snowflake/core/applied_days"],
                ASSETS["snowflake/core/bridge_movie_genre"],
                ASSETS["snowflake/core/bridge_movie_person"],
                ASSETS["snowflake/core/dim_genre"],
                ASSETS["snowflake/core/dim_movie"],
                ASSETS["snowflake/core/dim_person"],
                ASSETS["snowflake/core/dim_rating_provider"],
                ASSETS["snowflake/core/fact_movie_rating"],
                ASSETS["snowflake/core/fact_movie_snapshot"],
                ASSETS["snowflake/ops/quarantined_rows"],
                ASSETS["snowflake/raw/batches"],
            ],
            outlets=[
                ASSETS["snowflake/marts/current_movies"],
                ASSETS["snowflake/marts/data_quality_daily"],
                ASSETS["snowflake/marts/director_leaderboard"],
                ASSETS["snowflake/marts/genre_performance"],
                ASSETS["snowflake/marts/movie_history"],
                ASSETS["snowflake/marts/rating_charts"],
                ASSETS["snowflake/marts/rating_trends"],
                ASSETS["snowflake/marts/top_movies"],
                ASSETS["snowflake/marts/yearly_box_office"],
            ],
        )
        def mart_checks(record_uri, *, outlet_events=None) -> dict[str, str]:
            """The rules of these assets, then their events."""
            record = read_record(record_uri)
            assets = (
                "snowflake/marts/current_movies",
                "snowflake/marts/data_quality_daily",
                "snowflake/marts/director_leaderboard",
                "snowflake/marts/genre_performance",
                "snowflake/marts/movie_history",
                "snowflake/marts/rating_charts",
                "snowflake/marts/rating_trends",
                "snowflake/marts/top_movies",
                "snowflake/marts/yearly_box_office",
            )
            summary = hold_rules(assets, record, setting("transformer_role"))
            for key in assets:
                outlet_events[ASSETS[key]].extra = about(record)
            return summary

        mart_checks_task = mart_checks(record)
        [marts_task] >> mart_checks_task

    load_batch.expand(record=collect_batches())
