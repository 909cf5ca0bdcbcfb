"""Runs in this process: recorded as a code server's would be, and never left looking alive."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import psutil
import pytest

from movie_platform.automation.run_owner import fail_orphaned_runs, owner_tags, run_is_orphaned
from movie_platform.graph import tag_names
from movie_platform.process_identity import ProcessIdentity
from movie_platform.runs.execute import execute_job
from movie_platform.runs.instance import dagster_home, open_instance, prepare_dagster_home
from movie_platform.runs.records import report_of_run

PARTITIONS = dg.DailyPartitionsDefinition("2026-11-01", end_date="2026-11-21")
DAY = "2026-11-18"


class Config(dg.Config):
    fail: bool = False


@dg.asset(partitions_def=PARTITIONS, key=["extract", "raw_extract"])
def raw_extract(context: dg.AssetExecutionContext, config: Config) -> dg.MaterializeResult:
    context.instance.add_run_tags(context.run.run_id, {tag_names.SOURCE: "demo"})
    if config.fail:
        raise dg.Failure("there is no film", metadata={"code": "source_not_found"}, allow_retries=False)
    return dg.MaterializeResult(metadata={"movie_platform/rows_out": 3})


@dg.asset_check(asset=raw_extract)
def is_there() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


JOB = "carry_day"
DEFINITIONS = dg.Definitions(
    assets=[raw_extract],
    asset_checks=[is_there],
    jobs=[dg.define_asset_job(JOB)],
    executor=dg.in_process_executor,
)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance(tmp_path) as opened:
        yield opened


def run_day(instance: dg.DagsterInstance, *, fail: bool = False) -> dg.DagsterRun:
    config = {
        "ops": {"extract__raw_extract": {"config": {"fail": fail}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    job = DEFINITIONS.resolve_job_def(JOB)
    return execute_job(job, instance, partition_key=DAY, run_config=config, tags={"who": "test"})


def test_a_run_is_recorded_with_its_job_its_partition_and_its_code_location(
    instance: dg.DagsterInstance,
) -> None:
    run = run_day(instance)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert (run.job_name, run.tags["dagster/partition"], run.tags["who"]) == (JOB, DAY, "test")
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.repository_origin.get_label() == "__repository__@movie_platform"
    assert instance.get_materialized_partitions(dg.AssetKey(["extract", "raw_extract"])) == {DAY}


def test_a_run_is_read_back_as_a_report(instance: dg.DagsterInstance) -> None:
    report = report_of_run(instance, run_day(instance), date(2026, 11, 18))
    assert (report.status, report.source, report.rows.extracted) == ("success", "demo", 3)
    assert [(check.name, check.asset, check.passed) for check in report.checks] == [
        ("is_there", "extract/raw_extract", True)
    ]


def test_a_failed_run_reports_the_code_and_the_sentence_of_its_failure(instance: dg.DagsterInstance) -> None:
    report = report_of_run(instance, run_day(instance, fail=True), date(2026, 11, 18))
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.code == "source_not_found"
    assert report.error.message == "extract__raw_extract: there is no film"


def test_a_run_tagged_as_quarantined_is_reported_so(instance: dg.DagsterInstance) -> None:
    run = run_day(instance, fail=True)
    instance.add_run_tags(run.run_id, {tag_names.OUTCOME: tag_names.OUTCOME_QUARANTINED})
    tagged = instance.get_run_by_id(run.run_id)
    assert tagged is not None
    assert report_of_run(instance, tagged, date(2026, 11, 18)).status == "quarantined"


def owner_as_now(host: str, pid: int) -> str:
    identity = ProcessIdentity.of(pid)
    assert identity is not None
    return str(replace(identity, host=host))


def owner_as_by_earlier_versions(host: str, pid: int) -> str:
    return f"{host}:{pid}:{int(psutil.Process(pid).create_time())}"


@pytest.mark.parametrize("written", [owner_as_now, owner_as_by_earlier_versions])
def test_a_run_whose_process_was_killed_is_marked_as_failed(
    instance: dg.DagsterInstance, written: Callable[[str, int], str]
) -> None:
    job = DEFINITIONS.resolve_job_def(JOB)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host, _, _ = owner_tags()[tag_names.RUN_OWNER].partition(":")
    owner = written(host, child.pid)
    killed = instance.create_run_for_job(
        job, tags={tag_names.RUN_OWNER: owner}, status=dg.DagsterRunStatus.STARTED
    )
    mine = instance.create_run_for_job(job, tags=owner_tags(), status=dg.DagsterRunStatus.STARTED)
    assert fail_orphaned_runs(instance) == []
    child.kill()
    child.wait()
    assert fail_orphaned_runs(instance) == [killed.run_id]
    status = {run.run_id: run.status for run in instance.get_runs()}
    assert status == {killed.run_id: dg.DagsterRunStatus.FAILURE, mine.run_id: dg.DagsterRunStatus.STARTED}


@pytest.mark.parametrize("text", ["", "host", "host:1", "host:x:1", ":1:1", "host:1:-1", "elsewhere:1:0"])
def test_a_run_whose_tag_names_no_process_of_this_host_is_not_judged(text: str) -> None:
    assert not run_is_orphaned({tag_names.RUN_OWNER: text})


def test_a_run_of_a_code_server_that_is_gone_is_orphaned(tmp_path: Path) -> None:
    gone = tmp_path / "gone.sock"
    assert run_is_orphaned({".dagster/grpc_info": f'{{"host": "localhost", "socket": "{gone}"}}'})
    assert not run_is_orphaned({".dagster/grpc_info": '{"host": "elsewhere.example", "port": 1}'})


def test_what_somebody_changed_in_a_dagster_home_stays(tmp_path: Path) -> None:
    prepare_dagster_home(tmp_path)
    file = dagster_home(tmp_path) / "dagster.yaml"
    assert "telemetry" in file.read_text()
    file.write_text("telemetry:\n  enabled: false\n# mine\n")
    prepare_dagster_home(tmp_path)
    assert "# mine" in file.read_text()


def test_the_instance_needs_no_environment_variable(tmp_path: Path) -> None:
    assert "DAGSTER_HOME" not in os.environ or Path(os.environ["DAGSTER_HOME"]) != dagster_home(tmp_path)
    with open_instance(tmp_path) as opened:
        assert opened.is_persistent
        assert opened.telemetry_enabled is False
    assert (dagster_home(tmp_path) / "storage").is_dir() or any(dagster_home(tmp_path).rglob("*.db"))
