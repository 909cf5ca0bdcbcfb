"""Decides which task graphs run now, and runs them: those that are asked for, due or triggered.

Graphs run beside each other, each on a thread of its own; a graph never beside itself. The tasks of a graph run one
after the other, in the order of `graph.run_order`.
"""

import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import duckdb

from movie_platform.local_cloud.snowflake.background.task_run import TaskRun, holds
from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.task_store import SUCCEEDED, GraphRun, Task
from movie_platform.local_cloud.snowflake.statements.router import Router
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.task_graph import may_run, run_order
from movie_platform.local_cloud.snowflake.text.task_schedule import next_due, parse_schedule

logger = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_GRAPHS_AT_ONCE = 4
# How often the streams of a triggered task are looked at; Snowflake waits 10 to 30 seconds between two runs.
_TRIGGER_SECONDS = 5.0
_PRUNE_SECONDS = 3600.0
# What does not end by then is left behind, as by a kill: the next start notes it as failed.
_STOP_SECONDS = 10.0
_SYSTEM_USER = "SYSTEM"


class Scheduler:
    """Owns the thread that starts graphs, and those that run them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._router = Router()
        self._store = account.tasks
        self._requests = account.task_requests
        self._lock = threading.Lock()
        self._active: dict[FullName, TaskRun | None] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pool = ThreadPoolExecutor(_GRAPHS_AT_ONCE, thread_name_prefix="task-graph")
        # When a graph was due by its schedule and still ran: ALLOW_OVERLAPPING_EXECUTION is FALSE.
        self._passed_over: dict[FullName, datetime] = {}
        self._looked_at: dict[FullName, float] = {}
        self._pruned_at = time.monotonic()

    def start(self) -> None:
        """Starts the thread, after the runs that a kill cut off are noted as failed."""
        self._store.heal()
        self._thread = threading.Thread(target=self._run_forever, name="tasks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends what runs, and then the threads."""
        self._stopping.set()
        self._requests.wake.set()
        if self._thread is not None:
            self._thread.join()
        deadline = time.monotonic() + _STOP_SECONDS
        while self._active and time.monotonic() < deadline:
            for run in self._runs():
                run.shut_down()
            time.sleep(0.02)
        self._pool.shutdown(wait=not self._active, cancel_futures=True)

    def _runs(self) -> list[TaskRun]:
        with self._lock:
            return [run for run in self._active.values() if run is not None]

    def _run_forever(self) -> None:
        while not self._stopping.is_set():
            self._requests.wake.wait(_TICK_SECONDS)
            self._requests.wake.clear()
            try:
                self._round()
            except (duckdb.Error, SnowflakeError) as error:
                # A database that is dropped while its tasks are looked at; the next round sees it gone.
                logger.warning("Tasks cannot be looked at, next try in %.0f s: %s", _TICK_SECONDS, error)
                self._stopping.wait(_TICK_SECONDS)

    def _round(self) -> None:
        for run in self._runs():
            run.press()
        for name in self._ready():
            root = self._store.find(name)
            # Forgotten only now: where the look fails, the next round begins what was promised.
            self._requests.fulfil(name)
            if root is not None:
                self._begin(root, datetime.now(UTC), "EXECUTE TASK")
        now = datetime.now(UTC)
        for task in self._store.tasks():
            if self._stopping.is_set():
                return
            if task.predecessors or not task.started:
                continue
            if task.schedule is None:
                if task.name not in self._active and self._is_triggered(task):
                    self._begin(task, now, "TRIGGER")
                continue
            due = next_due(task.changed_on, self._last_due(task), parse_schedule(task.schedule))
            if due <= now and task.name in self._active:
                self._passed_over[task.name] = due
            elif due <= now:
                self._begin(task, now, "SCHEDULE")
        if time.monotonic() - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            self._store.prune()

    def _last_due(self, task: Task) -> datetime | None:
        times = [self._store.last_scheduled(task), self._passed_over.get(task.name)]
        return max((time for time in times if time is not None), default=None)

    def _ready(self) -> list[FullName]:
        """What was asked for and can begin: a graph that runs already begins again after that."""
        asked = self._requests.asked()
        with self._lock:
            return [name for name in asked if name not in self._active]

    def _is_triggered(self, task: Task) -> bool:
        if time.monotonic() - self._looked_at.get(task.name, 0.0) < _TRIGGER_SECONDS:
            return False
        self._looked_at[task.name] = time.monotonic()
        session = Session(self._account, self._router, _SYSTEM_USER, task.owner)
        try:
            session.translator.use(task.name.database, task.name.schema)
            return holds(session, task.condition or "FALSE")
        except SnowflakeError as error:
            logger.warning("The condition of task %s cannot be evaluated: %s", task.name, error.message)
            return False
        finally:
            session.close()

    def _begin(self, root: Task, scheduled_at: datetime, scheduled_from: str) -> None:
        group_id = str(uuid.uuid4())
        run = GraphRun(
            group_id,
            int(scheduled_at.timestamp() * 1000),
            root,
            scheduled_at,
            scheduled_from,
            self._store.last_success(root),
        )
        with self._lock:
            self._active[root.name] = None
        self._pool.submit(self._run_graph, run)

    def _run_graph(self, run: GraphRun) -> None:
        try:
            self._run_tasks(run)
            self._suspend_after_failures(run)
        except (duckdb.Error, SnowflakeError):
            logger.exception("The graph of task %s was given up", run.root.name)
        finally:
            with self._lock:
                del self._active[run.root.name]
            self._requests.wake.set()

    def _run_tasks(self, run: GraphRun) -> None:
        root = run.root
        tasks = {task.name: task for task in self._store.tasks(root.name.database)}
        # A graph keeps for a run the version in which the run began.
        tasks[root.name] = root
        order = run_order(root.name, {name: task.predecessors for name, task in tasks.items()})
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
            task_run = TaskRun(self._account, self._router, run, task)
            with self._lock:
                self._active[root.name] = task_run
            try:
                with self._requests.running(name, task_run.cancel):
                    if task_run.run() == SUCCEEDED:
                        succeeded.add(name)
            finally:
                with self._lock:
                    self._active[root.name] = None

    def _suspend_after_failures(self, run: GraphRun) -> None:
        root = self._store.find(run.root.name)
        if root is None or not root.started or not root.suspend_after:
            return
        if self._store.failures_in_a_row(root) >= root.suspend_after:
            logger.warning("Task %s is suspended after %d failures", root.name, root.suspend_after)
            self._store.suspend_after_failure(root, run)
