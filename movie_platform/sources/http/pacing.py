"""How fast an API is asked: a token bucket that an extract's threads share, and pauses that the server asks for."""

import threading
import time

from pyrate_limiter import Limiter, Rate, SingleBucketFactory, StateBucket, TokenBucket

# The rate in thousandths, so that fractions of a request a second can be said in whole numbers.
_PERIOD_MILLISECONDS = 1_000_000
# Tokens that may gather, in seconds' worth of them: late wake-ups are made good, and no second has many more than due.
_BURST_SECONDS = 0.025
_SMALLEST_BURST = 2


class Stopped(Exception):  # noqa: N818 - not an error: the extract ended, and nobody waits for this request
    """The extract is over."""


class Pace:
    """Lets requests pass at a rate. Threads wait in line; `stop` sends all of them away."""

    def __init__(self, requests_per_second: float) -> None:
        limit = max(1, round(requests_per_second * _PERIOD_MILLISECONDS / 1000))
        burst = max(_SMALLEST_BURST, round(requests_per_second * _BURST_SECONDS))
        bucket = StateBucket([Rate(limit, _PERIOD_MILLISECONDS, burst)], TokenBucket())
        self._limiter = Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=0)
        self._line = threading.Lock()
        self._held_until = 0.0
        self._stopped = threading.Event()

    def wait(self) -> None:
        """Return when the next request may be sent. Raises Stopped."""
        # One thread at a time sleeps for the next token: were all to do it, all would wake for each.
        with self._line:
            while (left := self._held_until - time.monotonic()) > 0:
                self.sleep(left)
            if self._stopped.is_set():
                raise Stopped
            self._limiter.try_acquire()

    def hold(self, seconds: float) -> None:
        """Let nobody pass for that long: the server asked for it."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the extract ends meanwhile. Raises Stopped."""
        if self._stopped.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """End all waiting, for good."""
        self._stopped.set()
