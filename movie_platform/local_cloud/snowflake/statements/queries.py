"""Statements that give rows: SELECT, VALUES, and the SHOW commands that fakesnow has."""

from typing import Any

import pyarrow as pa
from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.translate import Prepared, parse
from movie_platform.local_cloud.snowflake.statements.authorizing import sees
from movie_platform.local_cloud.snowflake.statements.functions import replace_functions
from movie_platform.local_cloud.snowflake.statements.needing_a_warehouse import (
    needs_warehouse,
    require_warehouse,
)
from movie_platform.local_cloud.snowflake.statements.reading import authorize, reads
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import leading_words

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
    authorize(session, reads(session, tree))
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
    columns = result.columns
    kind = " ".join(word for word in leading_words(statement.sql)[1:] if word != "TERSE")
    seen = [batch.filter(_seen(session, kind, batch)) for batch in result.batches]
    return result_set.Result(columns, iter(seen), result_set.SHOW)


_SHOWN = {
    "TABLES": ("TABLE",), "VIEWS": ("VIEW",), "OBJECTS": ("TABLE", "VIEW"), "COLUMNS": ("TABLE", "VIEW"),
    "SCHEMAS": ("SCHEMA",), "DATABASES": ("DATABASE",), "SEQUENCES": ("SEQUENCE",), "STAGES": ("STAGE",),
    "FILE FORMATS": ("FILE FORMAT",),
}  # fmt: skip


def _seen(session: Session, kind: str, batch: pa.RecordBatch) -> pa.Array:
    """Which rows of a SHOW are of objects that the session may know of."""
    kinds = next((found for words, found in _SHOWN.items() if kind.startswith(words)), ())
    own = "table_name" if kind.startswith("COLUMNS") else "name"
    columns = {name: batch.column(name).to_pylist() for name in batch.schema.names}
    rows = range(batch.num_rows)
    return pa.array([_is_seen(session, kinds, columns, own, row) for row in rows], pa.bool_())


def _is_seen(
    session: Session, kinds: tuple[str, ...], columns: dict[str, list[Any]], own: str, row: int
) -> bool:
    name = str(columns[own][row])
    if kinds == ("DATABASE",):
        return sees(session, Securable.database(name))
    database = str(columns["database_name"][row])
    schema = name if kinds == ("SCHEMA",) else str(columns["schema_name"][row])
    if schema.upper() == "INFORMATION_SCHEMA" or not database:
        return not database or sees(session, Securable.database(database))
    if kinds == ("SCHEMA",):
        return sees(session, Securable.schema(database, schema))
    full = FullName(database, schema, name)
    return any(sees(session, Securable.in_schema(kind, full)) for kind in kinds)


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
