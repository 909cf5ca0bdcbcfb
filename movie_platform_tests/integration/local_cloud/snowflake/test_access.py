"""Roles, grants, warehouses, integrations, stages and table DDL of the local Snowflake: recorded, shown, refused."""

import uuid
from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, ProgrammingError

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def database(snowflake_cloud: SnowflakeCloud) -> str:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE ACCESS COMMENT = 'tests'")
    return "ACCESS"


@pytest.fixture
def connection(snowflake_cloud: SnowflakeCloud, database: str) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect(database=database) as opened:
        rows(opened, f"CREATE SCHEMA S{uuid.uuid4().hex[:8]}")
        yield opened


@pytest.fixture
def role(connection: SnowflakeConnection) -> str:
    name = f"R{uuid.uuid4().hex[:8].upper()}"
    rows(connection, f"CREATE ROLE {name}")
    return name


def privileges(connection: SnowflakeConnection, sql: str) -> set[tuple[str, str, str]]:
    return {(row["privilege"], row["granted_on"], row["name"]) for row in dicts(connection, sql)}


def test_system_roles_exist_from_the_start(connection: SnowflakeConnection) -> None:
    """Overview of access control: system-defined roles."""
    names = {row["name"] for row in dicts(connection, "SHOW ROLES")}
    assert names >= {"ACCOUNTADMIN", "SECURITYADMIN", "USERADMIN", "SYSADMIN", "PUBLIC"}
    assert ("USAGE", "ROLE", "SYSADMIN") in privileges(connection, "SHOW GRANTS TO ROLE ACCOUNTADMIN")


def test_a_grant_is_shown_and_a_revoke_takes_it_away(connection: SnowflakeConnection, role: str) -> None:
    """GRANT <privileges> … TO ROLE, REVOKE, SHOW GRANTS."""
    rows(connection, "CREATE TABLE t (n NUMBER)")
    schema = rows(connection, "SELECT CURRENT_SCHEMA()")[0][0]
    rows(connection, f"GRANT SELECT, INSERT ON TABLE t TO ROLE {role} WITH GRANT OPTION")
    table = f"ACCESS.{schema}.T"
    assert privileges(connection, f"SHOW GRANTS TO ROLE {role}") == {
        ("SELECT", "TABLE", table),
        ("INSERT", "TABLE", table),
    }
    assert ("OWNERSHIP", "TABLE", table) in privileges(connection, "SHOW GRANTS ON TABLE t")
    rows(connection, f"REVOKE INSERT ON TABLE t FROM ROLE {role}")
    assert privileges(connection, f"SHOW GRANTS TO ROLE {role}") == {("SELECT", "TABLE", table)}
    rows(connection, "DROP TABLE t")
    assert privileges(connection, f"SHOW GRANTS TO ROLE {role}") == set()


def test_future_grants_become_grants_on_new_objects(connection: SnowflakeConnection, role: str) -> None:
    """GRANT <privileges> … TO ROLE, "Future grants on database or schema objects": schema before database."""
    schema = rows(connection, "SELECT CURRENT_SCHEMA()")[0][0]
    rows(connection, f"GRANT SELECT ON FUTURE TABLES IN SCHEMA {schema} TO ROLE {role}")
    rows(connection, f"GRANT INSERT ON FUTURE TABLES IN DATABASE ACCESS TO ROLE {role}")
    rows(connection, "CREATE TABLE t (n NUMBER)")
    assert privileges(connection, f"SHOW GRANTS TO ROLE {role}") == {
        ("SELECT", "TABLE", f"ACCESS.{schema}.T")
    }
    future = dicts(connection, f"SHOW FUTURE GRANTS IN SCHEMA {schema}")
    assert [(row["privilege"], row["grant_on"], row["name"], row["grantee_name"]) for row in future] == [
        ("SELECT", "TABLE", f"ACCESS.{schema}.<TABLE>", role)
    ]
    rows(connection, f"REVOKE INSERT ON FUTURE TABLES IN DATABASE ACCESS FROM ROLE {role}")
    assert len(dicts(connection, f"SHOW FUTURE GRANTS TO ROLE {role}")) == 1


