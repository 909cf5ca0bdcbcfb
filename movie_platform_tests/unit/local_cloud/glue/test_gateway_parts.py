"""The Glue gateway's pure parts: arguments, staging, states, records, templates, wire format."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.local_cloud.glue import arguments, definitions, records, staging, wire
from movie_platform.local_cloud.glue.run_store import ConcurrencyExceededError, RunStore
from movie_platform.local_cloud.glue.runner import RunFailedError, _require_modules
from movie_platform.local_cloud.glue.staging import StagedFile
from movie_platform.local_cloud.glue.states import ACTIVE, RunState, is_retried, may_follow
from movie_platform.process_identity import ProcessIdentity

DEFINITION: dict[str, Any] = {"Name": "j", "Command": {"Name": "glueetl"}, "Timeout": 5, "NumberOfWorkers": 3}


def record(**changes: Any) -> dict[str, Any]:
    return {**records.first_attempt(DEFINITION, {"JobName": "j"}, 1000.0), **changes}


def test_a_runs_arguments_replace_the_jobs_and_fixed_ones_replace_both():
    merged = arguments.merge({"--a": "job", "--b": "job"}, {"--b": "run", "--c": "run"}, {"--c": "fixed"})
    assert merged == {"--a": "job", "--b": "run", "--c": "fixed"}


def test_the_script_sees_its_own_arguments_and_the_runs_identity_but_not_what_glue_consumes():
    line = arguments.command_line(
        {
            "--extra-py-files": "s3://bucket/x.zip",
            "--job-language": "python",
            "--enable-metrics": "true",
            "--continuous-log-logGroup": "g",
            "--conf": "spark.a=b",
            "--TempDir": "s3://bucket/tmp",
            "--input": "-1",
        },
        job_name="j",
        run_id="jr_1",
    )
    assert line == [
        "--JOB_NAME",
        "j",
        "--JOB_RUN_ID",
        "jr_1",
        "--TempDir",
        "s3://bucket/tmp",
        "--input",
        "-1",
    ]


def test_an_argument_of_the_run_replaces_the_identity_that_glue_would_pass():
    assert arguments.command_line({"--JOB_NAME": "mine"}, job_name="j", run_id="r")[:2] == [
        "--JOB_NAME",
        "mine",
    ]


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("s3://bucket", "bucket", ""),
        ("s3://bucket/", "bucket", ""),
        ("s3://bucket/a/b c", "bucket", "a/b c"),
        ("s3a://my.bucket-1/k", "my.bucket-1", "k"),
    ],
)
def test_an_s3_uri_is_taken_apart(text: str, bucket: str, key: str):
    location = arguments.parse_s3_uri(text)
    assert location is not None
    assert (location.bucket, location.key) == (bucket, key)


@pytest.mark.parametrize(
    "text",
    ["", "s3://", "s3://a", "s3:///key", "http://bucket/key", "s3://../x", "/s3://bucket", "s3://UP/x"],
)
def test_what_names_no_bucket_is_no_s3_uri(text: str):
    assert arguments.parse_s3_uri(text) is None


@given(st.text())
def test_any_text_is_an_s3_uri_or_is_not(text: str):
    location = arguments.parse_s3_uri(text)
    if location is not None:
        assert "/" not in location.bucket
        assert ".." not in location.bucket.split("/")


def test_output_buckets_are_those_in_arguments_that_start_with_output():
    found = arguments.output_buckets(
        {
            "--output_uri": "s3://one/x",
            "--output": "s3://two",
            "--input": "s3://three",
            "--output_format": "csv",
        }
    )
    assert found == {"one", "two"}


def test_spark_properties_are_taken_from_conf_as_glue_writes_several():
    found = arguments.spark_options({"--conf": "spark.a=b=c --conf spark.driver.memory=1g"})
    assert found == {"spark.a": "b=c", "spark.driver.memory": "1g"}
    assert arguments.spark_options({}) == {}
    with pytest.raises(ValueError, match="--conf"):
        arguments.spark_options({"--conf": "spark.a"})
    with pytest.raises(ValueError, match="--conf"):
        arguments.spark_options({"--conf": "spark.a=b\nspark.c=d"})


def staged(*names: str) -> list[StagedFile]:
    return [StagedFile(name, 1, number) for number, name in enumerate(names)]


def test_output_is_put_in_the_order_of_writing_with_markers_last_and_without_unfinished_work():
    plan = staging.plan(
        staged(
            "t/_SUCCESS",
            "t/part-1",
            "t/.part-1.crc",
            "_staging/v/t/part-9",
            "t/_temporary/0/part-3",
            ".hidden/x",
            "batches/b",
            "_runs/_RUN.json",
        )
    )
    assert [file.key for file in plan.first] == ["t/part-1", "batches/b", "_runs/_RUN.json"]
    assert [file.key for file in plan.last] == ["t/_SUCCESS"]
    assert plan.replaced_prefixes == ("t/",)
    assert plan.kept == {"t/part-1", "t/_SUCCESS", "batches/b", "_runs/_RUN.json"}


def test_a_folder_without_a_marker_replaces_nothing():
    assert staging.plan(staged("t/part-1")).replaced_prefixes == ()


def test_a_marker_at_the_top_replaces_the_whole_bucket():
    assert staging.plan(staged("_SUCCESS", "part-1")).replaced_prefixes == ("",)


def test_links_in_the_staging_folder_are_not_output(tmp_path: Path):
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert [file.key for file in staging.staged_files(tmp_path)] == ["real"]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25])
def test_an_etag_is_that_of_one_put_below_the_part_size_and_of_parts_from_there_on(tmp_path: Path, size: int):
    path = tmp_path / "file"
    content = bytes(range(size))
    path.write_bytes(content)
    if size < 10:
        expected = hashlib.md5(content).hexdigest()
    else:
        parts = [content[i : i + 10] for i in range(0, size, 10)]
        whole = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
        expected = f"{whole}-{len(parts)}"
    assert staging.etag_of(path, size, part_bytes=10) == f'"{expected}"'


def test_nothing_follows_a_final_state_and_every_active_one_can_end():
    for state in RunState:
        following = [new for new in RunState if may_follow(state, new)]
        assert bool(following) == (state in ACTIVE)
    for end in (RunState.FAILED, RunState.TIMEOUT, RunState.ERROR):
        assert all(may_follow(state, end) for state in ACTIVE)
    assert not may_follow(RunState.STARTING, RunState.SUCCEEDED)
    assert not may_follow(RunState.RUNNING, RunState.STOPPED)


def test_only_failures_are_tried_again_and_only_as_often_as_the_job_says():
    assert is_retried(RunState.FAILED, 0, 1)
    assert not is_retried(RunState.FAILED, 1, 1)
    for state in (RunState.STOPPED, RunState.TIMEOUT, RunState.ERROR, RunState.SUCCEEDED):
        assert not is_retried(state, 0, 9)


def test_a_later_attempt_is_a_run_of_its_own_that_names_the_one_before():
    first = record(ErrorMessage="x", CompletedOn=1.0, RunningSince=1.0, DPUSeconds=1.0)
    second = records.next_attempt(first, 2000.0)
    third = records.next_attempt(second, 3000.0)
    assert second["Id"] == f"{first['Id']}_attempt_1"
    assert third["Id"] == f"{first['Id']}_attempt_2"
    assert (third["Attempt"], third["PreviousRunId"]) == (2, second["Id"])
    assert not {"ErrorMessage", "CompletedOn", "RunningSince", "DPUSeconds"} & second.keys()


def test_a_run_takes_capacity_and_timeout_from_the_request_before_the_job():
    run = records.first_attempt(
        {**DEFINITION, "WorkerType": "G.1X"}, {"JobName": "j", "WorkerType": "G.2X", "Timeout": 7}, 0
    )
    assert (run["MaxCapacity"], run["AllocatedCapacity"], run["Timeout"]) == (6.0, 6, 7)


@pytest.fixture
def store(tmp_path: Path):
    opened = RunStore(tmp_path / "runs.db")
    yield opened
    opened.close()


def test_runs_survive_a_restart_of_the_gateway(tmp_path: Path):
    first = RunStore(tmp_path / "runs.db")
    run = first.add(record(), DEFINITION, max_concurrent=1)
    first.set_process(run.run_id, ProcessIdentity(7, "boot:8"))
    first.move(run.run_id, RunState.RUNNING)
    first.close()
    again = RunStore(tmp_path / "runs.db")
    (found,) = again.active()
    assert (found.run_id, found.state, found.process) == (
        run.run_id,
        RunState.RUNNING,
        ProcessIdentity(7, "boot:8"),
    )
    assert found.definition == DEFINITION
    again.close()


def test_a_job_runs_no_more_at_once_than_it_may(store: RunStore):
    run = store.add(record(), DEFINITION, max_concurrent=1)
    with pytest.raises(ConcurrencyExceededError):
        store.add(record(Id="jr_2"), DEFINITION, max_concurrent=1)
    store.add(record(Id="jr_3", JobName="another"), DEFINITION, max_concurrent=1)
    store.move(run.run_id, RunState.FAILED)
    store.add(record(Id="jr_2"), DEFINITION, max_concurrent=1)


def test_a_final_state_is_never_overwritten(store: RunStore):
    run = store.add(record(), DEFINITION, max_concurrent=1)
    assert store.move(run.run_id, RunState.RUNNING)
    assert store.move(run.run_id, RunState.SUCCEEDED)
    assert not store.move(run.run_id, RunState.FAILED, ErrorMessage="late")
    found = store.get(run.run_id)
    assert found is not None
    assert found.state is RunState.SUCCEEDED
    assert "ErrorMessage" not in found.document


def test_a_runs_private_members_do_not_reach_the_wire(store: RunStore):
    run = store.add(record(), DEFINITION, max_concurrent=1)
    store.move(run.run_id, RunState.RUNNING, RunningSince=time.time())
    found = store.get(run.run_id)
    assert found is not None
    assert found.to_wire().keys() <= wire.member_names("JobRun")
    assert found.to_wire()["JobRunState"] == "RUNNING"


def test_runs_are_listed_newest_first_and_a_page_continues_where_the_last_ended(store: RunStore):
    for number in range(5):
        store.add(record(Id=f"jr_{number}"), DEFINITION, max_concurrent=9)
    first = store.page("j", before=None, limit=2)
    second = store.page("j", before=first[-1].number, limit=9)
    assert [run.run_id for run in first + second] == [f"jr_{number}" for number in (4, 3, 2, 1, 0)]


def test_an_input_of_the_wrong_shape_is_refused_with_what_is_wrong():
    with pytest.raises(wire.GlueError) as caught:
        wire.parse("StartJobRun", b'{"JobName": 7, "Arguments": {"--a": 1}}')
    assert caught.value.code == "ValidationException"
    assert "JobName" in caught.value.message
    with pytest.raises(wire.GlueError, match="SerializationException"):
        wire.parse("StartJobRun", b"{")
    with pytest.raises(wire.GlueError, match="SerializationException"):
        wire.parse("StartJobRun", b"[" * 100_000)
    with pytest.raises(wire.GlueError, match="ValidationException"):
        wire.parse("StartJobRun", b"[]")


def test_only_operations_of_glue_are_answered():
    assert wire.operation_of("AWSGlue.GetJob") == "GetJob"
    for target in (None, "", "AmazonSQS.SendMessage"):
        with pytest.raises(wire.GlueError, match="UnknownOperationException"):
            wire.operation_of(target)


def test_members_without_a_value_are_left_out_of_an_answer():
    assert json.loads(wire.encode({"a": None, "b": [{"c": None, "d": 0}], "e": ""})) == {
        "b": [{"d": 0}],
        "e": "",
    }


@given(st.text())
def test_a_token_gives_back_its_position(position: str):
    try:
        position.encode()
    except UnicodeEncodeError:
        return
    assert wire.decode_token(wire.encode_token(position)) == position


@given(st.text(min_size=1))
def test_a_token_from_elsewhere_is_refused_or_read_but_never_breaks(token: str):
    try:
        found: str | wire.GlueError = wire.decode_token(token)
    except wire.GlueError as error:
        found = error
    assert isinstance(found, str) or found.code == "InvalidInputException"


STACK = {
    "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/s/1",
    "StackName": "s",
    "Parameters": [{"ParameterKey": "Runs", "ParameterValue": "4"}],
}
TEMPLATE = """
Parameters:
  Runs: {Type: Number, Default: "2"}
  Other: {Type: String, Default: x}
