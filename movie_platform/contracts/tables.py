"""The tables that the Glue job writes and the RAW schema loads: columns, types, keys and ranges.

Types are a small vocabulary of their own, which each consumer maps to its system: string, int (32 bit), bigint
(64 bit), decimal(p,s), date, timestamp (UTC, microseconds), boolean.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Column:
    """A typed column. `minimum` and `maximum` are inclusive; `raw` names the bundle columns that it is made of.

    `later`: the warehouse's table was there before the column, which therefore stands at its end, and is null in the
    rows that were there.
    """

    name: str
    type: str
    description: str
    nullable: bool = True
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    raw: tuple[str, ...] = ()
    later: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the archive. `primary_key` is unique within one version (batch_id and transform_id) of a batch."""

    name: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    snowflake_schema: str = "RAW"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in their order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name!r}")


MINIMUM_YEAR = 1870
MAXIMUM_YEAR = 2100
MINIMUM_RUNTIME_MINUTES = 1
# The longest film known ("Logistics", 2012) runs for 51,420 minutes.
MAXIMUM_RUNTIME_MINUTES = 60_000

RATING_BANDS = ("acclaimed", "good", "mixed", "poor")
PEOPLE_ROLES = ("director", "writer", "cast")
RATING_PROVIDERS = ("imdb", "metacritic", "rotten_tomatoes", "critics")
DATE_PRECISIONS = ("day", "month", "year")

_VERSION_COLUMNS = (
    Column(
        "source", "string", "Name of the source profile; with movie_id it identifies a film.", nullable=False
    ),
    Column("dt", "date", "UTC date that the extract describes.", nullable=False),
    Column(
        "batch_id",
        "string",
        "Batch: time of extraction and the first 12 digits of the content's hash.",
        nullable=False,
    ),
    Column("transform_id", "string", "Hash of the code and options that made this row.", nullable=False),
)
_MOVIE_ID = Column("movie_id", "string", "The film's key in its source.", nullable=False, raw=("movie_id",))
_ROW_HASH = Column(
    "row_hash", "string", "SHA-256 of the row's values, version columns left out.", nullable=False
)


def _money(name: str, description: str, raw: tuple[str, ...], minimum: int | None = 0) -> Column:
    lower = None if minimum is None else Decimal(minimum)
    return Column(name, "decimal(18,2)", description, minimum=lower, raw=raw)


MOVIES = Table(
    name="movies",
    description="Films, cleansed and enriched: a row a film and version of a batch.",
    primary_key=("source", "dt", "batch_id", "transform_id", "movie_id"),
    columns=(
        *_VERSION_COLUMNS,
        _MOVIE_ID,
        Column("imdb_id", "string", "IMDb title identifier.", raw=("imdb_id",)),
        Column("title", "string", "Title.", nullable=False, raw=("title",)),
        Column(
            "original_title", "string", "Title in the language the film was made in.", raw=("original_title",)
        ),
        Column(
            "title_sort_key",
            "string",
            "Title in lower case without accents and leading article.",
            raw=("title",),
        ),
        Column("type", "string", "Kind of title: movie, series, short and so on.", raw=("type",)),
        Column(
            "year",
            "int",
            "Year of release, or the first of a range.",
            minimum=Decimal(MINIMUM_YEAR),
            maximum=Decimal(MAXIMUM_YEAR),
            raw=("year", "release_date"),
        ),
        Column(
            "year_end",
            "int",
            "Last year of a range, null for a single year.",
            minimum=Decimal(MINIMUM_YEAR),
            maximum=Decimal(MAXIMUM_YEAR),
            raw=("year",),
        ),
        Column(
            "release_date",
            "date",
            "Date of release; the first day of its month or year where only that is known.",
            raw=("release_date",),
        ),
        Column(
            "release_date_precision",
            "string",
            "day, month or year: how much of release_date is known.",
            raw=("release_date",),
        ),
        Column(
            "release_quarter",
            "int",
            "Quarter of release, 1 to 4, where the month is known.",
            minimum=Decimal(1),
            maximum=Decimal(4),
            raw=("release_date",),
        ),
        Column("decade", "int", "First year of the decade of release.", raw=("year", "release_date")),
        Column(
            "runtime_minutes",
            "int",
            "Running time in minutes.",
            minimum=Decimal(MINIMUM_RUNTIME_MINUTES),
            maximum=Decimal(MAXIMUM_RUNTIME_MINUTES),
            raw=("runtime",),
        ),
        Column("primary_genre", "string", "The first genre that the source names.", raw=("genres",)),
        Column("languages", "string", "Languages, joined by '|' in the source's order.", raw=("languages",)),
        Column("countries", "string", "Countries of production, joined by '|'.", raw=("countries",)),
        Column(
            "production_companies",
            "string",
            "Production companies, joined by '|'.",
            raw=("production_companies",),
        ),
        Column("certification", "string", "Age certification.", raw=("certification",)),
        Column("overview", "string", "Summary of the plot.", raw=("overview",)),
        Column("awards", "string", "Awards as text.", raw=("awards",)),
        _money("budget", "Budget in US dollars.", ("budget",)),
        _money("box_office", "Box office takings in US dollars.", ("box_office",)),
        _money(
            "profit", "Box office less budget, where both are known.", ("budget", "box_office"), minimum=None
        ),
        Column(
            "return_on_investment",
            "decimal(18,4)",
            "Profit divided by budget, where both are known.",
            raw=("budget", "box_office"),
        ),
        Column(
            "average_rating",
            "decimal(5,2)",
            "Mean of the providers' ratings, 0 to 100.",
            minimum=Decimal(0),
            maximum=Decimal(100),
            raw=("imdb_rating", "metascore", "rotten_tomatoes", "critic_rating"),
        ),
        Column(
            "rating_band",
            "string",
            "acclaimed (80 and over), good (60), mixed (40) or poor, by average_rating.",
            raw=("imdb_rating", "metascore", "rotten_tomatoes", "critic_rating"),
        ),
        Column(
            "popularity",
            "decimal(18,4)",
            "The source's measure of popularity.",
            minimum=Decimal(0),
            raw=("popularity",),
        ),
        Column("homepage", "string", "The film's web page.", raw=("homepage",)),
        Column("poster_url", "string", "Address of a poster.", raw=("poster_url",)),
        Column("updated_at", "timestamp", "When the source last changed the row.", raw=("updated_at",)),
        Column("extra", "string", "What the source said beside the contract, a JSON object.", raw=("extra",)),
        _ROW_HASH,
        Column(
            "tracked_hash",
            "string",
            "SHA-256 of what the warehouse keeps versions of: attributes, genres and people, no measures.",
            nullable=False,
        ),
    ),
)

