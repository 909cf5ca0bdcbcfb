"""Functions and views that need the account or the session: replaced in a statement's tree before it is translated.

Context functions (CURRENT_ROLE …), system functions (SYSTEM$PIPE_STATUS, SYSTEM$STREAM_HAS_DATA),
table functions (RESULT_SCAN, INFORMATION_SCHEMA.COPY_HISTORY and TASK_HISTORY) and the views of
SNOWFLAKE.ACCOUNT_USAGE.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import compilation_error, does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.information_schema import (
    hidden_from_nobody,
    only,
    relations_of,
    view_query,
)
from movie_platform.local_cloud.snowflake.state.privileges import ACCOUNT, Securable
from movie_platform.local_cloud.snowflake.state.task_store import history_query
from movie_platform.local_cloud.snowflake.statements.authorizing import may, require_seen, sees
from movie_platform.local_cloud.snowflake.statements.get_ddl import get_ddl
from movie_platform.local_cloud.snowflake.statements.integration_functions import validate_integration
from movie_platform.local_cloud.snowflake.statements.pipe_functions import pipe_status
from movie_platform.local_cloud.snowflake.statements.reading_streams import has_data, replace_streams
from movie_platform.local_cloud.snowflake.statements.task_functions import (
    cancel_executions,
    enable_dependents,
    runtime_info,
)
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import parse_name

_CONTEXT: dict[str, Callable[[Session], str | None]] = {
    "CURRENT_ROLE": lambda session: session.role,
    "CURRENT_USER": lambda session: session.user,
    "CURRENT_WAREHOUSE": lambda session: session.warehouse,
    "CURRENT_ACCOUNT": lambda session: session.account.name,
    "CURRENT_ACCOUNT_NAME": lambda session: session.account.name,
    "CURRENT_DATABASE": lambda session: session.database,
    "CURRENT_SCHEMA": lambda session: session.schema,
    "CURRENT_SESSION": lambda session: str(session.session_id),
    "CURRENT_REGION": lambda _session: "LOCAL",
    "LAST_QUERY_ID": lambda session: session.last_query_id,
}


# The number of arguments of each, and what answers.
_SYSTEM: dict[str, tuple[int, Callable[..., str | bool | None]]] = {
    "SYSTEM$PIPE_STATUS": (1, pipe_status),
    "SYSTEM$STREAM_HAS_DATA": (1, has_data),
    "SYSTEM$TASK_DEPENDENTS_ENABLE": (1, enable_dependents),
    "SYSTEM$TASK_RUNTIME_INFO": (1, runtime_info),
    "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS": (1, cancel_executions),
    "SYSTEM$VALIDATE_STORAGE_INTEGRATION": (4, validate_integration),
}


def replace_functions(session: Session, tree: Expr, parameters: list[Any]) -> Expr:
    """The tree with everything of this module replaced; binds that were used up are taken out of `parameters`.

    Raises SnowflakeError for a system function, table function or account view that is not there.
    """
    for node in list(tree.find_all(exp.TableFromRows)):
        _replace_table_function(session, node, parameters)
    replace_streams(session, tree)
    for table in list(tree.find_all(exp.Table)):
        _replace_view(session, table)
    return tree.transform(lambda node: _replace_scalar(session, node, parameters), copy=False)


def _replace_scalar(session: Session, node: Expr, parameters: list[Any]) -> Expr:
    if not isinstance(node, exp.Func):
        return node
    name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).upper()
    if context := _CONTEXT.get(name):
        if node.expressions:
            raise unsupported(f"{name} with arguments")
        value = context(session)
        return exp.Literal.string(value) if value is not None else exp.cast(exp.Null(), "VARCHAR")
    if name == "GET_DDL":
        return exp.Literal.string(_get_ddl(session, node, parameters))
    if name.startswith("SYSTEM$"):
        known = _SYSTEM.get(name)
        if known is None:
            raise compilation_error(2140, "42601", f"Unknown function {name}")
        count, system = known
        if len(node.expressions) != count:
            few = "not enough" if len(node.expressions) < count else "too many"
            raise compilation_error(
                938 if len(node.expressions) < count else 939,
                "22023",
                f"{few} arguments for function [{name}], expected {count}",
            )
        value = system(session, *(str(_constant(argument, parameters)) for argument in node.expressions))
        if value is None:
            return exp.cast(exp.Null(), "VARCHAR")
        return exp.Boolean(this=value) if isinstance(value, bool) else exp.Literal.string(value)
    return node


def _get_ddl(session: Session, node: exp.Func, parameters: list[Any]) -> str:
    arguments = list(node.expressions)
    qualified = isinstance(arguments[-1], exp.Boolean) and bool(arguments.pop().this) if arguments else False
    if len(arguments) != 2:
        raise compilation_error(938, "22023", "not enough arguments for function [GET_DDL], expected 2")
    kind, name = (str(_constant(argument, parameters)) for argument in arguments)
    return get_ddl(session, kind, name, qualified=qualified)


def _constant(node: Expr, parameters: list[Any]) -> Any:
    # Takes a bind variable out of the statement's own, at the place where it stands among the placeholders.
    if isinstance(node, exp.Placeholder):
        if node.args.get("this"):
            raise unsupported("named bind variables")
        placeholders = list(node.root().find_all(exp.Placeholder, bfs=False))
        value = parameters.pop(next(index for index, found in enumerate(placeholders) if found is node))
        # The bind variable is used up: one that follows stands a place earlier now.
        node.replace(exp.Null())
        return value
    if isinstance(node, exp.Paren):
        return _constant(node.this, parameters)
    if isinstance(node, exp.Literal) and node.is_string:
        return node.this
    raise unsupported(
        f"an argument that is neither a string nor a bind variable: {node.sql(dialect='snowflake')}"
    )


def _replace_table_function(session: Session, node: exp.TableFromRows, parameters: list[Any]) -> None:
    parts: list[str] = []
    inner: Expr = node.this
    while isinstance(inner, exp.Dot):
        parts = [*_dotted(inner.this), *parts]
        inner = inner.expression
    if not isinstance(inner, exp.Anonymous):
        return
    name = inner.name.upper()
    if name == "RESULT_SCAN" and not parts:
        _replace(node, _result_scan(session, inner, parameters))
    elif parts and parts[-1] == "INFORMATION_SCHEMA":
        if name == "TASK_HISTORY":
            database = parts[0] if len(parts) > 1 else session.database
            _replace(node, task_history(session, database, inner, parameters))
        elif name == "COPY_HISTORY":
            _replace(node, _copy_history(session, inner, parameters))
        else:
            raise unsupported(f"the table function INFORMATION_SCHEMA.{name}")


def _dotted(node: Expr) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*_dotted(node.this), *_dotted(node.expression)]
    return [node.name if isinstance(node, exp.Identifier) and node.quoted else node.name.upper()]


def _replace(node: Expr, query: exp.Query) -> None:
    alias = node.args.get("alias")
    subquery = query.subquery(alias.name if alias else None, copy=False)
    node.replace(subquery)


def _result_scan(session: Session, call: exp.Anonymous, parameters: list[Any]) -> exp.Query:
    argument = call.expressions[0] if len(call.expressions) == 1 else exp.Null()
    is_last = isinstance(argument, exp.Func) and "LAST_QUERY_ID" in argument.sql().upper()
    query_id = session.last_query_id if is_last else str(_constant(argument, parameters))
    table = session.kept_result(query_id or "")
    view = f"_result_{(query_id or '').replace('-', '_')}".upper()
    session.duck.register(view, table)
    return exp.select("*").from_(exp.table_(view, db="main", catalog="temp", quoted=True))


def _copy_history(session: Session, call: exp.Anonymous, parameters: list[Any]) -> exp.Query:
    arguments: dict[str, Expr] = {}
    for argument in call.expressions:
        if not isinstance(argument, exp.Kwarg | exp.PropertyEQ):
            raise compilation_error(
                1044, "42P13", "COPY_HISTORY takes named arguments: TABLE_NAME => …, START_TIME => …"
            )
        arguments[argument.this.name.upper()] = argument.expression
    unknown = arguments.keys() - {"TABLE_NAME", "START_TIME", "END_TIME"}
    if unknown or "TABLE_NAME" not in arguments or "START_TIME" not in arguments:
        raise compilation_error(
            1044,
            "42P13",
            "Invalid argument names for function 'COPY_HISTORY': TABLE_NAME and START_TIME are required",
        )
    table = session.resolve(parse_name(str(_constant(arguments["TABLE_NAME"], parameters))))
    session.account.engine.require_database(table.database)
    require_seen(session, Securable.in_schema("TABLE", table))
    return load_history.table_function(table, arguments["START_TIME"], arguments.get("END_TIME"))


_HISTORY_ARGUMENTS = frozenset(
    {
        "TASK_NAME",
        "SCHEDULED_TIME_RANGE_START",
        "SCHEDULED_TIME_RANGE_END",
        "RESULT_LIMIT",
        "ERROR_ONLY",
        "ROOT_TASK_ID",
    }
)
_HISTORY_LIMIT = 100


def task_history(
    session: Session, database: str | None, call: exp.Anonymous, parameters: list[Any]
) -> exp.Query:
    """INFORMATION_SCHEMA.TASK_HISTORY: runs of the database's tasks, the newest first, 100 unless asked for more.

    Raises SnowflakeError for an argument that it does not take.
    """
    if database is None or database not in session.account.engine.databases():
        raise does_not_exist("Database", str(database))
    arguments = _named_arguments(call, "TASK_HISTORY")
    unknown = arguments.keys() - _HISTORY_ARGUMENTS
    if unknown:
        raise compilation_error(
            1044, "42P13", f"Invalid argument names for function 'TASK_HISTORY': {', '.join(sorted(unknown))}"
        )
    query = history_query(database)
    if not may(session, ACCOUNT, "MONITOR EXECUTION"):
        query = query.where(_of_seen_tasks(session, database), copy=False)
    scheduled = exp.column("SCHEDULED_TIME")
    for name, comparison in (("SCHEDULED_TIME_RANGE_START", exp.GTE), ("SCHEDULED_TIME_RANGE_END", exp.LTE)):
        if name in arguments:
            bound = exp.cast(arguments[name].copy(), "TIMESTAMPTZ")
            query = query.where(comparison(this=scheduled.copy(), expression=bound), copy=False)
    for name, column in (("TASK_NAME", "NAME"), ("ROOT_TASK_ID", "ROOT_TASK_ID")):
        if name in arguments:
            value = str(_constant(arguments[name], parameters))
            value = value.upper() if name == "TASK_NAME" else value
            query = query.where(exp.column(column).eq(exp.Literal.string(value)), copy=False)
    if "ERROR_ONLY" in arguments and arguments["ERROR_ONLY"].sql().upper() == "TRUE":
        query = query.where(
            exp.column("STATE").isin("FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED"), copy=False
        )
    limit = arguments.get("RESULT_LIMIT", exp.Literal.number(_HISTORY_LIMIT))
    return query.order_by("SCHEDULED_TIME DESC, QUERY_START_TIME DESC", copy=False).limit(
        limit.sql(), copy=False
    )


def _of_seen_tasks(session: Session, database: str) -> Expr:
    """The rows of tasks on which the session has a privilege: TASK_HISTORY, "Usage notes"."""
    seen = [
        exp.and_(
            exp.column("SCHEMA_NAME").eq(exp.Literal.string(task.name.schema)),
            exp.column("NAME").eq(exp.Literal.string(task.name.name)),
        )
        for task in session.account.tasks.tasks(database)
        if sees(session, Securable.in_schema("TASK", task.name))
    ]
    return exp.or_(*seen) if seen else exp.false()


def _named_arguments(call: exp.Anonymous, function: str) -> dict[str, Expr]:
    arguments: dict[str, Expr] = {}
    for argument in call.expressions:
        if not isinstance(argument, exp.Kwarg | exp.PropertyEQ):
            raise compilation_error(1044, "42P13", f"{function} takes named arguments: NAME => value")
        arguments[argument.this.name.upper()] = argument.expression
    return arguments


def _seen_in(session: Session, database: str) -> list[tuple[str, ...]]:
    # "Information Schema": a role sees there what it has any privilege on.
    places: list[tuple[str, ...]] = [
        (schema, name)
        for kind, schema, name in relations_of(session.account.engine, database)
        if sees(session, Securable.in_schema(kind, FullName(database, schema, name)))
    ]
    # A schema may be seen that has nothing in it.
    schemas = session.account.engine.schemas(database)
    places += [("INFORMATION_SCHEMA", ""), ("information_schema", "")]
    places += [(schema, "") for schema in schemas if sees(session, Securable.schema(database, schema))]
    return places


def _replace_view(session: Session, table: exp.Table) -> None:
    if not isinstance(table.this, exp.Identifier):
        return
    catalog, schema, name = (part.upper() for part in (table.catalog, table.db, table.name))
    if catalog == "SNOWFLAKE":
        if (schema, name) != ("ACCOUNT_USAGE", "COPY_HISTORY"):
            raise unsupported(f"the view SNOWFLAKE.{schema}.{name}")
        _replace(table, load_history.account_view(session.account.engine.databases()))
    elif schema == "INFORMATION_SCHEMA":
        database = catalog or session.database
        if database is None or database not in session.account.engine.databases():
            raise does_not_exist("Database", str(database))
        if name in {"LOAD_HISTORY", "PIPES"}:
            query = load_history.load_history_view if name == "LOAD_HISTORY" else load_history.pipes_view
            _replace(table, query(database))
        elif (view := view_query(database, name)) is not None:
            if not hidden_from_nobody(name):
                view = only(view, name, _seen_in(session, database))
            table.set("alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name)))
            _replace(table, view)