def test_a_grant_on_all_objects_reaches_those_that_exist(connection: SnowflakeConnection, role: str) -> None:
    schema = rows(connection, "SELECT CURRENT_SCHEMA()")[0][0]
    rows(connection, "CREATE TABLE a (n NUMBER)")
    rows(connection, "CREATE VIEW v AS SELECT * FROM a")
    rows(connection, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO ROLE {role}")
    rows(connection, f"GRANT USAGE ON ALL SCHEMAS IN DATABASE ACCESS TO ROLE {role}")
    shown = privileges(connection, f"SHOW GRANTS TO ROLE {role}")
    assert ("SELECT", "TABLE", f"ACCESS.{schema}.A") in shown
    assert ("USAGE", "SCHEMA", f"ACCESS.{schema}") in shown
    assert not any(name.endswith(".V") for _, _, name in shown)


def test_roles_are_granted_to_roles_and_users(connection: SnowflakeConnection, role: str) -> None:
    """GRANT ROLE, SHOW GRANTS OF ROLE."""
    rows(connection, f"GRANT ROLE {role} TO ROLE SYSADMIN")
    rows(connection, f"GRANT ROLE {role} TO USER ADMIN")
    of = {
        (row["granted_to"], row["grantee_name"]) for row in dicts(connection, f"SHOW GRANTS OF ROLE {role}")
    }
    assert of == {("ROLE", "SYSADMIN"), ("USER", "ADMIN")}
    rows(connection, f"USE ROLE {role}")
    assert rows(connection, "SELECT CURRENT_ROLE()") == [(role,)]
    rows(connection, "USE ROLE ACCOUNTADMIN")
    rows(connection, f"DROP ROLE {role}")
    with pytest.raises(ProgrammingError, match="does not exist"):
        rows(connection, f"SHOW GRANTS TO ROLE {role}")


def test_ownership_has_one_holder(connection: SnowflakeConnection, role: str) -> None:
    """GRANT OWNERSHIP."""
    rows(connection, "CREATE TABLE t (n NUMBER)")
    rows(connection, f"GRANT OWNERSHIP ON TABLE t TO ROLE {role} COPY CURRENT GRANTS")
    owners = [row for row in dicts(connection, "SHOW GRANTS ON TABLE t") if row["privilege"] == "OWNERSHIP"]
    assert [row["grantee_name"] for row in owners] == [role]


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT FLY ON DATABASE ACCESS TO ROLE PUBLIC",
        "GRANT SELECT ON DATABASE ACCESS TO ROLE PUBLIC",
        "GRANT SELECT ON TABLE nothing_there TO ROLE PUBLIC",
        "GRANT USAGE ON DATABASE ACCESS TO ROLE nobody",
        "GRANT ROLE nobody TO ROLE PUBLIC",
        "GRANT USAGE ON DATABASE ACCESS TO ROLE PUBLIC AND MORE",
        "GRANT USAGE ON DATABASE ACCESS TO SHARE s",
        "CREATE ROLE PUBLIC",
        "DROP ROLE ACCOUNTADMIN",
        "CREATE ROLE r COLOUR = 'red'",
        "CREATE WAREHOUSE w WAREHOUSE_SIZE = ENORMOUS",
        "ALTER WAREHOUSE nothing_there SUSPEND",
        "CREATE RESOURCE MONITOR m WITH CREDIT_QUOTA = 1 TRIGGERS ON 10 PERCENT DO EXPLODE",
        "CREATE STORAGE INTEGRATION i TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'AZURE' ENABLED = TRUE",
        "CREATE STORAGE INTEGRATION i TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE",
        "CREATE STAGE s",
        "CREATE STAGE s URL = 'file:///etc/'",
        "CREATE FILE FORMAT f TYPE = AVRO",
        "CREATE FILE FORMAT f TYPE = PARQUET FIELD_DELIMITER = ','",
        'CREATE DATABASE "../outside"',
    ],
)
def test_what_is_not_understood_is_refused(connection: SnowflakeConnection, sql: str) -> None:
    with pytest.raises(DatabaseError):
        rows(connection, sql)


