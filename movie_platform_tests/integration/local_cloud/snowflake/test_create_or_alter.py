"""CREATE OR ALTER: it makes what is not there, and turns what is into what the statement says.

Source: Snowflake documentation, "CREATE OR ALTER <object>" (docs.snowflake.com/en/sql-reference/sql/create-or-alter)
and the usage notes of each kind's CREATE page.
"""

import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IF NOT EXISTS DECLARED")
        rows(opened, f"CREATE SCHEMA DECLARED.S{uuid.uuid4().hex[:8].upper()}")
        yield opened


@pytest.fixture
def name() -> str:
    """A name for an object of the account, which all tests share."""
    return f"N{uuid.uuid4().hex[:8].upper()}"


def failure(connection: SnowflakeConnection, sql: str) -> tuple[int | None, str]:
    with pytest.raises(DatabaseError) as caught:
        rows(connection, sql)
    return caught.value.errno, str(caught.value.msg)


def columns(connection: SnowflakeConnection, table: str = "t") -> list[str]:
    return [column["name"] for column in dicts(connection, f"DESCRIBE TABLE {table}")]


def test_a_table_is_made_then_altered_and_its_rows_stay(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE OR ALTER TABLE t (a INT, b VARCHAR)")
    rows(connection, "INSERT INTO t VALUES (1, 'x')")
    rows(connection, "CREATE OR ALTER TABLE t (a INT, b VARCHAR, c INT DEFAULT 3, d DATE COMMENT 'day')")
    assert rows(connection, "SELECT * FROM t") == [(1, "x", 3, None)]
    rows(connection, "CREATE OR ALTER TABLE t (a INT, c INT DEFAULT 3, d DATE)")
    assert rows(connection, "SELECT * FROM t") == [(1, 3, None)]
    rows(connection, "CREATE OR ALTER TABLE t (a INT, c INT DEFAULT 3, d DATE)")
    described = dicts(connection, "DESCRIBE TABLE t")
    assert [(column["name"], column["default"], column["comment"]) for column in described] == [
        ("A", None, None),
        ("C", "3", None),
        ("D", None, None),
    ]


def test_a_column_that_comes_back_under_its_name_is_a_new_one(connection: SnowflakeConnection) -> None:
    """CREATE OR ALTER TABLE: a column cannot be renamed; it is dropped, and a new one added."""
    rows(connection, "CREATE TABLE t (a INT, b INT)")
    rows(connection, "INSERT INTO t VALUES (1, 2)")
    rows(connection, "CREATE OR ALTER TABLE t (a INT, renamed INT)")
    assert rows(connection, "SELECT a, renamed FROM t") == [(1, None)]


def test_types_nullability_and_comments_follow_the_statement(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT, b VARCHAR(10) NOT NULL, c NUMBER(10,2) COMMENT 'old')")
    rows(connection, "INSERT INTO t VALUES (1, 'x', 1.25)")
    rows(
        connection,
        "CREATE OR ALTER TABLE t (a NUMBER(20,0) NOT NULL, b VARCHAR(20), c NUMBER(12,2) COMMENT 'new')",
    )
    described = dicts(connection, "DESCRIBE TABLE t")
    assert [(column["type"], column["null?"], column["comment"]) for column in described] == [
        ("NUMBER(20,0)", "N", None),
        ("VARCHAR(20)", "Y", None),
        ("NUMBER(12,2)", "Y", "new"),
    ]
    assert rows(connection, "SELECT * FROM t") == [(Decimal(1), "x", Decimal("1.25"))]


@pytest.mark.parametrize(
    ("definition", "error", "text"),
    [
        ("(a INT, x DATE, b VARCHAR(20), d INT DEFAULT 5)", 2, "column add before end of column list"),
        ("(b VARCHAR(20), a INT, d INT DEFAULT 5)", 2, "column re-ordering is not possible"),
        ("(a INT, b VARCHAR(5), d INT DEFAULT 5)", 2108, "reducing the byte-length of a varchar"),
        ("(a NUMBER(38,2), b VARCHAR(20), d INT DEFAULT 5)", 2108, "changing the scale of a number"),
        ("(a INT DEFAULT 7, b INT, d INT)", 2108, "B from type VARCHAR(20) to NUMBER(38,0)"),
        ("(a INT DEFAULT 7, b VARCHAR(20), d INT DEFAULT 5)", 2, "Alter Column Set Default"),
        ("(a INT, b VARCHAR(20), d INT DEFAULT 6)", 2, "Alter Column Set Default"),
        ("(a INT, b VARCHAR(20), d INT)", 2016, "the column was added after table was created"),
        (
            "(a INT, b VARCHAR(20), d INT DEFAULT 5, e INT NOT NULL)",
            2014,
            "cannot be added to non-empty table",
        ),
        ("(a INT, b VARCHAR(20), d INT DEFAULT 5, PRIMARY KEY (z))", 904, "'Z'"),
        ("AS SELECT 1 AS a", 2, "CREATE OR ALTER TABLE AS SELECT"),
        ("CLONE other", 2, "CREATE OR ALTER TABLE CLONE"),
        ("LIKE other", 2, "CREATE OR ALTER TABLE LIKE"),
    ],
)
def test_what_alter_table_cannot_do_is_refused_and_changes_nothing(
    connection: SnowflakeConnection, definition: str, error: int, text: str
) -> None:
    """CREATE OR ALTER TABLE usage notes: limitations, columns."""
    rows(connection, "CREATE TABLE t (a INT, b VARCHAR(20))")
    rows(connection, "INSERT INTO t VALUES (1, 'x')")
    rows(connection, "ALTER TABLE t ADD COLUMN d INT DEFAULT 5")
    number, message = failure(connection, f"CREATE OR ALTER TABLE t {definition}")
    assert number == error
    assert text in message
    assert columns(connection) == ["A", "B", "D"]
    assert rows(connection, "SELECT * FROM t") == [(1, "x", 5)]


def test_a_default_of_the_tables_own_creation_may_be_dropped(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT DEFAULT 5, at TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP())")
    rows(connection, "CREATE OR ALTER TABLE t (a INT, at TIMESTAMP_NTZ DEFAULT  current_timestamp())")
    assert dicts(connection, "DESCRIBE TABLE t")[0]["default"] is None
    rows(connection, "INSERT INTO t (a) VALUES (1)")
    assert rows(connection, "SELECT a, at IS NULL FROM t") == [(1, False)]


def test_a_failure_in_the_rows_leaves_the_table_as_it_was(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT, b INT)")
    rows(connection, "INSERT INTO t VALUES (NULL, 1000)")
    failure(connection, "CREATE OR ALTER TABLE t (a INT NOT NULL, c INT)")
    failure(connection, "CREATE OR ALTER TABLE t (a INT, b NUMBER(2,0), c INT)")
    assert columns(connection) == ["A", "B"]
    assert rows(connection, "SELECT * FROM t") == [(None, 1000)]


def test_grants_and_streams_stay_and_a_streams_offset_is_kept(connection: SnowflakeConnection) -> None:
    """CREATE OR ALTER: data and other states and privilege grants are preserved."""
    rows(connection, "CREATE TABLE t (a INT, b VARCHAR(5), c INT)")
    rows(connection, "INSERT INTO t VALUES (1, 'old', 1), (2, 'old', 2), (3, 'old', 3)")
    rows(connection, "DELETE FROM t WHERE a = 2")
    rows(connection, "CREATE STREAM every ON TABLE t")
    rows(connection, "CREATE STREAM new ON TABLE t APPEND_ONLY = TRUE")
    rows(connection, "GRANT SELECT ON TABLE t TO ROLE SYSADMIN")
    rows(connection, "INSERT INTO t VALUES (4, 'new', 4)")
    rows(connection, "UPDATE t SET b = 'more' WHERE a = 1")
    rows(connection, "CREATE OR ALTER TABLE t (a NUMBER(20,0), b VARCHAR(50), d INT DEFAULT 9)")
    rows(connection, "INSERT INTO t VALUES (5, 'newer', 0)")
    assert rows(connection, "SELECT a, b, d, METADATA$ACTION FROM new ORDER BY a") == [
        (4, "new", 9, "INSERT"),
        (5, "newer", 0, "INSERT"),
    ]
    assert rows(connection, "SELECT a, b, METADATA$ACTION, METADATA$ISUPDATE FROM every ORDER BY a, 3") == [
        (1, "old", "DELETE", True),
        (1, "more", "INSERT", True),
        (4, "new", "INSERT", False),
        (5, "newer", "INSERT", False),
    ]
    assert {stream["stale"] for stream in dicts(connection, "SHOW STREAMS")} == {"false"}
    assert ("SELECT", "SYSADMIN") in {
        (grant["privilege"], grant["grantee_name"]) for grant in dicts(connection, "SHOW GRANTS ON TABLE t")
    }


def test_keys_follow_the_statement_and_a_primary_key_its_nullability(connection: SnowflakeConnection) -> None:
    """CREATE OR ALTER TABLE usage notes: constraints."""
    rows(connection, "CREATE TABLE o (id INT PRIMARY KEY)")
    rows(
        connection,
        "CREATE OR ALTER TABLE t (a INT CONSTRAINT key PRIMARY KEY RELY, b INT REFERENCES o, UNIQUE (b))",
    )
    (first,) = dicts(connection, "SHOW UNIQUE KEYS IN t")
    rows(connection, "CREATE OR ALTER TABLE t (a INT PRIMARY KEY, b INT, UNIQUE (b))")
    (key,) = dicts(connection, "SHOW PRIMARY KEYS IN t")
    assert (key["constraint_name"], key["rely"]) == ("KEY", "false")
    assert dicts(connection, "SHOW IMPORTED KEYS IN t") == []
    assert dicts(connection, "SHOW UNIQUE KEYS IN t") == [first]
    assert dicts(connection, "DESCRIBE TABLE t")[0]["null?"] == "N"
    rows(connection, "CREATE OR ALTER TABLE t (a INT, b INT)")
    assert dicts(connection, "SHOW PRIMARY KEYS IN t") == []
    assert dicts(connection, "DESCRIBE TABLE t")[0]["null?"] == "Y"


def test_properties_of_a_table_that_are_not_named_are_unset(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE OR ALTER TABLE t (a INT) COMMENT = 'c' MAX_DATA_EXTENSION_TIME_IN_DAYS = 90")
    assert rows(connection, "SELECT comment FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'T' "
                "AND table_schema = CURRENT_SCHEMA()") == [("c",)]  # fmt: skip
    rows(connection, "CREATE STREAM s ON TABLE t")
    (before,) = dicts(connection, "SHOW STREAMS")
    rows(connection, "CREATE OR ALTER TABLE t (a INT)")
    (after,) = dicts(connection, "SHOW STREAMS")
    assert (before["stale_after"] - after["stale_after"]).days == 90 - 14
    assert rows(connection, "SELECT comment FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'T' "
                "AND table_schema = CURRENT_SCHEMA()") == [(None,)]  # fmt: skip


@pytest.mark.parametrize("words", ["TRANSIENT TABLE", "TEMPORARY TABLE"])
def test_a_permanent_table_stays_permanent(connection: SnowflakeConnection, words: str) -> None:
    rows(connection, "CREATE TABLE t (a INT)")
    assert failure(connection, f"CREATE OR ALTER {words} t (a INT)")[0] == 2


def test_a_transient_table_is_altered_as_one(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE OR ALTER TRANSIENT TABLE t (a INT)")
    rows(connection, "CREATE OR ALTER TRANSIENT TABLE t (a INT, b INT)")
    assert columns(connection) == ["A", "B"]
    assert failure(connection, "CREATE OR ALTER TABLE t (a INT, b INT)")[0] == 2


def test_a_view_keeps_its_query_and_takes_comments_and_secure(connection: SnowflakeConnection) -> None:
    """CREATE OR ALTER VIEW: comments, SECURE and CHANGE_TRACKING, but not the definition."""
    rows(connection, "CREATE TABLE t (a INT, b INT)")
    rows(connection, "CREATE OR ALTER VIEW v (one, two) AS SELECT a, b FROM t")
    rows(connection, "GRANT SELECT ON VIEW v TO ROLE SYSADMIN")
    rows(
        connection,
        "CREATE OR ALTER SECURE VIEW v (one COMMENT 'first', two) COMMENT = 'all' AS select a, b from t;",
    )
    comments = [column["comment"] for column in dicts(connection, "DESCRIBE VIEW v")]
    assert comments == ["first", None]
    rows(connection, "CREATE OR ALTER VIEW v (one, two COMMENT 'second') AS SELECT a, b FROM t")
    assert [column["comment"] for column in dicts(connection, "DESCRIBE VIEW v")] == [None, "second"]
    for changed in (
        "(one, two) AS SELECT b, a FROM t",
        "(two, one) AS SELECT a, b FROM t",
        "AS SELECT a, b FROM t",
    ):
        assert failure(connection, f"CREATE OR ALTER VIEW v {changed}")[0] == 2
    grants = dicts(connection, "SHOW GRANTS ON VIEW v")
    assert ("SELECT", "SYSADMIN") in {(grant["privilege"], grant["grantee_name"]) for grant in grants}


def test_the_kind_of_what_has_the_name_must_fit(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (a INT)")
    rows(connection, "CREATE VIEW v AS SELECT 1 AS a")
    number, message = failure(connection, "CREATE OR ALTER VIEW t AS SELECT 1 AS a")
    assert number == 2002
    assert "Object 'T' already exists as TABLE" in message
    assert failure(connection, "CREATE OR ALTER TABLE v (a INT)")[0] == 2002


def test_a_task_takes_the_whole_statement_and_keeps_its_state(connection: SnowflakeConnection) -> None:
    """CREATE OR ALTER TASK: it neither resumes nor suspends; the task must be suspended, as for ALTER TASK."""
    first = (
        "CREATE OR ALTER TASK k SCHEDULE = '60 MINUTES' COMMENT = 'c' USER_TASK_TIMEOUT_MS = 1000 AS SELECT 1"
    )
    rows(connection, first)
    (made,) = dicts(connection, "SHOW TASKS")
    rows(connection, "ALTER TASK k RESUME")
    number, message = failure(connection, first)
    assert number == 91421
    assert "since that root task is not suspended" in message
    rows(connection, "ALTER TASK k SUSPEND")
    rows(connection, "CREATE OR ALTER TASK k SCHEDULE = '30 MINUTES' WHEN TRUE AS SELECT 2")
    (altered,) = dicts(connection, "SHOW TASKS")
    assert (altered["id"], altered["created_on"], altered["state"]) == (
        made["id"],
        made["created_on"],
        "suspended",
    )
    assert (altered["schedule"], altered["comment"], altered["condition"], altered["definition"]) == (
        "30 MINUTES",
        "",
        "TRUE",
        "SELECT 2",
    )


def test_a_child_task_is_altered_while_its_root_is_suspended(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TASK root SCHEDULE = '60 MINUTES' AS SELECT 1")
    rows(connection, "CREATE TASK child AFTER root AS SELECT 2")
    rows(connection, "ALTER TASK child RESUME")
    rows(connection, "CREATE OR ALTER TASK child AFTER root AS SELECT 3")
    (child, _) = dicts(connection, "SHOW TASKS")
    assert (child["definition"], child["state"]) == ("SELECT 3", "started")
    rows(connection, "ALTER TASK root RESUME")
    assert failure(connection, "CREATE OR ALTER TASK child AFTER root AS SELECT 4")[0] == 91421
    rows(connection, "ALTER TASK root SUSPEND")
    rows(connection, "ALTER TASK child SUSPEND")
    rows(connection, "CREATE OR ALTER TASK child SCHEDULE = '60 MINUTES' AS SELECT 3")
    assert dicts(connection, "SHOW TASKS")[0]["predecessors"] == "[]"


def test_a_warehouse_takes_the_whole_statement_and_goes_on_as_it_was(
    connection: SnowflakeConnection, name: str
) -> None:
    """CREATE OR ALTER WAREHOUSE: what is not named is unset, INITIALLY_SUSPENDED cannot be altered."""
    first = f"CREATE OR ALTER WAREHOUSE {name} WAREHOUSE_SIZE = SMALL AUTO_SUSPEND = 60 INITIALLY_SUSPENDED = TRUE"
    rows(connection, f"{first} COMMENT = 'c'")
    rows(connection, f"{first} COMMENT = 'c'")
    rows(connection, f"GRANT USAGE ON WAREHOUSE {name} TO ROLE SYSADMIN")
    rows(connection, f"CREATE OR ALTER WAREHOUSE {name} WAREHOUSE_SIZE = MEDIUM")
    (shown,) = dicts(connection, f"SHOW WAREHOUSES LIKE '{name}'")
    assert (shown["size"], shown["auto_suspend"], shown["comment"], shown["state"]) == (
        "Medium",
        600,
        "",
        "SUSPENDED",
    )
    assert failure(connection, f"CREATE OR ALTER WAREHOUSE {name} INITIALLY_SUSPENDED = FALSE")[0] == 2
    grants = dicts(connection, f"SHOW GRANTS ON WAREHOUSE {name}")
    assert {grant["privilege"] for grant in grants} == {"OWNERSHIP", "USAGE"}


def test_a_role_takes_its_comment_and_keeps_what_it_holds(connection: SnowflakeConnection, name: str) -> None:
    rows(connection, f"CREATE OR ALTER ROLE {name} COMMENT = 'c'")
    rows(connection, f"GRANT ROLE {name} TO ROLE SYSADMIN")
    assert dicts(connection, f"SHOW ROLES LIKE '{name}'")[0]["comment"] == "c"
    rows(connection, f"CREATE OR ALTER ROLE {name}")
    assert dicts(connection, f"SHOW ROLES LIKE '{name}'")[0]["comment"] == ""
    assert len(dicts(connection, f"SHOW GRANTS OF ROLE {name}")) == 1


def test_a_schema_and_a_database_take_their_properties_and_keep_what_is_in_them(
    connection: SnowflakeConnection, name: str
) -> None:
    rows(connection, f"CREATE OR ALTER DATABASE {name} COMMENT = 'd' MAX_DATA_EXTENSION_TIME_IN_DAYS = 30")
    rows(connection, f"CREATE OR ALTER SCHEMA {name}.s COMMENT = 's'")
    rows(connection, f"CREATE TABLE {name}.s.t AS SELECT 1 AS a")
    rows(connection, f"CREATE STREAM {name}.s.follow ON TABLE {name}.s.t")
    (before,) = dicts(connection, f"SHOW STREAMS IN DATABASE {name}")
    rows(connection, f"CREATE OR ALTER SCHEMA {name}.s")
    rows(connection, f"CREATE OR ALTER DATABASE {name}")
    (after,) = dicts(connection, f"SHOW STREAMS IN DATABASE {name}")
    assert (before["stale_after"] - after["stale_after"]).days == 30 - 14
    assert rows(connection, f"SELECT * FROM {name}.s.t") == [(1,)]
    assert failure(connection, f"CREATE OR ALTER TRANSIENT SCHEMA {name}.s")[0] == 2
    assert failure(connection, f"CREATE OR ALTER TRANSIENT DATABASE {name}")[0] == 2


def test_a_stage_takes_the_whole_statement(connection: SnowflakeConnection) -> None:
    """CREATE OR ALTER STAGE: a property that is not named goes back to its default."""
    rows(
        connection,
        "CREATE OR ALTER STAGE s URL = 's3://lake/a/' FILE_FORMAT = (TYPE = PARQUET) COMMENT = 'c'",
    )
    (made,) = dicts(connection, "SHOW STAGES")
    rows(connection, "GRANT USAGE ON STAGE s TO ROLE SYSADMIN")
    rows(connection, "CREATE OR ALTER STAGE s URL = 's3://lake/b/'")
    (altered,) = dicts(connection, "SHOW STAGES")
    assert (altered["url"], altered["comment"], altered["created_on"]) == (
        "s3://lake/b/",
        "",
        made["created_on"],
    )
    described = dicts(connection, "DESCRIBE STAGE s")
    assert "STAGE_FILE_FORMAT" not in {row["parent_property"] for row in described}
    assert len(dicts(connection, "SHOW GRANTS ON STAGE s")) == 2


def test_a_file_format_takes_other_options_but_no_other_type(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE OR ALTER FILE FORMAT f TYPE = CSV SKIP_HEADER = 1 COMMENT = 'c'")
    rows(connection, "CREATE OR ALTER FILE FORMAT f TYPE = CSV FIELD_DELIMITER = '|'")
    (shown,) = dicts(connection, "SHOW FILE FORMATS")
    assert ("SKIP_HEADER" in shown["format_options"], shown["comment"]) == (False, "")
    assert failure(connection, "CREATE OR ALTER FILE FORMAT f TYPE = PARQUET")[0] == 2


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("CREATE OR ALTER PIPE p AS COPY INTO t FROM @s", 2),
        ("CREATE OR ALTER STREAM s ON TABLE t", 2),
        ("CREATE OR ALTER USER u", 2),
        ("CREATE OR ALTER TABLE IF NOT EXISTS t (a INT)", 1003),
        ("CREATE OR ALTER SCHEMA IF NOT EXISTS s", 1003),
        ("CREATE OR ALTER TABLE t", 1003),
    ],
)
def test_there_is_no_such_form_of_other_kinds(connection: SnowflakeConnection, sql: str, error: int) -> None:
    assert failure(connection, sql)[0] == error
