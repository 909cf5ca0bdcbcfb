"""The time by which things age: how long a trust is there, when a stream was read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """The machine's clock, ahead by as many seconds as a file says, where there is one."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def now(self) -> datetime:
        """The time, aware (UTC)."""
        ahead = float(self._file.read_text()) if self._file is not None and self._file.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=ahead)
