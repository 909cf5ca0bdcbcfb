"""What a role may do on the local Snowflake: each action tried by each role, and the rules behind it.

Snowflake's documentation: "Overview of access control"
(docs.snowflake.com/en/user-guide/security-access-control-overview),
"Access control privileges" (…/security-access-control-privileges), and "Access control requirements" of each statement.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.statements.router import Router
from movie_platform_tests.local_engine import local_account, open_session, run

HIDDEN, INSUFFICIENT, NO_WAREHOUSE = 2003, 3001, 606

SET_UP = """
CREATE WAREHOUSE wh;
CREATE ROLE owner; CREATE ROLE reader; CREATE ROLE loader;
CREATE ROLE changer; CREATE ROLE operator; CREATE ROLE nobody;
GRANT USAGE ON WAREHOUSE wh TO ROLE owner;
GRANT USAGE ON WAREHOUSE wh TO ROLE reader;
GRANT USAGE ON WAREHOUSE wh TO ROLE loader;
GRANT USAGE ON WAREHOUSE wh TO ROLE changer;
GRANT USAGE ON WAREHOUSE wh TO ROLE operator;
GRANT USAGE ON WAREHOUSE wh TO ROLE nobody;
GRANT OPERATE ON WAREHOUSE wh TO ROLE operator;
GRANT EXECUTE TASK ON ACCOUNT TO ROLE owner;
GRANT CREATE DATABASE ON ACCOUNT TO ROLE owner;
CREATE STORAGE INTEGRATION place TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE
STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::000000000000:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://bucket/');
GRANT USAGE ON INTEGRATION place TO ROLE owner;
GRANT ROLE owner TO USER tests; GRANT ROLE reader TO USER tests; GRANT ROLE loader TO USER tests;
GRANT ROLE changer TO USER tests; GRANT ROLE operator TO USER tests; GRANT ROLE nobody TO USER tests;
USE ROLE owner;
CREATE DATABASE films;
CREATE SCHEMA films.s;
CREATE TABLE films.s.t (id NUMBER);
CREATE TABLE films.s.other (id NUMBER);
CREATE VIEW films.s.v AS SELECT id FROM films.s.t;
CREATE STREAM films.s.news ON TABLE films.s.t;
CREATE FILE FORMAT films.s.format TYPE = PARQUET;
CREATE STAGE films.s.stage URL = 's3://bucket/' STORAGE_INTEGRATION = place;
CREATE PIPE films.s.pipe AS COPY INTO films.s.other FROM @films.s.stage FILE_FORMAT = (FORMAT_NAME = 'films.s.format')
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;
CREATE TASK films.s.task WAREHOUSE = wh SCHEDULE = '60 MINUTE' AS INSERT INTO films.s.other SELECT id FROM films.s.v;
CREATE SEQUENCE films.s.numbers;
GRANT USAGE ON DATABASE films TO ROLE reader; GRANT USAGE ON SCHEMA films.s TO ROLE reader;
GRANT USAGE ON DATABASE films TO ROLE loader; GRANT USAGE ON SCHEMA films.s TO ROLE loader;
GRANT USAGE ON DATABASE films TO ROLE changer; GRANT USAGE ON SCHEMA films.s TO ROLE changer;
GRANT USAGE ON DATABASE films TO ROLE operator; GRANT USAGE ON SCHEMA films.s TO ROLE operator;
GRANT SELECT ON VIEW films.s.v TO ROLE reader;
GRANT SELECT ON STREAM films.s.news TO ROLE reader;
GRANT INSERT ON TABLE films.s.t TO ROLE loader;
GRANT SELECT, INSERT ON TABLE films.s.other TO ROLE loader;
GRANT USAGE ON STAGE films.s.stage TO ROLE loader; GRANT USAGE ON FILE FORMAT films.s.format TO ROLE loader;
GRANT CREATE PIPE, CREATE TABLE, CREATE TASK ON SCHEMA films.s TO ROLE loader;
GRANT SELECT, UPDATE, DELETE, TRUNCATE ON TABLE films.s.t TO ROLE changer;
GRANT OPERATE ON TASK films.s.task TO ROLE operator;
GRANT OPERATE ON PIPE films.s.pipe TO ROLE operator
"""
COPY = (
    "COPY INTO films.s.other FROM @films.s.stage FILE_FORMAT = (FORMAT_NAME = 'films.s.format') "
    "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
)
ROLES = ("OWNER", "READER", "LOADER", "CHANGER", "OPERATOR", "NOBODY")
# A letter a role: + may, - may not and may know of the object, 0 may not know of it.
ACTIONS = {
    "SELECT id FROM films.s.t": "+0-+00",
    "SELECT id FROM films.s.v": "++0000",
    "SELECT id FROM films.s.news": "+00000",
    "SELECT SYSTEM$STREAM_HAS_DATA('films.s.news')": "+00000",
    "WITH t AS (SELECT id FROM films.s.t) SELECT id FROM t": "+0-+00",
    "SELECT id FROM IDENTIFIER('films.s.t')": "+0-+00",
    "INSERT INTO films.s.t VALUES (1)": "+0+-00",
    "INSERT INTO films.s.t SELECT id FROM films.s.t": "+0--00",
    "INSERT OVERWRITE INTO films.s.t SELECT 1": "+0--00",
    "UPDATE films.s.t SET id = id": "+0-+00",
    "DELETE FROM films.s.t WHERE id = 0": "+0-+00",
    "TRUNCATE TABLE films.s.t": "+0-+00",
    "MERGE INTO films.s.t USING (SELECT 1 AS id) n ON t.id = n.id WHEN MATCHED THEN DELETE": "+0-+00",
    "MERGE INTO films.s.t USING (SELECT 1 AS id) n ON t.id = n.id WHEN MATCHED THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (id) VALUES (n.id)": "+0--00",
    "CREATE OR REPLACE TABLE films.s.made_by_{role} AS SELECT 1 AS id": "+-+--0",
    "CREATE OR REPLACE TEMPORARY TABLE own (id NUMBER)": "+++++0",
    "CREATE OR REPLACE VIEW films.s.seen_by_{role} AS SELECT 1 AS id": "+----0",
    "CREATE OR REPLACE TABLE films.s.other_{role} CLONE films.s.t": "+----0",
    "CREATE SEQUENCE IF NOT EXISTS films.s.counted": "+----0",
    "CREATE OR REPLACE STREAM films.s.stream_{role} ON TABLE films.s.t": "+----0",
    "CREATE OR REPLACE FILE FORMAT films.s.format_{role} TYPE = PARQUET": "+----0",
    "CREATE OR REPLACE STAGE films.s.stage_{role} URL = 's3://bucket/' STORAGE_INTEGRATION = place": "+00000",
    "CREATE OR REPLACE PIPE films.s.pipe_{role} AS " + COPY: "+-+--0",
    "CREATE OR REPLACE TASK films.s.task_{role} WAREHOUSE = wh SCHEDULE = '9 MINUTE' AS SELECT 1": "+-+--0",
    "CREATE SCHEMA IF NOT EXISTS films.another": "+----0",
    "CREATE OR REPLACE DATABASE made_by_{role}": "+-----",
    "CREATE ROLE IF NOT EXISTS made_by_{role}": "------",
    "CREATE USER IF NOT EXISTS made_by_{role}": "------",
    "CREATE WAREHOUSE IF NOT EXISTS made_by_{role}": "------",
    "CREATE RESOURCE MONITOR IF NOT EXISTS made_by_{role} WITH CREDIT_QUOTA = 1": "------",
    "ALTER TABLE films.s.t ALTER COLUMN id COMMENT 'key'": "+0--00",
    "COMMENT ON TABLE films.s.t IS 'films'": "+0--00",
    "CREATE OR ALTER TABLE films.s.t (id NUMBER)": "+0--00",
    "CREATE OR ALTER VIEW films.s.v AS SELECT id FROM films.s.t": "+-0000",
    "CREATE OR ALTER FILE FORMAT films.s.format TYPE = PARQUET": "+----0",
    "CREATE OR ALTER SCHEMA films.s": "+----0",
    "CREATE OR ALTER DATABASE films": "+----0",
    "CREATE OR ALTER WAREHOUSE wh": "------",
    "CREATE OR ALTER ROLE reader": "000000",
    "ALTER TABLE films.s.t ADD PRIMARY KEY (id)": "+0--00",
    "ALTER TABLE films.s.t DROP PRIMARY KEY": "+0--00",
    "ALTER TABLE films.s.t UNSET DATA_RETENTION_TIME_IN_DAYS": "+0--00",
    "SELECT GET_DDL('TABLE', 'films.s.t')": "+0++00",
    "SELECT GET_DDL('VIEW', 'films.s.v')": "++0000",
    "SHOW PARAMETERS IN TABLE films.s.t": "+0++00",
    "CREATE OR REPLACE TEMPORARY VIEW own_view AS SELECT id FROM films.s.v": "++0000",
    "DROP TABLE films.s.t": " 0--00",
    "DROP VIEW films.s.v": " -0000",
    "DROP STREAM films.s.news": " -0000",
    "DROP STAGE films.s.stage": " 0-000",
    "DROP PIPE films.s.pipe": " 000-0",
    "DROP TASK films.s.task": " 000-0",
    "DROP SEQUENCE films.s.numbers": " 00000",
    "DROP SCHEMA films.s": " ----0",
    "DROP DATABASE films": " ----0",
    "ALTER STAGE films.s.stage SET COMMENT = 'files'": "+0-000",
    "ALTER STREAM films.s.news SET COMMENT = 'news'": "+-0000",
    "DESCRIBE STAGE films.s.stage": "+0+000",
    "ALTER PIPE films.s.pipe SET PIPE_EXECUTION_PAUSED = TRUE": "+000+0",
    "ALTER PIPE films.s.pipe SET COMMENT = 'loads'": "+000-0",
    "SELECT SYSTEM$PIPE_STATUS('films.s.pipe')": "+000+0",
    "ALTER TASK films.s.task RESUME": "+000+0",
    "ALTER TASK films.s.task SUSPEND": "+000+0",
    "ALTER TASK films.s.task SET COMMENT = 'copies'": "+000-0",
    "EXECUTE TASK films.s.task": "+000+0",
    "DESCRIBE TASK films.s.task": "+000+0",
    "ALTER WAREHOUSE wh RESUME": "----+-",
    "ALTER WAREHOUSE wh SET AUTO_SUSPEND = 60": "------",
    "DROP WAREHOUSE wh": "------",
    "DESCRIBE INTEGRATION place": "+00000",
    "DROP INTEGRATION place": "-00000",
    "GRANT SELECT ON TABLE films.s.t TO ROLE changer": "+0--00",
    "REVOKE SELECT ON TABLE films.s.other FROM ROLE reader": "+0-000",
    "GRANT SELECT ON FUTURE TABLES IN SCHEMA films.s TO ROLE reader": "-----0",
    "GRANT USAGE ON WAREHOUSE wh TO ROLE PUBLIC": "------",
    "GRANT EXECUTE TASK ON ACCOUNT TO ROLE loader": "------",
    "GRANT ROLE owner TO ROLE reader": "------",
    "USE SCHEMA films.s": "+++++0",
    "USE DATABASE films": "+++++0",
    "DESCRIBE TABLE films.s.t": "+0++00",
}
CASES = [
    pytest.param(action, role, letter, id=f"{role}: {action[:60]}")
    for action, letters in ACTIONS.items()
    for role, letter in zip(ROLES, letters, strict=True)
    # What would end the place for those after is tried by those alone that may not.
    if letter != " "
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with local_account(tmp_path_factory.mktemp("account")) as made:
        session = open_session(made)
        for statement in SET_UP.split(";"):
            run(session, statement.strip())
        session.close()
        yield made


def session_of(
    account: Account, role: str, *, warehouse: str | None = "WH", secondary: bool = False
) -> Session:
    session = Session(account, Router(), "TESTS", role, warehouse=warehouse, secondary_roles=secondary)
    # Where a session may be left by a role that it had before.
    session.translator.use("FILMS", "S")
    return session


def number_of(session: Session, sql: str) -> int | None:
    """Snowflake's number of the error that a statement ends with; None where it is done."""
    try:
        run(session, sql)
    except SnowflakeError as error:
        return error.number
    return None


