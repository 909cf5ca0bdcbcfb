"""What is written, zipped and read again is what came in, whatever the values, batches and order."""

import csv
import hashlib
import importlib.metadata
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movie_platform import __version__
from movie_platform.bundle_writing.compare import compare_csv_with_parquet
from movie_platform.bundle_writing.content import ContentHasher, content_id_of_extract
from movie_platform.bundle_writing.landing_object import landing_key, landing_object_metadata
from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundle_writing.zipping import write_zip
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import Manifest, ProducerInfo, SourceInfo, parse_manifest
from movie_platform.bundles.read import FolderReader, ZipReader, read_manifest, read_manifest_by_ranges
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.verify import verify, verify_folder, verify_path
from movie_platform.contracts.locations import parse_landing_key
from movie_platform.raw_rows import RejectedRow, RowBatch
from movie_platform_tests import plain_bundles
from movie_platform_tests.paths import ROOT

COLUMNS = ("movie_id", "title", "overview")
Row = Sequence[str | None]
SOURCE = SourceInfo("demo", "files", {"path": "films.csv"})
MOMENT = datetime(2026, 11, 18, 6, 0, 0, 987654, tzinfo=UTC)
DT = date(2026, 11, 18)

# Everything that may stand in a value: no half of a surrogate pair, which no Arrow string holds, and no NUL.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
tricky = st.sampled_from(
    [
        '"',
        '""',
        ",",
        "\n",
        "\r",
        "\r\n",
        "a\rb",
        "\\",
        '\\"',
        "'",
        " x ",
        "",
        "NULL",
        "\ufeff",
        "�",
        "é",
        "𝄞",
        "\x1c",
        "\u2028",
    ]
)
values = st.one_of(st.none(), texts, tricky, st.builds("".join, st.lists(tricky, max_size=4)))
row_lists = st.lists(st.tuples(values, values, values), max_size=30)


def batch(
    rows: Sequence[Row], columns: Sequence[str] = COLUMNS, rejected: tuple[RejectedRow, ...] = ()
) -> RowBatch:
    arrays = [pa.array([row[i] for row in rows], pa.string()) for i in range(len(columns))]
    return RowBatch(pa.record_batch(arrays, names=list(columns)), rejected)


def write(rows: Sequence[Row], folder: Path, *, split: int = 7, **options: Any) -> Manifest:
    batches = [batch(rows[start : start + split]) for start in range(0, len(rows), split)] or [batch([])]
    return write_extract(
        batches, folder, dt=DT, source=SOURCE, load_type="full", extracted_at=MOMENT, **options
    )


def zipped(folder: Path) -> bytes:
    target = io.BytesIO()
    write_zip(FolderReader(folder), target)
    return target.getvalue()


def read_parquet(folder: Path, manifest: Manifest) -> list[Row]:
    return [
        tuple(row.values())
        for file in manifest.files_of("parquet")
        for row in pq.read_table(folder / file.path).to_pylist()
    ]


def as_csv_keeps_it(rows: Sequence[Row]) -> list[list[str]]:
    return [["" if value is None else value for value in row] for row in rows]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=row_lists, split=st.integers(1, 9), part_rows=st.integers(1, 12))
def test_what_is_written_and_zipped_is_read_and_verified_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], split: int, part_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("extract") / "e"
    manifest = write(rows, folder, split=split, part_rows=part_rows)
    assert verify_folder(folder) == manifest
    assert read_parquet(folder, manifest) == [tuple(row) for row in rows]

    data = zipped(folder)
    file = io.BytesIO(data)
    verified = verify(file, expected_source="demo", expected_dt=DT)
    assert verified.manifest == manifest
    reader = ZipReader(file, dict(verified.entries))
    found: list[list[str]] = []
    for part in manifest.files_of("csv"):
        with reader.open(part.path) as stream:
            lines = csv.reader(io.TextIOWrapper(stream, "utf-8", newline=""), strict=True)
            assert tuple(next(lines)) == COLUMNS
            found += list(lines)
    assert found == as_csv_keeps_it(rows)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "manifest.json"
    for one, other in zip(manifest.files_of("csv"), manifest.files_of("parquet"), strict=True):
        assert compare_csv_with_parquet(folder / one.path, folder / other.path).agree


