"""A whole run in an account whose defaults are hostile: the pipes, the tasks and the platform's own sessions."""

import json
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.settings import Settings
from movie_platform_tests.hostile_account import hostile_account
from movie_platform_tests.plain_bundles import EXTRACTED_AT, plain_bundle

# Not the source of other tests' bundles.
SOURCE, DT = "by-a-hostile-hand", "2026-11-18"

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(900)]


def test_a_bundle_reaches_the_marts_with_the_times_and_days_that_it_was_written_with(
    provisioned_cloud: Settings, tmp_path: Path
) -> None:
    settings = provisioned_cloud
    bundle = plain_bundle(source=SOURCE, dt=DT)
    path, result = tmp_path / "bundle.zip", tmp_path / "result.json"
    path.write_bytes(bundle.zipped())
    with closing(connect(settings, login="administrator")) as administrator, hostile_account(administrator):
        done = CliRunner().invoke(
            app,
            [
                *("--home", str(settings.home), "land", str(path), "--source", SOURCE),
                *("--date", DT, "--wait", "--json", str(result)),
            ],
        )
        assert done.exit_code == 0, done.output
        with closing(connect(settings)) as connection:
            [batch] = query_rows(connection, "SELECT * FROM RAW.BATCHES WHERE source = %s", (SOURCE,))
            [core] = query_rows(
                connection,
                "SELECT MIN(valid_from) AS since, COUNT(*) AS films FROM CORE.DIM_MOVIE WHERE source = %s",
                (SOURCE,),
            )
            [mart] = query_rows(
                connection,
                "SELECT COUNT(*) AS films, MAX(current_since) AS since FROM MARTS.CURRENT_MOVIES WHERE source = %s",
                (SOURCE,),
            )
    assert json.loads(result.read_text("utf-8"))["status"] == "success"
    written = datetime.fromisoformat(EXTRACTED_AT).astimezone(UTC).replace(tzinfo=None)
    assert batch["extracted_at"] == written
    assert abs(datetime.now(UTC).replace(tzinfo=None) - batch["transformed_at"]) < timedelta(minutes=15)
    assert (core["since"], core["films"]) == (date.fromisoformat(DT), 4)
    assert (mart["films"], mart["since"]) == (4, date.fromisoformat(DT))
