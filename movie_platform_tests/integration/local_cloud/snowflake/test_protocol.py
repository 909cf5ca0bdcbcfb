"""What a stock connector gets from the local Snowflake: values, bind variables, transactions, errors, sessions."""

import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, ProgrammingError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud

MOMENT = datetime(2026, 11, 18, 23, 59, 59, 123456, tzinfo=UTC)
OLD = datetime(1888, 10, 14, 1, 2, 3, 4, tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


@pytest.fixture(scope="module")
def database(snowflake_cloud: SnowflakeCloud) -> str:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE IF NOT EXISTS PROTOCOL")
    return "PROTOCOL"


@pytest.fixture
def schema(snowflake_cloud: SnowflakeCloud, database: str) -> str:
    name = f"S{uuid.uuid4().hex[:8].upper()}"
    with snowflake_cloud.connect(database=database) as opened:
        rows(opened, f"CREATE SCHEMA {name}")
    return name


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud, database: str, schema: str) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect(database=database, schema=schema) as opened:
        yield opened


@pytest.fixture
def bound(snowflake_cloud: SnowflakeCloud, database: str, schema: str) -> Iterator[SnowflakeConnection]:
    # A moment with a zone is bound as a TIMESTAMP_NTZ in UTC, and means that moment only where the session is in UTC.
    with snowflake_cloud.connect(
        paramstyle="qmark", database=database, schema=schema, session_parameters={"TIMEZONE": "UTC"}
    ) as opened:
        yield opened


EVERY_TYPE = (
    "CREATE TABLE kinds (i NUMBER(38,0), d NUMBER(18,2), f FLOAT, s VARCHAR, b BOOLEAN, dt DATE, tm TIME, "
    "ntz TIMESTAMP_NTZ(9), ltz TIMESTAMP_LTZ, tz TIMESTAMP_TZ, bin BINARY, v VARIANT, wide NUMBER(38, 10))"
)
VALUES = (
    9_223_372_036_854_775_807, Decimal("-1234567890123456.78"), 1.5, "ünï 'q' \\ \n \0", True, date(1894, 1, 2),
    clock(23, 59, 58, 1), naive(MOMENT), MOMENT, MOMENT, b"\x00\xff", None, Decimal("1.0000000001"),
)  # fmt: skip


def test_every_type_arrives_as_it_was_bound(bound: SnowflakeConnection) -> None:
    """Data types summary, and Python connector: "Binding data"."""
    rows(bound, EVERY_TYPE)
    marks = ", ".join("?" * len(VALUES))
    rows(bound, f"INSERT INTO kinds VALUES ({marks})", VALUES)
    (loaded,) = rows(bound, "SELECT * FROM kinds")
    assert loaded[:7] == VALUES[:7]
    assert loaded[7] == naive(MOMENT)
    assert [moment.astimezone(UTC) for moment in loaded[8:10]] == [MOMENT, MOMENT]
    assert bytes(loaded[10]) == b"\x00\xff"
    assert loaded[12] == VALUES[12]


def test_null_of_every_type_arrives_as_none(bound: SnowflakeConnection) -> None:
    rows(bound, EVERY_TYPE)
    rows(bound, f"INSERT INTO kinds VALUES ({', '.join('?' * len(VALUES))})", [None] * len(VALUES))
    rows(bound, f"INSERT INTO kinds VALUES ({', '.join('?' * len(VALUES))})", VALUES)
    empty, full = rows(bound, "SELECT * FROM kinds ORDER BY i NULLS FIRST")
    assert set(empty) == {None}
    assert full[7] == naive(MOMENT)


def test_moments_before_1970_keep_their_microseconds(bound: SnowflakeConnection) -> None:
    assert rows(bound, "SELECT ?, ?", (naive(OLD), OLD.date())) == [(naive(OLD), OLD.date())]


