"""Where an extract begins follows from what landed for earlier dates, and from nothing else."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from movie_platform.build import build_resources
from movie_platform.bundle_writing.landing_object import landing_key
from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundle_writing.zipping import write_zip
from movie_platform.bundles.manifest import SourceInfo
from movie_platform.bundles.read import FolderReader
from movie_platform.contracts.locations import quarantine_prefix
from movie_platform.raw_rows import RowBatch
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.settings import Settings

DAY = date(2026, 11, 18)
Land = Callable[..., str]

pytestmark = pytest.mark.cloud


@pytest.fixture
def landing(provisioned_cloud: Settings) -> LandingZone:
    return build_resources(provisioned_cloud)["landing"]


@pytest.fixture
def land(landing: LandingZone, tmp_path: Path) -> Land:
    def landed(source: str, dt: date, cursor: str | None, *, hour: int = 6) -> str:
        info = SourceInfo(source, "sql", {}, cursor)
        rows = pa.RecordBatch.from_pydict({"movie_id": ["1"], "title": [f"{cursor} {hour}"]})
        manifest = write_extract(
            [RowBatch(rows)],
            tmp_path / "extract",
            dt=dt,
            source=info,
            load_type="delta",
            extracted_at=datetime(2026, 11, 18, hour, tzinfo=UTC),
        )
        key = landing_key(manifest)
        with landing.writer(key) as stream:
            write_zip(FolderReader(tmp_path / "extract"), stream)
        return key

    return landed


def test_an_extract_begins_where_that_of_the_latest_earlier_date_ended(
    landing: LandingZone, land: Land
) -> None:
    assert landing.cursor_before("begins", DAY) is None
    land("begins", DAY - timedelta(days=400), "old")
    land("begins", DAY - timedelta(days=3), "three")
    land("begins", DAY, "this day")
    land("begins", DAY + timedelta(days=1), "next day")
    land("begins-not", DAY - timedelta(days=1), "of another source")
    assert landing.cursor_before("begins", DAY) == "three"
    assert landing.cursor_before("begins", DAY + timedelta(days=1)) == "this day"
    assert landing.cursor_before("begins", DAY - timedelta(days=3)) == "old"


def test_of_several_bundles_of_a_date_the_winner_counts(landing: LandingZone, land: Land) -> None:
    land("wins", DAY, "second", hour=9)
    land("wins", DAY, "first", hour=8)
    assert landing.cursor_before("wins", DAY + timedelta(days=2)) == "second"


def test_a_quarantined_bundle_moves_nothing(
    landing: LandingZone, land: Land, provisioned_cloud: Settings
) -> None:
    land("refused", DAY, "good")
    key = land("refused", DAY + timedelta(days=1), "refused")
    bundle = landing.describe(key)
    s3 = landing.aws.client("s3")
    s3.put_object(
        Bucket=provisioned_cloud.bucket("processed"),
        Key=f"{quarantine_prefix(key, bundle.etag)}reason.json",
        Body=b'{"code": "not_a_zip"}',
    )
    assert landing.cursor_before("refused", DAY + timedelta(days=2)) == "good"


def test_a_bundle_that_says_nothing_of_its_end_means_beginning_anew(landing: LandingZone, land: Land) -> None:
    land("anew", DAY, "cursor")
    land("anew", DAY + timedelta(days=1), None)
    assert landing.cursor_before("anew", DAY + timedelta(days=2)) is None


def test_folders_that_are_no_dates_are_passed_over(landing: LandingZone, land: Land) -> None:
    land("stray", DAY, "cursor")
    landing.aws.client("s3").put_object(
        Bucket=landing.bucket, Key="movies/source=stray/dt=soon/note.txt", Body=b"x"
    )
    assert landing.dates_before("stray", DAY + timedelta(days=1)) == [DAY]
