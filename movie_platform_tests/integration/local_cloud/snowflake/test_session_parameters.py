"""Parameters of account, user and session, and what depends on them.

Sources: Snowflake documentation, "Parameters", "Parameter hierarchy and types", "Date and time input and output
formats", "Data type conversion", "TO_CHAR", "CONVERT_TIMEZONE".
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform.local_cloud.snowflake.state.user_keys import public_key_text
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows, wait_for

pytestmark = pytest.mark.cloud

MOMENT = "'2026-07-01 01:02:03.456789 +0000'::TIMESTAMP_LTZ"


def at(*parts: int) -> datetime:
    """A clock's time without a zone."""
    year, month, day, hour, minute, second, microsecond = (*parts, 0, 0, 0, 0)[:7]
    return datetime.combine(date(year, month, day), time(hour, minute, second, microsecond))


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, f"CREATE DATABASE P{uuid.uuid4().hex[:8].upper()}")
        yield opened


@pytest.fixture
def account(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    """An administrator whose changes of the account are taken back."""
    with snowflake_cloud.connect() as opened:
        yield opened
    with snowflake_cloud.connect() as opened:
        rows(opened, "ALTER ACCOUNT UNSET TIMEZONE, DATE_INPUT_FORMAT, DATE_OUTPUT_FORMAT")


def value(connection: SnowflakeConnection, expression: str) -> Any:
    [(found,)] = rows(connection, f"SELECT {expression}")
    return found


def parameter(connection: SnowflakeConnection, name: str, scope: str = "") -> tuple[str, str]:
    """Value and level."""
    [row] = rows(connection, f"SHOW PARAMETERS LIKE '{name}' {scope}")
    return row[1], row[3]


def failure(connection: SnowflakeConnection, sql: str) -> tuple[int | None, str | None]:
    with pytest.raises(DatabaseError) as caught:
        rows(connection, sql)
    return caught.value.errno, caught.value.sqlstate


def test_defaults_are_those_of_a_new_account(connection: SnowflakeConnection) -> None:
    assert parameter(connection, "TIMEZONE") == ("America/Los_Angeles", "")
    assert parameter(connection, "DATE_OUTPUT_FORMAT") == ("YYYY-MM-DD", "")
    assert parameter(connection, "TIMESTAMP_NTZ_OUTPUT_FORMAT") == ("YYYY-MM-DD HH24:MI:SS.FF3", "")
    assert value(connection, f"{MOMENT}::VARCHAR") == "2026-06-30 18:02:03.456 -0700"
    assert value(connection, f"{MOMENT}::TIMESTAMP_NTZ::VARCHAR") == "2026-06-30 18:02:03.456"
    assert value(connection, "'2026-07-01'::DATE::VARCHAR") == "2026-07-01"
    assert value(connection, "'01:02:03'::TIME::VARCHAR") == "01:02:03"


def test_a_session_is_before_its_user_and_a_user_before_the_account(
    snowflake_cloud: SnowflakeCloud, account: SnowflakeConnection
) -> None:
    user = f"U{uuid.uuid4().hex[:8].upper()}"
    settings = snowflake_cloud.settings
    assert settings.snowflake_admin_private_key_path is not None
    key = public_key_text(settings.snowflake_admin_private_key_path.read_bytes())
    rows(account, f"CREATE USER {user} TIMEZONE = 'Asia/Tokyo' RSA_PUBLIC_KEY = '{key}'")
    rows(account, "ALTER ACCOUNT SET TIMEZONE = 'Europe/Berlin' DATE_OUTPUT_FORMAT = 'DD/MM/YYYY'")
    assert parameter(account, "TIMEZONE") == ("Europe/Berlin", "ACCOUNT")
    assert parameter(account, "TIMEZONE", f"IN USER {user}") == ("Asia/Tokyo", "USER")
    assert parameter(account, "TIMEZONE", "IN ACCOUNT") == ("Europe/Berlin", "ACCOUNT")
    with snowflake_cloud.connect(user=user) as opened:
        assert parameter(opened, "TIMEZONE") == ("Asia/Tokyo", "USER")
        assert value(opened, f"{MOMENT}::TIMESTAMP_NTZ::VARCHAR") == "2026-07-01 10:02:03.456"
        assert value(opened, "'2026-07-01'::DATE::VARCHAR") == "01/07/2026"
        rows(opened, "ALTER SESSION SET TIMEZONE = 'UTC'")
        assert parameter(opened, "TIMEZONE") == ("UTC", "SESSION")
        assert value(opened, f"{MOMENT}::TIMESTAMP_NTZ::VARCHAR") == "2026-07-01 01:02:03.456"
        rows(opened, "ALTER SESSION UNSET TIMEZONE")
        rows(account, f"ALTER USER {user} UNSET TIMEZONE")
        assert parameter(opened, "TIMEZONE") == ("Europe/Berlin", "ACCOUNT")
    with snowflake_cloud.connect(user=user, session_parameters={"TIMEZONE": "America/New_York"}) as opened:
        assert parameter(opened, "TIMEZONE") == ("America/New_York", "SESSION")


def test_what_is_set_for_account_and_user_lasts(
    snowflake_cloud: SnowflakeCloud, account: SnowflakeConnection
) -> None:
    rows(account, "ALTER ACCOUNT SET TIMEZONE = 'Asia/Kolkata'")
    snowflake_cloud.kill()
    snowflake_cloud.up()
    with snowflake_cloud.connect() as opened:
        assert parameter(opened, "TIMEZONE") == ("Asia/Kolkata", "ACCOUNT")


def test_only_an_administrator_sets_the_accounts_parameters(connection: SnowflakeConnection) -> None:
    rows(connection, "USE ROLE SYSADMIN")
    assert failure(connection, "ALTER ACCOUNT SET TIMEZONE = 'UTC'") == (3001, "42501")


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("TIMEZONE = 'Mars/Olympus'", (1008, "22023")),
        ("DATE_OUTPUT_FORMAT = 'no'", (1008, "22023")),
        ("TIMESTAMP_TYPE_MAPPING = 'DATE'", (1008, "22023")),
        ("WEEK_START = 8", (1008, "22023")),
        ("AUTOCOMMIT = 3", (1008, "22023")),
        ("NO_SUCH_THING = 1", (1006, "22023")),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_refused(
    connection: SnowflakeConnection, assignment: str, expected: tuple[int, str]
) -> None:
    assert failure(connection, f"ALTER SESSION SET {assignment}") == expected


def test_the_connector_is_told_the_sessions_parameters(snowflake_cloud: SnowflakeCloud) -> None:
    with snowflake_cloud.connect(session_parameters={"TIMEZONE": "Asia/Tokyo"}) as opened:
        moment = value(opened, MOMENT)
        assert moment.utcoffset() == timedelta(hours=9)
        assert moment == datetime(2026, 7, 1, 1, 2, 3, 456789, tzinfo=UTC)
        rows(opened, "ALTER SESSION SET TIMEZONE = 'America/Los_Angeles'")
        assert value(opened, MOMENT).utcoffset() == timedelta(hours=-7)


def test_dates_and_times_become_text_by_the_sessions_formats(connection: SnowflakeConnection) -> None:
    rows(
        connection,
        "ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD-MON-YY' TIME_OUTPUT_FORMAT = 'HH12:MI AM' "
        "TIMESTAMP_NTZ_OUTPUT_FORMAT = 'YYYY\"T\"HH24:MI:SS.FF1' "
        "TIMESTAMP_LTZ_OUTPUT_FORMAT = 'DY DD/MM/YYYY TZH:TZM' TIMEZONE = 'Asia/Kolkata'",
    )
    assert value(connection, "TO_CHAR('2026-07-01'::DATE)") == "01-Jul-26"
    assert value(connection, "TO_VARCHAR('13:02:03'::TIME)") == "01:02 PM"
    assert value(connection, f"{MOMENT}::VARCHAR") == "Wed 01/07/2026 +05:30"
    assert value(connection, f"{MOMENT}::TIMESTAMP_NTZ::STRING") == "2026T06:32:03.4"
    assert value(connection, "'on ' || d FROM (SELECT '2026-07-01'::DATE AS d)") == "on 01-Jul-26"
    assert value(connection, "CONCAT('on ', d) FROM (SELECT '2026-07-01'::DATE AS d)") == "on 01-Jul-26"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("YYYY-MM-DD HH24:MI:SS", "2026-07-01 13:02:03"),
        ("DD/MM/YY", "01/07/26"),
        ("DY, DD MON YYYY", "Wed, 01 Jul 2026"),
        ("MMMM", "July"),
        ("HH12:MI PM", "01:02 PM"),
        ("FF", "456789000"),
        ("FF0|FF1|FF2|FF3|FF6|FF9", "|4|45|456|456789|456789000"),
        ('YYYY"YYYY"', "2026YYYY"),
        ("yyyy%mm", "2026%07"),
    ],
)
def test_to_char_writes_each_element_of_a_format(
    connection: SnowflakeConnection, text: str, expected: str
) -> None:
    moment = "'2026-07-01 13:02:03.456789'::TIMESTAMP_NTZ"
    assert value(connection, f"TO_CHAR({moment}, '{text}')") == expected
    assert value(connection, f"TO_VARCHAR(NULL::TIMESTAMP_NTZ, '{text}')") is None


