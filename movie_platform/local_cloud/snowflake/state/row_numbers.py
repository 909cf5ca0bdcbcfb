# ruff: noqa: S608 - identifiers in SQL text are quoted by `names`; the rest are numbers and constants
"""Numbers of rows that last: what the streams on a table know a row by.

DuckDB's own number of a row (rowid) changes when a checkpoint closes the gaps that deleted rows left. The order of the
rows never changes: they stand in the order in which they were committed. So a row's number here is its place among
all rows that the table ever had since a stream follows it: its place among the rows of now, and the removed ones
before it, which are kept as ranges of numbers.
"""

import duckdb

from movie_platform.local_cloud.snowflake.state.engine import state_of
from movie_platform.local_cloud.snowflake.text.names import FullName, literal

# DuckDB numbers rows that the connection's own transaction added, and has not committed, from here on.
FIRST_UNCOMMITTED = 36_028_797_018_960_000
NUMBER = "_fs_number"


def removed_table(database: str) -> str:
    """The table of the ranges of removed rows."""
    return f"{state_of(database)}._fs_removed_rows"


def _removed(table: FullName) -> str:
    return (
        f"{removed_table(table.database)} "
        f"WHERE table_schema = {literal(table.schema)} AND table_name = {literal(table.name)}"
    )


def end_of(connection: duckdb.DuckDBPyConnection, table: FullName) -> int:
    """The number that the next committed row of a table gets, as the connection's transaction sees it."""
    [(present,)] = connection.execute(
        f"SELECT count(*) FROM {table.sql} WHERE rowid < {FIRST_UNCOMMITTED}"
    ).fetchall()
    [(removed,)] = connection.execute(
        f"SELECT coalesce(sum(last_number - first_number + 1), 0) FROM {_removed(table)}"
    ).fetchall()
    return int(present) + int(removed)


def is_dense(connection: duckdb.DuckDBPyConnection, table: FullName) -> bool:
    """Whether rowid is the row's number: nothing was ever removed."""
    [(present, last)] = connection.execute(
        f"SELECT count(*), max(rowid) FROM {table.sql} WHERE rowid < {FIRST_UNCOMMITTED}"
    ).fetchall()
    if present and last != present - 1:
        return False
    return not connection.execute(f"SELECT 1 FROM {_removed(table)} LIMIT 1").fetchall()


def numbered(connection: duckdb.DuckDBPyConnection, table: FullName, *, dense: bool, since: int = 0) -> str:
    """A query for the committed rows of a table: `rid` is DuckDB's rowid, NUMBER the row's number.

    Rows before number `since` may be left out. The query holds for the connection's transaction only.
    """
    if dense:
        return (
            f"SELECT rowid AS rid, rowid AS {NUMBER} FROM {table.sql} "
            f"WHERE rowid >= {since} AND rowid < {FIRST_UNCOMMITTED}"
        )
    # A row's rowid is never less than its place among the rows: those before `start` are counted, not sorted.
    [(removed,)] = connection.execute(
        "SELECT coalesce(sum(least(last_number, ?) - first_number + 1), 0) "
        f"FROM {_removed(table)} AND first_number < ?",
        [since - 1, since],
    ).fetchall()
    start = since - int(removed)
    [(before,)] = connection.execute(f"SELECT count(*) FROM {table.sql} WHERE rowid < {start}").fetchall()
    # A range of removed rows moves all rows that stand behind it: those from place `first_number - removed before`.
    return (
        f"SELECT rid, place + coalesce(removed, 0) AS {NUMBER} FROM "
        f"(SELECT rowid AS rid, {before} + row_number() OVER (ORDER BY rowid) - 1 AS place "
        f"FROM {table.sql} WHERE rowid >= {start} AND rowid < {FIRST_UNCOMMITTED}) ASOF LEFT JOIN "
        "(SELECT first_number - (so_far - length) AS from_place, max(so_far)::BIGINT AS removed FROM "
        "(SELECT first_number, last_number - first_number + 1 AS length, "
        f"(sum(last_number - first_number + 1) OVER (ORDER BY first_number))::BIGINT AS so_far FROM {_removed(table)}) "
        "GROUP BY ALL) ON place >= from_place"
    )


def note_removed(connection: duckdb.DuckDBPyConnection, table: FullName, numbers: str) -> None:
    """Keeps the numbers of removed rows; `numbers` is a query for them, its column is called NUMBER."""
    connection.execute(
        f"INSERT INTO {removed_table(table.database)} SELECT ?, ?, min({NUMBER}), max({NUMBER}) FROM "
        f"(SELECT {NUMBER}, {NUMBER} - row_number() OVER (ORDER BY {NUMBER}) AS island FROM ({numbers})) "
        "GROUP BY island",
        [table.schema, table.name],
    )
