"""The marts: views in MARTS that people and BI tools read, their columns and their grain (`primary_key`).

Standard library only. A mart shows the latest state of each source, the films that are current and not removed,
unless its description says that it shows days or versions. Columns that CORE has keep their names, types and
descriptions. Money is rarely known, so beside every sum and average stands how many films it is of.
"""

from dataclasses import replace

from movie_platform.contracts.rules import ROW_RULES
from movie_platform.contracts.tables import BATCHES, TRACKED_COLUMNS, Column, Table
from movie_platform.contracts.warehouse import (
    APPLIED_DAYS,
    DIM_MOVIE,
    DIM_PERSON,
    DIM_RATING_PROVIDER,
    FACT_MOVIE_RATING,
    FACT_MOVIE_SNAPSHOT,
    MEASURES,
)

# Votes or reviews that a film needs to be among the top, as a quantile of its provider's films: a quarter is listed.
TOP_MOVIES_VOTES_QUANTILE = "0.75"
# Films that a director needs to have a place: an average of fewer says more of luck.
DIRECTOR_MINIMUM_FILMS = 5
# The genre of films that have none.
NO_GENRE = "(no genre)"
# A film's events: a version is the first one, differs from the one before it, or the film goes or comes back.
HISTORY_EVENTS = ("added", "changed", "removed", "returned")
# What movie_history compares: all that a new version of a film can come from.
_LISTS = ("genres", "directors", "writers", "cast_members")
COMPARED_ATTRIBUTES: tuple[str, ...] = (
    *TRACKED_COLUMNS[1:13],
    *_LISTS,
    TRACKED_COLUMNS[0],
    *TRACKED_COLUMNS[13:],
)


def _of(table: Table, *names: str) -> tuple[Column, ...]:
    return tuple(table.column(name) for name in names)


def _required(name: str, type_: str, description: str) -> Column:
    return Column(name, type_, description, nullable=False)


def _optional(name: str, type_: str, description: str) -> Column:
    return Column(name, type_, description)


def _count(name: str, description: str) -> Column:
    return _required(name, "bigint", description)


def _share(name: str, description: str) -> Column:
    return _optional(name, "decimal(7,6)", description)


def _rating(name: str, description: str) -> Column:
    return _optional(name, "decimal(5,2)", description)


def _total(name: str, description: str) -> Column:
    return _optional(name, "decimal(38,2)", description)


def _money(name: str, description: str) -> Column:
    return _optional(name, "decimal(18,2)", description)


def _nullable(*columns: Column) -> tuple[Column, ...]:
    return tuple(replace(column, nullable=True) for column in columns)


_SOURCE = DIM_MOVIE.column("source")
_MOVIE_ID = DIM_MOVIE.column("movie_id")
_TITLE = DIM_MOVIE.column("title")
_AS_OF = _required("dt", "date", "Latest day of the source that CORE shows: the state that the row is of.")
_PROVIDER = _of(DIM_RATING_PROVIDER, "provider", "provider_name")