def test_to_char_writes_a_date_whatever_the_session_says(connection: SnowflakeConnection) -> None:
    rows(connection, "ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD/MM/YYYY'")
    assert value(connection, "TO_CHAR(DATE_FROM_PARTS(2026, 7, 1), 'YYYY-MM-DD')") == "2026-07-01"
    assert failure(connection, "SELECT TO_CHAR(d::DATE, f) FROM (SELECT '01/01/2026' AS d, 'YYYY' AS f)") == (
        2,
        "0A000",
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'2026-07-01'::DATE", date(2026, 7, 1)),
        ("'7/1/2026'::DATE", date(2026, 7, 1)),
        ("'01-JUL-2026'::DATE", date(2026, 7, 1)),
        ("'2026-07-01 23:00:00'::DATE", date(2026, 7, 1)),
        ("TO_DATE('1782864000')", date(2026, 7, 1)),
        ("TO_DATE('01.07.2026', 'DD.MM.YYYY')", date(2026, 7, 1)),
        ("TRY_TO_DATE('nothing')", None),
        ("TRY_TO_DATE('nothing', 'YYYY')", None),
        ("TRY_CAST('nothing' AS DATE)", None),
        ("'2026-07-01T01:02:03.5'::TIMESTAMP_NTZ", at(2026, 7, 1, 1, 2, 3, 500000)),
        ("'2026-07-01 01:02'::TIMESTAMP_NTZ", at(2026, 7, 1, 1, 2)),
        ("'2026-07-01'::TIMESTAMP_NTZ", at(2026, 7, 1)),
        ("'2026-07-01 01:02:03 +0900'::TIMESTAMP_NTZ", at(2026, 7, 1, 1, 2, 3)),
        ("'2026-07-01T01:02:03Z'::TIMESTAMP_LTZ", datetime(2026, 7, 1, 1, 2, 3, tzinfo=UTC)),
        ("'2026-07-01 01:02:03'::TIMESTAMP_LTZ", datetime(2026, 7, 1, 8, 2, 3, tzinfo=UTC)),
        ("'Wed, 01 Jul 2026 01:02:03 +0000'::TIMESTAMP_TZ", datetime(2026, 7, 1, 1, 2, 3, tzinfo=UTC)),
        ("TO_TIMESTAMP_NTZ(1782867723)", at(2026, 7, 1, 1, 2, 3)),
        ("TO_TIMESTAMP_NTZ('01.07.2026 01', 'DD.MM.YYYY HH24')", at(2026, 7, 1, 1)),
        ("'01:02:03'::TIME", time(1, 2, 3)),
        ("DATE '2026-07-01'", date(2026, 7, 1)),
    ],
)
def test_text_becomes_a_date_or_a_time_as_auto_detects_it(
    connection: SnowflakeConnection, expression: str, expected: object
) -> None:
    assert value(connection, expression) == expected


