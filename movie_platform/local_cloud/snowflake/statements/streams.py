"""CREATE, ALTER, DROP, SHOW and DESCRIBE STREAM.

Sources: Snowflake documentation, "CREATE STREAM", "ALTER STREAM", "SHOW STREAMS", "DESCRIBE STREAM", "DROP STREAM"
(docs.snowflake.com/en/sql-reference/sql/create-stream and its neighbours).
"""

from movie_platform.local_cloud.snowflake.errors import (
    does_not_exist,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.privileges import Access, Securable
from movie_platform.local_cloud.snowflake.state.stream_store import Stream
from movie_platform.local_cloud.snowflake.statements.authorizing import (
    require,
    require_ownership,
    require_to_create_in_schema,
    sees,
)
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    created,
    described_name,
    dropped,
    read_alter,
    read_create,
    read_drop,
    read_show,
)
from movie_platform.local_cloud.snowflake.statements.reading import authorize
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

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
    creation = read_create(stream, "STREAM")
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
    require_to_create_in_schema(session, "STREAM", name)
    _require_to_follow(session, table)
    session.outside_transaction()
    with session.account.streams.quiet(table), session.account.engine.transaction() as connection:
        if session.account.streams.find(connection, name) is not None:
            answer = creation.of_existing(name.name)
            if answer is not None:
                return answer
            require_ownership(session, "STREAM", name)
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
    return created(creation.kind, shown(name.name))


def _check_place(session: Session, name: FullName, table: FullName) -> None:
    engine = session.account.engine
    engine.require_schema(name.database, name.schema)
    if not engine.has_table(table):
        raise does_not_exist("Table", str(table))
    if table.database != name.database:
        raise unsupported("a stream on a table of another database")


def _require_to_follow(session: Session, table: FullName) -> None:
    """SELECT; for the first stream on a table, which has its changes tracked from then on, the table's ownership."""
    followed = any(
        found.table == table and not found.base_gone
        for found in session.account.streams.streams(table.database)
    )
    if followed:
        authorize(session, [Access("SELECT", table)])
    else:
        require_ownership(session, "TABLE", table)


def alter_stream(session: Session, statement: Statement) -> result_set.Result:
    """ALTER STREAM … SET COMMENT and UNSET COMMENT."""
    stream = TokenStream(statement.sql)
    alter = read_alter(stream, "STREAM")
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
        return alter.alter_missing(str(name))
    require_ownership(session, "STREAM", name)
    session.outside_transaction()
    with session.account.engine.transaction() as connection:
        session.account.streams.set_comment(connection, name, comment)
    return result_set.done()


def drop_stream(session: Session, statement: Statement) -> result_set.Result:
    """DROP STREAM."""
    stream = TokenStream(statement.sql)
    drop = read_drop(stream, "STREAM")
    name = session.resolve(stream.name())
    stream.end()
    if _find(session, name) is None:
        return drop.drop_missing(str(name), shown(name.name))
    require_ownership(session, "STREAM", name)
    session.outside_transaction()
    with session.account.engine.transaction() as connection:
        session.account.streams.drop(connection, name)
    session.account.access.dropped("STREAM", str(name))
    return dropped(shown(name.name))


def show_streams(session: Session, statement: Statement) -> result_set.Result:
    """SHOW STREAMS [LIKE '…'] [IN ACCOUNT | [DATABASE] name | SCHEMA name]."""
    scope = read_show(session, statement.sql, "STREAMS")
    found = [item for item in session.account.streams.streams(scope.database) if scope.has(item.name)]
    found = [item for item in found if sees(session, Securable.in_schema("STREAM", item.name))]
    return result_set.rows_result(_COLUMNS, [_row(session, item) for item in found])


def describe_stream(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE STREAM: the row that SHOW STREAMS has."""
    name = described_name(session, statement.sql, "STREAM")
    found = _find(session, name)
    if found is None:
        raise does_not_exist("Stream", str(name))
    require(session, Securable.in_schema("STREAM", name), "SELECT")
    return result_set.rows_result(_COLUMNS, [_row(session, found)], result_set.DESCRIBE)


def _find(session: Session, name: FullName) -> Stream | None:
    session.account.engine.require_database(name.database)
    return session.account.streams.find(session.duck, name)


def _row(session: Session, stream: Stream) -> tuple[object, ...]:
    store = session.account.streams
    return (
        stream.created_on, stream.name.name, stream.name.database, stream.name.schema, stream.owner, stream.comment,
        str(stream.table), "Table", str(stream.table), "DELTA",
        "true" if store.is_stale(stream) else "false",
        "APPEND_ONLY" if stream.append_only else "DEFAULT", store.stale_after(stream),
        "Base table dropped" if stream.base_gone else "N/A", "ROLE",
    )  # fmt: skip
