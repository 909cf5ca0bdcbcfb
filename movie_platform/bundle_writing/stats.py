"""Facts about the rows of an extract, gathered while it is written: nulls, ranges, number of distinct keys.

Memory is bounded: keys are counted exactly (up to collisions of a 64-bit hash, one in 4 million at 3
million keys) through sorted runs of hashes in a temporary file, 8 bytes a row, never held together in
memory.
"""

import tempfile
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute

from movie_platform.bundles.manifest import ColumnStats, Stats

# Its functions are made when it is imported, so that no type checker knows them.
pc: Any = pyarrow.compute

_RUN_HASHES = 1 << 18
_HASH_BYTES = 8
# 256 ranges of hashes: while they are counted, one 256th of all hashes is in memory.
_RANGE_EDGES = np.arange(-127, 128, dtype=np.int64) << 56

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
# Columns whose values mean a time, and forms in which their order as text is their order in time. All
# values of a column must have one and the same form, or its range is left out (`1994` beside `14 Oct
# 1994`).
_ORDERED_FORMS: dict[str, tuple[str, ...]] = {
    "year": ("^[0-9]{4}$",),
    "release_date": (f"^{_DAY}$",),
    "updated_at": (f"^{_DAY}$", f"^{_DAY} {_CLOCK}$", f"^{_DAY}T{_CLOCK}$", f"^{_DAY}T{_CLOCK}Z$"),
}


class DistinctCounter:
    """Counts different strings. Close it to give the temporary file back."""

    def __init__(self, run_hashes: int = _RUN_HASHES) -> None:
        self._run_hashes = run_hashes
        self._pending: list[np.ndarray] = []
        self._pending_hashes = 0
        self._file: BinaryIO | None = None
        self._runs: list[list[int]] = []

    def add(self, values: pa.Array) -> None:
        """Counts the values of an array of strings; nulls are no values."""
        present = values.drop_null()
        hashes = np.fromiter(map(hash, present.to_pylist()), np.int64, len(present))
        self._pending.append(hashes)
        self._pending_hashes += len(hashes)
        if self._pending_hashes >= self._run_hashes:
            self._spill()

    def count(self) -> int:
        """Number of different values added so far."""
        if self._file is None:
            return len(self._sorted_pending())
        self._spill()
        # One range of hashes at a time, from all runs: equal hashes meet there.
        return sum(len(np.unique(self._hashes_in(step))) for step in range(len(_RANGE_EDGES) + 1))

    def close(self) -> None:
        """Removes the temporary file, where there were enough values for one."""
        if self._file is not None:
            self._file.close()

    def _sorted_pending(self) -> np.ndarray:
        return np.unique(np.concatenate(self._pending)) if self._pending else np.empty(0, np.int64)

    def _spill(self) -> None:
        """Appends the pending hashes to the file as a sorted run, and notes where each range of it begins."""
        run = self._sorted_pending()
        self._pending = []
        self._pending_hashes = 0
        if self._file is None:
            self._file = cast("BinaryIO", tempfile.TemporaryFile(prefix="distinct-"))  # noqa: SIM115 - closed by close()
        start = self._file.seek(0, 2) // _HASH_BYTES
        self._file.write(run.tobytes())
        self._runs.append([start, *(start + np.searchsorted(run, _RANGE_EDGES)).tolist(), start + len(run)])

    def _hashes_in(self, step: int) -> np.ndarray:
        assert self._file is not None
        parts: list[bytes] = []
        for bounds in self._runs:
            self._file.seek(bounds[step] * _HASH_BYTES)
            parts.append(self._file.read((bounds[step + 1] - bounds[step]) * _HASH_BYTES))
        return np.frombuffer(b"".join(parts), np.int64)


class _Range:
    """Least and greatest value of a column while all its values have one form that text order suits."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = tuple(forms)
        self.minimum: str | None = None
        self.maximum: str | None = None

    def add(self, values: pa.Array) -> None:
        if not self._forms:
            return
        present = values.filter(pc.not_equal(values, ""))
        if not len(present):
            return
        self._forms = tuple(
            form for form in self._forms if pc.all(pc.match_substring_regex(present, form)).as_py()
        )
        if not self._forms:
            self.minimum = self.maximum = None
            return
        found = pc.min_max(present).as_py()
        self.minimum = found["min"] if self.minimum is None else min(self.minimum, found["min"])
        self.maximum = found["max"] if self.maximum is None else max(self.maximum, found["max"])


class StatsCollector:
    """Gathers the manifest's `stats` from batches of rows. Close it when done."""

    def __init__(self, columns: Sequence[str], key: str) -> None:
        self._columns = list(columns)
        self._key = key
        self._nulls = dict.fromkeys(columns, 0)
        self._ranges = {name: _Range(_ORDERED_FORMS[name]) for name in columns if name in _ORDERED_FORMS}
        self._keys = DistinctCounter()

    def update(self, batch: pa.RecordBatch) -> None:
        """Adds a batch, whose columns are those of the bundle."""
        for name in self._columns:
            self._nulls[name] += batch.column(name).null_count
        for name, column_range in self._ranges.items():
            column_range.add(batch.column(name))
        self._keys.add(batch.column(self._key))

    def result(self) -> Stats:
        """Nulls, least and greatest value of each column, and different keys, of the batches so far."""
        columns: dict[str, ColumnStats] = {}
        for name in self._columns:
            found = self._ranges.get(name)
            columns[name] = ColumnStats(
                self._nulls[name], found.minimum if found else None, found.maximum if found else None
            )
        return Stats(self._keys.count(), columns)

    def close(self) -> None:
        """Removes the temporary file in which different keys are counted."""
        self._keys.close()
