# ruff: noqa: S608 - identifiers in SQL text are quoted by `names`; the rest are numbers and constants
"""Streams inside statements: a stream that is named as a table becomes its changes.

Source: Snowflake documentation, "Introduction to Streams" (docs.snowflake.com/en/user-guide/streams-intro): a
transaction sees the same rows of a stream however often it reads them; the offset moves when a transaction in which
DML read the stream commits, and a query alone does not move it. A standard stream gives the difference between the
offset and now; an append-only stream gives every row that was inserted, as it was inserted. A stream whose offset is
older than what its table keeps is stale and cannot be read any more (the words of that error are ours).
"""

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, does_not_exist
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.privileges import Access
from movie_platform.local_cloud.snowflake.state.row_numbers import (
    FIRST_UNCOMMITTED,
    NUMBER,
    end_of,
    is_dense,
    numbered,
)
from movie_platform.local_cloud.snowflake.state.stream_images import Columns, Images, columns_of_table
from movie_platform.local_cloud.snowflake.state.stream_store import Stream
from movie_platform.local_cloud.snowflake.statements.reading import authorize
from movie_platform.local_cloud.snowflake.text.names import FullName, Name, quoted
from movie_platform.local_cloud.snowflake.text.tokens import parse_name

STALE = 91902


def replace_streams(session: Session, tree: Expr) -> list[Stream]:
    """Puts a query in the place of each stream that the tree reads; gives the streams.

    Raises SnowflakeError for a stream whose table is gone.
    """
    found: dict[FullName, Stream] = {}
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or _is_target(table):
            continue
        if _named(session, table) is None:
            continue
        # The offset must be of the same moment as the rows.
        session.hold_snapshot()
        stream = _named(session, table)
        if stream is None:
            continue
        _check_readable(session, stream)
        alias = table.args.get("alias")
        rows = exp.select("*").from_(
            exp.table_(_view(session, stream), db="main", catalog="temp", quoted=True)
        )
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
    """SYSTEM$STREAM_HAS_DATA. An empty stream that is asked does not become stale.

    Raises SnowflakeError where the stream does not exist, is stale, or its table is gone.
    """
    full = session.resolve(parse_name(name))
    session.account.engine.require_database(full.database)
    session.hold_snapshot()
    stream = session.account.streams.find(session.duck, full)
    if stream is None:
        raise does_not_exist("Stream", str(full))
    authorize(session, [Access("SELECT", full)])
    _check_readable(session, stream)
    found = bool(session.duck.execute(f"SELECT 1 FROM ({_changes(session, stream)}) LIMIT 1").fetchall())
    if not found:
        session.account.streams.note_empty(stream)
    return found


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


def _check_readable(session: Session, stream: Stream) -> None:
    if stream.base_gone:
        raise SnowflakeError(
            91901,
            "22000",
            f"SQL compilation error:\nBase table '{stream.table}' dropped, "
            f"cannot read from stream '{stream.name.name}'.",
        )
    if session.account.streams.is_stale(stream):
        raise SnowflakeError(
            STALE,
            "02000",
            f"SQL compilation error:\nStream '{stream.name}' has become stale and cannot be read: its offset is beyond "
            f"the data retention period of table '{stream.table}'. Recreate the stream.",
        )


def _view(session: Session, stream: Stream) -> str:
    # A view, so that the query reaches DuckDB as it is: what stands in the statement is rewritten as Snowflake's SQL.
    name = f"_STREAM_{stream.stream_id.replace('-', '_')}".upper()
    session.duck.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {_changes(session, stream)}")
    return name


def _changes(session: Session, stream: Stream) -> str:
    """The query for a stream's rows, for the state of the session's transaction (but not of its own changes)."""
    columns = columns_of_table(session.duck, stream.table)
    images = Images(session.duck, stream.table.database, stream.stream_id)
    dense = is_dense(session.duck, stream.table)
    if stream.append_only and dense and not images.exist:
        return (
            f"SELECT {_given(stream, columns, 'INSERT', 'false', 'rowid')} FROM {stream.table.sql} "
            f"WHERE rowid >= {stream.row_offset} AND rowid < {FIRST_UNCOMMITTED}"
        )
    # What is new is all that an append-only stream needs; a standard one compares with what is old.
    since = stream.row_offset if stream.append_only else 0
    rows = numbered(session.duck, stream.table, dense=dense, since=since)
    parts = [f"numbered AS ({rows})", *_states(stream, columns, images)]
    change = _inserted if stream.append_only else _difference
    return f"WITH {', '.join(parts)} {change(stream, columns)}"


def _states(stream: Stream, columns: Columns, images: Images) -> list[str]:
    """`now`: rows without the transaction's own changes; `earlier`: what changed rows were at the offset."""
    names = ", ".join(quoted(name) for name in columns)
    rows = f"SELECT {NUMBER}, {names} FROM {stream.table.sql} AS t JOIN numbered AS n ON t.rowid = n.rid"
    if not images.exist:
        return [f"now AS ({rows})", "earlier AS (SELECT * FROM now WHERE false)"]
    return [
        f"own AS ({images.first(columns, own=True)})",
        f"now AS ({rows} WHERE {NUMBER} NOT IN (SELECT {NUMBER} FROM own) UNION ALL SELECT {NUMBER}, {names} FROM own)",
        f"earlier AS ({images.first(columns, own=False)})",
    ]


def _inserted(stream: Stream, columns: Columns) -> str:
    given = _given(stream, columns, "INSERT", "false")
    return (
        f"SELECT {given} FROM now WHERE {NUMBER} >= {stream.row_offset} "
        f"AND {NUMBER} NOT IN (SELECT {NUMBER} FROM earlier) "
        f"UNION ALL SELECT {given} FROM earlier WHERE {NUMBER} >= {stream.row_offset}"
    )


def _difference(stream: Stream, columns: Columns) -> str:
    differs = " OR ".join(f"e.{quoted(name)} IS DISTINCT FROM n.{quoted(name)}" for name in columns)
    number = f"e.{NUMBER}"
    return (
        f"SELECT {_given(stream, columns, 'INSERT', 'false')} FROM now WHERE {NUMBER} >= {stream.row_offset} "
        f"UNION ALL SELECT {_given(stream, columns, 'DELETE', f'n.{NUMBER} IS NOT NULL', number, 'e.')} "
        f"FROM earlier AS e LEFT JOIN now AS n USING ({NUMBER}) "
        f"WHERE {number} < {stream.row_offset} AND (n.{NUMBER} IS NULL OR {differs}) "
        f"UNION ALL SELECT {_given(stream, columns, 'INSERT', 'true', number, 'n.')} "
        f"FROM earlier AS e JOIN now AS n USING ({NUMBER}) WHERE {number} < {stream.row_offset} AND ({differs})"
    )


def _given(
    stream: Stream, columns: Columns, action: str, is_update: str, number: str = NUMBER, of: str = ""
) -> str:
    names = "".join(f"{of}{quoted(name)}, " for name in columns)
    return (
        f'{names}\'{action}\' AS "METADATA$ACTION", {is_update} AS "METADATA$ISUPDATE", '
        f"'{stream.stream_id}-' || {number} AS \"METADATA$ROW_ID\""
    )
