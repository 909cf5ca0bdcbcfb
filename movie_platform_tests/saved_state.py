"""What the local AWS has on disk of what it knows."""

import time
from pathlib import Path

from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings


def wait_until_saved(home: Path, *, seconds: float = 120) -> None:
    """Waits until all that the local AWS of a home knows now would survive a kill.

    After a change it writes the file of every service, one after the other. A write that is under way may be of a
    moment before this call, so each file has to be written twice; and nothing is written where nothing changes.
    """
    topics = aws_client(Settings(home=home), "sns")
    deadline = time.monotonic() + seconds
    for _ in range(2):
        before = _files(home)
        while not _written_since(before, now := _files(home)):
            assert time.monotonic() < deadline, (before, now)
            # Taken for a change, since its name stands in its body; it changes nothing.
            topics.list_topics()
            time.sleep(0.1)


def _files(home: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (home / "aws" / "state").glob("*.json")}


def _written_since(before: dict[str, int], now: dict[str, int]) -> bool:
    return bool(now) and all(before.get(name) != written for name, written in now.items())
