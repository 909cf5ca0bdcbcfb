"""What CORE and the history of the task graph say of a version of a batch: pure decisions.

Nothing here asks when a graph run began: a graph run is new if it was not over when we first looked, so no two clocks
are compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY

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
