r"""Bytes to physical lines: decoding and line ends, in windows of bounded size whatever the file holds.

Bytes that do not decode stay recognizable: each becomes the lone surrogate U+DC00 + byte, which no valid text holds.
A line ends at `\n` (a `\r` before it stays on the line); in a file that has `\r` alone for line ends, at `\r`.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.rejections import ROW_TOO_LONG, reject

WINDOW_BYTES = 1024 * 1024
_PIECE_BYTES = 256 * 1024
# Readers start anew within a window after a bad line: a bound on lines bounds what that costs.
WINDOW_LINES = 8192
MAXIMUM_LINE = 1024 * 1024
_MARK_ERRORS = "movie_platform_mark"

UNDECODED = re.compile("[\udc00-\udcff]")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARK_ERRORS, _mark)


@dataclass(slots=True)
class Window:
    """Consecutive whole lines with their ends. `first_line` is the number of the first, from 1."""

    lines: list[str]
    first_line: int
    last: bool = False
    rejected: list[RejectedRow] = field(default_factory=list)


class LineReader:
    """Reads a binary stream as windows of lines; lines longer than MAXIMUM_LINE are rejected, not kept."""

    def __init__(self, stream: BinaryIO, encoding: str, name: str) -> None:
        self._stream = stream
        self._name = name
        # A byte order mark is no part of the text, whether the encoding's name says so or not.
        self._decoder = codecs.getincrementaldecoder(encoding)(_MARK_ERRORS)
        self._line = 1
        self._pending = ""
        self._skipping = False
        self._line_end = ""

    def windows(self) -> Iterator[Window]:
        """Windows of lines; the last has `last` set, and may be empty."""
        first = True
        while True:
            data = self._stream.read(WINDOW_BYTES)
            text = self._decoder.decode(data, final=not data)
            if first and text:
                text = text.removeprefix("\ufeff")
                first = False
            window = self._window(text, last=not data)
            if window.lines or window.rejected or window.last:
                yield from _portions(window)
            if not data:
                return

    def text(self) -> Iterator[str]:
        """The text in pieces of bounded size, for formats that lines mean nothing to."""
        first = True
        while data := self._stream.read(_PIECE_BYTES):
            piece = self._decoder.decode(data)
            if first and piece:
                piece = piece.removeprefix("\ufeff")
                first = False
            if piece:
                yield piece
        if rest := self._decoder.decode(b"", final=True):
            yield rest

    def _window(self, text: str, *, last: bool) -> Window:
        window = Window([], self._line, last=last)
        if not self._line_end and text:
            if "\n" in text:
                self._line_end = "\n"
            elif "\r" in text.rstrip("\r"):
                self._line_end = "\r"
        end = self._line_end or "\n"
        if self._skipping:
            _, found, text = text.partition(end)
            if not found:
                return window
            self._skipping = False
            self._line += 1
            window.first_line = self._line
        text = self._pending + text
        cut = len(text) if last else text.rfind(end) + 1
        self._pending = text[cut:]
        lines = _split(text[:cut], end)
        if lines and max(map(len, lines)) > MAXIMUM_LINE:
            lines = self._without_long_lines(lines, window)
        window.lines = lines
        self._line += len(lines)
        if len(self._pending) > MAXIMUM_LINE:
            window.rejected.append(self._too_long(self._line, self._pending))
            self._pending = ""
            self._skipping = True
        return window

    def _without_long_lines(self, lines: list[str], window: Window) -> list[str]:
        # The line keeps its place, empty, so that the numbers of those after it stay right.
        for index, line in enumerate(lines):
            if len(line) > MAXIMUM_LINE:
                window.rejected.append(self._too_long(window.first_line + index, line))
                lines[index] = "\n"
        return lines

    def _too_long(self, line_number: int, text: str) -> RejectedRow:
        message = f"{self._name}: the line is longer than {MAXIMUM_LINE} characters"
        return reject(line_number, text, ROW_TOO_LONG, message)


def _portions(window: Window) -> Iterator[Window]:
    """The window in portions of at most WINDOW_LINES lines."""
    if len(window.lines) <= WINDOW_LINES:
        yield window
        return
    for start in range(0, len(window.lines), WINDOW_LINES):
        lines = window.lines[start : start + WINDOW_LINES]
        end = start + len(lines) == len(window.lines)
        yield Window(
            lines,
            window.first_line + start,
            last=window.last and end,
            rejected=[] if start else window.rejected,
        )


def _split(text: str, end: str) -> list[str]:
    if end == "\n":
        # Unlike str.splitlines, this knows no other line end than the one.
        return io.StringIO(text, newline="\n").readlines()
    parts = text.split(end)
    lines = [part + end for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines
