# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound
"""Streams as they are kept: a row a stream in the file of its database, so that offset and data commit together.

An offset is the number (see `numbering`) of the first row of the table that was not there yet.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from movie_platform.local_cloud.snowflake.errors import WriteConflictError
from movie_platform.local_cloud.snowflake.state.clock import Clock
from movie_platform.local_cloud.snowflake.state.engine import Engine, state_of
from movie_platform.local_cloud.snowflake.state.retention import days_of
from movie_platform.local_cloud.snowflake.state.row_numbers import end_of, removed_table
from movie_platform.local_cloud.snowflake.state.stream_images import Images
from movie_platform.local_cloud.snowflake.text.names import FullName

_COLUMNS = (
    "schema_name, name, stream_id, created_on, table_schema, table_name, row_offset, base_gone, comment, owner, "
    "append_only, moved_on"
)
# An empty stream that is asked for its data every minute is not written to so often.
_LOOK_EVERY = timedelta(minutes=5)
# How long CREATE STREAM waits for open transactions that change or remove rows of the table.
_QUIET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream, append-only or standard. Rows of its table from number `row_offset` on are new to it.

    `moved_on` is when its offset was set last.
    """

    name: FullName
    stream_id: str
    created_on: datetime
    table: FullName
    row_offset: int
    base_gone: bool
    comment: str
    owner: str
    append_only: bool
    moved_on: datetime


