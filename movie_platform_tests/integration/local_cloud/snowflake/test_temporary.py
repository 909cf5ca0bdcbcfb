"""Temporary tables and views: seen by their session alone, and gone with it.

Sources: Snowflake documentation, "Working with Temporary and Transient Tables"
(docs.snowflake.com/en/user-guide/tables-temp-transient), "CREATE VIEW" (TEMPORARY).
"""

import uuid
from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud


@pytest.fixture
def schema(snowflake_cloud: SnowflakeCloud) -> str:
    name = f"S{uuid.uuid4().hex[:8].upper()}"
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IF NOT EXISTS BRIEF")
        rows(opened, f"CREATE SCHEMA BRIEF.{name}")
        rows(opened, "CREATE TABLE films (id INT, title VARCHAR)")
        rows(opened, "INSERT INTO films VALUES (1, 'one'), (2, 'two')")
    return name


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud, schema: str) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect(database="BRIEF", schema=schema) as opened:
        yield opened


def error(connection: SnowflakeConnection, sql: str) -> int | None:
    with pytest.raises(DatabaseError) as caught:
        rows(connection, sql)
    return caught.value.errno


def test_an_incremental_model_of_dbt_runs(connection: SnowflakeConnection, schema: str) -> None:
    """The statements that dbt-snowflake's incremental materialization sends, by merge and by delete and insert."""
    model, brief = f"BRIEF.{schema}.films", f"BRIEF.{schema}.films__dbt_tmp"
    for _ in range(2):
        rows(
            connection,
            f"create or replace temporary view {brief} as "
            "(select id, title from (values (2, 'second'), (3, 'third')) as news (id, title))",
        )
        described = dicts(connection, f"describe table {brief}")
        assert [(column["name"], column["type"]) for column in described] == [
            ("ID", "NUMBER(38,0)"),
            ("TITLE", "VARCHAR(16777216)"),
        ]
        rows(connection, "BEGIN")
        rows(
            connection,
            f"merge into {model} as DBT_INTERNAL_DEST using {brief} as DBT_INTERNAL_SOURCE "
            "on (DBT_INTERNAL_SOURCE.id = DBT_INTERNAL_DEST.id) "
            "when matched then update set title = DBT_INTERNAL_SOURCE.title "
            "when not matched then insert (id, title) values (id, title)",
        )
        rows(connection, f"delete from {model} where (id) in (select distinct id from {brief})")
        rows(connection, f"insert into {model} (id, title) (select id, title from {brief})")
        rows(connection, "COMMIT")
        rows(connection, f"drop view if exists {brief} cascade")
    assert rows(connection, "SELECT * FROM films ORDER BY id") == [(1, "one"), (2, "second"), (3, "third")]
    assert error(connection, f"SELECT * FROM {brief}") == 2003


def test_another_session_does_not_see_it(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, schema: str
) -> None:
    rows(connection, "CREATE TEMPORARY TABLE t AS SELECT 1 AS a")
    rows(connection, "CREATE TEMP VIEW v AS SELECT 1 AS a")
    with snowflake_cloud.connect(database="BRIEF", schema=schema) as other:
        assert error(other, "SELECT * FROM t") == 2003
        assert error(other, "SELECT * FROM v") == 2003
        rows(other, "CREATE TEMPORARY TABLE t AS SELECT 2 AS a")
        assert rows(other, "SELECT * FROM t") == [(2,)]
    assert rows(connection, "SELECT t.a, v.a FROM t, v") == [(1, 1)]


def test_it_is_gone_with_its_session(snowflake_cloud: SnowflakeCloud, schema: str) -> None:
    with snowflake_cloud.connect(database="BRIEF", schema=schema) as first:
        rows(first, "CREATE TEMPORARY VIEW v AS SELECT 1 AS a")
        rows(first, "CREATE TEMPORARY TABLE t (a INT)")
    with snowflake_cloud.connect(database="BRIEF", schema=schema) as second:
        assert error(second, "SELECT * FROM v") == 2003
        assert error(second, "DESCRIBE TABLE t") == 2003
        assert {row["name"] for row in dicts(second, "SHOW OBJECTS")} == {"FILMS"}


def test_a_temporary_table_hides_a_permanent_one_until_it_is_dropped(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, schema: str
) -> None:
    """Temporary tables: potential naming conflicts with other table types."""
    rows(connection, "CREATE STREAM follow ON TABLE films")
    rows(
        connection,
        "CREATE TEMPORARY TABLE films (id INT PRIMARY KEY, note VARCHAR DEFAULT 'brief' COMMENT 'c')",
    )
    rows(connection, "INSERT INTO films (id) VALUES (7), (8), (9)")
    rows(connection, "UPDATE films SET note = 'changed' WHERE films.id = 7")
    rows(connection, f"DELETE FROM BRIEF.{schema}.films WHERE id = 9")
    rows(
        connection,
        "MERGE INTO films USING (SELECT 8 AS id UNION ALL SELECT 10) AS news ON films.id = news.id "
        "WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT (id) VALUES (news.id)",
    )
    found = [(7, "changed"), (8, "merged"), (10, "brief")]
    assert rows(connection, f"SELECT films.id, BRIEF.{schema}.films.note FROM films ORDER BY 1") == found
    described = dicts(connection, "DESCRIBE TABLE films")
    assert [(column["name"], column["null?"], column["comment"]) for column in described] == [
        ("ID", "N", None),
        ("NOTE", "Y", "c"),
    ]
    with snowflake_cloud.connect(database="BRIEF", schema=schema) as other:
        assert rows(other, "SELECT count(*) FROM films") == [(2,)]
        assert rows(other, "SELECT count(*) FROM follow") == [(0,)]
    rows(connection, "INSERT OVERWRITE INTO films SELECT 1, 'over'")
    assert rows(connection, "SELECT * FROM films") == [(1, "over")]
    rows(connection, "TRUNCATE TABLE films")
    assert rows(connection, "SELECT count(*) FROM films") == [(0,)]
    rows(connection, "DROP TABLE films")
    assert rows(connection, "SELECT title FROM films ORDER BY id") == [("one",), ("two",)]


