"""CREATE VIEW as far as its own text goes, which is recorded, and CREATE OR ALTER VIEW.

Sources: Snowflake documentation, "CREATE VIEW" (CREATE OR ALTER VIEW usage notes), "CREATE OR ALTER <object>"
(Limitations: the definition of a view that is there cannot be changed). What an account answers to a changed
definition is not documented: number and words of that error are ours.
"""

from dataclasses import replace

from movie_platform.local_cloud.snowflake.errors import beyond_alter, compilation_error, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import object_records, table_records
from movie_platform.local_cloud.snowflake.state.privileges import OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import columns_of, kind_of
from movie_platform.local_cloud.snowflake.statements import relations
from movie_platform.local_cloud.snowflake.statements.authorizing import require
from movie_platform.local_cloud.snowflake.statements.table_changes import set_comment
from movie_platform.local_cloud.snowflake.statements.temporary import create_temporary
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream
from movie_platform.local_cloud.snowflake.text.view_definition import ViewDefinition, read_create_view


def create_view(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR REPLACE] VIEW."""
    definition = read_create_view(statement.sql)
    if definition.temporary:
        return create_temporary(session, replace(statement, sql=definition.plain_sql))
    name = session.resolve(definition.name)
    existed = kind_of(session.duck, name) is not None
    result = relations.create_table_or_view(session, statement)
    if not statement.describe_only and (definition.replace or not existed):
        object_records.record(
            session.account.engine,
            "VIEW",
            name,
            {"SECURE": definition.secure, "CHANGE_TRACKING": bool(definition.change_tracking)},
            statement.sql,
        )
    return result


def without_or_alter(sql: str) -> str:
    """The CREATE that a CREATE OR ALTER is where the object is not there."""
    stream = TokenStream(sql)
    stream.expect("CREATE")
    start = stream.token.start
    stream.expect("OR", "ALTER")
    return f"{sql[:start]}{sql[stream.token.start :]}"


def is_to_alter(session: Session, name: FullName, kind: str) -> bool:
    """Whether what a CREATE OR ALTER of this kind names is there.

    Raises SnowflakeError where it is a temporary one, or the name is taken by another kind.
    """
    if session.translator.temporaries.kind_of(name) is not None:
        raise unsupported(f"CREATE OR ALTER of a temporary {kind.lower()} that is there")
    found = kind_of(session.duck, name)
    if found not in (None, kind):
        raise compilation_error(2002, "42710", f"Object '{name.name}' already exists as {found}")
    return found is not None


def create_or_alter_view(session: Session, statement: Statement) -> result_set.Result:
    """CREATE OR ALTER VIEW: makes it, or changes SECURE, CHANGE_TRACKING and comments of one that is there.

    Raises SnowflakeError for another query or other columns than the view has.
    """
    definition = read_create_view(statement.sql)
    name = session.resolve(definition.name)
    if not is_to_alter(session, name, "VIEW"):
        return create_view(session, replace(statement, sql=without_or_alter(statement.sql)))
    if statement.describe_only:
        return result_set.done()
    if definition.temporary:
        raise beyond_alter("CREATE OR ALTER VIEW that makes a permanent view temporary, or the reverse")
    known = object_records.find(session.account.engine, name)
    if (
        known is None
        or known.definition is None
        or not read_create_view(known.definition).same_query(definition)
    ):
        raise beyond_alter(f"CREATE OR ALTER VIEW with another definition than the view {name.name} has")
    _alter(session, name, definition, without_or_alter(statement.sql))
    return result_set.done()


def _alter(session: Session, name: FullName, definition: ViewDefinition, sql: str) -> None:
    require(session, Securable.in_schema("VIEW", name), OWNERSHIP)
    session.outside_transaction()
    engine = session.account.engine
    tracking = {} if definition.change_tracking is None else {"CHANGE_TRACKING": definition.change_tracking}
    object_records.set_properties(engine, "VIEW", name, {"SECURE": definition.secure, **tracking})
    object_records.set_definition(engine, name, sql)
    table_records.record_comment(engine, name, definition.comment)
    for column in columns_of(session.duck, name):
        comment = definition.columns.get(column.name)
        if comment != column.comment:
            set_comment(session, name, column.name, comment)
