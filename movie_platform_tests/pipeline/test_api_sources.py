"""Whole runs of sources that are APIs: from the fake API to the warehouse, every film accounted for at every hop."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.runs.pipeline import run_dates
from movie_platform.runs.result import RunReport
from movie_platform.settings import Settings
from movie_platform_tests.fakes import omdb, tmdb
from movie_platform_tests.integration.api_sources import DAY, KEY_VARIABLE, TOKEN_VARIABLE, write_profile

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.long, pytest.mark.timeout(900)]
FILMS = 25


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles")


@pytest.fixture(scope="module", autouse=True)
def credentials(clean_environment: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_VARIABLE, tmdb.TOKEN)
        patch.setenv(KEY_VARIABLE, omdb.KEY)
        yield


def run(settings: Settings, profile: Path) -> RunReport:
    [report] = run_dates(settings, [DAY], profile=str(profile), label_present=True)
    return report


def loaded(settings: Settings, source: str) -> dict[str, dict[str, object]]:
    sql = (
        "SELECT movie_id, title, runtime_minutes, primary_genre FROM RAW.MOVIES WHERE source = %s AND dt = %s"
    )
    with closing(connect(settings)) as connection:
        return {row["movie_id"]: row for row in query_rows(connection, sql, (source, DAY))}


def assert_nothing_was_lost(report: RunReport, films: int) -> None:
    assert (report.status, report.error) == ("success", None)
    # One film in 26 that was not found is more than usual, which is a warning and rightly so.
    failed = [check.name for check in report.checks if not check.passed]
    assert failed == (["quarantine_rate_is_normal"] if report.rows.rejected else [])
    assert report.rows.extracted == report.rows.bundled == report.rows.unpacked == films
    assert report.rows.transformed == films


def test_tmdb_reaches_the_warehouse(provisioned_cloud: Settings, folder: Path) -> None:
    with tmdb.FakeTmdb(tmdb.films(FILMS)) as fake:
        report = run(provisioned_cloud, write_profile(folder, "tmdb", fake.base_url))
    assert_nothing_was_lost(report, FILMS)
    films = loaded(provisioned_cloud, "tmdb-films")
    assert len(films) == FILMS
    assert films["7"]["title"] == "Film 7"
    assert films["7"]["primary_genre"] == "Drama"


def test_omdb_reaches_the_warehouse_with_what_was_not_found_beside_it(
    provisioned_cloud: Settings, folder: Path
) -> None:
    (folder / "ids.txt").write_text("".join(f"tt{number:07d}\n" for number in range(1, FILMS + 2)), "utf-8")
    with omdb.FakeOmdb(omdb.films(FILMS)) as fake:
        profile = write_profile(folder, "omdb", fake.base_url, ids="ids.txt", load_type="delta")
        report = run(provisioned_cloud, profile)
    assert_nothing_was_lost(report, FILMS)
    assert report.rows.rejected == 1
    assert report.quarantine == {"not_found_at_source": 1}
    films = loaded(provisioned_cloud, "omdb-films")
    assert len(films) == FILMS
    assert films["tt0000007"]["title"] == "Film 7"
