"""The rules of the marts as SQL: their grain, and that they add up to the facts.

What a mart is compared with is counted from CORE and RAW alone, never from another mart.
"""

from collections.abc import Sequence
from string import Template

from movie_platform.checks.sql_rules import SqlRule
from movie_platform.contracts import Table
from movie_platform.contracts.marts import (
    CURRENT_MOVIES,
    DATA_QUALITY_DAILY,
    DIRECTOR_LEADERBOARD,
    DIRECTOR_MINIMUM_FILMS,
    GENRE_PERFORMANCE,
    MART_VIEWS,
    MOVIE_HISTORY,
    RATING_CHARTS,
    RATING_TRENDS,
    TOP_MOVIES,
    YEARLY_BOX_OFFICE,
)

_FILMS = "SELECT source, movie_id, movie_key FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted"
# Each current film with the measures of the last day on which it was in a snapshot.
_MEASURED = f"""
    SELECT film.source, film.movie_id, film.movie_key, snapshot.dt, snapshot.box_office, snapshot.average_rating
    FROM ({_FILMS}) AS film
    JOIN (
        SELECT source, movie_id, MAX(dt) AS dt FROM CORE.FACT_MOVIE_SNAPSHOT GROUP BY source, movie_id
    ) AS latest ON latest.source = film.source AND latest.movie_id = film.movie_id
    JOIN CORE.FACT_MOVIE_SNAPSHOT AS snapshot
        ON snapshot.source = latest.source AND snapshot.movie_id = latest.movie_id AND snapshot.dt = latest.dt
"""  # noqa: S608 - a constant
# Rows that are on one side alone, or differ: both sides have the columns of $key and the numbers of $numbers.
_DIFFERENT = """
    SELECT $coalesced, $both
    FROM ($mart) AS mart
    FULL OUTER JOIN ($facts) AS facts ON $joined
    WHERE $differs
"""
_PROVISION = "compare the view with its file in snowflake/; `movie-platform provision` makes it again"
_CORE = "the checks of the tables of CORE say more; a view is right when its tables are"


def _sql(text: str, **parts: str) -> str:
    return Template(text).substitute(parts)


def _count(table: Table) -> str:
    return f"SELECT COUNT(*) AS checked FROM MARTS.{table.name.upper()}"  # noqa: S608 - a constant of the contracts


def _different(
    key: Sequence[str], numbers: Sequence[str], *, mart: str, facts: str, within: str = "0"
) -> str:
    """Offenders: keys for which a mart's numbers are further than `within` from those of the facts.

    A number that one of the two sides lacks is 0 there.
    """
    return _sql(
        _DIFFERENT,
        mart=mart,
        facts=facts,
        coalesced=", ".join(f"COALESCE(mart.{name}, facts.{name}) AS {name}" for name in key),
        both=", ".join(f"mart.{name} AS {name}_of_mart, facts.{name} AS {name}_of_facts" for name in numbers),
        joined=" AND ".join(f"mart.{name} = facts.{name}" for name in key),
        differs=" OR ".join(
            f"ABS(COALESCE(mart.{name}, 0) - COALESCE(facts.{name}, 0)) > {within}" for name in numbers
        ),
    )


def _grain(table: Table) -> SqlRule:
    grain = ", ".join(table.primary_key)
    return SqlRule(
        "grain_is_unique",
        table,
        f"({grain}) appears once.",
        _count(table),
        f"SELECT {grain}, COUNT(*) AS row_total FROM MARTS.{table.name.upper()}"  # noqa: S608 - a constant of the contracts
        f" GROUP BY {grain} HAVING COUNT(*) > 1",
        _CORE,
    )


def _current_movies() -> SqlRule:
    return SqlRule(
        "films_match_core",
        CURRENT_MOVIES,
        "The films are those that are current and not removed in CORE, with the box office of their latest snapshot.",
        f"SELECT COUNT(*) AS checked FROM ({_FILMS})",  # noqa: S608 - a constant
        _different(
            ("source", "movie_id"),
            ("films", "box_office"),
            mart="SELECT source, movie_id, 1 AS films, box_office FROM MARTS.CURRENT_MOVIES",
            facts=f"SELECT source, movie_id, 1 AS films, box_office FROM ({_MEASURED})",  # noqa: S608 - a constant
        ),
        _PROVISION,
    )


