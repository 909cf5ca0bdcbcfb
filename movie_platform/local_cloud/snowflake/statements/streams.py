"""CREATE, ALTER, DROP, SHOW and DESCRIBE STREAM.

Sources: Snowflake documentation, "CREATE STREAM", "ALTER STREAM", "SHOW STREAMS", "DESCRIBE STREAM", "DROP STREAM"
(docs.snowflake.com/en/sql-reference/sql/create-stream and its neighbours).
"""

from movie_platform.local_cloud.snowflake.errors import (
    already_exists,
    does_not_exist,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.stream_store import Stream
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, matches_like, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_DONE = "Statement executed successfully."
_PROPERTIES = frozenset({"APPEND_ONLY", "SHOW_INITIAL_ROWS", "COMMENT"})
_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("name", "text"), ("database_name", "text"), ("schema_name", "text"),
    ("owner", "text"), ("comment", "text"), ("table_name", "text"), ("source_type", "text"),
    ("base_tables", "text"), ("type", "text"), ("stale", "text"), ("mode", "text"),
    ("stale_after", "timestamp_ltz"), ("invalid_reason", "text"), ("owner_role_type", "text"),
)  # fmt: skip


def create_stream(session: Session, statement: Statement) -> result_set.Result:
    """CREATE STREAM … ON TABLE … [APPEND_ONLY = TRUE]."""
    stream = TokenStream(statement.sql)
    stream.expect("CREATE")
    replace = stream.accept("OR", "REPLACE")
    stream.expect("STREAM")
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    name = session.resolve(stream.name())
    stream.expect("ON")
    if not stream.accept("TABLE"):
        raise unsupported(f"a stream on {stream.word()}: streams follow tables")
    table = session.resolve(stream.name())
    if stream.at("AT") or stream.at("BEFORE"):
        raise unsupported("a stream that begins in the past (AT, BEFORE)")
    properties = stream.properties(_PROPERTIES)
    stream.end()
    for flag in ("APPEND_ONLY", "SHOW_INITIAL_ROWS"):
        if not isinstance(properties.get(flag, False), bool):
            raise invalid_value(str(properties[flag]), flag)
    _check_place(session, name, table)
    session.outside_transaction()
    with session.account.streams.quiet(table), session.account.engine.transaction() as connection:
        if session.account.streams.find(connection, name) is not None:
            if if_not_exists:
                return result_set.message(f"{shown(name.name)} already exists, statement succeeded.")
            if not replace:
                raise already_exists(name.name)
        session.account.streams.create(
            connection,
            name,
            table,
            append_only=properties.get("APPEND_ONLY", False) is True,
            initial_rows=properties.get("SHOW_INITIAL_ROWS", False) is True,
            comment=str(properties.get("COMMENT", "")),
            owner=session.role,
        )
    session.account.access.created("STREAM", str(name), session.role)
    return result_set.message(f"Stream {shown(name.name)} successfully created.")


def _check_place(session: Session, name: FullName, table: FullName) -> None:
    engine = session.account.engine
    if not engine.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", f"{name.database}.{name.schema}")
    if not engine.query(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [table.database, table.schema, table.name],
    ):
        raise does_not_exist("Table", str(table))
    if table.database != name.database:
        raise unsupported("a stream on a table of another database")


def alter_stream(session: Session, statement: Statement) -> result_set.Result:
    """ALTER STREAM … SET COMMENT and UNSET COMMENT."""
    stream = TokenStream(statement.sql)
    stream.expect("ALTER", "STREAM")
    if_exists = stream.accept("IF", "EXISTS")
    name = session.resolve(stream.name())
    if stream.accept("UNSET"):
        stream.expect("COMMENT")
        comment = ""
    else:
        stream.expect("SET")
        properties = stream.properties(frozenset({"COMMENT"}))
        if not properties:
            raise stream.unexpected()
        comment = str(properties["COMMENT"])
    stream.end()
    if _find(session, name) is None:
        if if_exists:
            return result_set.message(_DONE)
        raise does_not_exist("Stream", str(name))
    session.outside_transaction()
    with session.account.engine.transaction() as connection:
        session.account.streams.set_comment(connection, name, comment)
    return result_set.message(_DONE)


def drop_stream(session: Session, statement: Statement) -> result_set.Result:
    """DROP STREAM."""
    stream = TokenStream(statement.sql)
    stream.expect("DROP", "STREAM")
    if_exists = stream.accept("IF", "EXISTS")
    name = session.resolve(stream.name())
    stream.end()
    if _find(session, name) is None:
        if not if_exists:
            raise does_not_exist("Stream", str(name))
        return result_set.message(
            f"Drop statement executed successfully ({shown(name.name)} already dropped)."
        )
    session.outside_transaction()
    with session.account.engine.transaction() as connection:
        session.account.streams.drop(connection, name)
    session.account.access.dropped("STREAM", str(name))
    return result_set.message(f"{shown(name.name)} successfully dropped.")


def show_streams(session: Session, statement: Statement) -> result_set.Result:
    """SHOW STREAMS [LIKE '…'] [IN ACCOUNT | [DATABASE] name | SCHEMA name]."""
    stream = TokenStream(statement.sql)
    stream.expect("SHOW", "STREAMS")
    pattern = stream.string() if stream.accept("LIKE") else None
    database, schema = session.database, session.schema
    if stream.accept("IN"):
        if stream.accept("ACCOUNT"):
            database = schema = None
        elif stream.accept("DATABASE"):
            database, schema = (session.database if stream.at_end else stream.identifier()), None
        else:
            stream.accept("SCHEMA")
            name = stream.name()
            database, schema = name.schema or session.database, name.name
    stream.end()
    if database is not None and database not in session.account.engine.databases():
        raise does_not_exist("Database", database)
    found = [
        item
        for item in session.account.streams.streams(database)
        if (schema is None or item.name.schema == schema)
        and (pattern is None or matches_like(pattern, item.name.name))
    ]
    return result_set.rows_result(_COLUMNS, [_row(item) for item in found])


def describe_stream(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE STREAM: the row that SHOW STREAMS has."""
    stream = TokenStream(statement.sql)
    stream.take()
    stream.expect("STREAM")
    name = session.resolve(stream.name())
    stream.end()
    found = _find(session, name)
    if found is None:
        raise does_not_exist("Stream", str(name))
    return result_set.rows_result(_COLUMNS, [_row(found)], result_set.DESCRIBE)


def _find(session: Session, name: FullName) -> Stream | None:
    if name.database not in session.account.engine.databases():
        raise does_not_exist("Database", name.database)
    return session.account.streams.find(session.duck, name)


def _row(stream: Stream) -> tuple[object, ...]:
    # Staleness is not kept: the local Snowflake never forgets what a stream has not given yet.
    return (
        stream.created_on, stream.name.name, stream.name.database, stream.name.schema, stream.owner, stream.comment,
        str(stream.table), "Table", str(stream.table), "DELTA", "false",
        "APPEND_ONLY" if stream.append_only else "DEFAULT", None,
        "Base table dropped" if stream.base_gone else "N/A", "ROLE",
    )  # fmt: skip