def test_warehouses_and_monitors_are_shown_as_they_were_made(connection: SnowflakeConnection) -> None:
    """CREATE WAREHOUSE, SHOW WAREHOUSES, CREATE RESOURCE MONITOR, SHOW RESOURCE MONITORS."""
    rows(
        connection,
        "CREATE WAREHOUSE IF NOT EXISTS wh WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE "
        "INITIALLY_SUSPENDED = TRUE COMMENT = 'small'",
    )
    rows(
        connection,
        "CREATE RESOURCE MONITOR IF NOT EXISTS wh_monitor WITH CREDIT_QUOTA = 10 FREQUENCY = MONTHLY "
        "START_TIMESTAMP = IMMEDIATELY TRIGGERS ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND",
    )
    rows(connection, "ALTER WAREHOUSE wh SET RESOURCE_MONITOR = wh_monitor")
    (row,) = dicts(connection, "SHOW WAREHOUSES LIKE 'wh'")
    assert (row["size"], row["state"], row["auto_suspend"], row["auto_resume"], row["resource_monitor"]) == (
        "X-Small",
        "SUSPENDED",
        60,
        "true",
        "WH_MONITOR",
    )
    rows(connection, "ALTER WAREHOUSE wh RESUME")
    assert dicts(connection, "SHOW WAREHOUSES LIKE 'wh'")[0]["state"] == "STARTED"
    (monitor,) = dicts(connection, "SHOW RESOURCE MONITORS")
    assert (monitor["credit_quota"], monitor["notify_at"], monitor["suspend_at"]) == ("10", "80%", "100%")


def test_desc_integration_gives_what_the_role_must_trust(connection: SnowflakeConnection) -> None:
    """DESCRIBE INTEGRATION; CREATE STORAGE INTEGRATION: a re-created integration has another external ID."""
    create = (
        "STORAGE INTEGRATION archive TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE "
        "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::000000000000:role/archive' STORAGE_ALLOWED_LOCATIONS = ('s3://archive-x/')"
    )

    def described() -> dict[str, str]:
        return {
            row["property"]: row["property_value"] for row in dicts(connection, "DESC INTEGRATION archive")
        }

    rows(connection, f"CREATE {create}")
    first = described()
    assert first["STORAGE_AWS_IAM_USER_ARN"].startswith("arn:aws:iam::")
    assert first["STORAGE_ALLOWED_LOCATIONS"] == "s3://archive-x/"
    rows(
        connection,
        "ALTER STORAGE INTEGRATION archive SET STORAGE_ALLOWED_LOCATIONS = ('s3://archive-x/', 's3://archive-y/')",
    )
    assert described()["STORAGE_AWS_EXTERNAL_ID"] == first["STORAGE_AWS_EXTERNAL_ID"]
    rows(connection, "CREATE STAGE good URL = 's3://archive-y/sub/' STORAGE_INTEGRATION = archive")
    with pytest.raises(DatabaseError, match="not allowed"):
        rows(connection, "CREATE STAGE bad URL = 's3://archive-z/' STORAGE_INTEGRATION = archive")
    assert dicts(connection, "SHOW STAGES")[0]["storage_integration"] == "ARCHIVE"
    rows(connection, f"CREATE OR REPLACE {create}")
    assert described()["STORAGE_AWS_EXTERNAL_ID"] != first["STORAGE_AWS_EXTERNAL_ID"]


def test_keys_are_recorded_and_not_enforced(connection: SnowflakeConnection) -> None:
    """Constraints: only NOT NULL is enforced."""
    rows(connection, "CREATE TABLE other (x NUMBER PRIMARY KEY)")
    rows(
        connection,
        "CREATE TABLE t (k NUMBER, u NUMBER UNIQUE, f NUMBER REFERENCES other (x), CONSTRAINT pk PRIMARY KEY (k))",
    )
    rows(connection, "INSERT INTO t VALUES (1, 1, 1), (1, 1, 1)")
    with pytest.raises(DatabaseError, match="NULL result"):
        rows(connection, "INSERT INTO t VALUES (NULL, 1, 1)")
    keys = {row["name"]: (row["primary key"], row["unique key"]) for row in dicts(connection, "DESC TABLE t")}
    assert keys == {"K": ("Y", "N"), "U": ("N", "Y"), "F": ("N", "N")}
    assert [row["column_name"] for row in dicts(connection, "SHOW PRIMARY KEYS IN TABLE t")] == ["K"]


