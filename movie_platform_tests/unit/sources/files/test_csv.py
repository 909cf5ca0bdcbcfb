"""The CSV reader: what is well written comes back equal, what is not is rejected and disturbs nothing else."""

import csv
import io
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.files.csv_dialect import Dialect, Escape, Fault, parse_record
from movie_platform.sources.files.csv_reader import CsvOptions, CsvReader
from movie_platform.sources.files.text_lines import MAXIMUM_LINE
from movie_platform.sources.source_errors import MalformedSource

CSV = Dialect(",", '"')
TSV = Dialect("\t", None)


def read(
    data: bytes | str, *, encoding: str = "utf-8", dialect: Dialect = CSV, escape: str = "auto"
) -> tuple[tuple[str, ...] | None, list[list[str]], list[RejectedRow]]:
    content = data.encode(encoding) if isinstance(data, str) else data
    reader = CsvReader(io.BytesIO(content), CsvOptions(dialect, encoding, escape), "films.csv")  # pyright: ignore[reportArgumentType] - tests pass any of the three
    rows: list[list[str]] = []
    rejected: list[RejectedRow] = []
    for batch in reader.batches():
        rows += batch.rows
        rejected += batch.rejected
    return reader.header, rows, rejected


def faults(rejected: list[RejectedRow]) -> list[tuple[int | None, str]]:
    return [(row.line_number, row.code) for row in rejected]


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=20
) | st.text(st.sampled_from(',"\\\n\r\t ab'), max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 5))
    header = [f"c{number}" for number in range(width)]
    row = st.lists(TEXT, min_size=width, max_size=width)
    rows = draw(st.lists(row, max_size=20))
    return [header, *(row for row in rows if row != header)]


def written(table: list[list[str]], **options: object) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows(table)  # pyright: ignore[reportArgumentType] - options of the writer
    return out.getvalue()


@given(
    tables(),
    # With "\n" for line ends the writer leaves a carriage return at the end of a row unquoted: no reader can know.
    st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
)
@settings(max_examples=300, deadline=None)
@example([["c0"], [""]], (csv.QUOTE_MINIMAL, "\r\n"), "utf-8")
@example([["c0", "c1"], ["a\rb", 'x\\"y']], (csv.QUOTE_MINIMAL, "\r\n"), "utf-8")
def test_what_pythons_csv_writes_is_read_back_equal(
    table: list[list[str]], style: tuple[int, str], encoding: str
) -> None:
    quoting, line_end = style
    text = written(table, quoting=quoting, lineterminator=line_end)
    header, rows, rejected = read(text, encoding=encoding, escape="double")
    assert header == tuple(table[0])
    assert rows == table[1:]
    assert rejected == []


@given(tables(), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_the_size_of_what_is_read_at_a_time_changes_nothing(table: list[list[str]], seed: int) -> None:
    class Trickle(io.BytesIO):
        """Gives a few bytes at a time, as a network does."""

        chance = random.Random(seed)

        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(self.chance.randint(1, 7))

    content = written(table).encode()
    reader = CsvReader(Trickle(content), CsvOptions(CSV, "utf-8"), "films.csv")
    rows = [row for batch in reader.batches() for row in batch.rows]
    assert rows == read(content)[1]


# Words without quotes and delimiters, so that a garbage line is garbage whatever stands around it.
WORD = st.text(st.sampled_from("abcdeé 1\\'"), min_size=1, max_size=8).map(lambda text: f"w{text}")


@given(
    st.lists(st.tuples(WORD, WORD, WORD), max_size=12),
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(
                [
                    b"too,few",
                    b"one,too,many,fields",
                    b'x,"never closed,y',
                    b'x,"closed"then more,y',
                    b"x,\xff\xfe,y",
                    b"x,\0,y",
                    b"id,title,year",
                ]
            ),
        ),
        max_size=6,
    ),
)
@settings(max_examples=300, deadline=None)
def test_garbage_between_good_rows_is_rejected_with_its_line_number_and_nothing_else_is(
    good: list[tuple[str, str, str]], garbage: list[tuple[int, bytes]]
) -> None:
    lines: list[tuple[bytes, bool]] = [(",".join(row).encode(), True) for row in good]
    for position, line in garbage:
        lines.insert(min(position, len(lines)), (line, False))
    content = b"\n".join([b"id,title,year", *(line for line, _ in lines)])
    _, rows, rejected = read(content)
    assert rows == [line.decode().split(",") for line, is_good in lines if is_good]
    assert [row.line_number for row in rejected] == [
        number for number, (_, is_good) in enumerate(lines, 2) if not is_good
    ]


