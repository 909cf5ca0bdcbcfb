"""Row hashes: SHA-256 over a canonical text of a row's values.

The canonical text of a row joins the values in contract order, each as `<length of its UTF-8 bytes>:<text>`, a null
as `~`; so no two different rows have one text. Numbers and dates are Spark's own text of them (`92.00`, `1994-10-14`),
timestamps the microseconds since 1970 UTC, whatever the session's time zone.
"""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as fn

from movie_platform.contracts import tables

# What tells versions of one row apart, and what counts equal rows, is no part of a row's content.
NOT_HASHED = frozenset({"source", "dt", "batch_id", "transform_id", "row_hash", "tracked_hash", "occurrence"})


def hashed_columns(table: tables.Table) -> tuple[tables.Column, ...]:
    """The columns of a table that its row hash covers."""
    return tuple(column for column in table.columns if column.name not in NOT_HASHED)


def row_hash(columns: Iterable[tables.Column]) -> Column:
    """SHA-256, in hexadecimal digits, over the columns of these names and types."""
    return fn.sha2(fn.concat(*(_canonical(column) for column in columns)), 256)


def tracked_hash(names: Iterable[str], lists: Iterable[str]) -> Column:
    """SHA-256 over the columns of these names, no timestamps, and the arrays of text of those, each under its name.

    What is null or empty is left out: an attribute that is tracked from now on, and that no film has yet, changes no
    film's hash.
    """
    named = [fn.concat(fn.lit(f"{name}="), _with_length(fn.col(name).cast("string"))) for name in names]
    listed = [
        fn.when(
            fn.size(name) > 0,
            fn.concat(fn.lit(f"{name}="), fn.concat_ws(",", fn.transform(fn.col(name), _with_length))),
        )
        for name in lists
    ]
    return fn.sha2(fn.concat_ws(";", *named, *listed), 256)


def _canonical(column: tables.Column) -> Column:
    value = fn.col(column.name)
    if column.type == "timestamp":
        value = fn.unix_micros(value)
    return fn.coalesce(_with_length(value.cast("string")), fn.lit("~"))


def _with_length(text: Column) -> Column:
    return fn.concat(fn.octet_length(text).cast("string"), fn.lit(":"), text)