Resources:
  Job:
    Type: AWS::Glue::Job
    Properties:
      ExecutionProperty: {MaxConcurrentRuns: !Ref Runs}
      LogUri: !Sub "s3://${AWS::AccountId}-${Other}/${!literal}"
      Role: !GetAtt Role.Arn
"""


def test_a_templates_references_are_put_in():
    template = definitions.parse_template(TEMPLATE)
    properties = template["Resources"]["Job"]["Properties"]
    values = definitions.stack_values(STACK, template)
    assert definitions.resolve(properties["ExecutionProperty"], values) == {"MaxConcurrentRuns": "4"}
    assert definitions.resolve(properties["LogUri"], values) == "s3://000000000000-x/${literal}"
    with pytest.raises(definitions.UnresolvedError, match="Fn::GetAtt"):
        definitions.resolve(properties["Role"], values)
    with pytest.raises(definitions.UnresolvedError, match="Missing"):
        definitions.resolve({"Ref": "Missing"}, values)


def test_numbers_that_a_template_gives_as_text_become_numbers():
    typed = definitions.as_wire_types(
        {"ExecutionProperty": {"MaxConcurrentRuns": "4"}, "JobRunQueuingEnabled": "true"}
    )
    assert typed == {"ExecutionProperty": {"MaxConcurrentRuns": 4}, "JobRunQueuingEnabled": True}
    with pytest.raises(wire.GlueError, match="MaxConcurrentRuns"):
        definitions.as_wire_types({"ExecutionProperty": {"MaxConcurrentRuns": "many"}})


def test_a_run_that_asks_for_a_package_that_is_not_here_is_refused():
    _require_modules(["boto3", f"pyspark=={__import__('pyspark').__version__}"])
    for requirement in ("no-such-package", "pyspark==1.0", "git+https://example.org/x"):
        with pytest.raises(RunFailedError, match="additional-python-modules"):
            _require_modules([requirement])
