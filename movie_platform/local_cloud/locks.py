"""A lock between processes, held by the operating system: it ends with its holder, however that ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from movie_platform.local_cloud.local_cloud_errors import HomeBusyError
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_until

_POLLS = Pauses.steady(0.1)


@contextmanager
def exclusive(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold the lock on a file while the block runs.

    Raises `HomeBusyError` where another process holds it for longer than `timeout_seconds`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = Deadline(timeout_seconds)
    with path.open("a") as handle:
        try:
            wait_until(lambda: _locked(handle), f"the lock {path}", deadline=deadline, pauses=_POLLS)
        except WaitTimeoutError as late:
            raise HomeBusyError(
                "home_busy",
                f"another process has been starting or stopping the local cloud in {path.parent} "
                f"for {timeout_seconds:.0f} s",
                "wait for it to end, or end it, then try again",
            ) from late
        # The file stays: removing it would let a waiter lock a file that nobody else can find any more.
        yield


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
