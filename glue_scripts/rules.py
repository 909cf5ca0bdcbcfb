"""The row rules: which rows of a bundle cannot become films, and the sentence that says why.

The codes are `movie_platform.contracts.rules`; a row that breaks several is given the first in their order.
"""

from pyspark.sql import Column
from pyspark.sql import functions as fn

from movie_platform.contracts import rules, tables

_LONGEST_QUOTE = 100


def violation(
    *,
    movie_id: str | None,
    title: str | None,
    raw_year: str | None,
    year: int | None,
    year_end: int | None,
    raw_runtime: str | None,
    runtime: int | None,
) -> tuple[str, str] | None:
    """Code and message of the first rule that a row breaks, None for a good row.

    `year` is the year as parsed, or that of the release date where no year is given; `raw_*` are quoted in messages.
    """
    if movie_id is None:
        return rules.MISSING_KEY, "The row has no movie_id."
    if title is None:
        return rules.MISSING_TITLE, "The row has no title."
    if not (_in_range(year, "year") and _in_range(year_end, "year_end")):
        years = f"{tables.MINIMUM_YEAR} to {tables.MAXIMUM_YEAR}"
        return rules.IMPOSSIBLE_YEAR, f"The year {_quote(raw_year)} is not within {years}."
    if year is not None and year_end is not None and year_end < year:
        return rules.IMPOSSIBLE_YEAR, f"The years {_quote(raw_year)} end before they begin."
    if not _in_range(runtime, "runtime_minutes"):
        minutes = f"{tables.MINIMUM_RUNTIME_MINUTES} to {tables.MAXIMUM_RUNTIME_MINUTES} minutes"
        return rules.IMPOSSIBLE_RUNTIME, f"The runtime {_quote(raw_runtime)} is not within {minutes}."
    return None


def duplicate_message(movie_id: Column) -> Column:
    """What is wrong with a row that lost against another row of its key."""
    return fn.concat(
        fn.lit("Another row with the movie_id '"),
        fn.coalesce(fn.substring(movie_id, 1, _LONGEST_QUOTE), fn.lit("")),
        fn.lit("' was kept: it was updated later, or, of the same age, has the greater row hash."),
    )


_RANGES = {
    name: (int(column.minimum or 0), int(column.maximum or 0))
    for name, column in (
        (name, tables.MOVIES.column(name)) for name in ("year", "year_end", "runtime_minutes")
    )
}


def _in_range(value: int | None, column: str) -> bool:
    if value is None:
        return True
    minimum, maximum = _RANGES[column]
    return minimum <= value <= maximum


def _quote(value: str | None) -> str:
    return f"'{(value or '')[:_LONGEST_QUOTE]}'"
