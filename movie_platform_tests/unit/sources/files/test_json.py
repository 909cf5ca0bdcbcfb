"""The JSON readers: numbers stay text, streams stay streams, what is broken costs itself alone."""

import io
import json
import random
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.files.json_reader import JsonBatch, read_json, read_json_lines
from movie_platform.sources.json_records import extra_text, value_text

Reader = Callable[[BinaryIO, str, str], Iterator[JsonBatch]]


def read(
    data: bytes | str, reader: Reader = read_json, encoding: str = "utf-8"
) -> tuple[list[dict[str, object]], list[RejectedRow]]:
    content = data.encode(encoding) if isinstance(data, str) else data
    records: list[dict[str, object]] = []
    rejected: list[RejectedRow] = []
    for batch in reader(io.BytesIO(content), encoding, "films.json"):
        records += batch.records
        rejected += batch.rejected
    return records, rejected


def faults(rejected: list[RejectedRow]) -> list[tuple[int | None, str]]:
    return [(row.line_number, row.code) for row in rejected]


def titles(records: list[dict[str, object]]) -> list[object]:
    return [record.get("t") for record in records]


def test_numbers_keep_their_literal_text() -> None:
    records, _ = read(
        '[{"t": 1776, "a": 7.10, "b": 1e400, "c": 123456789012345678901234567890, "d": NaN, "e": -0}]'
    )
    assert {key: value_text(value) for key, value in records[0].items()} == {
        "t": "1776",
        "a": "7.10",
        "b": "1e400",
        "c": "123456789012345678901234567890",
        "d": "NaN",
        "e": "-0",
    }


def test_values_of_every_kind_become_text() -> None:
    records, _ = read('[{"t": true, "n": null, "e": "", "l": ["a", 1.50, null, {"k": false}]}]')
    assert [value_text(value) for value in records[0].values()] == [
        "true",
        None,
        "",
        '["a",1.50,null,{"k":false}]',
    ]


def test_what_is_not_named_becomes_one_object_of_strings_with_sorted_keys() -> None:
    records, _ = read('[{"t": "x", "z": 1, "a": null, "m": [1]}, {"t": "y"}]')
    assert [extra_text(record, {"t"}) for record in records] == ['{"a":null,"m":"[1]","z":"1"}', None]