class StreamStore:
    """Reads and writes streams. With a connection, a call is part of its transaction."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._changing: Counter[FullName] = Counter()

    def streams(self, database: str | None = None) -> list[Stream]:
        """All streams of a database, or of the account, by name."""
        databases = self._engine.databases() if database is None else [database]
        return [
            _stream(name, row)
            for name in databases
            for row in self._engine.query(f"SELECT {_COLUMNS} FROM {_table(name)} ORDER BY schema_name, name")
        ]

    def find(self, connection: duckdb.DuckDBPyConnection, name: FullName) -> Stream | None:
        """A stream as the connection's transaction sees it, None where there is none."""
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM {_table(name.database)} WHERE schema_name = ? AND name = ?",
            [name.schema, name.name],
        ).fetchall()
        return _stream(name.database, rows[0]) if rows else None

    def on_table(self, connection: duckdb.DuckDBPyConnection, table: FullName) -> list[Stream]:
        """The streams that follow a table."""
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM {_table(table.database)} "
            "WHERE table_schema = ? AND table_name = ? AND NOT base_gone",
            [table.schema, table.name],
        ).fetchall()
        return [_stream(table.database, row) for row in rows]

    def begin_change(
        self, connection: duckdb.DuckDBPyConnection, changing: set[FullName], table: FullName
    ) -> list[Stream]:
        """The streams to note changes for, before the connection's transaction changes or removes rows of a table.

        `changing` are the tables that the transaction changes so far; the table is added to them. No stream on the
        table is made until the transaction ends. Raises WriteConflictError where one was made after
        the transaction began: the transaction does not know of it.
        """
        if table.database not in self._engine.databases():
            return []
        with self._lock:
            if table not in changing:
                changing.add(table)
                self._changing[table] += 1
            known = self.on_table(connection, table)
            with self._engine.transaction() as other:
                present = {stream.stream_id for stream in self.on_table(other, table)}
        if present - {stream.stream_id for stream in known}:
            raise WriteConflictError(f"a stream on {table} was created")
        return known

    def end_changes(self, changing: set[FullName]) -> None:
        """The transaction that changed these tables ended; empties the set."""
        with self._lock:
            for table in changing:
                self._changing[table] -= 1
                if not self._changing[table]:
                    del self._changing[table]
            changing.clear()

    @contextmanager
    def quiet(self, table: FullName) -> Iterator[None]:
        """No transaction is open that changes or removes rows of the table: a stream may be made.

        Raises WriteConflictError where one stays open.
        """
        deadline = time.monotonic() + _QUIET_SECONDS
        while True:
            with self._lock:
                if not self._changing[table]:
                    yield
                    return
            if time.monotonic() > deadline:
                raise WriteConflictError(f"rows of {table} are changed by an open transaction")
            time.sleep(0.05)

    def create(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: FullName,
        table: FullName,
        *,
        append_only: bool,
        initial_rows: bool,
        comment: str,
        owner: str,
    ) -> None:
        """Creates a stream, in the place of one of that name."""
        self.drop(connection, name)
        row_offset = 0 if initial_rows else end_of(connection, table)
        connection.execute(
            f"INSERT INTO {_table(name.database)} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, false, ?, ?, ?, ?)",
            [
                name.schema, name.name, str(uuid.uuid4()), datetime.now(UTC), table.schema, table.name, row_offset,
                comment, owner, append_only, self._clock.now(),
            ],
        )  # fmt: skip

    def drop(self, connection: duckdb.DuckDBPyConnection, name: FullName) -> None:
        """Drops a stream, and what was kept for it."""
        stream = self.find(connection, name)
        if stream is None:
            return
        connection.execute(
            f"DELETE FROM {_table(name.database)} WHERE schema_name = ? AND name = ?",
            [name.schema, name.name],
        )
        Images(connection, name.database, stream.stream_id).drop()
        if not stream.base_gone and not self.on_table(connection, stream.table):
            _forget_removed(connection, stream.table)

    def set_comment(self, connection: duckdb.DuckDBPyConnection, name: FullName, comment: str) -> None:
        """Changes a stream's comment."""
        connection.execute(
            f"UPDATE {_table(name.database)} SET comment = ? WHERE schema_name = ? AND name = ?",
            [comment, name.schema, name.name],
        )

    def advance(self, connection: duckdb.DuckDBPyConnection, stream: Stream, row_offset: int) -> None:
        """Moves the offset, in the connection's transaction."""
        connection.execute(
            f"UPDATE {_table(stream.name.database)} SET row_offset = ?, moved_on = ? WHERE stream_id = ?",
            [row_offset, self._clock.now(), stream.stream_id],
        )
        Images(connection, stream.name.database, stream.stream_id).clear()

    def note_empty(self, stream: Stream) -> None:
        """A stream was asked for its data and has none: it is as good as read (SYSTEM$STREAM_HAS_DATA)."""
        now = self._clock.now()
        if now - self._fresh_since(stream) < _LOOK_EVERY:
            return
        self._engine.write(
            f"INSERT OR REPLACE INTO {state_of(stream.name.database)}._fs_stream_looks VALUES (?, ?)",
            [stream.stream_id, now],
        )

    def _fresh_since(self, stream: Stream) -> datetime:
        rows = self._engine.query(
            f"SELECT looked_on FROM {state_of(stream.name.database)}._fs_stream_looks WHERE stream_id = ?",
            [stream.stream_id],
        )
        return max([stream.moved_on, *(row[0] for row in rows)])

    def stale_after(self, stream: Stream) -> datetime:
        """When a stream becomes stale if nobody reads it, or became so: its table keeps what was for so long."""
        return self._fresh_since(stream) + timedelta(days=days_of(self._engine, stream.table))

    def is_stale(self, stream: Stream) -> bool:
        """Whether the offset is older than what its table keeps: the stream can be read no more."""
        return self._clock.now() >= self.stale_after(stream)

    def forget_table(self, connection: duckdb.DuckDBPyConnection, table: FullName) -> None:
        """Notes that a table was dropped or replaced: its streams have nothing to read any more."""
        for stream in self.on_table(connection, table):
            Images(connection, table.database, stream.stream_id).drop()
        connection.execute(
            f"UPDATE {_table(table.database)} SET base_gone = true WHERE table_schema = ? AND table_name = ?",
            [table.schema, table.name],
        )
        _forget_removed(connection, table)

    def rename_table(self, connection: duckdb.DuckDBPyConnection, table: FullName, new: FullName) -> None:
        """Streams go with their table."""
        for kept in (_table(table.database), removed_table(table.database)):
            connection.execute(
                f"UPDATE {kept} SET table_name = ? WHERE table_schema = ? AND table_name = ?",
                [new.name, table.schema, table.name],
            )

    def change_column(
        self, connection: duckdb.DuckDBPyConnection, table: FullName, column: str, new: str | None
    ) -> None:
        """A column got another name, or is dropped (None): what is kept of the table's rows goes with it."""
        for stream in self.on_table(connection, table):
            Images(connection, table.database, stream.stream_id).change_column(column, new)

    def follow_type(self, connection: duckdb.DuckDBPyConnection, table: FullName, column: str) -> None:
        """A column got another type: what is kept of the table's rows gets it, too."""
        for stream in self.on_table(connection, table):
            Images(connection, table.database, stream.stream_id).follow_type(table, column)

    def forget_schema(self, connection: duckdb.DuckDBPyConnection, database: str, schema: str) -> None:
        """A schema is dropped with its streams, and streams elsewhere have nothing to read of its tables any more."""
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM {_table(database)} WHERE schema_name = ? OR table_schema = ?",
            [schema, schema],
        ).fetchall()
        for stream in (_stream(database, row) for row in rows):
            if stream.name.schema == schema:
                self.drop(connection, stream.name)
            else:
                self.forget_table(connection, stream.table)


def _forget_removed(connection: duckdb.DuckDBPyConnection, table: FullName) -> None:
    connection.execute(
        f"DELETE FROM {removed_table(table.database)} WHERE table_schema = ? AND table_name = ?",
        [table.schema, table.name],
    )


def _table(database: str) -> str:
    return f"{state_of(database)}._fs_streams"


def _stream(database: str, row: Sequence[Any]) -> Stream:
    (
        schema,
        name,
        stream_id,
        created_on,
        table_schema,
        table_name,
        row_offset,
        base_gone,
        comment,
        owner,
        append_only,
        moved_on,
    ) = row
    return Stream(
        FullName(database, schema, name),
        stream_id,
        created_on,
        FullName(database, table_schema, table_name),
        row_offset,
        base_gone,
        comment,
        owner,
        append_only,
        moved_on or created_on,
    )
