"""The manifest's schema, its generated validator and the rules beside it."""

import json
from collections.abc import Callable
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movie_platform.bundle_writing import schema_compiler
from movie_platform.bundles._manifest_validator import validate_manifest
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import manifest_from_dict, parse_manifest
from movie_platform.bundles.manifest_json import load_json
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.schema_error import JsonSchemaValueException
from movie_platform.contracts.raw import raw_column_names
from movie_platform_tests.plain_bundles import plain_bundle

SCHEMA = json.loads(schema_compiler.SCHEMA_PATH.read_bytes())


def good() -> dict[str, Any]:
    return plain_bundle().manifest


def refusal(value: object) -> BundleError:
    with pytest.raises(BundleError) as caught:
        manifest_from_dict(value)
    return caught.value


def test_the_committed_validator_is_what_the_published_schema_generates() -> None:
    assert schema_compiler.VALIDATOR_PATH.read_text("utf-8") == schema_compiler.generate(), (
        "run `python -m movie_platform.bundle_writing.schema_compiler` and commit what it writes"
    )


def test_a_manifest_survives_being_read_and_written() -> None:
    manifest = manifest_from_dict(good())
    assert parse_manifest(manifest.to_json()) == manifest


def test_contract_columns_have_names_that_the_schema_allows() -> None:
    value = good()
    value["columns"] = [{"name": name, "type": "string"} for name in raw_column_names()]
    validate_manifest(value)


def complaint(validate: Callable[[Any], object], value: dict[str, Any]) -> str | None:
    try:
        validate(value)
    except (JsonSchemaValueException, fastjsonschema.JsonSchemaValueException) as error:
        return str(error)
    return None


paths_and_values = st.tuples(
    st.sampled_from(
        [
            "batch_id",
            "content_id",
            "dt",
            "load_type",
            "source",
            "extracted_at",
            "columns",
            "row_count",
            "files",
            "stats",
            "extra",
        ]
    ),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(max_size=8),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(paths_and_values, min_size=1, max_size=3))
def test_the_validator_agrees_with_the_library_that_generated_it(changes: list[tuple[str, object]]) -> None:
    value = good()
    value.update(changes)
    library = fastjsonschema.compile(SCHEMA)
    assert complaint(validate_manifest, value) == complaint(library, value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_refused_as_a_manifest(data: bytes) -> None:
    with pytest.raises(BundleError):
        parse_manifest(data)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b"\xff",
        b"",
        b"\xef\xbb\xbf{}",
        b"1" * 5000,
    ],
)
def test_json_is_read_strictly(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the messages are the parser's
        load_json(text)


def test_a_count_with_a_fraction_sign_is_refused() -> None:
    value = good()
    value["row_count"] = 4.0
    assert refusal(value).code is ReasonCode.MANIFEST_INVALID


def test_half_a_surrogate_pair_is_refused() -> None:
    data = plain_bundle().manifest_bytes().replace(b'"a producer outside', b'"\\ud800 outside')
    with pytest.raises(BundleError) as caught:
        parse_manifest(data)
    assert caught.value.code is ReasonCode.MANIFEST_INVALID


@pytest.mark.parametrize("version", [0, 2, 1.0, "1", True, [1], None])
def test_a_format_version_other_than_1_is_refused(version: object) -> None:
    value = good()
    value["format_version"] = version
    assert refusal(value).code in (ReasonCode.UNKNOWN_FORMAT_VERSION, ReasonCode.MANIFEST_INVALID)


def test_parquet_must_be_there_for_all_parts_or_none() -> None:
    value = good()
    one = dict(value["files"][0])
    value["files"] += [
        {**one, "path": "csv/movies-00001.csv", "part": 1},
        {**one, "path": "parquet/movies-00000.parquet", "format": "parquet"},
    ]
    value["row_count"] *= 2
    assert refusal(value).code is ReasonCode.PARTS_INCONSISTENT


def test_parquet_and_csv_of_a_part_must_have_the_same_rows() -> None:
    value = good()
    one = dict(value["files"][0])
    value["files"].append({**one, "path": "parquet/movies-00000.parquet", "format": "parquet", "rows": 5})
    assert refusal(value).code is ReasonCode.ROW_COUNT_MISMATCH


def test_a_path_must_be_that_of_its_format_and_part() -> None:
    value = good()
    value["files"][0]["path"] = "csv/movies-00001.csv"
    assert refusal(value).code is ReasonCode.PARTS_INCONSISTENT


@pytest.mark.parametrize(
    "columns", [["movie_id"], ["title", "year"], ["movie_id", "title", "title"], ["movie_id", "title", "x"]]
)
def test_columns_must_be_those_of_the_contract_each_once(columns: list[str]) -> None:
    value = good()
    value["columns"] = [{"name": name, "type": "string"} for name in columns]
    assert refusal(value).code in (ReasonCode.COLUMNS_NOT_IN_CONTRACT, ReasonCode.MANIFEST_INVALID)
