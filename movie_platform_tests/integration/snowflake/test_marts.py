"""What the marts answer over a small CORE that was filled by hand; each expected number was worked out by hand."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.contracts import Table
from movie_platform.contracts.marts import MART_VIEWS
from movie_platform_tests.hostile_account import OWN_FORMATS
from movie_platform_tests.mart_tables import D18, D19, D20, SETTINGS, prepare
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud

# How the connector names the types of the contracts' columns.
PYTHON_TYPES: dict[str, type] = {"string": str, "int": int, "bigint": int, "date": date, "boolean": bool}


@pytest.fixture(scope="module", params=["a new account", "a hostile account"])
def connection(
    request: pytest.FixtureRequest, snowflake_cloud: SnowflakeCloud
) -> Iterator[SnowflakeConnection]:
    """A reader's session, with the account's defaults."""
    if request.param == "a hostile account":
        request.getfixturevalue("hostile_account")
    with snowflake_cloud.connect(session_parameters=OWN_FORMATS) as opened:
        prepare(opened)
    with snowflake_cloud.connect(
        database=SETTINGS.snowflake_database, warehouse=SETTINGS.snowflake_warehouse, role="SYSADMIN"
    ) as reader:
        yield reader


def found(connection: SnowflakeConnection, mart: str, where: str, *columns: str) -> list[tuple[Any, ...]]:
    return rows(
        connection, f"SELECT {', '.join(columns)} FROM MARTS.{mart} WHERE {where} ORDER BY {columns[0]}"
    )


@pytest.mark.parametrize("view", MART_VIEWS, ids=lambda view: view.name)
def test_a_mart_has_rows_of_the_contracts_types(connection: SnowflakeConnection, view: Table):
    records = dicts(connection, f"SELECT * FROM MARTS.{view.name}")
    assert records
    for record in records:
        for column in view.columns:
            value = record[column.name.upper()]
            if value is None:
                assert column.nullable, column.name
            elif column.type.startswith("decimal"):
                assert isinstance(value, Decimal), column.name
                scale = int(column.type.rstrip(")").rpartition(",")[2])
                assert value.as_tuple().exponent == -scale, column.name
            elif column.type in PYTHON_TYPES:
                assert isinstance(value, PYTHON_TYPES[column.type]), column.name


@pytest.mark.parametrize("view", MART_VIEWS, ids=lambda view: view.name)
def test_the_comments_of_a_mart_are_there_for_whoever_describes_it(
    connection: SnowflakeConnection, view: Table
):
    described = dicts(connection, f"DESCRIBE VIEW MARTS.{view.name}")
    assert [(row["name"].lower(), row["comment"]) for row in described] == [
        (column.name, column.description) for column in view.columns
    ]


def test_the_transformer_owns_the_marts_and_the_reader_may_read_them_and_nothing_else(
    connection: SnowflakeConnection,
):
    database = SETTINGS.snowflake_database
    for view in MART_VIEWS:
        grants = dicts(connection, f"SHOW GRANTS ON VIEW MARTS.{view.name}")
        given = {(grant["privilege"], grant["grantee_name"]) for grant in grants}
        assert ("OWNERSHIP", f"{database}_TRANSFORMER") in given
        assert {privilege for privilege, role in given if role == f"{database}_READER"} == {"SELECT"}
        assert not any(role == f"{database}_LOADER" for _, role in given)


def test_only_films_that_are_current_and_not_removed_are_current_movies(connection: SnowflakeConnection):
    assert found(connection, "current_movies", "source = 's'", "movie_id", "title") == [
        ("1", "Alpha"),
        ("2", "Beta; the second"),
        ("3", "Gamma"),
        ("4", "Delta"),
        *((f"d{n}", f"Film d{n}") for n in range(1, 6)),
    ]


def test_a_film_that_the_latest_day_does_not_have_keeps_the_measures_of_its_last_day(
    connection: SnowflakeConnection,
):
    # In quarantine on the 20th, and not in the delta of the 19th.
    assert found(connection, "current_movies", "movie_id = '3'", "dt", "measured_on", "box_office") == [
        (D20, D19, Decimal("50.05"))
    ]
    assert found(
        connection, "current_movies", "source = 't'", "movie_id", "dt", "measured_on", "box_office"
    ) == [
        ("1", D19, D19, Decimal("9.00")),
        ("2", D19, D18, Decimal("8.00")),
    ]


def test_a_films_takings_are_shared_out_among_its_genres_and_full_in_each(connection: SnowflakeConnection):
    columns = ("genre", "films", "allocated_films", "box_office_total", "allocated_box_office")
    assert found(connection, "genre_performance", "source = 's'", *columns) == [
        ("(no genre)", 7, Decimal(7), Decimal("67.05"), Decimal("67.05")),
        ("Crime", 1, Decimal("0.333333333333"), Decimal("100.00"), Decimal("33.33")),
        ("Drama", 2, Decimal("1.666666666667"), Decimal("100.00"), Decimal("66.67")),
    ]


def test_counts_of_known_values_stand_beside_sums_and_averages(connection: SnowflakeConnection):
    columns = (
        "genre",
        "rated_films",
        "average_rating",
        "box_office_films",
        "box_office_average",
        "box_office_median",
    )
    assert found(connection, "genre_performance", "source = 's' AND genre <> 'Crime'", *columns) == [
        ("(no genre)", 5, Decimal("80.00"), 4, Decimal("16.76"), Decimal("7.50")),
        ("Drama", 1, Decimal("80.00"), 1, Decimal("100.00"), Decimal("100.00")),
    ]


def test_a_ratio_of_nothing_is_null(connection: SnowflakeConnection):
    columns = ("genre", "acclaimed_share", "return_on_investment", "allocated_profit", "average_rating")
    assert found(connection, "genre_performance", "source = 't'", *columns) == [
        ("(no genre)", None, None, None, None)
    ]


def test_return_on_investment_is_of_films_with_both_sides_known(connection: SnowflakeConnection):
    [drama] = found(
        connection, "genre_performance", "genre = 'Drama'", "return_on_investment", "profit_films"
    )
    assert drama == (Decimal("1.5000"), 1)


def test_a_year_shows_its_takings_its_best_film_and_the_change_to_the_year_before(
    connection: SnowflakeConnection,
):
    columns = ("year", "films", "box_office_films", "box_office_total", "box_office_change", "top_title")
    assert found(connection, "yearly_box_office", "source = 's' AND year < 2012", *columns) == [
        (2000, 1, 1, Decimal("100.00"), None, "Alpha"),
        (2001, 2, 1, Decimal("2.00"), Decimal("-98.00"), "Delta"),
        (2011, 1, 0, None, None, None),
    ]
    assert found(connection, "yearly_box_office", "source = 's' AND year IS NULL", *columns) == [
        (None, 1, 1, Decimal("50.05"), None, "Gamma")
    ]


def test_the_weighted_rating_is_imdbs_formula_with_constants_from_the_data(connection: SnowflakeConnection):
    # Rated with votes: 74 (1,200), 48 (100), 90 (300). m: the third quartile of 100, 300 and 1,200; C: their mean.
    mean = Decimal(74 + 48 + 90) / 3
    weighted = (1200 * 74 + 1200 * mean) / (1200 + 1200)
    columns = ("rank", "movie_id", "weighted_rating", "prior_mean", "minimum_votes")
    assert found(connection, "top_movies", "source = 's'", *columns) == [
        (1, "1", round(weighted, 2), round(mean, 2), 1200)
    ]


def test_a_provider_without_votes_has_no_chart_of_top_movies(connection: SnowflakeConnection):
    assert found(connection, "top_movies", "provider = 'critics'", "rank") == []


def test_charts_show_each_providers_averages_of_the_films_latest_day(connection: SnowflakeConnection):
    columns = (
        "provider",
        "films",
        "rated_films",
        "average_rating",
        "vote_weighted_rating",
        "median_rating",
        "votes",
    )
    vote_weighted = round(Decimal(74 * 1200 + 48 * 100 + 90 * 300) / 1600, 2)
    assert found(connection, "rating_charts", "source = 's'", *columns) == [
        ("critics", 1, 1, Decimal("60.00"), None, Decimal("60.00"), None),
        # Film 3 has votes of its last day and no rating.
        ("imdb", 4, 3, Decimal("70.67"), vote_weighted, Decimal("74.00"), 1605),
    ]


def test_a_director_takes_five_rated_films_to_have_a_place(connection: SnowflakeConnection):
    columns = (
        "rank",
        "director",
        "films",
        "average_rating",
        "acclaimed_films",
        "best_title",
        "allocated_box_office",
    )
    # Bob directed half of one film; the box office of Ann's films is 10 and half of 5.
    assert found(connection, "director_leaderboard", "source = 's'", *columns) == [
        (1, "Ann", 5, Decimal("80.00"), 3, "Film d5", Decimal("12.50"))
    ]


def test_trends_compare_a_film_with_its_own_day_before(connection: SnowflakeConnection):
    columns = (
        "dt",
        "films",
        "rated_films",
        "compared_films",
        "risen_films",
        "fallen_films",
        "average_change",
    )
    assert found(connection, "rating_trends", "source = 's' AND provider = 'imdb'", *columns) == [
        (D18, 3, 2, 0, 0, 0, None),
        (D19, 3, 2, 2, 1, 0, Decimal("2.0000")),
        (D20, 3, 3, 2, 0, 1, Decimal("-1.0000")),
    ]
    columns = ("dt", "first_rated_films", "greatest_rise", "greatest_fall", "votes_gained")
    assert found(connection, "rating_trends", "source = 's' AND provider = 'imdb'", *columns)[1:] == [
        (D19, 0, Decimal("4.00"), Decimal("0.00"), 100),
        (D20, 1, Decimal("0.00"), Decimal("-2.00"), 100),
    ]


def test_the_history_says_what_changed_from_what_to_what(connection: SnowflakeConnection):
    columns = ("version", "event", "changed_attributes", "changes")
    assert found(connection, "movie_history", "source = 's' AND movie_id = '1'", *columns) == [
        (1, "added", None, None),
        (
            2,
            "changed",
            "title, runtime_minutes, writers",
            "title: Alfa -> Alpha; runtime_minutes: 100 -> 101; writers: Ann -> Bob|Ann",
        ),
    ]


def test_a_film_that_returns_is_compared_with_what_it_was_before_it_went(connection: SnowflakeConnection):
    columns = ("version", "event", "valid_from", "valid_to", "changed_attribute_count", "changes")
    assert found(connection, "movie_history", "source = 's' AND movie_id = '4'", *columns) == [
        (1, "added", D18, D19, 0, None),
        (2, "removed", D19, D20, 0, None),
        (3, "returned", D20, date(9999, 12, 31), 1, "certification: PG -> R"),
    ]


def test_each_day_says_what_became_of_its_rows_in_the_batch_that_won(connection: SnowflakeConnection):
    columns = (
        "dt",
        "batch_id",
        "rows_in",
        "films",
        "quarantined_rows",
        "exact_duplicates",
        "unaccounted_rows",
    )
    assert found(connection, "data_quality_daily", "source = 's'", *columns) == [
        (D18, "b18", 11, 10, 0, 1, 0),
        (D19, "b19", 10, 9, 0, 1, 0),
        (D20, "b20", 13, 8, 4, 1, 0),
    ]


def test_quarantined_rows_are_counted_by_rule_and_by_reader(connection: SnowflakeConnection):
    columns = (
        "quarantined_missing_title",
        "quarantined_impossible_year",
        "quarantined_duplicate_key",
        "quarantined_by_reader",
        "quarantined_by_other_rule",
    )
    where = f"source = 's' AND dt = TO_DATE('{D20}', 'YYYY-MM-DD')"
    assert found(connection, "data_quality_daily", where, *columns) == [(1, 1, 0, 1, 1)]


def test_a_day_says_how_complete_its_films_are(connection: SnowflakeConnection):
    columns = ("dt", "year_null_share", "box_office_null_share", "average_rating_null_share")
    assert found(
        connection, "data_quality_daily", f"source = 's' AND dt = TO_DATE('{D20}', 'YYYY-MM-DD')", *columns
    ) == [(D20, Decimal("0.000000"), Decimal("0.500000"), Decimal("0.250000"))]


def test_a_rule_that_held_when_it_was_measured_last_is_not_a_failed_one(connection: SnowflakeConnection):
    columns = ("rules_measured", "rules_failed", "failed_rules")
    assert found(
        connection, "data_quality_daily", f"source = 's' AND dt = TO_DATE('{D20}', 'YYYY-MM-DD')", *columns
    ) == [(3, 2, "versions_follow, weights_sum_to_one")]
