"""The bridge to fakesnow: Snowflake's SQL, as sqlglot parsed it, becomes DuckDB's.

Only fakesnow's parser, checks and rewriting rules are used; statements are executed by this package, so that a
statement of several parts is one transaction and results stream. fakesnow's version is pinned for this module's sake.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb
import sqlglot
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import syntax_error as parse_error
from sqlglot import Expr, exp
from sqlglot.errors import ErrorLevel, ParseError, UnsupportedError

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, from_exception, unsupported
from movie_platform.local_cloud.snowflake.state import date_values, exact_numbers
from movie_platform.local_cloud.snowflake.state.binding_types import Questions, complaint
from movie_platform.local_cloud.snowflake.state.engine import PUBLIC_SCHEMA, Engine
from movie_platform.local_cloud.snowflake.state.temporary_relations import TemporaryRelations
from movie_platform.local_cloud.snowflake.state.value_macros import DIVISION_BY_ZERO
from movie_platform.local_cloud.snowflake.text.dialect import LocalSnowflake
from movie_platform.local_cloud.snowflake.text.names import quoted

_NAMED_BIND = re.compile(r"=>\s*\?(?!\?)")
_KEYWORDS = frozenset(
    row[0].upper()
    for row in duckdb.connect()
    .execute(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    )
    .fetchall()
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One statement for DuckDB. `expression` is its tree, in which fakesnow leaves notes (`args`)."""

    sql: str
    parameters: list[Any] | None
    expression: Expr


def parse(sql: str) -> Expr:
    """The tree of exactly one statement.

    Raises SnowflakeError for a syntax error, and 000008 for more than one statement.
    """
    try:
        # sqlglot does not take a bind variable as a named argument; in brackets it does.
        sql = _NAMED_BIND.sub("=> (?)", sql) if "=>" in sql else sql
        found = [
            tree
            for tree in sqlglot.parse(sql, read=LocalSnowflake)
            if tree and not isinstance(tree, exp.Semicolon)
        ]
    except ParseError as error:
        raise from_exception(parse_error(error)) from None
    except RecursionError:
        raise SnowflakeError(
            1003, "42000", "SQL compilation error:\nthe statement is nested too deeply"
        ) from None
    if len(found) > 1:
        raise SnowflakeError(
            8,
            "0A000",
            f"Actual statement count {len(found)} did not match the desired statement count 1.",
        )
    if not found:
        raise SnowflakeError(900, "42601", "SQL compilation error:\nEmpty SQL statement.")
    return found[0]


class _Cursor(FakeSnowflakeCursor):
    """Gives what fakesnow would execute instead of executing it."""

    timestamp_mapping = "TIMESTAMP_NTZ"

    def _with_values(self, tree: Expr, parameters: list[Any] | None) -> Expr:
        # Conversions by the session's formats, and exact numbers.
        tree = date_values.replace_casts(tree)
        placeholders = _with_literals(tree, parameters)
        if isinstance(tree, exp.Insert | exp.Update | exp.Merge):
            date_values.convert_stored(tree, self._columns(tree))
        questions = Questions()
        date_values.ask_for_dates(tree, questions)
        exact_numbers.ask_for_numbers(tree, questions)
        asked = tree.expression if isinstance(tree, exp.Create) else tree
        if questions.open:
            questions.resolve(self._duck_conn, lambda: _duck_sql(asked))
        if date_values.has_macros(tree) and date_values.AMBIGUOUS in complaint(
            self._duck_conn, _duck_sql(asked)
        ):
            date_values.ask_for_overloads(tree, questions)
            questions.resolve(self._duck_conn, lambda: _duck_sql(asked))
        if placeholders:
            _with_placeholders(tree)
        return tree

    def _columns(self, tree: Expr) -> dict[str, str]:
        # DuckDB's types of the columns of the table that a statement changes.
        table = tree.find(exp.Table)
        if table is None:
            return {}
        rows = self._duck_conn.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND (database_name = 'temp' OR "
            "(database_name = ? AND schema_name = ?)) ORDER BY database_name <> 'temp', column_index",
            [table.name, table.catalog or self._conn.database, table.db or self._conn.schema],
        ).fetchall()
        return dict(rows)

    def prepare(self, expression: Expr, parameters: list[Any] | None) -> list[Prepared]:
        """The DuckDB statements for one Snowflake statement, in order."""
        self.check_db_and_schema(expression)
        native_merge = isinstance(expression, exp.Merge)
        prepared: list[Prepared] = []
        for part in [expression] if native_merge else self._transform_explode(expression):
            replaced = date_values.replace_functions(part, self.timestamp_mapping)
            transformed = _without_float_sums(self._transform(_with_marked_sums(replaced), parameters))
            if not isinstance(part, exp.Show | exp.Describe | exp.Command):
                transformed = self._with_values(transformed, parameters)
            _refuse_division_by_zero(transformed)
            # What DuckDB has no word for would be left out with a warning in a log.
            sql = _duck_sql(transformed)
            if not sql:
                raise unsupported(expression.sql(dialect="snowflake")[:200])
            has_placeholder = transformed.find(exp.Placeholder, exp.Parameter) is not None
            prepared.append(Prepared(sql, parameters if has_placeholder else None, transformed))
        return prepared


