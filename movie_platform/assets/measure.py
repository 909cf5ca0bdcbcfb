"""What every hop measures of itself: seconds and the process's peak memory."""

import resource
import sys
import time
from typing import Any

from movie_platform.assets import schemas


class Stopwatch:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def metadata(self) -> dict[str, Any]:
        """Seconds since the start, and the largest resident set that this process ever had, in bytes."""
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        return {schemas.SECONDS: round(time.monotonic() - self._started, 3), schemas.PEAK_RSS_BYTES: peak}