MOVIE_RATINGS = Table(
    name="movie_ratings",
    description="Ratings: a row a film and provider.",
    primary_key=("source", "dt", "batch_id", "transform_id", "movie_id", "provider"),
    columns=(
        *_VERSION_COLUMNS,
        _MOVIE_ID,
        Column(
            "provider", "string", "Who rated: imdb, metacritic, rotten_tomatoes or critics.", nullable=False
        ),
        Column(
            "rating",
            "decimal(5,2)",
            "Rating from 0 to 100; null where only the number of votes is known.",
            minimum=Decimal(0),
            maximum=Decimal(100),
            raw=("imdb_rating", "metascore", "rotten_tomatoes", "critic_rating"),
        ),
        Column(
            "votes",
            "bigint",
            "Number of votes or reviews behind it.",
            minimum=Decimal(0),
            raw=("imdb_votes", "metascore_reviews", "rotten_tomatoes_reviews", "critic_reviews"),
        ),
        _ROW_HASH,
    ),
)

MOVIE_GENRES = Table(
    name="movie_genres",
    description="Genres: a row a film and genre, each genre once a film.",
    primary_key=("source", "dt", "batch_id", "transform_id", "movie_id", "genre"),
    columns=(
        *_VERSION_COLUMNS,
        _MOVIE_ID,
        Column("genre", "string", "Genre.", nullable=False, raw=("genres",)),
        Column(
            "position",
            "int",
            "Place in the source's list, from 1.",
            nullable=False,
            minimum=Decimal(1),
            raw=("genres",),
        ),
        _ROW_HASH,
    ),
)

MOVIE_PEOPLE = Table(
    name="movie_people",
    description="People: a row a film, role and person, each person once a role.",
    primary_key=("source", "dt", "batch_id", "transform_id", "movie_id", "role", "person"),
    columns=(
        *_VERSION_COLUMNS,
        _MOVIE_ID,
        Column("role", "string", "director, writer or cast.", nullable=False),
        Column(
            "person", "string", "The person's name.", nullable=False, raw=("directors", "writers", "cast")
        ),
        Column(
            "position",
            "int",
            "Place in the source's list, from 1.",
            nullable=False,
            minimum=Decimal(1),
            raw=("directors", "writers", "cast"),
        ),
        _ROW_HASH,
    ),
)

