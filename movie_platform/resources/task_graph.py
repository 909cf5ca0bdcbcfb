"""Executing the task graph that keeps CORE, and waiting for the evidence that a version of a batch is in it.

On Snowflake the graph also runs by itself, so it may have done the work before anybody asks. The evidence is what
CORE.APPLIED_DAYS shows; TASK_HISTORY says whether the graph is still at work, and why it failed.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from movie_platform.contracts.tables import ANNOUNCED_TABLES
from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY
from movie_platform.errors import PlatformError
from movie_platform.resources.graph_state import (
    ROOT_TASK,
    AnnouncedVersion,
    GraphRun,
    PendingDay,
    Standing,
    Step,
    TaskRun,
    graph_runs,
    is_lock_conflict,
    next_step,
    standing,
)
from movie_platform.resources.snowflake import WarehouseResource, query_rows

if TYPE_CHECKING:
    import logging

    from snowflake.connector import SnowflakeConnection

    Log = logging.Logger | dg.DagsterLogManager

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


class TaskGraph(dg.ConfigurableResource):
    """The task graph of CORE in one database, executed with one role."""

    database: str
    role: str
    timeout_seconds: int
    warehouse: dg.ResourceDependency[WarehouseResource]

    def bring(
        self,
        source: str,
        dt: date,
        batch_id: str,
        transform_id: str,
        *,
        log: dg.DagsterLogManager,
        run_id: str,
    ) -> AppliedVersion:
        """Returns when CORE shows the version, or a later one of its day; executes the graph where it must.

        Raises TaskFailedError with the task's own error, and BatchNotAppliedError when the version is not announced,
        the graph does not take it, or time is up.
        """
        with self.warehouse.connect(query_tag=f"movie_platform core {run_id}", role=self.role) as connection:
            request = Request(connection, self.database, source, dt, batch_id, transform_id)
            request.note_load(run_id)
            request.try_again()
            return until_applied(request, log, self.timeout_seconds)


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
