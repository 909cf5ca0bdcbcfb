"""The row rules: which rows of a bundle cannot become films, and the sentence that says why.

The codes are `movie_platform.contracts.rules`; a row that breaks several is given the first in their order.
"""

from pyspark.sql import Column
from pyspark.sql import functions as fn

from movie_platform.contracts import rules, tables

_LONGEST_QUOTE = 100


def violation(
    *,
    movie_id: Column,
    title: Column,
    raw_year: Column,
    year: Column,
    year_end: Column,
    raw_runtime: Column,
    runtime: Column,
) -> Column:
    """struct(code, message) of the first rule that a row breaks, null for a good row.

    `year` is the year as parsed, or that of the release date where no year is given; `raw_*` are quoted in messages.
    """
    years = f"{tables.MINIMUM_YEAR} to {tables.MAXIMUM_YEAR}"
    minutes = f"{tables.MINIMUM_RUNTIME_MINUTES} to {tables.MAXIMUM_RUNTIME_MINUTES}"
    bad_year = ~_in_range(year, "year") | ~_in_range(year_end, "year_end")
    return (
        fn.when(movie_id.isNull(), _broken(rules.MISSING_KEY, fn.lit("The row has no movie_id.")))
        .when(title.isNull(), _broken(rules.MISSING_TITLE, fn.lit("The row has no title.")))
        .when(
            bad_year,
            _broken(
                rules.IMPOSSIBLE_YEAR,
                fn.concat(fn.lit("The year "), _quote(raw_year), fn.lit(f" is not within {years}.")),
            ),
        )
        .when(
            year_end < year,
            _broken(
                rules.IMPOSSIBLE_YEAR,
                fn.concat(fn.lit("The years "), _quote(raw_year), fn.lit(" end before they begin.")),
            ),
        )
        .when(
            ~_in_range(runtime, "runtime_minutes"),
            _broken(
                rules.IMPOSSIBLE_RUNTIME,
                fn.concat(
                    fn.lit("The runtime "), _quote(raw_runtime), fn.lit(f" is not within {minutes} minutes.")
                ),
            ),
        )
    )


def duplicate_message(movie_id: Column) -> Column:
    """What is wrong with a row that lost against another row of its key."""
    return fn.concat(
        fn.lit("Another row with the movie_id "),
        _quote(movie_id),
        fn.lit(" was kept: it was updated later, or, of the same age, has the greater row hash."),
    )


def _in_range(value: Column, column: str) -> Column:
    contract = tables.MOVIES.column(column)
    return value.between(int(contract.minimum or 0), int(contract.maximum or 0))


def _broken(code: str, message: Column) -> Column:
    return fn.struct(fn.lit(code).alias("code"), message.alias("message"))


def _quote(value: Column) -> Column:
    return fn.concat(
        fn.lit("'"), fn.coalesce(fn.substring(value, 1, _LONGEST_QUOTE), fn.lit("")), fn.lit("'")
    )
