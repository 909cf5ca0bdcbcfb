# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; the rest are numbers
"""DML that changes or removes rows of a table that streams follow: what it did is noted with it, in its transaction.

The rows are compared before and after. That costs a pass over the table, and is right for every kind of DML. A table
that no stream follows costs nothing.
"""

from collections.abc import Callable
from typing import TypeVar

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.row_numbers import NUMBER, is_dense, note_removed, numbered
from movie_platform.local_cloud.snowflake.state.stream_images import Columns, Images, columns_of_table
from movie_platform.local_cloud.snowflake.state.stream_store import Stream
from movie_platform.local_cloud.snowflake.text.names import FullName, quoted

_T = TypeVar("_T")
_NUMBERS, _BEFORE = "temp.main._FS_NUMBERS", "temp.main._FS_BEFORE"
_RID = "_fs_rid"


def noting_changes(session: Session, table: FullName, work: Callable[[], _T], *, updates: bool) -> _T:
    """Does DML on a table in the session's transaction and notes for the table's streams what it changed and removed.

    Raises WriteConflictError where a stream on the table was made after the transaction began, and SnowflakeError
    where `updates` rows have a type that DuckDB moves when it is changed.
    """
    if session.translator.temporaries.kind_of(table) is not None:
        # No stream follows a temporary table; those of the permanent one that it hides have nothing to note.
        return work()
    followers = session.account.streams.begin_change(session.duck, session.changing, table)
    if not followers:
        return work()
    duck = session.duck
    columns = columns_of_table(duck, table)
    if updates:
        _refuse_moving_rows(session, table, columns, followers[0])
    # An append-only stream needs what was inserted behind its offset, a standard one every row.
    least = min(stream.row_offset if stream.append_only else 0 for stream in followers)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE _FS_NUMBERS AS {numbered(duck, table, dense=is_dense(duck, table))}"
    )
    names = "".join(f", t.{quoted(name)}" for name in columns)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE _FS_BEFORE AS SELECT t.rowid AS {_RID}, n.{NUMBER}{names} "
        f"FROM {table.sql} AS t JOIN {_NUMBERS} AS n ON t.rowid = n.rid WHERE n.{NUMBER} >= {least}"
    )
    answer = work()
    _note(session, table, columns, followers)
    for name in (_NUMBERS, _BEFORE):
        duck.execute(f"DROP TABLE {name}")
    return answer


def _note(session: Session, table: FullName, columns: Columns, followers: list[Stream]) -> None:
    duck = session.duck
    note_removed(
        duck,
        table,
        f"SELECT {NUMBER} FROM {_NUMBERS} AS n WHERE NOT EXISTS (SELECT 1 FROM {table.sql} AS t WHERE t.rowid = n.rid)",
    )
    differs = " OR ".join(f"b.{quoted(name)} IS DISTINCT FROM t.{quoted(name)}" for name in columns)
    names = "".join(f", b.{quoted(name)}" for name in columns)
    for stream in followers:
        least = stream.row_offset if stream.append_only else 0
        changed = (
            f"SELECT b.{NUMBER}{names} FROM {_BEFORE} AS b LEFT JOIN {table.sql} AS t ON t.rowid = b.{_RID} "
            f"WHERE b.{NUMBER} >= {least} AND (t.rowid IS NULL OR {differs})"
        )
        if duck.execute(f"SELECT 1 FROM ({changed}) LIMIT 1").fetchall():
            Images(duck, table.database, stream.stream_id).keep(columns, changed)


def _refuse_moving_rows(session: Session, table: FullName, columns: Columns, follower: Stream) -> None:
    # DuckDB changes a row of plain types where it stands; one with a list, or with an index, it writes anew at the end.
    nested = [name for name, kind in columns.items() if "[" in kind or kind.startswith(("MAP", "UNION"))]
    indexed = session.duck.execute(
        "SELECT 1 FROM duckdb_constraints() WHERE database_name = ? AND schema_name = ? AND table_name = ? "
        "AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') LIMIT 1",
        [table.database, table.schema, table.name],
    ).fetchall()
    if nested or indexed:
        raise unsupported(
            f"UPDATE on {table}, which the stream {follower.name} follows and whose rows DuckDB moves when they are "
            f"changed ({', '.join(nested) or 'a key'})"
        )
