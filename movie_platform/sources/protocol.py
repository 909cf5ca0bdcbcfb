"""What every source does: the interface between a source and whoever writes its rows down.

No I/O and no knowledge of any kind of source belongs here.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal, Protocol, runtime_checkable

from movie_platform.raw_rows import RowBatch

LoadType = Literal["full", "delta"]


class Source(Protocol):
    """A place that movies are read from. One object serves one extract at a time."""

    def columns(self) -> tuple[str, ...]:
        """Names of the columns of every batch, in contract order. Fixed for the whole extract.

        Raises SourceError where the source has to be asked and cannot be, or lacks a column that is mapped.
        """
        ...

    def answers_as_of(self) -> bool:
        """Whether the source can be asked for the state at a past date."""
        ...

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:
        """The rows that describe `dt`, in bounded batches; at least one batch, which may be empty.

        `cursor` is what `next_cursor` gave after an earlier extract, None for the first. Raises SourceError,
        before the first batch wherever the fault can be seen by then.
        """
        ...

    def next_cursor(self) -> str | None:
        """Where the next incremental extract begins; meaningful once `batches` is exhausted, None without one."""
        ...

    def describe(self) -> dict[str, str]:
        """Parameters of the source for the manifest. Secrets are never among them."""
        ...


@runtime_checkable
class Incremental(Protocol):
    """What a source has beside the methods of `Source` when an extract can begin where an earlier one ended.

    Only such a source is given a cursor: that of the latest earlier date's bundle, so that a rerun of a date asks the
    same question, and an extract that never landed moves nothing.
    """

    def load_type(self, cursor: str | None) -> LoadType:
        """What an extract that begins at `cursor` gives: everything (full), or what changed since then (delta).

        Decides what the warehouse makes of films that the extract does not mention: a delta never removes one.
        """
        ...
