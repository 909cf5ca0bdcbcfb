"""The states of a job run and which may follow which: the same names and the same order as in Glue."""

from enum import StrEnum


class RunState(StrEnum):
    """What Glue calls JobRunState, without the states of features that are not served here."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    ERROR = "ERROR"


# A run in one of these counts against MaxConcurrentRuns, and is lost when the gateway dies.
ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING, RunState.STOPPING})

_NEXT = {
    RunState.STARTING: frozenset(
        {RunState.RUNNING, RunState.STOPPING, RunState.FAILED, RunState.TIMEOUT, RunState.ERROR}
    ),
    RunState.RUNNING: frozenset(
        {RunState.STOPPING, RunState.SUCCEEDED, RunState.FAILED, RunState.TIMEOUT, RunState.ERROR}
    ),
    # A script may end by itself before the request to stop reaches it.
    RunState.STOPPING: frozenset(
        {RunState.STOPPED, RunState.SUCCEEDED, RunState.FAILED, RunState.TIMEOUT, RunState.ERROR}
    ),
}


def may_follow(current: RunState, new: RunState) -> bool:
    """Whether a run may go from one state to another; nothing follows a final state."""
    return new in _NEXT.get(current, frozenset())


def is_retried(state: RunState, attempt: int, max_retries: int) -> bool:
    """Whether a run that ended so is started again: Glue retries what failed, not what was stopped or took
    too long.
    """
    return state is RunState.FAILED and attempt < max_retries
