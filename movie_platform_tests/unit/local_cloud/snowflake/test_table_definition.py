"""What is read from the text of CREATE TABLE and CREATE VIEW, and how a table comes to another shape."""

import pytest

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.text.column_types import canonical_type
from movie_platform.local_cloud.snowflake.text.names import Name
from movie_platform.local_cloud.snowflake.text.table_definition import (
    FOREIGN_KEY,
    PRIMARY_KEY,
    UNIQUE,
    ColumnDefinition,
    Constraint,
    read_create_table,
)
from movie_platform.local_cloud.snowflake.text.table_shape import (
    AddColumn,
    Column,
    DropColumn,
    SetNullable,
    SetType,
    changes_to,
)
from movie_platform.local_cloud.snowflake.text.view_definition import read_create_view


def read(sql: str):
    return read_create_table(sql, "TIMESTAMP_NTZ")


def test_columns_are_read_with_types_defaults_and_comments() -> None:
    table = read(
        "CREATE TABLE d.s.t (a INT, b NUMBER(9, 2) DEFAULT f(1, ',)') NOT NULL COMMENT 'it''s', "
        '"c d" TIMESTAMP, e NUMBER IDENTITY(5, 2))'
    )
    assert table.name == Name("D", "S", "T")
    assert table.columns == (
        ColumnDefinition("A", "NUMBER(38,0)"),
        ColumnDefinition("B", "NUMBER(9,2)", nullable=False, default="f(1, ',)')", comment="it's"),
        ColumnDefinition("c d", "TIMESTAMP_NTZ(9)"),
        ColumnDefinition("E", "NUMBER(38,0)", default="AUTOINCREMENT START 5 INCREMENT 2"),
    )


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("(a INT PRIMARY KEY, b INT)", "(a INT  NOT NULL, b INT)"),
        ("(a INT NOT NULL, PRIMARY KEY (a))", "(a INT NOT NULL)"),
        ("(UNIQUE (a), -- x, y\n a INT, b INT UNIQUE RELY)", "( -- x, y\n a INT, b INT )"),
        ("(a INT, UNIQUE (a), b INT, UNIQUE (b), UNIQUE (a, b))", "(a INT,  b INT)"),
        ("(a BINARY(3), b TIME(3))", "(a BINARY, b TIME)"),
        ("(a, b) AS SELECT 1, 2", "(a, b) AS SELECT 1, 2"),
    ],
)
def test_keys_are_cut_out_of_the_text_and_close_their_columns(written: str, plain: str) -> None:
    assert read(f"CREATE TABLE t {written}").plain_sql == f"CREATE TABLE t {plain}"


def test_keys_are_read_with_their_properties() -> None:
    table = read(
        "CREATE TABLE t (a INT CONSTRAINT p PRIMARY KEY RELY, b INT REFERENCES o ON DELETE SET NULL NOT ENFORCED, "
        "CONSTRAINT u UNIQUE (a, b) NORELY COMMENT 'c', FOREIGN KEY (a, b) REFERENCES d.s.o (x, y) MATCH FULL)"
    )
    assert table.constraints == (
        Constraint(PRIMARY_KEY, ("A",), "P", rely=True),
        Constraint(FOREIGN_KEY, ("B",), None, Name(None, None, "O"), delete_rule="SET NULL"),
        Constraint(UNIQUE, ("A", "B"), "U", comment="c"),
        Constraint(FOREIGN_KEY, ("A", "B"), None, Name("D", "S", "O"), ("X", "Y")),
    )