@settings(max_examples=150, deadline=None)
@given(row_lists, st.randoms(use_true_random=False), st.integers(1, 9))
def test_content_id_does_not_depend_on_the_order_of_rows_or_on_batches(
    rows: list[Row], random: Random, split: int
) -> None:
    whole = ContentHasher()
    whole.update(batch(rows).rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    divided = ContentHasher()
    for start in range(0, len(shuffled), split):
        divided.update(batch(shuffled[start : start + split]).rows)
    expected = plain_bundles.content_id(rows, COLUMNS, "demo", "full")
    assert whole.hexdigest(COLUMNS, "demo", "full") == expected
    assert divided.hexdigest(COLUMNS, "demo", "full") == expected


@settings(max_examples=200, deadline=None)
@given(row_lists, row_lists)
def test_content_id_tells_different_rows_apart(one: list[Row], other: list[Row]) -> None:
    same = sorted(one, key=repr) == sorted(other, key=repr)
    ids = [plain_bundles.content_id(rows, COLUMNS, "demo", "full") for rows in (one, other)]
    assert (ids[0] == ids[1]) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([("1", None, "x")], [("1", "", "x")]),
        ([("1", "ab", "c")], [("1", "a", "bc")]),
        ([("1", "a", "b")], [("1", "a", "b"), ("1", "a", "b")]),
        ([("1", "a", None)], [("1", None, "a")]),
    ],
)
def test_content_id_tells_rows_apart_that_look_alike(one: list[Row], other: list[Row]) -> None:
    hashers = []
    for rows in (one, other):
        hasher = ContentHasher()
        hasher.update(batch(rows).rows)
        hashers.append(hasher.hexdigest(COLUMNS, "demo", "full"))
    assert hashers[0] != hashers[1]


def test_content_id_covers_columns_source_and_load_type() -> None:
    hasher = ContentHasher()
    hasher.update(batch([("1", "a", "b")]).rows)
    ids = {
        hasher.hexdigest(COLUMNS, "demo", "full"),
        hasher.hexdigest(("movie_id", "title", "awards"), "demo", "full"),
        hasher.hexdigest(COLUMNS, "omdb", "full"),
        hasher.hexdigest(COLUMNS, "demo", "delta"),
    }
    assert len(ids) == 4


def test_content_id_of_a_slice_is_that_of_its_rows() -> None:
    rows = [(str(n), f"Film {n}" if n % 3 else None, "") for n in range(50)]
    sliced, copied = ContentHasher(), ContentHasher()
    sliced.update(batch(rows).rows.slice(11, 20))
    copied.update(batch(rows[11:31]).rows)
    assert sliced.hexdigest(COLUMNS, "demo", "full") == copied.hexdigest(COLUMNS, "demo", "full")


def test_the_worked_example_of_the_document_is_right(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "bundle-format.md").read_text("utf-8")
    example = text.split("```python\n", 1)[1].split("```", 1)[0]
    scope: dict[str, Any] = {}
    exec(compile(example, "docs/bundle-format.md", "exec"), scope)
    documented = text.split("content_id of the example: `", 1)[1][:64]
    assert scope["content_id"] == documented
    rows = [tuple(row) for row in scope["rows"]]
    extract = write_extract(
        [batch(rows, scope["columns"])],
        tmp_path / "e",
        dt=DT,
        source=SourceInfo(str(scope["source"]), "files"),
        load_type="full",
        extracted_at=MOMENT,
    )
    assert extract.content_id == documented
    assert content_id_of_extract(tmp_path / "e", extract) == documented


def test_the_same_rows_in_other_batches_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [(str(n), f"Film {n}", None) for n in range(1000)]
    write(rows, tmp_path / "a", split=1000, part_rows=300)
    write(rows, tmp_path / "b", split=13, part_rows=300)
    assert zipped(tmp_path / "a") == zipped(tmp_path / "b")


def test_parts_are_bounded_and_counted(tmp_path: Path) -> None:
    manifest = write([(str(n), "x", None) for n in range(25)], tmp_path / "e", part_rows=10)
    assert [(f.path, f.rows) for f in manifest.files] == [
        ("csv/movies-00000.csv", 10),
        ("parquet/movies-00000.parquet", 10),
        ("csv/movies-00001.csv", 10),
        ("parquet/movies-00001.parquet", 10),
        ("csv/movies-00002.csv", 5),
        ("parquet/movies-00002.parquet", 5),
    ]


def test_a_full_last_part_is_not_followed_by_an_empty_one(tmp_path: Path) -> None:
    manifest = write([(str(n), "x", None) for n in range(20)], tmp_path / "e", part_rows=10)
    assert len(manifest.files_of("csv")) == 2


