"""The rules of CORE, asked of tables that are whole and of tables that are broken on purpose, one fault at a time."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.checks.core_rules import core_rules
from movie_platform.checks.sql_rules import SqlRule, examine
from movie_platform.contracts import Table
from movie_platform.contracts.tables import MOVIES
from movie_platform.contracts.warehouse import CORE_TABLES
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows

pytestmark = pytest.mark.cloud

DATABASE = "CORE_CHECKS"
VALUES = {"source": "s", "dt": date(2026, 11, 19)}
TYPES = {"string": "VARCHAR", "int": "NUMBER", "bigint": "NUMBER", "timestamp": "TIMESTAMP_NTZ"}

# A film that changed on the 19th, and one that did not.
WHOLE = (
    (
        "INSERT INTO CORE.DIM_MOVIE (movie_key, source, movie_id, valid_from, valid_to, is_current, is_deleted) VALUES"
        " ('k1', 's', '1', '2026-11-18', '2026-11-19', FALSE, FALSE),"
        " ('k1b', 's', '1', '2026-11-19', '9999-12-31', TRUE, FALSE),"
        " ('k2', 's', '2', '2026-11-18', '9999-12-31', TRUE, FALSE)"
    ),
    "INSERT INTO CORE.DIM_GENRE VALUES ('g', 'Drama'), ('h', 'Crime')",
    "INSERT INTO CORE.DIM_PERSON VALUES ('p', 'Somebody')",
    "INSERT INTO CORE.DIM_RATING_PROVIDER (provider_key) VALUES ('imdb')",
    "INSERT INTO CORE.DIM_DATE (date_key) VALUES (20261119)",
    (
        "INSERT INTO CORE.BRIDGE_MOVIE_GENRE (movie_key, genre_key, weight) VALUES"
        " ('k1b', 'g', 0.333333333333), ('k1b', 'h', 0.666666666667), ('k2', 'g', 1)"
    ),
    "INSERT INTO CORE.BRIDGE_MOVIE_PERSON (movie_key, role, person_key, weight) VALUES ('k1b', 'cast', 'p', 1)",
    (
        "INSERT INTO CORE.FACT_MOVIE_SNAPSHOT (movie_key, date_key, source, movie_id, dt) VALUES"
        " ('k1b', 20261119, 's', '1', '2026-11-19'), ('k2', 20261119, 's', '2', '2026-11-19')"
    ),
    (
        "INSERT INTO CORE.FACT_MOVIE_RATING (movie_key, provider_key, date_key, source, movie_id, dt) VALUES"
        " ('k1b', 'imdb', 20261119, 's', '1', '2026-11-19')"
    ),
    "INSERT INTO CORE.APPLIED_DAYS (source, dt, batch_id, transform_id) VALUES ('s', '2026-11-19', 'b', 't')",
    # The loser of the day has a film that the winner has not.
    (
        "INSERT INTO RAW.MOVIES (source, dt, batch_id, transform_id, movie_id) VALUES"
        " ('s', '2026-11-19', 'b', 't', '1'), ('s', '2026-11-19', 'b', 't', '2'), ('s', '2026-11-19', 'a', 't', '3')"
    ),
)
FAULTS = {
    "two current versions": (
        "one_current_version_per_key",
        "dim_movie",
        "UPDATE CORE.DIM_MOVIE SET is_current = TRUE WHERE movie_key = 'k1'",
    ),
    "no current version": (
        "one_current_version_per_key",
        "dim_movie",
        "UPDATE CORE.DIM_MOVIE SET is_current = FALSE, valid_to = '2026-11-25' WHERE movie_key = 'k1b'",
    ),
    "a gap": (
        "versions_have_no_gap_or_overlap",
        "dim_movie",
        "UPDATE CORE.DIM_MOVIE SET valid_from = '2026-11-20' WHERE movie_key = 'k1b'",
    ),
    "an overlap": (
        "versions_have_no_gap_or_overlap",
        "dim_movie",
        "UPDATE CORE.DIM_MOVIE SET valid_to = '2026-11-20' WHERE movie_key = 'k1'",
    ),
    "a last version that ends": (
        "versions_have_no_gap_or_overlap",
        "dim_movie",
        "UPDATE CORE.DIM_MOVIE SET valid_to = '2026-12-24' WHERE movie_key = 'k1b'",
    ),
    "a version that ends before it begins": (
        "versions_have_no_gap_or_overlap",
        "dim_movie",
        "UPDATE CORE.DIM_MOVIE SET valid_from = '2026-11-19' WHERE movie_key = 'k1'",
    ),
    "a genre that is not there": (
        "foreign_keys_resolve",
        "bridge_movie_genre",
        "DELETE FROM CORE.DIM_GENRE WHERE genre_key = 'h'",
    ),
    "people of a version that is gone": (
        "foreign_keys_resolve",
        "bridge_movie_person",
        "INSERT INTO CORE.BRIDGE_MOVIE_PERSON (movie_key, role, person_key, weight) VALUES ('gone', 'cast', 'p', 1)",
    ),
    "a fact of a version of another day": (
        "foreign_keys_resolve",
        "fact_movie_snapshot",
        "UPDATE CORE.FACT_MOVIE_SNAPSHOT SET movie_key = 'k1' WHERE movie_id = '1'",
    ),
    "a fact of another film": (
        "foreign_keys_resolve",
        "fact_movie_snapshot",
        "UPDATE CORE.FACT_MOVIE_SNAPSHOT SET movie_key = 'k2' WHERE movie_id = '1'",
    ),
    "a fact of a removed film": (
        "foreign_keys_resolve",
        "fact_movie_snapshot",
        "UPDATE CORE.DIM_MOVIE SET is_deleted = TRUE WHERE movie_key = 'k2'",
    ),
    "a rating without a provider": (
        "foreign_keys_resolve",
        "fact_movie_rating",
        "DELETE FROM CORE.DIM_RATING_PROVIDER",
    ),
    "a later day's fact that a late day left behind": (
        "foreign_keys_resolve",
        "fact_movie_rating",
        (
            "INSERT INTO CORE.FACT_MOVIE_RATING (movie_key, provider_key, date_key, source, movie_id, dt)"
            " VALUES ('old', 'imdb', 20261119, 's', '1', '2026-11-21')"
        ),
    ),
    "a film twice in a snapshot": (
        "fact_grain_is_unique",
        "fact_movie_snapshot",
        "INSERT INTO CORE.FACT_MOVIE_SNAPSHOT SELECT * FROM CORE.FACT_MOVIE_SNAPSHOT WHERE movie_id = '1'",
    ),
    "a rating twice": (
        "fact_grain_is_unique",
        "fact_movie_rating",
        "INSERT INTO CORE.FACT_MOVIE_RATING SELECT * FROM CORE.FACT_MOVIE_RATING",
    ),
    "a film of RAW that is not in the snapshot": (
        "snapshot_rows_match_raw",
        "fact_movie_snapshot",
        "DELETE FROM CORE.FACT_MOVIE_SNAPSHOT WHERE movie_id = '2'",
    ),
    "a film of a batch that lost": (
        "snapshot_rows_match_raw",
        "fact_movie_snapshot",
        (
            "INSERT INTO CORE.FACT_MOVIE_SNAPSHOT (movie_key, date_key, source, movie_id, dt)"
            " VALUES ('k3', 20261119, 's', '3', '2026-11-19')"
        ),
    ),
    "weights that miss the last digit": (
        "bridge_weights_sum_to_one",
        "bridge_movie_genre",
        "UPDATE CORE.BRIDGE_MOVIE_GENRE SET weight = 0.666666666666 WHERE genre_key = 'h'",
    ),
}


def create(table: Table, schema: str) -> str:
    columns = ", ".join(
        f"{column.name} {TYPES.get(column.type, column.type.upper().replace('DECIMAL', 'NUMBER'))}"
        for column in table.columns
    )
    return f"CREATE OR REPLACE TABLE {schema}.{table.name} ({columns})"


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        rows(opened, f"USE DATABASE {DATABASE}")
        for schema in ("CORE", "RAW"):
            rows(opened, f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for table in CORE_TABLES:
            rows(opened, create(table, "CORE"))
        rows(opened, create(MOVIES, "RAW"))
        for statement in WHOLE:
            rows(opened, statement)
        yield opened


@pytest.fixture
def whole(connection: SnowflakeConnection) -> Iterator[SnowflakeConnection]:
    """What a test breaks is whole again after it."""
    rows(connection, "BEGIN")
    yield connection
    rows(connection, "ROLLBACK")


def broken(connection: SnowflakeConnection, values: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    """(rule, table) of the claims that do not hold."""
    found = [(rule, examine(connection, rule, values or VALUES)) for rule in core_rules()]
    return {(rule.name, rule.table.name) for rule, finding in found if not finding.passed}


def rule_of(name: str, table: str) -> SqlRule:
    return next(rule for rule in core_rules() if (rule.name, rule.table.name) == (name, table))


def test_every_rule_holds_where_nothing_is_wrong_and_looks_at_rows(whole: SnowflakeConnection):
    findings = {(rule.name, rule.table.name): examine(whole, rule, dict(VALUES)) for rule in core_rules()}
    assert [name for name, finding in findings.items() if not finding.passed] == []
    assert [name for name, finding in findings.items() if finding.counts["checked"] == 0] == []


def test_a_day_without_films_breaks_no_rule(whole: SnowflakeConnection):
    assert broken(whole, {"source": "nobody", "dt": date(2026, 11, 19)}) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_its_rule_with_a_sample_and_a_next_step(whole: SnowflakeConnection, fault: str):
    name, table, statement = FAULTS[fault]
    rows(whole, statement)
    finding = examine(whole, rule_of(name, table), dict(VALUES))
    assert not finding.passed
    assert finding.counts["offenders"] >= 1
    assert finding.offenders
    assert finding.next_step
    assert (name, table) in broken(whole)


def test_another_sources_faults_are_not_this_sources(whole: SnowflakeConnection):
    rows(
        whole,
        "INSERT INTO CORE.DIM_MOVIE (movie_key, source, movie_id, valid_from, valid_to, is_current, is_deleted)"
        " VALUES ('x', 'other', '1', '2026-11-19', '2026-11-19', TRUE, FALSE)",
    )
    assert broken(whole) == set()
    assert ("versions_have_no_gap_or_overlap", "dim_movie") in broken(
        whole, {"source": "other", "dt": date(2026, 11, 19)}
    )