@pytest.mark.parametrize(
    ("expression", "number"),
    [
        ("'01/07/26x'::DATE", 100040),
        ("'2026-13-01'::DATE", 100040),
        ("'yesterday'::TIMESTAMP_NTZ", 100035),
        ("'2026-07-01 25:00:00'::TIMESTAMP_LTZ", 100035),
        ("TO_DATE('2026-07-01', 'DD/MM/YYYY')", 100096),
        ("TO_TIMESTAMP_NTZ('x', 'YYYY')", 100096),
    ],
)
def test_text_that_does_not_fit_is_an_error(
    connection: SnowflakeConnection, expression: str, number: int
) -> None:
    assert failure(connection, f"SELECT {expression}") == (number, "22007")


def test_text_is_read_by_the_sessions_formats_wherever_it_becomes_a_date(
    connection: SnowflakeConnection,
) -> None:
    rows(
        connection,
        "ALTER SESSION SET DATE_INPUT_FORMAT = 'DD/MM/YYYY' TIMESTAMP_INPUT_FORMAT = 'DD/MM/YYYY HH24:MI:SS'",
    )
    rows(connection, "CREATE TABLE days (d DATE, t TIMESTAMP_NTZ)")
    rows(connection, "INSERT INTO days VALUES ('02/01/2026', '02/01/2026 03:04:05')")
    rows(connection, "INSERT INTO days (t, d) SELECT '03/01/2026 00:00:00', '03/01/2026'")
    rows(connection, "UPDATE days SET t = '04/01/2026 00:00:00' WHERE d = '03/01/2026'")
    rows(
        connection,
        "MERGE INTO days USING (SELECT 1) ON d = '05/01/2026' WHEN NOT MATCHED THEN INSERT (d) VALUES ('05/01/2026')",
    )
    assert rows(connection, "SELECT d, t FROM days ORDER BY d") == [
        (date(2026, 1, 2), at(2026, 1, 2, 3, 4, 5)),
        (date(2026, 1, 3), at(2026, 1, 4)),
        (date(2026, 1, 5), None),
    ]
    assert rows(connection, "SELECT COUNT(*) FROM days WHERE d IN ('02/01/2026', '03/01/2026')") == [(2,)]
    assert rows(connection, "SELECT COUNT(*) FROM days WHERE d BETWEEN '02/01/2026' AND '03/01/2026'") == [
        (2,)
    ]
    for statement in (
        "INSERT INTO days (d) VALUES ('2026-01-02')",
        "INSERT INTO days (d) SELECT '2026-01-02'",
        "UPDATE days SET d = '2026-01-02'",
        "SELECT * FROM days WHERE d = '2026-01-02'",
        "SELECT TO_DATE('2026-01-02')",
        "SELECT '2026-01-02'::DATE",
    ):
        assert failure(connection, statement) == (100040, "22007"), statement
    assert failure(connection, "SELECT * FROM days WHERE t > '2026-01-02 00:00:00'") == (100035, "22007")
    assert failure(connection, "SELECT TO_TIMESTAMP('2026-01-02 00:00:00')") == (100035, "22007")


