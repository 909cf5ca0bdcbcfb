# ruff: noqa: S608 - identifiers in SQL text are quoted by `names`; the rest are numbers
"""Streams inside statements: a stream that is named as a table becomes the rows that are new to it.

Source: Snowflake documentation, "Introduction to Streams" (docs.snowflake.com/en/user-guide/streams-intro): a
transaction sees the same rows of a stream however often it reads them; the offset moves when a transaction in which
DML read the stream commits, and a query alone does not move it.
"""

import duckdb
import sqlglot
from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.names import FullName, Name
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.streams.store import Stream
from movie_platform.local_cloud.snowflake.tokens import parse_name

# Rows of the transaction's own that are not committed yet are numbered from here on.
_FIRST_UNCOMMITTED_ROW = 36_028_797_018_960_000


def replace_streams(session: Session, tree: Expr) -> list[Stream]:
    """Puts a query in the place of each stream that the tree reads; gives the streams.

    Raises SnowflakeError for a stream whose table is gone.
    """
    found: dict[FullName, Stream] = {}
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or _is_target(table):
            continue
        stream = _named(session, table)
        if stream is None:
            continue
        _check_table(stream)
        alias = table.args.get("alias")
        rows = sqlglot.parse_one(_rows(stream), read="duckdb")
        if not isinstance(rows, exp.Query):
            raise TypeError(f"the rows of {stream.name} are no query")
        table.replace(
            rows.subquery(
                alias.this if alias else exp.to_identifier(stream.name.name, quoted=True), copy=False
            )
        )
        found[stream.name] = stream
    return list(found.values())


def consume(session: Session, streams: list[Stream]) -> None:
    """Notes that DML of the session's transaction read these streams; `Session.commit` moves their offsets."""
    for stream in streams:
        session.consumed.setdefault(stream.name, (stream, end_of(session.duck, stream.table)))


def has_data(session: Session, name: str) -> bool:
    """SYSTEM$STREAM_HAS_DATA.

    Raises SnowflakeError where the stream does not exist or its table is gone.
    """
    full = session.resolve(parse_name(name))
    if full.database not in session.account.engine.databases():
        raise does_not_exist("Database", full.database)
    stream = session.account.streams.find(session.duck, full)
    if stream is None:
        raise does_not_exist("Stream", str(full))
    _check_table(stream)
    return bool(
        session.duck.execute(f"SELECT 1 FROM {stream.table.sql} WHERE {_new(stream)} LIMIT 1").fetchall()
    )


def end_of(connection: duckdb.DuckDBPyConnection, table: FullName) -> int:
    """The number that the next committed row of a table gets, as the connection's transaction sees it."""
    [(last,)] = connection.execute(
        f"SELECT max(rowid) FROM {table.sql} WHERE rowid < {_FIRST_UNCOMMITTED_ROW}"
    ).fetchall()
    return 0 if last is None else int(last) + 1


def refuse_on_followed_table(session: Session, table: FullName, verb: str) -> None:
    """Refuses what would renumber a table's rows while a stream counts them.

    Raises SnowflakeError where a stream follows the table.
    """
    if table.database not in session.account.engine.databases():
        return
    followers = session.account.streams.on_table(session.duck, table)
    if followers:
        raise unsupported(
            f"{verb} on {table}, which the stream {followers[0].name} follows: it may only grow"
        )


def _named(session: Session, table: exp.Table) -> Stream | None:
    parts = [table.args.get("catalog"), table.args.get("db"), table.this]
    texts = [
        None if not isinstance(part, exp.Identifier) else part.this if part.quoted else str(part.this).upper()
        for part in parts
    ]
    if texts[2] is None or (texts[0] is None and session.database is None):
        return None
    if texts[1] is None and (texts[0] is not None or session.schema is None):
        return None
    name = session.resolve(Name(texts[0], texts[1], texts[2]))
    if name.database not in session.account.engine.databases():
        return None
    return session.account.streams.find(session.duck, name)


def _is_target(table: exp.Table) -> bool:
    parent = table.parent
    if isinstance(parent, exp.Schema):
        parent, table_key = parent.parent, parent.arg_key
    else:
        table_key = table.arg_key
    return isinstance(parent, exp.Insert | exp.Update | exp.Delete | exp.Merge) and table_key == "this"


def _check_table(stream: Stream) -> None:
    if stream.base_gone:
        raise SnowflakeError(
            91901,
            "22000",
            f"SQL compilation error:\nBase table '{stream.table}' dropped, "
            f"cannot read from stream '{stream.name.name}'.",
        )


def _new(stream: Stream) -> str:
    return f"rowid >= {stream.row_offset} AND rowid < {_FIRST_UNCOMMITTED_ROW}"


def _rows(stream: Stream) -> str:
    return (
        f'SELECT *, \'INSERT\' AS "METADATA$ACTION", false AS "METADATA$ISUPDATE", '
        f"'{stream.stream_id}-' || rowid AS \"METADATA$ROW_ID\" FROM {stream.table.sql} WHERE {_new(stream)}"
    )
