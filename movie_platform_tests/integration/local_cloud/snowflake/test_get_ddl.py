"""GET_DDL: its text, run against the server, makes the object again.

Source: Snowflake documentation, "GET_DDL" (docs.snowflake.com/en/sql-reference/functions/get_ddl).
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud

BASE = """
CREATE TABLE base (
    id INT PRIMARY KEY RELY, code VARCHAR(10) DEFAULT 'it''s' NOT NULL COMMENT 'a \\\\ and a ''quote''',
    CONSTRAINT codes UNIQUE (code) COMMENT 'once'
) CLUSTER BY (id, code) COMMENT = 'the base' DATA_RETENTION_TIME_IN_DAYS = 3
"""
OBJECTS = {
    "TABLE": (
        "t",
        """CREATE TRANSIENT TABLE t (n INT AUTOINCREMENT START 5 INCREMENT 2, d NUMBER(9,3) DEFAULT 0.5, s STRING,
        at TIMESTAMP_LTZ(3) DEFAULT CURRENT_TIMESTAMP(), raw VARIANT, bin BINARY(9), tm TIME(0), ok BOOLEAN,
        "a b" DATE, ref INT REFERENCES base (id) ON DELETE CASCADE)""",
    ),
    "VIEW": (
        "v",
        "CREATE SECURE VIEW v (one COMMENT 'x', two) COMMENT = 'seen' AS SELECT id, code FROM base WHERE code > ';'",
    ),
    "STREAM": ("s", "CREATE STREAM s ON TABLE base APPEND_ONLY = TRUE COMMENT = 'follows'"),
    "FILE_FORMAT": (
        "f",
        "CREATE FILE FORMAT f TYPE = CSV SKIP_HEADER = 1 FIELD_DELIMITER = '|' NULL_IF = ('', 'NULL') COMMENT = 'csv'",
    ),
    "TASK": (
        "k",
        """CREATE TASK k SCHEDULE = '90 MINUTES' COMMENT = 'works' SUSPEND_TASK_AFTER_NUM_FAILURES = 3
        USER_TASK_TIMEOUT_MS = 5000 WHEN SYSTEM$STREAM_HAS_DATA('follow') AS
        BEGIN INSERT INTO base VALUES (1, 'a;b'); SELECT 1; END""",
    ),
    "PIPE": ("p", "CREATE PIPE p COMMENT = 'loads' AS COPY INTO base FROM @files PATTERN = '.*[.]csv'"),
}


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IF NOT EXISTS WRITTEN")
        rows(opened, f"CREATE SCHEMA WRITTEN.S{uuid.uuid4().hex[:8].upper()}")
        rows(opened, BASE)
        rows(opened, "CREATE STREAM follow ON TABLE base")
        rows(opened, "CREATE STAGE files URL = 's3://lake/files/' FILE_FORMAT = (TYPE = CSV)")
        yield opened


def ddl(connection: SnowflakeConnection, kind: str, name: str, full: str = "") -> str:
    ((text,),) = rows(connection, f"SELECT GET_DDL('{kind}', '{name}'{full})")
    return text


def shown(connection: SnowflakeConnection, kind: str, name: str) -> Any:
    """What DESCRIBE and SHOW say of an object, but for what each object has for itself."""
    words = kind.replace("_", " ")
    found = dicts(connection, f"SHOW {words}S LIKE '{name}'")
    own = {"created_on", "id", "stale_after", "last_suspended_on"}
    kept = [{column: value for column, value in row.items() if column not in own} for row in found]
    described = dicts(connection, f"DESCRIBE {words} {name}") if kind in {"TABLE", "VIEW"} else []
    keys = dicts(connection, f"SHOW IMPORTED KEYS IN {name}") if kind == "TABLE" else []
    return kept, described, [(key["fk_column_name"], key["delete_rule"]) for key in keys]


@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("full", ["", ", TRUE"])
def test_the_text_of_an_object_makes_it_again(connection: SnowflakeConnection, kind: str, full: str) -> None:
    name, create = OBJECTS[kind]
    rows(connection, create)
    text = ddl(connection, kind, name, full)
    before = shown(connection, kind, name)
    ((schema,),) = rows(connection, "SELECT CURRENT_SCHEMA()")
    assert (f"WRITTEN.{schema}.{name.upper()}" in text) == bool(full)
    rows(connection, f"DROP {kind.replace('_', ' ')} {name}")
    rows(connection, text)
    after = shown(connection, kind, name)
    if kind == "VIEW":
        # The text of the statement is another.
        for row in (*before[0], *after[0]):
            del row["text"]
    assert after == before
    assert ddl(connection, kind, name, full) == text


def test_the_text_of_a_table_is_snowflakes(connection: SnowflakeConnection) -> None:
    assert ddl(connection, "TABLE", "base") == (
        "create or replace TABLE BASE (\n"
        "\tID NUMBER(38,0) NOT NULL,\n"
        "\tCODE VARCHAR(10) DEFAULT 'it''s' NOT NULL COMMENT 'a \\\\ and a ''quote''',\n"
        "\tprimary key (ID) rely,\n"
        "\tconstraint CODES unique (CODE) comment 'once'\n"
        ") cluster by (id, code) DATA_RETENTION_TIME_IN_DAYS=3 COMMENT='the base';"
    )


def test_a_table_that_a_query_made_has_a_text(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE made AS SELECT id, code, 1.25 AS part FROM base")
    assert ddl(connection, "TABLE", "made") == (
        "create or replace TABLE MADE (\n\tID NUMBER(38,0),\n\tCODE VARCHAR(16777216),\n\tPART NUMBER(3,2)\n);"
    )


def test_the_text_follows_what_alters_the_table(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT, b VARCHAR(5))")
    rows(connection, "ALTER TABLE t ADD COLUMN c DATE NOT NULL COMMENT 'day'")
    rows(connection, "ALTER TABLE t ALTER COLUMN b SET DATA TYPE VARCHAR(9)")
    rows(connection, "ALTER TABLE t RENAME COLUMN a TO first")
    rows(connection, "ALTER TABLE t RENAME TO u")
    assert ddl(connection, "TABLE", "u") == (
        "create or replace TABLE U (\n\tFIRST NUMBER(38,0),\n\tB VARCHAR(9),\n\tC DATE NOT NULL COMMENT 'day'\n);"
    )


def test_a_view_is_given_for_the_kind_table_too(connection: SnowflakeConnection) -> None:
    rows(connection, OBJECTS["VIEW"][1])
    assert ddl(connection, "TABLE", "v") == ddl(connection, "VIEW", "v")


def test_the_text_of_a_schema_makes_all_that_is_in_it_in_order(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE aaa (ref INT REFERENCES base)")
    rows(connection, "CREATE VIEW zzz AS SELECT id FROM base")
    rows(connection, "CREATE VIEW abc AS SELECT id FROM zzz")
    rows(connection, "CREATE TASK z_root SCHEDULE = '90 MINUTES' AS SELECT 1")
    rows(connection, "CREATE TASK a_child AFTER z_root AS SELECT 2")
    for kind in ("VIEW", "STREAM", "FILE_FORMAT"):
        rows(connection, OBJECTS[kind][1])
    ((schema,),) = rows(connection, "SELECT CURRENT_SCHEMA()")
    rows(connection, f"COMMENT ON SCHEMA {schema} IS 'all'")
    text = ddl(connection, "SCHEMA", f"WRITTEN.{schema}")
    assert text.startswith(f"create or replace schema {schema} COMMENT='all';")
    assert "stage" not in text
    rows(connection, f"DROP SCHEMA {schema}")
    for statement in text.strip().split(";\n\n"):
        rows(connection, statement)
    assert ddl(connection, "SCHEMA", schema) == text
    assert {row["name"] for row in dicts(connection, "SHOW OBJECTS")} == {"BASE", "AAA", "ABC", "V", "ZZZ"}


def test_the_text_of_a_database_has_its_schemas(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE OR REPLACE DATABASE copied COMMENT = 'whole'")
    rows(connection, "CREATE SCHEMA inner_one")
    rows(connection, "CREATE TABLE t (a INT)")
    text = ddl(connection, "DATABASE", "copied", ", TRUE")
    rows(connection, "DROP DATABASE copied")
    for statement in text.strip().split(";\n\n"):
        rows(connection, statement)
    assert ddl(connection, "DATABASE", "copied", ", TRUE") == text
    assert "create or replace TABLE COPIED.INNER_ONE.T (" in text


def test_a_warehouse_has_a_text(connection: SnowflakeConnection) -> None:
    rows(
        connection,
        "CREATE OR REPLACE WAREHOUSE written_wh WAREHOUSE_SIZE = SMALL AUTO_SUSPEND = 60 COMMENT = 'c'",
    )
    text = ddl(connection, "WAREHOUSE", "written_wh")
    rows(connection, "CREATE OR REPLACE WAREHOUSE written_wh")
    rows(connection, text)
    (shown_now,) = dicts(connection, "SHOW WAREHOUSES LIKE 'written_wh'")
    assert (shown_now["size"], shown_now["auto_suspend"], shown_now["comment"]) == ("Small", 60, "c")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("GET_DDL('TABLE', 'nothing')", 2003),
        ("GET_DDL('TASK', 'nothing')", 2003),
        ("GET_DDL('SCHEMA', 'nothing')", 2003),
        ("GET_DDL('STAGE', 'files')", 2),
        ("GET_DDL('COLOUR', 'red')", 2),
        ("GET_DDL('TABLE')", 938),
    ],
)
def test_what_has_no_text_is_an_error(connection: SnowflakeConnection, call: str, error: int) -> None:
    """GET_DDL: stages are not among the kinds that it knows."""
    with pytest.raises(DatabaseError) as caught:
        rows(connection, f"SELECT {call}")
    assert caught.value.errno == error


def test_the_arguments_may_be_bound(snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection) -> None:
    ((schema,),) = rows(connection, "SELECT CURRENT_SCHEMA()")
    with snowflake_cloud.connect(paramstyle="qmark", database="WRITTEN", schema=schema) as bound:
        ((text,),) = rows(bound, "SELECT GET_DDL(?, ?)", ("table", "BASE"))
    assert text == ddl(connection, "TABLE", "base")
