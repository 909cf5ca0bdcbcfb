"""CREATE OR ALTER TABLE: a table that is there becomes what the statement defines; rows, grants and streams stay.

Source: Snowflake documentation, "CREATE TABLE" (CREATE OR ALTER TABLE usage notes). An account may apply a part of what
fails; here all is checked before, and the columns are changed in one transaction.
"""

from dataclasses import replace

from sqlglot import exp

from movie_platform.local_cloud.snowflake.errors import (
    beyond_alter,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import (
    column_records,
    object_records,
    retention,
    table_records,
)
from movie_platform.local_cloud.snowflake.state.privileges import OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import columns_of
from movie_platform.local_cloud.snowflake.state.translate import parse
from movie_platform.local_cloud.snowflake.statements import table_changes
from movie_platform.local_cloud.snowflake.statements.authorizing import require
from movie_platform.local_cloud.snowflake.statements.table_clauses import Described, take_properties
from movie_platform.local_cloud.snowflake.statements.table_keys import checked_keys, follow_keys
from movie_platform.local_cloud.snowflake.statements.tables import (
    create_table,
    table_properties,
    timestamp_mapping,
)
from movie_platform.local_cloud.snowflake.statements.views import is_to_alter, without_or_alter
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_definition import TableDefinition, read_create_table
from movie_platform.local_cloud.snowflake.text.table_shape import changes_to

_VARIANTS = {"AS": "AS SELECT", "USING": "USING TEMPLATE"}


def create_or_alter_table(session: Session, statement: Statement) -> result_set.Result:
    """CREATE OR ALTER TABLE with a list of columns.

    Raises SnowflakeError for what ALTER TABLE cannot do: another order or type of columns, another default, TRANSIENT.
    """
    definition = read_create_table(statement.sql, timestamp_mapping(session))
    if definition.variant is not None:
        form = _VARIANTS.get(definition.variant, definition.variant)
        raise beyond_alter(f"CREATE OR ALTER TABLE {form}")
    name = session.resolve(definition.name)
    if not is_to_alter(session, name, "TABLE"):
        return create_table(session, replace(statement, sql=without_or_alter(statement.sql)))
    if not statement.describe_only:
        _alter(session, name, definition)
    return result_set.done()


def _alter(session: Session, name: FullName, definition: TableDefinition) -> None:
    require(session, Securable.in_schema("TABLE", name), OWNERSHIP)
    engine = session.account.engine
    known = object_records.find(engine, name)
    was_transient = known is not None and bool(known.properties.get("TRANSIENT"))
    if definition.temporary or was_transient != definition.transient:
        raise beyond_alter("CREATE OR ALTER TABLE that makes a table permanent, transient or temporary")
    described = _described(definition)
    names = [column.name for column in definition.columns]
    checked_keys(session, name, names, definition.constraints)
    changes = changes_to(
        name.name,
        columns_of(session.duck, name),
        definition.columns,
        has_rows=table_changes.has_rows(session, name),
    )
    session.outside_transaction()
    table_changes.apply(session, name, changes)
    follow_keys(session, name, names, definition.constraints)
    table_records.record_comment(engine, name, described.comment)
    retention.set_only(engine, name, described.retention)
    object_records.set_properties(engine, "TABLE", name, table_properties(definition))
    # A table that was made before this was recorded is known from now on.
    recorded = column_records.records(engine, name)
    column_records.record(
        engine, name, [column for column in definition.columns if column.name not in recorded]
    )


def _described(definition: TableDefinition) -> Described:
    tree = parse(definition.plain_sql)
    described = Described()
    if not isinstance(tree, exp.Create):
        raise unsupported(definition.plain_sql[:200])
    take_properties(tree, described)
    return described
