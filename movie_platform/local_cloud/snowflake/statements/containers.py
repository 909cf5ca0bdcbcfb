# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound
"""CREATE and DROP of databases and schemas, with everything in them."""

from collections.abc import Mapping

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import key_records, object_records, retention
from movie_platform.local_cloud.snowflake.state.engine import (
    ACCOUNT_STATE,
    OF_SCHEMAS,
    PUBLIC_SCHEMA,
    state_of,
)
from movie_platform.local_cloud.snowflake.state.privileges import ACCOUNT, OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.statements.altering_containers import alter_container, described_by
from movie_platform.local_cloud.snowflake.statements.authorizing import require, require_to_create
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    created,
    dropped,
    read_create,
    read_drop,
    stays,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import Name, quoted, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value

_PROPERTIES = frozenset({"COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})


def create_schema(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR ALTER] SCHEMA; a new schema becomes current."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, "SCHEMA", "TRANSIENT SCHEMA")
    database, schema = _schema_name(session, stream.name())
    managed = stream.accept("WITH", "MANAGED", "ACCESS")
    properties = stream.properties(_PROPERTIES)
    days = _retention(properties)
    stream.end()
    described = {**described_by(creation, properties), "MANAGED ACCESS": managed}
    session.outside_transaction()
    engine = session.account.engine
    engine.require_database(database)
    require_to_create(session, Securable.database(database), "CREATE SCHEMA")
    if engine.has_schema(database, schema):
        answer = creation.of_existing(schema)
        if answer is not None:
            return answer
        require(session, Securable.schema(database, schema), OWNERSHIP)
        if creation.alter:
            return alter_container(
                session, "SCHEMA", object_records.of_schema(database, schema), described, days
            )
        _drop_schema(session, database, schema)
    session.duck.execute(f"CREATE SCHEMA {quoted(database)}.{quoted(schema)}")
    retention.record(engine, database, schema, "", days)
    object_records.record(engine, "SCHEMA", object_records.of_schema(database, schema), described)
    session.account.access.created("SCHEMA", f"{shown(database)}.{shown(schema)}", session.role)
    session.account.access.set_managed_access(f"{shown(database)}.{shown(schema)}", managed=managed)
    session.translator.use(database, schema)
    return created("SCHEMA", shown(schema))


def _retention(properties: Mapping[str, Value]) -> dict[str, int]:
    return {
        name: retention.check_days(name, properties[name])
        for name in retention.DEFAULTS
        if name in properties
    }


def _schema_name(session: Session, name: Name) -> tuple[str, str]:
    if name.database is not None:
        raise unsupported(f"a schema name of three parts ({name})")
    database = name.schema or session.database
    if database is None:
        raise SnowflakeError(
            90105,
            "22000",
            "This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
        )
    return database, name.name


def _drop_schema(session: Session, database: str, schema: str) -> None:
    engine = session.account.engine

    def work() -> None:
        session.duck.execute(f"DROP SCHEMA {quoted(database)}.{quoted(schema)} CASCADE")
        state = state_of(database)
        session.duck.execute(
            f"DELETE FROM {state}._fs_pipe_files WHERE pipe_id IN "
            f"(SELECT pipe_id FROM {state}._fs_pipes WHERE schema_name = ?)",
            [schema],
        )
        session.account.streams.forget_schema(session.duck, database, schema)
        for table in ("_fs_pipes", "_fs_table_loads", "_fs_tasks"):
            session.duck.execute(f"DELETE FROM {state}.{table} WHERE schema_name = ?", [schema])

    session.atomically(work)
    for table in OF_SCHEMAS:
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE database_name = ? AND schema_name = ?",
            [database, schema],
        )
    key_records.forget_schema(engine, database, schema)
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE ext_table_catalog = ? AND ext_table_schema = ?",
            [database, schema],
        )
    session.account.access.dropped_container(f"{shown(database)}.{shown(schema)}")


def create_database(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR ALTER] DATABASE; a new database and its PUBLIC schema become current."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, "DATABASE", "TRANSIENT DATABASE")
    name = stream.identifier()
    properties = stream.properties(_PROPERTIES)
    days = _retention(properties)
    stream.end()
    known = name in session.account.engine.databases()
    # "CREATE OR ALTER <object>": who alters needs to own, not to create.
    if not (creation.alter and known):
        require_to_create(session, ACCOUNT, "CREATE DATABASE")
    if (creation.replace or creation.alter) and known:
        require(session, Securable.database(name), OWNERSHIP)
    session.outside_transaction()
    described = described_by(creation, properties)
    if creation.alter and known:
        return alter_container(session, "DATABASE", object_records.of_database(name), described, days)
    if not session.account.engine.create_database(
        name, replace=creation.replace, if_not_exists=creation.if_not_exists
    ):
        return stays(name)
    retention.record(session.account.engine, name, "", "", days)
    object_records.record(session.account.engine, "DATABASE", object_records.of_database(name), described)
    session.account.access.created_database(name, session.role)
    session.translator.use(name, PUBLIC_SCHEMA)
    return created("DATABASE", name)


def drop_container(session: Session, statement: Statement) -> result_set.Result:
    """DROP DATABASE and DROP SCHEMA, with everything in them."""
    stream = TokenStream(statement.sql)
    drop = read_drop(stream, "DATABASE", "SCHEMA")
    name = stream.name()
    if not stream.accept("CASCADE") and stream.accept("RESTRICT"):
        raise unsupported(f"DROP {drop.kind} … RESTRICT")
    stream.end()
    session.outside_transaction()
    if drop.kind == "DATABASE":
        database = name.name
        if database in session.account.engine.databases():
            require(session, Securable.database(database), OWNERSHIP)
        if session.database == database:
            session.translator.use(None, None)
        there = session.account.engine.drop_database(database, if_exists=drop.if_exists)
        session.account.access.dropped_container(shown(database))
    else:
        database, schema = _schema_name(session, name)
        there = session.account.engine.has_schema(database, schema)
        if there:
            require(session, Securable.schema(database, schema), OWNERSHIP)
            if (session.database, session.schema) == (database, schema):
                session.translator.use(database, None)
            _drop_schema(session, database, schema)
    if not there:
        return drop.drop_missing(str(name), str(name))
    return dropped(name.name)