def _refuse_division_by_zero(tree: Expr) -> None:
    # DuckDB answers infinity or null where Snowflake fails.
    for node in list(tree.find_all(exp.Div, exp.Mod)):
        divisor = node.expression
        if isinstance(divisor, exp.Literal) and not divisor.is_string and float(divisor.this) != 0:
            continue
        failure = exp.Anonymous(this="error", expressions=[exp.Literal.string(DIVISION_BY_ZERO)])
        zero = exp.EQ(this=exp.paren(divisor.copy()), expression=exp.Literal.number(0))
        node.set("expression", exp.Case(ifs=[exp.If(this=zero, true=failure)], default=divisor.copy()))


_EXACT = "exact"
_BIND = "bind"


def _duck_sql(tree: Expr) -> str:
    return _with_quoted_keywords(tree).sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)


def _with_literals(tree: Expr, parameters: list[Any] | None) -> bool:
    # While types are asked for, bind variables stand as their values, each with its number: a value may be needed
    # twice, or elsewhere, in what is made of the statement.
    placeholders = list(tree.find_all(exp.Placeholder, bfs=False))
    if not placeholders or parameters is None or len(placeholders) != len(parameters):
        return False
    for number, (placeholder, value) in enumerate(zip(placeholders, parameters, strict=True), start=1):
        if placeholder.args.get("this"):
            return False
        literal = _literal(value)
        literal.meta[_BIND] = number
        placeholder.replace(literal)
    return True


def _literal(value: object) -> Expr:
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float | Decimal):
        return exp.Literal(this=str(value), is_string=False)
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat()), "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP")
    if isinstance(value, date | time):
        return exp.cast(exp.Literal.string(value.isoformat()), type(value).__name__.upper())
    return exp.Literal.string(str(value))


def _with_placeholders(tree: Expr) -> None:
    for node in list(tree.find_all(exp.Literal, exp.Null, exp.Boolean, exp.Cast)):
        if (number := node.meta.get(_BIND)) is not None:
            node.replace(exp.Parameter(this=exp.Literal.number(number)))


def _with_quoted_keywords(tree: Expr) -> Expr:
    # What is a plain name on Snowflake may be a reserved word of DuckDB.
    for node in tree.find_all(exp.Identifier):
        if not node.quoted and str(node.this).upper() in _KEYWORDS:
            node.args["quoted"] = True
    return tree


_AGGREGATES = (
    exp.Sum,
    exp.Avg,
    exp.Median,
    exp.Variance,
    exp.VariancePop,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
)


def _with_marked_sums(tree: Expr) -> Expr:
    # fakesnow makes SUM(x) a sum of floating-point numbers, so that text can be summed. Sums must be exact here: the
    # argument is put in marked brackets, by which the cast is found and taken out again.
    for node in list(tree.find_all(*_AGGREGATES)):
        if isinstance(node.this, exp.Cast | exp.TryCast):
            continue
        brackets = exp.Paren(this=node.this.copy())
        brackets.meta[_EXACT] = True
        if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
            name = node.sql(dialect="snowflake").upper()
            node.set("this", brackets)
            node.replace(exp.alias_(node.copy(), name, quoted=True))
        else:
            node.set("this", brackets)
    return tree


def _without_float_sums(tree: Expr) -> Expr:
    for node in list(tree.find_all(*_AGGREGATES)):
        cast = node.this
        if isinstance(cast, exp.TryCast) and isinstance(cast.this, exp.Paren) and cast.this.meta.get(_EXACT):
            node.set("this", cast.this.this)
    return tree


class Translator(FakeSnowflakeConnection):
    """A session's database and schema, and the rewriting of its statements."""

    def __init__(self, engine: Engine, duck: duckdb.DuckDBPyConnection) -> None:
        super().__init__(
            duck, {}, create_database=False, create_schema=False, db_path=engine.databases_folder
        )
        self._engine = engine
        self._duck = duck
        self.temporaries = TemporaryRelations()
        # TIMESTAMP_TYPE_MAPPING of the session.
        self.timestamp_mapping = "TIMESTAMP_NTZ"

    def use(self, database: str | None, schema: str | None) -> None:
        """Makes a database and schema current; both must exist. Without a schema PUBLIC becomes current."""
        if database is not None and schema is None and self._engine.has_schema(database, PUBLIC_SCHEMA):
            schema = PUBLIC_SCHEMA
        self.database, self.database_set = database, database is not None
        self._schema, self.schema_set = schema, schema is not None
        path = "memory.main" if database is None else f"{quoted(database)}.{quoted(schema or 'main')}"
        self._duck.execute(f"SET schema = '{path}'")

    def prepare(self, expression: Expr, parameters: list[Any] | None = None) -> list[Prepared]:
        """The DuckDB statements for one Snowflake statement.

        Raises SnowflakeError where fakesnow refuses it.
        """
        self.temporaries.put_into(
            expression,
            self.database if self.database_set else None,
            self.schema if self.schema_set else None,
        )
        try:
            cursor = _Cursor(self, self._duck)
            cursor.timestamp_mapping = self.timestamp_mapping
            return cursor.prepare(expression, parameters)
        except (AssertionError, KeyError, AttributeError, ValueError, UnsupportedError) as error:
            # fakesnow's rules assert the shapes that they know; another shape is a statement that it cannot do.
            raise unsupported(
                f"{expression.sql(dialect='snowflake')[:200]} ({error or type(error).__name__})"
            ) from error
        except SnowflakeError:
            raise
        except Exception as error:
            raise from_exception(error) from error