def _genres() -> SqlRule:
    # The view rounds a genre's takings to cents, so that each of its rows may be half a cent off.
    return SqlRule(
        "allocated_sums_match_facts",
        GENRE_PERFORMANCE,
        "Films and takings that are shared out among genres add up to the films and takings of the latest snapshot.",
        _count(GENRE_PERFORMANCE),
        _sql(
            """
            SELECT mart.*, facts.films, facts.box_office
            FROM (
                SELECT
                    source, COUNT(*) AS genres, SUM(allocated_films) AS allocated_films,
                    SUM(allocated_box_office) AS allocated_box_office
                FROM MARTS.GENRE_PERFORMANCE
                GROUP BY source
            ) AS mart
            FULL OUTER JOIN (
                SELECT source, COUNT(*) AS films, SUM(box_office) AS box_office FROM ($measured) GROUP BY source
            ) AS facts ON facts.source = mart.source
            WHERE COALESCE(mart.allocated_films, 0) <> COALESCE(facts.films, 0)
                OR ABS(COALESCE(mart.allocated_box_office, 0) - COALESCE(facts.box_office, 0))
                    > 0.005 * COALESCE(mart.genres, 0)
            """,
            measured=_MEASURED,
        ),
        "the weights of bridge_movie_genre do not sum to 1, or a film is in the view twice or not at all",
    )


def _years() -> SqlRule:
    return SqlRule(
        "years_add_up_to_facts",
        YEARLY_BOX_OFFICE,
        "Films and takings of all years, the unknown one among them, are those of the latest snapshot.",
        _count(YEARLY_BOX_OFFICE),
        _different(
            ("source",),
            ("films", "box_office"),
            mart=(
                "SELECT source, SUM(films) AS films, SUM(box_office_total) AS box_office"
                " FROM MARTS.YEARLY_BOX_OFFICE GROUP BY source"
            ),
            facts=(
                "SELECT source, COUNT(*) AS films, SUM(box_office) AS box_office"  # noqa: S608 - a constant
                f" FROM ({_MEASURED}) GROUP BY source"
            ),
        ),
        _PROVISION,
    )


def _top() -> SqlRule:
    return SqlRule(
        "weighted_ratings_are_bounded",
        TOP_MOVIES,
        "A weighted rating lies between the film's rating and the prior mean, at least half-way to the rating,"
        " and better ones come first.",
        _count(TOP_MOVIES),
        """
        SELECT source, provider, rank, movie_id, rating, votes, weighted_rating, prior_mean, minimum_votes
        FROM (
            SELECT
                chart.*,
                LAG(weighted_rating) OVER (PARTITION BY source, provider ORDER BY rank) AS better,
                ROW_NUMBER() OVER (PARTITION BY source, provider ORDER BY rank) AS place
            FROM MARTS.TOP_MOVIES AS chart
        )
        WHERE weighted_rating < LEAST(rating, prior_mean) - 0.01
            OR weighted_rating > GREATEST(rating, prior_mean) + 0.01
            OR ABS(weighted_rating - rating) > ABS(weighted_rating - prior_mean) + 0.02
            OR votes < minimum_votes
            OR better < weighted_rating
            OR place <> rank
        """,
        _PROVISION,
    )


def _charts() -> SqlRule:
    return SqlRule(
        "rated_films_match_facts",
        RATING_CHARTS,
        "Each provider's films, and the bands that they fall in, are the ratings of the films' latest day.",
        _count(RATING_CHARTS),
        _different(
            ("source", "provider"),
            ("films", "rated_films", "banded_films"),
            mart=(
                "SELECT source, provider, films, rated_films,"
                " acclaimed_films + good_films + mixed_films + poor_films AS banded_films FROM MARTS.RATING_CHARTS"
            ),
            facts=f"""
                SELECT
                    rating.source, provider.provider, COUNT(*) AS films, COUNT(rating.rating) AS rated_films,
                    COUNT(rating.rating) AS banded_films
                FROM ({_MEASURED}) AS film
                JOIN CORE.FACT_MOVIE_RATING AS rating
                    ON rating.source = film.source AND rating.movie_id = film.movie_id AND rating.dt = film.dt
                JOIN CORE.DIM_RATING_PROVIDER AS provider ON provider.provider_key = rating.provider_key
                GROUP BY rating.source, provider.provider
            """,  # noqa: S608 - constants
        ),
        _PROVISION,
    )


