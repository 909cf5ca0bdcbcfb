"""The history of tasks as it is kept, with the engine in the test's own process.

Source: Snowflake documentation, "CREATE TASK" (docs.snowflake.com/en/sql-reference/sql/create-task),
SUSPEND_TASK_AFTER_NUM_FAILURES, and "TASK_HISTORY" (docs.snowflake.com/en/sql-reference/functions/task_history).
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.task_store import (
    CANCELLED,
    FAILED,
    SKIPPED,
    SUCCEEDED,
    GraphRun,
    Task,
    TaskStore,
)
from movie_platform_tests.local_engine import local_account, open_session, run

pytestmark = pytest.mark.cloud


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with local_account(tmp_path) as account:
        opened = open_session(account)
        run(opened, "CREATE DATABASE D")
        run(opened, "CREATE TASK t SCHEDULE = '1 MINUTE' SUSPEND_TASK_AFTER_NUM_FAILURES = 5 AS SELECT 1")
        yield opened
        opened.close()


@pytest.fixture
def store(session: Session) -> TaskStore:
    return session.account.tasks


@pytest.fixture
def task(store: TaskStore) -> Task:
    return store.tasks("D")[0]


def note(store: TaskStore, task: Task, state: str, at: datetime) -> None:
    graph = GraphRun(str(uuid.uuid4()), int(at.timestamp() * 1000), task, at, "SCHEDULE")
    if state == SKIPPED:
        store.skip(graph, task, str(uuid.uuid4()), "0040003", "false")
    else:
        query_id = str(uuid.uuid4())
        store.begin(graph, task, query_id)
        store.end(task, query_id, state, None, None)


def states(session: Session) -> list[str]:
    return [
        row[0]
        for row in run(
            session, "SELECT state FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10000))"
        )
    ]


def test_of_the_runs_that_were_skipped_the_newest_are_kept(
    session: Session, store: TaskStore, task: Task
) -> None:
    begin = datetime.now(UTC)
    note(store, task, SUCCEEDED, begin)
    for second in range(1, 260):
        note(store, task, SKIPPED, begin + timedelta(seconds=second))
    assert 100 <= states(session).count(SKIPPED) <= 200
    assert states(session).count(SUCCEEDED) == 1
    assert store.last_scheduled(task) == begin + timedelta(seconds=259)


@pytest.mark.parametrize(
    ("history", "failures"),
    [
        ((), 0),
        ((SUCCEEDED, FAILED, FAILED), 2),
        ((FAILED, SUCCEEDED), 0),
        ((FAILED, SKIPPED, FAILED, CANCELLED), 2),
        ((FAILED,) * 7, 5),
    ],
)
def test_failures_are_counted_since_the_last_success(
    store: TaskStore, task: Task, history: tuple[str, ...], failures: int
) -> None:
    """create-task: skipped and cancelled runs are not counted."""
    for minute, state in enumerate(history):
        note(store, task, state, datetime.now(UTC) + timedelta(minutes=minute))
    assert store.failures_in_a_row(task) == failures


def test_failures_before_a_task_was_resumed_do_not_count(store: TaskStore, task: Task) -> None:
    """create-task: the count begins anew when the task is resumed."""
    note(store, task, FAILED, task.changed_on - timedelta(minutes=1))
    assert store.failures_in_a_row(task) == 0


def test_what_is_older_than_two_weeks_is_forgotten(session: Session, store: TaskStore, task: Task) -> None:
    note(store, task, FAILED, datetime.now(UTC) - timedelta(days=15))
    note(store, task, SUCCEEDED, datetime.now(UTC))
    store.prune()
    assert states(session) == [SUCCEEDED]


def test_a_run_that_the_servers_end_cut_off_counts_for_nothing(store: TaskStore, task: Task) -> None:
    """create-task: runs that fail due to a system error are not counted."""
    began = datetime.now(UTC)
    for seconds in range(4):
        note(store, task, FAILED, began + timedelta(seconds=seconds))
    graph = GraphRun(str(uuid.uuid4()), 1, task, began + timedelta(seconds=5), "SCHEDULE")
    store.begin(graph, task, str(uuid.uuid4()))
    store.heal()
    assert store.failures_in_a_row(task) == 4
