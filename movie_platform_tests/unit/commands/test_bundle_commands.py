"""The commands of the bundle format: make one from files, verify it, show it; no cloud is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from movie_platform.cli import app

PROFILE = """\
[source]
name = "cinema"
kind = "files"
path = "films.csv"
key = ["id"]

[columns]
title = "name"
year = "released"
"""
FILMS = "id,name,released\n1,Amélie,2001\n2,1776,1972\n3,ragged,1999,x,y\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cinema.toml").write_text(PROFILE, "utf-8")
    (tmp_path / "films.csv").write_text(FILMS, "utf-8")
    return tmp_path


def invoke(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["--home", str(folder / "home"), "bundle", *arguments])


def make(folder: Path, *arguments: str) -> Path:
    out = folder / "out.zip"
    options = ["--profile", str(folder / "cinema.toml"), "--date", "2026-11-18", "--out", str(out)]
    result = invoke(folder, "make", *options, *arguments)
    assert result.exit_code == 0, result.output
    return out


def test_a_bundle_that_was_made_is_good_and_shows_its_manifest(folder: Path) -> None:
    bundle = make(folder)
    verified = invoke(folder, "verify", str(bundle), "--json")
    assert verified.exit_code == 0
    verdict = json.loads(verified.stdout)
    assert (verdict["status"], verdict["reason"]) == ("good", None)
    shown = json.loads(invoke(folder, "show", str(bundle)).stdout)
    assert shown == verdict["manifest"]
    assert (shown["source"]["name"], shown["dt"], shown["row_count"], shown["rejected_count"]) == (
        *("cinema", "2026-11-18"),
        *(2, 1),
    )


def test_nothing_but_the_bundle_is_left_behind(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    make(folder)
    assert {path.name for path in folder.iterdir()} - before == {"out.zip"}


def test_a_bundle_of_another_date_or_source_than_expected_is_bad(folder: Path) -> None:
    bundle = make(folder)
    for arguments, code in (
        (["--date", "2026-11-19"], "partition_mismatch"),
        (["--source", "other"], "source_mismatch"),
    ):
        result = invoke(folder, "verify", str(bundle), *arguments)
        assert result.exit_code == 1
        assert f"[{code}]" in result.stderr


def test_a_bad_bundle_ends_with_1_and_its_reason(folder: Path) -> None:
    bundle = make(folder)
    damaged = folder / "damaged.zip"
    damaged.write_bytes(bundle.read_bytes()[:-30])
    result = invoke(folder, "verify", str(damaged), "--json")
    assert result.exit_code == 1
    verdict = json.loads(result.stdout)
    assert verdict["status"] == "bad"
    assert set(verdict["reason"]) == {"code", "message", "entry"}
    plain = invoke(folder, "verify", str(damaged))
    assert plain.exit_code == 1
    assert f"[{verdict['reason']['code']}]" in plain.stderr
    assert invoke(folder, "show", str(damaged)).exit_code == 1


def test_a_profile_that_is_not_there_is_wrong_usage_with_the_nearest_name(folder: Path) -> None:
    options = ["--date", "2026-11-18", "--out", str(folder / "x.zip")]
    result = invoke(folder, "make", "--profile", "demmo", *options)
    assert result.exit_code == 2
    assert "demo" in result.stderr
    assert not (folder / "x.zip").exists()


def test_a_folder_that_is_not_there_is_wrong_usage(folder: Path) -> None:
    options = ["--profile", str(folder / "cinema.toml"), "--date", "2026-11-18"]
    result = invoke(folder, "make", *options, "--out", str(folder / "no" / "x.zip"))
    assert result.exit_code == 2
    assert "no_such_folder" in result.stderr
