"""Job runs through Glue's API: their states, output, logs and definitions. Most scripts here never start
Spark.
"""

import io
import json
import os
import signal
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.exceptions
import psutil
import pytest
import urllib3
from botocore.config import Config

from movie_platform.local_cloud import supervisor
from movie_platform.local_cloud.glue import records
from movie_platform.local_cloud.glue.__main__ import make_runner
from movie_platform.local_cloud.glue.run_store import RunStore
from movie_platform.local_cloud.glue.states import RunState
from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.services import AWS, GLUE, client_environment
from movie_platform.process_identity import ProcessIdentity
from movie_platform.settings import Settings

pytestmark = pytest.mark.cloud

SERVERS = (AWS, GLUE)
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR")

# Where a plain script finds the folder that stands for a bucket, as Spark does.
FOLDER_OF = """
import os, pathlib, sys, urllib.parse
def folder_of(bucket):
    name = f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback "
    for line in (pathlib.Path(os.environ["SPARK_CONF_DIR"]) / "spark-defaults.conf").read_text().splitlines():
        if line.startswith(name):
            return pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(line.removeprefix(name)).path))
    raise LookupError(bucket)
def write(bucket, key, text):
    path = folder_of(bucket) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
"""
# Waits with a helper in another process group, as Spark's Python daemon is; tells their process ids through
# S3.
WAITING = """
import boto3, os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import os, time; os.setpgid(0, 0); time.sleep(120)"])
key = sys.argv[sys.argv.index("--JOB_RUN_ID") + 1]
boto3.client("s3").put_object(Bucket="glue-input", Key="pids/" + key, Body=f"{os.getpid()} {child.pid}".encode())
time.sleep(120)
"""


