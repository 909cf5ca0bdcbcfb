"""Primary, unique and foreign keys: recorded, shown, not enforced.

Sources: Snowflake documentation, "Constraints" (docs.snowflake.com/en/sql-reference/constraints), "CREATE | ALTER TABLE
… CONSTRAINT", "SHOW PRIMARY KEYS" and its neighbours, "ALTER TABLE … ALTER COLUMN".
"""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform_tests.local_engine import local_account, open_session, run
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud

ORDERS = """
CREATE TABLE orders (
    id INT CONSTRAINT orders_key PRIMARY KEY RELY, code VARCHAR(10) NOT NULL COMMENT 'printed', at DATE,
    CONSTRAINT codes UNIQUE (code, at) NOT ENFORCED COMMENT 'a code a day'
)
"""
LINES = """
CREATE TABLE lines (
    order_id INT NOT NULL REFERENCES orders, line INT, code VARCHAR(10), at DATE,
    PRIMARY KEY (order_id, line),
    CONSTRAINT to_code FOREIGN KEY (code, at) REFERENCES orders (code, at) ON DELETE CASCADE NORELY
)
"""


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    name = f"S{uuid.uuid4().hex[:8].upper()}"
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IF NOT EXISTS KEYED")
        rows(opened, f"CREATE SCHEMA KEYED.{name}")
        yield opened


def number(connection: SnowflakeConnection, sql: str) -> int:
    with pytest.raises(DatabaseError) as caught:
        rows(connection, sql)
    return caught.value.errno or 0


def test_primary_and_unique_keys_are_shown_with_their_names_and_properties(
    connection: SnowflakeConnection,
) -> None:
    rows(connection, ORDERS)
    rows(connection, LINES)
    shown = dicts(connection, "SHOW PRIMARY KEYS IN SCHEMA")
    assert list(shown[0]) == [
        "created_on", "database_name", "schema_name", "table_name", "column_name", "key_sequence", "constraint_name",
        "rely", "comment",
    ]  # fmt: skip
    assert {(key["table_name"], key["column_name"], key["key_sequence"], key["rely"]) for key in shown} == {
        ("LINES", "ORDER_ID", 1, "false"), ("LINES", "LINE", 2, "false"), ("ORDERS", "ID", 1, "true"),
    }  # fmt: skip
    named = {key["table_name"]: key["constraint_name"] for key in shown}
    assert named["ORDERS"] == "ORDERS_KEY"
    assert named["LINES"].startswith("SYS_CONSTRAINT_")
    unique = dicts(connection, "SHOW UNIQUE KEYS IN TABLE orders")
    assert [
        (key["constraint_name"], key["column_name"], key["key_sequence"], key["comment"]) for key in unique
    ] == [
        ("CODES", "CODE", 1, "a code a day"),
        ("CODES", "AT", 2, "a code a day"),
    ]


def test_foreign_keys_are_shown_from_both_sides(connection: SnowflakeConnection) -> None:
    rows(connection, ORDERS)
    rows(connection, LINES)
    imported = dicts(connection, "SHOW IMPORTED KEYS IN lines")
    assert list(imported[0]) == [
        "created_on", "pk_database_name", "pk_schema_name", "pk_table_name", "pk_column_name", "fk_database_name",
        "fk_schema_name", "fk_table_name", "fk_column_name", "key_sequence", "update_rule", "delete_rule", "fk_name",
        "pk_name", "deferrability", "rely", "comment",
    ]  # fmt: skip
    assert {
        (
            key["pk_name"],
            key["pk_column_name"],
            key["fk_column_name"],
            key["key_sequence"],
            key["delete_rule"],
        )
        for key in imported
    } == {
        ("ORDERS_KEY", "ID", "ORDER_ID", 1, "NO ACTION"),
        ("CODES", "CODE", "CODE", 1, "CASCADE"),
        ("CODES", "AT", "AT", 2, "CASCADE"),
    }
    assert dicts(connection, "SHOW EXPORTED KEYS IN TABLE orders") == imported
    assert dicts(connection, "SHOW IMPORTED KEYS IN TABLE orders") == []
    assert dicts(connection, "SHOW EXPORTED KEYS IN lines") == []