def test_what_is_null_and_what_is_aggregated_is_converted_too(connection: SnowflakeConnection) -> None:
    rows(connection, "ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD/MM/YYYY'")
    rows(connection, "CREATE TABLE days (d DATE, t TIMESTAMP_NTZ, s VARCHAR)")
    rows(connection, "INSERT INTO days SELECT n, n, n FROM (SELECT NULL AS n)")
    rows(connection, "INSERT INTO days SELECT MAX(d), MAX(SYSDATE()), '2026-01-02' FROM days")
    assert rows(connection, "SELECT MAX(s)::DATE, MAX(d)::VARCHAR, MAX(s::DATE)::VARCHAR FROM days") == [
        (date(2026, 1, 2), None, "02/01/2026")
    ]
    assert rows(
        connection, "SELECT LAG(s::DATE) OVER (ORDER BY s)::VARCHAR FROM days ORDER BY s LIMIT 1"
    ) == [(None,)]


def test_a_bound_text_is_read_by_the_sessions_formats(snowflake_cloud: SnowflakeCloud) -> None:
    parameters = {"DATE_INPUT_FORMAT": "DD/MM/YYYY"}
    with snowflake_cloud.connect(paramstyle="qmark", session_parameters=parameters) as opened:
        rows(opened, f"CREATE DATABASE P{uuid.uuid4().hex[:8].upper()}")
        rows(opened, "CREATE TABLE days (d DATE)")
        rows(opened, "INSERT INTO days VALUES (?)", ("02/01/2026",))
        rows(opened, "INSERT INTO days VALUES (?)", (date(2026, 1, 3),))
        assert rows(opened, "SELECT d FROM days WHERE d = ?", ("02/01/2026",)) == [(date(2026, 1, 2),)]
        with pytest.raises(DatabaseError) as caught:
            rows(opened, "SELECT d FROM days WHERE d = ?", ("2026-01-02",))
        assert caught.value.errno == 100040