QUARANTINED_ROWS = Table(
    name="quarantined_rows",
    description="Rows that broke a rule of the contract or that the reader could not make a row of.",
    primary_key=("source", "dt", "batch_id", "transform_id", "row_hash", "occurrence"),
    snowflake_schema="OPS",
    columns=(
        *_VERSION_COLUMNS,
        Column("movie_id", "string", "The film's key where the row has one.", raw=("movie_id",)),
        Column("rule_code", "string", "Code of the rule that the row broke.", nullable=False),
        Column("message", "string", "What is wrong, in a sentence.", nullable=False),
        Column(
            "origin", "string", "reader (rejected at extract) or transform (broke a rule).", nullable=False
        ),
        Column("line_number", "bigint", "Line in the source file, for rows that the reader rejected."),
        Column(
            "raw_row",
            "string",
            "The row as it came: a JSON object, or the reader's raw text.",
            nullable=False,
        ),
        Column(
            "occurrence",
            "int",
            "Counts identical quarantined rows of a batch, from 1.",
            nullable=False,
            minimum=Decimal(1),
        ),
        _ROW_HASH,
    ),
)

# A change in one of these opens a version of the film. What moves every day is left out: it lies in the facts.
TRACKED_COLUMNS: tuple[str, ...] = (
    "imdb_id",
    "title",
    "original_title",
    "title_sort_key",
    "type",
    "year",
    "year_end",
    "release_date",
    "release_date_precision",
    "release_quarter",
    "decade",
    "runtime_minutes",
    "primary_genre",
    "languages",
    "countries",
    "production_companies",
    "certification",
    "overview",
    "awards",
    "homepage",
    "poster_url",
)

# The tables whose rows and files a row of `batches` announces.
ANNOUNCED_TABLES: tuple[Table, ...] = (MOVIES, MOVIE_RATINGS, MOVIE_GENRES, MOVIE_PEOPLE, QUARANTINED_ROWS)


def _announced_columns() -> tuple[Column, ...]:
    columns: list[Column] = []
    for table in ANNOUNCED_TABLES:
        columns.append(
            Column(
                f"{table.name}_rows",
                "bigint",
                f"Rows of {table.name} that belong to the version.",
                nullable=False,
                minimum=Decimal(0),
            )
        )
        columns.append(
            Column(
                f"{table.name}_files",
                "int",
                f"Files of {table.name} that belong to the version.",
                nullable=False,
                minimum=Decimal(0),
            )
        )
    return tuple(columns)


BATCHES = Table(
    name="batches",
    description="Announcements: a row says that a version of a batch is whole and what belongs to it.",
    primary_key=("source", "dt", "batch_id", "transform_id", "announcement"),
    columns=(
        *_VERSION_COLUMNS,
        Column(
            "announcement",
            "int",
            "0 for the first, one more each time that this version becomes the newest again.",
            nullable=False,
            minimum=Decimal(0),
        ),
        Column(
            "transformed_at",
            "timestamp",
            "When the announcing run began, UTC; the newest version of a batch wins.",
            nullable=False,
        ),
        Column("load_type", "string", "full or delta.", nullable=False),
        Column("extracted_at", "timestamp", "When the source was read, UTC.", nullable=False),
        Column(
            "content_id",
            "string",
            "SHA-256 of the batch's rows as a multiset, columns, source and load type.",
            nullable=False,
        ),
        Column(
            "rows_in",
            "bigint",
            "Rows of the bundle, rejected ones included.",
            nullable=False,
            minimum=Decimal(0),
        ),
        Column(
            "exact_duplicates",
            "bigint",
            "Rows that were removed because the batch holds the same row already.",
            nullable=False,
            minimum=Decimal(0),
        ),
        *_announced_columns(),
        Column(
            "keyless_quarantined_rows",
            "bigint",
            "Quarantined rows without a key; a batch that has any removes no film.",
            nullable=False,
            minimum=Decimal(0),
        ),
    ),
)

ARCHIVE_TABLES: tuple[Table, ...] = (*ANNOUNCED_TABLES, BATCHES)

# What Snowpipe's INCLUDE_METADATA adds to each RAW table.
RAW_METADATA_COLUMNS: tuple[Column, ...] = (
    Column(
        "file_name",
        "string",
        "Path of the file that the row was loaded from, within the stage.",
        nullable=False,
    ),
    Column("file_row", "bigint", "Number of the row in its file.", nullable=False),
    Column("loaded_at", "timestamp", "When the load of the file began, UTC.", nullable=False),
)


def warehouse_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table in the warehouse, in their order there: what a load adds stands before later columns."""
    loaded = table.name in {each.name for each in ARCHIVE_TABLES}
    added = RAW_METADATA_COLUMNS if loaded else ()
    return (
        *(column for column in table.columns if not column.later),
        *added,
        *(column for column in table.columns if column.later),
    )
