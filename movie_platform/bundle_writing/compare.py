"""Compares the CSV of a part with its Parquet, value by value, streaming.

Two things CSV cannot carry alike for every reader, and the comparison allows for them: null and the empty
string are one, and a line end inside a value counts as `\\n`. Everything else must be equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

# Its functions are made when it is imported, so that no type checker knows them.
pc: Any = pyarrow.compute

_CHUNK_ROWS = 10_000
_BLOCK_BYTES = 1024 * 1024
# A row must fit into one block of the reader; rows longer than the usual block are rare enough to start
# again.
_LARGEST_BLOCK_BYTES = 64 * 1024 * 1024
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. `row` counts from 0, the header left out; long values are cut."""

    row: int
    column: str
    csv: str | None
    parquet: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the comparison of one part found. `sample` holds the first differences."""

    csv_rows: int
    parquet_rows: int
    csv_columns: tuple[str, ...]
    parquet_columns: tuple[str, ...]
    differing_values: int
    sample: tuple[Difference, ...]

    @property
    def agree(self) -> bool:
        """Whether both files hold the same rows in the same order."""
        return (
            self.csv_rows == self.parquet_rows
            and self.csv_columns == self.parquet_columns
            and self.differing_values == 0
        )


def compare_csv_with_parquet(csv_path: Path, parquet_path: Path, *, sample_size: int = 20) -> Comparison:
    """Compares two files row by row; pyarrow.ArrowInvalid where one of them cannot be read."""
    try:
        return _compare(csv_path, parquet_path, sample_size, _BLOCK_BYTES)
    except pa.ArrowInvalid:
        return _compare(csv_path, parquet_path, sample_size, _LARGEST_BLOCK_BYTES)


def _compare(csv_path: Path, parquet_path: Path, sample_size: int, block_bytes: int) -> Comparison:
    with pq.ParquetFile(parquet_path, pre_buffer=False) as parquet:
        parquet_columns = tuple(parquet.schema_arrow.names)
        with _open_csv(csv_path, parquet_columns, block_bytes) as reader:
            csv_columns = tuple(reader.schema.names)
            if csv_columns != parquet_columns:
                rows = sum(batch.num_rows for batch in reader)
                return Comparison(rows, parquet.metadata.num_rows, csv_columns, parquet_columns, 0, ())
            row = 0
            differing = 0
            sample: list[Difference] = []
            csv_batches = _Aligned(iter(reader))
            parquet_batches = _Aligned(parquet.iter_batches(batch_size=_CHUNK_ROWS))
            while (count := min(csv_batches.available(), parquet_batches.available())) > 0:
                one, other = csv_batches.take(count), parquet_batches.take(count)
                for name in csv_columns:
                    found = _differences(one.column(name), other.column(name))
                    differing += len(found)
                    sample += [
                        Difference(row + index, name, _shown(one, name, index), _shown(other, name, index))
                        for index in found[: max(0, sample_size - len(sample))]
                    ]
                row += count
            return Comparison(
                row + csv_batches.drain(),
                row + parquet_batches.drain(),
                csv_columns,
                parquet_columns,
                differing,
                tuple(sample),
            )


def _open_csv(path: Path, columns: tuple[str, ...], block_bytes: int) -> pacsv.CSVStreamingReader:
    return pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(block_size=block_bytes, use_threads=False),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in columns}, strings_can_be_null=False
        ),
    )


class _Aligned:
    """Batches of one reader, handed out in the sizes that suit both."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._current: pa.RecordBatch | None = None

    def available(self) -> int:
        while self._current is None or self._current.num_rows == 0:
            self._current = next(self._batches, None)
            if self._current is None:
                return 0
        return self._current.num_rows

    def take(self, count: int) -> pa.RecordBatch:
        assert self._current is not None
        taken = self._current.slice(0, count)
        self._current = self._current.slice(count)
        return taken

    def drain(self) -> int:
        rows = 0
        while (count := self.available()) > 0:
            self.take(count)
            rows += count
        return rows


def _differences(one: pa.Array, other: pa.Array) -> list[int]:
    if one.type != pa.string() or other.type != pa.string():
        one, other = one.cast(pa.string()), other.cast(pa.string())
    equal = pc.equal(pc.fill_null(one, ""), pc.fill_null(other, ""))
    if pc.all(equal).as_py() is not False:
        return []
    doubtful = pc.indices_nonzero(pc.invert(equal))
    same = pc.equal(_normalised(one.take(doubtful)), _normalised(other.take(doubtful)))
    return doubtful.filter(pc.invert(same)).to_pylist()


def _normalised(values: pa.Array) -> pa.Array:
    filled = pc.fill_null(values, "")
    return pc.replace_substring(pc.replace_substring(filled, "\r\n", "\n"), "\r", "\n")


def _shown(batch: pa.RecordBatch, column: str, index: int) -> str | None:
    value = batch.column(column)[index].as_py()
    return value if value is None or len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
