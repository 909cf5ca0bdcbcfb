"""From raw rows to judged films: one row in, one row out, no row dropped.

`judge` gives each raw row the typed values of a film, its lists, and its verdict: null for a film, the code of the rule
that the row breaks, or EXACT_DUPLICATE. What later steps count and write is all in this one frame, so that the input
is read and parsed once.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as fn

from glue_scripts import dates, lists, numbers, rules
from glue_scripts.hashing import hashed_columns, row_hash, tracked_hash
from glue_scripts.text import bind, clean_key, clean_line, clean_lines, is_plain, without_markers
from movie_platform.contracts import RAW_COLUMNS, raw_column_names, tables
from movie_platform.contracts.rules import DUPLICATE_KEY
from movie_platform.contracts.tables import TRACKED_COLUMNS

# The verdict on a row that the batch holds already, to the letter. It is removed, not quarantined.
EXACT_DUPLICATE = "exact_duplicate"

VERSION_COLUMNS = ("source", "dt", "batch_id", "transform_id")
LISTS = ("genres", "directors", "writers", "cast", "languages", "countries", "production_companies")
# The lists that become rows of their own; the others become text of the film.
CHILD_LISTS = ("genres", "directors", "writers", "cast")


class Provider:
    """A rating provider: the raw columns of its rating and votes, and what a bare rating is out of."""

    def __init__(self, name: str, rating: str, votes: str, out_of: int) -> None:
        self.name = name
        self.rating = rating
        self.votes = votes
        self.out_of = out_of


PROVIDERS = (
    Provider("imdb", "imdb_rating", "imdb_votes", 10),
    Provider("metacritic", "metascore", "metascore_reviews", 100),
    Provider("rotten_tomatoes", "rotten_tomatoes", "rotten_tomatoes_reviews", 100),
    Provider("critics", "critic_rating", "critic_reviews", 10),
)

RATINGS = tuple(provider.rating for provider in PROVIDERS)
VOTES = tuple(provider.votes for provider in PROVIDERS)
MONEY = ("budget", "box_office")
_OUT_OF = {provider.rating: provider.out_of for provider in PROVIDERS}
# Text on one line; the other columns are cleansed in ways of their own.
_LINES = tuple(name for name in raw_column_names() if name not in ("movie_id", "overview", "extra"))

# The raw columns whose text may turn out not to be a value of the column's kind.
PARSED = (
    "imdb_id",
    "year",
    "release_date",
    "runtime",
    "budget",
    "box_office",
    *RATINGS,
    *VOTES,
    "popularity",
    "homepage",
    "poster_url",
    "updated_at",
)

_IMDB_ID = r"^(?:https?://(?:[a-z.]+\.)?imdb\.com/title/)?(tt[0-9]{7,12})/?$"
_WEB_ADDRESS = r"^(?i:https?://|www\.)\S+$"

_ARTICLE = r"^(?:the|an?)\s+(?=\S)"
# Letters that Unicode does not take apart into a letter and an accent.
_LETTERS_BY_NAME = {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ﬁ": "fi", "ﬂ": "fl"}


def _unaccented() -> tuple[str, str]:
    accented, plain = ["ø", "đ", "ð", "ł", "ħ", "ı"], ["o", "d", "d", "l", "h", "i"]
    for code in (*range(0xC0, 0x590), *range(0x1E00, 0x2000)):
        base = unicodedata.normalize("NFD", chr(code))
        if len(base) > 1 and all(unicodedata.combining(mark) for mark in base[1:]):
            accented.append(chr(code))
            plain.append(base[0])
    return "".join(accented), "".join(plain)


_ACCENTED, _PLAIN = _unaccented()


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
    keys = raw.select(clean_key(fn.col("movie_id")).alias("movie_id"))
    return keys.groupBy("movie_id").count().where(fn.col("count") > 1).select("movie_id")


def judge(raw: DataFrame, repeated: Sequence[str | None] | DataFrame) -> DataFrame:
    """Raw rows as judged films.

    `repeated` is what `repeated_keys` found, collected where it is short. Only those rows are compared with each
    other. Columns out: those of the `movies` table without the version columns, the ratings and votes of each
    provider, CHILD_LISTS as arrays, `unparsed` (a bit for each of PARSED whose text gave no value), `verdict`,
    `message` and `raw_row` (the latter null for films whose key no other row has).
    """
    raw = with_all_columns(raw)
    key = clean_key(fn.col("movie_id"))
    if isinstance(repeated, DataFrame):
        marked = repeated.withColumnRenamed("movie_id", "_repeated_key").withColumn(
            "_repeated", fn.expr("true")
        )
        raw = raw.join(marked, key.eqNullSafe(fn.col("_repeated_key")), "left").drop("_repeated_key")
        is_repeated = fn.col("_repeated").isNotNull()
    elif not repeated:
        return _parse(raw, keep_raw_rows=False)
    else:
        named = [name for name in repeated if name is not None]
        is_repeated = fn.coalesce(key.isin(named), fn.lit(None in repeated))
    single = _parse(raw.where(~is_repeated), keep_raw_rows=False)
    return single.unionByName(_settle_duplicates(_parse(raw.where(is_repeated), keep_raw_rows=True)))


def _settle_duplicates(rows: DataFrame) -> DataFrame:
    """Of equal rows one stays; of different good rows with one key the latest stays, the rest break `duplicate_key`."""
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


def _parse(raw: DataFrame, *, keep_raw_rows: bool) -> DataFrame:
    """Raw rows as judged films, each row by itself.

    Columns of one kind go through one higher-order function together (`_each`): Spark then analyses and plans an
    expression for each kind, not for each column, and evaluates it by its interpreter. Compiled for each column, the
    many forms that a value may have take longer to compile than a day's films to parse.
    """
    raw_row = fn.struct(*(fn.col(column.name) for column in RAW_COLUMNS)).alias("_raw")
    # Most rows are plain throughout, which one look at the whole row tells.
    plain = is_plain(fn.concat_ws(" ", *(fn.col(name) for name in _LINES)))
    rows = raw.select(
        raw_row,
        clean_key(fn.col("movie_id")).alias("movie_id"),
        clean_lines(fn.col("overview")).alias("overview"),
        fn.when(fn.trim("extra") != "", fn.col("extra")).alias("extra"),
        fn.when(~plain, _each(_LINES, fn.col, clean_line)).alias("_lines"),
    )
    texts = rows.select(
        *("_raw", "movie_id", "overview", "extra"),
        *(_line(place, name).alias(_text(name)) for place, name in enumerate(_LINES)),
    )
    arrays = texts.select("*", *_aliased(_kinds()))
    values = arrays.select("*", *_aliased(_values()))
    enriched = _enriched()
    kept = [column.name for column in hashed_columns(tables.MOVIES) if column.name not in enriched]
    judged = values.select(
        *kept,
        *_aliased(enriched),
        *(*RATINGS, *VOTES, *CHILD_LISTS, "_raw"),
        _unparsed().alias("unparsed"),
        _violation().alias("_violation"),
    )
    is_kept = fn.col("_violation").isNotNull() | fn.lit(keep_raw_rows)
    return judged.select(
        *(name for name in judged.columns if name not in ("_raw", "_violation")),
        row_hash(hashed_columns(tables.MOVIES)).alias("row_hash"),
        tracked_hash(TRACKED_COLUMNS, CHILD_LISTS).alias("tracked_hash"),
        fn.col("_violation.code").alias("verdict"),
        fn.col("_violation.message").alias("message"),
        fn.when(is_kept, fn.to_json("_raw", {"ignoreNullFields": "true"})).alias("raw_row"),
    )


def _text(name: str) -> str:
    return f"_text_{name}"


def _text_of(name: str) -> Column:
    return fn.col(_text(name))


def _line(place: int, name: str) -> Column:
    trimmed = without_markers(fn.trim(f"_raw.{name}"))
    return fn.when(fn.col("_lines").isNull(), trimmed).otherwise(fn.get("_lines", fn.lit(place)))


def _aliased(columns: Mapping[str, Column]) -> list[Column]:
    return [value.alias(name) for name, value in columns.items()]


def _each(
    names: Sequence[str], argument: Callable[[str], Column], function: Callable[[Column], Column]
) -> Column:
    """An array of what `function` makes of each name's argument."""
    return fn.transform(fn.array(*(argument(name) for name in names)), function)


