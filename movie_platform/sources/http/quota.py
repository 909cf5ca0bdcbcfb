"""A daily quota: requests are counted on disk before they are sent, across runs and processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from movie_platform.sources.source_errors import SourceQuotaExceeded

_BUSY_SECONDS = 30


class QuotaExhausted(SourceQuotaExceeded):
    """The requests that the profile, or the API itself, allows for today have been sent."""


class DailyQuota:
    """At most `limit` requests a UTC day for `account`, which names who pays without being the credential."""

    def __init__(self, path: Path, account: str, limit: int) -> None:
        self._path = path
        self._account = account
        self._limit = limit

    def consume(self) -> None:
        """Count one request. Raises QuotaExhausted, and counts nothing, where today's are used up."""
        with self._transaction() as connection:
            row = connection.execute(
                "INSERT INTO spent (account, day, requests) VALUES (?, ?, 1) ON CONFLICT (account, day) "
                "DO UPDATE SET requests = requests + 1 WHERE requests < ? RETURNING requests",
                (self._account, _today(), self._limit),
            ).fetchone()
        if row is None:
            raise QuotaExhausted(
                f"the {self._limit} requests that the profile allows a day are used up; the next run goes on where "
                "this one stopped. Raise daily_budget if the account allows more."
            )

    def used(self) -> int:
        """How many requests were counted today (UTC) for the account, by whatever process."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT requests FROM spent WHERE account = ? AND day = ?", (self._account, _today())
            ).fetchone()
        return 0 if row is None else int(row[0])

    def close_day(self) -> None:
        """Take the API's word that today's quota is used up, whoever used it."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO spent (account, day, requests) VALUES (?, ?, ?) ON CONFLICT (account, day) "
                "DO UPDATE SET requests = max(requests, excluded.requests)",
                (self._account, _today(), self._limit),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS spent (account TEXT, day TEXT, requests INTEGER NOT NULL, "
                "PRIMARY KEY (account, day))"
            )
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
