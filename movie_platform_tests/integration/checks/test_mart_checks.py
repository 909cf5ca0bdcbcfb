"""The rules of the marts, asked of marts that are whole and of some that are broken on purpose, one fault at a time.

A view cannot be wrong about right tables unless its SQL is, so the faults are in the tables behind one side of a
comparison, or a view is replaced by a wrong one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.checks.mart_rules import mart_rules
from movie_platform.checks.sql_rules import SqlRule, examine
from movie_platform.contracts.marts import MART_VIEWS
from movie_platform_tests.mart_tables import definition, prepare
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows

pytestmark = pytest.mark.cloud

# A rule, its mart, and what breaks it. `seen` in a replaced view is the view as it was.
FAULTS = {
    "a film with two current versions": (
        "grain_is_unique",
        "current_movies",
        "UPDATE CORE.DIM_MOVIE SET is_current = TRUE WHERE movie_key = 's-1-18'",
    ),
    "a removed film among the current ones": (
        "films_match_core",
        "current_movies",
        "REPLACE: SELECT * FROM seen UNION ALL SELECT * REPLACE ('5' AS movie_id) FROM seen WHERE movie_id = '2'",
    ),
    "a current film that is left out": (
        "films_match_core",
        "current_movies",
        "REPLACE: SELECT * FROM seen WHERE movie_id <> '3'",
    ),
    "takings of another day": (
        "films_match_core",
        "current_movies",
        "REPLACE: SELECT * REPLACE (CASE WHEN movie_id = '1' THEN 90.00 ELSE box_office END AS box_office) FROM seen",
    ),
    "a source that no day was applied of": (
        "films_match_core",
        "current_movies",
        "DELETE FROM CORE.APPLIED_DAYS WHERE source = 't'",
    ),
    "two genres of one name": (
        "allocated_sums_match_facts",
        "genre_performance",
        "INSERT INTO CORE.DIM_GENRE VALUES ('drama', 'Drama')",
    ),
    "weights that sum to more than one": (
        "allocated_sums_match_facts",
        "genre_performance",
        "UPDATE CORE.BRIDGE_MOVIE_GENRE SET weight = 0.5 WHERE genre_key = 'crime'",
    ),
    "films without a genre that are left out": (
        "allocated_sums_match_facts",
        "genre_performance",
        "REPLACE: SELECT * FROM seen WHERE genre <> '(no genre)'",
    ),
    "a genre twice": (
        "grain_is_unique",
        "genre_performance",
        "REPLACE: SELECT * FROM seen UNION ALL SELECT * FROM seen",
    ),
    "films without a year that are left out": (
        "years_add_up_to_facts",
        "yearly_box_office",
        "REPLACE: SELECT * FROM seen WHERE year IS NOT NULL",
    ),
    "a cent too much": (
        "years_add_up_to_facts",
        "yearly_box_office",
        (
            "REPLACE: SELECT * REPLACE (IFF(year = 2000, 100.01, box_office_total) AS box_office_total)"
            " FROM seen"
        ),
    ),
    "the unknown year twice": (
        "grain_is_unique",
        "yearly_box_office",
        "REPLACE: SELECT * FROM seen UNION ALL SELECT * FROM seen WHERE year IS NULL",
    ),
    "a weighted rating beyond the rating": (
        "weighted_ratings_are_bounded",
        "top_movies",
        "REPLACE: SELECT * REPLACE (74.50 AS weighted_rating) FROM seen",
    ),
    "a film with too few votes": (
        "weighted_ratings_are_bounded",
        "top_movies",
        "REPLACE: SELECT * REPLACE (1199 AS votes) FROM seen",
    ),
    "a place that is skipped": (
        "weighted_ratings_are_bounded",
        "top_movies",
        "REPLACE: SELECT * REPLACE (2 AS rank) FROM seen",
    ),
    "a film in a chart twice": (
        "grain_is_unique",
        "top_movies",
        "INSERT INTO CORE.FACT_MOVIE_RATING SELECT * FROM CORE.FACT_MOVIE_RATING",
    ),
    "ratings of days before": (
        "rated_films_match_facts",
        "rating_charts",
        "REPLACE: SELECT * REPLACE (films + 1 AS films) FROM seen",
    ),
    "a rating that falls in no band": (
        "rated_films_match_facts",
        "rating_charts",
        "REPLACE: SELECT * REPLACE (0 AS mixed_films) FROM seen",
    ),
    "a provider twice": (
        "grain_is_unique",
        "rating_charts",
        "REPLACE: SELECT * FROM seen UNION ALL SELECT * FROM seen",
    ),
    "a director who is not in the dimension": (
        "directors_films_match_core",
        "director_leaderboard",
        "DELETE FROM CORE.DIM_PERSON WHERE person_key = 'ann'",
    ),
    "a director with a film too few": (
        "directors_films_match_core",
        "director_leaderboard",
        "REPLACE: SELECT * REPLACE (4 AS films) FROM seen",
    ),
    "a director twice": (
        "grain_is_unique",
        "director_leaderboard",
        "INSERT INTO CORE.DIM_PERSON VALUES ('ann', 'ANN')",
    ),
    "a rating of an unknown provider": (
        "films_match_fact_rows",
        "rating_trends",
        "DELETE FROM CORE.DIM_RATING_PROVIDER WHERE provider_key = 'critics'",
    ),
    "a provider with two names": (
        "grain_is_unique",
        "rating_trends",
        (
            "INSERT INTO CORE.DIM_RATING_PROVIDER SELECT provider_key, provider, 'other', original_scale"
            " FROM CORE.DIM_RATING_PROVIDER"
        ),
    ),
    "a version without a reason": (
        "changes_are_explained",
        "movie_history",
        (
            "INSERT INTO CORE.DIM_MOVIE SELECT * REPLACE ('s-2-19' AS movie_key, '2026-11-19' AS valid_from)"
            " FROM CORE.DIM_MOVIE WHERE movie_key = 's-2-18'"
        ),
    ),
    "a version that is not shown": (
        "versions_match_core",
        "movie_history",
        "REPLACE: SELECT * FROM seen WHERE event <> 'removed'",
    ),
    "a version twice": (
        "grain_is_unique",
        "movie_history",
        "INSERT INTO CORE.DIM_MOVIE SELECT * FROM CORE.DIM_MOVIE WHERE movie_key = 's-1-19'",
    ),
    "a film of the batch that is not in the snapshot": (
        "rows_reconcile",
        "data_quality_daily",
        "DELETE FROM CORE.FACT_MOVIE_SNAPSHOT WHERE movie_key = 's-2-18' AND dt = '2026-11-20'",
    ),
    "a quarantined row that was not loaded": (
        "rows_reconcile",
        "data_quality_daily",
        "DELETE FROM OPS.QUARANTINED_ROWS WHERE rule_code = 'missing_title'",
    ),
    "a day that was never announced": (
        "rows_reconcile",
        "data_quality_daily",
        "DELETE FROM RAW.BATCHES WHERE dt = '2026-11-19'",
    ),
    "a quarantined row that no rule is counted for": (
        "rows_reconcile",
        "data_quality_daily",
        "REPLACE: SELECT * REPLACE (0 AS quarantined_by_other_rule) FROM seen",
    ),
    "a day twice": (
        "grain_is_unique",
        "data_quality_daily",
        "INSERT INTO CORE.APPLIED_DAYS SELECT * FROM CORE.APPLIED_DAYS",
    ),
}


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        prepare(opened)
        yield opened


@pytest.fixture
def whole(connection: SnowflakeConnection) -> Iterator[SnowflakeConnection]:
    """What a test breaks is whole again after it."""
    rows(connection, "BEGIN")
    yield connection
    rows(connection, "ROLLBACK")


@contextmanager
def fault(connection: SnowflakeConnection, mart: str, what: str) -> Iterator[None]:
    """A statement, undone by the rollback; or `REPLACE:` with a query that makes a wrong view, undone at the end."""
    if not what.startswith("REPLACE: "):
        rows(connection, what)
        yield
        return
    right = definition(mart)
    _, _, query = right.partition("\nAS\n")
    rows(
        connection,
        f"CREATE OR REPLACE VIEW MARTS.{mart} AS WITH seen AS ({query}) {what[len('REPLACE: ') :]}",
    )
    try:
        yield
    finally:
        rows(connection, right)


def broken(connection: SnowflakeConnection) -> set[tuple[str, str]]:
    """(rule, mart) of the claims that do not hold."""
    found = [(rule, examine(connection, rule)) for rule in mart_rules()]
    return {(rule.name, rule.table.name) for rule, finding in found if not finding.passed}


def rule_of(name: str, mart: str) -> SqlRule:
    return next(rule for rule in mart_rules() if (rule.name, rule.table.name) == (name, mart))


def test_every_rule_holds_where_nothing_is_wrong_and_looks_at_rows(whole: SnowflakeConnection):
    findings = {(rule.name, rule.table.name): examine(whole, rule) for rule in mart_rules()}
    assert [name for name, finding in findings.items() if not finding.passed] == []
    assert [name for name, finding in findings.items() if finding.counts["checked"] == 0] == []


def test_every_rule_is_broken_by_a_fault_and_every_mart_has_a_rule_beside_its_grain():
    rules = {(rule.name, rule.table.name) for rule in mart_rules()}
    assert rules == {(rule, mart) for rule, mart, _ in FAULTS.values()}
    assert {mart for name, mart in rules if name != "grain_is_unique"} == {view.name for view in MART_VIEWS}


@pytest.mark.parametrize("described", FAULTS)
def test_a_fault_breaks_its_rule_with_a_sample_and_a_next_step(whole: SnowflakeConnection, described: str):
    name, mart, what = FAULTS[described]
    with fault(whole, mart, what):
        finding = examine(whole, rule_of(name, mart))
    assert not finding.passed
    assert finding.counts["offenders"] >= 1
    assert finding.offenders
    assert finding.next_step


def test_a_rule_stops_what_comes_after_unless_the_mart_is_right_all_the_same():
    assert [rule.name for rule in mart_rules() if not rule.blocking] == ["changes_are_explained"]


def test_marts_of_a_warehouse_without_a_day_break_no_rule(whole: SnowflakeConnection):
    for table in (
        "CORE.DIM_MOVIE",
        "CORE.FACT_MOVIE_SNAPSHOT",
        "CORE.FACT_MOVIE_RATING",
        "CORE.APPLIED_DAYS",
    ):
        rows(whole, f"DELETE FROM {table}")
    assert broken(whole) == set()


def test_a_rule_that_cannot_be_evaluated_fails_and_says_why(connection: SnowflakeConnection):
    rows(connection, "ALTER VIEW MARTS.rating_trends RENAME TO MARTS.away")
    try:
        finding = examine(connection, rule_of("films_match_fact_rows", "rating_trends"))
    finally:
        rows(connection, "ALTER VIEW MARTS.away RENAME TO MARTS.rating_trends")
    assert not finding.passed
    assert "could not be evaluated" in finding.summary
    assert "RATING_TRENDS" in finding.summary
    assert finding.next_step
    assert broken(connection) == set()
