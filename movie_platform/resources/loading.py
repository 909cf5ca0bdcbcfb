"""What the load history says of the files that should be in a table: pure decisions.

A file counts as loaded when the table holds as many different rows of it as the archive says: Snowpipe may load a file
in several transactions (https://docs.snowflake.com/en/user-guide/data-load-snowpipe-intro), and twice. It counts as
failed only by COPY_HISTORY, which goes back 14 days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# `ALTER PIPE … REFRESH` takes files that were staged within the last seven days
# (https://docs.snowflake.com/en/sql-reference/sql/alter-pipe).
REFRESHABLE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A row of COPY_HISTORY. `file` is the path as Snowflake shows it, whole or below the stage's path."""

    file: str
    status: str
    rows: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the expected files: rows of each loaded one, the error of each failed one, and the rest."""

    loaded: Mapping[str, int]
    failed: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every file is loaded."""
        return not self.failed and not self.missing


def assess(
    expected: Mapping[str, int], history: Iterable[HistoryEntry], rows_in_table: Mapping[str, int]
) -> Evidence:
    """Evidence for files by their keys, with the rows that each should have.

    A file that failed once and was loaded later is loaded. One without rows is loaded by the history alone. File names
    are made of the batch and the transform, so a name says which key it is whatever path is before it.
    """
    by_name = {key.rsplit("/", 1)[-1]: key for key in expected}
    loaded = {key: rows for key, rows in rows_in_table.items() if rows >= expected.get(key, rows + 1)}
    failed: dict[str, str] = {}
    for entry in history:
        key = by_name.get(entry.file.rsplit("/", 1)[-1])
        if key is None or key in loaded:
            continue
        if entry.status.lower() == "loaded":
            failed.pop(key, None)
            if expected[key] == 0:
                loaded[key] = 0
        elif entry.status.lower() in {"load failed", "partially loaded"}:
            failed[key] = entry.error or entry.status
    missing = tuple(key for key in expected if key not in loaded and key not in failed)
    return Evidence(loaded, failed, missing)


def can_be_refreshed(written_at: datetime, now: datetime) -> bool:
    """Whether a pipe's REFRESH still finds files of that age; older ones need COPY INTO."""
    return now - written_at < REFRESHABLE