@pytest.mark.parametrize(("action", "role", "letter"), CASES)
def test_a_role_may_do_what_it_was_granted_and_nothing_else(
    account: Account, action: str, role: str, letter: str
) -> None:
    session = session_of(account, role)
    try:
        found = number_of(session, action.format(role=role.lower()))
    finally:
        session.close()
    assert found == {"+": None, "-": INSUFFICIENT, "0": HIDDEN}[letter]


def refused(session: Session, sql: str) -> SnowflakeError:
    with pytest.raises(SnowflakeError) as caught:
        run(session, sql)
    return caught.value


def test_what_is_hidden_and_what_is_not_there_are_told_in_the_same_words(account: Account) -> None:
    nobody, operator = session_of(account, "NOBODY"), session_of(account, "OPERATOR")
    hidden, missing = (
        refused(operator, "SELECT id FROM films.s.t"),
        refused(operator, "DROP TABLE films.s.gone"),
    )
    assert hidden.message == "SQL compilation error:\nObject 'FILMS.S.T' does not exist or not authorized."
    assert missing.message == "SQL compilation error:\nTable 'FILMS.S.GONE' does not exist or not authorized."
    assert refused(nobody, "SELECT id FROM films.s.t").message == (
        "SQL compilation error:\nDatabase 'FILMS' does not exist or not authorized."
    )
    known = refused(session_of(account, "LOADER"), "SELECT id FROM films.s.t")
    assert (known.number, known.sqlstate, known.message) == (
        3001,
        "42501",
        "SQL access control error:\nInsufficient privileges to operate on table 'T'.",
    )


