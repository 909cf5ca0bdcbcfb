"""What statements about every kind of object have in common, with the engine in the test's own process.

Sources: Snowflake documentation, CREATE, ALTER, DROP, DESCRIBE and SHOW of each kind
(docs.snowflake.com/en/sql-reference/sql/show-pipes and its neighbours).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform_tests.local_engine import local_account, open_session, run

pytestmark = pytest.mark.cloud

# What follows the name in a CREATE.
KINDS = {
    "PIPE": "AS COPY INTO t FROM @s",
    "STREAM": "ON TABLE t",
    "TASK": "SCHEDULE = '60 MINUTES' AS SELECT 1",
    "STAGE": "URL = 's3://bucket/prefix/'",
    "FILE FORMAT": "TYPE = PARQUET",
    "ROLE": "",
    "WAREHOUSE": "",
    "TABLE": "(a INT)",
    "VIEW": "AS SELECT 1 AS a",
    "SCHEMA": "",
    "DATABASE": "",
}
ALTERED = {
    "PIPE": "SET COMMENT = 'c'",
    "STREAM": "SET COMMENT = 'c'",
    "TASK": "SUSPEND",
    "STAGE": "SET COMMENT = 'c'",
    "ROLE": "SET COMMENT = 'c'",
    "WAREHOUSE": "SUSPEND",
    "TABLE": "ADD COLUMN b INT",
}
OF_A_SCHEMA = ("PIPE", "STREAM", "TASK")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home: Path = tmp_path_factory.mktemp("engine")
    with local_account(home) as account:
        opened = open_session(account)
        for database in ("D", "E"):
            for schema in ("PUBLIC", "OTHER"):
                run(opened, f"CREATE DATABASE IF NOT EXISTS {database}")
                run(opened, f"CREATE SCHEMA IF NOT EXISTS {database}.{schema}")
                run(opened, "CREATE TABLE t (a INT)")
                run(opened, "CREATE STAGE s URL = 's3://bucket/' FILE_FORMAT = (TYPE = PARQUET)")
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def in_the_same_place(session: Session) -> None:
    run(session, "USE SCHEMA D.PUBLIC")


def answer(session: Session, sql: str) -> str:
    [(text,)] = run(session, sql)
    return text


def number(session: Session, sql: str) -> int:
    with pytest.raises(SnowflakeError) as raised:
        run(session, sql)
    return raised.value.number


@pytest.mark.parametrize(("kind", "rest"), KINDS.items())
def test_a_create_says_what_it_did_and_what_it_found(session: Session, kind: str, rest: str) -> None:
    assert answer(session, f"CREATE {kind} made {rest}").endswith(" MADE successfully created.")
    run(session, "USE SCHEMA D.PUBLIC")
    assert answer(session, f"CREATE {kind} IF NOT EXISTS made {rest}") == (
        "MADE already exists, statement succeeded."
    )
    assert number(session, f"CREATE {kind} made {rest}") == 2002
    assert answer(session, f"CREATE OR REPLACE {kind} made {rest}").endswith(" MADE successfully created.")
    run(session, "USE SCHEMA D.PUBLIC")
    assert answer(session, f"DROP {kind} made") == "MADE successfully dropped."


@pytest.mark.parametrize("kind", KINDS)
def test_a_drop_of_what_is_not_there_fails_unless_it_may(session: Session, kind: str) -> None:
    assert number(session, f"DROP {kind} missing") == 2003
    assert answer(session, f"DROP {kind} IF EXISTS missing") == (
        "Drop statement executed successfully (MISSING already dropped)."
    )


@pytest.mark.parametrize(("kind", "change"), ALTERED.items())
def test_an_alter_of_what_is_not_there_fails_unless_it_may(session: Session, kind: str, change: str) -> None:
    assert number(session, f"ALTER {kind} missing {change}") == 2003
    assert answer(session, f"ALTER {kind} IF EXISTS missing {change}") == "Statement executed successfully."


@pytest.mark.parametrize("kind", [*OF_A_SCHEMA, "STAGE", "TABLE", "WAREHOUSE"])
def test_a_describe_takes_both_words_and_fails_for_what_is_not_there(session: Session, kind: str) -> None:
    name = "described" if kind != "TABLE" else "t"
    if kind != "TABLE":
        run(session, f"CREATE {kind} {name} {KINDS[kind]}")
    assert run(session, f"DESC {kind} {name}") == run(session, f"DESCRIBE {kind} {name}") != []
    assert number(session, f"DESCRIBE {kind} missing") == 2003


@pytest.fixture(scope="module")
def in_four_schemas(session: Session) -> None:
    for kind in OF_A_SCHEMA:
        for place in ("D.PUBLIC", "D.OTHER", "E.PUBLIC", "E.OTHER"):
            run(session, f"USE SCHEMA {place}")
            for name in ("shown_one", "shown_two"):
                run(session, f"CREATE {kind} {name} {KINDS[kind]}")


@pytest.mark.usefixtures("in_four_schemas")
@pytest.mark.parametrize("kind", OF_A_SCHEMA)
@pytest.mark.parametrize(
    ("scope", "places"),
    [
        ("", {"D.PUBLIC"}),
        ("IN ACCOUNT", {"D.PUBLIC", "D.OTHER", "E.PUBLIC", "E.OTHER"}),
        ("IN DATABASE", {"D.PUBLIC", "D.OTHER"}),
        ("IN DATABASE e", {"E.PUBLIC", "E.OTHER"}),
        ("IN SCHEMA other", {"D.OTHER"}),
        ("IN SCHEMA e.other", {"E.OTHER"}),
        ("IN e.public", {"E.PUBLIC"}),
    ],
)
def test_a_show_is_about_the_place_that_it_names(
    session: Session, kind: str, scope: str, places: set[str]
) -> None:
    assert shown(session, f"SHOW {kind}S LIKE 'shown%' {scope}", kind) == {
        f"{place}.{name}" for place in places for name in ("SHOWN_ONE", "SHOWN_TWO")
    }
    assert shown(session, f"SHOW {kind}S LIKE 'shown' {scope}", kind) == set()
    assert shown(session, f"SHOW {kind}S LIKE '%_ONE' {scope}", kind) == {
        f"{place}.SHOWN_ONE" for place in places
    }


@pytest.mark.parametrize("kind", OF_A_SCHEMA)
def test_a_show_in_a_database_that_is_not_there_fails(session: Session, kind: str) -> None:
    assert number(session, f"SHOW {kind}S IN DATABASE missing") == 2003


def shown(session: Session, sql: str, kind: str) -> set[str]:
    # SHOW TASKS has the ID before the place.
    first = 3 if kind == "TASK" else 2
    return {f"{row[first]}.{row[first + 1]}.{row[1]}" for row in run(session, sql)}