def test_rows_with_too_few_or_too_many_fields_are_rejected_and_shift_nothing() -> None:
    _, rows, rejected = read("id,title,year\n1,A,2001\n2,B\n3,C,2003,x\n4,D,2004\n")
    assert rows == [["1", "A", "2001"], ["4", "D", "2004"]]
    assert faults(rejected) == [(3, "ragged_row"), (4, "ragged_row")]
    assert rejected[0].raw_text == "2,B"
    assert "2 fields" in rejected[0].message


def test_quotes_escaped_with_backslashes_are_read_where_doubled_quotes_make_no_sense() -> None:
    text = 'id,title\n1,"The \\"Best\\" Film"\n2,"say ""hi"""\n3,"ends with \\""\n4,"back\\slash"\n5,"C:\\"\n'
    _, rows, rejected = read(text)
    assert rows == [
        ["1", 'The "Best" Film'],
        ["2", 'say "hi"'],
        ["3", 'ends with "'],
        ["4", "back\\slash"],
        ["5", "C:\\"],
    ]
    assert rejected == []


def test_a_backslash_dialect_that_is_declared_unescapes_every_record() -> None:
    _, rows, _ = read('id,title\n1,"a\\\\b"\n2,"\\"\\""\n', escape="backslash")
    assert rows == [["1", "a\\b"], ["2", '""']]


def test_a_bare_carriage_return_is_data_inside_quotes_and_outside() -> None:
    _, rows, rejected = read('id,title\r\n1,"two\rlines"\r\n2,un\rquoted\r\n')
    assert rows == [["1", "two\rlines"], ["2", "un\rquoted"]]
    assert rejected == []


def test_a_file_of_old_macs_ends_its_lines_with_carriage_returns() -> None:
    assert read("id,title\r1,A\r2,B\r")[1] == [["1", "A"], ["2", "B"]]


def test_an_unterminated_quote_costs_its_own_line_only() -> None:
    lines = ["id,title,year", '1,"never closed,2001', *(f"{n},T{n},2002" for n in range(2, 2000))]
    _, rows, rejected = read("\n".join(lines))
    assert len(rows) == 1998
    assert faults(rejected) == [(2, "unterminated_quote")]


def test_an_unterminated_quote_that_a_later_one_closes_does_not_swallow_the_rows_between() -> None:
    lines = ["id,title,year", '1,"open,2001', *(f"{n},T{n},2002" for n in range(2, 30)), '30,Stray",2003']
    _, rows, rejected = read("\n".join(lines))
    assert [row[0] for row in rows] == [str(n) for n in range(2, 31)]
    assert rows[-1] == ["30", 'Stray"', "2003"]
    assert faults(rejected) == [(2, "unterminated_quote")]


def test_a_field_of_many_lines_stays_one_field() -> None:
    plot = "\n".join(f"Line {n}, with a comma." for n in range(100))
    _, rows, rejected = read(written([["id", "plot", "year"], ["1", plot, "2001"], ["2", "x", "2002"]]))
    assert rows == [["1", plot, "2001"], ["2", "x", "2002"]]
    assert rejected == []


def test_a_record_of_several_lines_with_a_field_too_many_is_rejected_whole() -> None:
    _, rows, rejected = read('id,title,year\n1,"a\nb",2001,x\n2,B,2002\n')
    assert rows == [["2", "B", "2002"]]
    assert [(row.line_number, row.code, row.raw_text) for row in rejected] == [
        (2, "ragged_row", '1,"a\nb",2001,x')
    ]


def test_bytes_that_do_not_decode_reject_their_row_and_stay_readable() -> None:
    _, rows, rejected = read(b"id,title\n1,Am\xe9lie\n2,L\xc3\xa9on\n")
    assert rows == [["2", "Léon"]]
    assert [(row.line_number, row.code, row.raw_text) for row in rejected] == [
        (2, "undecodable_row", "1,Am\\xe9lie")
    ]