def test_a_warehouse_that_the_role_may_not_use_is_none(account: Account) -> None:
    admin = open_session(account)
    run(admin, "CREATE WAREHOUSE locked")
    session = session_of(account, "OWNER", warehouse="LOCKED")
    assert number_of(session, "SELECT id FROM films.s.t") == NO_WAREHOUSE
    assert number_of(session, "USE WAREHOUSE locked") == HIDDEN
    run(admin, "GRANT USAGE ON WAREHOUSE locked TO ROLE owner")
    assert number_of(session, "SELECT id FROM films.s.t") is None


def test_show_lists_what_the_role_has_a_privilege_on(account: Account) -> None:
    def shown(role: str, what: str, column: int) -> set[str]:
        return {str(row[column]) for row in run(session_of(account, role), f"SHOW {what}")}

    assert shown("NOBODY", "TABLES IN ACCOUNT", 1) == set()
    assert "T" in shown("CHANGER", "TABLES IN ACCOUNT", 1)
    assert shown("READER", "TABLES IN ACCOUNT", 1) == set()
    assert shown("READER", "VIEWS IN ACCOUNT", 1) == {"V"}
    assert shown("NOBODY", "DATABASES", 1) == set()
    assert "FILMS" in shown("READER", "DATABASES", 1)
    assert shown("READER", "TASKS IN ACCOUNT", 1) == set()
    assert shown("OPERATOR", "TASKS IN ACCOUNT", 1) == {"TASK"}
    assert shown("OPERATOR", "PIPES IN ACCOUNT", 1) == {"PIPE"}
    assert "NEWS" in shown("READER", "STREAMS IN ACCOUNT", 1)
    assert shown("LOADER", "STAGES IN ACCOUNT", 1) == {"STAGE"}
    assert "WH" in shown("NOBODY", "WAREHOUSES", 0)
    assert shown("READER", "STORAGE INTEGRATIONS", 0) == set()
    assert shown("OWNER", "STORAGE INTEGRATIONS", 0) == {"PLACE"}