def test_an_empty_result_has_its_columns(connection: SnowflakeConnection) -> None:
    rows(connection, EVERY_TYPE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT *, count(*) OVER () AS n FROM kinds WHERE false")
        assert cursor.fetchall() == []
        assert [column.name for column in cursor.description][:3] == ["I", "D", "F"]
        assert cursor.rowcount == 0


def test_values_that_the_client_pastes_into_the_text_arrive_unchanged(
    connection: SnowflakeConnection,
) -> None:
    """Python connector: paramstyle pyformat is bound on the client side."""
    rows(connection, "CREATE TABLE texts (n NUMBER, s VARCHAR, at TIMESTAMP_NTZ)")
    values = [
        "it's",
        "back\\slash",
        "costs $money $1",
        "semi;colon -- no comment",
        "100%",
        "ü\U0001f3ac",
        "",
        'q"q',
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO texts VALUES (%s, %s, %s)",
            [(number, text, naive(MOMENT)) for number, text in enumerate(values)],
        )
        assert cursor.rowcount == len(values)
    assert [row[0] for row in rows(connection, "SELECT s FROM texts ORDER BY n")] == values
    assert rows(connection, "SELECT n FROM texts WHERE s = %(s)s", {"s": "it's"}) == [(0,)]


def test_executemany_binds_arrays_and_is_one_transaction(bound: SnowflakeConnection) -> None:
    rows(bound, "CREATE TABLE many (n NUMBER NOT NULL, s VARCHAR)")
    with bound.cursor() as cursor:
        cursor.executemany("INSERT INTO many VALUES (?, ?)", [(number, str(number)) for number in range(500)])
        assert cursor.rowcount == 500
        with pytest.raises(DatabaseError):
            cursor.executemany("INSERT INTO many VALUES (?, ?)", [(1, "a"), (None, "b")])
    assert rows(bound, "SELECT count(*), sum(n) FROM many") == [(500, 124_750)]


def test_sums_are_exact(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE money (a NUMBER(18,2), n NUMBER(19,0))")
    rows(connection, "INSERT INTO money VALUES (0.1, 9007199254740993), (0.2, 0), (NULL, NULL)")
    assert rows(connection, "SELECT sum(a), sum(n), sum(DISTINCT a) FROM money") == [
        (Decimal("0.30"), 9_007_199_254_740_993, Decimal("0.30"))
    ]


def test_dml_reports_the_rows_that_it_touched(connection: SnowflakeConnection) -> None:
    """INSERT, UPDATE, DELETE, MERGE: the output is the number of rows."""
    rows(connection, "CREATE TABLE t (k NUMBER, v VARCHAR)")
    with connection.cursor() as cursor:
        merge = (
            "MERGE INTO t USING (SELECT 2 AS k, 'm' AS v UNION ALL SELECT 9, 'n') s ON t.k = s.k "
            "WHEN MATCHED THEN UPDATE SET v = UPPER(s.v) || t.v "
            "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)"
        )
        for sql, count in (
            ("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')", 3),
            ("UPDATE t SET v = 'x' WHERE k > 1", 2),
            ("DELETE FROM t WHERE k = 3", 1),
            (merge, 2),
            ("INSERT OVERWRITE INTO t SELECT k + 10, v FROM t WHERE k < 9", 2),
        ):
            cursor.execute(sql)
            assert cursor.rowcount == count, sql
    assert rows(connection, "SELECT * FROM t ORDER BY k") == [(11, "a"), (12, "Mx")]


def test_a_merge_that_would_change_a_row_twice_fails_and_changes_nothing(
    connection: SnowflakeConnection,
) -> None:
    """MERGE: "Nondeterministic results for UPDATE and DELETE" (ERROR_ON_NONDETERMINISTIC_MERGE is true by default)."""
    rows(connection, "CREATE TABLE t AS SELECT 1 AS k, 'a' AS v")
    with pytest.raises(ProgrammingError) as caught:
        rows(
            connection,
            "MERGE INTO t USING (SELECT 1 AS k, 'x' AS v UNION ALL SELECT 1, 'y') s ON t.k = s.k "
            "WHEN MATCHED THEN UPDATE SET v = s.v",
        )
    assert caught.value.errno == 100090
    assert rows(connection, "SELECT v FROM t") == [("a",)]


def test_uncommitted_rows_are_seen_by_their_own_session_only(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, database: str, schema: str
) -> None:
    """Transactions: READ COMMITTED; a rollback leaves nothing."""
    rows(connection, "CREATE TABLE t (n NUMBER)")
    with snowflake_cloud.connect(database=database, schema=schema) as other:
        rows(connection, "BEGIN TRANSACTION")
        rows(connection, "INSERT INTO t VALUES (1)")
        assert rows(connection, "SELECT count(*) FROM t") == [(1,)]
        assert rows(other, "SELECT count(*) FROM t") == [(0,)]
        rows(connection, "COMMIT")
        assert rows(other, "SELECT count(*) FROM t") == [(1,)]
        rows(connection, "START TRANSACTION")
        rows(connection, "DELETE FROM t")
        rows(connection, "ROLLBACK WORK")
        assert rows(other, "SELECT count(*) FROM t") == [(1,)]
        rows(other, "COMMIT")  # outside a transaction: nothing happens


def test_without_autocommit_dml_waits_for_commit(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, database: str, schema: str
) -> None:
    """Transactions: with AUTOCOMMIT = FALSE a DML statement begins a transaction."""
    rows(connection, "CREATE TABLE t (n NUMBER)")
    with snowflake_cloud.connect(database=database, schema=schema, autocommit=False) as manual:
        rows(manual, "INSERT INTO t VALUES (1)")
        assert rows(connection, "SELECT count(*) FROM t") == [(0,)]
        manual.commit()
        assert rows(connection, "SELECT count(*) FROM t") == [(1,)]
        rows(manual, "INSERT INTO t VALUES (2)")
        manual.rollback()
    assert rows(connection, "SELECT count(*) FROM t") == [(1,)]


def test_ddl_commits_the_open_transaction(connection: SnowflakeConnection) -> None:
    """Transactions: "DDL statements … implicitly commit the active transaction"."""
    rows(connection, "CREATE TABLE t (n NUMBER)")
    rows(connection, "BEGIN")
    rows(connection, "INSERT INTO t VALUES (1)")
    rows(connection, "CREATE TABLE u (n NUMBER)")
    rows(connection, "ROLLBACK")
    assert rows(connection, "SELECT count(*) FROM t") == [(1,)]


def test_a_failed_statement_spoils_its_transaction_and_says_so(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (n NUMBER NOT NULL)")
    rows(connection, "BEGIN")
    rows(connection, "INSERT INTO t VALUES (1)")
    with pytest.raises(DatabaseError, match="NULL result"):
        rows(connection, "INSERT INTO t VALUES (NULL)")
    with pytest.raises(DatabaseError, match="ROLLBACK"):
        rows(connection, "INSERT INTO t VALUES (2)")
    rows(connection, "ROLLBACK")
    rows(connection, "INSERT INTO t VALUES (3)")
    assert rows(connection, "SELECT n FROM t") == [(3,)]


def test_sessions_that_change_the_same_row_wait_for_each_other(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, database: str, schema: str
) -> None:
    rows(connection, "CREATE TABLE counter AS SELECT 0 AS n")

    def add(_number: int) -> None:
        with snowflake_cloud.connect(database=database, schema=schema) as own:
            for _ in range(10):
                rows(own, "UPDATE counter SET n = n + 1")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add, range(3)))
    assert rows(connection, "SELECT n FROM counter") == [(30,)]


def test_a_large_result_comes_in_parts_in_order(connection: SnowflakeConnection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq4() AS n, 'film ' || seq4() AS title, NULL::TIMESTAMP_NTZ AS at "
            "FROM TABLE(GENERATOR(ROWCOUNT => 150000)) ORDER BY 1"
        )
        assert cursor.rowcount == 150_000
        for expected, row in enumerate(cursor):
            assert row == (expected, f"film {expected}", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq4() AS n FROM TABLE(GENERATOR(ROWCOUNT => 120000))")
        assert len(cursor.fetch_pandas_all()) == 120_000


def test_columns_are_named_as_on_snowflake(connection: SnowflakeConnection) -> None:
    (row,) = dicts(connection, "SELECT count(*), 1 + 1, upper('a'), 1 AS \"mixed Case\", 2 AS plain")
    assert list(row) == ["COUNT(*)", "1 + 1", "UPPER('A')", "mixed Case", "PLAIN"]


def test_reserved_words_of_duckdb_are_plain_names(connection: SnowflakeConnection) -> None:
    rows(connection, "CREATE TABLE t (at NUMBER, pivot NUMBER, position NUMBER, role VARCHAR)")
    rows(connection, "INSERT INTO t (at, pivot) VALUES (1, 2)")
    assert rows(connection, "SELECT at, t.pivot, position FROM t WHERE role IS NULL") == [(1, 2, None)]


def test_results_can_be_read_again(connection: SnowflakeConnection) -> None:
    """RESULT_SCAN, LAST_QUERY_ID."""
    rows(connection, "CREATE TABLE t AS SELECT 7 AS n")
    rows(connection, "SHOW TABLES")
    assert rows(connection, 'SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("T",)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM t")
        query_id = cursor.sfqid
    assert rows(connection, f"SELECT n + 1 AS m FROM TABLE(RESULT_SCAN('{query_id}'))") == [(8,)]


def test_session_context_and_variables(connection: SnowflakeConnection, schema: str) -> None:
    """Context functions; SQL variables; ALTER SESSION (QUERY_TAG)."""
    assert rows(
        connection,
        "SELECT CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_ROLE(), CURRENT_USER(), CURRENT_ACCOUNT()",
    ) == [("PROTOCOL", schema, "ACCOUNTADMIN", "ADMIN", "LOCAL")]
    rows(connection, "SET greeting = 'it''s ' || 'me'")
    assert rows(connection, "SELECT $greeting, '$greeting'") == [("it's me", "$greeting")]
    rows(connection, "UNSET greeting")
    with pytest.raises(ProgrammingError, match="does not exist"):
        rows(connection, "SELECT $greeting")
    rows(connection, "ALTER SESSION SET QUERY_TAG = '{\"run\": 1}'")
    assert dicts(connection, "SHOW PARAMETERS LIKE 'query_tag'")[0]["value"] == '{"run": 1}'


@pytest.mark.parametrize(
    ("sql", "number", "sqlstate"),
    [
        ("SELEC 1", 1003, "42000"),
        ("SELECT 1; SELECT 2", 8, "0A000"),
        ("SELECT 'open", 1003, "42000"),
        ("SELECT * FROM nothing_there", 2003, "42S02"),
        ("SELECT no_column FROM (SELECT 1 AS n)", 904, "42000"),
        ("SELECT no_function(1)", 2140, "42601"),
        ("SELECT 1 / 0", 100051, "22012"),
        ("SELECT 'x'::NUMBER", 100038, "22018"),
        ("SELECT 'x'::DATE", 100040, "22007"),
        ("SELECT ?", 2049, "42601"),
        ("SELECT * FROM '/etc/passwd'", 2003, "42S02"),
        ("SELECT * FROM read_text('/etc/passwd')", 3001, "42501"),
        ("USE ROLE nobody", 2003, "02000"),
        ("DROP TABLE nothing_there", 2003, "02000"),
        ("CREATE DYNAMIC TABLE d TARGET_LAG = '1 minute' WAREHOUSE = w AS SELECT 1", 2, "0A000"),
        ("CREATE STREAM s ON VIEW v", 2, "0A000"),
        ("CREATE TASK t SCHEDULE = 'USING CRON 0 0 * * * UTC' AS SELECT 1", 2, "0A000"),
        ("EXECUTE ALERT t", 2, "0A000"),
        ("CREATE EXTERNAL TABLE e (n NUMBER) LOCATION = @s", 2, "0A000"),
        ("CREATE TABLE e (n NUMBER) ENABLE_SCHEMA_EVOLUTION = TRUE", 2, "0A000"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", 2, "0A000"),
        ("CREATE FUNCTION f() RETURNS NUMBER AS '1'", 2, "0A000"),
        ("CALL p()", 2, "0A000"),
        ("EXPLAIN SELECT 1", 2, "0A000"),
        ("UNDROP TABLE t", 2, "0A000"),
        ("PUT file:///tmp/x @s", 2, "0A000"),
        ("BEGIN LET x := 1; END", 2, "0A000"),
        ("ALTER SESSION SET TIMEZONE = 'Mars/Olympus'", 1008, "22023"),
        ("ALTER SESSION SET NO_PARAMETER = 1", 1006, "22023"),
        ("SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY", 2, "0A000"),
        ("SELECT SYSTEM$WAIT(1)", 2140, "42601"),
        ("ATTACH 'x.db'", 1003, "42000"),
        ("PRAGMA version", 1003, "42000"),
        ("SELECT " + "(" * 500 + "1" + ")" * 500, 1003, "42000"),
    ],
)
def test_what_cannot_be_done_is_an_error_of_snowflakes_form_at_once(
    connection: SnowflakeConnection, sql: str, number: int, sqlstate: str
) -> None:
    started = time.monotonic()
    with pytest.raises(DatabaseError) as caught:
        rows(connection, sql)
    assert (caught.value.errno, caught.value.sqlstate) == (number, sqlstate), caught.value
    assert time.monotonic() - started < 10


def test_no_request_is_ever_answered_with_http_500(snowflake_cloud: SnowflakeCloud) -> None:
    port = snowflake_cloud.settings.snowflake_port
    bodies = [b"", b"{", b"[]", b'{"data": 1}', b"\x1f\x8b broken", b'{"sqlText": 5, "bindings": {"1": {}}}']
    paths = [
        "/queries/v1/query-request",
        "/session/v1/login-request",
        "/session?delete=true",
        "/queries/v1/abort-request",
    ]
    for path in paths:
        for body in bodies:
            headers = {"Content-Encoding": "gzip"} if body.startswith(b"\x1f") else {}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200
                json.loads(answer.read())


def test_a_request_that_is_sent_twice_runs_once(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection
) -> None:
    """The connector repeats a request, with its requestId, when the connection breaks before the answer."""
    rows(connection, "CREATE TABLE t (n NUMBER)")
    assert connection.rest is not None
    url = f"http://127.0.0.1:{snowflake_cloud.settings.snowflake_port}/queries/v1/query-request?requestId={uuid.uuid4()}"
    headers = {
        "Authorization": f'Snowflake Token="{connection.rest.token}"',
        "Content-Type": "application/json",
    }
    body = json.dumps({"sqlText": "INSERT INTO t VALUES (1)"}).encode()
    for _ in range(3):
        with urllib.request.urlopen(
            urllib.request.Request(url, data=body, headers=headers), timeout=10
        ) as answer:
            assert json.loads(answer.read())["success"]
    assert rows(connection, "SELECT count(*) FROM t") == [(1,)]


def _foreign_key(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "other.p8"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_only_the_homes_key_may_log_in(snowflake_cloud: SnowflakeCloud, tmp_path: Path) -> None:
    """Key-pair authentication and key-pair rotation."""
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        snowflake_cloud.connect(private_key_file=str(_foreign_key(tmp_path)))
    settings = snowflake_cloud.settings
    with pytest.raises(DatabaseError, match="key pairs"):
        snowflake.connector.connect(
            account="local",
            user="ADMIN",
            password="guess",
            host=settings.snowflake_host,
            port=settings.snowflake_port,
            protocol="http",
            login_timeout=10,
        )


def test_login_with_a_role_that_does_not_exist_fails(snowflake_cloud: SnowflakeCloud) -> None:
    with pytest.raises(DatabaseError, match="NOBODY"):
        snowflake_cloud.connect(role="nobody")


def test_login_without_a_database_works_and_statements_say_what_is_missing(
    snowflake_cloud: SnowflakeCloud,
) -> None:
    with snowflake_cloud.connect(database="NOT_THERE", schema="X", warehouse="NOT_THERE") as opened:
        assert rows(opened, "SELECT CURRENT_DATABASE(), CURRENT_WAREHOUSE()") == [(None, None)]
        with pytest.raises(ProgrammingError) as caught:
            rows(opened, "CREATE TABLE t (n NUMBER)")
        assert caught.value.errno == 90105


def test_a_running_statement_can_be_cancelled(connection: SnowflakeConnection) -> None:
    outcome: list[Any] = []

    def run() -> None:
        with connection.cursor() as cursor:
            try:
                cursor.execute(
                    "SELECT count(*) FROM TABLE(GENERATOR(ROWCOUNT => 200000)) a, "
                    "TABLE(GENERATOR(ROWCOUNT => 200000)) b "
                    'WHERE hash(a."range", b."range") = 1',
                    timeout=2,
                )
                outcome.append(cursor.fetchall())
            except DatabaseError as error:
                outcome.append(error.errno)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(25)
    assert not thread.is_alive()
    assert outcome == [604]
    assert rows(connection, "SELECT 1") == [(1,)]


def test_committed_data_survives_a_kill_and_a_clean_stop(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection, database: str, schema: str
) -> None:
    rows(connection, "CREATE TABLE t (n NUMBER COMMENT 'a number', s VARCHAR(5)) COMMENT = 'kept'")
    rows(connection, "INSERT INTO t VALUES (1, 'a')")
    rows(connection, "BEGIN")
    rows(connection, "INSERT INTO t VALUES (2, 'lost')")
    snowflake_cloud.kill()
    snowflake_cloud.up()
    for stop in (snowflake_cloud.down, lambda: None):
        with snowflake_cloud.connect(database=database, schema=schema) as again:
            assert rows(again, "SELECT * FROM t") == [(1, "a")]
            described = [
                (row["name"], row["type"], row["comment"]) for row in dicts(again, "DESCRIBE TABLE t")
            ]
            assert described == [("N", "NUMBER(38,0)", "a number"), ("S", "VARCHAR(5)", None)]
            assert rows(
                again, "SELECT comment FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = CURRENT_SCHEMA()"
            ) == [("kept",)]
        stop()
        snowflake_cloud.up()


def test_an_idle_server_costs_next_to_nothing(snowflake_cloud: SnowflakeCloud, database: str) -> None:
    server = snowflake_cloud.server()
    spent: list[float] = []
    # What the server still does for others may take longer on a busy machine.
    while not spent or (spent[-1] >= 0.15 and len(spent) < 5):
        before = server.cpu_times()
        time.sleep(3)
        after = server.cpu_times()
        spent.append((after.user + after.system) - (before.user + before.system))
    assert spent[-1] < 0.15, spent