@pytest.mark.parametrize("place", ["", "IN ACCOUNT", "IN DATABASE", "IN DATABASE KEYED", "IN SCHEMA"])
def test_keys_are_shown_for_every_kind_of_place(connection: SnowflakeConnection, place: str) -> None:
    rows(connection, ORDERS)
    schema = rows(connection, "SELECT CURRENT_SCHEMA()")[0][0]
    shown = dicts(connection, f"SHOW PRIMARY KEYS {place}")
    assert [key["table_name"] for key in shown if key["schema_name"] == schema] == ["ORDERS"]


def test_keys_of_what_does_not_exist_are_an_error(connection: SnowflakeConnection) -> None:
    assert number(connection, "SHOW PRIMARY KEYS IN TABLE nothing") == 2003
    assert number(connection, "SHOW IMPORTED KEYS IN DATABASE nothing") == 2003


def test_only_not_null_is_enforced(connection: SnowflakeConnection) -> None:
    """Constraints: Snowflake does not enforce them, except NOT NULL."""
    rows(connection, ORDERS)
    rows(connection, LINES)
    rows(connection, "INSERT INTO orders VALUES (1, 'a', '2026-01-01'), (1, 'a', '2026-01-01')")
    rows(connection, "INSERT INTO lines VALUES (7, 1, 'none', NULL)")
    assert number(connection, "INSERT INTO orders (code) VALUES ('b')") == 100072
    assert number(connection, "INSERT INTO lines (order_id) VALUES (1)") == 100072


def test_describe_says_which_columns_are_keys(connection: SnowflakeConnection) -> None:
    rows(connection, ORDERS)
    described = dicts(connection, "DESCRIBE TABLE orders")
    assert [
        (column["name"], column["null?"], column["primary key"], column["unique key"], column["comment"])
        for column in described
    ] == [("ID", "N", "Y", "N", None), ("CODE", "N", "N", "Y", "printed"), ("AT", "Y", "N", "Y", None)]


def test_describe_gives_types_as_they_were_defined(connection: SnowflakeConnection) -> None:
    rows(
        connection,
        "CREATE TABLE kinds (a INT, b DECIMAL(9,3), c STRING, d CHAR, e TIMESTAMP_LTZ, f TIMESTAMP_NTZ(3), g ARRAY, "
        "h VARIANT, i DOUBLE PRECISION, j VARBINARY(10), k TIME(0), l BOOLEAN, m DATETIME)",
    )
    assert [column["type"] for column in dicts(connection, "DESCRIBE TABLE kinds")] == [
        "NUMBER(38,0)", "NUMBER(9,3)", "VARCHAR(16777216)", "VARCHAR(1)", "TIMESTAMP_LTZ(9)", "TIMESTAMP_NTZ(3)",
        "ARRAY", "VARIANT", "FLOAT", "BINARY(10)", "TIME(0)", "BOOLEAN", "TIMESTAMP_NTZ(9)",
    ]  # fmt: skip


def test_alter_table_adds_renames_changes_and_drops_keys(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT, b INT, c INT)")
    rows(connection, "ALTER TABLE t ADD CONSTRAINT first PRIMARY KEY (a, b) RELY")
    assert number(connection, "ALTER TABLE t ADD PRIMARY KEY (c)") == 2200
    assert number(connection, "ALTER TABLE t ADD UNIQUE (d)") == 904
    rows(connection, "ALTER TABLE t RENAME CONSTRAINT first TO second")
    rows(connection, "ALTER TABLE t ALTER CONSTRAINT second NORELY")
    keys = dicts(connection, "SHOW PRIMARY KEYS IN t")
    assert [(key["constraint_name"], key["column_name"], key["rely"]) for key in keys] == [
        ("SECOND", "A", "false"),
        ("SECOND", "B", "false"),
    ]
    # ALTER TABLE leaves the columns as they are, CREATE TABLE would make them NOT NULL.
    rows(connection, "INSERT INTO t VALUES (NULL, NULL, 1)")
    rows(connection, "ALTER TABLE t DROP PRIMARY KEY")
    assert dicts(connection, "SHOW PRIMARY KEYS IN t") == []
    rows(connection, "ALTER TABLE t ADD UNIQUE (b, c)")
    rows(connection, "ALTER TABLE t DROP UNIQUE (b, c)")
    assert dicts(connection, "SHOW UNIQUE KEYS IN t") == []
    assert number(connection, "ALTER TABLE t DROP CONSTRAINT second") == 2003


