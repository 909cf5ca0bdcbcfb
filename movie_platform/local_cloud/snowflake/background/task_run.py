"""One run of one task: a session of its own with the role of the task's owner, its deadline, and its end.

The run's open transaction ends with it: what a failed, cancelled or killed run had not committed is rolled back.
"""

import logging
import threading
import time
from datetime import UTC, datetime

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, from_exception
from movie_platform.local_cloud.snowflake.session import Router, Session, Statement, new_query_id
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.task_rights import cannot_execute, may_execute
from movie_platform.local_cloud.snowflake.state.task_store import (
    CANCELLED,
    FAILED,
    SERVER_ENDED,
    SKIPPED,
    SUCCEEDED,
    GraphRun,
    Task,
)
from movie_platform.local_cloud.snowflake.text.bindings import Bindings
from movie_platform.local_cloud.snowflake.text.result_set import Result
from movie_platform.local_cloud.snowflake.text.task_body import split_body

logger = logging.getLogger(__name__)

_SYSTEM_USER = "SYSTEM"
_CONDITION_FALSE = ("0040003", "Conditional expression for task evaluated to false.")
# As a stored procedure or block on Snowflake that ends inside the transaction that it began.
_LEFT_OPEN = SnowflakeError(
    90232,
    "25000",
    "Scoped transaction started in the task is incomplete and it was rolled back: end it with COMMIT or ROLLBACK.",
)


class TaskRun:
    """A run that may be cancelled from another thread while `run` is at it."""

    def __init__(self, account: Account, router: Router, graph: GraphRun, task: Task) -> None:
        self.task = task
        self._account = account
        self._store = account.tasks
        self._graph = graph
        self._query_id = new_query_id()
        self._session = Session(
            account,
            router,
            _SYSTEM_USER,
            task.owner,
            warehouse=task.warehouse,
            serverless=task.warehouse is None,
        )
        self._session.task_info = _runtime_info(graph, task)
        self._ended_by: tuple[str, SnowflakeError] | None = None

    def run(self) -> str:
        """Runs the task and keeps its history; gives the state in which it ended."""
        timer = threading.Timer(self.task.timeout_ms / 1000, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            return self._run()
        finally:
            timer.cancel()
            self._session.close()

    def cancel(self) -> None:
        """Has the run end as SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS does."""
        self._end(CANCELLED, SnowflakeError(604, "57014", "SQL execution canceled"))

    def shut_down(self) -> None:
        """Has the run end because the server does."""
        self._end(FAILED, SnowflakeError(604, "57014", SERVER_ENDED))

    def press(self) -> None:
        """Interrupts again what was told to end: an interrupt between two statements meets nothing."""
        if self._ended_by is not None:
            self._session.interrupt()

    def _time_out(self) -> None:
        seconds = self.task.timeout_ms / 1000
        self._end(
            FAILED,
            SnowflakeError(
                630, "57014", f"Statement reached its task timeout of {seconds:g} second(s) and was canceled."
            ),
        )

    def _end(self, state: str, failure: SnowflakeError) -> None:
        if self._ended_by is None:
            self._ended_by = (state, failure)
        self._session.interrupt()

    def _run(self) -> str:
        began = time.monotonic()
        noted = False
        try:
            if not may_execute(self._account, self.task):
                raise cannot_execute(self.task)
            self._session.translator.use(self.task.name.database, self.task.name.schema)
            if self.task.condition is not None and not holds(self._session, self.task.condition):
                self._store.skip(self._graph, self.task, self._query_id, *_CONDITION_FALSE)
                return SKIPPED
            self._store.begin(self._graph, self.task, self._query_id)
            noted = True
            for statement in split_body(self.task.definition):
                if self._ended_by is not None:
                    raise self._ended_by[1]
                self._session.execute(Statement(statement, Bindings(), self._query_id), _drain)
            if self._session.in_transaction:
                raise _LEFT_OPEN
        except Exception as error:  # noqa: BLE001 - whatever fails a task is kept in its history
            self._session.rollback()
            return self._failed(from_exception(error), noted=noted)
        self._store.end(self.task, self._query_id, SUCCEEDED, None, None)
        logger.info("Task %s succeeded in %.2f s", self.task.name, time.monotonic() - began)
        return SUCCEEDED

    def _failed(self, failure: SnowflakeError, *, noted: bool) -> str:
        state = FAILED
        if self._ended_by is not None:
            state, failure = self._ended_by
        if failure.number == 603:
            logger.error("Internal error in task %s", self.task.name, exc_info=failure)
        logger.warning("Task %s ended %s: %s %s", self.task.name, state, failure.code, failure.message)
        if not noted:
            self._store.begin(self._graph, self.task, self._query_id)
        self._store.end(self.task, self._query_id, state, failure.code, failure.message)
        return state


def _runtime_info(graph: GraphRun, task: Task) -> dict[str, str | None]:
    """What SYSTEM$TASK_RUNTIME_INFO tells a run."""
    group, scheduled = graph.last_success or (None, None)
    return {
        "CURRENT_TASK_NAME": task.name.name,
        "CURRENT_ROOT_TASK_NAME": graph.root.name.name,
        "CURRENT_ROOT_TASK_UUID": graph.root.task_id,
        "CURRENT_TASK_GRAPH_RUN_GROUP_ID": graph.group_id,
        "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": _stamp(graph.scheduled_at),
        "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID": group,
        "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": None
        if scheduled is None
        else _stamp(scheduled),
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " Z"


def holds(session: Session, condition: str) -> bool:
    """Whether a WHEN condition is true.

    Raises SnowflakeError where it cannot be evaluated.
    """
    found: list[object] = []

    def keep(result: Result) -> None:
        for batch in result.batches:
            found.extend(batch.column(0).to_pylist())

    session.execute(Statement(f"SELECT ({condition})", Bindings(), new_query_id()), keep)
    return found == [True]


def _drain(result: Result) -> None:
    for _batch in result.batches:
        pass
