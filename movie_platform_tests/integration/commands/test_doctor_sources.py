"""The doctor asks API sources one question, and tells a wrong key from a host that does not answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform_tests.fakes.omdb import KEY, FakeOmdb, Film
from movie_platform_tests.fakes.server import Fault, as_web_page
from movie_platform_tests.fakes.tmdb import TOKEN, FakeTmdb
from movie_platform_tests.integration.api_sources import KEY_VARIABLE, TOKEN_VARIABLE, write_profile

ANY_FILM = Film("tt0111161", "The Shawshank Redemption", "1994")


def diagnosed(folder: Path, profile: Path) -> tuple[dict[str, Any], int]:
    """The doctor's finding on the source, and its exit code."""
    result = CliRunner().invoke(
        app, ["doctor", "--home", str(folder / "home"), "--profile", str(profile), "--json"]
    )
    [check] = [check for check in json.loads(result.stdout)["checks"] if check["name"].startswith("source ")]
    assert KEY not in result.output
    assert TOKEN not in result.output
    return check, result.exit_code


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setenv(KEY_VARIABLE, KEY)


def test_a_source_that_answers_is_well(tmp_path: Path) -> None:
    with FakeTmdb() as fake:
        check, _ = diagnosed(tmp_path, write_profile(tmp_path, "tmdb", fake.base_url))
    assert check["state"] == "ok"
    with FakeOmdb([ANY_FILM]) as fake:
        check, _ = diagnosed(tmp_path, write_profile(tmp_path, "omdb", fake.base_url, ids="ids.txt"))
    assert check["state"] == "ok"
    assert "1 of 1000 requests of today" in check["found"]


def test_a_wrong_key_and_an_unreachable_host_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "wrong")
    monkeypatch.setenv(KEY_VARIABLE, "wrong")
    with FakeTmdb() as tmdb, FakeOmdb([ANY_FILM]) as omdb:
        profiles = (
            write_profile(tmp_path, "tmdb", tmdb.base_url),
            write_profile(tmp_path, "omdb", omdb.base_url, ids="ids.txt"),
        )
        refused = [diagnosed(tmp_path, profile) for profile in profiles]
    unreachable = [diagnosed(tmp_path, profile) for profile in profiles]
    for check, code in refused:
        assert (check["state"], code) == ("fault", 1)
        assert check["found"].startswith("credentials: ")
        assert "refuses the credentials" in check["advice"]
    for check, code in unreachable:
        assert (check["state"], code) == ("fault", 1)
        assert check["found"].startswith("unreachable: ")
        assert "base_url" in check["advice"]


def test_other_faults_have_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOmdb([ANY_FILM], quota=0) as fake:
        check, _ = diagnosed(tmp_path, write_profile(tmp_path, "omdb", fake.base_url, ids="ids.txt"))
    assert (check["state"], check["found"].split(":")[0]) == ("warning", "quota")
    with FakeTmdb() as fake:
        fake.faults = [Fault(as_web_page, times=99)]
        profile = write_profile(tmp_path, "tmdb", fake.base_url)
        check, _ = diagnosed(tmp_path, profile)
    assert (check["state"], check["found"].split(":")[0]) == ("fault", "other")
    monkeypatch.delenv(TOKEN_VARIABLE)
    check, _ = diagnosed(tmp_path, profile)
    assert check["found"].startswith(f"credentials: the environment variable '{TOKEN_VARIABLE}'")
    profile.write_text("[source]\n", "utf-8")
    check, code = diagnosed(tmp_path, profile)
    assert (check["found"].split(":")[0], code) == ("profile", 1)


def test_built_in_apis_are_asked_where_their_key_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "movie_platform.sources.tmdb.source.TmdbSource.probe",
        lambda source: asked.append("tmdb") or "answers",
    )
    monkeypatch.delenv("OMDB_API_KEY", raising=False)
    monkeypatch.setenv("TMDB_ACCESS_TOKEN", TOKEN)
    result = CliRunner().invoke(app, ["doctor", "--home", str(tmp_path / "home"), "--json"])
    names = [check["name"] for check in json.loads(result.stdout)["checks"]]
    assert asked == ["tmdb"]
    assert [name for name in names if name.startswith("source ")] == ["source tmdb"]
