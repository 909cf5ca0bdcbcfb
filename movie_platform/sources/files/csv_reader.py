"""CSV and TSV: records of strings, and rejected rows where no record can be made, without ever shifting a column.

Most of a file goes through the standard library's parser in strict mode. Where that fails, or a record has another
number of fields than the header, the record is looked at by itself (`_Doubtful`): written with backslash escapes,
holding a bare carriage return, or not a record at all. A quote that is never closed costs the line that it is on: a
record may span MAXIMUM_RECORD_LINES lines, and reading goes on with the line after the one that was rejected.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.files.csv_dialect import Dialect, Escape, Fault, parse_record, without_line_end
from movie_platform.sources.files.text_lines import UNDECODED, LineReader, Window
from movie_platform.sources.rejections import (
    EMPTY_FILE,
    MALFORMED_QUOTING,
    NUL_BYTE,
    RAGGED_ROW,
    REPEATED_HEADER,
    UNDECODABLE_ROW,
    UNTERMINATED_QUOTE,
    reject,
)
from movie_platform.sources.source_errors import MalformedSource

MAXIMUM_RECORD_LINES = 256
MAXIMUM_RECORD = 1024 * 1024
# A quoted field that holds whole rows of the right length, this many delimiters' worth, is an unclosed quote.
_SWALLOWED_DELIMITERS = 10


@dataclass(slots=True)
class CsvBatch:
    """Records of the header's length, and what was rejected between them."""

    rows: list[list[str]] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """How a file is written. `escape` auto: both ways of escaping a quote, decided record by record."""

    dialect: Dialect
    encoding: str
    escape: Literal["auto", "double", "backslash"] = "auto"

    @property
    def escapes(self) -> tuple[Escape, ...]:
        """The ways of escaping a quote to try on each record, in this order."""
        if self.escape == "auto":
            return (Escape.DOUBLE, Escape.BACKSLASH)
        return (Escape(self.escape),)


