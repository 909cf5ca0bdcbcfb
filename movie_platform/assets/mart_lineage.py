"""Which columns each column of a mart is made of: of CORE, RAW, OPS, or of the mart that it builds on."""

from collections.abc import Mapping

import dagster as dg

from movie_platform.contracts import Table
from movie_platform.contracts.marts import COMPARED_ATTRIBUTES, CURRENT_MOVIES, MART_VIEWS, NULL_SHARES
from movie_platform.contracts.tables import BATCHES, QUARANTINED_ROWS
from movie_platform.contracts.warehouse import (
    APPLIED_DAYS,
    BRIDGE_MOVIE_GENRE,
    BRIDGE_MOVIE_PERSON,
    DATA_QUALITY_RESULTS,
    DIM_GENRE,
    DIM_MOVIE,
    DIM_PERSON,
    DIM_RATING_PROVIDER,
    FACT_MOVIE_RATING,
    FACT_MOVIE_SNAPSHOT,
)
from movie_platform.graph import asset_keys

_Origin = tuple[Table, str]
_Origins = Mapping[str, tuple[_Origin, ...]]


def _of(table: Table, *names: str) -> tuple[_Origin, ...]:
    return tuple((table, name) for name in names)


_FILM = _of(CURRENT_MOVIES, "movie_id")
_AVERAGE = _of(CURRENT_MOVIES, "average_rating")
_TAKINGS = _of(CURRENT_MOVIES, "box_office")
_PROFIT = _of(CURRENT_MOVIES, "profit")
_RETURN = _of(CURRENT_MOVIES, "profit", "budget")
_RATING = _of(FACT_MOVIE_RATING, "rating")
_VOTES = _of(FACT_MOVIE_RATING, "votes")
_GENRE_SHARE = _of(BRIDGE_MOVIE_GENRE, "weight")
_DIRECTOR_SHARE = _of(BRIDGE_MOVIE_PERSON, "weight")
_WEIGHTED = (*_RATING, *_VOTES)
_CREDITS = _of(BRIDGE_MOVIE_PERSON, "credited_as", "role", "position")
_VERSIONS = _of(DIM_MOVIE, "source", "movie_id", "valid_from")
_CHANGES = (
    *_of(DIM_MOVIE, *(name for name in COMPARED_ATTRIBUTES if name in DIM_MOVIE.column_names)),
    *_CREDITS,
)
_MOVES = (*_RATING, *_of(FACT_MOVIE_RATING, "dt"))
_RULES = _of(DATA_QUALITY_RESULTS, "rule", "offending_rows", "measured_at")
_REFUSED = _of(QUARANTINED_ROWS, "rule_code", "origin")
_UNACCOUNTED = (
    *_of(BATCHES, "rows_in", "exact_duplicates"),
    *_of(FACT_MOVIE_SNAPSHOT, "movie_id"),
    *_of(QUARANTINED_ROWS, "row_hash"),
)

