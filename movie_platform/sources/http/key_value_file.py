"""Bytes under keys in one SQLite file: each until it expires, the oldest removed where there are too many.

What a cache on disk needs, and no more: it may be used by several threads and processes at once, whatever is kept when
a process is killed is whole, and a file that cannot be used is begun anew, for what it held can be asked for again.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)

_BUSY_SECONDS = 5
# Expired entries that one `put` removes: more than it adds, so that they go, and few, so that none of them is slow.
_EXPIRED_AT_ONCE = 100
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
# Earlier versions kept their answers, in a file of the same name, by a library that made these tables.
_TABLES_BEFORE = frozenset({"entries", "streams"})

# `number` grows with each `put`, so the oldest entry is the one with the smallest, and finding it costs nothing.
_TABLE = """
CREATE TABLE IF NOT EXISTS key_values (
    number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, expires REAL NOT NULL, value BLOB NOT NULL
)"""
_INDEX = "CREATE INDEX IF NOT EXISTS key_values_by_expiry ON key_values (expires)"
_GET = "SELECT value FROM key_values WHERE key = ? AND expires > ?"
_HOLDS = "SELECT 1 FROM key_values WHERE key = ? AND expires > ?"
_PUT = "INSERT OR REPLACE INTO key_values (key, expires, value) VALUES (?, ?, ?)"
_REMOVE_EXPIRED = (
    "DELETE FROM key_values WHERE number IN "
    "(SELECT number FROM key_values WHERE expires <= ? ORDER BY expires LIMIT ?)"
)
_REMOVE_OLDEST = "DELETE FROM key_values WHERE number = (SELECT min(number) FROM key_values)"
# Pages in use, from the head of the file: nothing is counted.
_BYTES_IN_USE = (
    "SELECT (page_count - freelist_count) * page_size "
    "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
)


class KeyValueFile:
    """Values of bytes under keys of bytes, kept for `seconds`, together in no more than `max_bytes` of the file.

    The file is opened at the first use. All methods raise ValueError once it is closed, and sqlite3.Error or OSError
    where it cannot be used and a new one would not help: a full disk, a folder that may not be written.
    """

    def __init__(self, path: Path, *, seconds: float, max_bytes: int) -> None:
        self._path = path
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        # One connection for all threads: SQLite would let only one of them write at a time anyway.
        self._lock = threading.Lock()

    def get(self, key: bytes) -> bytes | None:
        """The value, None where there is none or it has expired."""
        row = self._run(lambda connection: connection.execute(_GET, (key, time.time())).fetchone())
        return None if row is None else row[0]

    def holds(self, key: bytes) -> bool:
        """Whether `get` would find a value."""
        return (
            self._run(lambda connection: connection.execute(_HOLDS, (key, time.time())).fetchone())
            is not None
        )

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value, in place of one that is there. One that is larger than all may be together is not kept."""
        if len(value) <= self._max_bytes:
            self._run(lambda connection: self._put(connection, key, value, time.time()))

    def close(self) -> None:
        """Close the file for good; a second time does nothing."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def _put(self, connection: sqlite3.Connection, key: bytes, value: bytes, now: float) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_REMOVE_EXPIRED, (now, _EXPIRED_AT_ONCE))
            connection.execute(_PUT, (key, now + self._seconds, value))
            # Each entry is put once and removed once, so this is a step or two a time, but where the bound was lowered.
            while _bytes_in_use(connection) > self._max_bytes:
                if connection.execute(_REMOVE_OLDEST).rowcount == 0:
                    break

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` gives on the open file; on a new one where this one turns out to be damaged."""
        with self._lock:
            if self._closed:
                raise ValueError(f"{self._path} is closed")
            try:
                return work(self._connected())
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                _log.warning("%s is damaged (%s) and begun anew", self._path, error)
            self._disconnect()
            _remove(self._path)
            return work(self._connected())

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and _tables(self._path) == _TABLES_BEFORE:
                _remove(self._path)
            self._connection = _opened(self._path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _opened(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions begin where the code says so.
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # What a killed process wrote is there all the same. A power cut may cost the last answers, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_TABLE)
        connection.execute(_INDEX)
    except BaseException:
        connection.close()
        raise
    return connection


def _tables(path: Path) -> frozenset[str]:
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
        return frozenset(
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        )


def _bytes_in_use(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_BYTES_IN_USE).fetchone()[0])


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # Extended codes hold the plain one in their last byte. Errors of Python's module itself have none.
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def _remove(path: Path) -> None:
    # The file last: its log and the log's index mean nothing without it.
    for name in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"), path):
        name.unlink(missing_ok=True)