def test_a_view_reads_with_its_owners_rights_as_they_are_when_it_is_read(account: Account) -> None:
    admin = open_session(account)
    for statement in (
        "CREATE ROLE sharer",
        "CREATE TABLE films.s.secret (id NUMBER)",
        "GRANT ROLE sharer TO USER tests",
        "GRANT USAGE ON WAREHOUSE wh TO ROLE sharer",
        "GRANT USAGE ON DATABASE films TO ROLE sharer",
        "GRANT USAGE, CREATE VIEW ON SCHEMA films.s TO ROLE sharer",
        "GRANT SELECT ON TABLE films.s.secret TO ROLE sharer",
    ):
        run(admin if "CREATE TABLE" not in statement else session_of(account, "OWNER"), statement)
    sharer, reader = session_of(account, "SHARER"), session_of(account, "READER")
    run(sharer, "CREATE VIEW films.s.shared AS SELECT id FROM films.s.secret")
    run(sharer, "GRANT SELECT ON VIEW films.s.shared TO ROLE reader")
    assert number_of(reader, "SELECT id FROM films.s.shared") is None
    assert number_of(reader, "SELECT id FROM films.s.secret") == HIDDEN
    run(admin, "REVOKE SELECT ON TABLE films.s.secret FROM ROLE sharer")
    failed = refused(reader, "SELECT id FROM films.s.shared")
    assert failed.number == 2037
    assert "Failure during expansion of view 'SHARED'" in failed.message