# What current_movies shows of a film, beside its measures: a column of DIM_MOVIE that is named here is in the mart.
CURRENT_ATTRIBUTES: tuple[str, ...] = (
    "imdb_id",
    "title",
    "original_title",
    "title_sort_key",
    "type",
    "year",
    "decade",
    "release_date",
    "release_date_precision",
    "release_quarter",
    "runtime_minutes",
    "primary_genre",
    "genres",
    "directors",
    "languages",
    "countries",
    "production_companies",
    "certification",
)
CURRENT_MOVIES = Table(
    name="current_movies",
    description="Films as they are now: a row a film that is current and not removed, with its latest measures.",
    snowflake_schema="MARTS",
    primary_key=("source", "movie_id"),
    columns=(
        _SOURCE,
        _MOVIE_ID,
        DIM_MOVIE.column("movie_key"),
        _AS_OF,
        _optional(
            "measured_on",
            "date",
            "Day of the measures: before dt where the film was not in the latest delta, or was quarantined.",
        ),
        _required("current_since", "date", "First day on which the film was as it is now."),
        *_of(DIM_MOVIE, *CURRENT_ATTRIBUTES),
        *_of(FACT_MOVIE_SNAPSHOT, *MEASURES),
    ),
)
GENRE_PERFORMANCE = Table(
    name="genre_performance",
    description=(
        "Genres as they do now. A film counts in full in each of its genres, but for the columns that allocate:"
        " there it is shared out among them, so that their sums over all genres count each film once."
    ),
    snowflake_schema="MARTS",
    primary_key=("source", "genre"),
    columns=(
        _SOURCE,
        _required("genre", "string", f"Genre; {NO_GENRE} holds the films that have none."),
        _AS_OF,
        _count("films", "Films of the genre."),
        _required("allocated_films", "decimal(38,12)", "Films, each shared out among its genres."),
        _count("rated_films", "Films whose average_rating is known."),
        _rating("average_rating", "Mean of their average_rating, 0 to 100."),
        _count("acclaimed_films", "Films with an average_rating of 80 and over."),
        _share("acclaimed_share", "Share of acclaimed films in the rated ones, 0 to 1."),
        _count("box_office_films", "Films whose box office is known."),
        _total(
            "box_office_total",
            "Their box office in US dollars, in full in each genre: not to be added up over genres.",
        ),
        _money("box_office_average", "Mean of their box office in US dollars."),
        _money("box_office_median", "Median of their box office in US dollars."),
        _total(
            "allocated_box_office", "Their box office in US dollars, each film shared out among its genres."
        ),
        _count("profit_films", "Films whose budget and box office are both known."),
        _total("allocated_profit", "Their profit in US dollars, each film shared out among its genres."),
        _optional(
            "return_on_investment",
            "decimal(18,4)",
            "Their profit divided by their budget, null where no budget is known.",
        ),
    ),
)
YEARLY_BOX_OFFICE = Table(
    name="yearly_box_office",
    description="Takings by year of release, as they are known now; films without a year have a row of their own.",
    snowflake_schema="MARTS",
    primary_key=("source", "year"),
    columns=(
        _SOURCE,
        _optional("year", "int", "Year of release; null for the films whose year is not known."),
        _AS_OF,
        _optional("decade", "int", "First year of the decade."),
        _count("films", "Films of the year."),
        _count("box_office_films", "Films whose box office is known."),
        _share(
            "box_office_known_share", "Share of these in the films, 0 to 1: how far the sums can be trusted."
        ),
        _total("box_office_total", "Their box office in US dollars."),
        _money("box_office_average", "Mean of their box office in US dollars."),
        _money("box_office_median", "Median of their box office in US dollars."),
        _total(
            "box_office_change",
            "box_office_total less that of the calendar year before, where that is known.",
        ),
        _count("budget_films", "Films whose budget is known."),
        _total("budget_total", "Their budgets in US dollars."),
        _count("profit_films", "Films whose budget and box office are both known."),
        _total("profit_total", "Their profit in US dollars."),
        _optional("top_movie_id", "string", "Film with the greatest box office of the year."),
        _optional("top_title", "string", "Its title."),
        _money("top_box_office", "Its box office in US dollars."),
    ),
)
TOP_MOVIES = Table(
    name="top_movies",
    description=(
        "Best films by weighted rating, a chart a provider. The weighted rating is the one that IMDb published for its"
        " Top 250, a Bayesian estimate: WR = v / (v + m) * R + m / (v + m) * C, with R the film's rating and v its"
        " votes. C, the prior mean, is the mean rating of all films with votes of the source and provider; m is the"
        " third quartile of their votes. As on IMDb, m is also what it takes to be listed: films with fewer are not."
    ),
    snowflake_schema="MARTS",
    primary_key=("source", "provider", "movie_id"),
    columns=(
        _SOURCE,
        *_PROVIDER,
        _count(
            "rank",
            "Place in the chart of the source and provider, from 1; of equals the one with more votes.",
        ),
        _MOVIE_ID,
        _AS_OF,
        _TITLE,
        *_of(DIM_MOVIE, "year", "genres", "directors"),
        _required("weighted_rating", "decimal(5,2)", "WR: weighted rating, 0 to 100."),
        _required("rating", "decimal(5,2)", "R: rating from 0 to 100."),
        _required("votes", "bigint", "v: number of votes or reviews behind it."),
        _required("prior_mean", "decimal(5,2)", "C: mean rating of the provider's films with votes."),
        _required("minimum_votes", "bigint", "m: third quartile of the votes of the provider's films."),
        FACT_MOVIE_SNAPSHOT.column("box_office"),
    ),
)
RATING_CHARTS = Table(
    name="rating_charts",
    description="How each provider rates the films as they are now: average, spread and bands, for charts.",
    snowflake_schema="MARTS",
    primary_key=("source", "provider"),
    columns=(
        _SOURCE,
        *_PROVIDER,
        DIM_RATING_PROVIDER.column("original_scale"),
        _AS_OF,
        _count("films", "Films that the provider rated or has votes for."),
        _count("rated_films", "Films with a rating of the provider."),
        _share("rated_share", "Share of these in all films of the source, 0 to 1."),
        _rating("average_rating", "Mean rating, 0 to 100; each film counts once."),
        _rating("vote_weighted_rating", "Mean rating, each film counted by its votes, of films with votes."),
        _rating("lower_quartile", "Rating that a quarter of the films does not exceed."),
        _rating("median_rating", "Rating that half of the films does not exceed."),
        _rating("upper_quartile", "Rating that three quarters of the films do not exceed."),
        _rating("lowest_rating", "Lowest rating."),
        _rating("highest_rating", "Highest rating."),
        _optional("rating_deviation", "decimal(5,2)", "Standard deviation of the ratings."),
        _count("voted_films", "Films with a number of votes."),
        _optional("votes", "bigint", "Votes or reviews of all films."),
        _count("acclaimed_films", "Films rated 80 and over."),
        _count("good_films", "Films rated from 60 to below 80."),
        _count("mixed_films", "Films rated from 40 to below 60."),
        _count("poor_films", "Films rated below 40."),
    ),
)
DIRECTOR_LEADERBOARD = Table(
    name="director_leaderboard",
    description=(
        f"Directors by the mean rating of their films as they are now; it takes {DIRECTOR_MINIMUM_FILMS} rated films to"
        " have a place. A film of several directors counts in full for each, but for the box office, which they share."
    ),
    snowflake_schema="MARTS",
    primary_key=("source", "person_key"),
    columns=(
        _SOURCE,
        _count(
            "rank",
            "Place among the directors of the source, from 1; of equals the one with more rated films.",
        ),
        DIM_PERSON.column("person_key"),
        _required("director", "string", "The director's name."),
        _AS_OF,
        _count("films", "Films that the person directed."),
        _count("rated_films", "Films whose average_rating is known."),
        _required("average_rating", "decimal(5,2)", "Mean of their average_rating, 0 to 100."),
        _count("acclaimed_films", "Films with an average_rating of 80 and over."),
        _share("acclaimed_share", "Share of acclaimed films in the rated ones, 0 to 1."),
        _optional("first_year", "int", "Year of the first film."),
        _optional("last_year", "int", "Year of the last film."),
        _count("box_office_films", "Films whose box office is known."),
        _total(
            "allocated_box_office", "Their box office in US dollars, shared out among a film's directors."
        ),
        _required("best_movie_id", "string", "The best rated film."),
        _required("best_title", "string", "Its title."),
        _required("best_rating", "decimal(5,2)", "Its average_rating, 0 to 100."),
    ),
)
RATING_TRENDS = Table(
    name="rating_trends",
    description=(
        "How ratings move: a row a provider and day. A film is compared with the last day before on which the provider"
        " had it."
    ),
    snowflake_schema="MARTS",
    primary_key=("source", "provider", "dt"),
    columns=(
        _SOURCE,
        *_PROVIDER,
        FACT_MOVIE_RATING.column("dt"),
        _count("films", "Films that the provider rated or had votes for on the day."),
        _count("rated_films", "Films with a rating."),
        _rating("average_rating", "Mean rating of the day, 0 to 100."),
        _optional("votes", "bigint", "Votes or reviews of all films of the day."),
        _count("first_rated_films", "Films that the provider had on no day before."),
        _count("compared_films", "Films with a rating on the day and on their day before."),
        _count("risen_films", "Films whose rating rose."),
        _count("fallen_films", "Films whose rating fell."),
        _optional(
            "average_change", "decimal(7,4)", "Mean change of the compared films' ratings, in points of 100."
        ),
        _optional("greatest_rise", "decimal(5,2)", "Greatest rise of a film's rating, 0 where none rose."),
        _optional("greatest_fall", "decimal(5,2)", "Greatest fall of a film's rating, 0 or below."),
        _optional("votes_gained", "bigint", "Change of the votes of films that had votes on both days."),
    ),
)
MOVIE_HISTORY = Table(
    name="movie_history",
    description="Every version of every film laid open: from when to when it was true, and what made it.",
    snowflake_schema="MARTS",
    primary_key=("movie_key",),
    columns=(
        _SOURCE,
        _MOVIE_ID,
        DIM_MOVIE.column("movie_key"),
        _count("version", "Number of the version, from 1."),
        _count("versions", "Versions that the film has."),
        *_of(DIM_MOVIE, "valid_from", "valid_to", "is_current", "is_deleted"),
        _required("event", "string", f"What the version is: {', '.join(HISTORY_EVENTS)}."),
        _count(
            "changed_attribute_count", "Attributes that differ from the last version that was not a removal."
        ),
        _optional("changed_attributes", "string", "Their names, joined by ', '; null where none differs."),
        _optional(
            "changes", "string", "Each of them as 'name: old -> new', joined by '; '; (none) stands for null."
        ),
        _TITLE,
        _optional("previous_title", "string", "Title in the version that it is compared with."),
        *_of(DIM_MOVIE, "type", "year", "primary_genre", "genres", "directors"),
        *_of(DIM_MOVIE, "runtime_minutes", "release_date", "certification", "row_hash"),
    ),
)


