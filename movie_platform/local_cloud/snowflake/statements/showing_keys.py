"""SHOW PRIMARY KEYS, UNIQUE KEYS, IMPORTED KEYS and EXPORTED KEYS.

Source: Snowflake documentation, "SHOW PRIMARY KEYS" (docs.snowflake.com/en/sql-reference/sql/show-primary-keys) and
its neighbours.
"""

from collections.abc import Callable

from movie_platform.local_cloud.snowflake.errors import does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import key_records
from movie_platform.local_cloud.snowflake.state.key_records import Key
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.statements.authorizing import sees
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, Name
from movie_platform.local_cloud.snowflake.text.table_definition import FOREIGN_KEY, PRIMARY_KEY, UNIQUE
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_OWN = (
    ("created_on", "timestamp_ltz"), ("database_name", "text"), ("schema_name", "text"), ("table_name", "text"),
    ("column_name", "text"), ("key_sequence", "fixed"), ("constraint_name", "text"), ("rely", "text"),
    ("comment", "text"),
)  # fmt: skip
_FOREIGN = (
    ("created_on", "timestamp_ltz"), ("pk_database_name", "text"), ("pk_schema_name", "text"),
    ("pk_table_name", "text"), ("pk_column_name", "text"), ("fk_database_name", "text"), ("fk_schema_name", "text"),
    ("fk_table_name", "text"), ("fk_column_name", "text"), ("key_sequence", "fixed"), ("update_rule", "text"),
    ("delete_rule", "text"), ("fk_name", "text"), ("pk_name", "text"), ("deferrability", "text"), ("rely", "text"),
    ("comment", "text"),
)  # fmt: skip


def show(session: Session, statement: Statement) -> result_set.Result:
    """SHOW [TERSE] … KEYS [IN ACCOUNT | DATABASE [name] | SCHEMA [name] | [TABLE] name].

    Raises SnowflakeError for a place that does not exist.
    """
    stream = TokenStream(statement.sql)
    stream.expect("SHOW")
    stream.accept("TERSE")
    words = f"{stream.word()} {stream.word()}"
    where = _place(session, stream)
    stream.end()
    kind, exported, row = LISTS[words]
    found = [
        key
        for key in key_records.keys(session.account.engine, where, referenced=exported)
        if key.kind == kind and sees(session, Securable.in_schema("TABLE", key.table))
    ]
    rows = [row(session, key, number) for key in found for number in range(len(key.columns))]
    return result_set.rows_result(_FOREIGN if kind == FOREIGN_KEY else _OWN, rows)


def _place(session: Session, stream: TokenStream) -> dict[str, str]:
    if not stream.accept("IN"):
        return {} if session.database is None else {"database": session.database}
    if stream.accept("ACCOUNT"):
        return {}
    engine = session.account.engine
    if stream.accept("DATABASE"):
        database = session.database if stream.at_end else stream.identifier()
        if database is None:
            raise does_not_exist("Database", "")
        engine.require_database(database)
        return {"database": database}
    if stream.accept("SCHEMA"):
        if stream.at_end:
            place = session.resolve(Name(None, None, ""))
            return {"database": place.database, "schema": place.schema}
        name = stream.name()
        database = name.schema or session.database
        if name.database is not None or database is None:
            raise unsupported(f"a schema name of three parts ({name})")
        engine.require_schema(database, name.name)
        return {"database": database, "schema": name.name}
    stream.accept("TABLE")
    table = session.resolve(stream.name())
    engine.require_database(table.database)
    if not engine.has_table(table):
        raise does_not_exist("Table", str(table))
    return {"database": table.database, "schema": table.schema, "table": table.name}


def _own_row(_session: Session, key: Key, number: int) -> tuple[object, ...]:
    table = key.table
    return (
        key.created_on, table.database, table.schema, table.name, key.columns[number], number + 1, key.name,
        str(key.rely).lower(), key.comment,
    )  # fmt: skip


def _foreign_row(session: Session, key: Key, number: int) -> tuple[object, ...]:
    target = key.referenced
    if target is None:
        raise ValueError(f"the foreign key {key.name} references nothing")
    return (
        key.created_on, target.database, target.schema, target.name, key.referenced_columns[number],
        key.table.database, key.table.schema, key.table.name, key.columns[number], number + 1, key.update_rule,
        key.delete_rule, key.name, _referenced_name(session, key, target), "NOT DEFERRABLE", str(key.rely).lower(),
        key.comment,
    )  # fmt: skip


def _referenced_name(session: Session, key: Key, target: FullName) -> str | None:
    candidates = key_records.keys_of(session.account.engine, target)
    return next(
        (
            other.name
            for other in candidates
            if other.kind != FOREIGN_KEY and set(other.columns) == set(key.referenced_columns)
        ),
        None,
    )


_Row = Callable[[Session, Key, int], tuple[object, ...]]
LISTS: dict[str, tuple[str, bool, _Row]] = {
    "PRIMARY KEYS": (PRIMARY_KEY, False, _own_row),
    "UNIQUE KEYS": (UNIQUE, False, _own_row),
    "IMPORTED KEYS": (FOREIGN_KEY, False, _foreign_row),
    "EXPORTED KEYS": (FOREIGN_KEY, True, _foreign_row),
}