def test_create_is_authorized_by_the_primary_role_and_all_else_by_secondary_roles_as_well(
    account: Account,
) -> None:
    """USE SECONDARY ROLES."""
    session = session_of(account, "NOBODY", secondary=True)
    assert number_of(session, "SELECT id FROM films.s.t") is None
    assert number_of(session, "CREATE TABLE films.s.mine (id NUMBER)") == HIDDEN
    run(session, "USE SECONDARY ROLES NONE")
    assert number_of(session, "SELECT id FROM films.s.t") == HIDDEN
    run(session, "USE SECONDARY ROLES ALL")
    assert number_of(session, "SELECT id FROM films.s.t") is None


def test_a_role_that_the_user_does_not_hold_cannot_be_used(account: Account) -> None:
    run(open_session(account), "CREATE ROLE foreign_role")
    session = session_of(account, "NOBODY")
    account.access.revoke(
        account.access.grants({"granted_to": "USER", "grantee_name": "TESTS", "name": "ACCOUNTADMIN"})
    )
    try:
        found = refused(session, "USE ROLE foreign_role")
        assert (found.number, found.sqlstate) == (3013, "42501")
        assert number_of(session, "USE ROLE reader") is None
    finally:
        account.access.ensure_administrator("TESTS", "")


def test_a_role_has_what_roles_granted_to_it_have(account: Account) -> None:
    """Role hierarchy: ACCOUNTADMIN has what SYSADMIN has, and that what custom roles beneath it have."""
    admin = open_session(account)
    run(admin, "CREATE ROLE above")
    session = session_of(account, "ABOVE")
    assert number_of(session, "SELECT id FROM films.s.v") == NO_WAREHOUSE
    run(admin, "GRANT ROLE reader TO ROLE above")
    assert number_of(session, "SELECT id FROM films.s.v") is None
    assert number_of(admin, "GRANT ROLE above TO ROLE reader") == 3010
    assert number_of(admin, "SELECT id FROM films.s.v") == HIDDEN
    run(admin, "GRANT ROLE above TO ROLE SYSADMIN")
    assert number_of(admin, "SELECT id FROM films.s.v") is None
    run(admin, "REVOKE ROLE above FROM ROLE SYSADMIN")


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("OWNER", {"OTHER", "T", "V"}),
        ("READER", {"V"}),
        ("LOADER", {"OTHER", "T"}),
        ("NOBODY", None),
    ],
)
def test_information_schema_and_show_keys_tell_a_role_of_what_it_has_a_right_on(
    account: Account, role: str, seen: set[str] | None
) -> None:
    """The page "Snowflake Information Schema" (…/sql-reference/info-schema): what the role has access to."""
    session = session_of(account, role)
    query = "SELECT table_name FROM films.INFORMATION_SCHEMA.{} WHERE table_schema = 'S'"
    if seen is None:
        assert number_of(session, query.format("TABLES")) == HIDDEN
        return
    for view in ("TABLES", "COLUMNS"):
        found = {row[0] for row in run(session, query.format(view))}
        assert {name for name in found if name in {"OTHER", "T", "V"}} == seen
    schemas = run(session, "SELECT schema_name FROM films.INFORMATION_SCHEMA.SCHEMATA")
    assert ("S",) in [tuple(row) for row in schemas]