@pytest.mark.parametrize("reader", [read_json, read_json_lines])
def test_objects_with_changing_keys_are_all_read(reader: Reader) -> None:
    records, rejected = read('{"t": "a"}\n{"u": 1, "t": "b"}\n\n{}\n', reader)
    assert records == [{"t": "a"}, {"u": "1", "t": "b"}, {}]
    assert rejected == []


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from("tuvw"), JSON_VALUES, max_size=4), max_size=8),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=200, deadline=None)
def test_any_array_of_objects_is_read_whatever_arrives_at_a_time(
    objects: list[dict[str, object]], indent: int | str | None, ascii_only: bool, seed: int
) -> None:
    class Trickle(io.BytesIO):
        chance = random.Random(seed)

        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(self.chance.randint(1, 9))

    text = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    batches = list(read_json(Trickle(text.encode()), "utf-8", "films.json"))
    records = [record for batch in batches for record in batch.records]
    assert [row for batch in batches for row in batch.rejected] == []
    plain = json.loads(text, parse_int=str)
    assert records == plain


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_string_with_escapes_and_brackets_is_read_wherever_it_is_cut(cut: int) -> None:
    """A cut right behind a backslash leaves half an escape: what follows still belongs to the string."""
    objects = [{"t": '\r}\x1f]"{'}]
    text = json.dumps(objects).encode()

    class Cut(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(cut if self.tell() < cut else -1)

    [batch] = read_json(Cut(text), "utf-8", "films.json")
    assert (batch.records, batch.rejected) == (objects, [])


BROKEN = (
    '{"t": "trailing", }',
    "{'t': 'single quotes'}",
    '{"t": "never closed}',
    '{"t" "no colon"}',
    "{t: 1}",
    '{"t": "x", "cast": [{"n": 1}, {"n": }]}',
)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_element_of_an_array_costs_itself_alone(broken: str) -> None:
    text = '[\n {"t": "a"},\n ' + broken + ',\n {"t": "b", "cast": [{"n": 1}]},\n {"t": "c"}\n]\n'
    records, rejected = read(text)
    assert titles(records) == ["a", "b", "c"]
    assert faults(rejected) == [(3, "malformed_json")]


@pytest.mark.parametrize("broken", [*BROKEN, "nonsense", '{"t": 1', '{"t": 1} {"t": 2}'])
def test_a_broken_line_of_json_lines_costs_itself_alone(broken: str) -> None:
    records, rejected = read('{"t": "a"}\n' + broken + '\n{"t": "b"}\n', read_json_lines)
    assert titles(records) == ["a", "b"]
    assert faults(rejected) == [(2, "malformed_json")]
    assert rejected[0].raw_text == broken


def test_what_is_no_object_is_rejected() -> None:
    records, rejected = read('[1, "x", null, [2],\n{"t": "a"}, 3.5]')
    assert titles(records) == ["a"]
    assert faults(rejected) == [(1, "not_an_object")] * 4 + [(2, "not_an_object")]


def test_an_array_that_is_cut_short_says_so() -> None:
    records, rejected = read('[{"t": "a"},\n{"t": "b"},\n')
    assert titles(records) == ["a", "b"]
    assert faults(rejected) == [(3, "malformed_json")]
    assert "ends before its array does" in rejected[0].message


def test_an_element_that_is_cut_short_is_rejected_too() -> None:
    records, rejected = read('[{"t": "a"},\n{"t": "b", "u": "x')
    assert titles(records) == ["a"]
    assert [row.code for row in rejected] == ["malformed_json", "malformed_json"]
    assert rejected[0].raw_text == '{"t": "b", "u": "x'


def test_nesting_without_end_is_rejected() -> None:
    records, rejected = read('{"t": ' + "[" * 100_000 + "\n" + '{"t": "b"}\n', read_json_lines)
    assert titles(records) == ["b"]
    assert faults(rejected) == [(1, "malformed_json")]


@pytest.mark.parametrize("reader", [read_json, read_json_lines])
def test_nul_and_half_surrogates_reject_their_row(reader: Reader) -> None:
    text = '{"t": "a\\u0000"}\n{"t": "\\ud83c"}\n{"t": "\\ud83c\\udfac"}\n{"k\\u0000": 1}\n'
    records, rejected = read(text, reader)
    assert titles(records) == ["🎬"]
    assert faults(rejected) == [(1, "nul_byte"), (2, "undecodable_row"), (4, "nul_byte")]


@pytest.mark.parametrize("reader", [read_json, read_json_lines])
def test_bytes_that_do_not_decode_reject_their_row(reader: Reader) -> None:
    records, rejected = read(b'{"t": "Am\xe9lie"}\n{"t": "b"}\n', reader)
    assert titles(records) == ["b"]
    assert faults(rejected) == [(1, "undecodable_row")]
    assert rejected[0].raw_text == '{"t": "Am\\xe9lie"}'


@pytest.mark.parametrize("reader", [read_json, read_json_lines])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"  \n"])
def test_an_empty_file_is_one_rejected_row(reader: Reader, content: bytes) -> None:
    records, rejected = read(content, reader)
    assert records == []
    assert [row.code for row in rejected] == (
        [] if reader is read_json_lines and content.strip(b"\xef\xbb\xbf") else ["empty_file"]
    )


def test_an_empty_array_is_a_file_without_rows() -> None:
    assert read(" [ ] ") == ([], [])


def test_something_after_the_array_is_rejected_once() -> None:
    records, rejected = read('[{"t": "a"}]\n[{"t": "b"}] ' + "x" * 10)
    assert titles(records) == ["a"]
    assert faults(rejected) == [(2, "malformed_json")]


def test_an_array_larger_than_any_buffer_is_read_in_batches() -> None:
    text = "[" + ",".join(json.dumps({"t": n, "pad": "x" * 500}) for n in range(12_000)) + "]"
    batches = list(read_json(io.BytesIO(text.encode()), "utf-8", "films.json"))
    assert sum(len(batch.records) for batch in batches) == 12_000
    assert max(len(batch.records) for batch in batches) <= 5_000


def test_an_element_that_never_ends_does_not_fill_the_memory() -> None:
    text = '[{"t": "a"},\n{"t": "' + "x" * 5_000_000 + '\n,\n{"t": "b"}\n]'
    records, rejected = read(text)
    assert titles(records)[0] == "a"
    assert titles(records)[-1] == "b"
    assert {row.code for row in rejected} == {"malformed_json"}
