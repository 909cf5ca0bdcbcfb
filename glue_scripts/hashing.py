"""Row hashes: SHA-256 over a canonical text of a row's values.

The canonical text joins the values in contract order, each as `<length of its UTF-8 bytes>:<text>`, a null as `~`; so
no two different rows have one text. Numbers and dates are Spark's own text of them (`92.00`, `1994-10-14`),
timestamps the microseconds since 1970 UTC, whatever the session's time zone.
"""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as fn

from movie_platform.contracts import tables

# What tells versions of one row apart, and what counts equal rows, is no part of a row's content.
NOT_HASHED = frozenset({"source", "dt", "batch_id", "transform_id", "row_hash", "occurrence"})


def hashed_columns(table: tables.Table) -> tuple[tables.Column, ...]:
    """The columns of a table that its row hash covers."""
    return tuple(column for column in table.columns if column.name not in NOT_HASHED)


def row_hash(columns: Iterable[tables.Column]) -> Column:
    """SHA-256, in hexadecimal digits, over the columns of these names and types."""
    return fn.sha2(fn.concat(*(_canonical(column) for column in columns)), 256)


def _canonical(column: tables.Column) -> Column:
    value = fn.col(column.name)
    if column.type == "timestamp":
        value = fn.unix_micros(value)
    text = value.cast("string")
    return fn.coalesce(fn.concat(fn.octet_length(text).cast("string"), fn.lit(":"), text), fn.lit("~"))