def test_an_extract_without_rows_has_one_part_with_a_header(tmp_path: Path) -> None:
    manifest = write_extract(
        [], tmp_path / "e", dt=DT, source=SOURCE, load_type="full", extracted_at=MOMENT, columns=COLUMNS
    )
    assert manifest.row_count == 0
    assert (tmp_path / "e/csv/movies-00000.csv").read_text() == '"movie_id","title","overview"\n'
    verify_folder(tmp_path / "e")
    assert verify(io.BytesIO(zipped(tmp_path / "e"))).manifest == manifest


def test_csv_alone_is_a_bundle_too(tmp_path: Path) -> None:
    manifest = write([("1", "x", None)], tmp_path / "e", with_parquet=False)
    assert manifest.files_of("parquet") == ()
    verify(io.BytesIO(zipped(tmp_path / "e")))


def test_rejected_rows_are_kept_with_line_number_text_and_code(tmp_path: Path) -> None:
    rejected = (
        RejectedRow(3, 'a,"b\n\udce9\0', "ragged_row", "3 fields instead of 2"),
        RejectedRow(None, "x" * 200_000, "no_object", "not an object"),
    )
    manifest = write_extract(
        [batch([("1", "x", None)], rejected=rejected)],
        tmp_path / "e",
        dt=DT,
        source=SOURCE,
        load_type="full",
        extracted_at=MOMENT,
    )
    assert (manifest.row_count, manifest.rejected_count) == (1, 2)
    lines = [
        json.loads(line) for line in (tmp_path / "e/rejected/rejected-00000.jsonl").read_bytes().splitlines()
    ]
    assert lines[0] == {
        "line_number": 3,
        "raw_text": 'a,"b\n\\udce9\0',
        "code": "ragged_row",
        "message": "3 fields instead of 2",
    }
    assert len(lines[1]["raw_text"]) == 100_000
    verify(io.BytesIO(zipped(tmp_path / "e")))


def test_a_value_that_csv_cannot_carry_rejects_its_row_and_no_other(tmp_path: Path) -> None:
    long = "y" * 131_073
    rows: list[Row] = [("1", "fine", None), ("2", "nul\0", "é"), ("3", long, None), ("4", "y" * 131_072, "é")]
    manifest = write(rows, tmp_path / "e")
    assert (manifest.row_count, manifest.rejected_count) == (2, 2)
    lines = [
        json.loads(line) for line in (tmp_path / "e/rejected/rejected-00000.jsonl").read_bytes().splitlines()
    ]
    assert [line["code"] for line in lines] == ["nul_in_value", "value_too_long"]
    assert json.loads(lines[0]["raw_text"]) == {"movie_id": "2", "title": "nul\0", "overview": "é"}
    assert [row[0] for row in read_parquet(tmp_path / "e", manifest)] == ["1", "4"]
    verify_folder(tmp_path / "e")


def test_a_value_that_is_not_utf8_rejects_its_row_and_no_other(tmp_path: Path) -> None:
    titles = pa.array([b"fine", b"M\xe9tropolis", None], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 3, titles.buffers())
    ids = pa.array(["1", "2", "3"])
    rows = RowBatch(pa.record_batch([ids, broken], names=["movie_id", "title"]))
    manifest = write_extract(
        [rows], tmp_path / "e", dt=DT, source=SOURCE, load_type="full", extracted_at=MOMENT
    )
    assert (manifest.row_count, manifest.rejected_count) == (2, 1)
    line = json.loads((tmp_path / "e/rejected/rejected-00000.jsonl").read_bytes())
    assert line["code"] == "not_utf8_value"
    assert json.loads(line["raw_text"])["title"] == "M\\xe9tropolis"


def test_stats_count_keys_and_nulls_and_give_ranges_only_where_they_mean_something(tmp_path: Path) -> None:
    columns = ("movie_id", "title", "year", "release_date")
    rows: list[Row] = [
        ("1", "b", "1999", "1999-01-02"),
        ("1", "a", "", "02 Jan 1999"),
        (None, None, "1927", None),
        ("2", "c", None, "1927-01-10"),
    ]
    manifest = write_extract(
        [batch(rows, columns)], tmp_path / "e", dt=DT, source=SOURCE, load_type="full", extracted_at=MOMENT
    )
    stats = json.loads((tmp_path / "e/manifest.json").read_bytes())["stats"]
    assert manifest.stats is not None
    assert stats == {
        "distinct_keys": 2,
        "columns": {
            "movie_id": {"nulls": 1},
            "title": {"nulls": 1},
            "year": {"nulls": 1, "min": "1927", "max": "1999"},
            "release_date": {"nulls": 1},
        },
    }


