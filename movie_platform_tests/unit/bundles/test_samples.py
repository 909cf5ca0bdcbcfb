"""The files in sample_data are what their names and the manifest say."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from movie_platform.bundle_writing.compare import compare_csv_with_parquet
from movie_platform.bundle_writing.content import content_id_of
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import parse_manifest
from movie_platform.bundles.verify import verify_path
from movie_platform_tests.sample_files import BAD, BUNDLES, GOOD, SAMPLE_DATA

CSV, PARQUET = SAMPLE_DATA / "raw_movie_data.csv", SAMPLE_DATA / "movie_data.parquet"


def test_the_sample_extract_is_consistent() -> None:
    manifest = parse_manifest((SAMPLE_DATA / "manifest.json").read_bytes())
    for path, file in zip((CSV, PARQUET), manifest.files, strict=True):
        data = path.read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)
    found = compare_csv_with_parquet(CSV, PARQUET)
    assert found.agree
    assert found.csv_rows == manifest.row_count
    assert 190 <= manifest.row_count <= 210
    batches = pq.read_table(PARQUET).to_batches()
    assert manifest.content_id == content_id_of(batches, manifest.column_names, "sample", "full")


def test_the_good_sample_bundle_is_the_sample_extract() -> None:
    assert verify_path(BUNDLES / GOOD) == parse_manifest((SAMPLE_DATA / "manifest.json").read_bytes())


@pytest.mark.parametrize(
    "path", sorted(path for path in BUNDLES.glob("*.zip") if path.name != GOOD), ids=lambda path: path.name
)
def test_a_bad_sample_bundle_is_refused_with_the_code_in_its_name(path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        verify_path(path)
    assert caught.value.code.value == path.name.partition(".")[0]


def test_all_bad_samples_are_there_and_small() -> None:
    names = {path.name.split(".")[1] for path in BUNDLES.glob("*.zip") if path.name != GOOD}
    assert names == set(BAD)
    assert all(path.stat().st_size < 50_000 for path in BUNDLES.glob("*.zip") if path.name != GOOD)
