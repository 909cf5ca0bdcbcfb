"""Waiting until something is so: one loop, with a deadline, growing pauses and a way to stop it.

What is asked, and what its lateness means to people, belongs to whoever waits. Standard library only: any part may use
it.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


class Clock:
    """The time and the sleep of this machine; a test gives its own."""

    def now(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        """Return after that many seconds, or earlier when `stop` is set."""
        if stop is None:
            time.sleep(seconds)
        else:
            stop.wait(seconds)


SYSTEM_CLOCK = Clock()


class WaitError(Exception):
    """A wait ended without what was waited for: `what` that was, and for how many `seconds`."""

    def __init__(self, what: str, seconds: float, how: str) -> None:
        super().__init__(f"waited {seconds:.1f} s for {what}{how}")
        self.what = what
        self.seconds = seconds


class WaitTimeoutError(WaitError):
    """The deadline passed."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what, seconds, "")


class WaitStoppedError(WaitError):
    """Somebody set the event that stops the wait."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what, seconds, " and was stopped")


class Deadline:
    """A moment, so many seconds after it was made. Several waits in a row may share one."""

    def __init__(self, seconds: float, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self._moment = clock.now() + seconds

    @classmethod
    def never(cls) -> "Deadline":
        """For waits that something else ends: a stop, or an error of what is asked."""
        return cls(math.inf)

    @property
    def remaining(self) -> float:
        """Seconds until then, 0 afterwards."""
        return max(0.0, self._moment - self.clock.now())

    @property
    def passed(self) -> bool:
        """Whether it is that moment, or later."""
        return self.remaining == 0


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds between two looks: `first`, then each `growth` times the one before, up to `longest`.

    `jitter` is the share of itself by which each is longer or shorter at random, so that those who began together do
    not meet each time: with 0.5, a pause of 2 s takes 1 to 3 s.
    """

    first: float
    longest: float
    growth: float = 1.5
    jitter: float = 0.0

    @classmethod
    def steady(cls, seconds: float) -> "Pauses":
        """Always the same pause."""
        return cls(seconds, seconds)

    def __post_init__(self) -> None:
        if not (0 < self.first <= self.longest and self.growth >= 1 and 0 <= self.jitter < 1):
            raise ValueError(f"{self} are no pauses that grow from the first to the longest")

    def __iter__(self) -> Iterator[float]:
        pause = self.first
        while True:
            yield pause * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - spreads looks, protects nothing
            pause = min(pause * self.growth, self.longest)


def wait_for(
    look: Callable[[], _T | None],
    what: str,
    *,
    deadline: Deadline,
    pauses: Pauses,
    stop: threading.Event | None = None,
) -> _T:
    """What `look` gives as soon as it gives something but None. It looks at once, and a last time at the deadline.

    Raises `WaitTimeoutError` when there is nothing at the deadline, `WaitStoppedError` when `stop` is set before there
    is something, and whatever `look` raises. `what` completes the sentence "waited 3 s for ...".
    """
    started = deadline.clock.now()
    for pause in pauses:
        found = look()
        if found is not None:
            return found
        left = deadline.remaining
        if left == 0:
            raise WaitTimeoutError(what, deadline.clock.now() - started)
        deadline.clock.sleep(min(pause, left), stop)
        if stop is not None and stop.is_set():
            raise WaitStoppedError(what, deadline.clock.now() - started)
    raise AssertionError("unreachable: pauses never end")


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    deadline: Deadline,
    pauses: Pauses,
    stop: threading.Event | None = None,
) -> None:
    """`wait_for` where there is nothing to be given: returns when the condition is true, raises the same errors."""
    wait_for(lambda: condition() or None, what, deadline=deadline, pauses=pauses, stop=stop)
