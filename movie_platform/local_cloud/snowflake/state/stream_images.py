# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; the rest are numbers
"""What rows were before they were changed or removed: a table a stream, made when there is something to keep.

An image is kept by the transaction that changes the row, and goes with the transaction that consumes the stream. Of a
row that was changed several times the first image is what it was at the stream's offset.
"""

from collections.abc import Mapping, Sequence

import duckdb

from movie_platform.local_cloud.snowflake.state.engine import STATE_SCHEMA, state_of
from movie_platform.local_cloud.snowflake.state.row_numbers import FIRST_UNCOMMITTED, NUMBER
from movie_platform.local_cloud.snowflake.text.names import FullName, quoted

Columns = Mapping[str, str]


def columns_of(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: str
) -> dict[str, str]:
    """Names and DuckDB types of a table's columns in order; none where there is no such table."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [database, schema, table],
    ).fetchall()
    return dict(rows)


class Images:
    """The images that a stream keeps, as a connection's transaction sees them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: str, stream_id: str) -> None:
        self._connection = connection
        name = f"_fs_images_{stream_id.replace('-', '')}"
        self._sql = f"{state_of(database)}.{name}"
        self._columns = columns_of(connection, database, STATE_SCHEMA, name)

    @property
    def exist(self) -> bool:
        """Whether there is a table of images."""
        return bool(self._columns)

    def keep(self, columns: Columns, source: str) -> None:
        """Keeps images: `source` is a query for NUMBER and these columns."""
        if not self._columns:
            definitions = "".join(f", {quoted(name)} {kind}" for name, kind in columns.items())
            self._connection.execute(f"CREATE TABLE {self._sql} ({NUMBER} BIGINT{definitions})")
        for name in columns.keys() - self._columns.keys() if self._columns else ():
            self._connection.execute(f"ALTER TABLE {self._sql} ADD COLUMN {quoted(name)} {columns[name]}")
        self._connection.execute(f"INSERT INTO {self._sql} BY NAME {source}")

    def first(self, columns: Columns, *, own: bool) -> str:
        """A query for the first image of each row, with the table's columns of now.

        `own`: of what the connection's own transaction kept, else of what is committed.
        """
        values: Sequence[str] = [
            f"CAST({'i.' + quoted(name) if name in self._columns else 'NULL'} AS {kind}) AS {quoted(name)}"
            for name, kind in columns.items()
        ]
        # Not by a window function: DuckDB 2.0's optimizer fails on one that is ordered by rowid.
        firsts = (
            f"SELECT {NUMBER}, min(rowid) AS rid FROM {self._sql} "
            f"WHERE rowid {'>=' if own else '<'} {FIRST_UNCOMMITTED} GROUP BY {NUMBER}"
        )
        return f"SELECT i.{NUMBER}, {', '.join(values)} FROM {self._sql} AS i JOIN ({firsts}) AS f ON i.rowid = f.rid"

    def clear(self) -> None:
        """Forgets the images that are committed: the stream gave what they are for."""
        if self._columns:
            self._connection.execute(f"DELETE FROM {self._sql} WHERE rowid < {FIRST_UNCOMMITTED}")

    def change_column(self, column: str, new: str | None) -> None:
        """Follows a column of the table that is renamed, or dropped (None)."""
        if column in self._columns:
            change = (
                f"DROP COLUMN {quoted(column)}"
                if new is None
                else f"RENAME {quoted(column)} TO {quoted(new)}"
            )
            self._connection.execute(f"ALTER TABLE {self._sql} {change}")

    def follow_type(self, table: FullName, column: str) -> None:
        """Follows a column of the table that has another type now."""
        if column in self._columns:
            kind = columns_of_table(self._connection, table)[column]
            self._connection.execute(f"ALTER TABLE {self._sql} ALTER COLUMN {quoted(column)} TYPE {kind}")

    def drop(self) -> None:
        """Drops the table, if there is one."""
        self._connection.execute(f"DROP TABLE IF EXISTS {self._sql}")


def columns_of_table(connection: duckdb.DuckDBPyConnection, table: FullName) -> dict[str, str]:
    """Names and DuckDB types of the columns of a table that streams follow."""
    return columns_of(connection, table.database, table.schema, table.name)
