"""What every hop measures of itself: seconds and the process's peak memory."""

import resource
import sys
import time
from pathlib import Path
from typing import Any

from movie_platform.graph import metadata_names

_STATUS = Path("/proc/self/status")


def peak_rss_bytes() -> int:
    """The largest resident set of this process.

    On Linux from /proc: what getrusage says there is at least what the process had that started this one.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Stopwatch:
    """Measures a step from the moment at which it is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def metadata(self) -> dict[str, Any]:
        """Seconds since the start, and the process's peak memory so far in bytes."""
        return {
            metadata_names.SECONDS: round(time.monotonic() - self._started, 3),
            metadata_names.PEAK_RSS_BYTES: peak_rss_bytes(),
        }
