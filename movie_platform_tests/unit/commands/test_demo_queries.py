"""The demo's questions ask the marts alone, for columns that they have."""

import re
from importlib.resources import files

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify

from movie_platform.commands.demo_queries import QUESTIONS, RECONCILIATION, load_query
from movie_platform.contracts.marts import MART_VIEWS

NAMES = (*QUESTIONS, RECONCILIATION)
SCHEMA: dict[str, object] = {
    "MARTS": {view.name.upper(): dict.fromkeys(view.column_names, "VARCHAR") for view in MART_VIEWS}
}


def qualified(sql: str) -> exp.Expr:
    """The statement with each column's table; raises OptimizeError for a column that no table has."""
    bound = re.sub(r"%\((\w+)\)s", r"'\1'", sql)
    return qualify(sqlglot.parse_one(bound, dialect="snowflake"), schema=SCHEMA, dialect="snowflake")


@pytest.mark.parametrize("name", NAMES)
def test_a_question_asks_one_mart_for_columns_that_it_has(name: str):
    query = qualified(load_query(name).sql)
    asked = {(table.db, table.name) for table in query.find_all(exp.Table) if table.db}
    assert len(asked) == 1
    assert asked <= {("MARTS", view.name.upper()) for view in MART_VIEWS}


def test_the_test_notices_a_column_that_is_not_there():
    with pytest.raises(OptimizeError):
        qualified("SELECT no_such_column FROM MARTS.TOP_MOVIES WHERE source = %(source)s")


@pytest.mark.parametrize("name", NAMES)
def test_a_question_is_of_one_source_and_in_a_fixed_order(name: str):
    query = load_query(name)
    assert "%(source)s" in query.sql
    assert "ORDER BY" in query.sql
    assert query.title[0].isupper()


def test_every_file_is_a_question_and_the_demo_asks_every_mart_but_the_one_beneath():
    folder = files("movie_platform.commands").joinpath("demo_sql")
    assert sorted(entry.name.removesuffix(".sql") for entry in folder.iterdir()) == sorted(NAMES)
    text = " ".join(load_query(name).sql for name in NAMES)
    assert {view.name for view in MART_VIEWS if f"MARTS.{view.name.upper()}" not in text} == {
        "current_movies"
    }