@dataclass(frozen=True)
class Cloud:
    home: Path

    def client(self, name: Any) -> Any:
        settings = Settings(home=self.home)
        assert settings.aws_secret_access_key is not None
        return boto3.client(
            name,
            endpoint_url=settings.aws_glue_endpoint_url if name == "glue" else settings.aws_endpoint_url,
            region_name=settings.aws_region,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
            config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}),
        )

    def define(self, name: str, script: str, **definition: Any) -> None:
        self.client("s3").put_object(Bucket="glue-artifacts", Key=f"{name}.py", Body=script.encode())
        command = {
            "Name": "glueetl",
            "ScriptLocation": f"s3://glue-artifacts/{name}.py",
            "PythonVersion": "3",
        }
        self.client("glue").create_job(
            **{"Name": name, "Role": "role", "GlueVersion": "5.1", "Command": command, **definition}
        )

    def start(self, name: str, **request: Any) -> str:
        return str(self.client("glue").start_job_run(JobName=name, **request)["JobRunId"])

    def run(self, name: str, run_id: str) -> dict[str, Any]:
        return dict(self.client("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"])

    def wait(self, name: str, run_id: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        glue = self.client("glue")
        deadline = time.monotonic() + seconds
        while True:
            run = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
            if run["JobRunState"] in (states or ENDED):
                return dict(run)
            assert run["JobRunState"] not in ENDED, run
            assert time.monotonic() < deadline, f"still {run['JobRunState']}"
            time.sleep(0.1)

    def keys(self, bucket: str) -> list[str]:
        found = self.client("s3").list_objects_v2(Bucket=bucket)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def log(self, kind: str, run_id: str) -> str:
        events = self.client("logs").get_log_events(
            logGroupName=f"/aws-glue/jobs/{kind}", logStreamName=run_id, startFromHead=True
        )["events"]
        return "\n".join(event["message"] for event in events)

    def server(self, name: str) -> psutil.Process:
        found = supervisor.status(self.home, services=SERVERS).services
        return psutil.Process(next(service.pid for service in found if service.name == name))

    def processes_of(self, run_id: str) -> list[ProcessIdentity]:
        s3 = self.client("s3")
        deadline = time.monotonic() + 60
        while True:
            try:
                text = s3.get_object(Bucket="glue-input", Key=f"pids/{run_id}")["Body"].read().decode()
                break
            except botocore.exceptions.ClientError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        found = [ProcessIdentity.of(int(pid)) for pid in text.split()]
        return [process for process in found if process is not None]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """AWS and Glue in a home of their own: these tests kill the gateway."""
    home = tmp_path_factory.mktemp("glue") / "a home"
    try:
        supervisor.up(home, services=SERVERS)
        cloud = Cloud(home)
        for bucket in ("glue-artifacts", "glue-input", "glue-output"):
            cloud.client("s3").create_bucket(Bucket=bucket)
        yield cloud
    finally:
        supervisor.down(home, services=SERVERS)


def test_a_run_gets_script_modules_and_merged_arguments_and_reports_what_glue_reports(cloud: Cloud):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("helpers/__init__.py", "WORD = 'from the zip'")
    s3 = cloud.client("s3")
    s3.put_object(Bucket="glue-artifacts", Key="modules.zip", Body=archive.getvalue())
    s3.put_object(Bucket="glue-artifacts", Key="single.py", Body=b"WORD = 'from the file'")
    cloud.define(
        "arguments",
        "import sys, os, json, helpers, single\n"
        "print(json.dumps(sys.argv[1:])); print(helpers.WORD, single.WORD)\n"
        "print('to stderr', file=sys.stderr); print(os.environ['AWS_ENDPOINT_URL_GLUE'])",
        DefaultArguments={
            "--extra-py-files": "s3://glue-artifacts/modules.zip,s3://glue-artifacts/single.py",
            "--a": "job",
            "--b": "job",
        },
        NonOverridableArguments={"--fixed": "yes"},
        NumberOfWorkers=4,
        WorkerType="G.1X",
    )
    run_id = cloud.start("arguments", Arguments={"--b": "run", "--fixed": "no"})
    assert run_id.startswith("jr_")
    run = cloud.wait("arguments", run_id)
    assert run["JobRunState"] == "SUCCEEDED"
    assert "ErrorMessage" not in run
    assert run["Arguments"] == {"--b": "run", "--fixed": "no"}
    assert (run["Attempt"], run["MaxCapacity"], run["GlueVersion"]) == (0, 4.0, "5.1")
    assert run["StartedOn"] <= run["LastModifiedOn"] == run["CompletedOn"]
    assert isinstance(run["ExecutionTime"], int)
    assert isinstance(run["DPUSeconds"], float)
    assert run["LogGroupName"] == "/aws-glue/jobs"
    argv, words, endpoint = cloud.log("output", run_id).splitlines()
    expected = {
        "--JOB_NAME": "arguments",
        "--JOB_RUN_ID": run_id,
        "--a": "job",
        "--b": "run",
        "--fixed": "yes",
    }
    passed = json.loads(argv)
    assert dict(zip(passed[::2], passed[1::2], strict=True)) == expected
    assert words == "from the zip from the file"
    assert endpoint == Settings(home=cloud.home).aws_glue_endpoint_url
    assert "to stderr" in cloud.log("error", run_id)
    assert list((cloud.home / "glue" / "runs").iterdir()) == []


def test_a_script_that_raises_fails_with_its_error_and_leaves_no_output(cloud: Cloud):
    cloud.define(
        "raises",
        FOLDER_OF + "write('glue-output', 'failed/part-1', 'x')\n"
        "write('glue-output', 'failed/_SUCCESS', '')\n"
        "raise ValueError('row 7 has no key')",
        DefaultArguments={"--output_uri": "s3://glue-output"},
    )
    run_id = cloud.start("raises")
    run = cloud.wait("raises", run_id)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: row 7 has no key")
    assert "Traceback" in cloud.log("error", run_id)
    assert [key for key in cloud.keys("glue-output") if key.startswith("failed/")] == []


@pytest.mark.parametrize(
    ("name", "script", "message"),
    [
        ("exits", "import sys; sys.exit('no input')", "SystemExit: no input"),
        ("dies", "import os; print('x'); os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("typo", "def (:", "SyntaxError"),
    ],
)
def test_every_way_of_failing_has_a_message(cloud: Cloud, name: str, script: str, message: str):
    cloud.define(name, script)
    run = cloud.wait(name, cloud.start(name))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]


def test_a_script_that_is_not_there_fails_the_run_and_says_so(cloud: Cloud):
    cloud.define("lost", "", Command={"Name": "glueetl", "ScriptLocation": "s3://glue-artifacts/none.py"})
    run = cloud.wait("lost", cloud.start("lost"))
    assert run["JobRunState"] == "FAILED"
    assert "s3://glue-artifacts/none.py" in run["ErrorMessage"]


def test_output_reaches_the_bucket_on_success_replaces_what_was_there_and_leaves_the_same_alone(cloud: Cloud):
    s3 = cloud.client("s3")
    for key in ("table/old", "table/same", "other/old"):
        s3.put_object(Bucket="glue-output", Key=key, Body=key.encode())
    before = s3.head_object(Bucket="glue-output", Key="table/same")["LastModified"]
    cloud.define(
        "writes",
        FOLDER_OF
        + "write('glue-output', 'table/new', 'new')\nwrite('glue-output', 'table/same', 'table/same')\n"
        "write('glue-output', 'table/.new.crc', 'x')\nwrite('glue-output', '_staging/v/part', 'x')\n"
        "write('glue-output', 'table/_SUCCESS', '')\nwrite('glue-output', 'other/new', 'new')\n",
        DefaultArguments={"--output_uri": "s3://glue-output"},
    )
    time.sleep(1.1)
    assert cloud.wait("writes", cloud.start("writes"))["JobRunState"] == "SUCCEEDED"
    found = [key for key in cloud.keys("glue-output") if key.startswith(("table/", "other/", "_staging/"))]
    assert found == ["other/new", "other/old", "table/_SUCCESS", "table/new", "table/same"]
    assert s3.head_object(Bucket="glue-output", Key="table/same")["LastModified"] == before
    assert s3.get_object(Bucket="glue-output", Key="table/new")["Body"].read() == b"new"


def test_a_stopped_run_ends_with_all_its_processes(cloud: Cloud):
    cloud.define("stopped", WAITING)
    run_id = cloud.start("stopped")
    going = cloud.processes_of(run_id)
    assert len(going) == 2
    answer = cloud.client("glue").batch_stop_job_run(JobName="stopped", JobRunIds=[run_id, "jr_none"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": "stopped", "JobRunId": run_id}]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert cloud.run("stopped", run_id)["JobRunState"] in ("STOPPING", "STOPPED")
    assert cloud.wait("stopped", run_id)["JobRunState"] == "STOPPED"
    assert [process.alive for process in going] == [False, False]
    again = cloud.client("glue").batch_stop_job_run(JobName="stopped", JobRunIds=[run_id])
    assert again["SuccessfulSubmissions"] == []


def test_a_job_runs_no_more_at_once_than_it_may(cloud: Cloud):
    cloud.define("limited", WAITING, ExecutionProperty={"MaxConcurrentRuns": 2})
    glue = cloud.client("glue")
    first, second = cloud.start("limited"), cloud.start("limited")
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        cloud.start("limited")
    glue.batch_stop_job_run(JobName="limited", JobRunIds=[first])
    cloud.wait("limited", first)
    third = cloud.start("limited")
    glue.batch_stop_job_run(JobName="limited", JobRunIds=[second, third])
    assert cloud.wait("limited", second)["JobRunState"] == "STOPPED"
    assert cloud.wait("limited", third)["JobRunState"] == "STOPPED"


def test_a_failed_run_is_tried_again_as_a_run_of_its_own(cloud: Cloud):
    cloud.define(
        "retried",
        "import sys; sys.exit(0 if sys.argv[sys.argv.index('--JOB_RUN_ID') + 1].endswith('_attempt_1') else 3)",
        MaxRetries=2,
    )
    first = cloud.start("retried")
    assert cloud.wait("retried", first)["ErrorMessage"] == "SystemExit: 3"
    second = cloud.wait("retried", f"{first}_attempt_1")
    assert (second["JobRunState"], second["Attempt"], second["PreviousRunId"]) == ("SUCCEEDED", 1, first)
    runs = cloud.client("glue").get_job_runs(JobName="retried")["JobRuns"]
    assert [run["Id"] for run in runs] == [f"{first}_attempt_1", first]


def test_a_run_that_exceeds_its_timeout_is_ended(cloud: Cloud, tmp_path: Path):
    settings = Settings(home=cloud.home)
    assert settings.aws_endpoint_url is not None
    cloud.client("s3").put_object(Bucket="glue-artifacts", Key="slow.py", Body=b"import time; time.sleep(60)")
    store = RunStore(tmp_path / "runs.db")
    # Minutes of half a second; the rest is the gateway's own.
    runner = make_runner(Home.at(tmp_path), settings.aws_endpoint_url, store, seconds_per_minute=0.5)
    definition = {
        "Command": {"Name": "pythonshell", "ScriptLocation": "s3://glue-artifacts/slow.py"},
        "MaxRetries": 1,
    }
    document = records.first_attempt(definition, {"JobName": "slow", "Timeout": 1}, time.time())
    run = store.add(document, definition, max_concurrent=1)
    runner.start(run)
    deadline = time.monotonic() + 90
    while (found := store.get(run.run_id)) is not None and found.state not in (
        RunState.TIMEOUT,
        RunState.ERROR,
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert found is not None
    assert found.state is RunState.TIMEOUT
    assert found.process is not None
    assert not found.process.alive
    # What took too long is not tried again.
    assert len(store.page("slow", before=None, limit=9)) == 1
    runner.close(5)
    store.close()


def kill_gateway(cloud: Cloud) -> None:
    (gateway,) = [s for s in supervisor.status(cloud.home, services=SERVERS).services if s.name == "glue"]
    assert gateway.pid is not None
    os.kill(gateway.pid, signal.SIGKILL)
    while any(s.pid for s in supervisor.status(cloud.home, services=SERVERS).services if s.name == "glue"):
        time.sleep(0.05)


def test_a_run_in_flight_when_the_gateway_is_killed_becomes_an_error_and_its_processes_end(cloud: Cloud):
    cloud.define("orphaned", WAITING, MaxRetries=1)
    run_id = cloud.start("orphaned")
    going = cloud.processes_of(run_id)
    kill_gateway(cloud)
    assert [process.alive for process in going] == [True, True]
    supervisor.up(cloud.home, services=SERVERS)
    run = cloud.run("orphaned", run_id)
    assert run["JobRunState"] == "ERROR"
    assert "ended while the job was running" in run["ErrorMessage"]
    assert [process.alive for process in going] == [False, False]
    assert list((cloud.home / "glue" / "runs").iterdir()) == []
    # The job's definition survived too, with what only the gateway keeps; nothing else holds its place.
    second = cloud.start("orphaned")
    cloud.client("glue").batch_stop_job_run(JobName="orphaned", JobRunIds=[second])
    assert cloud.wait("orphaned", second)["JobRunState"] == "STOPPED"


def test_runs_are_listed_page_by_page_newest_first(cloud: Cloud):
    cloud.define("listed", "pass", ExecutionProperty={"MaxConcurrentRuns": 3})
    glue = cloud.client("glue")
    assert glue.get_job_runs(JobName="listed")["JobRuns"] == []
    started = [cloud.start("listed") for _ in range(3)]
    pages = list(
        glue.get_paginator("get_job_runs").paginate(JobName="listed", PaginationConfig={"PageSize": 2})
    )
    assert [len(page["JobRuns"]) for page in pages] == [2, 1]
    assert [run["Id"] for page in pages for run in page["JobRuns"]] == started[::-1]
    for run_id in started:
        assert cloud.wait("listed", run_id)["JobRunState"] == "SUCCEEDED"


def test_unknown_names_and_foreign_tokens_are_errors_of_glues_own_kind(cloud: Cloud):
    glue = cloud.client("glue")
    for call in (
        lambda: glue.get_job(JobName="none"),
        lambda: glue.start_job_run(JobName="none"),
        lambda: glue.get_job_run(JobName="none", RunId="jr_1"),
        lambda: glue.get_job_runs(JobName="none"),
        lambda: glue.update_job(JobName="none", JobUpdate={}),
    ):
        with pytest.raises(glue.exceptions.EntityNotFoundException):
            call()
    cloud.define("tokens", "pass")
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.get_job_runs(JobName="tokens", NextToken="mine")
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        cloud.define("tokens", "pass")
    with pytest.raises(glue.exceptions.InvalidInputException, match="glueray"):
        cloud.define("ray", "pass", Command={"Name": "glueray", "ScriptLocation": "s3://glue-artifacts/x.py"})


def test_definitions_are_complete_and_an_update_replaces_them_as_a_whole(cloud: Cloud):
    cloud.define(
        "defined",
        "pass",
        Description="first",
        ExecutionProperty={"MaxConcurrentRuns": 5},
        ExecutionClass="STANDARD",
        LogUri="s3://glue-artifacts/logs",
        NotificationProperty={"NotifyDelayAfter": 3},
        Timeout=7,
        MaxRetries=1,
        Tags={"team": "data"},
    )
    glue = cloud.client("glue")
    job = glue.get_job(JobName="defined")["Job"]
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 5}
    assert (job["ExecutionClass"], job["LogUri"]) == ("STANDARD", "s3://glue-artifacts/logs")
    assert (job["Description"], job["Timeout"], job["MaxRetries"]) == ("first", 7, 1)
    glue.update_job(JobName="defined", JobUpdate={"Role": "role", "Command": job["Command"], "Timeout": 9})
    job = glue.get_job(JobName="defined")["Job"]
    assert job["Timeout"] == 9
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert not {"Description", "ExecutionClass", "LogUri"} & job.keys()
    assert glue.list_jobs(Tags={"team": "data"})["JobNames"] == ["defined"]
    answer = glue.batch_get_jobs(JobNames=["defined", "none"])
    assert ([job["Name"] for job in answer["Jobs"]], answer["JobsNotFound"]) == (["defined"], ["none"])
    names = [job["Name"] for page in glue.get_paginator("get_jobs").paginate() for job in page["Jobs"]]
    assert "defined" in names
    assert names == sorted(names)
    first = glue.get_jobs(MaxResults=1)
    assert glue.get_jobs(MaxResults=1, NextToken=first["NextToken"])["Jobs"][0]["Name"] == names[1]
    glue.delete_job(JobName="defined")
    glue.delete_job(JobName="defined")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_job(JobName="defined")


TEMPLATE = """
Parameters:
  Runs: {Type: Number, Default: 2}
  Minutes: {Type: Number, Default: %(timeout)d}
  Capacity: {Type: Number, Default: 2.5}
Resources:
  Transform:
    Type: AWS::Glue::Job
    Properties:
      Name: from-stack
      Role: !Sub "arn:aws:iam::${AWS::AccountId}:role/x"
      GlueVersion: "5.1"
      Timeout: !Ref Minutes
      MaxCapacity: !Ref Capacity
      Command: {Name: glueetl, PythonVersion: "3", ScriptLocation: s3://glue-artifacts/from-stack.py}
      DefaultArguments: {"--job-language": python, "--a": template}
      ExecutionProperty: {MaxConcurrentRuns: !Ref Runs}
"""


def test_a_job_that_a_stack_made_is_complete_and_follows_the_stacks_changes(cloud: Cloud):
    formation, glue = cloud.client("cloudformation"), cloud.client("glue")
    cloud.client("s3").put_object(
        Bucket="glue-artifacts", Key="from-stack.py", Body=b"import sys; print(sys.argv[1:])"
    )
    formation.create_stack(StackName="jobs", TemplateBody=TEMPLATE % {"timeout": 11})
    formation.get_waiter("stack_create_complete").wait(
        StackName="jobs", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    job = glue.get_job(JobName="from-stack")["Job"]
    assert (job["ExecutionProperty"], job["Timeout"]) == ({"MaxConcurrentRuns": 2}, 11)
    run_id = cloud.start("from-stack")
    run = cloud.wait("from-stack", run_id)
    assert (run["JobRunState"], run["Timeout"], run["MaxCapacity"]) == ("SUCCEEDED", 11, 2.5)
    assert "template" in cloud.log("output", run_id)
    # A change by Glue's API holds until the stack defines the job again.
    update = {"Role": "r", "Command": job["Command"], "ExecutionProperty": {"MaxConcurrentRuns": 9}}
    glue.update_job(JobName="from-stack", JobUpdate=update)
    assert glue.get_job(JobName="from-stack")["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 9}
    formation.update_stack(
        StackName="jobs",
        TemplateBody=TEMPLATE % {"timeout": 12},
        Parameters=[{"ParameterKey": "Runs", "ParameterValue": "4"}],
    )
    formation.get_waiter("stack_update_complete").wait(
        StackName="jobs", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    job = glue.get_job(JobName="from-stack")["Job"]
    assert (job["ExecutionProperty"], job["Timeout"]) == ({"MaxConcurrentRuns": 4}, 12)


def test_the_data_catalog_answers_through_the_gateway(cloud: Cloud):
    glue = cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "movies"})
    glue.create_table(
        DatabaseName="movies",
        TableInput={
            "Name": "movies",
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
            "StorageDescriptor": {"Columns": [{"Name": "movie_id", "Type": "string"}]},
        },
    )
    partition = {"Values": ["2026-11-18"], "StorageDescriptor": {"Location": "s3://glue-output/x"}}
    answer = glue.batch_create_partition(
        DatabaseName="movies", TableName="movies", PartitionInputList=[partition]
    )
    assert answer.get("Errors", []) == []
    again = glue.batch_create_partition(
        DatabaseName="movies", TableName="movies", PartitionInputList=[partition]
    )
    assert again["Errors"][0]["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"
    found = glue.get_partitions(DatabaseName="movies", TableName="movies")["Partitions"]
    assert [partition["Values"] for partition in found] == [["2026-11-18"]]
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table(DatabaseName="movies", Name="none")


def test_polling_a_run_is_cheap_and_does_not_ask_the_aws_server(cloud: Cloud):
    cloud.define("polled", "pass")
    run_id = cloud.start("polled")
    cloud.wait("polled", run_id)
    glue, aws, gateway = cloud.client("glue"), cloud.server("aws"), cloud.server("glue")
    before = gateway.cpu_times()
    # Who asked it now would wait for longer than the client does.
    aws.suspend()
    try:
        for _ in range(200):
            assert glue.get_job_run(JobName="polled", RunId=run_id)["JobRun"]["JobRunState"] == "SUCCEEDED"
    finally:
        aws.resume()
    after = gateway.cpu_times()
    # Processor time, which does not grow while others use the machine.
    assert after.user + after.system - before.user - before.system < 5


def test_requests_that_are_none_of_glues_are_refused(cloud: Cloud):
    url = f"{Settings(home=cloud.home).aws_glue_endpoint_url}/"
    http = urllib3.PoolManager(retries=False, timeout=10)
    assert http.request("POST", url, body=b"{}").status == 400
    target = {"X-Amz-Target": "AWSGlue.GetJobRun"}
    assert http.request("POST", url, body=b"{", headers=target).status == 400
    assert http.request("POST", url, body=b'{"JobName": "x"}', headers=target).status == 400
    assert http.request("POST", url, body=b"{}", headers={**target, "Host": "evil.example:80"}).status == 421
    assert http.request("POST", url, headers={**target, "Content-Length": str(10**12)}).status == 413
    assert http.request("GET", f"{url}other").status == 404


def test_a_refused_request_is_answered_though_its_body_is_not_read_and_ends_its_connection(cloud: Cloud):
    port = urlsplit(Settings(home=cloud.home).aws_glue_endpoint_url or "").port
    assert port is not None
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 200000\r\n\r\n")
            client.sendall(b"x" * 200_000)
            answer = b""
            while got := client.recv(65536):
                answer += got
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"http/1.1 421")
        assert b"connection: close" in head


def test_many_lines_of_output_arrive_complete_and_in_order(cloud: Cloud):
    cloud.define("talks", "for i in range(20000): print('line', i)\nprint('x' * 600000)\nprint()")
    run_id = cloud.start("talks")
    assert cloud.wait("talks", run_id)["JobRunState"] == "SUCCEEDED"
    logs, messages, token = cloud.client("logs"), [], None
    while True:
        more = {"nextToken": token} if token else {}
        page = logs.get_log_events(
            logGroupName="/aws-glue/jobs/output", logStreamName=run_id, startFromHead=True, **more
        )
        messages.extend(event["message"] for event in page["events"])
        if page["nextForwardToken"] == token or not page["events"]:
            break
        token = page["nextForwardToken"]
    assert messages[:20000] == [f"line {i}" for i in range(20000)]
    assert sum(message.count("x") for message in messages) == 600000


SPARK = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from rules import shout
spark = SparkSession.builder.getOrCreate()
assert spark.version.startswith("3.5"), spark.version
films = spark.read.option("header", True).csv("s3://glue-input/films/")
assert films.columns == ["id", "title"], films.columns
by_pattern = spark.read.option("header", True).csv("s3://glue-input/films/*").collect()
assert sorted(row.id for row in by_pattern) == ["1", "2"], by_pattern
assert films.count() == 2
loud = films.select("id", udf(shout)("title").alias("title"))
loud.repartition(2, "id").write.mode("overwrite").parquet("s3://glue-output/loud")
assert spark.read.parquet("s3://glue-output/loud").count() == 2
path = spark._jvm.org.apache.hadoop.fs.Path("s3://glue-output/_RUN.json")
stream = path.getFileSystem(spark._jsc.hadoopConfiguration()).create(path, True)
stream.write(bytearray(b"{}")); stream.close()
try:
    spark.read.text("s3://glue-input/films/films.csv.meta.json").collect()
    raise SystemExit("a sidecar was read")
except Exception as error:
    assert "PATH_NOT_FOUND" in str(error), error
try:
    films.write.parquet("s3://glue-input/changed")
    raise SystemExit("an input bucket was written to")
except Exception as error:
    assert "--output" in str(error), error
print("spark was here")
"""


@pytest.mark.spark
def test_spark_reads_objects_only_writes_to_the_output_alone_and_replaces_it(cloud: Cloud):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("rules.py", "def shout(title): return title.upper()")
    s3 = cloud.client("s3")
    s3.put_object(Bucket="glue-artifacts", Key="rules.zip", Body=archive.getvalue())
    s3.put_object(Bucket="glue-input", Key="films/films.csv", Body=b"id,title\n1,Alien\n2,Heat\n")
    s3.put_object(Bucket="glue-output", Key="loud/part-from-yesterday.parquet", Body=b"old")
    inputs = cloud.keys("glue-input")
    cloud.define(
        "spark",
        SPARK,
        DefaultArguments={
            "--extra-py-files": "s3://glue-artifacts/rules.zip",
            "--output_uri": "s3://glue-output/loud",
            "--conf": "spark.driver.memory=1g",
        },
    )
    run_id = cloud.start("spark")
    run = cloud.wait("spark", run_id, seconds=240)
    assert run["JobRunState"] == "SUCCEEDED", run["ErrorMessage"]
    assert int(run["StateDetail"].removeprefix("peak_rss_bytes=")) > 50_000_000
    assert "spark was here" in cloud.log("output", run_id)
    written = [key for key in cloud.keys("glue-output") if key.startswith(("loud/", "_RUN"))]
    assert "loud/_SUCCESS" in written
    assert "_RUN.json" in written
    assert "loud/part-from-yesterday.parquet" not in written
    assert all("crc" not in key for key in written)
    assert cloud.keys("glue-input") == inputs
    assert not (cloud.home / "lake" / "000000000000" / "glue-input" / "changed").exists()


def test_runs_started_at_the_same_moment_take_the_free_place_once(cloud: Cloud):
    cloud.define("raced", WAITING)
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            outcomes.append(cloud.start("raced"))
        except botocore.exceptions.ClientError as error:
            outcomes.append(error.response.get("Error", {}).get("Code", ""))

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("ConcurrentRunsExceededException") == 3
    (run_id,) = [outcome for outcome in outcomes if outcome.startswith("jr_")]
    cloud.client("glue").batch_stop_job_run(JobName="raced", JobRunIds=[run_id])
    cloud.wait("raced", run_id)


def test_stopping_the_cloud_ends_runs_in_flight_and_records_it(cloud: Cloud):
    cloud.define("cut-short", WAITING)
    run_id = cloud.start("cut-short")
    going = cloud.processes_of(run_id)
    supervisor.down(cloud.home, services=SERVERS)
    assert [process.alive for process in going] == [False, False]
    supervisor.up(cloud.home, services=SERVERS)
    run = cloud.run("cut-short", run_id)
    assert run["JobRunState"] == "ERROR"
    assert "stopped while the job was running" in run["ErrorMessage"]


def test_environment_of_scripts_names_this_clouds_endpoints():
    environment = client_environment({"aws": 1, "glue": 2, "snowflake": 3})
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
