"""Answers of an API on disk, so that an extract that was interrupted does not ask, or pay, for them again.

What is kept is a checked body under a digest of the date and the request without credentials. A cache in the HTTP
transport would keep an answer before anybody has looked at it, and the request with its credentials.
"""

import hashlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from movie_platform.sources.http.key_value_file import KeyValueFile

_log = logging.getLogger(__name__)

# Part of each key: what was kept in another form is not found.
_LAYOUT = 2


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What is kept of an answer: its status, and its body as text, checked and without the credential."""

    status: int
    text: str


class AnswerCache:
    """The answers of one source. All methods may be called by several threads at once.

    A cache that cannot be used slows this run or the next one down and is no reason to fail: it says so once, in the
    log, and keeps nothing.
    """

    def __init__(self, path: Path, *, dt: date, hours: float, gigabytes: float) -> None:
        self._path = path
        self._dt = dt
        self._file: KeyValueFile | None = None
        self._warned = False
        if hours > 0:
            self._file = KeyValueFile(path, seconds=hours * 3600, max_bytes=round(gigabytes * 1e9))

    def get(self, url: str, parameters: Mapping[str, str], reading: int) -> StoredAnswer | None:
        """The answer to a request for this date, None where it is not kept.

        `reading` tells repeated readings of one thing apart: a page that has shifted must be asked for anew.
        """
        if self._file is None:
            return None
        try:
            value = self._file.get(self._key(url, parameters, reading))
        except (sqlite3.Error, OSError) as error:
            self._warn(error)
            return None
        return None if value is None else _answer(value)

    def holds(self, url: str, parameters: Mapping[str, str], reading: int) -> bool:
        """Whether the answer to a request is kept."""
        if self._file is None:
            return False
        try:
            return self._file.holds(self._key(url, parameters, reading))
        except (sqlite3.Error, OSError) as error:
            self._warn(error)
            return False

    def put(self, url: str, parameters: Mapping[str, str], reading: int, answer: StoredAnswer) -> None:
        """Keep the answer to a request, in place of one that is kept already."""
        if self._file is None:
            return
        try:
            self._file.put(self._key(url, parameters, reading), _value(answer))
        except (sqlite3.Error, OSError) as error:
            self._warn(error)

    def close(self) -> None:
        """Close the file for good: what is asked of the cache later raises ValueError."""
        if self._file is not None:
            self._file.close()

    def _key(self, url: str, parameters: Mapping[str, str], reading: int) -> bytes:
        asked = [_LAYOUT, self._dt.isoformat(), reading, url, sorted(parameters.items())]
        return hashlib.sha256(json.dumps(asked).encode()).digest()

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            _log.warning("answers cannot be kept in %s: %s", self._path, error)
        self._warned = True


def _value(answer: StoredAnswer) -> bytes:
    return zlib.compress(f"{answer.status}\n{answer.text}".encode(), 1)


def _answer(value: bytes) -> StoredAnswer | None:
    try:
        status, _, text = zlib.decompress(value).decode("utf-8").partition("\n")
        return StoredAnswer(int(status), text)
    except (zlib.error, ValueError):
        # Damaged on disk in a way that SQLite does not see: as good as not kept.
        return None
