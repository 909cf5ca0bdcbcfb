"""What CORE and the history of the task graph say of a version: whether to wait, to execute, to fail or to be done."""

from datetime import UTC, datetime

import pytest

from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY
from movie_platform.resources.graph_state import (
    TASKS,
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

NOTHING_SEEN: frozenset[str] = frozenset()


def announced(
    batch_id: str, transform_id: str = "t1", *, extracted: int = 1, transformed: int = 1
) -> AnnouncedVersion:
    return AnnouncedVersion(
        batch_id,
        transform_id,
        datetime(2026, 11, 18, extracted, tzinfo=UTC),
        datetime(2026, 11, 19, transformed, tzinfo=UTC),
        0,
    )


def run_of_graph(name: str, *states: str, error_code: str | None = None) -> GraphRun:
    """A graph run whose first tasks are in these states."""
    tasks = {
        task: TaskRun(name, task, state, error_code, "it broke" if state == "FAILED" else None)
        for task, state in zip(TASKS, states, strict=False)
    }
    return GraphRun(name, tasks)


def runs(*found: GraphRun) -> dict[str, GraphRun]:
    return {run.graph_run: run for run in found}


def test_a_version_that_core_shows_is_applied():
    assert standing("a", "t1", [announced("a")], ("a", "t1")) is Standing.APPLIED


def test_a_version_of_a_day_that_core_does_not_show_is_pending():
    assert standing("a", "t1", [announced("a")], None) is Standing.PENDING


def test_an_earlier_extract_does_not_supersede_a_later_one():
    day = [announced("a", extracted=1), announced("b", extracted=2)]
    assert standing("b", "t1", day, ("a", "t1")) is Standing.PENDING
    assert standing("a", "t1", day, ("b", "t1")) is Standing.SUPERSEDED


def test_of_one_batch_the_newest_transform_wins_whatever_its_name():
    day = [announced("a", "t9", transformed=1), announced("a", "t1", transformed=2)]
    assert standing("a", "t1", day, ("a", "t9")) is Standing.PENDING
    assert standing("a", "t9", day, ("a", "t1")) is Standing.SUPERSEDED


def test_a_version_that_raw_does_not_announce_is_unknown():
    assert standing("a", "t1", [announced("b")], ("b", "t1")) is Standing.UNKNOWN


@pytest.mark.parametrize(
    "states",
    [
        ("SKIPPED",),
        ("FAILED",),
        ("SUCCEEDED", "FAILED"),
        ("SUCCEEDED", "CANCELLED"),
        ("SUCCEEDED", "SUCCEEDED", "SUCCEEDED"),
    ],
    ids="-".join,
)
def test_a_graph_run_is_over_when_no_task_after_it_will_run(states: tuple[str, ...]):
    run = run_of_graph("1", *states)
    assert run.over
    assert not run.at_work


@pytest.mark.parametrize("states", [("EXECUTING",), ("SUCCEEDED",), ("SUCCEEDED", "SCHEDULED")], ids="-".join)
def test_a_graph_run_is_at_work_from_its_first_task_to_its_last(states: tuple[str, ...]):
    run = run_of_graph("1", *states)
    assert run.at_work
    assert not run.over


def test_a_root_that_is_scheduled_for_later_is_not_at_work():
    run = run_of_graph("1", "SCHEDULED")
    assert not run.at_work
    assert not run.over


def test_a_task_that_was_tried_again_shows_its_last_try():
    history = [TaskRun("1", TASKS[0], "FAILED"), TaskRun("1", TASKS[0], "SUCCEEDED")]
    assert graph_runs(history)["1"].failure is None


def test_other_tasks_of_the_schema_are_none_of_the_graphs():
    assert graph_runs([TaskRun("1", "SOMEBODY_ELSES", "FAILED")]) == {}


def test_what_the_graph_did_by_itself_needs_no_execution():
    finished = runs(run_of_graph("1", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"))
    assert next_step(Standing.APPLIED, finished, frozenset({"1"}), executed=0, limit=2) == (Step.DONE, None)


def test_a_version_that_a_later_one_replaced_is_done_without_execution():
    assert next_step(Standing.SUPERSEDED, {}, NOTHING_SEEN, executed=0, limit=2)[0] is Step.DONE


def test_a_pending_version_executes_the_graph_unless_it_is_at_work():
    assert next_step(Standing.PENDING, {}, NOTHING_SEEN, executed=0, limit=2)[0] is Step.EXECUTE
    working = runs(run_of_graph("1", "SUCCEEDED", "EXECUTING"))
    assert next_step(Standing.PENDING, working, NOTHING_SEEN, executed=0, limit=2)[0] is Step.WAIT


def test_an_executed_graph_is_waited_for_until_it_shows_in_the_history():
    assert next_step(Standing.PENDING, {}, NOTHING_SEEN, executed=1, limit=2)[0] is Step.WAIT


def test_an_applied_version_waits_for_the_tasks_after_it():
    measuring = runs(run_of_graph("1", "SUCCEEDED", "SUCCEEDED", "EXECUTING"))
    assert next_step(Standing.APPLIED, measuring, NOTHING_SEEN, executed=1, limit=2)[0] is Step.WAIT


def test_a_graph_that_ran_without_bringing_the_version_is_executed_again_but_not_for_ever():
    ran = runs(run_of_graph("1", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"))
    assert next_step(Standing.PENDING, ran, NOTHING_SEEN, executed=1, limit=2)[0] is Step.EXECUTE
    assert next_step(Standing.PENDING, ran, NOTHING_SEEN, executed=2, limit=2)[0] is Step.GIVE_UP


def test_a_task_that_failed_before_we_looked_is_not_our_failure():
    before = runs(run_of_graph("1", "SUCCEEDED", "FAILED"))
    assert next_step(Standing.PENDING, before, frozenset({"1"}), executed=0, limit=2)[0] is Step.EXECUTE


def test_a_task_that_fails_is_reported_as_it_is():
    failed = run_of_graph("2", "SUCCEEDED", "FAILED", error_code="100035")
    step, task = next_step(Standing.PENDING, runs(failed), frozenset({"1"}), executed=1, limit=2)
    assert step is Step.FAIL
    assert task is not None
    assert (task.task, task.error_code, task.error_message) == (TASKS[1], "100035", "it broke")


def test_a_day_that_failed_with_others_is_tried_again_until_it_waits_for_somebody():
    failed = runs(run_of_graph("2", "SUCCEEDED", "FAILED"))

    def step(now: Standing, day: PendingDay | None) -> Step:
        return next_step(now, failed, NOTHING_SEEN, executed=1, limit=2, day=day)[0]

    assert step(Standing.PENDING, PendingDay(1, None, None)) is Step.AGAIN
    assert step(Standing.PENDING, PendingDay(ATTEMPTS_A_DAY - 1, "1", "x")) is Step.AGAIN
    assert step(Standing.PENDING, PendingDay(ATTEMPTS_A_DAY, "1", "x")) is Step.FAIL
    assert step(Standing.PENDING, None) is Step.FAIL
    assert step(Standing.APPLIED, PendingDay(1, None, None)) is Step.FAIL


@pytest.mark.parametrize("states", [("FAILED",), ("SUCCEEDED", "SUCCEEDED", "FAILED")], ids="-".join)
def test_a_task_that_fails_for_no_day_is_not_tried_again(states: tuple[str, ...]):
    failed = runs(run_of_graph("2", *states))
    day = PendingDay(0, None, None)
    assert next_step(Standing.PENDING, failed, NOTHING_SEEN, executed=1, limit=2, day=day)[0] is Step.FAIL


@pytest.mark.parametrize(
    ("code", "conflict"), [("000625", True), ("625", True), ("100035", False), (None, False), ("", False)]
)
def test_only_a_lock_that_was_held_too_long_is_a_conflict(code: str | None, conflict: bool):
    assert is_lock_conflict(TaskRun("1", TASKS[1], "FAILED", code)) is conflict