def test_plans_of_one_session_are_not_anothers(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, schema: str
) -> None:
    insert = "INSERT INTO films VALUES (3, 'three')"
    with snowflake_cloud.connect(database="BRIEF", schema=schema) as other:
        rows(other, "CREATE TEMPORARY TABLE films (id INT, title VARCHAR)")
        rows(other, insert)
        rows(connection, insert)
        rows(other, insert)
        assert rows(other, "SELECT count(*) FROM films") == [(2,)]
    assert rows(connection, "SELECT count(*) FROM films") == [(3,)]


def test_a_temporary_view_hides_a_permanent_view_but_no_table(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE VIEW v AS SELECT 1 AS a")
    rows(connection, "CREATE TEMPORARY VIEW v (a COMMENT 'brief') AS SELECT 2 AS b")
    assert rows(connection, "SELECT v.a FROM v") == [(2,)]
    assert error(connection, "CREATE TEMPORARY VIEW v AS SELECT 3 AS a") == 2002
    rows(connection, "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 3 AS a")
    assert rows(connection, "SELECT * FROM v") == [(3,)]
    assert error(connection, "CREATE TEMPORARY VIEW films AS SELECT 1 AS a") == 2002
    rows(connection, "DROP VIEW v")
    assert rows(connection, "SELECT * FROM v") == [(1,)]


def test_a_temporary_view_reads_the_tables_of_where_it_was_made(
    connection: SnowflakeConnection, schema: str
) -> None:
    rows(connection, "CREATE TEMPORARY TABLE extra AS SELECT 3 AS id, 'three' AS title")
    rows(
        connection,
        "CREATE TEMPORARY VIEW v AS WITH films_of AS (SELECT * FROM films) "
        "SELECT films_of.id FROM films_of UNION ALL SELECT extra.id FROM extra",
    )
    rows(connection, "USE SCHEMA PUBLIC")
    assert rows(connection, f"SELECT * FROM BRIEF.{schema}.v ORDER BY 1") == [(1,), (2,), (3,)]
    assert error(connection, "SELECT * FROM v") == 2003


def test_several_schemas_have_one_of_a_name(connection: SnowflakeConnection, schema: str) -> None:
    rows(connection, "CREATE TEMPORARY TABLE t AS SELECT 'here' AS a")
    rows(connection, "CREATE TEMPORARY TABLE PUBLIC.t AS SELECT 'there' AS a")
    assert rows(connection, "SELECT x.a, y.a FROM t AS x, BRIEF.PUBLIC.t AS y") == [("here", "there")]
    rows(connection, "DROP TABLE t")
    assert rows(connection, "SELECT * FROM PUBLIC.t") == [("there",)]


def test_a_name_of_a_with_comes_before_it(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TEMPORARY TABLE t AS SELECT 1 AS a")
    assert rows(connection, "WITH t AS (SELECT 2 AS a) SELECT * FROM t") == [(2,)]
    assert rows(connection, "WITH u AS (SELECT a + 10 AS a FROM t) SELECT * FROM u") == [(11,)]


def test_a_table_made_from_a_stream_for_the_session_consumes_it(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE STREAM follow ON TABLE films")
    rows(connection, "INSERT INTO films VALUES (3, 'three')")
    rows(connection, "CREATE TEMPORARY TABLE seen AS SELECT id FROM follow")
    assert rows(connection, "SELECT * FROM seen") == [(3,)]
    assert rows(connection, "SELECT count(*) FROM follow") == [(0,)]


@pytest.mark.parametrize("words", ["TEMP", "TEMPORARY", "LOCAL TEMPORARY", "GLOBAL TEMP", "VOLATILE"])
def test_every_word_for_it_is_taken(connection: SnowflakeConnection, words: str) -> None:
    rows(connection, f"CREATE {words} TABLE t (a INT UNIQUE)")
    rows(connection, f"CREATE {words} VIEW v AS SELECT a FROM t")
    assert rows(connection, "SELECT * FROM v") == []
    assert {row["name"] for row in dicts(connection, "SHOW OBJECTS")} == {"FILMS"}


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("CREATE TEMPORARY TABLE nowhere.s.t (a INT)", 2003),
        ("CREATE TEMPORARY TABLE t (a INT)", 2002),
        ("CREATE VIEW v AS SELECT * FROM t", 2),
        ("ALTER TABLE t ADD COLUMN b INT", 2),
        ("CREATE OR ALTER TEMPORARY TABLE t (a INT)", 2),
        ("CREATE TEMPORARY VIEW v AS SELECT * FROM nothing", 2003),
    ],
)
def test_what_is_not_done_for_it_is_refused(connection: SnowflakeConnection, sql: str, number: int) -> None:
    rows(connection, "CREATE TEMPORARY TABLE t (a INT)")
    assert error(connection, sql) == number
