"""Runs task graphs: one that is asked for, and those that are due. One graph at a time.

A run of a task is a session of its own with the role of the task's owner. Its transaction ends with it: what a failed
or killed run did is rolled back, and its history says so.
"""

import logging
import threading
import time
import uuid
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from movie_platform.local_cloud.snowflake.bindings import Bindings
from movie_platform.local_cloud.snowflake.errors import SnowflakeError, from_exception
from movie_platform.local_cloud.snowflake.session import Session, Statement, new_query_id
from movie_platform.local_cloud.snowflake.tasks.graph import may_run, run_order
from movie_platform.local_cloud.snowflake.tasks.schedule import next_due, parse_schedule
from movie_platform.local_cloud.snowflake.tasks.script import split_body
from movie_platform.local_cloud.snowflake.tasks.store import (
    FAILED,
    SUCCEEDED,
    SUSPENDED,
    GraphRun,
    Task,
    TaskStore,
)
from movie_platform.local_cloud.snowflake.wire import Result

if TYPE_CHECKING:
    from movie_platform.local_cloud.snowflake.account import Account
    from movie_platform.local_cloud.snowflake.names import FullName

logger = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_SYSTEM_USER = "SYSTEM"
_CONDITION_FALSE = ("0040003", "Conditional expression for task evaluated to false.")


class TaskService:
    """Owns the thread that runs graphs."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self.store = TaskStore(account.engine)
        self._asked: deque[FullName] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._session: Session | None = None

    def start(self) -> None:
        """Starts the thread, after the runs that a kill cut off are noted as failed."""
        self.store.heal()
        self._thread = threading.Thread(target=self._run_forever, name="tasks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cancels what runs and ends the thread."""
        self._stopping.set()
        self._wake.set()
        session = self._session
        if session is not None:
            session.interrupt()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def execute(self, root: Task) -> None:
        """Has a graph run once, now or after what runs; asked twice before it begins it runs once."""
        if root.name not in self._asked:
            self._asked.append(root.name)
        self._wake.set()

    def _run_forever(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()
            try:
                self._round()
            except (duckdb.Error, SnowflakeError) as error:
                # A database that is dropped while its tasks are looked at; the next round sees it gone.
                logger.warning("Tasks cannot be run, next try in %.0f s: %s", _TICK_SECONDS, error)
                self._stopping.wait(_TICK_SECONDS)

    def _round(self) -> None:
        while self._asked and not self._stopping.is_set():
            root = self.store.find(self._asked.popleft())
            if root is not None:
                self._run_graph(root, datetime.now(UTC), "EXECUTE TASK")
        now = datetime.now(UTC)
        for task in self.store.tasks():
            if self._stopping.is_set():
                return
            if task.predecessors or task.schedule is None or not task.started:
                continue
            due = next_due(task.changed_on, self.store.last_scheduled(task), parse_schedule(task.schedule))
            if due <= now:
                self._run_graph(task, now, "SCHEDULE")

    def _run_graph(self, root: Task, scheduled_at: datetime, scheduled_from: str) -> None:
        tasks = {task.name: task for task in self.store.tasks(root.name.database)}
        order = run_order(root.name, {name: task.predecessors for name, task in tasks.items()})
        run = GraphRun(
            str(uuid.uuid4()), int(scheduled_at.timestamp() * 1000), root, scheduled_at, scheduled_from
        )
        # A root runs whether it is suspended or not when it is asked to; its children only when they are resumed.
        started = {name for name, task in tasks.items() if task.started} | {root.name}
        succeeded: set[FullName] = set()
        for name in order:
            task = tasks[name]
            if name != root.name and (
                name not in started or not may_run(task.predecessors, started, succeeded)
            ):
                continue
            if self._stopping.is_set():
                return
            if self._run_task(run, task):
                succeeded.add(name)
        if (
            root.suspend_after
            and self.store.failures_in_a_row(root, root.suspend_after) >= root.suspend_after
        ):
            logger.warning("Task %s is suspended after %d failures", root.name, root.suspend_after)
            self.store.set_state(root, SUSPENDED)

    def _run_task(self, run: GraphRun, task: Task) -> bool:
        query_id = new_query_id()
        session = Session(self._account, _SYSTEM_USER, task.owner, warehouse=task.warehouse)
        timer = threading.Timer(task.timeout_ms / 1000, session.interrupt)
        timer.daemon = True
        self._session = session
        began = time.monotonic()
        try:
            session.translator.use(task.name.database, task.name.schema)
            if task.condition is not None and not self._holds(session, task.condition):
                self.store.skip(run, task, query_id, *_CONDITION_FALSE)
                return False
            self.store.begin(run, task, query_id)
            timer.start()
            try:
                for statement in split_body(task.definition):
                    session.execute(Statement(statement, Bindings(), query_id), _drain)
                session.commit()
            except Exception as error:
                failure = from_exception(error)
                if failure.number == 603:
                    logger.exception("Internal error in task %s", task.name)
                logger.warning("Task %s failed: %s", task.name, failure.message)
                session.rollback()
                self.store.end(task, query_id, FAILED, failure.code, failure.message)
                return False
            self.store.end(task, query_id, SUCCEEDED, None, None)
            logger.info("Task %s succeeded in %.2f s", task.name, time.monotonic() - began)
            return True
        finally:
            timer.cancel()
            self._session = None
            session.close()

    def _holds(self, session: Session, condition: str) -> bool:
        found: list[object] = []

        def keep(result: Result) -> None:
            for batch in result.batches:
                found.extend(batch.column(0).to_pylist())

        session.execute(Statement(f"SELECT ({condition})", Bindings(), new_query_id()), keep)
        return found == [True]


def _drain(result: Result) -> None:
    for _batch in result.batches:
        pass
