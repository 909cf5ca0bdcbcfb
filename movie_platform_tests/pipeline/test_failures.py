"""What fails half way stops what is downstream, says why, and leaves nothing that the next run cannot finish."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from movie_platform.build import build_defs, build_resources
from movie_platform.contracts.tables import MOVIES
from movie_platform.graph import asset_keys
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.resources.transform import TransformJob
from movie_platform.runs.pipeline import run_dates
from movie_platform.settings import Settings

COMMAND = str(Path(sys.executable).with_name("movie-platform"))
FILMS = "movie_id,imdb_id,title,year,runtime\n1,tt0000001,One,1990,90 min\n2,tt0000002,Two,1991,1h 31m\n"

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(1200)]


def write_profile(folder: Path, name: str, films: str = FILMS) -> Path:
    """A source of a few films, as a person would describe it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text(films, "utf-8")
    profile = folder / f"{name}.toml"
    profile.write_text(
        f'[source]\nkind = "files"\npath = "{name}.csv"\nformat = "csv"\nkey = ["movie_id"]\n'
        '[columns]\nimdb_id = "imdb_id"\ntitle = "title"\nyear = "year"\nruntime = "runtime"\n',
        "utf-8",
    )
    return profile


def loaded_films(settings: Settings, source: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as connection:
        found = query_rows(
            connection, "SELECT dt, movie_id, title FROM RAW.MOVIES WHERE source = %s", (source,)
        )
        return sorted(tuple(row.values()) for row in found)


@pytest.fixture
def raising_job(provisioned_cloud: Settings) -> Iterator[str]:
    """A Glue job whose script raises."""
    glue, s3 = aws_client(provisioned_cloud, "glue"), aws_client(provisioned_cloud, "s3")
    bucket, name = provisioned_cloud.bucket("artifacts"), "raises"
    s3.put_object(
        Bucket=bucket, Key="tests/raises.py", Body=b"raise ValueError('the films are upside down')\n"
    )
    glue.create_job(
        Name=name,
        Role="arn:aws:iam::000000000000:role/test",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/tests/raises.py", "PythonVersion": "3"},
        GlueVersion="5.1",
        DefaultArguments={"--output_uri": f"s3://{provisioned_cloud.bucket('archive')}"},
    )
    yield name
    glue.delete_job(JobName=name)


def test_a_script_that_raises_fails_the_run_with_its_own_error_and_stops_what_is_downstream(
    provisioned_cloud: Settings, raising_job: str, tmp_path: Path
):
    profile = write_profile(tmp_path, "upside-down")
    working = build_resources(provisioned_cloud)["transformer"]
    broken = TransformJob(**{**working.model_dump(exclude={"aws"}), "job_name": raising_job}, aws=working.aws)
    job = build_defs(provisioned_cloud, resource_overrides={"transformer": broken}).resolve_job_def(
        "materialize_day"
    )
    config = {"ops": {"extract__raw_extract": {"config": {"profile": str(profile)}}}}
    with dg.instance_for_test() as instance:
        result = job.execute_in_process(
            instance=instance, partition_key="2026-11-18", run_config=config, raise_on_error=False
        )
        assert not result.success
        failure = result.failure_data_for_node("archive_tables")
        assert failure is not None
        assert failure.user_failure_data is not None
        assert "the films are upside down" in str(failure.user_failure_data.description)
        materialized = {event.asset_key for event in result.get_asset_materialization_events()}
        assert asset_keys.UNZIPPED_FILES in materialized
        assert asset_keys.warehouse_key(MOVIES) not in materialized
        retried = [event for event in result.all_events if event.event_type_value == "STEP_RESTARTED"]
        assert retried == [], "a script that raises is not tried again: it would raise again"
    assert loaded_films(provisioned_cloud, "upside-down") == []
    [again] = run_dates(provisioned_cloud, [date(2026, 11, 18)], profile=str(profile))
    assert (again.status, again.error) == ("success", None)
    assert [row[1:] for row in loaded_films(provisioned_cloud, "upside-down")] == [("1", "One"), ("2", "Two")]


def test_a_run_that_is_killed_during_the_transform_is_finished_by_the_next_without_a_second_job_run(
    provisioned_cloud: Settings, tmp_path: Path
):
    profile = write_profile(tmp_path, "killed")
    command = [
        COMMAND,
        *("--home", str(provisioned_cloud.home), "run", "--date", "2026-11-18", "--profile", str(profile)),
    ]
    glue = aws_client(provisioned_cloud, "glue")

    def runs_about() -> list[Any]:
        runs = glue.get_job_runs(JobName=provisioned_cloud.glue_job_name, MaxResults=100)["JobRuns"]
        return [
            run for run in runs if "source=killed/" in str(run.get("Arguments", {}).get("--verified_uri"))
        ]

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not any(run.get("JobRunState") == "RUNNING" for run in runs_about()):
            assert process.poll() is None, "the run ended before its transform began"
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    [*later, first] = runs_about()
    assert {run.get("JobRunState") for run in (*later, first)} == {"SUCCEEDED"}
    # The job run goes on by itself: only where it was over already when the second command came to it, that one may
    # have started another.
    assert len(later) <= 1
    assert all(run["StartedOn"] >= first["CompletedOn"] for run in later)
    assert [row[1:] for row in loaded_films(provisioned_cloud, "killed")] == [("1", "One"), ("2", "Two")]


def test_two_sources_of_one_day_do_not_touch_each_other(provisioned_cloud: Settings, tmp_path: Path):
    first = write_profile(tmp_path, "left")
    second = write_profile(tmp_path, "right", FILMS.replace("One", "Other"))
    for profile in (first, second):
        [report] = run_dates(provisioned_cloud, [date(2026, 11, 19)], profile=str(profile))
        assert (report.status, report.error) == ("success", None)
    assert [row[1:] for row in loaded_films(provisioned_cloud, "left")] == [("1", "One"), ("2", "Two")]
    assert [row[1:] for row in loaded_films(provisioned_cloud, "right")] == [("1", "Other"), ("2", "Two")]


def test_what_a_reader_rejects_and_what_breaks_a_rule_reaches_quarantine_and_nothing_is_lost(
    provisioned_cloud: Settings, tmp_path: Path
):
    films = FILMS + "3,tt0000003,Three,1992,90,too,many\n4,,,1993,1\n5,,1776,3000,1\n6,,1776,1972,168\n"
    profile = write_profile(tmp_path, "hostile", films)
    [report] = run_dates(provisioned_cloud, [date(2026, 11, 20)], profile=str(profile))
    assert (report.status, report.error) == ("success", None)
    assert report.quarantine == {"ragged_row": 1, "missing_title": 1, "impossible_year": 1}
    assert report.rows.extracted + report.rows.rejected == 6
    assert report.rows.transformed + report.rows.quarantined == 6
    assert [row[1:] for row in loaded_films(provisioned_cloud, "hostile")] == [
        ("1", "One"),
        ("2", "Two"),
        ("6", "1776"),
    ]
    with closing(connect(provisioned_cloud)) as connection:
        rejected = list(
            query_rows(
                connection,
                "SELECT line_number, raw_row FROM OPS.QUARANTINED_ROWS WHERE source = %s AND rule_code = %s",
                ("hostile", "ragged_row"),
            )
        )
    assert rejected == [{"line_number": 4, "raw_row": "3,tt0000003,Three,1992,90,too,many"}]