class CsvReader:
    """Reads one file. `header` is read at once; `batches` may be taken once."""

    def __init__(self, stream: BinaryIO, options: CsvOptions, name: str) -> None:
        self._options = options
        self._name = name
        self._windows = LineReader(stream, options.encoding, name).windows()
        self._lines: list[str] = []
        self._first_line = 1
        self._last = False
        self._rejected: list[RejectedRow] = []
        self.header: tuple[str, ...] | None = None
        self._raw_header: list[str] = []
        self._read_header()

    def batches(self) -> Iterator[CsvBatch]:
        """The records after the header. A file without a header gives one rejected row and nothing else."""
        if self.header is None:
            if not self._rejected:
                self._rejected.append(reject(1, "", EMPTY_FILE, f"{self._name}: the file is empty"))
            yield CsvBatch(rejected=self._rejected)
            return
        while True:
            batch = CsvBatch(rejected=self._rejected)
            self._rejected = []
            self._consume(batch)
            if batch.rows or batch.rejected:
                yield batch
            if self._last and not self._lines:
                return
            self._more()

    def _more(self) -> None:
        """Append the next window's lines to those that are left over."""
        window: Window = next(self._windows)
        if not self._lines:
            self._first_line = window.first_line
        self._lines += window.lines
        self._last = window.last
        self._rejected += window.rejected

    def _drop(self, count: int) -> None:
        del self._lines[:count]
        self._first_line += count

    def _read_header(self) -> None:
        while True:
            while self._lines and not self._lines[0].strip():
                self._drop(1)
            if self._lines:
                doubtful = _Doubtful(self._lines, 0, None, self._options, at_end=self._last)
                if not doubtful.undecided:
                    break
            elif self._last:
                return
            self._more()
        text = "".join(self._lines[: doubtful.lines])
        if doubtful.fields is None or UNDECODED.search(text) or "\0" in text:
            raise MalformedSource(
                f"{self._name}: line {self._first_line}, which should be the header, cannot be read "
                f"(encoding {self._options.encoding}): {text[:200]!a}. Check `encoding`, `delimiter` and `quote`."
            )
        self._raw_header = doubtful.fields
        self.header = _header_names(doubtful.fields)
        self._drop(doubtful.lines)

    def _consume(self, batch: CsvBatch) -> None:
        """Move whole records from the lines at hand to the batch; what may go on in the next window stays."""
        lines = self._lines
        text = "".join(lines)
        suspects = _suspects(lines, text)
        plain = not suspects and "\ufeff" not in text
        width = len(self._raw_header)
        position = 0
        while position < len(lines):
            if self._options.dialect.quote is None:
                position = self._take_unquoted(lines, position, suspects, batch)
            else:
                position = self._take_regular(lines, position, suspects, batch, plain=plain)
            if position >= len(lines):
                break
            doubtful = _Doubtful(lines, position, width, self._options, at_end=self._last)
            if doubtful.undecided:
                break
            self._take_doubtful(doubtful, lines, position, suspects, batch)
            position += doubtful.lines
        self._drop(position)

    def _take_unquoted(
        self, lines: list[str], position: int, suspects: dict[int, str], batch: CsvBatch
    ) -> int:
        """Take lines, each a record, up to the first that is not of the header's length."""
        delimiter = self._options.dialect.delimiter
        width = len(self._raw_header)
        for index in range(position, len(lines)):
            line = without_line_end(lines[index])
            fields = line.split(delimiter)
            if len(fields) != width or not line:
                return index
            self._accept(fields, lines, index, 1, suspects, batch)
        return len(lines)

    def _take_regular(
        self, lines: list[str], position: int, suspects: dict[int, str], batch: CsvBatch, *, plain: bool
    ) -> int:
        """Take records up to the first that is not plainly one; the position of that, or the end."""
        dialect = self._options.dialect
        reader = csv.reader(
            lines[position:] if position else lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            strict=True,
        )
        width = len(self._raw_header)
        start = position
        header_start = self._raw_header[0]
        escaped_quote = f"\\{dialect.quote}"
        backslash = self._options.escape == "backslash"
        rows = batch.rows
        try:
            for fields in reader:
                end = position + reader.line_num
                if not fields:
                    start = end
                    continue
                if len(fields) != width or (backslash and "\\" in "".join(lines[start:end])):
                    return start
                if end - start > 1 and (
                    escaped_quote in lines[start] or _is_swallow(lines[start:end], width, self._options)
                ):
                    return start
                if plain and fields[0] != header_start:
                    rows.append(fields)
                else:
                    self._accept(fields, lines, start, end - start, suspects, batch)
                start = end
        except csv.Error:
            return start
        return start

    def _take_doubtful(
        self,
        doubtful: "_Doubtful",
        lines: list[str],
        position: int,
        suspects: dict[int, str],
        batch: CsvBatch,
    ) -> None:
        if doubtful.fields is not None:
            self._accept(doubtful.fields, lines, position, doubtful.lines, suspects, batch)
        elif doubtful.code is not None:
            text = "".join(lines[position : position + doubtful.lines])
            code = _first_suspect(suspects, position, doubtful.lines)
            batch.rejected.append(
                reject(
                    self._first_line + position,
                    text,
                    code or doubtful.code,
                    f"{self._name}: {_SUSPECT_MESSAGES[code] if code else doubtful.message}",
                )
            )

    def _accept(
        self,
        fields: list[str],
        lines: list[str],
        start: int,
        count: int,
        suspects: dict[int, str],
        batch: CsvBatch,
    ) -> None:
        """Keep a record of the right length, unless what it holds forbids."""
        code = _first_suspect(suspects, start, count)
        if code is not None:
            message = _SUSPECT_MESSAGES[code]
        elif _is_header(fields, self._raw_header):
            code, message = REPEATED_HEADER, "the header line comes again"
        else:
            batch.rows.append(fields)
            return
        text = "".join(lines[start : start + count])
        batch.rejected.append(reject(self._first_line + start, text, code, f"{self._name}: {message}"))


_SUSPECT_MESSAGES = {
    NUL_BYTE: "the row holds a NUL character",
    UNDECODABLE_ROW: "the row holds bytes that are not text in the file's encoding",
}


