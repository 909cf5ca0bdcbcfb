"""COMMENT ON a schema or database; on tables, views and columns `relations` has it.

Source: Snowflake documentation, "COMMENT" (docs.snowflake.com/en/sql-reference/sql/comment).
"""

from movie_platform.local_cloud.snowflake.errors import compilation_error
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import object_records
from movie_platform.local_cloud.snowflake.statements import relations
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


def comment_on(session: Session, statement: Statement) -> result_set.Result:
    """COMMENT [IF EXISTS] ON <kind> name IS '…'."""
    stream = TokenStream(statement.sql)
    stream.expect("COMMENT")
    if_exists = stream.accept("IF", "EXISTS")
    stream.expect("ON")
    engine = session.account.engine
    if stream.accept("DATABASE"):
        kind, key = "DATABASE", object_records.of_database(stream.identifier())
        there = key.database in engine.databases()
    elif stream.accept("SCHEMA"):
        name = stream.name()
        database = name.schema or session.database
        if name.database is not None or database is None:
            raise compilation_error(90105, "22000", "This session does not have a current database.")
        kind, key = "SCHEMA", object_records.of_schema(database, name.name)
        there = engine.has_schema(database, name.name)
    else:
        return relations.comment_on(session, statement)
    stream.expect("IS")
    comment = stream.string()
    stream.end()
    if not there:
        if if_exists:
            return result_set.done()
        engine.require_database(key.database)
        engine.require_schema(key.database, key.schema)
    session.outside_transaction()
    object_records.set_properties(engine, kind, key, {"COMMENT": comment or None})
    return result_set.done()
