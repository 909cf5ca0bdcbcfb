"""CREATE TABLE and ALTER TABLE as far as columns and keys go: what DuckDB does not keep is read, checked and recorded.

Everything else of these statements is done by `relations`. Sources: Snowflake documentation, "CREATE TABLE",
"ALTER TABLE", "ALTER TABLE … ALTER COLUMN", "CREATE | ALTER TABLE … CONSTRAINT".
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, compilation_error, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import (
    column_records,
    key_records,
    object_records,
    retention,
    table_records,
)
from movie_platform.local_cloud.snowflake.state.privileges import OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import columns_of
from movie_platform.local_cloud.snowflake.statements import relations, table_changes
from movie_platform.local_cloud.snowflake.statements.authorizing import require
from movie_platform.local_cloud.snowflake.statements.named_objects import read_alter
from movie_platform.local_cloud.snowflake.statements.table_keys import alter_keys, at_key_action, checked_keys
from movie_platform.local_cloud.snowflake.statements.temporary import create_temporary
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_definition import (
    ColumnDefinition,
    Constraint,
    TableDefinition,
    read_column,
    read_create_table,
    read_type,
    skip_brackets,
)
from movie_platform.local_cloud.snowflake.text.table_shape import (
    AddColumn,
    Change,
    Column,
    SetComment,
    SetNullable,
    check_addable,
    default_change,
    type_change,
)
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


def timestamp_mapping(session: Session) -> str:
    """What TIMESTAMP means to a session."""
    return session.translator.timestamp_mapping


def create_table(session: Session, statement: Statement) -> result_set.Result:
    """CREATE TABLE with its columns and keys."""
    definition = read_create_table(statement.sql, timestamp_mapping(session))
    if definition.temporary:
        return create_temporary(session, replace(statement, sql=definition.plain_sql))
    name = session.resolve(definition.name)
    columns = {column.name for column in definition.columns}
    keys = checked_keys(session, name, columns, definition.constraints)
    existed = session.account.engine.has_table(name)
    result = relations.create_table_or_view(session, replace(statement, sql=definition.plain_sql))
    if statement.describe_only or (existed and not definition.replace):
        return result
    record_table(session, name, definition)
    key_records.add(session.account.engine, keys)
    return result


def record_table(session: Session, name: FullName, definition: TableDefinition) -> None:
    """Records what a CREATE TABLE says, but for its keys."""
    engine = session.account.engine
    object_records.record(engine, "TABLE", name, table_properties(definition))
    column_records.record(engine, name, definition.columns)


def table_properties(definition: TableDefinition) -> dict[str, object_records.Property]:
    """The properties of a table that its record has."""
    return {"TRANSIENT": definition.transient, "CLUSTER BY": definition.clustering}


def alter_table(session: Session, statement: Statement) -> result_set.Result:
    """ALTER TABLE: columns and keys here, the rest in `relations`."""
    stream = TokenStream(statement.sql)
    alter = read_alter(stream, "TABLE")
    name = session.resolve(stream.name())
    work = _action(session, name, stream)
    if session.translator.temporaries.kind_of(name) is not None:
        raise unsupported(f"ALTER TABLE of the temporary table {name}")
    if work is None:
        return relations.alter_table_or_view(session, statement)
    if not session.account.engine.has_table(name):
        return alter.alter_missing(str(name))
    require(session, Securable.in_schema("TABLE", name), OWNERSHIP)
    work()
    return result_set.done()


def _action(session: Session, name: FullName, stream: TokenStream) -> Callable[[], None] | None:
    if at_key_action(stream):
        return lambda: alter_keys(session, name, stream)
    if stream.at("ADD") and not stream.at("ADD", "SEARCH") and not stream.at("ADD", "ROW"):
        return lambda: _add_columns(session, name, stream)
    if stream.at("ALTER") or stream.at("MODIFY"):
        return lambda: _alter_columns(session, name, stream)
    if stream.accept("CLUSTER", "BY"):
        return lambda: _cluster(session, name, stream)
    if stream.accept("DROP", "CLUSTERING", "KEY"):
        return lambda: _set_clustering(session, name, stream, None)
    if stream.accept("UNSET"):
        return lambda: _unset(session, name, stream)
    return None


def _unset(session: Session, name: FullName, stream: TokenStream) -> None:
    parameters = [stream.word()]
    while stream.accept_symbol(","):
        parameters.append(stream.word())
    stream.end()
    for parameter in parameters:
        if parameter not in {*retention.DEFAULTS, "COMMENT"}:
            raise unsupported(f"ALTER TABLE … UNSET {parameter}")
    session.outside_transaction()
    for parameter in parameters:
        if parameter == "COMMENT":
            table_records.record_comment(session.account.engine, name, None)
        else:
            retention.unset(session.account.engine, name, parameter)


def _cluster(session: Session, name: FullName, stream: TokenStream) -> None:
    stream.expect_symbol("(")
    start = stream.token.start
    end = skip_brackets(stream)
    _set_clustering(session, name, stream, stream.sql[start:end].strip())


def _set_clustering(session: Session, name: FullName, stream: TokenStream, clustering: str | None) -> None:
    stream.end()
    session.outside_transaction()
    object_records.set_properties(session.account.engine, "TABLE", name, {"CLUSTER BY": clustering})


def _add_columns(session: Session, name: FullName, stream: TokenStream) -> None:
    stream.expect("ADD")
    stream.accept("COLUMN")
    if_missing = stream.accept("IF", "NOT", "EXISTS")
    added: list[ColumnDefinition] = []
    constraints: list[Constraint] = []
    while True:
        column, keys = read_column(stream, timestamp_mapping(session))
        added.append(column)
        constraints += keys
        if not stream.accept_symbol(","):
            break
    stream.end()
    present = {column.name for column in columns_of(session.duck, name)}
    for column in added:
        if column.name in present and not if_missing:
            raise compilation_error(1430, "42601", f"column '{column.name}' already exists")
    new = [column for column in added if column.name not in present]
    rows = table_changes.has_rows(session, name)
    for column in new:
        check_addable(name.name, column, has_rows=rows)
    names = {column.name for column in new}
    wanted = [key for key in constraints if set(key.columns) <= names]
    keys_to_add = checked_keys(
        session, name, present | names, wanted, key_records.keys_of(session.account.engine, name)
    )
    session.outside_transaction()
    table_changes.apply(session, name, [AddColumn(column) for column in new])
    key_records.add(session.account.engine, keys_to_add)


def _alter_columns(session: Session, name: FullName, stream: TokenStream) -> None:
    stream.word()
    in_brackets = stream.accept_symbol("(")
    present = {column.name: column for column in columns_of(session.duck, name)}
    changes: list[Change] = []
    while True:
        stream.accept("COLUMN")
        written = stream.identifier()
        if written not in present:
            raise compilation_error(904, "42000", f"invalid identifier '{written}'")
        changes += _column_changes(session, present[written], stream)
        if not stream.accept_symbol(","):
            break
    if in_brackets:
        stream.expect_symbol(")")
    stream.end()
    session.outside_transaction()
    table_changes.apply(session, name, changes)


def _column_changes(session: Session, column: Column, stream: TokenStream) -> Sequence[Change]:
    if stream.accept("DROP", "DEFAULT"):
        return [default_change(column, None)]
    if stream.accept("SET", "DEFAULT"):
        raise SnowflakeError(2, "0A000", "Unsupported feature 'Alter Column Set Default'.")
    if stream.accept("SET", "NOT", "NULL") or stream.accept("NOT", "NULL"):
        return [SetNullable(column.name, nullable=False)]
    if stream.accept("DROP", "NOT", "NULL"):
        return [SetNullable(column.name, nullable=True)]
    if stream.accept("UNSET", "COMMENT"):
        return [SetComment(column.name, None)]
    if stream.accept("COMMENT"):
        return [SetComment(column.name, stream.string())]
    if not stream.accept("SET", "DATA", "TYPE"):
        stream.accept("TYPE")
    return type_change(column, read_type(stream, timestamp_mapping(session)))
