"""What people's tools read of a database: INFORMATION_SCHEMA, SHOW TABLES, VIEWS, OBJECTS and DATABASES, comments.

Source: Snowflake documentation, "Snowflake Information Schema" (docs.snowflake.com/en/sql-reference/info-schema).
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud

HERE = "TABLE_SCHEMA = CURRENT_SCHEMA()"


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IF NOT EXISTS DESCRIBED")
        rows(opened, f"CREATE SCHEMA DESCRIBED.S{uuid.uuid4().hex[:8].upper()} COMMENT = 'a schema'")
        rows(
            opened,
            "CREATE TABLE films (id INT PRIMARY KEY, title VARCHAR(100) NOT NULL COMMENT 'as printed', "
            "score NUMBER(5,2) DEFAULT 0.5) COMMENT = 'all films' CLUSTER BY (id)",
        )
        rows(
            opened,
            "CREATE TRANSIENT TABLE marks (film INT REFERENCES films, at TIMESTAMP_LTZ(3), raw VARIANT)",
        )
        rows(
            opened,
            "CREATE SECURE VIEW best (film COMMENT 'its title', score) COMMENT = 'good ones' AS "
            "SELECT title, score FROM films WHERE score > 0.9",
        )
        yield opened


def is_recent(moment: datetime) -> bool:
    return abs(datetime.now(UTC) - moment) < timedelta(minutes=5)


def test_tables_has_tables_and_views_with_their_comments(connection: SnowflakeConnection) -> None:
    """TABLES view."""
    found = dicts(connection, f"SELECT * FROM INFORMATION_SCHEMA.TABLES WHERE {HERE} ORDER BY TABLE_NAME")
    assert [
        (row["TABLE_NAME"], row["TABLE_TYPE"], row["COMMENT"], row["IS_TRANSIENT"], row["CLUSTERING_KEY"])
        for row in found
    ] == [
        ("BEST", "VIEW", "good ones", "NO", None),
        ("FILMS", "BASE TABLE", "all films", "NO", "LINEAR(id)"),
        ("MARKS", "BASE TABLE", None, "YES", None),
    ]
    assert {row["TABLE_OWNER"] for row in found} == {"ACCOUNTADMIN"}
    assert all(is_recent(row["CREATED"]) for row in found)
    assert {row["TABLE_CATALOG"] for row in found} == {"DESCRIBED"}


def test_tables_counts_rows(connection: SnowflakeConnection) -> None:
    rows(connection, "INSERT INTO films (id, title) VALUES (1, 'a'), (2, 'b')")
    assert rows(
        connection, f"SELECT TABLE_NAME, ROW_COUNT FROM INFORMATION_SCHEMA.TABLES WHERE {HERE} ORDER BY 1"
    ) == [("BEST", None), ("FILMS", 2), ("MARKS", 0)]


def test_columns_has_types_precision_nullability_defaults_and_comments(
    connection: SnowflakeConnection,
) -> None:
    """COLUMNS view."""
    columns = (
        "TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, "
        "NUMERIC_SCALE, DATETIME_PRECISION, IS_NULLABLE, COLUMN_DEFAULT, COMMENT"
    )
    assert rows(
        connection, f"SELECT {columns} FROM INFORMATION_SCHEMA.COLUMNS WHERE {HERE} ORDER BY 1, 3"
    ) == [
        ("BEST", "FILM", 1, "TEXT", 16777216, None, None, None, "YES", None, "its title"),
        ("BEST", "SCORE", 2, "NUMBER", None, 5, 2, None, "YES", None, None),
        ("FILMS", "ID", 1, "NUMBER", None, 38, 0, None, "NO", None, None),
        ("FILMS", "TITLE", 2, "TEXT", 100, None, None, None, "NO", None, "as printed"),
        ("FILMS", "SCORE", 3, "NUMBER", None, 5, 2, None, "YES", "0.5", None),
        ("MARKS", "FILM", 1, "NUMBER", None, 38, 0, None, "YES", None, None),
        ("MARKS", "AT", 2, "TIMESTAMP_LTZ", None, None, None, 3, "YES", None, None),
        ("MARKS", "RAW", 3, "VARIANT", None, None, None, None, "YES", None, None),
    ]


def test_columns_says_how_a_column_numbers_itself(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE numbered (id INT AUTOINCREMENT START 5 INCREMENT 2, a INT)")
    assert rows(
        connection,
        "SELECT IS_IDENTITY, IDENTITY_START, IDENTITY_INCREMENT, COLUMN_DEFAULT FROM INFORMATION_SCHEMA.COLUMNS "
        f"WHERE {HERE} AND TABLE_NAME = 'NUMBERED' ORDER BY ORDINAL_POSITION",
    ) == [("YES", "5", "2", None), ("NO", None, None, None)]


def test_views_has_the_text_of_the_statement(connection: SnowflakeConnection) -> None:
    """VIEWS view."""
    (view,) = dicts(connection, f"SELECT * FROM INFORMATION_SCHEMA.VIEWS WHERE {HERE}")
    assert view["VIEW_DEFINITION"].startswith("CREATE SECURE VIEW best (film COMMENT 'its title', score)")
    assert (view["TABLE_NAME"], view["IS_SECURE"], view["COMMENT"]) == ("BEST", "YES", "good ones")


def test_schemata_and_databases_have_owners_and_comments(connection: SnowflakeConnection) -> None:
    """SCHEMATA and DATABASES views."""
    rows(connection, "COMMENT ON DATABASE described IS 'a database'")
    (schema,) = dicts(
        connection, "SELECT * FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = CURRENT_SCHEMA()"
    )
    assert (schema["SCHEMA_OWNER"], schema["COMMENT"]) == ("ACCOUNTADMIN", "a schema")
    assert is_recent(schema["CREATED"])
    rows(connection, f"COMMENT ON SCHEMA {schema['SCHEMA_NAME']} IS 'other'")
    assert rows(
        connection, "SELECT COMMENT FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = CURRENT_SCHEMA()"
    ) == [("other",)]
    (database,) = dicts(
        connection, "SELECT * FROM INFORMATION_SCHEMA.DATABASES WHERE DATABASE_NAME = 'DESCRIBED'"
    )
    assert (database["DATABASE_OWNER"], database["COMMENT"]) == ("ACCOUNTADMIN", "a database")


def test_constraints_are_listed_and_said_not_to_be_enforced(connection: SnowflakeConnection) -> None:
    """TABLE_CONSTRAINTS and REFERENTIAL_CONSTRAINTS views."""
    rows(connection, "ALTER TABLE films ADD CONSTRAINT titles UNIQUE (title) RELY COMMENT 'no twins'")
    found = dicts(
        connection, f"SELECT * FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE {HERE} ORDER BY TABLE_NAME, 7"
    )
    columns = ("TABLE_NAME", "CONSTRAINT_TYPE", "ENFORCED", "RELY", "COMMENT")
    assert [tuple(row[column] for column in columns) for row in found] == [
        ("FILMS", "PRIMARY KEY", "NO", "NO", None),
        ("FILMS", "UNIQUE", "NO", "YES", "no twins"),
        ("MARKS", "FOREIGN KEY", "NO", "NO", None),
    ]  # fmt: skip
    (reference,) = dicts(
        connection,
        "SELECT * FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = CURRENT_SCHEMA()",
    )
    assert reference["CONSTRAINT_NAME"] == found[2]["CONSTRAINT_NAME"]
    assert reference["UNIQUE_CONSTRAINT_NAME"] == found[0]["CONSTRAINT_NAME"]


def test_the_views_of_another_database_are_named_with_it(connection: SnowflakeConnection) -> None:
    ((schema,),) = rows(connection, "SELECT CURRENT_SCHEMA()")
    rows(connection, "CREATE OR REPLACE DATABASE elsewhere")
    rows(connection, "CREATE TABLE elsewhere.public.only_there (a INT)")
    assert rows(
        connection, "SELECT tables.table_name FROM information_schema.tables WHERE table_schema = 'PUBLIC'"
    ) == [("ONLY_THERE",)]
    assert rows(
        connection,
        "SELECT t.table_name, count(*) FROM described.information_schema.tables AS t "
        "JOIN described.information_schema.columns AS c ON c.table_name = t.table_name "
        "AND c.table_schema = t.table_schema WHERE t.table_schema = %s GROUP BY 1 ORDER BY 1",
        (schema,),
    ) == [("BEST", 2), ("FILMS", 3), ("MARKS", 3)]
    with pytest.raises(DatabaseError):
        rows(connection, "SELECT * FROM nowhere.INFORMATION_SCHEMA.TABLES")


def test_a_view_whose_table_is_gone_hides_nothing_else(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE brief (a INT)")
    rows(connection, "CREATE VIEW of_brief AS SELECT a FROM brief")
    rows(connection, "DROP TABLE brief")
    names = rows(connection, f"SELECT DISTINCT TABLE_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE {HERE}")
    assert {("BEST",), ("FILMS",), ("MARKS",)} <= set(names)
    assert rows(connection, f"SELECT count(*) FROM INFORMATION_SCHEMA.TABLES WHERE {HERE}") == [(4,)]


def test_comments_of_views_and_their_columns_are_changed(connection: SnowflakeConnection) -> None:
    """COMMENT; ALTER VIEW."""
    rows(connection, "COMMENT ON VIEW best IS 'the best'")
    rows(connection, "COMMENT ON COLUMN best.score IS 'of 1'")
    (view,) = dicts(connection, "SHOW VIEWS")
    assert view["comment"] == "the best"
    assert [column["comment"] for column in dicts(connection, "DESCRIBE VIEW best")] == ["its title", "of 1"]
    rows(connection, "CREATE OR REPLACE VIEW best (film) AS SELECT title FROM films")
    assert dicts(connection, "SHOW VIEWS")[0]["comment"] == ""
    assert [column["comment"] for column in dicts(connection, "DESCRIBE VIEW best")] == [None]


def test_show_has_comments_owners_and_times(connection: SnowflakeConnection) -> None:
    """SHOW TABLES, SHOW VIEWS, SHOW OBJECTS."""
    tables = {row["name"]: row for row in dicts(connection, "SHOW TABLES")}
    assert (tables["FILMS"]["comment"], tables["FILMS"]["kind"], tables["MARKS"]["kind"]) == (
        "all films",
        "TABLE",
        "TRANSIENT",
    )
    assert tables["FILMS"]["cluster_by"] == "LINEAR(id)"
    (view,) = dicts(connection, "SHOW VIEWS")
    assert (view["comment"], view["is_secure"]) == ("good ones", True)
    objects = dicts(connection, "SHOW OBJECTS")
    assert {row["owner"] for row in objects} == {"ACCOUNTADMIN"}
    assert all(is_recent(row["created_on"]) for row in objects)