def _kinds() -> dict[str, Column]:
    """What texts that several columns have in common say, as an array for each kind."""

    def rating(name: str) -> Column:
        return fn.struct(_text_of(name).alias("text"), fn.lit(_OUT_OF[name]).alias("out_of"))

    def list_texts(name: str) -> Column:
        return fn.struct(fn.col(f"_raw.{name}").alias("raw"), _text_of(name).alias("cleaned"))

    return {
        "_ratings": _each(RATINGS, rating, lambda pair: numbers.rating(pair["text"], pair["out_of"])),
        "_votes": _each(VOTES, _text_of, numbers.count),
        "_money": _each(MONEY, _text_of, numbers.money),
        "_lists": _each(LISTS, list_texts, lambda pair: lists.items(pair["raw"], pair["cleaned"])),
        "_first_year": numbers.first_year(_text_of("year")),
        "_minutes": numbers.runtime_minutes(_text_of("runtime")),
        "_iso_date": dates.partial_date(_text_of("release_date")),
        "updated_at": dates.timestamp(_text_of("updated_at")),
    }


def _taken(names: Sequence[str], array: str) -> dict[str, Column]:
    return {name: fn.get(array, fn.lit(place)) for place, name in enumerate(names)}


def _values() -> dict[str, Column]:
    """The values that follow from one text or one kind."""
    plain = ("title", "original_title", "certification", "awards")
    listed = _taken(LISTS, "_lists")
    ratings = _taken(RATINGS, "_ratings")
    money = _taken(MONEY, "_money")
    imdb_id = fn.lower(_text_of("imdb_id"))
    return {
        **{name: _text_of(name) for name in plain},
        **{
            name: fn.when(_text_of(name).rlike(_WEB_ADDRESS), _text_of(name))
            for name in ("homepage", "poster_url")
        },
        **ratings,
        **_taken(VOTES, "_votes"),
        **money,
        **{name: listed[name] for name in ("genres", "directors", "cast")},
        **{name: lists.joined(listed[name], _text_of(name)) for name in LISTS if name not in CHILD_LISTS},
        "writers": lists.without_credits(listed["writers"], _text_of("writers")),
        "imdb_id": fn.when(imdb_id.rlike(_IMDB_ID), fn.regexp_extract(imdb_id, _IMDB_ID, 1)),
        "type": fn.lower(_text_of("type")),
        "title_sort_key": title_sort_key(_text_of("title")),
        "popularity": numbers.measure(_text_of("popularity")),
        "year_end": numbers.last_year(_text_of("year")),
        "profit": numbers.difference(money["box_office"], money["budget"]),
        "_first_day": dates.first_day(fn.col("_iso_date")),
        "average_rating": _average_rating(list(ratings.values())),
    }


