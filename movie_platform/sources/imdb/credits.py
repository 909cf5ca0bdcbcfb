"""From one row a credit, sorted by title, to one row a title with lists of names: Arrow arrays, no row by itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from movie_platform.sources.arrow_compute import pc
from movie_platform.sources.column_mapping import json_strings

DIRECTOR, WRITER = 0, 1
# Rows of the sorted credits: title, role, person and, where it is known, the person's name.
CREDIT_COLUMNS = ("tconst", "role", "nconst", "name")
LIST_COLUMNS = ("directors", "writers", "directorIds", "writerIds")
SCHEMA = pa.schema([(name, pa.string()) for name in ("tconst", *LIST_COLUMNS)])


def lists_of_titles(rows_of_credits: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row a title, in the order of `rows_of_credits`, which are sorted by title, role and place in its list.

    Names are a JSON array, for names may hold commas; identifiers have commas between, as in the file. A person
    whose name is not known is among the identifiers only. Null stands for no one at all.
    """
    left: pa.Table | None = None
    for batch in rows_of_credits:
        if batch.num_rows == 0:
            continue
        rows = pa.Table.from_batches([batch])
        if left is not None:
            rows = pa.concat_tables([left, rows]).combine_chunks()
        starts = _starts(rows.column("tconst"))
        # The last title may go on in the next batch.
        if len(starts) > 1:
            yield _lists(rows.slice(0, starts[-1]), starts[:-1])
        left = rows.slice(starts[-1])
    if left is not None:
        yield _lists(left, np.array([0]))


def _starts(titles: Any) -> np.ndarray:
    """The row numbers at which a title begins, in rows that are sorted by title."""
    changes = pc.not_equal(titles.slice(1), titles.slice(0, len(titles) - 1)).to_numpy()
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


def _lists(rows: pa.Table, starts: np.ndarray) -> pa.RecordBatch:
    roles = rows.column("role").to_numpy()
    groups = np.searchsorted(starts, np.arange(rows.num_rows), side="right") - 1
    names, people = rows.column("name").combine_chunks(), rows.column("nconst").combine_chunks()
    named = names.is_valid().to_numpy(zero_copy_only=False)
    quoted = json_strings(names)
    columns = [rows.column("tconst").take(pa.array(starts)).combine_chunks()]
    for role in (DIRECTOR, WRITER):
        listed = _joined(quoted, groups, (roles == role) & named, len(starts))
        columns.append(pc.binary_join_element_wise("[", listed, "]", ""))
    columns += [_joined(people, groups, roles == role, len(starts)) for role in (DIRECTOR, WRITER)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _joined(texts: Any, groups: np.ndarray, wanted: np.ndarray, count: int) -> Any:
    """The wanted texts of each group with commas between; null for a group that has none."""
    sizes = np.bincount(groups[wanted], minlength=count)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), texts.filter(pa.array(wanted)))
    return pc.if_else(pa.array(sizes > 0), pc.binary_join(lists, ","), pa.scalar(None, pa.string()))
