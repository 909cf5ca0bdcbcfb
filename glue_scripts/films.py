"""From raw rows to judged films: one row in, one row out, no row dropped.

A judged film has the typed values of a film, its lists, and its verdict: null for a film, the code of the rule that the
row breaks, or EXACT_DUPLICATE. What later steps count and write is all in this one frame, so that the input is read and
parsed once. Rows are parsed by Python, in Arrow batches (`glue_scripts.parsing`): as column expressions, Spark needed
longer to plan them than a day's films need, and interpreted most of them row by row.
"""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, Window, types
from pyspark.sql import functions as fn

from glue_scripts import rules
from glue_scripts.hashing import canonical_texts, hashed_columns, row_hashes, tracked_hashes
from glue_scripts.parsing import CHILD_LISTS, RATINGS, VOTES, FilmParser
from glue_scripts.spark_types import arrow_type, spark_type
from glue_scripts.text import clean_key
from movie_platform.contracts import raw_column_names, tables
from movie_platform.contracts.rules import DUPLICATE_KEY
from movie_platform.contracts.tables import TRACKED_COLUMNS

# The verdict on a row that the batch holds already, to the letter. It is removed, not quarantined.
EXACT_DUPLICATE = "exact_duplicate"

VERSION_COLUMNS = ("source", "dt", "batch_id", "transform_id")

# Name and contract type of each column that parsing gives.
_PARSED_COLUMNS = {
    **{column.name: column.type for column in hashed_columns(tables.MOVIES)},
    **dict.fromkeys(("row_hash", "tracked_hash"), "string"),
    **dict.fromkeys(RATINGS, tables.MOVIE_RATINGS.column("rating").type),
    **dict.fromkeys(VOTES, tables.MOVIE_RATINGS.column("votes").type),
    "unparsed": "int",
    "verdict": "string",
    "message": "string",
    "raw_row": "string",
}

Batches = Iterable[pa.RecordBatch]


def with_all_columns(raw: DataFrame) -> DataFrame:
    """The raw frame with every column of the bundle contract, those that the bundle lacks as nulls."""
    present = set(raw.columns)
    return raw.select(
        *(
            fn.col(name) if name in present else fn.lit(None).cast("string").alias(name)
            for name in raw_column_names()
        )
    )


def repeated_keys(raw: DataFrame) -> DataFrame:
    """The keys (column movie_id, null included) that more than one raw row has. Reads that one column only."""
    return _more_than_once(raw.select("movie_id").mapInArrow(_clean_keys, "movie_id string"))


def parse(raw: DataFrame, keep: Collection[str | None] | None) -> DataFrame:
    """Raw rows as judged films, each row by itself.

    Columns out: those of the `movies` table without the version columns, the ratings and votes of each provider,
    CHILD_LISTS as arrays, `unparsed` (a bit for each of `parsing.PARSED` whose text gave no value), `verdict`,
    `message`, and `raw_row` as JSON (of rows that break a rule and of those whose key is in `keep`, which is None for
    all; null for the others).
    """
    fields = [types.StructField(name, spark_type(kind)) for name, kind in _PARSED_COLUMNS.items()]
    fields += [types.StructField(name, types.ArrayType(types.StringType())) for name in CHILD_LISTS]
    return with_all_columns(raw).mapInArrow(_parser(keep), types.StructType(fields))


def split_repeated(parsed: DataFrame, repeated: Sequence[str | None] | None) -> tuple[DataFrame, DataFrame]:
    """The rows whose key no other row has, and the others.

    `repeated` is what `repeated_keys` found, None for more than can be told one by one: they are found again here.
    """
    key = fn.col("movie_id")
    if repeated is None:
        marked = _more_than_once(parsed).withColumnRenamed("movie_id", "_key")
        same = key.eqNullSafe(fn.col("_key"))
        return parsed.join(marked, same, "left_anti"), parsed.join(marked, same, "left_semi")
    named = [name for name in repeated if name is not None]
    is_repeated = fn.coalesce(key.isin(named), fn.lit(None in repeated))
    return parsed.where(~is_repeated), parsed.where(is_repeated)


def settle_duplicates(rows: DataFrame) -> DataFrame:
    """Of equal rows one stays; of different good rows with one key the latest stays, the rest break `duplicate_key`.

    Every row must have its `raw_row`.
    """
    verdict = fn.col("verdict")
    copies = Window.partitionBy("raw_row").orderBy("raw_row")
    rivals = Window.partitionBy("movie_id", verdict.isNull()).orderBy(
        fn.col("updated_at").desc_nulls_last(), fn.col("row_hash").desc(), fn.sha2("raw_row", 256).desc()
    )
    unique = rows.withColumn("_copy", fn.row_number().over(copies)).withColumn(
        "verdict", fn.when(fn.col("_copy") > 1, EXACT_DUPLICATE).otherwise(verdict)
    )
    lost = fn.col("verdict").isNull() & (fn.col("_place") > 1)
    return (
        unique.withColumn("_place", fn.row_number().over(rivals))
        .withColumn(
            "message", fn.when(lost, rules.duplicate_message(fn.col("movie_id"))).otherwise(fn.col("message"))
        )
        .withColumn("verdict", fn.when(lost, DUPLICATE_KEY).otherwise(fn.col("verdict")))
        .drop("_copy", "_place")
    )


def _more_than_once(keys: DataFrame) -> DataFrame:
    return keys.groupBy("movie_id").count().where(fn.col("count") > 1).select("movie_id")


def _clean_keys(batches: Batches) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        keys = [clean_key(key) for key in batch.column(0).to_pylist()]
        yield pa.RecordBatch.from_arrays([pa.array(keys, pa.string())], names=["movie_id"])


def _parser(keep: Collection[str | None] | None) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    schema = pa.schema(
        [
            *((name, arrow_type(kind)) for name, kind in _PARSED_COLUMNS.items()),
            *((name, pa.list_(pa.string())) for name in CHILD_LISTS),
        ]
    )
    kept = None if keep is None else frozenset(keep)
    hashed = hashed_columns(tables.MOVIES)

    def parse_batches(batches: Batches) -> Iterator[pa.RecordBatch]:
        parser = FilmParser()
        # Parsing makes many small objects and no cycles: to look for some takes a quarter of its time.
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            for batch in batches:
                raw = {name: batch.column(name).to_pylist() for name in raw_column_names()}
                columns = parser.parse(raw, kept)
                texts = canonical_texts(hashed, columns)
                columns["row_hash"] = row_hashes(texts)
                child_lists = {name: columns[name] for name in CHILD_LISTS}
                columns["tracked_hash"] = tracked_hashes(TRACKED_COLUMNS, texts, child_lists)
                yield pa.RecordBatch.from_arrays(
                    [pa.array(columns[field.name], field.type) for field in schema], schema=schema
                )
        finally:
            if was_enabled:
                gc.enable()

    return parse_batches