def test_a_foreign_key_needs_a_key_to_reference(connection: SnowflakeConnection) -> None:
    rows(connection, ORDERS)
    assert number(connection, "CREATE TABLE f (x INT REFERENCES nothing)") == 2003
    assert number(connection, "CREATE TABLE f (x VARCHAR REFERENCES orders (code))") == 2202
    rows(connection, "CREATE TABLE tree (id INT PRIMARY KEY, parent INT REFERENCES tree (id))")
    assert len(dicts(connection, "SHOW EXPORTED KEYS IN tree")) == 1


def test_a_key_that_is_referenced_is_dropped_with_the_foreign_keys_to_it(
    connection: SnowflakeConnection,
) -> None:
    """ALTER TABLE, dropping constraints: CASCADE is the default, RESTRICT refuses."""
    rows(connection, ORDERS)
    rows(connection, LINES)
    assert number(connection, "ALTER TABLE orders DROP PRIMARY KEY RESTRICT") == 2203
    rows(connection, "ALTER TABLE orders DROP PRIMARY KEY")
    assert {key["fk_name"] for key in dicts(connection, "SHOW IMPORTED KEYS IN lines")} == {"TO_CODE"}
    rows(connection, "DROP TABLE orders")
    assert dicts(connection, "SHOW IMPORTED KEYS IN lines") == []


def test_keys_follow_their_columns_and_tables(connection: SnowflakeConnection) -> None:
    rows(connection, ORDERS)
    rows(connection, LINES)
    rows(connection, "ALTER TABLE orders RENAME COLUMN id TO number")
    rows(connection, "ALTER TABLE orders RENAME TO sales")
    (key, *_) = [key for key in dicts(connection, "SHOW IMPORTED KEYS IN lines") if key["key_sequence"] == 1
                 and key["pk_name"] == "ORDERS_KEY"]  # fmt: skip
    assert (key["pk_table_name"], key["pk_column_name"]) == ("SALES", "NUMBER")
    rows(connection, "ALTER TABLE sales DROP COLUMN at")
    assert dicts(connection, "SHOW UNIQUE KEYS IN sales") == []
    rows(connection, "CREATE OR REPLACE TABLE sales (number INT)")
    assert dicts(connection, "SHOW PRIMARY KEYS IN sales") == []


def test_a_column_is_added_with_keys_default_and_comment(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT)")
    rows(connection, "INSERT INTO t VALUES (1)")
    assert number(connection, "ALTER TABLE t ADD COLUMN b INT NOT NULL") == 2014
    rows(connection, "ALTER TABLE t ADD COLUMN b INT NOT NULL DEFAULT 5 UNIQUE COMMENT 'later', c VARCHAR(3)")
    assert rows(connection, "SELECT * FROM t") == [(1, 5, None)]
    assert number(connection, "ALTER TABLE t ADD COLUMN c INT") == 1430
    rows(connection, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c INT")
    described = dicts(connection, "DESCRIBE TABLE t")
    assert [
        (column["type"], column["null?"], column["default"], column["comment"]) for column in described
    ] == [
        ("NUMBER(38,0)", "Y", None, None),
        ("NUMBER(38,0)", "N", "5", "later"),
        ("VARCHAR(3)", "Y", None, None),
    ]
    assert [key["column_name"] for key in dicts(connection, "SHOW UNIQUE KEYS IN t")] == ["B"]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("ALTER COLUMN s SET DATA TYPE VARCHAR(5)", 2108),
        ("ALTER COLUMN n SET DATA TYPE VARCHAR", 2108),
        ("ALTER COLUMN n SET DATA TYPE NUMBER(10,3)", 2108),
        ("MODIFY COLUMN at TIMESTAMP_TZ", 2108),
        ("ALTER COLUMN n SET DEFAULT 5", 2),
        ("ALTER COLUMN nothing DROP NOT NULL", 904),
    ],
)
def test_a_column_is_not_changed_to_what_alter_table_cannot(
    connection: SnowflakeConnection, action: str, error: int
) -> None:
    """ALTER TABLE … ALTER COLUMN: supported and unsupported actions."""
    rows(connection, "CREATE TABLE t (n NUMBER(10,2), s VARCHAR(10), at TIMESTAMP_LTZ)")
    assert number(connection, f"ALTER TABLE t {action}") == error