def test_texts_that_are_bound_to_many_rows_are_read_by_the_sessions_formats(
    snowflake_cloud: SnowflakeCloud,
) -> None:
    """Data type conversion: a text that is bound is a VARCHAR, and is coerced as any other."""
    parameters = {"DATE_INPUT_FORMAT": "DD/MM/YYYY"}
    with snowflake_cloud.connect(paramstyle="qmark", session_parameters=parameters) as opened:
        rows(opened, f"CREATE DATABASE P{uuid.uuid4().hex[:8].upper()}")
        rows(opened, "CREATE TABLE days (d DATE, s VARCHAR)")
        with opened.cursor() as cursor:
            cursor.executemany("INSERT INTO days (d, s) VALUES (?, ?)", [(None, "a"), ("02/01/2026", None)])
            cursor.executemany("INSERT INTO days (s, d) SELECT ?, ?", [(None, "03/01/2026"), ("b", None)])
            cursor.executemany("INSERT INTO days (d) VALUES (?)", [(date(2026, 1, 4),), (date(2026, 1, 5),)])
            cursor.executemany("UPDATE days SET s = ? WHERE d = ?", [("c", None), ("d", "04/01/2026")])
        assert rows(opened, "SELECT d, s FROM days ORDER BY d NULLS FIRST, s NULLS FIRST") == [
            (None, "a"),
            (None, "b"),
            (date(2026, 1, 2), None),
            (date(2026, 1, 3), None),
            (date(2026, 1, 4), "d"),
            (date(2026, 1, 5), None),
        ]
        with opened.cursor() as cursor, pytest.raises(DatabaseError) as caught:
            cursor.executemany("INSERT INTO days (d) VALUES (?)", [("02/01/2026",), ("2026-01-02",)])
        assert caught.value.errno == 100040


def test_a_view_gives_each_session_what_its_own_formats_say(
    snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection
) -> None:
    rows(connection, "CREATE VIEW v AS SELECT DATE_FROM_PARTS(2026, 1, 2)::VARCHAR AS d")
    assert value(connection, "d FROM v") == "2026-01-02"
    database = value(connection, "CURRENT_DATABASE()")
    with snowflake_cloud.connect(
        database=database, schema="PUBLIC", session_parameters={"DATE_OUTPUT_FORMAT": "DD/MM/YYYY"}
    ) as opened:
        assert value(opened, "d FROM v") == "02/01/2026"


