"""Writers of the files of an extract: one part each, hashed while they are written."""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from movie_platform.bundles.manifest import FileEntry, FileFormat, file_path
from movie_platform.raw_rows import RejectedRow

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# A rejected line is kept to be looked at; a file that is one endless line must not be kept whole.
LONGEST_RAW_TEXT = 100_000


class HashingFile(io.RawIOBase):
    """A file opened for writing that knows the size and SHA-256 of what was written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("xb")
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """True, always: pyarrow asks before it takes a file for writing."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Writes and hashes all of `data`; the number of its bytes."""
        view = memoryview(data)
        self._digest.update(view)
        self._file.write(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """Number of bytes written: pyarrow asks for it to place the parts of a Parquet file."""
        return self.size

    def hexdigest(self) -> str:
        """SHA-256 of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Closes the file; a second time does nothing."""
        if not self.closed:
            self._file.close()
        super().close()


class _Part:
    format: FileFormat

    def __init__(self, folder: Path, part: int) -> None:
        self._path = file_path(self.format, part)
        self._number = part
        self._rows = 0
        self._file = HashingFile(folder / self._path)

    def _entry(self) -> FileEntry:
        self._file.close()
        return FileEntry(
            self._path, self.format, self._number, self._rows, self._file.size, self._file.hexdigest()
        )

    def abandon(self) -> None:
        """Closes the file of a part that will not be finished."""
        # The file is thrown away: that its last bytes could not be written is no fault any more.
        with contextlib.suppress(OSError):
            self._close_writer()
        self._file.close()

    def _close_writer(self) -> None:
        """Ends what pyarrow still has to write. Nothing, for a part that is written without it."""


class CsvPart(_Part):
    """RFC 4180 in UTF-8 with a header: every value is quoted, null is an unquoted empty field, lines end in
    `\\n`.
    """

    format: FileFormat = "csv"

    def __init__(self, folder: Path, part: int, schema: pa.Schema) -> None:
        super().__init__(folder, part)
        options = pacsv.WriteOptions(include_header=True, delimiter=",", quoting_style="needed")
        self._writer = pacsv.CSVWriter(self._file, schema, write_options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends the rows of a batch of the part's schema."""
        self._writer.write_batch(batch)
        self._rows += batch.num_rows

    def finish(self) -> FileEntry:
        """Closes the file; what the manifest says of it."""
        self._writer.close()
        return self._entry()

    def _close_writer(self) -> None:
        self._writer.close()


class ParquetPart(_Part):
    """Parquet with string columns, Zstandard, a row group for each batch written."""

    format: FileFormat = "parquet"

    def __init__(self, folder: Path, part: int, schema: pa.Schema) -> None:
        super().__init__(folder, part)
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd", compression_level=1)

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends rows as one row group."""
        self._writer.write_batch(batch, row_group_size=batch.num_rows)
        self._rows += batch.num_rows

    def finish(self) -> FileEntry:
        """Closes the file; what the manifest says of it."""
        self._writer.close()
        return self._entry()

    def _close_writer(self) -> None:
        self._writer.close()


class RejectedPart(_Part):
    """One JSON object a line: line_number, raw_text (cut at 100,000 characters), code, message."""

    format: FileFormat = "jsonl"

    @property
    def rows(self) -> int:
        """Number of lines written so far, a line a rejected row."""
        return self._rows

    def write(self, rows: Iterable[RejectedRow]) -> None:
        """Appends a line for each rejected row, in the order given."""
        for row in rows:
            line = {
                "line_number": row.line_number,
                "raw_text": _encodable(row.raw_text)[:LONGEST_RAW_TEXT],
                "code": row.code,
                "message": _encodable(row.message),
            }
            self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n")
            self._rows += 1

    def finish(self) -> FileEntry:
        """Closes the file; what the manifest says of it."""
        return self._entry()


def _encodable(text: str) -> str:
    """`text` with halves of surrogate pairs, which stand for undecodable bytes, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