def test_a_column_is_changed_as_alter_table_can(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (n NUMBER(10,2) NOT NULL DEFAULT 1, s VARCHAR(10))")
    rows(connection, "INSERT INTO t VALUES (12345678.25, NULL)")
    rows(connection, "ALTER TABLE t ALTER (COLUMN n SET DATA TYPE NUMBER(38,2), COLUMN s TYPE VARCHAR(20))")
    rows(connection, "ALTER TABLE t MODIFY COLUMN n DROP NOT NULL, COLUMN s COMMENT 'text'")
    rows(connection, "ALTER TABLE t ALTER COLUMN n DROP DEFAULT")
    described = dicts(connection, "DESCRIBE TABLE t")
    assert [
        (column["type"], column["null?"], column["default"], column["comment"]) for column in described
    ] == [
        ("NUMBER(38,2)", "Y", None, None),
        ("VARCHAR(20)", "Y", None, "text"),
    ]
    with pytest.raises(DatabaseError):
        rows(connection, "ALTER TABLE t ALTER COLUMN s SET NOT NULL")
    with pytest.raises(DatabaseError):
        rows(connection, "ALTER TABLE t ALTER COLUMN n SET DATA TYPE NUMBER(5,2)")
    assert str(rows(connection, "SELECT n FROM t")[0][0]) == "12345678.25"


def test_keys_are_there_after_the_server_starts_again(snowflake_cloud: SnowflakeCloud) -> None:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE OR REPLACE DATABASE KEPT")
        rows(opened, ORDERS)
    snowflake_cloud.kill()
    snowflake_cloud.up()
    with snowflake_cloud.connect(database="KEPT") as opened:
        assert [key["constraint_name"] for key in dicts(opened, "SHOW PRIMARY KEYS")] == ["ORDERS_KEY"]


def test_primary_keys_of_an_earlier_home_are_kept(tmp_path: Path) -> None:
    with local_account(tmp_path) as account:
        session = open_session(account)
        run(session, "CREATE DATABASE d")
        run(session, "CREATE TABLE d.PUBLIC.t (a NUMBER, b NUMBER, c NUMBER)")
        account.engine.run(
            "CREATE TABLE _fs_global._fs_information_schema._fs_keys (database_name VARCHAR, schema_name VARCHAR, "
            "table_name VARCHAR, column_name VARCHAR, kind VARCHAR, key_sequence INTEGER);"
            "INSERT INTO _fs_global._fs_information_schema._fs_keys VALUES ('D', 'PUBLIC', 'T', 'B', 'PrimaryKey', 1), "
            "('D', 'PUBLIC', 'T', 'A', 'PrimaryKey', 2), ('D', 'PUBLIC', 'T', 'C', 'ForeignKey', 3)"
        )
    for _ in range(2):
        with local_account(tmp_path) as account:
            shown = run(open_session(account), "SHOW PRIMARY KEYS IN DATABASE d")
            assert [(row[3], row[4], row[5]) for row in shown] == [("T", "B", 1), ("T", "A", 2)]
