# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound
"""Tasks and their runs as they are kept, in the file of their database."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlglot
from sqlglot import exp

from movie_platform.local_cloud.snowflake.state.engine import Engine, state_of
from movie_platform.local_cloud.snowflake.text.names import FullName, literal

STARTED, SUSPENDED = "started", "suspended"
EXECUTING, SUCCEEDED, FAILED, SKIPPED, CANCELLED = "EXECUTING", "SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"
AUTO_SUSPENDED = "FAILED_AND_AUTO_SUSPENDED"
# SHOW TASKS, last_suspended_reason.
BY_USER, BY_ERRORS = "USER_SUSPENDED", "SUSPENDED_DUE_TO_ERRORS"
SERVER_ENDED = "The server ended while the task ran; what it had not committed was rolled back."
KEPT_DAYS = 14
# A condition that is looked at every minute and false would fill the history: of the runs that were passed over the
# newest are kept for each task.
_KEPT_SKIPS = 100

_COLUMNS = (
    "schema_name, name, task_id, created_on, warehouse, schedule, predecessors, condition, definition, state, "
    "changed_on, comment, owner, suspend_after, timeout_ms, suspended_reason"
)
_HISTORY = (
    "QUERY_ID", "NAME", "DATABASE_NAME", "SCHEMA_NAME", "QUERY_TEXT", "CONDITION_TEXT", "STATE", "ERROR_CODE",
    "ERROR_MESSAGE", "SCHEDULED_TIME", "QUERY_START_TIME", "NEXT_SCHEDULED_TIME", "COMPLETED_TIME", "ROOT_TASK_ID",
    "GRAPH_VERSION", "RUN_ID", "RETURN_VALUE", "SCHEDULED_FROM", "ATTEMPT_NUMBER", "GRAPH_RUN_GROUP_ID",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """A task. `changed_on` is when it was last resumed or suspended; `suspend_after` 0 means never."""

    name: FullName
    task_id: str
    created_on: datetime
    warehouse: str | None
    schedule: str | None
    predecessors: tuple[FullName, ...]
    condition: str | None
    definition: str
    state: str
    changed_on: datetime
    comment: str
    owner: str
    suspend_after: int
    timeout_ms: int
    suspended_reason: str | None = None

    @property
    def started(self) -> bool:
        """Whether it is resumed."""
        return self.state == STARTED


@dataclass(frozen=True, slots=True)
class GraphRun:
    """One run of a graph. `run_id` is the scheduled time in milliseconds, as on Snowflake.

    `last_success` is the graph run that succeeded last when this one began: its group and its scheduled time.
    """

    group_id: str
    run_id: int
    root: Task
    scheduled_at: datetime
    scheduled_from: str
    last_success: tuple[str, datetime] | None = None


class TaskStore:
    """Reads and writes tasks and history, each call committed by itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tasks(self, database: str | None = None) -> list[Task]:
        """All tasks of a database, or of the account, by name."""
        databases = self._engine.databases() if database is None else [database]
        return [
            _task(name, row)
            for name in databases
            for row in self._engine.query(
                f"SELECT {_COLUMNS} FROM {state_of(name)}._fs_tasks ORDER BY schema_name, name"
            )
        ]

    def find(self, name: FullName) -> Task | None:
        """A task, None where there is none."""
        if name.database not in self._engine.databases():
            return None
        rows = self._engine.query(
            f"SELECT {_COLUMNS} FROM {state_of(name.database)}._fs_tasks WHERE schema_name = ? AND name = ?",
            [name.schema, name.name],
        )
        return _task(name.database, rows[0]) if rows else None

    def save(self, task: Task) -> None:
        """Writes a task, in the place of one of that name."""
        table = f"{state_of(task.name.database)}._fs_tasks"
        with self._engine.transaction() as connection:
            connection.execute(
                f"DELETE FROM {table} WHERE schema_name = ? AND name = ?", [task.name.schema, task.name.name]
            )
            connection.execute(
                f"INSERT INTO {table} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    task.name.schema, task.name.name, task.task_id, task.created_on, task.warehouse, task.schedule,
                    json.dumps([[name.database, name.schema, name.name] for name in task.predecessors]),
                    task.condition, task.definition, task.state, task.changed_on, task.comment, task.owner,
                    task.suspend_after, task.timeout_ms, task.suspended_reason,
                ],
            )  # fmt: skip

    def set_state(self, task: Task, state: str, *, reason: str = BY_USER) -> None:
        """Resumes or suspends a task, for a reason; nothing happens where it is so already."""
        if task.state != state:
            why = reason if state == SUSPENDED else task.suspended_reason
            self.save(replace(task, state=state, changed_on=datetime.now(UTC), suspended_reason=why))

    def drop(self, name: FullName) -> None:
        """Drops a task; what it did stays in the history."""
        self._engine.write(
            f"DELETE FROM {state_of(name.database)}._fs_tasks WHERE schema_name = ? AND name = ?",
            [name.schema, name.name],
        )

    def begin(self, run: GraphRun, task: Task, query_id: str) -> None:
        """Notes that a task of a graph's run begins."""
        self._note(run, task, query_id, EXECUTING, None, None, None)

    def skip(self, run: GraphRun, task: Task, query_id: str, code: str, message: str) -> None:
        """Notes that a task was passed over; of these only the newest are kept."""
        self._note(run, task, query_id, SKIPPED, code, message, datetime.now(UTC))
        mine = f"{_history(task)} WHERE schema_name = ? AND name = ? AND state = ?"
        values = [task.name.schema, task.name.name, SKIPPED]
        [(count,)] = self._engine.query(f"SELECT count(*) FROM {mine}", values)
        if count > 2 * _KEPT_SKIPS:
            self._engine.write(
                f"DELETE FROM {mine} AND scheduled_time < (SELECT min(scheduled_time) FROM "
                f"(SELECT scheduled_time FROM {mine} ORDER BY scheduled_time DESC LIMIT {_KEPT_SKIPS}))",
                values + values,
            )

    def _note(
        self,
        run: GraphRun,
        task: Task,
        query_id: str,
        state: str,
        code: str | None,
        message: str | None,
        completed_at: datetime | None,
    ) -> None:
        self._engine.write(
            f"INSERT INTO {_history(task)} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, 1, ?, NULL, ?, 1, ?)",
            [
                query_id, task.name.name, task.name.database, task.name.schema, task.definition, task.condition,
                state, code, message, run.scheduled_at, datetime.now(UTC), completed_at, run.root.task_id,
                run.run_id, run.scheduled_from, run.group_id,
            ],
        )  # fmt: skip

    def end(self, task: Task, query_id: str, state: str, code: str | None, message: str | None) -> None:
        """Notes how a task's run ended."""
        self._engine.write(
            f"UPDATE {_history(task)} SET state = ?, error_code = ?, "
            "error_message = ?, completed_time = ? WHERE query_id = ?",
            [state, code, message, datetime.now(UTC), query_id],
        )

    def last_scheduled(self, task: Task) -> datetime | None:
        """When a root was last due by its schedule."""
        rows = self._engine.query(
            f"SELECT max(scheduled_time) FROM {_history(task)} WHERE root_task_id = ? AND scheduled_from = 'SCHEDULE'",
            [task.task_id],
        )
        return rows[0][0]

    def failures_in_a_row(self, root: Task) -> int:
        """How many of the newest runs of a root's graph failed, one after the other, since the root was resumed.

        Runs that were passed over or cancelled, and failures that were the server's own, count for nothing ("CREATE
        TASK", SUSPEND_TASK_AFTER_NUM_FAILURES).
        """
        rows = self._engine.query(
            f"SELECT bool_or(state = ?) FROM {_history(root)} WHERE root_task_id = ? AND scheduled_time >= ? "
            "AND state NOT IN (?, ?) AND error_message IS DISTINCT FROM ? "
            "GROUP BY graph_run_group_id ORDER BY max(scheduled_time) DESC LIMIT ?",
            [FAILED, root.task_id, root.changed_on, SKIPPED, CANCELLED, SERVER_ENDED, root.suspend_after],
        )
        count = 0
        for (failed,) in rows:
            if not failed:
                break
            count += 1
        return count

    def last_success(self, root: Task) -> tuple[str, datetime] | None:
        """The newest run of a root's graph in which no task failed: its group and its scheduled time."""
        rows = self._engine.query(
            f"SELECT graph_run_group_id, min(scheduled_time) FROM {_history(root)} WHERE root_task_id = ? "
            "GROUP BY graph_run_group_id HAVING bool_and(state IN (?, ?)) AND bool_or(state = ?) "
            "ORDER BY 2 DESC LIMIT 1",
            [root.task_id, SUCCEEDED, SKIPPED, SUCCEEDED],
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def suspend_after_failure(self, root: Task, run: GraphRun) -> None:
        """Suspends a root, and notes at what failed in the run that it did so."""
        self._engine.write(
            f"UPDATE {_history(root)} SET state = ? WHERE graph_run_group_id = ? AND state = ?",
            [AUTO_SUSPENDED, run.group_id, FAILED],
        )
        self.set_state(root, SUSPENDED, reason=BY_ERRORS)

    def heal(self) -> None:
        """After a start: runs that a kill cut off have failed."""
        for database in self._engine.databases():
            self._engine.write(
                f"UPDATE {state_of(database)}._fs_task_history SET state = ?, error_code = ?, error_message = ?, "
                "completed_time = ? WHERE state = ?",
                [FAILED, "000604", SERVER_ENDED, datetime.now(UTC), EXECUTING],
            )
        self.prune()

    def prune(self) -> None:
        """Forgets what is too old."""
        for database in self._engine.databases():
            self._engine.write(
                f"DELETE FROM {state_of(database)}._fs_task_history "
                f"WHERE scheduled_time < now() - INTERVAL {KEPT_DAYS} DAY"
            )


def _history(task: Task) -> str:
    return f"{state_of(task.name.database)}._fs_task_history"


def history_query(database: str) -> exp.Select:
    """INFORMATION_SCHEMA.TASK_HISTORY of a database, newest first by its caller."""
    columns = ", ".join(f'{name.lower()} AS "{name}"' for name in _HISTORY)
    tree = sqlglot.parse_one(
        f"SELECT {columns} FROM {state_of(database)}._fs_task_history WHERE database_name = {literal(database)}",
        read="duckdb",
    )
    if not isinstance(tree, exp.Select):
        raise TypeError("the history is no query")
    return tree


def new_task_id() -> str:
    """An identifier for a task, in Snowflake's form."""
    return str(uuid.uuid4())


def _task(database: str, row: Sequence[Any]) -> Task:
    (schema, name, task_id, created_on, warehouse, schedule, predecessors, condition, definition, state, changed_on,
     comment, owner, suspend_after, timeout_ms, suspended_reason) = row  # fmt: skip
    return Task(
        FullName(database, schema, name),
        task_id,
        created_on,
        warehouse,
        schedule,
        tuple(FullName(*parts) for parts in json.loads(predecessors)),
        condition,
        definition,
        state,
        changed_on,
        comment,
        owner,
        suspend_after,
        timeout_ms,
        suspended_reason,
    )
