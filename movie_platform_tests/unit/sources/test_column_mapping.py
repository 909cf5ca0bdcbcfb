"""Keys, `extra`, raw text of any type, and what no later hop could carry."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.sources.column_mapping import BATCH_ROWS, ColumnMapper, json_objects
from movie_platform.sources.files.parameters import FilesParameters
from movie_platform.sources.movie_id import join_key, join_key_columns
from movie_platform.sources.profile import Profile
from movie_platform.sources.text_values import json_text, text_array, text_of

VALUES = st.text(st.sampled_from("|\\ab"), max_size=5) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=5
)
KEYS = st.lists(VALUES, min_size=2, max_size=3).map(tuple)


@given(KEYS, KEYS)
def test_different_keys_never_give_the_same_movie_id(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    if len(one) == len(other) and one != other:
        assert join_key(one) != join_key(other)


@given(
    st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[st.none() | VALUES] * width), max_size=8))
)
def test_keys_of_whole_columns_are_those_of_their_rows(rows: list[tuple[str | None, ...]]) -> None:
    width = len(rows[0]) if rows else 1
    columns = [pa.array([row[index] for row in rows], pa.string()) for index in range(width)]
    assert join_key_columns(columns).to_pylist() == [join_key(row) for row in rows]


def test_the_key_of_one_column_is_its_value_unchanged() -> None:
    assert join_key(("a|b\\c",)) == "a|b\\c"
    assert join_key((None,)) is None
    assert join_key(("",)) == ""


def test_several_columns_are_joined_and_escaped() -> None:
    assert join_key(("a|b", "c\\d")) == "a\\|b|c\\\\d"
    assert join_key(("Alien", None)) == "Alien|"
    assert join_key(("", None)) is None


@given(
    st.integers(1, 3).flatmap(
        lambda width: st.lists(
            st.tuples(*[st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)] * width),
            max_size=6,
        )
    )
)
def test_extra_is_what_json_would_write(rows: list[tuple[str | None, ...]]) -> None:
    names = ["zebra", 'quo"te', "Ünicode"][: len(rows[0]) if rows else 0]
    columns = {name: pa.array([row[index] for row in rows], pa.string()) for index, name in enumerate(names)}
    expected = [
        json.dumps(
            dict(zip(names, row, strict=True)), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        for row in rows
    ]
    assert json_objects(columns, len(rows)).to_pylist() == expected


def mapper(null_values: tuple[str, ...] = ()) -> ColumnMapper:
    profile = Profile(
        name="films",
        kind="files",
        key=("id",),
        columns={"title": "name", "critic_reviews": "reviews", "rotten_tomatoes_reviews": "reviews"},
        parameters=FilesParameters.model_validate({"path": "x.csv"}),
        folder=Path(),
    )
    return ColumnMapper(profile, null_values)


def mapped(
    columns: dict[str, list[str | None]], null_values: tuple[str, ...] = ()
) -> Iterator[dict[str, object]]:
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    for batch in mapper(null_values).map_columns(arrays, len(columns["id"]), where="films.csv"):
        yield from batch.rows.to_pylist()


def test_one_source_column_may_feed_several_and_the_rest_goes_to_extra() -> None:
    assert list(mapped({"b": ["x"], "id": ["1"], "name": ["1776"], "reviews": ["7"], "a": [None]})) == [
        {
            "movie_id": "1",
            "title": "1776",
            "rotten_tomatoes_reviews": "7",
            "critic_reviews": "7",
            "extra": '{"a":null,"b":"x"}',
        }
    ]


def test_null_values_become_null_everywhere_and_nothing_else_does() -> None:
    rows = list(mapped({"id": ["1"], "name": ["N/A"], "reviews": [""], "x": ["N/A"]}, ("N/A",)))
    assert rows[0]["title"] is None
    assert rows[0]["critic_reviews"] == ""
    assert rows[0]["extra"] == '{"x":null}'


def test_batches_are_bounded_and_share_one_schema() -> None:
    count = 2 * BATCH_ROWS + 1
    arrays = {name: pa.array([str(n) for n in range(count)]) for name in ("id", "name", "reviews")}
    batches = list(mapper().map_columns(arrays, count, where="films.csv"))
    assert [batch.rows.num_rows for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 1]
    assert {batch.rows.schema for batch in batches} == {mapper().schema}


def test_rows_with_a_nul_or_invalid_utf_8_are_rejected_and_no_others() -> None:
    broken = pa.array([b"a", b"\xff\xfe", b"c", b"d"]).cast(pa.binary())
    arrays = {
        "id": pa.array(["1", "2", "3", "4"]),
        "name": pa.Array.from_buffers(pa.string(), 4, broken.buffers()),
        "reviews": pa.array(["x", "x", "a\0b", None]),
    }
    [batch] = mapper().map_columns(arrays, 4, where="table films")
    assert batch.rows.column("movie_id").to_pylist() == ["1", "4"]
    assert [(row.line_number, row.code) for row in batch.rejected] == [
        (None, "undecodable_row"),
        (None, "nul_byte"),
    ]
    assert json.loads(batch.rejected[0].raw_text)["name"] == "\\xff\\xfe"
    assert "\0" not in batch.rejected[1].raw_text


BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        ("1776", "1776"),
        (1776, "1776"),
        (True, "true"),
        (103.0, "103.0"),
        (7.2, "7.2"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e16, "1e+16"),
        (float("nan"), "nan"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0E-10"), "0.0000000000"),
        (date(1994, 10, 14), "1994-10-14"),
        (datetime.fromisoformat("1994-10-14T12:30"), "1994-10-14 12:30:00"),
        (datetime(1994, 10, 14, 12, 30, 0, 5, tzinfo=BERLIN), "1994-10-14 11:30:00.000005Z"),
        (time(1, 2, 3), "01:02:03"),
        (b"\x00\xff", "00ff"),
        ([1, None, "a", Decimal("1.10")], '[1,null,"a","1.10"]'),
        ({"b": 1.5, "a": [True]}, '{"b":1.5,"a":[true]}'),
    ],
)
def test_python_values_become_raw_text(value: object, text: str | None) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([103.0, 7.2, None, 2847379794.0]), ["103.0", "7.2", None, "2847379794.0"]),
        (pa.array([7.2], pa.float32()), ["7.2"]),
        (pa.array([2**63 - 1, -(2**63)]), ["9223372036854775807", "-9223372036854775808"]),
        (pa.array([Decimal("1.10")], pa.decimal128(5, 2)), ["1.10"]),
        (pa.array([Decimal("1E-10")], pa.decimal128(38, 10)), ["0.0000000001"]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([date(1994, 10, 14)]), ["1994-10-14"]),
        (pa.array([datetime.fromisoformat("1994-10-14T12:00")], pa.timestamp("s")), ["1994-10-14 12:00:00"]),
        (
            pa.array([datetime(1994, 10, 14, 12, tzinfo=UTC)], pa.timestamp("ms", "Europe/Berlin")),
            ["1994-10-14 12:00:00.000Z"],
        ),
        (pa.array([b"\xff", None]), ["ff", None]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.nulls(2), [None, None]),
        (pa.array([["a", None], None]), ['["a",null]', None]),
        (pa.array([{"a": 1, "b": [1.5]}]), ['{"a":1,"b":[1.5]}']),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_arrow_values_become_raw_text(array: pa.Array, texts: list[str | None]) -> None:
    result = text_array(array)
    assert result.type == pa.string()
    assert result.to_pylist() == texts


@given(st.floats())
def test_floats_read_back_to_the_same_number(value: float) -> None:
    [text] = text_array(pa.array([value])).to_pylist()
    assert text == text_of(value)
    assert float(text) == value or value != value


def test_json_of_values_that_json_lacks_is_their_text() -> None:
    assert json_text([float("inf"), date(1994, 10, 14), b"\xff"]) == '["inf","1994-10-14","ff"]'
