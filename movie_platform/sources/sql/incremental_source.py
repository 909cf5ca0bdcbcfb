"""A table or query of a database, read from where the last extract ended: the rows whose `updated_at` is not older.

The watermark is the greatest `updated_at` in the database's own order. It is asked for before the rows are, so a row
that is committed in between is read again next time, never skipped; rows with the watermark's own time are read
again too, and rows without a time always.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from movie_platform.raw_rows import RowBatch
from movie_platform.sources.profile import UPDATED_AT
from movie_platform.sources.protocol import LoadType
from movie_platform.sources.source_errors import MalformedSource, ProfileError
from movie_platform.sources.sql.source import SqlSource
from movie_platform.sources.sql.watermark import earlier, not_after


class IncrementalSqlSource(SqlSource):
    """A table or query whose rows say when they were changed."""

    _ended: str | None = None

    def load_type(self, cursor: str | None) -> LoadType:
        """`full` where there is no cursor, because everything is read then; `delta` behind one."""
        return "full" if cursor is None else "delta"

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:
        """The rows that were changed at `cursor` or later, all of them where it is None.

        Raises as `SqlSource.batches` does, and ProfileError for a watermark that does not fit the column.
        """
        reader = self._open(dt)
        column = self._profile.columns[UPDATED_AT]
        try:
            if cursor is not None:
                reader.restrict(column, self._begin(cursor))
            greatest = reader.greatest(column)
        except (ProfileError, MalformedSource) as error:
            reader.close()
            raise ProfileError(
                f"{error.message} (updated_at is the column {column!r}, the last extract ended at {cursor!r}. If the "
                "column's type or meaning has changed, run once with incremental = false, which loads everything.)"
            ) from error
        except BaseException:
            reader.close()
            raise
        self._ended = cursor if greatest is None else not_after(greatest, datetime.now(UTC))
        return self._read(reader)

    def next_cursor(self) -> str | None:
        """The greatest `updated_at` of the rows that were asked for, never in the future; else where it began."""
        return self._ended

    def describe(self) -> dict[str, str]:
        """URL without secrets, the table or query, and that it is read incrementally."""
        return {**super().describe(), "incremental": "true", "overlap": str(self._parameters.overlap)}

    def _begin(self, cursor: str) -> str:
        overlap = self._parameters.overlap
        if overlap == 0:
            return cursor
        begin = earlier(cursor, overlap)
        if begin is None:
            raise ProfileError(
                f"`overlap` needs timestamps written as 2026-11-18 20:15:00; the last extract ended at {cursor!r}."
            )
        return begin