def test_a_nul_rejects_its_row() -> None:
    _, rows, rejected = read(b"id,title\n1,A\0B\n2,C\n")
    assert rows == [["2", "C"]]
    assert [(row.code, row.raw_text) for row in rejected] == [("nul_byte", "1,A\\x00B")]


def test_header_lines_that_come_again_are_rejected_also_with_a_byte_order_mark() -> None:
    _, rows, rejected = read("id,title\n1,A\nid,title\n2,B\n\ufeffid,title\n3,C\n")
    assert rows == [["1", "A"], ["2", "B"], ["3", "C"]]
    assert faults(rejected) == [(3, "repeated_header"), (5, "repeated_header")]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert read(b"\xef\xbb\xbfid,title\n1,A\n")[0] == ("id", "title")


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    _, rows, rejected = read("\n\nid,title\n\n1,A\r\n\r\n2\n")
    assert rows == [["1", "A"]]
    assert faults(rejected) == [(7, "ragged_row")]


def test_quotes_within_an_unquoted_field_and_spaces_stay_as_they_are() -> None:
    assert read("id,title\n1,5'10\" tall\n2, padded\u00a0\n")[1] == [
        ["1", "5'10\" tall"],
        ["2", " padded\u00a0"],
    ]


def test_a_tsv_has_no_quoting() -> None:
    _, rows, rejected = read('id\ttitle\n1\t"Foo" Bar\n2\t"open\n3\n', dialect=TSV)
    assert rows == [["1", '"Foo" Bar'], ["2", '"open']]
    assert faults(rejected) == [(4, "ragged_row")]


def test_a_line_without_end_is_rejected_without_being_held() -> None:
    content = b"id,title\n1,A\n2," + b"x" * (3 * MAXIMUM_LINE) + b"\n3,C\n"
    _, rows, rejected = read(content)
    assert rows == [["1", "A"], ["3", "C"]]
    assert faults(rejected) == [(3, "row_too_long")]
    assert len(rejected[0].raw_text) < MAXIMUM_LINE


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_one_rejected_row(content: bytes) -> None:
    header, rows, rejected = read(content)
    assert (header, rows, faults(rejected)) == (None, [], [(1, "empty_file")])


def test_a_header_alone_is_a_file_without_rows() -> None:
    assert read(b"id,title\n") == (("id", "title"), [], [])


def test_a_header_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(MalformedSource, match="line 1, which should be the header"):
        read(b'id,"title\n1,A\n')


def test_columns_without_a_name_are_numbered() -> None:
    assert read(",title\n1,A\n")[0] == ("column_1", "title")


@pytest.mark.parametrize(
    "line", ["a,b", "a,b,c,d", 'a,"b"x,c', 'a,"open,c', "", "id,title,year"], ids=lambda line: line or "blank"
)
def test_a_file_of_nothing_but_bad_lines_takes_linear_time(line: str) -> None:
    def seconds_of(lines: int) -> float:
        # Of the process, not of the clock: what else the machine does is no part of it.
        started = time.process_time()
        _, rows, rejected = read("id,title,year\n" + f"{line}\n" * lines)
        assert rows == []
        assert len(rejected) == (lines if line else 0)
        return time.process_time() - started

    few, many = seconds_of(2_000), seconds_of(32_000)
    # 16 times as many lines: linear work takes 16 times as long, quadratic work 256 times.
    assert many < 64 * max(few, 0.01)


@pytest.mark.parametrize(
    ("text", "escape", "fields"),
    [
        ("a,b", Escape.DOUBLE, ["a", "b"]),
        ('"a,b",', Escape.DOUBLE, ["a,b", ""]),
        ('"a""b"', Escape.DOUBLE, ['a"b']),
        ('"a\\"b"', Escape.BACKSLASH, ['a"b']),
        ('"a\\"b"', Escape.DOUBLE, Fault.MALFORMED),
        ('"a', Escape.DOUBLE, Fault.UNTERMINATED),
        ('"a" ,b', Escape.DOUBLE, Fault.MALFORMED),
        ("", Escape.DOUBLE, [""]),
    ],
)
def test_one_record_is_parsed_strictly(text: str, escape: Escape, fields: list[str] | Fault) -> None:
    assert parse_record(text, CSV, escape) == fields
