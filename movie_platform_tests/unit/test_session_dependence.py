"""No SQL of the platform means something else where an account, a user or a session has other parameters."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_platform.provision.files import PROJECT, SQL_FOLDER
from movie_platform.provision.sql import load_sql_files
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.settings import Settings
from movie_platform_tests.session_dependence import findings, strings_of

PACKAGE = PROJECT / "movie_platform"
ROLE = "arn:aws:iam::000000000000:role/archive"
# What speaks to other databases than Snowflake, or is the local Snowflake itself.
OTHERS = ("local_cloud", "sources", "bench/baseline_bare.py", "bench/baseline_naive.py", "bench/imdb.py")
# Questions to a source's database are its own.
OTHER_DOCUMENTS = {"sources.md", "local-snowflake.md"}


def modules() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.relative_to(PACKAGE).as_posix().startswith(OTHERS):
            yield path


def examples(text: str) -> Iterator[str]:
    """SQL in a document: blocks of it, and what commands are given."""
    yield from re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    yield from re.findall(r'movie-platform sql "([^"]*)"', text)


def found(pairs: Iterator[tuple[str, str]]) -> list[str]:
    return [f"{where}: {finding}" for where, sql in pairs for finding in findings(sql)]


def test_the_warehouse_is_made_by_sql_that_no_parameter_changes() -> None:
    files = load_sql_files(SQL_FOLDER, sql_parameters(Settings(), ROLE))
    assert found((file.name, statement) for file in files for statement in file.statements) == []


def test_what_the_platform_asks_is_changed_by_no_parameter() -> None:
    queries = ((path.name, path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.sql")))
    assert found(queries) == []
    texts = (
        (str(path.relative_to(PROJECT)), text)
        for path in modules()
        for text in strings_of(path.read_text("utf-8"))
    )
    assert found(texts) == []


def test_the_documents_examples_are_changed_by_no_parameter() -> None:
    documents = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
    pairs = [
        (path.name, sql)
        for path in documents
        if path.name not in OTHER_DOCUMENTS
        for sql in examples(path.read_text("utf-8"))
    ]
    assert len(pairs) > 5
    assert found(iter(pairs)) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT TO_DATE('9999-12-31')",
        "SELECT TRY_TO_TIMESTAMP_NTZ(x)",
        "SELECT DATE(x)",
        "SELECT '2026-01-01'::DATE",
        "SELECT CAST('$open_end' AS DATE)",
        "SELECT DATE '2026-01-01'",
        "SELECT CAST(old.release_date AS VARCHAR)",
        "SELECT COALESCE(old.release_date::VARCHAR, '')",
        "SELECT TO_CHAR(MAX(dt))",
        "SELECT TO_CHAR(loaded_at, 'YYYY')",
        "SELECT 'on ' || t.dt",
        "SELECT CONCAT(source, dt)",
        " WHERE source = %s AND dt = %s",
        " WHERE '2026-01-01' <= valid_from",
        "SELECT 1 FROM t WHERE t.dt IN ('2026-01-01', %(dt)s)",
        "SELECT 1 FROM t WHERE dt NOT BETWEEN %(first)s AND %(last)s",
        "SELECT 1 FROM t WHERE MAX(dt) = '{dt}'",
        "SELECT CURRENT_DATE",
        "SELECT CURRENT_TIMESTAMP()::TIMESTAMP_NTZ",
        "INSERT INTO t SELECT CURRENT_TIMESTAMP() AS applied_at",
        "INSERT INTO OPS.LOAD_RUNS (source, dt, run_id) SELECT %s, %s, %s WHERE TRUE",
        "INSERT INTO t (source, dt) VALUES ('s', '2026-01-01')",
        "SELECT loaded_at::DATE",
        "SELECT scheduled_time::TIMESTAMP_NTZ",
        "CREATE TABLE t (x TIMESTAMP NOT NULL)",
        "SELECT DAYOFWEEK(dt)",
        "SELECT DATE_TRUNC('week', dt)",
    ],
)
def test_what_a_parameter_changes_is_found(sql: str) -> None:
    assert findings(sql)


def test_each_text_beside_a_date_is_found_by_itself() -> None:
    assert len(findings("SELECT 1 FROM t WHERE t.dt IN ('2026-01-01', x, %(dt)s)")) == 2
    assert len(findings("SELECT 1 FROM t WHERE dt NOT BETWEEN %(first)s AND %(last)s")) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT TO_DATE('9999-12-31', 'YYYY-MM-DD')",
        "SELECT CAST(year AS VARCHAR) || '-' || TO_CHAR(MAX(dt), 'YYYY-MM-DD')",
        "SELECT CAST(extracted_at AS DATE)",
        "SELECT CONVERT_TIMEZONE('UTC', runs.scheduled_time)::TIMESTAMP_NTZ",
        "SELECT CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP())::TIMESTAMP_NTZ",
        "SELECT SYSDATE() AS applied_at",
        "SELECT * FROM TABLE(COPY_HISTORY(START_TIME => DATEADD(day, -13, CURRENT_TIMESTAMP())))",
        "INSERT INTO t SELECT 1, CURRENT_TIMESTAMP() AS loaded_at",
        "INSERT INTO t (source, dt) SELECT %s, TO_DATE(%s, 'YYYY-MM-DD')",
        "CREATE TABLE t (dt DATE NOT NULL COMMENT 'a day, as ''2026-01-01''', x TIMESTAMP_NTZ(6))",
        "SELECT 1 FROM t WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD') AND batch_id = %s",
        "SELECT 1 FROM t WHERE t.dt BETWEEN s.dt AND TO_DATE(%(dt)s, 'YYYY-MM-DD') AND name = 'x'",
        "SELECT DAYOFWEEKISO(dt), WEEKISO(dt), DATE_TRUNC('MONTH', dt)",
        "-- TO_DATE('2026-01-01')\nSELECT 'TO_DATE(x)'",
    ],
)
def test_what_no_parameter_changes_is_not_found(sql: str) -> None:
    assert findings(sql) == []
