"""Statements that give rows: SELECT, VALUES, and the SHOW commands that fakesnow has."""

from typing import Any

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.translate import Prepared, parse
from movie_platform.local_cloud.snowflake.statements.functions import replace_functions
from movie_platform.local_cloud.snowflake.statements.needing_a_warehouse import (
    needs_warehouse,
    require_warehouse,
)
from movie_platform.local_cloud.snowflake.text import result_set

_BATCH_ROWS = 50_000


def select(session: Session, statement: Statement) -> result_set.Result:
    """Runs a query; its rows stream."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Query | exp.Values):
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    if tree.find(exp.Into) or any(isinstance(node.this, exp.Var) for node in tree.find_all(exp.Table)):
        raise unsupported("a query on a stage (SELECT … FROM @stage) or with INTO")
    if tree.find(exp.Parameter):
        raise unsupported("columns by position ($1)")
    if not statement.describe_only and needs_warehouse(tree):
        require_warehouse(session)
    _name_columns(tree)
    return run_tree(session, tree, statement.bindings.values, describe_only=statement.describe_only)


def _name_columns(tree: Expr) -> None:
    # Snowflake names a column without an alias by its text in upper case, DuckDB by its own rewriting of it.
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    if isinstance(tree, exp.Select):
        named = (exp.Alias, exp.Column, exp.Star, exp.Dot, exp.Subquery, exp.Aliases)
        for item in list(tree.expressions):
            if not isinstance(item, named):
                name = item.sql(dialect="snowflake").upper()
                item.replace(exp.alias_(item.copy(), name, quoted=True))


def show(session: Session, statement: Statement) -> result_set.Result:
    """Runs a SHOW command that fakesnow translates."""
    tree = parse(statement.sql)
    result = run_tree(session, tree, [])
    result.statement_type = result_set.SHOW
    return result


def run_tree(
    session: Session, tree: Expr, parameters: list[Any], *, describe_only: bool = False
) -> result_set.Result:
    """Translates and runs a query's tree."""
    if describe_only:
        tree = tree.transform(lambda node: exp.Null() if isinstance(node, exp.Placeholder) else node)
        parameters = []
    tree = replace_functions(session, tree, parameters)
    (prepared,) = session.translator.prepare(tree, parameters)
    if isinstance(prepared.expression, exp.Command | exp.Show):
        # What no rule of fakesnow rewrote would reach DuckDB as it is and mean something else there.
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    if (seed := prepared.expression.args.get("seed")) is not None:
        session.duck.execute("SELECT setseed(?)", [float(str(seed))])
    return run_prepared(session, prepared, describe_only=describe_only)


def run_prepared(session: Session, prepared: Prepared, *, describe_only: bool = False) -> result_set.Result:
    """Runs one translated query."""
    relation = session.duck.sql(prepared.sql, params=prepared.parameters)
    columns = tuple(
        result_set.column_of(name, str(kind))
        for name, kind in zip(relation.columns, relation.types, strict=True)
    )
    batches = iter(()) if describe_only else iter(relation.to_arrow_reader(_BATCH_ROWS))
    return result_set.Result(columns, batches, result_set.SELECT)
