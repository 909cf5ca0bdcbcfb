"""Who may do what after a deployment, and a deployment without an administrator."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key
from movie_platform.provision import print_account_sql, provision
from movie_platform.provision.account import AccountNotPreparedError
from movie_platform.provision.statements import split_statements
from movie_platform.resources.snowflake_connection import WarehouseUnavailableError, connect, query_rows
from movie_platform.settings import Settings
from movie_platform_tests.another_platform import another

pytestmark = pytest.mark.cloud

ROLES = ("OWNER", "DEPLOYER", "LOADER", "TRANSFORMER", "ANALYST", "READER")
HIDDEN, INSUFFICIENT = 2003, 3001
# A letter a role: + may, - may not, though it may know of the object, 0 may not know of it. Nothing is changed.
ACTIONS = {
    "SELECT COUNT(*) FROM RAW.movies": "+++++0",
    "INSERT INTO RAW.movies SELECT * FROM RAW.movies WHERE FALSE": "+++--0",
    "DELETE FROM RAW.movies WHERE FALSE": "++---0",
    "SELECT COUNT(*) FROM RAW.movies_stream": "++0+00",
    "SELECT COUNT(*) FROM CORE.dim_movie": "++0++0",
    "INSERT INTO CORE.dim_movie SELECT * FROM CORE.dim_movie WHERE FALSE": "++0+-0",
    "DELETE FROM CORE.dim_movie WHERE FALSE": "++0+-0",
    "SELECT COUNT(*) FROM MARTS.current_movies": "0+0+++",
    "SELECT COUNT(*) FROM OPS.load_audit": "++0++0",
    "INSERT INTO OPS.load_runs SELECT * FROM OPS.load_runs WHERE FALSE": "++++-0",
    "DELETE FROM OPS.load_runs WHERE FALSE": "++---0",
    "UPDATE OPS.pending_days SET attempts = 0 WHERE FALSE": "++-+-0",
    "INSERT INTO OPS.schema_history SELECT * FROM OPS.schema_history WHERE FALSE": "++00-0",
    "SELECT SYSTEM$PIPE_STATUS('RAW.movies_pipe')": "0++000",
    "ALTER PIPE RAW.movies_pipe REFRESH PREFIX = 'nothing/'": "0++000",
    "LIST @RAW.archive_stage/nothing/": "+++000",
    "DESCRIBE TASK CORE.collect_arrivals": "0+0+00",
    "EXECUTE TASK CORE.collect_arrivals": "0+0+00",
    "CREATE TABLE IF NOT EXISTS RAW.movies (id NUMBER)": "++---0",
    "CREATE ROLE IF NOT EXISTS somebody": "------",
    "CREATE WAREHOUSE IF NOT EXISTS MOVIES_WH": "------",
}
CASES = [
    pytest.param(action, role, letter, id=f"{role}: {action[:60]}")
    for action, letters in ACTIONS.items()
    for role, letter in zip(ROLES, letters, strict=False)
]


@pytest.fixture(scope="module")
def administrator(provisioned_cloud: Settings) -> Iterator[SnowflakeConnection]:
    """The administrator, whose user holds each role through ACCOUNTADMIN."""
    with connect(provisioned_cloud, login="administrator") as session:
        yield session


def number_of(session: SnowflakeConnection, sql: str) -> int | None:
    with closing(session.cursor()) as cursor:
        try:
            cursor.execute(sql)
        except DatabaseError as error:
            return error.errno
    return None


@pytest.mark.parametrize(("action", "role", "letter"), CASES)
def test_a_role_of_the_platform_may_do_what_its_work_is(
    provisioned_cloud: Settings, administrator: SnowflakeConnection, action: str, role: str, letter: str
) -> None:
    warehouse = "MOVIES_WH" if role not in {"ANALYST", "READER"} else "MOVIES_WH_READERS"
    for statement in (
        "USE ROLE ACCOUNTADMIN",
        "USE DATABASE MOVIES",
        f"USE ROLE MOVIES_{role}",
        f"USE WAREHOUSE {warehouse}",
    ):
        assert number_of(administrator, statement) is None, statement
    assert number_of(administrator, action) == {"+": None, "-": INSUFFICIENT, "0": HIDDEN}[letter]


def owner(session: SnowflakeConnection, of: str) -> str:
    grants = query_rows(session, f"SHOW GRANTS ON {of}")
    return next(str(row["grantee_name"]) for row in grants if row["privilege"] == "OWNERSHIP")


def test_nothing_of_the_database_belongs_to_an_administrators_role(provisioned_cloud: Settings) -> None:
    owners = {
        "DATABASE MOVIES": "MOVIES_OWNER",
        "SCHEMA MOVIES.RAW": "MOVIES_OWNER",
        "SCHEMA MOVIES.OPS": "MOVIES_OWNER",
        "TABLE MOVIES.RAW.MOVIES": "MOVIES_OWNER",
        "TABLE MOVIES.CORE.DIM_MOVIE": "MOVIES_OWNER",
        "STREAM MOVIES.RAW.MOVIES_STREAM": "MOVIES_OWNER",
        "STAGE MOVIES.RAW.ARCHIVE_STAGE": "MOVIES_OWNER",
        "PIPE MOVIES.RAW.MOVIES_PIPE": "MOVIES_LOADER",
        "TASK MOVIES.CORE.COLLECT_ARRIVALS": "MOVIES_TRANSFORMER",
        "VIEW MOVIES.MARTS.CURRENT_MOVIES": "MOVIES_TRANSFORMER",
    }
    with connect(provisioned_cloud, login="administrator") as session:
        assert {name: owner(session, name) for name in owners} == owners
        held = query_rows(session, "SHOW GRANTS TO ROLE ACCOUNTADMIN")
        assert [row for row in held if str(row["name"]).startswith("MOVIES.")] == []


@pytest.mark.parametrize(
    "role", ["ACCOUNTADMIN", "SYSADMIN", "MOVIES_OWNER", "MOVIES_DEPLOYER", "MOVIES_READER"]
)
def test_the_orchestrator_takes_no_role_but_its_own(provisioned_cloud: Settings, role: str) -> None:
    with pytest.raises(WarehouseUnavailableError, match=role):
        connect(provisioned_cloud, role=role)


def test_the_deployer_takes_no_role_of_administrators(provisioned_cloud: Settings) -> None:
    with pytest.raises(WarehouseUnavailableError, match="ACCOUNTADMIN"):
        connect(provisioned_cloud, login="deployer", role="ACCOUNTADMIN")


def test_a_session_has_the_rights_of_one_role(provisioned_cloud: Settings) -> None:
    """The orchestrator's user may write CORE, as the transformer and not as the loader."""
    with connect(provisioned_cloud, role="MOVIES_LOADER") as session:
        assert number_of(session, "DELETE FROM CORE.dim_movie WHERE FALSE") == HIDDEN
    with connect(provisioned_cloud, role="MOVIES_TRANSFORMER") as session:
        assert number_of(session, "DELETE FROM CORE.dim_movie WHERE FALSE") is None


