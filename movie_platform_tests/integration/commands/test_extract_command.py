"""`movie-platform extract`: what an orchestrator reads from it, the second time and when it fails too."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings

DAY = "2026-11-18"
FILMS = "movie_id,title\n1,One\n2,Two\n"

pytestmark = pytest.mark.cloud


def write_profile(folder: Path, films: str = FILMS, name: str = "handed-over") -> Path:
    (folder / "films.csv").write_text(films, "utf-8")
    profile = folder / f"{name}.toml"
    profile.write_text(
        '[source]\nkind = "files"\npath = "films.csv"\nformat = "csv"\nkey = ["movie_id"]\n'
        '[columns]\ntitle = "title"\n',
        "utf-8",
    )
    return profile


def extract(settings: Settings, profile: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and the last line of stdout as JSON."""
    done = CliRunner().invoke(
        app,
        ["--home", str(settings.home), "extract", "--date", DAY, "--profile", str(profile), "--json", *more],
    )
    return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])


def test_a_day_is_landed_once_and_the_report_says_where(provisioned_cloud: Settings, tmp_path: Path):
    profile = write_profile(tmp_path)
    code, report = extract(provisioned_cloud, profile)
    assert (code, report["status"], report["rows"], report["unchanged"]) == (0, "success", 2, False)
    assert report["key"] == f"movies/source=handed-over/dt={DAY}/{report['batch_id']}.zip"
    head = aws_client(provisioned_cloud, "s3").head_object(Bucket=report["bucket"], Key=report["key"])
    assert head["ETag"].strip('"') == report["etag"]
    assert head["ContentLength"] == report["bytes"]
    code, again = extract(provisioned_cloud, profile)
    assert (code, again["unchanged"], again["key"]) == (0, True, report["key"])


def test_an_extract_that_fails_says_why_on_the_last_line_and_is_not_tried_again(
    provisioned_cloud: Settings, tmp_path: Path
):
    profile = write_profile(tmp_path, name="nothing-there")
    (tmp_path / "films.csv").unlink()
    code, report = extract(provisioned_cloud, profile, "--no-retry")
    assert (code, report["status"], report["key"]) == (1, "failed", None)
    assert report["error"]["code"]
    assert date.fromisoformat(report["date"]) == date(2026, 11, 18)
