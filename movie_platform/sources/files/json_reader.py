r"""JSON: an array of objects, or objects one after another, read as a stream; and JSON Lines.

Numbers keep their literal text (`1776`, `7.10`), so nothing is rounded and a film called 1776 stays one. What is not
a JSON object is rejected with the line that it begins on, and reading goes on with the next.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.files.text_lines import UNDECODED, LineReader
from movie_platform.sources.json_records import _DECODER, _SUSPECT, Record, _all_strings
from movie_platform.sources.rejections import (
    EMPTY_FILE,
    MALFORMED_JSON,
    NOT_AN_OBJECT,
    NUL_BYTE,
    UNDECODABLE_ROW,
    reject,
)

MAXIMUM_ELEMENT = 1024 * 1024
BATCH_RECORDS = 5_000


_BLANK = re.compile(r"[ \t\r\n]*")
_BLANK_OR_COMMA = re.compile(r"[ \t\r\n,]*")
# Pieces that matter for finding where a broken element ends. A string cannot hold a line end, so a quote that is
# never closed spoils its line and no more. What is there so far may end with the first half of an escape.
_PIECE = re.compile(r'"(?:[^"\\\n]++|\\.)*+(?:"|\n|\\?\Z)|[\[\]{}]')
_CLOSING = {"{": "}", "[": "]"}
_NEXT_LINE_ELEMENT = re.compile(r"\n[ \t]*\{")


@dataclass(slots=True)
class JsonBatch:
    """Records, and what was rejected between them."""

    records: list[Record] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)

    def full(self) -> bool:
        """Whether it holds as much as a batch should."""
        return len(self.records) >= BATCH_RECORDS or len(self.rejected) >= BATCH_RECORDS


def read_json_lines(stream: BinaryIO, encoding: str, name: str) -> Iterator[JsonBatch]:
    """The objects of a JSON Lines file: one a line, blank lines aside."""
    nothing = True
    for window in LineReader(stream, encoding, name).windows():
        batch = JsonBatch(rejected=window.rejected)
        for index, line in enumerate(window.lines):
            if line.strip():
                _take_line(batch, line, window.first_line + index, name)
        nothing = nothing and not window.lines and not window.rejected
        if batch.records or batch.rejected:
            yield batch
    if nothing:
        yield _empty_file(name)


def _take_line(batch: JsonBatch, line: str, number: int, name: str) -> None:
    try:
        value, end = _DECODER.raw_decode(line, _BLANK.match(line).end())  # pyright: ignore[reportOptionalMemberAccess] - matches the empty string too
        rest = line[end:].strip()
    except (ValueError, RecursionError) as error:
        batch.rejected.append(reject(number, line, *_undecodable(line, error, name)))
        return
    if rest:
        message = f"{name}: something follows the object on its line"
        batch.rejected.append(reject(number, line, MALFORMED_JSON, message))
    else:
        _take(batch, value, line, number, name)


def _undecodable(text: str, error: Exception, name: str) -> tuple[str, str]:
    if UNDECODED.search(text):
        return UNDECODABLE_ROW, f"{name}: the row holds bytes that are not text in the file's encoding"
    reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
    return MALFORMED_JSON, f"{name}: not JSON: {reason}"


def _take(batch: JsonBatch, value: Any, text: str, number: int, name: str) -> None:
    """Keep a decoded element, unless it is no object or holds what is no text."""
    if not isinstance(value, dict):
        batch.rejected.append(reject(number, text, NOT_AN_OBJECT, f"{name}: not a JSON object"))
        return
    if not text.isascii() or "\\u" in text or "\0" in text:
        if UNDECODED.search(text):
            message = f"{name}: the row holds bytes that are not text in the file's encoding"
            batch.rejected.append(reject(number, text, UNDECODABLE_ROW, message))
            return
        if _SUSPECT.search(text):
            whole = _all_strings(value)
            if "\0" in whole:
                message = f"{name}: the row holds a NUL character"
                batch.rejected.append(reject(number, text, NUL_BYTE, message))
                return
            if any(0xD800 <= ord(character) <= 0xDFFF for character in whole):
                message = f"{name}: the row holds half of a surrogate pair, which is no character"
                batch.rejected.append(reject(number, text, UNDECODABLE_ROW, message))
                return
    batch.records.append(value)


def _empty_file(name: str) -> JsonBatch:
    return JsonBatch(rejected=[reject(1, "", EMPTY_FILE, f"{name}: the file is empty")])


def read_json(stream: BinaryIO, encoding: str, name: str) -> Iterator[JsonBatch]:
    """The objects of a JSON file: the elements of its array, or the objects that follow each other in it."""
    return _JsonStream(stream, encoding, name).batches()


class _JsonStream:
    """Decodes elements one by one from a buffer that is refilled; it never holds more than about two elements."""

    def __init__(self, stream: BinaryIO, encoding: str, name: str) -> None:
        self._chunks = LineReader(stream, encoding, name).text()
        self._name = name
        self._buffer = ""
        self._position = 0
        self._line = 1
        self._at_end = False

    def batches(self) -> Iterator[JsonBatch]:
        batch = JsonBatch()
        first = self._skip(_BLANK)
        if first == "":
            yield _empty_file(self._name)
            return
        in_array = first == "["
        if in_array:
            self._advance(self._position + 1)
        closed = False
        while (character := self._skip(_BLANK_OR_COMMA)) != "":
            if character == "]" and in_array and not closed:
                closed = True
                self._advance(self._position + 1)
            elif closed:
                self._reject_rest(batch, "something follows the end of the array")
            else:
                self._take_element(batch)
            if batch.full():
                yield batch
                batch = JsonBatch()
        if in_array and not closed:
            message = f"{self._name}: the file ends before its array does; what should follow is missing"
            batch.rejected.append(reject(self._line, "", MALFORMED_JSON, message))
        if batch.records or batch.rejected:
            yield batch

    def _fill(self) -> bool:
        """Read the next piece of the stream into the buffer; False at the end of the stream."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self._at_end = True
            return False
        self._buffer = self._buffer[self._position :] + chunk
        self._position = 0
        return True

    def _advance(self, end: int) -> str:
        """Move on to a position of the buffer; what was passed."""
        passed = self._buffer[self._position : end]
        self._line += passed.count("\n")
        self._position = end
        return passed

    def _skip(self, blanks: re.Pattern[str]) -> str:
        """The next character that is no blank, empty at the end of the file."""
        while True:
            match = blanks.match(self._buffer, self._position)
            self._advance(match.end() if match else self._position)
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._fill():
                return ""

    def _take_element(self, batch: JsonBatch) -> None:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._position)
            except RecursionError as error:
                self._reject_element(batch, error)
                return
            except ValueError as error:
                # Unfinished and broken look alike until the file ends or the element is longer than any may be.
                short = len(self._buffer) - self._position <= MAXIMUM_ELEMENT
                if short and self._whole() is None and self._fill():
                    continue
                self._reject_element(batch, error)
                return
            if end == len(self._buffer) and not isinstance(value, dict | list) and self._fill():
                continue  # a number may go on
            line = self._line
            _take(batch, value, self._advance(end), line, self._name)
            return

    def _whole(self) -> int | None:
        """Where the element at hand ends by its brackets, None where they do not match up within the buffer."""
        open_brackets: list[str] = []
        for piece in _PIECE.finditer(self._buffer, self._position):
            text = piece[0]
            if text in _CLOSING:
                open_brackets.append(_CLOSING[text])
            elif text in ("}", "]"):
                if not open_brackets:
                    return piece.start()
                if open_brackets.pop() != text:
                    return None
                if not open_brackets:
                    return piece.end()
        return None

    def _reject_element(self, batch: JsonBatch, error: Exception) -> None:
        line = self._line
        end = self._whole()
        if end is None:
            match = _NEXT_LINE_ELEMENT.search(self._buffer, self._position + 1)
            end = match.start() if match else len(self._buffer)
        elif self._buffer[self._position] not in "{[":
            # A word that is no JSON: up to the next comma or bracket.
            match = re.compile(r"[,\]\[{}\n]").search(self._buffer, self._position + 1)
            end = match.start() if match else len(self._buffer)
        text = self._advance(max(end, self._position + 1))
        batch.rejected.append(reject(line, text, *_undecodable(text, error, self._name)))

    def _reject_rest(self, batch: JsonBatch, why: str) -> None:
        line = self._line
        text = self._advance(len(self._buffer))
        batch.rejected.append(reject(line, text, MALFORMED_JSON, f"{self._name}: {why}"))
        while self._fill():
            self._advance(len(self._buffer))