def _enriched() -> dict[str, Column]:
    """What follows from the values."""
    date_year = fn.year("_first_day")
    known_date = numbers.is_year(date_year)
    average = fn.col("average_rating")
    year = fn.coalesce("_first_year", fn.when(known_date, date_year))
    minutes = fn.col("_minutes")
    return {
        "year": year,
        "decade": (year - fn.pmod(year, fn.lit(10))).cast("int"),
        "release_date": fn.when(known_date, fn.col("_first_day")),
        "release_date_precision": fn.when(known_date, dates.precision(fn.col("_iso_date"))),
        "release_quarter": fn.when(known_date & (fn.length("_iso_date") > 4), fn.quarter("_first_day")),
        "runtime_minutes": fn.when(fn.abs(minutes) < 10**9, minutes.cast("int")),
        "primary_genre": fn.get("genres", fn.lit(0)),
        "return_on_investment": numbers.quotient(fn.col("profit"), fn.col("budget")),
        "rating_band": fn.when(average >= 80, "acclaimed")
        .when(average >= 60, "good")
        .when(average >= 40, "mixed")
        .when(average.isNotNull(), "poor"),
    }


def _average_rating(ratings: Sequence[Column]) -> Column:
    known = sum(
        (rating.isNotNull().cast("int") for rating in ratings[1:]), ratings[0].isNotNull().cast("int")
    )
    total = sum(
        (fn.coalesce(rating, fn.lit(0)) for rating in ratings[1:]), fn.coalesce(ratings[0], fn.lit(0))
    )
    mean = total.cast("decimal(7,2)") / known.cast("decimal(1,0)")
    return fn.when(known > 0, fn.round(mean, 2).cast("decimal(5,2)"))


def title_sort_key(title: Column) -> Column:
    """A title in lower case without a leading English article and without accents.

    Articles of other languages stay: 'die' begins 'Die Hard' as well as German titles.
    """

    def simplify(text: Column) -> Column:
        for letter, letters in _LETTERS_BY_NAME.items():
            text = fn.replace(text, fn.lit(letter), fn.lit(letters))
        return fn.regexp_replace(fn.translate(text, _ACCENTED, _PLAIN), r"[\u0300-\u036F]", "")

    lowered = fn.regexp_replace(fn.lower(title), _ARTICLE, "")
    return fn.when(fn.octet_length(title) == fn.length(title), lowered).otherwise(bind(lowered, simplify))


def _violation() -> Column:
    # A release date that no film can have condemns a row only where it is all that is known of the year.
    without_year = fn.col(_text("year")).isNull()
    return rules.violation(
        movie_id=fn.col("movie_id"),
        title=fn.col("title"),
        raw_year=fn.coalesce(_text("year"), _text("release_date")),
        year=fn.coalesce("_first_year", fn.when(without_year, fn.year("_first_day"))),
        year_end=fn.col("year_end"),
        raw_runtime=fn.col(_text("runtime")),
        runtime=fn.col("_minutes"),
    )


def _unparsed() -> Column:
    """A bit for each of PARSED: set where there is a text, but no value came of it."""
    known_date = fn.when(numbers.is_year(fn.year("_first_day")), fn.col("_first_day"))
    value_of = {"year": fn.col("_first_year"), "runtime": fn.col("_minutes"), "release_date": known_date}
    bits = [
        fn.when(
            fn.col(_text(name)).isNotNull() & value_of.get(name, fn.col(name)).isNull(), fn.lit(1 << bit)
        ).otherwise(0)
        for bit, name in enumerate(PARSED)
    ]
    return sum(bits[1:], bits[0])
