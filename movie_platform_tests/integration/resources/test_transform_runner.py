"""Running a Glue job from a step: deadlines, errors with the log's tail, re-attachment. No script starts Spark."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
import pytest

from movie_platform.assets.archive import job_run_links
from movie_platform.build import build_resources
from movie_platform.resources import transform
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.transform import TransformJob, TransformRecordError, TransformRunError
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import JobRunTypeDef

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(400)]

Define = Callable[[str], TransformJob]


@pytest.fixture
def define(provisioned_cloud: Settings) -> Iterator[Define]:
    """Makes a job of a script; it is deleted after the test."""
    glue, s3 = aws_client(provisioned_cloud, "glue"), aws_client(provisioned_cloud, "s3")
    working: TransformJob = build_resources(provisioned_cloud)["transformer"]
    names: list[str] = []

    def make(script: str) -> TransformJob:
        name = f"runner-{uuid.uuid4().hex[:8]}"
        names.append(name)
        key = f"tests/{name}.py"
        bucket = provisioned_cloud.bucket("artifacts")
        s3.put_object(Bucket=bucket, Key=key, Body=script.encode())
        glue.create_job(
            Name=name,
            Role="arn:aws:iam::000000000000:role/test",
            Command={"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/{key}", "PythonVersion": "3"},
        )
        return TransformJob(**{**working.model_dump(exclude={"aws"}), "job_name": name}, aws=working.aws)

    yield make
    for name in names:
        glue.delete_job(JobName=name)


def run_in_a_step(
    job: TransformJob, verified_uri: str, before: Callable[[], object] = lambda: None
) -> BaseException | dict[str, Any]:
    """The job run that a step got, or what it raised; the step calls `before` just before it runs the job."""
    found: list[BaseException | dict[str, Any]] = []

    @dg.asset
    def probe(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        before()
        try:
            found.append(dict(job.run(context, verified_uri)))
        except TransformRunError as error:
            found.append(error)
        return dg.MaterializeResult()

    with dg.instance_for_test() as instance:
        dg.materialize([probe], instance=instance)
    return found[0]


def test_a_run_that_succeeds_is_returned_with_links_to_it(define: Define):
    job = define("print('done')")
    found = run_in_a_step(job, "s3://x/y/_VERIFIED.json")
    assert isinstance(found, dict)
    assert found["JobRunState"] == "SUCCEEDED"
    links = job_run_links(cast("JobRunTypeDef", found), job_name=job.job_name, region=job.aws.region)
    assert found["Id"] in str(links["movie_platform/job_run"])
    assert found["Id"] in str(links["movie_platform/log_stream"])


def test_a_run_that_fails_carries_the_scripts_error_and_the_end_of_its_log(define: Define):
    script = "print('reading the films', flush=True)\nraise ValueError('the third film is upside down')"
    found = run_in_a_step(define(script), "s3://x/y/_VERIFIED.json")
    assert isinstance(found, TransformRunError)
    assert found.code == "transform_failed"
    assert "the third film is upside down" in found.message
    assert "reading the films" in found.log_tail


def test_a_run_of_the_same_batch_that_still_goes_is_waited_for(define: Define):
    job = define("import time; time.sleep(3)")
    glue = job.aws.client("glue")
    uri = "s3://x/same/_VERIFIED.json"
    started: list[str] = []

    def start() -> None:
        started.append(
            glue.start_job_run(JobName=job.job_name, Arguments={"--verified_uri": uri})["JobRunId"]
        )

    # In the step: what a step needs before it runs may take longer than the script.
    found = run_in_a_step(job, uri, before=start)
    assert isinstance(found, dict)
    assert [found["Id"]] == started
    assert len(glue.get_job_runs(JobName=job.job_name)["JobRuns"]) == 1


def test_a_run_that_does_not_end_is_stopped_at_the_deadline(define: Define, monkeypatch: pytest.MonkeyPatch):
    job = define("import time; time.sleep(600)")
    monkeypatch.setattr(transform, "DEADLINE_MARGIN_SECONDS", 3 - job.timeout_minutes * 60)
    started = time.monotonic()
    found = run_in_a_step(job, "s3://x/slow/_VERIFIED.json")
    assert isinstance(found, TransformRunError)
    assert found.state == "TIMEOUT"
    assert time.monotonic() - started < 150
    deadline = time.monotonic() + 90
    glue = job.aws.client("glue")
    while (state := glue.get_job_runs(JobName=job.job_name)["JobRuns"][0].get("JobRunState")) != "STOPPED":
        assert time.monotonic() < deadline, state
        time.sleep(0.5)


def test_a_batch_that_no_run_recorded_is_an_explained_error(provisioned_cloud: Settings):
    from datetime import date

    job: TransformJob = build_resources(provisioned_cloud)["transformer"]
    with pytest.raises(TransformRecordError) as caught:
        job.newest_record("nowhere", date(2026, 11, 18), "20261118T000000Z-000000000000")
    assert "_RUN.json" in caught.value.message
    assert caught.value.next_step