def test_in_a_managed_schema_only_its_owner_grants(account: Account) -> None:
    """CREATE SCHEMA … WITH MANAGED ACCESS."""
    owner, admin = session_of(account, "OWNER"), open_session(account)
    run(owner, "CREATE SCHEMA films.managed WITH MANAGED ACCESS")
    run(owner, "GRANT USAGE, CREATE TABLE ON SCHEMA films.managed TO ROLE loader")
    loader = session_of(account, "LOADER")
    run(loader, "CREATE TABLE films.managed.t (id NUMBER)")
    assert number_of(loader, "GRANT SELECT ON TABLE films.managed.t TO ROLE reader") == INSUFFICIENT
    assert number_of(owner, "GRANT SELECT ON TABLE films.managed.t TO ROLE reader") is None
    assert number_of(owner, "GRANT SELECT ON FUTURE TABLES IN SCHEMA films.managed TO ROLE reader") is None
    assert number_of(owner, "GRANT SELECT ON FUTURE TABLES IN DATABASE films TO ROLE reader") == INSUFFICIENT
    run(loader, "CREATE TABLE films.managed.later (id NUMBER)")
    run(owner, "GRANT USAGE ON SCHEMA films.managed TO ROLE reader")
    assert number_of(session_of(account, "READER"), "SELECT id FROM films.managed.later") is None
    assert number_of(admin, "GRANT SELECT ON TABLE films.managed.t TO ROLE operator") is None
    run(owner, "DROP SCHEMA films.managed")


def test_who_has_a_privilege_with_grant_option_passes_it_on(account: Account) -> None:
    owner, reader = session_of(account, "OWNER"), session_of(account, "READER")
    run(owner, "CREATE TABLE films.s.passed (id NUMBER)")
    run(owner, "GRANT SELECT ON TABLE films.s.passed TO ROLE reader")
    assert number_of(reader, "GRANT SELECT ON TABLE films.s.passed TO ROLE operator") == INSUFFICIENT
    run(owner, "GRANT SELECT ON TABLE films.s.passed TO ROLE reader WITH GRANT OPTION")
    assert number_of(reader, "GRANT INSERT ON TABLE films.s.passed TO ROLE operator") == INSUFFICIENT
    assert number_of(reader, "GRANT SELECT ON TABLE films.s.passed TO ROLE operator") is None


def test_ownership_passes_to_another_role_and_then_only_that_may(account: Account) -> None:
    """GRANT OWNERSHIP: grants of others stay with COPY CURRENT GRANTS, and are in the way without."""
    owner = session_of(account, "OWNER")
    run(owner, "CREATE TABLE films.s.given (id NUMBER)")
    run(owner, "GRANT SELECT ON TABLE films.s.given TO ROLE reader")
    assert number_of(owner, "GRANT OWNERSHIP ON TABLE films.s.given TO ROLE loader") == 3036
    run(owner, "GRANT OWNERSHIP ON TABLE films.s.given TO ROLE loader COPY CURRENT GRANTS")
    assert number_of(owner, "DROP TABLE films.s.given") == HIDDEN
    assert number_of(session_of(account, "READER"), "SELECT id FROM films.s.given") is None
    assert number_of(session_of(account, "LOADER"), "DROP TABLE films.s.given") is None


