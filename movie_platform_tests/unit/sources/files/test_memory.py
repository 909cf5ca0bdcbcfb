"""Files without an end in sight: readers hold a bounded part of them, whatever they contain."""

import io
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from movie_platform.sources.files.csv_dialect import Dialect
from movie_platform.sources.files.csv_reader import CsvOptions, CsvReader
from movie_platform.sources.files.json_reader import read_json, read_json_lines

MEBIBYTE = 1024 * 1024


class Long(io.RawIOBase):
    """A beginning, then a pattern again and again, never in memory at once."""

    def __init__(self, beginning: bytes, pattern: bytes, size: int) -> None:
        self._start = beginning
        self._block = pattern * (MEBIBYTE // len(pattern) + 1)
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        if self._start:
            data, self._start = self._start, b""
            return data
        data = self._block[: min(size, self._left)]
        self._left -= len(data)
        return data


def csv_rows(stream: io.RawIOBase) -> Iterator[object]:
    return CsvReader(stream, CsvOptions(Dialect(",", '"'), "utf-8"), "films").batches()  # pyright: ignore[reportArgumentType] - only read is used


def json_rows(stream: io.RawIOBase) -> Iterator[object]:
    return read_json(stream, "utf-8", "films")  # pyright: ignore[reportArgumentType] - only read is used


def json_lines(stream: io.RawIOBase) -> Iterator[object]:
    return read_json_lines(stream, "utf-8", "films")  # pyright: ignore[reportArgumentType] - only read is used


@pytest.mark.parametrize(
    ("read", "beginning", "pattern", "size"),
    [
        (csv_rows, b"id,name\n1,", b"x", 64),
        (csv_rows, b'id,name,year\n1,"', b"words and commas,\n", 1),
        (json_lines, b'{"id": "', b"x", 64),
        (json_rows, b'[{"id": "', b"x", 16),
        (json_rows, b"[", b"[", 1),
        (json_rows, b"[{}]", b"rest ", 64),
    ],
)
def test_a_file_that_never_comes_to_an_end_of_a_row_takes_little_memory(
    read: Callable[[io.RawIOBase], Iterator[object]], beginning: bytes, pattern: bytes, size: int
) -> None:
    tracemalloc.start()
    try:
        for _ in read(Long(beginning, pattern, size * MEBIBYTE)):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * MEBIBYTE