def _quarantined(code: str) -> Column:
    return _count(f"quarantined_{code}", f"Quarantined rows of the rule {code}.")


# Attributes and measures whose gaps data_quality_daily counts.
NULL_SHARES: tuple[str, ...] = (
    "imdb_id",
    "year",
    "release_date",
    "runtime_minutes",
    "genres",
    "directors",
    "certification",
    "budget",
    "box_office",
    "average_rating",
)
DATA_QUALITY_DAILY = Table(
    name="data_quality_daily",
    description="What became of the rows of each day, how complete its films are, and which rules of CORE failed.",
    snowflake_schema="MARTS",
    primary_key=("source", "dt"),
    columns=(
        _SOURCE,
        APPLIED_DAYS.column("dt"),
        *_of(APPLIED_DAYS, "batch_id", "transform_id", "load_type", "extracted_at"),
        *_of(BATCHES, "rows_in"),
        _count("films", "Films of the day in CORE."),
        _count("quarantined_rows", "Rows that are in quarantine."),
        _count("exact_duplicates", "Rows that were removed because the batch holds the same row already."),
        _required(
            "unaccounted_rows",
            "bigint",
            "Rows in less films, quarantined rows and duplicates: 0 where all is well.",
        ),
        _share("quarantined_share", "Share of quarantined rows in the rows in, 0 to 1."),
        _count("quarantined_by_reader", "Quarantined rows that the reader could not make a row of."),
        *map(_quarantined, ROW_RULES),
        _count("quarantined_by_other_rule", "Quarantined rows of any other rule."),
        *(
            _share(f"{name}_null_share", f"Share of the day's films whose {name} is not known, 0 to 1.")
            for name in NULL_SHARES
        ),
        _count("rules_measured", "Rules of CORE that were measured after the day was applied."),
        _count("rules_failed", "Rules that did not hold when they were measured last."),
        _optional("failed_rules", "string", "Their names, joined by ', '."),
        _optional("measured_at", "timestamp", "When they were measured last, UTC."),
    ),
)

MART_VIEWS: tuple[Table, ...] = (
    CURRENT_MOVIES,
    GENRE_PERFORMANCE,
    YEARLY_BOX_OFFICE,
    TOP_MOVIES,
    RATING_CHARTS,
    DIRECTOR_LEADERBOARD,
    RATING_TRENDS,
    MOVIE_HISTORY,
    DATA_QUALITY_DAILY,
)