def test_what_a_dropped_role_owned_belongs_to_the_role_that_dropped_it(account: Account) -> None:
    """DROP ROLE."""
    admin = open_session(account)
    for statement in (
        "CREATE ROLE passing",
        "GRANT ROLE passing TO USER tests",
        "GRANT CREATE DATABASE ON ACCOUNT TO ROLE passing",
    ):
        run(admin, statement)
    run(session_of(account, "PASSING"), "CREATE DATABASE left_behind")
    assert number_of(admin, "DROP DATABASE left_behind") == HIDDEN
    run(admin, "DROP ROLE passing")
    assert number_of(admin, "DROP DATABASE left_behind") is None


def test_a_stream_asks_for_its_table_as_well_and_the_first_one_for_the_tables_ownership(
    account: Account,
) -> None:
    """Introduction to streams, "Required access privileges"; CREATE STREAM, "Access control requirements"."""
    owner, reader = session_of(account, "OWNER"), session_of(account, "READER")
    for statement in (
        "CREATE TABLE films.s.watched (id NUMBER)",
        "GRANT SELECT ON TABLE films.s.watched TO ROLE reader",
        "GRANT CREATE STREAM ON SCHEMA films.s TO ROLE reader",
    ):
        run(owner, statement)
    assert number_of(reader, "CREATE STREAM films.s.first ON TABLE films.s.watched") == INSUFFICIENT
    run(owner, "CREATE STREAM films.s.first ON TABLE films.s.watched")
    assert number_of(reader, "CREATE STREAM films.s.second ON TABLE films.s.watched") is None
    assert number_of(reader, "SELECT id FROM films.s.second") is None
    run(owner, "REVOKE SELECT ON TABLE films.s.watched FROM ROLE reader")
    assert number_of(reader, "SELECT id FROM films.s.second") == HIDDEN


def test_a_task_is_resumed_only_where_its_owner_may_execute_tasks(account: Account) -> None:
    """Introduction to tasks, "Task security"."""
    admin, loader = open_session(account), session_of(account, "LOADER")
    run(loader, "CREATE TASK films.s.kept WAREHOUSE = wh SCHEDULE = '60 MINUTE' AS SELECT 1")
    assert number_of(loader, "ALTER TASK films.s.kept RESUME") == 91089
    assert number_of(loader, "EXECUTE TASK films.s.kept") == 91089
    run(admin, "GRANT EXECUTE TASK ON ACCOUNT TO ROLE loader")
    assert number_of(loader, "ALTER TASK films.s.kept RESUME") is None
    run(admin, "REVOKE EXECUTE TASK ON ACCOUNT FROM ROLE loader")
    run(loader, "DROP TASK films.s.kept")


def test_task_history_shows_runs_of_tasks_that_the_role_may_see(account: Account) -> None:
    history = "SELECT * FROM TABLE(films.INFORMATION_SCHEMA.TASK_HISTORY())"
    for role in ("READER", "OPERATOR"):
        assert run(session_of(account, role), history) == []


def test_a_grant_counts_at_once_though_the_statement_was_planned_before(account: Account) -> None:
    owner, changer = session_of(account, "OWNER"), session_of(account, "CHANGER")
    run(owner, "CREATE TABLE films.s.planned (id NUMBER)")
    run(owner, "GRANT INSERT ON TABLE films.s.planned TO ROLE changer")
    for _ in range(2):
        run(changer, "INSERT INTO films.s.planned VALUES (1)")
    run(owner, "REVOKE INSERT ON TABLE films.s.planned FROM ROLE changer")
    assert number_of(changer, "INSERT INTO films.s.planned VALUES (1)") == HIDDEN
    run(owner, "GRANT INSERT ON TABLE films.s.planned TO ROLE changer")
    assert number_of(changer, "INSERT INTO films.s.planned VALUES (1)") is None


def test_grants_are_there_when_the_account_is_opened_again(tmp_path: Path) -> None:
    with local_account(tmp_path) as first:
        session = open_session(first)
        for statement in SET_UP.split(";"):
            run(session, statement.strip())
        session.close()
    with local_account(tmp_path) as again:
        assert number_of(session_of(again, "READER"), "SELECT id FROM films.s.v") is None
        assert number_of(session_of(again, "READER"), "SELECT id FROM films.s.t") == HIDDEN
