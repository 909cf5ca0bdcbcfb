"""Trying again what failed in a way that may heal: a bounded number of attempts, with growing random pauses between.

Which errors may heal is for whoever tries to say: a retry of anything else only hides it. The loop itself is
tenacity's.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

_T = TypeVar("_T")
# Doubling ends here, far beyond any longest pause: more overflows a float.
_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class FullJitter:
    """Pauses of any length up to a ceiling that doubles from `first` seconds to `longest`.

    Those who failed together then come back as far apart as they can.
    """

    first: float
    longest: float

    def __call__(self, attempt: int, _error: BaseException) -> float:
        """Seconds between that attempt (from 1) and the next."""
        ceiling = min(self.longest, self.first * 2.0 ** min(attempt - 1, _DOUBLINGS))
        return random.uniform(0, ceiling)  # noqa: S311 - spreads attempts, protects nothing


def retried(
    step: Callable[[int], _T],
    *,
    attempts: int,
    is_transient: Callable[[BaseException], bool],
    pause: Callable[[int, BaseException], float],
    sleep: Callable[[float], None] | None = None,
) -> _T:
    """What a step gives in the first attempt that does not fail.

    Args:
        step: Called with the number of the attempt, from 1.
        attempts: How often at most, the first one included.
        is_transient: Whether trying again may help after this error.
        pause: Seconds to sleep after that attempt's error, for example `FullJitter`.
        sleep: In place of `time.sleep`, for example one that can be interrupted.

    Raises what the last attempt raised.
    """

    def seconds(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        assert error is not None, "tenacity pauses after an error alone"
        return pause(state.attempt_number, error)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_transient),
        stop=tenacity.stop_after_attempt(attempts),
        wait=seconds,
        sleep=tenacity.nap.sleep if sleep is None else sleep,
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            return step(attempt.retry_state.attempt_number)
    raise AssertionError("unreachable: tenacity ends with a result or an exception")
