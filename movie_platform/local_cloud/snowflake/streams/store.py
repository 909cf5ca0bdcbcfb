# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound
"""Streams as they are kept: a row a stream in the file of its database, so that offset and data commit together.

An offset is a row number (DuckDB's rowid) of the table: rows from there on are new. That holds because a table that
a stream follows only grows: its rows are numbered in the order in which they are committed, and a rollback gives
the numbers back.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from movie_platform.local_cloud.snowflake.engine import Engine, state_of
from movie_platform.local_cloud.snowflake.names import FullName

_COLUMNS = "schema_name, name, stream_id, created_on, table_schema, table_name, row_offset, base_gone, comment, owner"


@dataclass(frozen=True, slots=True)
class Stream:
    """An append-only stream. `row_offset` is the first row that it has not given yet."""

    name: FullName
    stream_id: str
    created_on: datetime
    table: FullName
    row_offset: int
    base_gone: bool
    comment: str
    owner: str


class StreamStore:
    """Reads and writes streams. With a connection, a call is part of its transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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

    def create(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: FullName,
        table: FullName,
        *,
        row_offset: int,
        comment: str,
        owner: str,
    ) -> None:
        """Creates a stream, in the place of one of that name."""
        self.drop(connection, name)
        connection.execute(
            f"INSERT INTO {_table(name.database)} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, false, ?, ?)",
            [
                name.schema, name.name, str(uuid.uuid4()), datetime.now(UTC), table.schema, table.name, row_offset,
                comment, owner,
            ],
        )  # fmt: skip

    def drop(self, connection: duckdb.DuckDBPyConnection, name: FullName) -> None:
        """Drops a stream."""
        connection.execute(
            f"DELETE FROM {_table(name.database)} WHERE schema_name = ? AND name = ?",
            [name.schema, name.name],
        )

    def set_comment(self, connection: duckdb.DuckDBPyConnection, name: FullName, comment: str) -> None:
        """Changes a stream's comment."""
        connection.execute(
            f"UPDATE {_table(name.database)} SET comment = ? WHERE schema_name = ? AND name = ?",
            [comment, name.schema, name.name],
        )

    def advance(self, connection: duckdb.DuckDBPyConnection, stream: Stream, row_offset: int) -> None:
        """Moves the offset, in the connection's transaction."""
        connection.execute(
            f"UPDATE {_table(stream.name.database)} SET row_offset = ? WHERE stream_id = ?",
            [row_offset, stream.stream_id],
        )

    def forget_table(self, connection: duckdb.DuckDBPyConnection, table: FullName) -> None:
        """Notes that a table was dropped or replaced: its streams have nothing to read any more."""
        connection.execute(
            f"UPDATE {_table(table.database)} SET base_gone = true WHERE table_schema = ? AND table_name = ?",
            [table.schema, table.name],
        )


def _table(database: str) -> str:
    return f"{state_of(database)}._fs_streams"


def _stream(database: str, row: Sequence[Any]) -> Stream:
    schema, name, stream_id, created_on, table_schema, table_name, row_offset, base_gone, comment, owner = row
    return Stream(
        FullName(database, schema, name),
        stream_id,
        created_on,
        FullName(database, table_schema, table_name),
        row_offset,
        base_gone,
        comment,
        owner,
    )
