# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""Pipes and their files as state: which pipes exist, which files wait, which are loaded."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from movie_platform.local_cloud.snowflake.errors import does_not_exist
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.copy_plan import CopyPlan, parse_copy, plan_copy
from movie_platform.local_cloud.snowflake.state.engine import Engine, state_of
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

PENDING = "pending"
LOADED = "loaded"
FAILED = "failed"

_COLUMNS = (
    "schema_name, name, pipe_id, created_on, definition, auto_ingest, notification_channel, integration, comment, "
    "owner, paused"
)


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipe. `pipe_id` is new with each CREATE: a re-created pipe has loaded nothing yet."""

    name: FullName
    pipe_id: str
    created_on: datetime
    definition: str
    auto_ingest: bool
    channel: str | None
    comment: str
    owner: str
    paused: bool

    def plan(self, engine: Engine) -> CopyPlan:
        """The pipe's COPY statement, resolved against the pipe's own schema.

        Raises SnowflakeError where its table, stage or file format is gone.
        """
        statement = parse_copy(TokenStream(self.definition))
        return plan_copy(engine, statement, self.name.database, self.name.schema)


@dataclass(frozen=True, slots=True)
class PendingFile:
    """A file that waits to be loaded by a pipe, or whose first `rows_loaded` of `rows_total` rows are loaded already.

    `rows_total` and `etag` are those that the file had when its first piece was loaded; before, `rows_total` is None.
    """

    pipe: Pipe
    key: str
    received_at: datetime
    etag: str = ""
    rows_loaded: int = 0
    rows_total: int | None = None


class PipeStore:
    """Reads and writes pipes in the files of their databases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last_errors: dict[str, tuple[datetime, str]] = {}

    def pipes(self, database: str | None = None) -> list[Pipe]:
        """All pipes, or those of one database, by name."""
        databases = self._engine.databases() if database is None else [database]
        return [pipe for name in databases for pipe in self._pipes_in(name)]

    def _pipes_in(self, database: str) -> list[Pipe]:
        rows = self._engine.query(
            f"SELECT {_COLUMNS} FROM {state_of(database)}._fs_pipes ORDER BY schema_name, name"
        )
        return [_pipe(database, row) for row in rows]

    def find(self, name: FullName) -> Pipe | None:
        """One pipe."""
        if name.database not in self._engine.databases():
            return None
        return next((pipe for pipe in self._pipes_in(name.database) if pipe.name == name), None)

    def require(self, name: FullName) -> Pipe:
        """One pipe.

        Raises SnowflakeError where it does not exist.
        """
        pipe = self.find(name)
        if pipe is None:
            raise does_not_exist("Pipe", str(name))
        return pipe

    def create(
        self,
        name: FullName,
        definition: str,
        *,
        auto_ingest: bool,
        channel: str | None,
        comment: str,
        owner: str,
    ) -> None:
        """Creates a pipe, in the place of one of that name."""
        with self._engine.transaction() as connection:
            self._delete(connection, name)
            connection.execute(
                f"INSERT INTO {state_of(name.database)}._fs_pipes ({_COLUMNS}) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, false)",
                [
                    name.schema, name.name, str(uuid.uuid4()), datetime.now(UTC), definition, auto_ingest, channel,
                    comment, owner,
                ],
            )  # fmt: skip

    def drop(self, name: FullName) -> None:
        """Drops a pipe and what it knows of files."""
        with self._engine.transaction() as connection:
            self._delete(connection, name)

    def _delete(self, connection: duckdb.DuckDBPyConnection, name: FullName) -> None:
        state = state_of(name.database)
        values = [name.schema, name.name]
        load_history.end_loads(connection, name)
        connection.execute(
            f"DELETE FROM {state}._fs_pipe_files WHERE pipe_id IN "
            f"(SELECT pipe_id FROM {state}._fs_pipes WHERE schema_name = ? AND name = ?)",
            values,
        )
        connection.execute(f"DELETE FROM {state}._fs_pipes WHERE schema_name = ? AND name = ?", values)

    def set(self, pipe: Pipe, *, paused: bool | None = None, comment: str | None = None) -> None:
        """Changes a pipe's properties; None leaves one as it is."""
        self._engine.write(
            f"UPDATE {state_of(pipe.name.database)}._fs_pipes "
            "SET paused = coalesce(?, paused), comment = coalesce(?, comment) WHERE pipe_id = ?",
            [paused, comment, pipe.pipe_id],
        )

    def enqueue(self, pipe: Pipe, files: Sequence[tuple[str, str, int]], received_at: datetime) -> list[str]:
        """Makes files (key, ETag, size) wait, but for those that are loaded or wait already; gives the keys added.

        One that failed half-way and is still the same goes on from there.
        """
        state = state_of(pipe.name.database)
        with self._engine.transaction() as connection:
            known = dict(
                connection.execute(
                    f"SELECT path, status FROM {state}._fs_pipe_files "
                    "WHERE pipe_id = ? AND path IN (SELECT unnest(?::VARCHAR[]))",
                    [pipe.pipe_id, [key for key, _, _ in files]],
                ).fetchall()
            )
            new = [file for file in files if known.get(file[0]) not in {PENDING, LOADED}]
            for key, etag, size in new:
                connection.execute(
                    f"INSERT INTO {state}._fs_pipe_files (pipe_id, path, status, etag, size, received_at) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET status = excluded.status, "
                    "size = excluded.size, received_at = excluded.received_at, etag = excluded.etag, "
                    "rows_loaded = CASE WHEN etag = excluded.etag THEN rows_loaded ELSE 0 END, "
                    "rows_total = CASE WHEN etag = excluded.etag THEN rows_total END",
                    [pipe.pipe_id, key, PENDING, etag, size, received_at],
                )
        return [key for key, _, _ in new]

    def pending(self, limit: int) -> list[PendingFile]:
        """Files that wait for pipes that are not paused, oldest first in each database."""
        found: list[PendingFile] = []
        for database in self._engine.databases():
            state = state_of(database)
            rows = self._engine.query(
                f"SELECT {_COLUMNS}, path, received_at, etag, coalesce(rows_loaded, 0), rows_total "
                f"FROM {state}._fs_pipe_files JOIN {state}._fs_pipes "
                "USING (pipe_id) WHERE status = ? AND NOT paused ORDER BY received_at, path LIMIT ?",
                [PENDING, limit],
            )
            found += [PendingFile(_pipe(database, row[:11]), *row[11:]) for row in rows]
        return found

    def counts(self, pipe: Pipe) -> tuple[int, datetime | None]:
        """How many files wait, and when the last file was announced."""
        rows = self._engine.query(
            f"SELECT count(*) FILTER (WHERE status = ?), max(received_at) "
            f"FROM {state_of(pipe.name.database)}._fs_pipe_files WHERE pipe_id = ?",
            [PENDING, pipe.pipe_id],
        )
        return int(rows[0][0]), rows[0][1]

    def last_loaded(self, pipe: Pipe) -> tuple[datetime, str] | None:
        """When the pipe last loaded a file, and which."""
        rows = self._engine.query(
            f"SELECT last_load_time, file_name FROM {state_of(pipe.name.database)}._fs_copy_history "
            "WHERE pipe_schema_name = ? AND pipe_name = ? AND status = 'Loaded' "
            "ORDER BY last_load_time DESC LIMIT 1",
            [pipe.name.schema, pipe.name.name],
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def note_error(self, pipe: Pipe, message: str) -> None:
        """Keeps what last failed for a pipe, in memory only."""
        self._last_errors[pipe.pipe_id] = (datetime.now(UTC), message)

    def last_error(self, pipe: Pipe) -> tuple[datetime, str] | None:
        """When something last failed for a pipe since the server started, and what."""
        return self._last_errors.get(pipe.pipe_id)


def settle(connection: duckdb.DuckDBPyConnection, file: PendingFile, status: str) -> bool:
    """Marks a pending file as loaded or failed, in the connection's transaction; False where its pipe is gone."""
    return _update(connection, file, "status = ?", [status])


def advance(connection: duckdb.DuckDBPyConnection, file: PendingFile, new: PendingFile) -> bool:
    """Notes that more rows of a pending file are loaded, in the connection's transaction; False without its pipe."""
    status = LOADED if new.rows_loaded == new.rows_total else PENDING
    return _update(
        connection,
        file,
        "status = ?, etag = ?, rows_loaded = ?, rows_total = ?",
        [status, new.etag, new.rows_loaded, new.rows_total],
    )


def _update(
    connection: duckdb.DuckDBPyConnection, file: PendingFile, changes: str, values: list[Any]
) -> bool:
    rows = connection.execute(
        f"UPDATE {state_of(file.pipe.name.database)}._fs_pipe_files SET {changes} "
        "WHERE pipe_id = ? AND path = ? AND status = ? AND coalesce(rows_loaded, 0) = ? RETURNING path",
        [*values, file.pipe.pipe_id, file.key, PENDING, file.rows_loaded],
    ).fetchall()
    return len(rows) == 1


def _pipe(database: str, row: tuple[Any, ...]) -> Pipe:
    (
        schema,
        name,
        pipe_id,
        created_on,
        definition,
        auto_ingest,
        channel,
        _integration,
        comment,
        owner,
        paused,
    ) = row
    return Pipe(
        FullName(database, schema, name),
        pipe_id,
        created_on,
        definition,
        auto_ingest,
        channel,
        comment,
        owner,
        paused,
    )