def test_the_rest_of_the_statement_is_read_as_far_as_it_is_recorded() -> None:
    table = read(
        "CREATE OR REPLACE TRANSIENT TABLE IF NOT EXISTS t (a INT) CLUSTER BY (a, f(b)) COMMENT = 'AS'"
    )
    assert (table.replace, table.if_not_exists, table.transient) == (True, True, True)
    assert (table.clustering, table.variant) == ("a, f(b)", None)
    assert read("CREATE TABLE t CLONE u").variant == "CLONE"
    assert read("CREATE VOLATILE TABLE t (a INT)").plain_sql == "CREATE TEMPORARY TABLE t (a INT)"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a INT",
        "CREATE TABLE t (a INT, a INT)",
        "CREATE TABLE t (a NOTHING)",
        "CREATE TABLE t (a INT x)",
    ],
)
def test_what_is_not_understood_is_refused(sql: str) -> None:
    with pytest.raises(SnowflakeError):
        read(sql)


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("NUMERIC", (5,), "NUMBER(5,0)"),
        ("BYTEINT", (), "NUMBER(38,0)"),
        ("DOUBLE PRECISION", (), "FLOAT"),
        ("STRING", (), "VARCHAR(16777216)"),
        ("CHAR", (), "VARCHAR(1)"),
        ("TIMESTAMP", (3,), "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP WITH TIME ZONE", (), "TIMESTAMP_TZ(9)"),
        ("DATETIME", (), "TIMESTAMP_NTZ(9)"),
        ("VARBINARY", (), "BINARY(8388608)"),
    ],
)
def test_synonyms_of_types_are_one_type(name: str, arguments: tuple[int, ...], kind: str) -> None:
    assert canonical_type(name, arguments, "TIMESTAMP_LTZ") == kind


def present(
    name: str, kind: str = "NUMBER(38,0)", default: str | None = None, *, recorded: bool = True
) -> Column:
    return Column(name, kind, nullable=True, default=default, comment=None, recorded=recorded)


def test_a_table_comes_to_its_shape_by_dropping_changing_and_adding() -> None:
    wanted = [
        ColumnDefinition("A", "NUMBER(20,0)", nullable=False),
        ColumnDefinition("C", "VARCHAR(5)"),
    ]
    assert changes_to("T", [present("A"), present("B")], wanted, has_rows=True) == [
        DropColumn("B"),
        SetType("A", "NUMBER(20,0)"),
        SetNullable("A", nullable=False),
        AddColumn(wanted[1]),
    ]


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (present("A", "TIMESTAMP_TZ(9)", recorded=False), ColumnDefinition("A", "TIMESTAMP_LTZ(3)")),
        (present("A", "VARIANT", recorded=False), ColumnDefinition("A", "ARRAY")),
        (
            present("A", default="CAST('5' AS BIGINT)", recorded=False),
            ColumnDefinition("A", "NUMBER(38,0)", default="5"),
        ),
        (
            present("A", default="Current_Date( )"),
            ColumnDefinition("A", "NUMBER(38,0)", default="current_date()"),
        ),
    ],
)
def test_what_is_not_known_or_only_written_otherwise_is_no_change(
    known: Column, wanted: ColumnDefinition
) -> None:
    assert changes_to("T", [known], [wanted], has_rows=True) == []


def test_a_recorded_type_is_held_exactly() -> None:
    with pytest.raises(SnowflakeError, match="cannot change column A from type TIMESTAMP_TZ"):
        changes_to(
            "T",
            [present("A", "TIMESTAMP_TZ(9)")],
            [ColumnDefinition("A", "TIMESTAMP_LTZ(9)")],
            has_rows=False,
        )


def test_a_views_definition_is_its_columns_and_its_query_but_for_spaces_comments_and_case() -> None:
    view = read_create_view(
        "CREATE SECURE VIEW v (a COMMENT 'x', b) COMMENT = 'c' COPY GRANTS AS SELECT 1, 'B' -- y"
    )
    assert (view.columns, view.comment, view.secure) == ({"A": "x", "B": None}, "c", True)
    assert view.same_query(read_create_view("create or replace view v (a, b) as\nselect  1, 'B';"))
    assert not view.same_query(read_create_view("CREATE VIEW v (a, b) AS SELECT 1, 'b'"))
    assert not view.same_query(read_create_view("CREATE VIEW v (b, a) AS SELECT 1, 'B'"))
