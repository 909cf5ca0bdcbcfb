"""The identity of a bundle's content: a hash of its rows as a multiset.

The algorithm (docs/bundle-format.md has it with a worked example):

1.  A row is encoded as its values in column order, each followed by the byte 0xFE, save the last. A value
    is its UTF-8 bytes; null is the byte 0xFF. Neither byte occurs in UTF-8, so two rows have the same
    encoding only when they are the same row. 2.  The rows' SHA-256 digests, read as big-endian integers,
    are added modulo 2**256: the order of rows does not matter, the number of times that a row occurs does.
    3.  content_id is the SHA-256, in hexadecimal, of a JSON text that names the columns, the source, the
    load type, the number of rows and that sum.

It tells contents apart; the SHA-256 of each file is what guards against tampering.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from movie_platform.bundles.manifest import LoadType, Manifest

# Its functions are made when it is imported, so that no type checker knows them.
pc: Any = pyarrow.compute

_SEPARATOR = b"\xfe"
_NULL = b"\xff"
_MODULUS = 1 << 256
_WORDS = 8
_BATCH_ROWS = 10_000


class ContentHasher:
    """Adds up rows; any division of the same rows into batches, in any order, gives the same hash."""

    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    @property
    def rows(self) -> int:
        """Number of rows added so far."""
        return self._rows

    def update(self, batch: pa.RecordBatch) -> None:
        """Adds a batch of string columns, in the order of the bundle's columns."""
        if batch.num_rows == 0:
            return
        columns = [column.cast(pa.binary()) for column in batch.columns]
        rows = pc.binary_join_element_wise(
            *columns, _SEPARATOR, null_handling="replace", null_replacement=_NULL
        )
        _, offsets_buffer, data_buffer = rows.buffers()
        offsets = np.frombuffer(offsets_buffer, np.int32)[rows.offset : rows.offset + len(rows) + 1].tolist()
        data = memoryview(data_buffer if data_buffer is not None else b"")
        sha256 = hashlib.sha256
        digests = b"".join([sha256(data[start:end]).digest() for start, end in pairwise(offsets)])
        words = np.frombuffer(digests, ">u4").reshape(-1, _WORDS).sum(axis=0, dtype=np.uint64)
        total = 0
        for word in words.tolist():
            total = (total << 32) + word
        self._sum = (self._sum + total) % _MODULUS
        self._rows += batch.num_rows

    def hexdigest(self, columns: Sequence[str], source: str, load_type: LoadType) -> str:
        """content_id of the rows added so far: 64 hexadecimal digits."""
        text = json.dumps(
            {
                "columns": list(columns),
                "load_type": load_type,
                "rows": self._rows,
                "source": source,
                "sum": f"{self._sum:064x}",
            },
            separators=(",", ":"),
            sort_keys=True,
        )
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def content_id_of(
    batches: Iterable[pa.RecordBatch], columns: Sequence[str], source: str, load_type: LoadType
) -> str:
    """content_id of the rows in `batches`, whose columns are `columns` in that order."""
    hasher = ContentHasher()
    for batch in batches:
        hasher.update(batch)
    return hasher.hexdigest(columns, source, load_type)


def content_id_of_extract(folder: Path, manifest: Manifest) -> str:
    """content_id computed again from an extract's Parquet files, which keep every value as it is.

    ValueError for an extract without Parquet: CSV does not tell null from the empty string.
    """
    files = manifest.files_of("parquet")
    if not files:
        raise ValueError(f"the extract in {folder} has no Parquet files to compute its content_id from")
    hasher = ContentHasher()
    names = manifest.column_names
    for file in files:
        with pq.ParquetFile(folder / file.path, pre_buffer=False) as parquet:
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=list(names)):
                hasher.update(batch.select(list(names)))
    return hasher.hexdigest(names, manifest.source.name, manifest.load_type)