def _directors() -> SqlRule:
    return SqlRule(
        "directors_films_match_core",
        DIRECTOR_LEADERBOARD,
        f"Exactly the directors with {DIRECTOR_MINIMUM_FILMS} rated films have a place, with all their films.",
        _count(DIRECTOR_LEADERBOARD),
        _different(
            ("source", "person_key"),
            ("films", "rated_films"),
            mart="SELECT source, person_key, films, rated_films FROM MARTS.DIRECTOR_LEADERBOARD",
            facts=f"""
                SELECT
                    film.source, bridge.person_key, COUNT(*) AS films, COUNT(film.average_rating) AS rated_films
                FROM ({_MEASURED}) AS film
                JOIN CORE.BRIDGE_MOVIE_PERSON AS bridge
                    ON bridge.movie_key = film.movie_key AND bridge.role = 'director'
                GROUP BY film.source, bridge.person_key
                HAVING COUNT(film.average_rating) >= {DIRECTOR_MINIMUM_FILMS}
            """,  # noqa: S608 - constants
        ),
        _PROVISION,
    )


def _trends() -> SqlRule:
    return SqlRule(
        "films_match_fact_rows",
        RATING_TRENDS,
        "The films of all providers on a day are the rows of the fact on that day.",
        _count(RATING_TRENDS),
        _different(
            ("source", "dt"),
            ("films",),
            mart="SELECT source, dt, SUM(films) AS films FROM MARTS.RATING_TRENDS GROUP BY source, dt",
            facts="SELECT source, dt, COUNT(*) AS films FROM CORE.FACT_MOVIE_RATING GROUP BY source, dt",
        ),
        "a rating whose provider is not in dim_rating_provider is left out: see foreign_keys_resolve of the fact",
    )


def _history() -> SqlRule:
    return SqlRule(
        "versions_match_core",
        MOVIE_HISTORY,
        "The versions are those of dim_movie, no fewer and no more.",
        "SELECT COUNT(*) AS checked FROM CORE.DIM_MOVIE",
        _different(
            ("source", "movie_id", "valid_from"),
            ("versions",),
            mart="SELECT source, movie_id, valid_from, 1 AS versions FROM MARTS.MOVIE_HISTORY",
            facts="SELECT source, movie_id, valid_from, 1 AS versions FROM CORE.DIM_MOVIE",
        ),
        _PROVISION,
    )


def _explanations() -> SqlRule:
    return SqlRule(
        "changes_are_explained",
        MOVIE_HISTORY,
        "A version that changed says in what.",
        "SELECT COUNT(*) AS checked FROM MARTS.MOVIE_HISTORY WHERE event = 'changed'",
        """
        SELECT source, movie_id, valid_from, event, row_hash
        FROM MARTS.MOVIE_HISTORY
        WHERE event = 'changed' AND changed_attribute_count = 0
        """,
        "a newer transform hashes films otherwise: transform the days before again; or an attribute is not compared",
        blocking=False,
    )


def _quality() -> SqlRule:
    return SqlRule(
        "rows_reconcile",
        DATA_QUALITY_DAILY,
        "For each day that CORE shows, rows in = films + quarantined rows + duplicates, and each quarantined row has"
        " its rule.",
        "SELECT COUNT(*) AS checked FROM CORE.APPLIED_DAYS",
        """
        SELECT
            applied.source, applied.dt, quality.rows_in, quality.films, quality.quarantined_rows,
            quality.exact_duplicates, quality.unaccounted_rows
        FROM CORE.APPLIED_DAYS AS applied
        LEFT JOIN MARTS.DATA_QUALITY_DAILY AS quality
            ON quality.source = applied.source AND quality.dt = applied.dt
        WHERE quality.rows_in IS NULL
            OR quality.rows_in <> quality.films + quality.quarantined_rows + quality.exact_duplicates
            OR quality.unaccounted_rows <> 0
            OR quality.quarantined_rows <> quality.quarantined_by_reader + $by_rule + quality.quarantined_by_other_rule
        """.replace("$by_rule", " + ".join(f"quality.{name}" for name in _rule_columns())),
        "compare the day's films in RAW and in fact_movie_snapshot, and its rows in OPS.quarantined_rows, with what"
        " RAW.batches announces",
    )


def _rule_columns() -> list[str]:
    names = DATA_QUALITY_DAILY.column_names
    other = names.index("quarantined_by_other_rule")
    return list(names[names.index("quarantined_by_reader") + 1 : other])


def mart_rules() -> Sequence[SqlRule]:
    """All rules, a mart's together, in the order of the marts."""
    rules = (
        *map(_grain, MART_VIEWS),
        _current_movies(),
        _genres(),
        _years(),
        _top(),
        _charts(),
        _directors(),
        _trends(),
        _history(),
        _explanations(),
        _quality(),
    )
    return sorted(rules, key=lambda rule: MART_VIEWS.index(rule.table))