def test_extracted_at_is_utc_and_has_whole_seconds(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 18, 1, 30, 0, 500_000, tzinfo=timezone(timedelta(hours=2)))
    manifest = write_extract(
        [batch([])], tmp_path / "e", dt=DT, source=SOURCE, load_type="full", extracted_at=moment
    )
    assert manifest.batch_id == f"20261117T233000Z-{manifest.content_id[:12]}"
    assert read_manifest(tmp_path / "e") == manifest
    with pytest.raises(ValueError, match="time zone"):
        write_extract(
            [batch([])],
            tmp_path / "e",
            dt=DT,
            source=SOURCE,
            load_type="full",
            extracted_at=datetime(2026, 11, 18),  # noqa: DTZ001 - the fault under test
        )


def test_the_producer_is_the_package_and_its_version_installed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_installed(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", not_installed)
    assert write([], tmp_path / "extract").producer == ProducerInfo("movie-platform", __version__)


def test_the_cursor_is_asked_for_after_the_last_row(tmp_path: Path) -> None:
    seen: list[str] = []

    def rows() -> Iterator[RowBatch]:
        yield batch([("1", "x", None)])
        seen.append("end")

    manifest = write_extract(
        rows(),
        tmp_path / "e",
        dt=DT,
        source=SOURCE,
        load_type="delta",
        extracted_at=MOMENT,
        next_cursor=lambda: f"after {seen}",
    )
    assert manifest.source.cursor == "after ['end']"


def test_a_source_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    before = write([("1", "x", None)], tmp_path / "e")

    def rows() -> Iterator[RowBatch]:
        yield batch([("2", "y", None)])
        raise ConnectionError("the source is gone")

    with pytest.raises(ConnectionError):
        write_extract(rows(), tmp_path / "e", dt=DT, source=SOURCE, load_type="full", extracted_at=MOMENT)
    assert read_manifest(tmp_path / "e") == before
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_writing_again_replaces_the_extract(tmp_path: Path) -> None:
    write([(str(n), "x", None) for n in range(30)], tmp_path / "e", part_rows=10)
    manifest = write([("1", "y", None)], tmp_path / "e", part_rows=10)
    assert verify_folder(tmp_path / "e") == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_leftovers_of_killed_writers_are_removed_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / ".e.1.partial", tmp_path / ".e.2.partial"
    for folder in (old, young):
        folder.mkdir()
        (folder / "x").write_bytes(b"x")
    os.utime(old, (0, time.time() - 90_000))
    write([("1", "y", None)], tmp_path / "e")
    assert not old.exists()
    assert young.exists()


def test_columns_outside_the_contract_make_no_extract(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        write_extract(
            [batch([("1", "x", "y")], ("movie_id", "title", "jahr"))],
            tmp_path / "e",
            dt=DT,
            source=SOURCE,
            load_type="full",
            extracted_at=MOMENT,
        )
    assert caught.value.code is ReasonCode.COLUMNS_NOT_IN_CONTRACT
    assert list(tmp_path.iterdir()) == []


def test_a_batch_with_other_columns_makes_no_extract(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns"):
        write_extract(
            [batch([("1", "x", "y")]), batch([("1", "x", "y")], ("movie_id", "title", "cast"))],
            tmp_path / "e",
            dt=DT,
            source=SOURCE,
            load_type="full",
            extracted_at=MOMENT,
        )


def test_a_damaged_extract_makes_no_bundle(tmp_path: Path) -> None:
    write([("1", "x", None)], tmp_path / "e")
    path = tmp_path / "e/csv/movies-00000.csv"
    path.write_bytes(path.read_bytes().replace(b"x", b"y"))
    with pytest.raises(BundleError) as caught:
        zipped(tmp_path / "e")
    assert caught.value.code is ReasonCode.CHECKSUM_MISMATCH


class OneWay(io.RawIOBase):
    """A target that cannot seek, as an upload."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.data += data
        return len(data)


def test_a_bundle_streams_to_a_target_that_cannot_seek(tmp_path: Path) -> None:
    write([(str(n), "x" * n, None) for n in range(100)], tmp_path / "e")
    target = OneWay()
    result = write_zip(FolderReader(tmp_path / "e"), target)
    assert result.bytes == len(target.data)
    assert result.sha256 == hashlib.sha256(target.data).hexdigest()
    (tmp_path / "b.zip").write_bytes(target.data)
    assert verify_path(tmp_path / "b.zip") == result.manifest == read_manifest(tmp_path / "b.zip")


def test_entries_beyond_4_gib_use_zip64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write([("1", "x", None)], tmp_path / "e")
    small = zipped(tmp_path / "e")
    monkeypatch.setattr("movie_platform.bundle_writing.zipping._ZIP64_FROM", 0)
    large = zipped(tmp_path / "e")
    assert len(large) > len(small)
    assert verify(io.BytesIO(large)).manifest == verify(io.BytesIO(small)).manifest
    with zipfile.ZipFile(io.BytesIO(large)) as archive:
        assert archive.testzip() is None


def test_the_manifest_is_read_by_one_range_of_the_beginning(tmp_path: Path) -> None:
    manifest = write([("1", "x", None)], tmp_path / "e")
    requests: list[tuple[int, int]] = []
    data = zipped(tmp_path / "e")

    def fetch(offset: int, length: int) -> bytes:
        requests.append((offset, length))
        return data[offset : offset + length]

    found = read_manifest_by_ranges(fetch)
    assert found is not None
    assert parse_manifest(found) == manifest
    assert len(requests) == 1


def test_a_large_manifest_is_read_by_two_ranges(tmp_path: Path) -> None:
    noise = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(8000))
    source = SourceInfo("demo", "files", {f"p{n}": noise[n * 5000 : (n + 1) * 5000] for n in range(100)})
    manifest = write_extract(
        [batch([])], tmp_path / "e", dt=DT, source=source, load_type="full", extracted_at=MOMENT
    )
    data = zipped(tmp_path / "e")
    requests: list[int] = []

    def fetch(offset: int, length: int) -> bytes:
        requests.append(offset)
        return data[offset : offset + length]

    found = read_manifest_by_ranges(fetch)
    assert found is not None
    assert parse_manifest(found) == manifest
    assert len(requests) == 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_reading_a_manifest_by_ranges_survives_any_bytes(data: bytes, zip_like: bool) -> None:
    content = b"PK\x03\x04" + data if zip_like else data
    assert read_manifest_by_ranges(lambda offset, length: content[offset : offset + length]) is None


def test_a_bundle_streamed_by_zipfile_is_read_too() -> None:
    # A target without seek makes zipfile write sizes after the data, without the manifest's size before it.
    target = OneWay()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in plain_bundles.plain_bundle().entries().items():
            archive.writestr(name, data)
    data = bytes(target.data)
    manifest = verify(io.BytesIO(data)).manifest
    found = read_manifest_by_ranges(lambda offset, length: data[offset : offset + length])
    assert found is not None
    assert parse_manifest(found) == manifest


def test_landing_key_and_metadata_say_what_the_manifest_says(tmp_path: Path) -> None:
    manifest = write([("1", "x", None)], tmp_path / "e")
    place = parse_landing_key(landing_key(manifest))
    assert place is not None
    assert (place.source, place.dt, place.name) == ("demo", DT, manifest.batch_id)
    metadata = landing_object_metadata(manifest)
    assert metadata["content-id"] == manifest.content_id
    assert all(key.isascii() and value.isascii() for key, value in metadata.items())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(values, values, values), min_size=1, max_size=30))
def test_duckdb_reads_the_same_fields(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    folder = tmp_path_factory.mktemp("extract") / "e"
    write(rows, folder)
    found = duckdb.execute(
        "SELECT * FROM read_csv(?, header = true, all_varchar = true, quote = '\"', escape = '\"', delim = ',',"
        " new_line = '\\n', nullstr = '', null_padding = false, auto_detect = false,"
        " columns = {'movie_id': 'VARCHAR', 'title': 'VARCHAR', 'overview': 'VARCHAR'})",
        [str(folder / "csv/movies-00000.csv")],
    ).fetchall()
    assert as_csv_keeps_it(found) == as_csv_keeps_it(rows)


def test_the_verifying_side_needs_the_standard_library_alone() -> None:
    code = (
        "import sys\n"
        "import movie_platform.bundles.verify, movie_platform.bundles.read\n"
        "third_party = {'pyarrow', 'isal', 'numpy', 'pandas', 'fastjsonschema', 'pydantic', 'boto3', 'dagster'}\n"
        "print(sorted(third_party & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
