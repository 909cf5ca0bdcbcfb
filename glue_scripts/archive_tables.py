"""From judged films to the rows of each archive table, and the statistics of a run.

The tables are cut from one frame by columns: each needs others, and a row becomes several only after its film was sent
to the file that it belongs to. Which file that is follows from the rows alone (a hash of the key, modulo the number of
files), and files are sorted: the same batch gives the same rows in the same files wherever the job runs.
"""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as fn

from glue_scripts import films, parsing
from glue_scripts.hashing import hashed_columns, row_hash
from glue_scripts.spark_types import spark_type
from movie_platform.contracts import tables
from movie_platform.contracts.rules import ROW_RULES

ROWS_PER_FILE = 500_000
# The code of a rejected row whose reader gave none.
UNNAMED_REJECTION = "rejected"

_ROLE_LISTS = {"director": "directors", "writer": "writers", "cast": "cast"}


@dataclass(frozen=True, slots=True)
class Version:
    """What a version of a batch is known by: the first columns of every row."""

    source: str
    dt: date
    batch_id: str
    transform_id: str

    def columns(self) -> tuple[Column, ...]:
        """The four columns that every table begins with, the same in all rows of this version."""
        return (
            fn.lit(self.source).alias("source"),
            fn.lit(self.dt.isoformat()).cast("date").alias("dt"),
            fn.lit(self.batch_id).alias("batch_id"),
            fn.lit(self.transform_id).alias("transform_id"),
        )


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts over the judged films of a batch; `rejected` rows of the reader are not among them."""

    rows: int
    by_verdict: dict[str, int]
    keyless: int
    nulled: dict[str, int]
    table_rows: dict[str, int]


def statistics(judged: DataFrame) -> Statistics:
    """All counts of a run, in one pass over the judged films."""
    is_film = fn.col("verdict").isNull()
    codes = (*ROW_RULES, films.EXACT_DUPLICATE)

    def total(value: Column) -> Column:
        return fn.coalesce(fn.sum(fn.when(is_film, value)), fn.lit(0))

    def items(name: str) -> Column:
        return fn.coalesce(fn.greatest(fn.size(name), fn.lit(0)), fn.lit(0))

    rated = sum((_is_rated(provider).cast("int") for provider in parsing.PROVIDERS), fn.lit(0))
    row = judged.agg(
        fn.count(fn.lit(1)).alias("rows"),
        fn.count_if(is_film).alias("movies"),
        fn.count_if(fn.col("movie_id").isNull() & (fn.col("verdict") != films.EXACT_DUPLICATE)).alias(
            "keyless"
        ),
        total(rated).alias("movie_ratings"),
        total(items("genres")).alias("movie_genres"),
        total(sum((items(name) for name in _ROLE_LISTS.values()), fn.lit(0))).alias("movie_people"),
        *(fn.count_if(fn.col("verdict") == code).alias(f"verdict_{code}") for code in codes),
        *(
            total(fn.shiftright("unparsed", bit).bitwiseAND(fn.lit(1))).alias(f"nulled_{name}")
            for bit, name in enumerate(parsing.PARSED)
        ),
    ).first()
    counts = {} if row is None else {name: int(value) for name, value in row.asDict().items()}
    by_verdict = {code: counts[f"verdict_{code}"] for code in codes if counts[f"verdict_{code}"]}
    quarantined = sum(number for code, number in by_verdict.items() if code != films.EXACT_DUPLICATE)
    return Statistics(
        rows=counts["rows"],
        by_verdict=by_verdict,
        keyless=counts["keyless"],
        nulled={name: counts[f"nulled_{name}"] for name in parsing.PARSED if counts[f"nulled_{name}"]},
        table_rows={
            **{name: counts[name] for name in ("movies", "movie_ratings", "movie_genres", "movie_people")},
            "quarantined_rows": quarantined,
        },
    )


def file_count(rows: int) -> int:
    """Number of files of a table of so many rows: none for none, else one for each ROWS_PER_FILE begun."""
    return -(-rows // ROWS_PER_FILE)


def movies(judged: DataFrame, version: Version, files: int) -> DataFrame:
    """Rows of `movies`, in `files` partitions."""
    return _conform(_placed(judged, files), tables.MOVIES, version, hashed=True)


def movie_ratings(judged: DataFrame, version: Version, files: int) -> DataFrame:
    """Rows of `movie_ratings`: a row a film and provider of whom a rating or votes are known."""
    pairs = [
        column
        for provider in parsing.PROVIDERS
        for column in (fn.lit(provider.name), fn.col(provider.rating), fn.col(provider.votes))
    ]
    narrow = judged.select(
        "verdict",
        "movie_id",
        *(name for provider in parsing.PROVIDERS for name in (provider.rating, provider.votes)),
    )
    rows = _placed(narrow, files).select(
        "movie_id",
        fn.stack(fn.lit(len(parsing.PROVIDERS)), *pairs).alias("provider", "rating", "votes"),
    )
    known = rows.where(fn.col("rating").isNotNull() | fn.col("votes").isNotNull())
    return _conform(known, tables.MOVIE_RATINGS, version)


def movie_genres(judged: DataFrame, version: Version, files: int) -> DataFrame:
    """Rows of `movie_genres`: a row a film and genre."""
    placed = _placed(judged.select("verdict", "movie_id", "genres"), files)
    rows = placed.select("movie_id", fn.posexplode("genres").alias("_index", "genre"))
    return _conform(rows.withColumn("position", fn.col("_index") + 1), tables.MOVIE_GENRES, version)


def movie_people(judged: DataFrame, version: Version, files: int) -> DataFrame:
    """Rows of `movie_people`: a row a film, role and person."""
    placed = _placed(judged.select("verdict", "movie_id", *_ROLE_LISTS.values()), files)
    pairs = [column for role, name in _ROLE_LISTS.items() for column in (fn.lit(role), fn.col(name))]
    roles = placed.select("movie_id", fn.stack(fn.lit(len(_ROLE_LISTS)), *pairs).alias("role", "people"))
    rows = roles.select("movie_id", "role", fn.posexplode("people").alias("_index", "person"))
    return _conform(rows.withColumn("position", fn.col("_index") + 1), tables.MOVIE_PEOPLE, version)


def quarantined_rows(
    judged: DataFrame, rejected: DataFrame | None, version: Version, files: int
) -> DataFrame:
    """Rows of `quarantined_rows`: those that broke a rule, and those that the reader rejected."""
    broken = judged.where(
        fn.col("verdict").isNotNull() & (fn.col("verdict") != films.EXACT_DUPLICATE)
    ).select(
        "movie_id",
        fn.col("verdict").alias("rule_code"),
        "message",
        fn.lit("transform").alias("origin"),
        fn.lit(None).cast("bigint").alias("line_number"),
        "raw_row",
    )
    refused = (
        None
        if rejected is None
        else rejected.select(
            fn.lit(None).cast("string").alias("movie_id"),
            fn.coalesce("code", fn.lit(UNNAMED_REJECTION)).alias("rule_code"),
            fn.coalesce("message", fn.lit("The reader could not make a row of this text.")).alias("message"),
            fn.lit("reader").alias("origin"),
            "line_number",
            fn.coalesce("raw_text", fn.lit("")).alias("raw_row"),
        )
    )
    rows = broken if refused is None else broken.unionByName(refused)
    hashed = rows.withColumn("row_hash", row_hash(hashed_columns(tables.QUARANTINED_ROWS)))
    equal = Window.partitionBy("row_hash").orderBy("row_hash")
    # Keyless rows are many or none: their files are chosen by the hash of the row, not by the key.
    placed = hashed.repartition(files, "row_hash").withColumn("occurrence", fn.row_number().over(equal))
    ordered = placed.sortWithinPartitions("row_hash", "occurrence")
    return _conform(ordered, tables.QUARANTINED_ROWS, version, hashed=True)


def _is_rated(provider: parsing.Provider) -> Column:
    return fn.col(provider.rating).isNotNull() | fn.col(provider.votes).isNotNull()


def _placed(judged: DataFrame, files: int) -> DataFrame:
    good = judged.where(fn.col("verdict").isNull())
    return good.repartition(files, "movie_id").sortWithinPartitions("movie_id")


def _conform(rows: DataFrame, table: tables.Table, version: Version, *, hashed: bool = False) -> DataFrame:
    """The rows with exactly the columns and types of the contract, the row hash added unless it is there."""
    if not hashed:
        rows = rows.select("*", row_hash(hashed_columns(table)).alias("row_hash"))
    names = table.column_names[len(films.VERSION_COLUMNS) :]
    return rows.select(
        *version.columns(),
        *(fn.col(name).cast(spark_type(table.column(name).type)).alias(name) for name in names),
    )
