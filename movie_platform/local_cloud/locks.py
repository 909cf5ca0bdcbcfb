"""A lock between processes, held by the operating system: it ends with its holder, however that ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from movie_platform.local_cloud.local_cloud_errors import HomeBusyError

_POLL_SECONDS = 0.1


@contextmanager
def exclusive(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold the lock on a file while the block runs.

    Raises `HomeBusyError` where another process holds it for longer than `timeout_seconds`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_seconds
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise HomeBusyError(
                        "home_busy",
                        f"another process has been starting or stopping the local cloud in {path.parent} "
                        f"for {timeout_seconds:.0f} s",
                        "wait for it to end, or end it, then try again",
                    ) from None
                time.sleep(_POLL_SECONDS)
        # The file stays: removing it would let a waiter lock a file that nobody else can find any more.
        yield
