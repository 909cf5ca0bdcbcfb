"""Answers of an API on disk, so that an extract that was interrupted does not ask, or pay, for them again.

hishel's SQLite storage keeps them: it survives a process that is killed, expires, and is bounded. Its HTTP transport
is not used, because it would store an answer before anybody has looked at it, and the request with its credentials.
What is stored here is a checked body under a digest of the date and the request without credentials.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hishel import Request, Response, SqliteStorage

_LONGEST_ANSWER = 32 * 1024 * 1024
_LAYOUT = 1


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was kept."""

    status: int
    text: str


class AnswerCache:
    """The answers of one source. All methods may be called by several threads at once."""

    def __init__(self, path: Path, *, dt: date, hours: float, gigabytes: float) -> None:
        self._dt = dt
        self._seconds = hours * 3600
        self._storage: SqliteStorage | None = None
        if hours > 0:
            _remove_damaged(path)
            self._storage = SqliteStorage(
                database_path=path.absolute(),
                default_ttl=self._seconds,
                max_size=round(gigabytes * 1e9),
                max_stream_size=_LONGEST_ANSWER,
                # Each answer that is stored looks through all that were unused for so long: by default three minutes,
                # which is nearly all of a long extract's. What has expired is removed all the same.
                soft_delete_ttl=self._seconds,
            )

    def get(self, url: str, parameters: Mapping[str, str], reading: int) -> StoredAnswer | None:
        """The answer to a request for this date, None where it is not kept.

        `reading` tells repeated readings of one thing apart: a page that has shifted must be asked for anew.
        """
        if self._storage is None:
            return None
        for entry in self._storage.get_entries(self._key(url, parameters, reading)):
            try:
                body = b"".join(entry.response.stream)  # pyright: ignore[reportArgumentType, reportCallIssue] - the synchronous storage
                return StoredAnswer(entry.response.status_code, zlib.decompress(body).decode("utf-8"))
            except (RuntimeError, sqlite3.Error, zlib.error, UnicodeDecodeError):
                # Evicted while it was read, or damaged: as good as not kept.
                return None
        return None

    def holds(self, url: str, parameters: Mapping[str, str], reading: int) -> bool:
        """Whether the answer to a request is kept."""
        return self._storage is not None and bool(
            self._storage.get_entries(self._key(url, parameters, reading))
        )

    def put(self, url: str, parameters: Mapping[str, str], reading: int, answer: StoredAnswer) -> None:
        """Keep an answer. A cache that cannot be written slows the next run down and is no reason to fail this one."""
        if self._storage is None:
            return
        body = zlib.compress(answer.text.encode("utf-8"), 1)
        entry = self._storage.create_entry(
            Request("GET", url),
            Response(answer.status, stream=iter((body,))),
            self._key(url, parameters, reading),
        )
        # The storage writes while its stream is read.
        for _ in entry.response.stream or ():  # pyright: ignore[reportGeneralTypeIssues] - as above
            pass

    def close(self) -> None:
        """Close the file."""
        if self._storage is not None:
            self._storage.close()

    def _key(self, url: str, parameters: Mapping[str, str], reading: int) -> str:
        asked = [_LAYOUT, self._dt.isoformat(), reading, url, sorted(parameters.items())]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _remove_damaged(path: Path) -> None:
    """Remove a file that is no database: it holds nothing that could not be asked for again."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            name.unlink(missing_ok=True)
