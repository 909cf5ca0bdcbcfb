"""Statements about the session itself: transactions, USE, SET and UNSET of variables."""

from sqlglot import exp

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.translate import parse
from movie_platform.local_cloud.snowflake.statements.authorizing import require, require_seen
from movie_platform.local_cloud.snowflake.statements.needing_a_warehouse import (
    needs_warehouse,
    require_warehouse,
)
from movie_platform.local_cloud.snowflake.statements.queries import run_tree
from movie_platform.local_cloud.snowflake.statements.reading import authorize, reads
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


def begin(session: Session, statement: Statement) -> result_set.Result:
    """BEGIN and START TRANSACTION."""
    stream = TokenStream(statement.sql)
    if stream.accept("START"):
        stream.expect("TRANSACTION")
    else:
        stream.expect("BEGIN")
        if not stream.accept("WORK"):
            stream.accept("TRANSACTION")
    if not stream.at_end and not stream.at("NAME"):
        raise unsupported("Snowflake Scripting (BEGIN … END)")
    if stream.accept("NAME"):
        stream.identifier()
    stream.end()
    session.begin()
    return result_set.done(result_set.TRANSACTION)


def commit(session: Session, statement: Statement) -> result_set.Result:
    """COMMIT."""
    _only(statement, "COMMIT")
    session.commit()
    return result_set.done(result_set.TRANSACTION)


def rollback(session: Session, statement: Statement) -> result_set.Result:
    """ROLLBACK."""
    _only(statement, "ROLLBACK")
    session.rollback()
    return result_set.done(result_set.TRANSACTION)


def _only(statement: Statement, word: str) -> None:
    stream = TokenStream(statement.sql)
    stream.expect(word)
    stream.accept("WORK")
    stream.end()


def use(session: Session, statement: Statement) -> result_set.Result:
    """USE DATABASE, SCHEMA, ROLE, WAREHOUSE and SECONDARY ROLES."""
    stream = TokenStream(statement.sql)
    stream.expect("USE")
    if stream.accept("SECONDARY", "ROLES"):
        everyone = stream.accept("ALL")
        if not everyone:
            stream.expect("NONE")
        session.secondary_roles = everyone
    elif stream.accept("ROLE"):
        session.role = _role_to_use(session, stream.identifier())
    elif stream.accept("WAREHOUSE"):
        warehouse = stream.identifier()
        session.account.access.require("WAREHOUSE", warehouse)
        require(session, Securable("WAREHOUSE", warehouse), "USAGE")
        session.warehouse = warehouse
    elif stream.accept("SCHEMA"):
        name = stream.name()
        _use_schema(session, name.schema or session.database, name.name)
    else:
        stream.accept("DATABASE")
        name = stream.name()
        if name.schema is not None:
            _use_schema(session, name.schema, name.name)
        else:
            _use_database(session, name.name)
    stream.end()
    return result_set.done(result_set.USE)


def _role_to_use(session: Session, role: str) -> str:
    access = session.account.access
    access.require("ROLE", role)
    held = access.privileges.with_inherited(access.privileges.roles_of_user(session.user))
    if role not in held:
        raise SnowflakeError(
            3013,
            "42501",
            f"SQL access control error:\nRequested role '{role}' is not assigned to the executing user. "
            "Specify another role to activate.",
        )
    return role


def _use_database(session: Session, database: str) -> None:
    session.account.engine.require_database(database)
    require_seen(session, Securable.database(database))
    session.translator.use(database, None)


def _use_schema(session: Session, database: str | None, schema: str) -> None:
    if database is None:
        raise SnowflakeError(
            90105, "22000", "Cannot perform USE. This session does not have a current database."
        )
    session.account.engine.require_schema(database, schema)
    require_seen(session, Securable.schema(database, schema))
    session.translator.use(database, schema)


def set_variable(session: Session, statement: Statement) -> result_set.Result:
    """SET name = expression."""
    stream = TokenStream(statement.sql)
    stream.expect("SET")
    name = stream.identifier()
    stream.expect_symbol("=")
    tree = parse(f"SELECT {stream.rest()} AS V")
    if not isinstance(tree, exp.Query):
        raise unsupported(statement.sql[:200])
    if needs_warehouse(tree):
        require_warehouse(session)
    authorize(session, reads(session, tree))
    result = run_tree(session, tree, statement.bindings.values)
    rows = [value for batch in result.batches for value in batch.column(0).to_pylist()]
    value = rows[0] if rows else None
    if value is None:
        raise SnowflakeError(
            2211, "22000", f"SQL compilation error:\nVariable '{name}' cannot be set to NULL."
        )
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    session.variables[name] = (
        str(value) if is_number else exp.Literal.string(str(value)).sql(dialect="snowflake")
    )
    return result_set.done()


def unset_variable(session: Session, statement: Statement) -> result_set.Result:
    """UNSET name."""
    stream = TokenStream(statement.sql)
    stream.expect("UNSET")
    name = stream.identifier()
    stream.end()
    session.variables.pop(name, None)
    return result_set.done()
