"""Row hashes: SHA-256 over a canonical text of a row's values.

The canonical text of a row joins the values in contract order, each as `<length of its UTF-8 bytes>:<text>`, a null
as `~`; so no two different rows have one text. Numbers and dates are the text that Spark and Python have for them alike
(`92.00`, `1994-10-14`), timestamps the microseconds since 1970 UTC, whatever the session's time zone.

Films are hashed where they are parsed, in Python, from columns of values; the rows of other tables by Spark.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

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


def canonical_texts(
    columns: Iterable[tables.Column], values: Mapping[str, Sequence[Any]]
) -> dict[str, list[str | None]]:
    """The canonical text of each value of each column, None for a null."""
    return {
        column.name: [
            None if value is None else _with_its_length(str(value))
            for value in (
                map(_microseconds, values[column.name]) if column.type == "timestamp" else values[column.name]
            )
        ]
        for column in columns
    }


def row_hashes(texts: Mapping[str, Sequence[str | None]]) -> list[str]:
    """What `row_hash` gives, of rows whose canonical texts are given column by column, in contract order."""
    return [
        _digest("".join(["~" if text is None else text for text in row]))
        for row in zip(*texts.values(), strict=True)
    ]


def tracked_hashes(
    names: Iterable[str],
    texts: Mapping[str, Sequence[str | None]],
    lists: Mapping[str, Sequence[list[str] | None]],
) -> list[str]:
    """SHA-256 of each row over the canonical texts of the columns of these names, and over lists of text by name.

    What is null or empty is left out: an attribute that is tracked from now on, and that no film has yet, changes no
    film's hash.
    """
    named = [
        *([None if text is None else f"{name}={text}" for text in texts[name]] for name in names),
        *(
            [f"{name}={','.join(map(_with_its_length, items))}" if items else None for items in lists[name]]
            for name in lists
        ),
    ]
    return [_digest(";".join([text for text in row if text is not None])) for row in zip(*named, strict=True)]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def unix_microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC of a point in time with a zone."""
    return (moment - _EPOCH) // _MICROSECOND


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else unix_microseconds(moment)


def _with_its_length(text: str) -> str:
    return f"{len(text) if text.isascii() else len(text.encode())}:{text}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(column: tables.Column) -> Column:
    value = fn.col(column.name)
    if column.type == "timestamp":
        value = fn.unix_micros(value)
    text = value.cast("string")
    return fn.coalesce(fn.concat(fn.octet_length(text).cast("string"), fn.lit(":"), text), fn.lit("~"))