class _Doubtful:
    """A decision on one record that is not plainly one: its fields, or why it is rejected, and its lines.

    `undecided`: it may go on in lines that are not at hand yet. Without fields and code it is a blank line.
    """

    def __init__(
        self, lines: list[str], start: int, width: int | None, options: CsvOptions, *, at_end: bool
    ) -> None:
        self.fields: list[str] | None = None
        self.code: str | None = None
        self.message = ""
        self.lines = 1
        self.undecided = False
        self._width = width
        self._options = options
        line = without_line_end(lines[start])
        if not line:
            return
        results = [(escape, parse_record(line, options.dialect, escape)) for escape in options.escapes]
        if self._take_single(results):
            return
        for escape, result in results:
            if result is Fault.UNTERMINATED and self._take_several(lines, start, escape, at_end=at_end):
                return
        if not self.undecided:
            self._refuse([result for _, result in results])

    def _fits(self, fields: list[str]) -> bool:
        return self._width is None or len(fields) == self._width

    def _take_single(self, results: list[tuple[Escape, list[str] | Fault]]) -> bool:
        for _, result in results:
            if isinstance(result, list) and self._fits(result):
                self.fields = result
                return True
        return False

    def _take_several(self, lines: list[str], start: int, escape: Escape, *, at_end: bool) -> bool:
        """Whether the record goes on over several lines and is decided so (or cannot be decided yet)."""
        text = lines[start]
        for end in range(start + 1, min(start + MAXIMUM_RECORD_LINES, len(lines) + 1)):
            if end == len(lines):
                self.undecided = not at_end
                return self.undecided
            text += lines[end]
            if len(text) > MAXIMUM_RECORD:
                return False
            if str(self._options.dialect.quote) not in lines[end]:
                continue
            result = parse_record(without_line_end(text), self._options.dialect, escape)
            if result is Fault.UNTERMINATED:
                continue
            return isinstance(result, list) and self._close(result, lines[start : end + 1])
        return False

    def _close(self, fields: list[str], lines: list[str]) -> bool:
        if self._width is not None:
            if _is_swallow(lines, self._width, self._options):
                return False
            if not self._fits(fields):
                self.code = RAGGED_ROW
                self.message = f"the row has {len(fields)} fields, the header {self._width}"
                self.lines = len(lines)
                return True
        self.fields = fields
        self.lines = len(lines)
        return True

    def _refuse(self, results: list[list[str] | Fault]) -> None:
        for result in results:
            if isinstance(result, list):
                self.code = RAGGED_ROW
                self.message = f"the row has {len(result)} fields, the header {self._width}"
                return
        if Fault.UNTERMINATED in results:
            self.code = UNTERMINATED_QUOTE
            self.message = (
                f"a quote is opened and not closed within {MAXIMUM_RECORD_LINES} lines, "
                "or closed only by swallowing whole rows"
            )
            return
        self.code = MALFORMED_QUOTING
        self.message = "a closing quote is followed by something other than a delimiter"


def _fields_alone(line: str, options: CsvOptions) -> int | None:
    """How many fields a line has as a record by itself, None when it is none."""
    result = parse_record(without_line_end(line), options.dialect, options.escapes[0])
    return len(result) if isinstance(result, list) else None


def _is_swallow(lines: list[str], width: int, options: CsvOptions) -> bool:
    """Whether a record over several lines is rather an unclosed quote that swallowed whole rows."""
    inner = lines[1:-1]
    if len(inner) > MAXIMUM_RECORD_LINES - 2:
        return True
    if len(inner) * (width - 1) < _SWALLOWED_DELIMITERS:
        return False
    return all(_fields_alone(line, options) == width for line in inner)


def _suspects(lines: list[str], text: str) -> dict[int, str]:
    """Lines that hold bytes which did not decode, or a NUL. `text` is all of them joined."""
    if "\0" not in text and (text.isascii() or not UNDECODED.search(text)):
        return {}
    found: dict[int, str] = {}
    for index, line in enumerate(lines):
        if "\0" in line:
            found[index] = NUL_BYTE
        elif UNDECODED.search(line):
            found[index] = UNDECODABLE_ROW
    return found


def _first_suspect(suspects: dict[int, str], start: int, count: int) -> str | None:
    if not suspects:
        return None
    return next((suspects[index] for index in range(start, start + count) if index in suspects), None)


def _is_header(fields: list[str], header: list[str]) -> bool:
    # Concatenated files bring their byte order mark along.
    return fields[1:] == header[1:] and fields[0].removeprefix("\ufeff") == header[0]


def _header_names(fields: list[str]) -> tuple[str, ...]:
    """Names of the columns: trimmed, those without a name numbered."""
    return tuple(name.strip() or f"column_{number}" for number, name in enumerate(fields, 1))
