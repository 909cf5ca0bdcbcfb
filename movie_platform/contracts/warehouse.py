"""The tables of the warehouse behind RAW: the star schema in CORE and the platform's own notes in OPS.

Standard library only. Columns that a film has in the archive keep their names, types and descriptions. What the
task graph works with while it applies a batch (`work_…`) is no contract and is described in its SQL alone.
"""

from dataclasses import dataclass

from movie_platform.contracts.tables import (
    BATCHES,
    MOVIE_RATINGS,
    MOVIES,
    TRACKED_COLUMNS,
    Column,
    Table,
)

# End of validity of a version that is still open.
OPEN_END = "9999-12-31"

MEASURES: tuple[str, ...] = (
    "popularity",
    "budget",
    "box_office",
    "profit",
    "return_on_investment",
    "average_rating",
    "rating_band",
)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Every value of `table.column` is a value of `references.key`."""

    table: str
    column: str
    references: str
    key: str


def _text(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "string", description, nullable=nullable)


def _of(table: Table, *names: str) -> tuple[Column, ...]:
    return tuple(table.column(name) for name in names)


_SOURCE, _DT, _BATCH_ID, _TRANSFORM_ID = _of(MOVIES, "source", "dt", "batch_id", "transform_id")
_MOVIE_ID = MOVIES.column("movie_id")
_MOVIE_KEY = _text("movie_key", "Version of the film; SHA-256 of source, movie_id and valid_from.")
_DATE_KEY = Column("date_key", "int", "The date as a number, YYYYMMDD.", nullable=False)
_WEIGHT = Column(
    "weight",
    "decimal(18,12)",
    "Share of the film, for sums that count each film once; the shares of a film{scope} sum to 1.",
    nullable=False,
)


def _weight(scope: str) -> Column:
    return Column(_WEIGHT.name, _WEIGHT.type, _WEIGHT.description.format(scope=scope), nullable=False)


DIM_MOVIE = Table(
    name="dim_movie",
    description="Films, SCD type 2: a row a version; versions of a film follow each other without gap or overlap.",
    snowflake_schema="CORE",
    primary_key=("movie_key",),
    columns=(
        _MOVIE_KEY,
        _SOURCE,
        _MOVIE_ID,
        Column("valid_from", "date", "First day on which the version is true.", nullable=False),
        Column(
            "valid_to",
            "date",
            f"First day on which it is not any more; {OPEN_END} while open.",
            nullable=False,
        ),
        Column("is_current", "boolean", "Whether the version is open.", nullable=False),
        Column(
            "is_deleted",
            "boolean",
            "Whether the film is removed from the source in this version.",
            nullable=False,
        ),
        _text(
            "row_hash",
            "SHA-256 of the tracked attributes, genres and people; a removed film keeps that of its last version.",
        ),
        *_of(MOVIES, *TRACKED_COLUMNS[:13]),
        _text("genres", "Genres in the source's order, joined by '|'.", nullable=True),
        _text("directors", "Directors in the source's order, joined by '|'.", nullable=True),
        *_of(MOVIES, *TRACKED_COLUMNS[13:]),
    ),
)
DIM_PERSON = Table(
    name="dim_person",
    description="People, SCD type 1: a row a name, whatever its case; the newest spelling is kept.",
    snowflake_schema="CORE",
    primary_key=("person_key",),
    columns=(
        _text("person_key", "SHA-256 of the name in lower case."),
        _text("person_name", "Name as the film version with the latest valid_from spells it."),
    ),
)
DIM_GENRE = Table(
    name="dim_genre",
    description="Genres, SCD type 1: a row a genre, whatever its case; the newest spelling is kept.",
    snowflake_schema="CORE",
    primary_key=("genre_key",),
    columns=(
        _text("genre_key", "SHA-256 of the genre in lower case."),
        _text("genre_name", "Genre as the film version with the latest valid_from spells it."),
    ),
)
DIM_RATING_PROVIDER = Table(
    name="dim_rating_provider",
    description="Who rates, SCD type 1.",
    snowflake_schema="CORE",
    primary_key=("provider_key",),
    columns=(
        _text("provider_key", "SHA-256 of the provider."),
        MOVIE_RATINGS.column("provider"),
        _text("provider_name", "The provider's name as people write it."),
        _text("original_scale", "The scale on which the provider itself rates."),
    ),
)
DIM_DATE = Table(
    name="dim_date",
    description="Days from 1870-01-01 to 2100-12-31.",
    snowflake_schema="CORE",
    primary_key=("date_key",),
    columns=(
        _DATE_KEY,
        Column("date", "date", "The day.", nullable=False),
        Column("year", "int", "Calendar year.", nullable=False),
        Column("quarter", "int", "Quarter of the year, 1 to 4.", nullable=False),
        Column("month", "int", "Month of the year, 1 to 12.", nullable=False),
        _text("month_name", "English name of the month."),
        _text("year_month", "Year and month as YYYY-MM."),
        Column("day_of_month", "int", "Day of the month, from 1.", nullable=False),
        Column("day_of_year", "int", "Day of the year, from 1.", nullable=False),
        Column(
            "day_of_week", "int", "Day of the week by ISO 8601: 1 is Monday, 7 is Sunday.", nullable=False
        ),
        _text("day_name", "English name of the day of the week."),
        Column("is_weekend", "boolean", "Whether it is a Saturday or a Sunday.", nullable=False),
        Column("iso_year", "int", "Year that the week belongs to by ISO 8601.", nullable=False),
        Column("iso_week", "int", "Week of that year by ISO 8601, 1 to 53.", nullable=False),
        Column("first_day_of_month", "date", "First day of the month.", nullable=False),
        Column("last_day_of_month", "date", "Last day of the month.", nullable=False),
        Column("decade", "int", "First year of the decade.", nullable=False),
    ),
)
BRIDGE_MOVIE_GENRE = Table(
    name="bridge_movie_genre",
    description="Genres of each version of a film; a removed film has none.",
    snowflake_schema="CORE",
    primary_key=("movie_key", "genre_key"),
    columns=(
        _MOVIE_KEY,
        DIM_GENRE.column("genre_key"),
        Column("position", "int", "Place in the film's list, from 1.", nullable=False),
        _weight(""),
        _text("named_as", "Genre as the source spells it for this film."),
    ),
)
BRIDGE_MOVIE_PERSON = Table(
    name="bridge_movie_person",
    description="People of each version of a film by role; a removed film has none.",
    snowflake_schema="CORE",
    primary_key=("movie_key", "role", "person_key"),
    columns=(
        _MOVIE_KEY,
        _text("role", "director, writer or cast."),
        DIM_PERSON.column("person_key"),
        Column("position", "int", "Place in the list of the role, from 1.", nullable=False),
        _weight(" and role"),
        _text("credited_as", "Name as the source spells it for this film."),
    ),
)
_FACT_KEYS = (_DATE_KEY, _SOURCE, _MOVIE_ID, _DT)
FACT_MOVIE_SNAPSHOT = Table(
    name="fact_movie_snapshot",
    description="A row a film and day: what the day's winning batch says of it.",
    snowflake_schema="CORE",
    primary_key=("source", "movie_id", "dt"),
    columns=(_MOVIE_KEY, *_FACT_KEYS, *_of(MOVIES, *MEASURES)),
)
FACT_MOVIE_RATING = Table(
    name="fact_movie_rating",
    description="A row a film, rating provider and day.",
    snowflake_schema="CORE",
    primary_key=("source", "movie_id", "provider_key", "dt"),
    columns=(
        _MOVIE_KEY,
        DIM_RATING_PROVIDER.column("provider_key"),
        *_FACT_KEYS,
        *_of(MOVIE_RATINGS, "rating", "votes"),
    ),
)
APPLIED_DAYS = Table(
    name="applied_days",
    description="The winning version of each source and day: what the rest of CORE shows.",
    snowflake_schema="CORE",
    primary_key=("source", "dt"),
    columns=(
        _SOURCE,
        _DT,
        _BATCH_ID,
        _TRANSFORM_ID,
        *_of(BATCHES, "load_type", "extracted_at", "content_id"),
        Column(
            "removes",
            "boolean",
            "Whether films that are missing on the day count as removed: a full load without keyless quarantined rows.",
            nullable=False,
        ),
    ),
)

CORE_TABLES: tuple[Table, ...] = (
    DIM_MOVIE,
    DIM_PERSON,
    DIM_GENRE,
    DIM_RATING_PROVIDER,
    DIM_DATE,
    BRIDGE_MOVIE_GENRE,
    BRIDGE_MOVIE_PERSON,
    FACT_MOVIE_SNAPSHOT,
    FACT_MOVIE_RATING,
    APPLIED_DAYS,
)

_APPLIED_AT = Column("applied_at", "timestamp", "When the batch was applied, UTC.", nullable=False)
CORE_CHANGES = Table(
    name="core_changes",
    description="What applying a day's winner did to a table of CORE.",
    snowflake_schema="OPS",
    primary_key=("source", "dt", "batch_id", "transform_id", "table_name", "applied_at"),
    columns=(
        _SOURCE,
        _DT,
        _BATCH_ID,
        _TRANSFORM_ID,
        _text("table_name", "Table of CORE."),
        Column("rows_inserted", "bigint", "Rows that were added.", nullable=False),
        Column(
            "rows_updated",
            "bigint",
            "Rows that were changed in place, closed ones among them.",
            nullable=False,
        ),
        Column(
            "rows_closed", "bigint", "Versions that were open before and are not any more.", nullable=False
        ),
        Column("rows_deleted", "bigint", "Rows that were taken away.", nullable=False),
        _APPLIED_AT,
    ),
)
DATA_QUALITY_RESULTS = Table(
    name="data_quality_results",
    description="What the task graph found when it measured CORE after applying batches.",
    snowflake_schema="OPS",
    primary_key=("rule", "source", "dt", "measured_at"),
    columns=(
        _text("rule", "What has to hold."),
        _SOURCE,
        _DT,
        Column("checked_rows", "bigint", "Rows that were looked at.", nullable=False),
        Column("offending_rows", "bigint", "Rows that break the rule; 0 where it holds.", nullable=False),
        Column("measured_at", "timestamp", "When it was measured, UTC.", nullable=False),
    ),
)
PENDING_DAYS = Table(
    name="pending_days",
    description="Days that something arrived for and CORE does not show yet; one that failed too often waits here.",
    snowflake_schema="OPS",
    primary_key=("source", "dt"),
    columns=(
        _SOURCE,
        _DT,
        Column("arrived_at", "timestamp", "When something of the day arrived last, UTC.", nullable=False),
        Column("attempts", "int", "How often applying the day was begun since then.", nullable=False),
        Column("tried_at", "timestamp", "When it was begun last, UTC."),
        _text("error_code", "Snowflake's number of the error that the last try ended with.", nullable=True),
        _text("error_message", "Snowflake's words for it.", nullable=True),
    ),
)
GRAPH_WAKE_UPS = Table(
    name="graph_wake_ups",
    description="Requests for a run of the task graph, read through a stream.",
    snowflake_schema="OPS",
    primary_key=(),
    columns=(Column("noted_at", "timestamp", "When it was noted, UTC.", nullable=False),),
)
# How often a day is tried before it waits for somebody to look; a success, or something that arrives, begins anew.
ATTEMPTS_A_DAY = 4
# What one run of the graph applies at most: days, and rows of films and people that they announce.
DAYS_A_RUN = 100
ROWS_A_RUN = 20_000_000
LOAD_RUNS = Table(
    name="load_runs",
    description="Which run of the orchestrator brought which version of a batch into the warehouse.",
    snowflake_schema="OPS",
    primary_key=("source", "dt", "batch_id", "transform_id", "run_id"),
    columns=(
        _SOURCE,
        _DT,
        _BATCH_ID,
        _TRANSFORM_ID,
        _text("run_id", "The orchestrator's run."),
        Column("recorded_at", "timestamp", "When it was noted, UTC.", nullable=False),
    ),
)

TASK_ERRORS = Table(
    name="task_errors",
    description="Runs of tasks that failed, kept beyond the days that TASK_HISTORY goes back.",
    snowflake_schema="OPS",
    primary_key=("query_id",),
    columns=(
        _text("query_id", "Query that the task's run was."),
        _text("graph_run", "Run of the graph that it belonged to."),
        _text("task_name", "Task of CORE."),
        _text("state", "FAILED, FAILED_AND_AUTO_SUSPENDED or CANCELLED."),
        _text("error_code", "Snowflake's number of the error.", nullable=True),
        _text("error_message", "Snowflake's words for it.", nullable=True),
        Column("scheduled_at", "timestamp", "When the run was due, UTC.", nullable=False),
        Column("completed_at", "timestamp", "When it ended, UTC."),
        Column("noted_at", "timestamp", "When the next run of the graph noted it, UTC.", nullable=False),
    ),
)

OPS_TABLES: tuple[Table, ...] = (
    PENDING_DAYS,
    GRAPH_WAKE_UPS,
    LOAD_RUNS,
    CORE_CHANGES,
    DATA_QUALITY_RESULTS,
    TASK_ERRORS,
)

FOREIGN_KEYS: tuple[ForeignKey, ...] = (
    ForeignKey("bridge_movie_genre", "movie_key", "dim_movie", "movie_key"),
    ForeignKey("bridge_movie_genre", "genre_key", "dim_genre", "genre_key"),
    ForeignKey("bridge_movie_person", "movie_key", "dim_movie", "movie_key"),
    ForeignKey("bridge_movie_person", "person_key", "dim_person", "person_key"),
    ForeignKey("fact_movie_snapshot", "movie_key", "dim_movie", "movie_key"),
    ForeignKey("fact_movie_snapshot", "date_key", "dim_date", "date_key"),
    ForeignKey("fact_movie_rating", "movie_key", "dim_movie", "movie_key"),
    ForeignKey("fact_movie_rating", "provider_key", "dim_rating_provider", "provider_key"),
    ForeignKey("fact_movie_rating", "date_key", "dim_date", "date_key"),
)
# Tables whose primary key a blocking check holds: Snowflake may rely on it (RELY). What it relies on and is not so
# gives wrong results, so all other keys are declared without. Foreign keys are all checked.
RELIABLE_KEYS: frozenset[str] = frozenset({"dim_movie", "fact_movie_snapshot", "fact_movie_rating"})