def as_reader(settings: Settings) -> SnowflakeConnection:
    arguments: dict[str, Any] = {
        "account": settings.snowflake_account,
        "user": settings.snowflake_reader_user,
        "host": settings.snowflake_host,
        "port": settings.snowflake_port,
        "protocol": settings.snowflake_protocol,
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_file": str(Home.at(settings.home).snowflake_reader_key),
        "database": settings.snowflake_database,
    }
    return snowflake.connector.connect(**arguments)


def test_the_reader_reads_the_marts_with_a_warehouse_of_its_own(provisioned_cloud: Settings) -> None:
    with as_reader(provisioned_cloud) as session:
        (row,) = query_rows(session, "SELECT CURRENT_ROLE() AS role, CURRENT_WAREHOUSE() AS warehouse")
        assert row == {"role": "MOVIES_READER", "warehouse": "MOVIES_WH_READERS"}
        assert number_of(session, "SELECT COUNT(*) FROM MARTS.current_movies") is None
        assert number_of(session, "SELECT COUNT(*) FROM CORE.dim_movie") == HIDDEN


def test_without_an_administrator_a_deployment_says_what_is_missing_and_goes_on_when_it_is_there(
    provisioned_cloud: Settings,
) -> None:
    settings = another(provisioned_cloud, "byhand").model_copy(update={"snowflake_admin_user": None})
    with pytest.raises(AccountNotPreparedError, match="MOVIES_BYHAND_DEPLOYER"):
        provision(settings)
    script = print_account_sql(settings)
    with connect(provisioned_cloud, login="administrator") as session, session.cursor() as cursor:
        for statement in split_statements(script):
            # The users and their keys are those of the first platform.
            if " SET RSA_PUBLIC_KEY" not in statement and "ON ACCOUNT" not in statement:
                cursor.execute(statement)
    with pytest.raises(AccountNotPreparedError, match="EXECUTE TASK ON ACCOUNT is not granted"):
        provision(settings)
    with connect(provisioned_cloud, login="administrator") as session, session.cursor() as cursor:
        cursor.execute("GRANT EXECUTE TASK ON ACCOUNT TO ROLE MOVIES_BYHAND_TRANSFORMER")
    report = provision(settings)
    assert min(report.sql_files) >= "050"
    assert not provision(settings).changed
    assert not provision(settings, dry_run=True).changed


def test_a_new_key_opens_beside_the_old_one(provisioned_cloud: Settings, tmp_path: Path) -> None:
    new = tmp_path / "new.p8"
    ensure_private_key(new)
    settings = provisioned_cloud.model_copy(update={"snowflake_deployer_private_key_path": new})
    with pytest.raises(WarehouseUnavailableError, match="JWT token is invalid"):
        connect(settings, login="deployer")
    provision(settings)
    for opening in (settings, provisioned_cloud):
        with connect(opening, login="deployer") as session:
            assert (
                next(query_rows(session, "SELECT CURRENT_USER() AS name"))["name"]
                == "MOVIE_PLATFORM_DEPLOYER"
            )
    with connect(provisioned_cloud, login="administrator") as session, session.cursor() as cursor:
        cursor.execute("ALTER USER MOVIE_PLATFORM_DEPLOYER UNSET RSA_PUBLIC_KEY_2")


def test_a_warehouse_that_others_made_stays_as_it_is(provisioned_cloud: Settings) -> None:
    settings = another(provisioned_cloud, "shared")
    with connect(provisioned_cloud, login="administrator") as session, session.cursor() as cursor:
        cursor.execute(
            f"CREATE WAREHOUSE {settings.snowflake_warehouse} WAREHOUSE_SIZE = LARGE AUTO_SUSPEND = 7"
        )
    provision(settings)
    with connect(provisioned_cloud, login="administrator") as session:
        shown = query_rows(session, f"SHOW WAREHOUSES LIKE '{settings.snowflake_warehouse}'")
        (row,) = [(row["size"], row["auto_suspend"], row["resource_monitor"]) for row in shown]
    assert row == ("Large", 7, "null")