def test_comments_are_kept_and_shown(connection: SnowflakeConnection) -> None:
    """COMMENT; CREATE TABLE and CREATE VIEW (COMMENT); INFORMATION_SCHEMA: COLUMNS view."""
    rows(
        connection,
        "CREATE TABLE t (n NUMBER COMMENT 'it''s a number', s VARCHAR(7)) COMMENT = 'it''s a table'",
    )
    rows(connection, "COMMENT ON COLUMN t.s IS 'text'")
    rows(connection, "CREATE VIEW v (n COMMENT 'seen') COMMENT = 'a view' AS SELECT n FROM t")
    assert rows(
        connection,
        "SELECT table_name, column_name, comment FROM INFORMATION_SCHEMA.COLUMNS "
        "WHERE table_schema = CURRENT_SCHEMA() ORDER BY 1, 2",
    ) == [("T", "N", "it's a number"), ("T", "S", "text"), ("V", "N", "seen")]
    assert [row["comment"] for row in dicts(connection, "DESCRIBE VIEW v")] == ["seen"]
    rows(connection, "ALTER TABLE t ALTER COLUMN s COMMENT 'changed'")
    rows(connection, "COMMENT ON TABLE t IS 'other'")
    assert dicts(connection, "DESCRIBE TABLE t")[1]["comment"] == "changed"


def test_tables_are_altered_renamed_replaced_and_dropped(connection: SnowflakeConnection) -> None:
    """CREATE TABLE, ALTER TABLE, DROP TABLE: messages and effects."""
    assert rows(connection, "CREATE TABLE t (n NUMBER)") == [("Table T successfully created.",)]
    assert rows(connection, "CREATE TABLE IF NOT EXISTS t (other DATE)") == [
        ("T already exists, statement succeeded.",)
    ]
    with pytest.raises(ProgrammingError) as caught:
        rows(connection, "CREATE TABLE t (n NUMBER)")
    assert caught.value.errno == 2002
    rows(connection, "INSERT INTO t VALUES (1)")
    rows(connection, "ALTER TABLE t ADD COLUMN s VARCHAR, d DATE")
    rows(connection, "ALTER TABLE t RENAME COLUMN s TO label")
    rows(connection, "ALTER TABLE t DROP COLUMN d")
    rows(connection, "ALTER TABLE t RENAME TO u")
    assert dicts(connection, "SELECT * FROM u") == [{"N": 1, "LABEL": None}]
    rows(connection, "CREATE OR REPLACE TABLE u AS SELECT 2 AS n, 'x' AS label")
    assert rows(connection, "SELECT n, label FROM u") == [(2, "x")]
    with pytest.raises(ProgrammingError, match="not specified type"):
        rows(connection, "DROP VIEW u")
    rows(connection, "DROP TABLE u")
    with pytest.raises(ProgrammingError):
        rows(connection, "SELECT * FROM u")


def test_a_new_database_or_schema_becomes_current_and_a_dropped_one_is_gone(
    snowflake_cloud: SnowflakeCloud,
) -> None:
    """CREATE DATABASE, CREATE SCHEMA: "automatically sets it as the active/current" one."""
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE passing")
        assert rows(opened, "SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()") == [("PASSING", "PUBLIC")]
        rows(opened, "CREATE SCHEMA inner_one")
        rows(opened, "CREATE TABLE t AS SELECT 1 AS n")
        rows(opened, "CREATE STAGE st URL = 's3://some-bucket/'")
        rows(opened, "DROP SCHEMA inner_one")
        rows(opened, "CREATE SCHEMA inner_one")
        assert rows(opened, "SHOW STAGES") == []
        rows(opened, "DROP DATABASE passing")
        assert rows(opened, "SELECT CURRENT_DATABASE()") == [(None,)]
        assert "PASSING" not in {row["name"] for row in dicts(opened, "SHOW DATABASES")}
        rows(opened, "CREATE DATABASE passing")
        assert rows(opened, "SHOW TABLES IN DATABASE passing") == []
