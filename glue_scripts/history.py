"""Earlier runs on a batch, and what follows from them for this one. Pure decisions; the records are `_RUN.json`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from movie_platform.contracts.tables import BATCHES

Record = Mapping[str, Any]

_PART = re.compile(rf"/{BATCHES.name}-[^/]*-([0-9]{{5}})\.parquet$")


@dataclass(frozen=True, slots=True)
class Unchanged:
    """This transform made the newest version, and all its files are there: nothing is to be written."""

    record: Record


@dataclass(frozen=True, slots=True)
class Write:
    """Write what is missing, and announce the version as the newest under this number and time."""

    announcement: int
    transformed_at: datetime


def decide(
    records: Sequence[Record], transform_id: str, existing: Mapping[str, int], now: datetime
) -> Unchanged | Write:
    """What a run has to do.

    `records` are the `_RUN.json` of all transforms of the batch, `existing` the keys (and bytes) of this version's
    files, `now` the time at which the run began. A clock that lags behind an earlier run's does not make this run the
    older one: its time is then one microsecond later than that run's.
    """
    newest = max(records, key=_moment, default=None)
    if newest is not None and newest["transform_id"] == transform_id and is_whole(newest, existing):
        return Unchanged(newest)
    later = now if newest is None else max(now, _moment(newest) + timedelta(microseconds=1))
    return Write(next_announcement(existing), later)


def is_whole(record: Record, existing: Mapping[str, int]) -> bool:
    """Whether every file that a run recorded is there, with the bytes that it recorded."""
    files = [
        file for table in record["tables"].values() for file in (*table["files"], *table.get("csv_files", ()))
    ]
    return all(existing.get(file["key"]) == file["bytes"] for file in files)


def next_announcement(existing: Mapping[str, int]) -> int:
    """The number of the next `batches` file of a version: 0, or one more than the greatest that is there."""
    numbers = [int(match[1]) for key in existing if (match := _PART.search(key))]
    return max(numbers, default=-1) + 1


def _moment(record: Record) -> datetime:
    return datetime.fromisoformat(record["transformed_at"]).astimezone(UTC)
