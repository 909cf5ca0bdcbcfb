"""Scans the bytes of a CSV part: is it RFC 4180 in UTF-8, is its header right, how many rows does it have?

The scanner is stricter than Python's csv module and about twice as fast: it looks at structure alone and
makes no string of a field. What it accepts, every RFC 4180 reader reads alike. Standard library only;
memory is bounded by one chunk and the structure of one row, whatever the file holds.
"""

import codecs
import csv
import io
from collections.abc import Sequence

from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.reasons import ReasonCode

_QUOTE = b'"'
_BOM = "\ufeff"
_OTHER = ord("x")
# Structure of a text: delimiters, line ends and quotes stay what they are, any other byte becomes `x`.
_CLASSES = bytes(byte if byte in b',\r\n"' else _OTHER for byte in range(256))


class CsvScanner:
    """Takes a CSV file in chunks through `feed`; `finish` gives its number of rows.

    `columns` is the header that the file must have. Both methods raise BundleError with the path `entry`.
    """

    def __init__(self, entry: str, columns: Sequence[str], row_bytes: int) -> None:
        self._entry = entry
        self._columns = list(columns)
        self._row_bytes = row_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._inside_quotes = False
        self._structure = b""
        self._open_row_bytes = 0
        self._head: bytes | None = b""
        self._rows = 0

    def feed(self, chunk: bytes) -> None:
        """Checks the next bytes of the file, cut anywhere."""
        if b"\0" in chunk:
            raise self._fault(
                ReasonCode.NUL_BYTE, "The file holds a NUL byte, on which CSV readers disagree."
            )
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise self._not_utf8(error) from None
        if self._head is not None:
            self._take_head(chunk)
        self._take_structure(chunk)

    def finish(self) -> int:
        """Checks how the file ends; the number of its rows, the header not counted."""
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise self._not_utf8(error) from None
        if self._inside_quotes:
            raise self._fault(
                ReasonCode.CSV_MALFORMED,
                f"Row {self._rows} ends inside a quoted field at the end of the file.",
            )
        if self._head is not None:
            self._check_header(self._head)
        if self._structure:
            rest = self._structure
            self._structure = b""
            self._check_rows(rest if rest.endswith(b"\n") else rest + b"\n")
        if self._rows == 0:
            raise self._fault(ReasonCode.COLUMNS_MISMATCH, "The file is empty: it lacks the header.")
        return self._rows - 1

    def _fault(self, code: ReasonCode, message: str) -> BundleError:
        return BundleError(code, message, self._entry)

    def _not_utf8(self, error: UnicodeDecodeError) -> BundleError:
        return self._fault(
            ReasonCode.NOT_UTF8,
            f"The file is not UTF-8, somewhere in or after row {self._rows}: {error.reason}.",
        )

    def _take_head(self, chunk: bytes) -> None:
        """Collects bytes until the header is whole, then checks it."""
        head = (self._head or b"") + chunk
        end = head.find(b"\n")
        while end >= 0 and head.count(_QUOTE, 0, end) % 2:
            end = head.find(b"\n", end + 1)
        if end < 0:
            if len(head) > self._row_bytes:
                raise self._too_long()
            self._head = head
            return
        self._head = None
        self._check_header(head[: end + 1])

    def _check_header(self, head: bytes) -> None:
        try:
            rows = list(csv.reader(io.StringIO(head.decode("utf-8"), newline=""), strict=True))
        except (csv.Error, UnicodeDecodeError):
            rows = []
        found = rows[0] if len(rows) == 1 else []
        if found == self._columns:
            return
        if found and found[0].startswith(_BOM):
            message = "The file begins with a byte-order mark; write plain UTF-8."
        else:
            expected = ", ".join(self._columns)
            message = f"The header must be the manifest's columns ({expected}); it is: {', '.join(found)}."
        raise self._fault(ReasonCode.COLUMNS_MISMATCH, printable(message, 2000))

    def _take_structure(self, chunk: bytes) -> None:
        """Reduces a chunk to its structure: what is outside quotes, and the quotes themselves."""
        parts = chunk.split(_QUOTE)
        was_inside = self._inside_quotes
        outside = parts[1::2] if was_inside else parts[::2]
        structure = b'""'.join(outside)
        if len(parts) > 1:
            is_inside = was_inside ^ (len(parts) % 2 == 0)
            structure = (_QUOTE if was_inside else b"") + structure + (_QUOTE if is_inside else b"")
            self._inside_quotes = is_inside
        structure = self._structure + structure.translate(_CLASSES)
        end = structure.rfind(b"\n") + 1
        self._structure = structure[end:]
        if end == 0:
            # Only what is outside quotes is kept, but a row may not grow for ever inside them either.
            self._open_row_bytes += len(chunk)
            if self._open_row_bytes > self._row_bytes:
                raise self._too_long()
            return
        self._open_row_bytes = 0
        self._check_rows(structure[:end])

    def _too_long(self) -> BundleError:
        return self._fault(
            ReasonCode.ROW_TOO_LONG, f"Row {self._rows} is longer than the {self._row_bytes} bytes allowed."
        )

    def _check_rows(self, structure: bytes) -> None:
        """Checks and counts whole rows; `structure` ends with a line end."""
        if b"\r" in structure:
            structure = structure.replace(b"\r\n", b"\n")
            if b"\r" in structure:
                raise self._malformed(structure, b"\r", "a carriage return without line feed outside quotes")
        for wrong, what in (
            (b'"x', "text after a closing quote"),
            (b'x"', "a quote inside an unquoted field"),
        ):
            if wrong in structure:
                raise self._malformed(structure, wrong, what)
        rows = structure.split(b"\n")
        rows.pop()
        delimiters = len(self._columns) - 1
        for row in rows:
            if row.count(b",") != delimiters:
                raise self._wrong_width(rows)
        self._rows += len(rows)

    def _malformed(self, structure: bytes, pattern: bytes, what: str) -> BundleError:
        row = self._rows + structure.count(b"\n", 0, structure.find(pattern))
        return self._fault(ReasonCode.CSV_MALFORMED, f"Row {row} has {what} (row 0 is the header).")

    def _wrong_width(self, rows: list[bytes]) -> BundleError:
        delimiters = len(self._columns) - 1
        index = next(i for i, row in enumerate(rows) if row.count(b",") != delimiters)
        found = 0 if rows[index] == b"" else rows[index].count(b",") + 1
        return self._fault(
            ReasonCode.CSV_MALFORMED,
            f"Row {self._rows + index} has {found} fields; the header (row 0) has {delimiters + 1}.",
        )
