"""Job runs on disk (SQLite): they survive a restart of the gateway. All changes of state go through here."""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movie_platform.local_cloud.glue.states import ACTIVE, RunState, may_follow
from movie_platform.process_identity import ProcessIdentity

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    job_name TEXT NOT NULL,
    state TEXT NOT NULL,
    document TEXT NOT NULL,
    definition TEXT NOT NULL,
    pid INTEGER,
    process_started TEXT
);
CREATE INDEX IF NOT EXISTS runs_by_job ON runs (job_name, number);
CREATE INDEX IF NOT EXISTS runs_by_state ON runs (state);
CREATE TABLE IF NOT EXISTS job_requests (
    job_name TEXT PRIMARY KEY,
    kept_by_catalog TEXT NOT NULL,
    request TEXT NOT NULL
);
"""
# The member of a run's document that is not Glue's: when its script began.
RUNNING_SINCE = "RunningSince"
_COLUMNS = "number, run_id, job_name, state, document, definition, pid, process_started"


class ConcurrencyExceededError(Exception):
    """The job has as many active runs as it may have."""


@dataclass(frozen=True, slots=True)
class Run:
    """One job run. `document` is Glue's JobRun but for the state; `definition` the job as it was at the
    start.
    """

    number: int
    run_id: str
    job_name: str
    state: RunState
    document: dict[str, Any]
    definition: dict[str, Any]
    process: ProcessIdentity | None

    @property
    def attempt(self) -> int:
        """How many attempts came before this one."""
        return int(self.document["Attempt"])

    def to_wire(self) -> dict[str, Any]:
        """Glue's JobRun; times are seconds since 1970, as the protocol has them."""
        public = {name: value for name, value in self.document.items() if name != RUNNING_SINCE}
        return {**public, "JobRunState": self.state.value}


class RunStore:
    """The runs of one home. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database; nothing may be asked afterwards."""
        with self._lock:
            self._connection.close()

    def add(
        self,
        document: Mapping[str, Any],
        definition: Mapping[str, Any],
        *,
        max_concurrent: int,
    ) -> Run:
        """Record a run that starts, with its JobRun. Raises `ConcurrencyExceededError` where the job has too
        many already.
        """
        run_id, job_name = str(document["Id"]), str(document["JobName"])
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            (active,) = self._connection.execute(
                f"SELECT count(*) FROM runs WHERE job_name = ? AND state IN ({_marks(len(ACTIVE))})",  # noqa: S608 - question marks only
                (job_name, *ACTIVE),
            ).fetchone()
            if active >= max_concurrent:
                raise ConcurrencyExceededError(job_name)
            self._connection.execute(
                "INSERT INTO runs (run_id, job_name, state, document, definition) VALUES (?, ?, ?, ?, ?)",
                (run_id, job_name, RunState.STARTING, json.dumps(document), json.dumps(definition)),
            )
        run = self.get(run_id)
        assert run is not None
        return run

    def get(self, run_id: str) -> Run | None:
        """The run of that id, None where there is none."""
        rows = self._select("WHERE run_id = ?", (run_id,))
        return rows[0] if rows else None

    def page(self, job_name: str, *, before: int | None, limit: int) -> list[Run]:
        """A job's runs, newest first, those with numbers below `before`."""
        return self._select(
            "WHERE job_name = ? AND number < ? ORDER BY number DESC LIMIT ?",
            (job_name, before if before is not None else 2**62, limit),
        )

    def active(self) -> list[Run]:
        """Runs that have not ended, of all jobs."""
        return self._select(f"WHERE state IN ({_marks(len(ACTIVE))})", tuple(ACTIVE))

    def set_process(self, run_id: str, process: ProcessIdentity) -> None:
        """Remember the leader of a run's processes, to find them after a crash."""
        with self._lock:
            self._connection.execute(
                "UPDATE runs SET pid = ?, process_started = ? WHERE run_id = ?",
                (process.pid, process.started, run_id),
            )

    def move(self, run_id: str, state: RunState, **changes: Any) -> bool:
        """Bring a run into a state and change members of its document; False where that may not follow any
        more.
        """
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            row = self._connection.execute(
                "SELECT state, document FROM runs WHERE run_id = ?", (run_id,)
            ).fetchone()
            if row is None or not may_follow(RunState(row[0]), state):
                return False
            document = {**json.loads(row[1]), "LastModifiedOn": time.time(), **changes}
            self._connection.execute(
                "UPDATE runs SET state = ?, document = ? WHERE run_id = ?",
                (state, json.dumps(document), run_id),
            )
        return True

    def job_request(self, job_name: str) -> tuple[str, dict[str, Any]] | None:
        """The last request that defined a job through the gateway, with what the catalog made of it (opaque)."""
        with self._lock:
            row = self._connection.execute(
                "SELECT kept_by_catalog, request FROM job_requests WHERE job_name = ?", (job_name,)
            ).fetchone()
        return None if row is None else (str(row[0]), json.loads(row[1]))

    def keep_job_request(self, job_name: str, kept_by_catalog: str, request: Mapping[str, Any]) -> None:
        """Remember the request that defined a job, in place of an earlier one."""
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO job_requests VALUES (?, ?, ?)",
                (job_name, kept_by_catalog, json.dumps(request)),
            )

    def drop_job_request(self, job_name: str) -> None:
        """Forget the request that defined a job; nothing happens where none is known."""
        with self._lock:
            self._connection.execute("DELETE FROM job_requests WHERE job_name = ?", (job_name,))

    def _select(self, condition: str, values: tuple[Any, ...]) -> list[Run]:
        with (
            self._lock,
            closing(
                self._connection.execute(f"SELECT {_COLUMNS} FROM runs {condition}", values)  # noqa: S608 - constants of this module
            ) as cursor,
        ):
            rows = cursor.fetchall()
        return [
            Run(
                number=row[0],
                run_id=row[1],
                job_name=row[2],
                state=RunState(row[3]),
                document=json.loads(row[4]),
                definition=json.loads(row[5]),
                process=None if row[6] is None else ProcessIdentity(row[6], row[7]),
            )
            for row in rows
        ]


def _marks(count: int) -> str:
    return ", ".join("?" * count)
