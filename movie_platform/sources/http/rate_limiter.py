"""How fast an API is asked: a rate that an extract's threads share, and pauses that the server asks for."""

import contextlib
import queue
import threading
import time

from movie_platform.sources.http.token_bucket import TokenBucket

# Tokens that may gather, in seconds' worth of them: late wake-ups are made good, and no second has many more than due.
_BURST_SECONDS = 0.025
_SMALLEST_BURST = 2


class Stopped(Exception):  # noqa: N818 - not an error: the extract ended, and nobody waits for this request
    """The extract is over: raised in threads that wait, or would, for their turn."""


class RateLimiter:
    """Lets requests pass at a rate. Threads wait in line; `stop` sends all of them away.

    One thread takes the tokens and calls the next in line: when it wakes late it calls several at once. If each took
    its own token after the one before it, on a busy machine each would wake late and none could make that good.
    """

    def __init__(self, requests_per_second: float) -> None:
        burst = max(_SMALLEST_BURST, round(requests_per_second * _BURST_SECONDS))
        self._bucket = TokenBucket(requests_per_second, burst)
        self._lock = threading.Lock()
        self._line: queue.SimpleQueue[threading.Event | None] = queue.SimpleQueue()
        self._caller: threading.Thread | None = None
        self._held_until = 0.0
        self._stopped = threading.Event()

    def acquire(self) -> None:
        """Return when the next request may be sent. Raises Stopped."""
        turn = threading.Event()
        with self._lock:
            if self._stopped.is_set():
                raise Stopped
            if self._caller is None:
                self._caller = threading.Thread(target=self._call, name="rate-limiter", daemon=True)
                self._caller.start()
            self._line.put(turn)
        turn.wait()
        if self._stopped.is_set():
            raise Stopped

    def hold(self, seconds: float) -> None:
        """Let nobody pass for that long: the server asked for it."""
        with self._lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the extract ends meanwhile. Raises Stopped."""
        if self._stopped.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Raise Stopped in all threads that wait, and in all that would later."""
        with self._lock:
            # Nobody joins the line after this, so whoever is in it is called when it is cleared.
            self._stopped.set()
            self._line.put(None)

    def _call(self) -> None:
        """Call those in line one after another; all that are left when the extract ends."""
        while (turn := self._line.get()) is not None:
            # After the end they are called at once, and find out.
            with contextlib.suppress(Stopped):
                self._take_token()
            turn.set()

    def _take_token(self) -> None:
        # The server may ask for a pause while the next token is waited for, and for a longer one during that.
        while (left := max(self._held_until, self._bucket.ready_at) - time.monotonic()) > 0:
            # A rate may be so low that the next token comes later than any thread can wait.
            self.sleep(min(left, threading.TIMEOUT_MAX))
        self._bucket.take(time.monotonic())
