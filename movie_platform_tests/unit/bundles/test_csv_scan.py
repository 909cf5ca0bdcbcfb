"""The CSV scanner against Python's csv module: what it accepts, csv reads with the same number of rows."""

import csv
import io
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.csv_scan import CsvScanner
from movie_platform.bundles.reasons import ReasonCode

COLUMNS = ["a", "b", "c"]


def scan(data: bytes, chunk: int = 1 << 20, row_bytes: int = 1 << 20) -> int:
    scanner = CsvScanner("csv/movies-00000.csv", COLUMNS, row_bytes)
    for start in range(0, len(data), chunk):
        scanner.feed(data[start : start + chunk])
    return scanner.finish()


def outcome(data: bytes, chunk: int) -> int | ReasonCode:
    try:
        return scan(data, chunk)
    except BundleError as error:
        return error.code


fragments = st.lists(
    st.sampled_from(
        ["x", "é", '"', '""', ",", "\n", "\r\n", "\r", " ", '"x"', '","', "a,b,c\n", '1,"2\n",3\n']
    ),
    max_size=20,
)


@settings(max_examples=1500, deadline=None)
@given(fragments, st.integers(1, 8))
@example(['"', "x", '"', '"', "\n"], 1)
def test_what_the_scanner_accepts_csv_reads_with_as_many_rows(parts: list[str], chunk: int) -> None:
    text = "a,b,c\n" + "".join(parts)
    data = text.encode("utf-8")
    whole = outcome(data, len(data))
    assert outcome(data, chunk) == whole or isinstance(whole, ReasonCode)
    assert isinstance(outcome(data, chunk), ReasonCode) == isinstance(whole, ReasonCode)
    if isinstance(whole, int):
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len(rows) - 1 == whole
        assert all(len(row) == 3 for row in rows)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)] * 3
        ),
        max_size=12,
    ),
    # With `\n` alone csv leaves a bare carriage return unquoted, which it then reads as a line end.
    st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),
    st.integers(1, 9),
)
def test_every_text_that_csv_writes_is_accepted(
    rows: list[tuple[str, str, str]], dialect: tuple[str, Any], chunk: int
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=dialect[0], quoting=dialect[1])
    writer.writerows([COLUMNS, *rows])
    assert scan(text.getvalue().encode("utf-8"), chunk) == len(rows)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ReasonCode.COLUMNS_MISMATCH),
        ("a,b\n", ReasonCode.COLUMNS_MISMATCH),
        ("a,b,c\n1,2\n", ReasonCode.CSV_MALFORMED),
        ("a,b,c\n1,2,3,4\n", ReasonCode.CSV_MALFORMED),
        ("a,b,c\n\n", ReasonCode.CSV_MALFORMED),
        ('a,b,c\n1,2,3"\n', ReasonCode.CSV_MALFORMED),
        ('a,b,c\n1,2,"3"x\n', ReasonCode.CSV_MALFORMED),
        ('a,b,c\n1,2,"3\n', ReasonCode.CSV_MALFORMED),
        ("a,b,c\r1,2,3\r", ReasonCode.COLUMNS_MISMATCH),
        ("a,b,c\n1,2,3\r4,5,6\n", ReasonCode.CSV_MALFORMED),
    ],
)
def test_text_that_readers_take_differently_is_refused(text: str, code: ReasonCode) -> None:
    with pytest.raises(BundleError) as caught:
        scan(text.encode())
    assert caught.value.code is code


def test_the_message_names_the_row() -> None:
    with pytest.raises(BundleError, match="Row 3 has 2 fields"):
        scan(b"a,b,c\n1,2,3\n4,5,6\n7,8\n")
    with pytest.raises(BundleError, match="Row 2 has text after"):
        scan(b'a,b,c\n1,2,3\n4,5,"6"x\n')


def test_a_character_cut_in_two_by_a_chunk_is_read() -> None:
    assert scan("a,b,c\né,𝄞,映\n".encode(), chunk=1) == 1


def test_a_file_that_ends_inside_a_character_is_refused() -> None:
    with pytest.raises(BundleError) as caught:
        scan("a,b,c\n1,2,é".encode()[:-1])
    assert caught.value.code is ReasonCode.NOT_UTF8


def test_memory_stays_bounded_by_the_row_limit() -> None:
    scanner = CsvScanner("x", COLUMNS, 100_000)
    scanner.feed(b'a,b,c\n1,2,"')
    for _ in range(100):
        scanner.feed(b"\n" * 1000)
    with pytest.raises(BundleError) as caught:
        scanner.feed(b"\n" * 1000)
    assert caught.value.code is ReasonCode.ROW_TOO_LONG