# Where a column comes from that keeps its name: the first of these tables that has it.
_SAME_NAME: Mapping[str, tuple[Table, ...]] = {
    "current_movies": (DIM_MOVIE, FACT_MOVIE_SNAPSHOT),
    "genre_performance": (CURRENT_MOVIES,),
    "yearly_box_office": (CURRENT_MOVIES,),
    "top_movies": (CURRENT_MOVIES, DIM_RATING_PROVIDER, FACT_MOVIE_RATING),
    "rating_charts": (CURRENT_MOVIES, DIM_RATING_PROVIDER, FACT_MOVIE_RATING),
    "director_leaderboard": (CURRENT_MOVIES, DIM_PERSON),
    "rating_trends": (FACT_MOVIE_RATING, DIM_RATING_PROVIDER),
    "movie_history": (DIM_MOVIE,),
    "data_quality_daily": (APPLIED_DAYS, BATCHES),
}
_DERIVED: Mapping[str, _Origins] = {
    "current_movies": {
        "dt": _of(APPLIED_DAYS, "dt"),
        "measured_on": _of(FACT_MOVIE_SNAPSHOT, "dt"),
        "current_since": _of(DIM_MOVIE, "valid_from"),
    },
    "genre_performance": {
        "genre": _of(DIM_GENRE, "genre_name"),
        "films": _FILM,
        "allocated_films": _GENRE_SHARE,
        **dict.fromkeys(("rated_films", "acclaimed_films", "acclaimed_share"), _AVERAGE),
        **dict.fromkeys(
            ("box_office_films", "box_office_total", "box_office_average", "box_office_median"), _TAKINGS
        ),
        "allocated_box_office": (*_TAKINGS, *_GENRE_SHARE),
        "profit_films": _PROFIT,
        "allocated_profit": (*_PROFIT, *_GENRE_SHARE),
        "return_on_investment": _RETURN,
    },
    "yearly_box_office": {
        "films": _FILM,
        **dict.fromkeys(
            (
                "box_office_films",
                "box_office_known_share",
                "box_office_total",
                "box_office_average",
                "box_office_median",
                "top_box_office",
            ),
            _TAKINGS,
        ),
        "box_office_change": (*_TAKINGS, *_of(CURRENT_MOVIES, "year")),
        **dict.fromkeys(("budget_films", "budget_total"), _of(CURRENT_MOVIES, "budget")),
        **dict.fromkeys(("profit_films", "profit_total"), _PROFIT),
        "top_movie_id": (*_FILM, *_TAKINGS),
        "top_title": (*_of(CURRENT_MOVIES, "title"), *_TAKINGS),
    },
    "top_movies": {
        "rank": _WEIGHTED,
        "weighted_rating": _WEIGHTED,
        "prior_mean": _WEIGHTED,
        "minimum_votes": _VOTES,
    },
    "rating_charts": {
        "films": _of(FACT_MOVIE_RATING, "movie_id"),
        "rated_share": (*_RATING, *_FILM),
        "vote_weighted_rating": _WEIGHTED,
        "voted_films": _VOTES,
        **dict.fromkeys(
            (
                "rated_films",
                "average_rating",
                "lower_quartile",
                "median_rating",
                "upper_quartile",
                "lowest_rating",
                "highest_rating",
                "rating_deviation",
                "acclaimed_films",
                "good_films",
                "mixed_films",
                "poor_films",
            ),
            _RATING,
        ),
    },
    "director_leaderboard": {
        "director": _of(DIM_PERSON, "person_name"),
        "films": (*_FILM, *_of(BRIDGE_MOVIE_PERSON, "role")),
        **dict.fromkeys(
            ("rank", "rated_films", "average_rating", "acclaimed_films", "acclaimed_share", "best_rating"),
            _AVERAGE,
        ),
        **dict.fromkeys(("first_year", "last_year"), _of(CURRENT_MOVIES, "year")),
        "box_office_films": _TAKINGS,
        "allocated_box_office": (*_TAKINGS, *_DIRECTOR_SHARE),
        "best_movie_id": (*_FILM, *_AVERAGE),
        "best_title": (*_of(CURRENT_MOVIES, "title"), *_AVERAGE),
    },
    "rating_trends": {
        "films": _of(FACT_MOVIE_RATING, "movie_id"),
        "rated_films": _RATING,
        "average_rating": _RATING,
        "first_rated_films": _of(FACT_MOVIE_RATING, "movie_id", "dt"),
        **dict.fromkeys(
            (
                "compared_films",
                "risen_films",
                "fallen_films",
                "average_change",
                "greatest_rise",
                "greatest_fall",
            ),
            _MOVES,
        ),
        "votes_gained": (*_VOTES, *_of(FACT_MOVIE_RATING, "dt")),
    },
    "movie_history": {
        "version": _VERSIONS,
        "versions": _VERSIONS,
        "event": (*_VERSIONS, *_of(DIM_MOVIE, "is_deleted")),
        **dict.fromkeys(("changed_attribute_count", "changed_attributes", "changes"), _CHANGES),
        "previous_title": _of(DIM_MOVIE, "title"),
    },
    "data_quality_daily": {
        "films": _of(FACT_MOVIE_SNAPSHOT, "movie_id"),
        "quarantined_rows": _of(QUARANTINED_ROWS, "row_hash"),
        "unaccounted_rows": _UNACCOUNTED,
        "quarantined_share": (*_of(QUARANTINED_ROWS, "row_hash"), *_of(BATCHES, "rows_in")),
        **{
            f"{name}_null_share": _of(
                FACT_MOVIE_SNAPSHOT if name in FACT_MOVIE_SNAPSHOT.column_names else DIM_MOVIE, name
            )
            for name in NULL_SHARES
        },
        "rules_measured": _of(DATA_QUALITY_RESULTS, "rule"),
        "rules_failed": _RULES,
        "failed_rules": _RULES,
        "measured_at": _of(DATA_QUALITY_RESULTS, "measured_at"),
    },
}


def origins(mart: Table) -> dict[str, tuple[_Origin, ...]]:
    """The columns that each column of a mart is made of. KeyError where that is not written down for one."""
    derived = _DERIVED[mart.name]
    return {column: derived.get(column) or _same_name(mart, column) for column in mart.column_names}


def _same_name(mart: Table, column: str) -> tuple[_Origin, ...]:
    if mart.name == "data_quality_daily" and column.startswith("quarantined_"):
        return _REFUSED
    for table in _SAME_NAME[mart.name]:
        if column in table.column_names:
            return ((table, column),)
    raise KeyError(f"mart {mart.name}: where {column} comes from is not written down")


def mart_lineage(mart: Table) -> dg.TableColumnLineage:
    """Column lineage of a mart, as far as it is made of assets; notes in OPS that are no assets are left out."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_keys.warehouse_key(table), name)
                for table, name in found
                if table in _ASSETS
            ]
            for column, found in origins(mart).items()
            if any(table in _ASSETS for table, _ in found)
        }
    )


def mart_deps(mart: Table) -> list[dg.AssetKey]:
    """The assets that a mart reads: those of its columns, and those that its films are found by."""
    named = {table for found in origins(mart).values() for table, _ in found}
    return sorted(
        asset_keys.warehouse_key(table)
        for table in named | set(_JOINED.get(mart.name, ()))
        if table in _ASSETS
    )


# Read without giving a column.
_JOINED: Mapping[str, tuple[Table, ...]] = {
    "genre_performance": (BRIDGE_MOVIE_GENRE,),
    "top_movies": (DIM_RATING_PROVIDER,),
    "data_quality_daily": (DIM_MOVIE,),
}
_ASSETS = frozenset(
    {
        *MART_VIEWS,
        BATCHES,
        QUARANTINED_ROWS,
        APPLIED_DAYS,
        DIM_MOVIE,
        DIM_PERSON,
        DIM_GENRE,
        DIM_RATING_PROVIDER,
    }
    | {BRIDGE_MOVIE_GENRE, BRIDGE_MOVIE_PERSON, FACT_MOVIE_SNAPSHOT, FACT_MOVIE_RATING}
)
