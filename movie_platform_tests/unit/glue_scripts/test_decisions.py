"""What a run of the transform decides before it starts Spark: arguments, earlier runs, identity."""

import sys
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import glue_scripts
from glue_scripts.arguments import read_arguments
from glue_scripts.history import Unchanged, Write, decide, next_announcement
from glue_scripts.identity import transform_id
from glue_scripts.job_errors import ArgumentError

REQUIRED = ["job.py", "--verified_uri", "s3://processed/a/_VERIFIED.json", "--output_uri", "s3://archive"]
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
BATCHES = "batches/source=s/dt=2026-11-18/version=v/batches-v-{:05d}.parquet"


def record(transform: str, at: datetime, **files: int) -> dict[str, Any]:
    return {
        "transform_id": transform,
        "transformed_at": at.isoformat(timespec="microseconds"),
        "tables": {"movies": {"files": [{"key": key, "bytes": size} for key, size in files.items()]}},
    }


def test_arguments_are_read_without_glue() -> None:
    given = read_arguments(
        [*REQUIRED, "--JOB_RUN_ID", "jr_1", "--write_csv", "true", "--TempDir", "x", "--unknown"]
    )
    assert (given.output_bucket, given.write_csv, given.job_run_id, given.catalog_database) == (
        "archive",
        True,
        "jr_1",
        None,
    )


def test_arguments_are_read_with_glues_own_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_resolved_options(argv: list[str], options: list[str]) -> dict[str, str]:
        # As on Glue: a name that is not given is an error, and so is a name that Glue adds by itself.
        values = dict(zip(argv[1::2], argv[2::2], strict=True))
        if "JOB_RUN_ID" in options or any(f"--{name}" not in values for name in options):
            raise SystemExit(2)
        return {
            **{name: values[f"--{name}"] for name in options},
            "JOB_RUN_ID": values.get("--JOB_RUN_ID", ""),
        }

    utils = types.ModuleType("awsglue.utils")
    utils.__dict__["getResolvedOptions"] = get_resolved_options
    monkeypatch.setitem(sys.modules, "awsglue", types.ModuleType("awsglue"))
    monkeypatch.setitem(sys.modules, "awsglue.utils", utils)
    given = read_arguments([*REQUIRED, "--JOB_NAME", "transform", "--JOB_RUN_ID", "jr_1"])
    assert (given.verified_uri, given.job_run_id, given.write_csv) == (REQUIRED[2], "jr_1", False)


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (REQUIRED[:3], "--output_uri"),
        ([*REQUIRED[:4], "s3://archive/prefix"], "without a prefix"),
        ([*REQUIRED[:4], "/tmp/archive"], "s3://"),
        ([*REQUIRED, "--write_csv", "perhaps"], "true or false"),
    ],
)
def test_a_bad_argument_is_named(argv: list[str], problem: str) -> None:
    with pytest.raises(ArgumentError, match=problem):
        read_arguments(argv)


def test_a_first_run_announces_as_number_zero() -> None:
    assert decide([], "t", {}, NOW) == Write(0, NOW)


def test_the_newest_version_with_all_its_files_is_left_alone() -> None:
    newest = record("t", NOW, a=1, b=2)
    older = record("u", NOW - timedelta(days=1), c=3)
    assert decide([older, newest], "t", {"a": 1, "b": 2}, NOW) == Unchanged(newest)


@pytest.mark.parametrize("existing", [{"a": 1}, {"a": 1, "b": 3}, {}])
def test_a_version_with_a_lost_or_changed_file_is_written_again(existing: dict[str, int]) -> None:
    decision = decide(
        [record("t", NOW, a=1, b=2)], "t", {**existing, BATCHES.format(0): 9}, NOW + timedelta(1)
    )
    assert decision == Write(1, NOW + timedelta(1))


def test_a_version_that_another_one_followed_is_announced_again() -> None:
    records = [record("t", NOW, a=1), record("u", NOW + timedelta(hours=1), b=1)]
    later = NOW + timedelta(days=1)
    assert decide(records, "t", {"a": 1, BATCHES.format(0): 9}, later) == Write(1, later)


def test_a_clock_that_lags_does_not_make_a_run_the_older_one() -> None:
    decision = decide([record("u", NOW)], "t", {}, NOW - timedelta(hours=1))
    assert decision == Write(0, NOW + timedelta(microseconds=1))


def test_announcements_are_numbered_on_from_the_greatest() -> None:
    assert (
        next_announcement({BATCHES.format(0): 1, BATCHES.format(11): 1, "movies/movies-v-00099.parquet": 1})
        == 12
    )


def test_the_identity_depends_on_code_and_options_only(tmp_path: Path) -> None:
    entry = Path(glue_scripts.__file__).with_name("transform_movies.py")
    moved = tmp_path / "elsewhere.py"
    moved.write_bytes(entry.read_bytes().replace(b"\n", b"\r\n"))
    edited = tmp_path / "edited.py"
    edited.write_bytes(entry.read_bytes() + b"# another comment\n")
    same = transform_id(entry, {"write_csv": False})
    assert transform_id(moved, {"write_csv": False}) == same
    assert transform_id(entry, {"write_csv": True}) != same
    assert transform_id(edited, {"write_csv": False}) != same