def test_moments_become_days_and_clocks_by_the_time_zone(connection: SnowflakeConnection) -> None:
    rows(connection, "ALTER SESSION SET TIMEZONE = 'Pacific/Kiritimati'")
    far = value(connection, "CURRENT_TIMESTAMP()::TIMESTAMP_NTZ")
    assert abs(far - datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=14)) < timedelta(minutes=1)
    assert value(connection, "CURRENT_DATE() = CURRENT_TIMESTAMP()::DATE") is True
    assert value(connection, "CURRENT_DATE() AS today") == (datetime.now(UTC) + timedelta(hours=14)).date()
    assert value(connection, "CURRENT_DATE()") == value(connection, "CURRENT_DATE")
    rows(connection, "CREATE TABLE days (d DATE)")
    rows(connection, "INSERT INTO days SELECT CURRENT_DATE()")
    assert rows(connection, "SELECT d = CURRENT_DATE FROM days") == [(True,)]
    assert abs(value(connection, "SYSDATE()") - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)
    assert value(connection, f"{MOMENT}::DATE") == date(2026, 7, 1)
    utc = "CONVERT_TIMEZONE('UTC', '2026-07-01 01:02:03 +0000'::TIMESTAMP_LTZ)::TIMESTAMP_NTZ"
    assert value(connection, utc) == at(2026, 7, 1, 1, 2, 3)
    local = "CONVERT_TIMEZONE('UTC', '2026-07-01 14:00:00'::TIMESTAMP_NTZ)::TIMESTAMP_NTZ"
    assert value(connection, local) == at(2026, 7, 1)
    two = "CONVERT_TIMEZONE('Asia/Tokyo', 'UTC', '2026-07-01 09:00:00'::TIMESTAMP_NTZ)"
    assert value(connection, two) == at(2026, 7, 1)


def test_timestamp_means_what_its_mapping_says(connection: SnowflakeConnection) -> None:
    assert value(connection, "'2026-07-01 00:00:00'::TIMESTAMP") == at(2026, 7, 1)
    rows(
        connection, "ALTER SESSION SET TIMESTAMP_TYPE_MAPPING = 'TIMESTAMP_LTZ' TIMEZONE = 'America/New_York'"
    )
    moment = datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert value(connection, "'2026-07-01 00:00:00'::TIMESTAMP") == moment
    assert value(connection, "TO_TIMESTAMP('2026-07-01 00:00:00')") == moment


def test_weeks_begin_where_week_start_says(connection: SnowflakeConnection) -> None:
    sunday = "DATE_FROM_PARTS(2026, 11, 29)"
    assert value(connection, f"DAYOFWEEK({sunday})") == 0
    assert value(connection, f"DATE_TRUNC('WEEK', {sunday})") == date(2026, 11, 23)
    rows(connection, "ALTER SESSION SET WEEK_START = 7")
    assert value(connection, f"DAYOFWEEK({sunday})") == 1
    assert value(connection, f"DATE_TRUNC('WEEK', {sunday})") == date(2026, 11, 29)
    assert value(connection, f"DAYOFWEEKISO({sunday})") == 7
    assert value(connection, "WEEK(DATE_FROM_PARTS(2027, 1, 3))") == 1
    assert value(connection, "WEEKISO(DATE_FROM_PARTS(2027, 1, 3))") == 53


def test_a_task_runs_with_the_accounts_parameters_and_not_with_its_creators(
    connection: SnowflakeConnection, account: SnowflakeConnection
) -> None:
    rows(account, "ALTER ACCOUNT SET DATE_OUTPUT_FORMAT = 'DD/MM/YYYY' TIMEZONE = 'Asia/Tokyo'")
    rows(connection, "ALTER SESSION SET DATE_OUTPUT_FORMAT = 'MM/YYYY' TIMEZONE = 'UTC'")
    rows(connection, "CREATE TABLE told (d VARCHAR, offset_hours VARCHAR)")
    rows(connection, "CREATE OR REPLACE WAREHOUSE parameter_tasks")
    rows(
        connection,
        "CREATE TASK tells WAREHOUSE = parameter_tasks AS INSERT INTO told "
        "SELECT DATE_FROM_PARTS(2026, 1, 2)::VARCHAR, TO_CHAR(CURRENT_TIMESTAMP(), 'TZHTZM')",
    )
    rows(connection, "EXECUTE TASK tells")
    told = wait_for(lambda: rows(connection, "SELECT * FROM told"), seconds=30)
    assert told == [("02/01/2026", "+0900")]
