"""A deployment to the local cloud: both passes, repeated, shown beforehand, after a failure, after losing its state."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY
from movie_platform.local_cloud import supervisor
from movie_platform.provision import provision
from movie_platform.provision.account import connect_deployer, prepare_account
from movie_platform.provision.files import SQL_FOLDER
from movie_platform.provision.run import ROLE_NOT_ASSUMED
from movie_platform.provision.sql import (
    Pass,
    SchemaHistory,
    SqlDeployment,
    SqlFile,
    SqlFileError,
    load_sql_files,
)
from movie_platform.provision.stacks import Stack, StackDeployer, StackError
from movie_platform.provision.template import load_template
from movie_platform.provision.verify import NotAsDescribedError
from movie_platform.provision.warehouse import queue_of_pipes, sql_parameters, trust_of_integration
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.settings import Settings
from movie_platform_tests.another_platform import another
from movie_platform_tests.saved_state import wait_until_saved
from movie_platform_tests.snowflake_cloud import clock_option, pass_days, set_options

pytestmark = pytest.mark.cloud

BUCKETS = ("landing", "processed", "archive", "artifacts")


def eventually(check: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def bucket_names(settings: Settings) -> set[str]:
    return {bucket.get("Name", "") for bucket in aws_client(settings, "s3").list_buckets().get("Buckets", [])}


def bodies(settings: Settings, queue: str) -> list[dict[str, Any]]:
    sqs = aws_client(settings, "sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message.get("Body", "{}")) for message in messages]


def stack_deployer(settings: Settings) -> StackDeployer:
    return StackDeployer(
        aws_client(settings, "cloudformation"),
        aws_client(settings, "s3"),
        progress=lambda _line: None,
        deadline_seconds=60,
    )


def test_a_second_run_changes_nothing(provisioned_cloud: Settings):
    report = provision(provisioned_cloud)
    assert not report.changed, str(report)
    assert str(report) == "Nothing to change: everything is as described."
    assert json.loads(json.dumps(report.to_dict()))["changed"] is False


def test_a_dry_run_of_what_is_deployed_shows_no_difference(provisioned_cloud: Settings):
    report = provision(provisioned_cloud, dry_run=True)
    assert not report.changed, str(report)


def test_everything_has_the_names_that_the_settings_give(provisioned_cloud: Settings):
    settings = provisioned_cloud
    assert {settings.bucket(role) for role in BUCKETS} <= bucket_names(settings)
    function = aws_client(settings, "lambda").get_function_configuration(
        FunctionName=settings.unpack_function_name
    )
    assert function.get("Handler") == "movie_platform.lambdas.unpack.handler"
    job = aws_client(settings, "glue").get_job(JobName=settings.glue_job_name)["Job"]
    assert job.get("GlueVersion") == "5.1"
    assert job.get("DefaultArguments", {})["--output_uri"] == f"s3://{settings.bucket('archive')}"
    # MiniStack keeps a number that came through a parameter as text.
    assert int(job.get("Timeout", 0)) == settings.glue_job_timeout_minutes
    tables = aws_client(settings, "glue").get_tables(DatabaseName=settings.glue_database_name)["TableList"]
    assert {table["Name"] for table in tables} == {table.name for table in ARCHIVE_TABLES}


def test_the_packages_that_the_stack_names_are_in_the_bucket(provisioned_cloud: Settings):
    parameters = stack_deployer(provisioned_cloud).parameters(provisioned_cloud.stack_name)
    for name in ("UnpackPackageKey", "GlueScriptKey", "GlueModulesKey"):
        aws_client(provisioned_cloud, "s3").head_object(
            Bucket=provisioned_cloud.bucket("artifacts"), Key=parameters[name]
        )


def test_the_passes_told_the_stack_what_snowflake_answered(provisioned_cloud: Settings):
    settings = provisioned_cloud
    with connect(settings, login="administrator") as session:
        trust = trust_of_integration(session, settings.snowflake_database)
        queue = queue_of_pipes(session, settings.snowflake_database)
    configuration = aws_client(settings, "s3").get_bucket_notification_configuration(
        Bucket=settings.bucket("archive")
    )
    queues = configuration.get("QueueConfigurations", [])
    assert {found["QueueArn"] for found in queues} == {queue["PipeQueueArn"]}
    assert len(queues) == len(ARCHIVE_TABLES)
    role = stack_deployer(settings).outputs(settings.stack_name)["SnowflakeRoleArn"].rpartition("/")[2]
    policy = aws_client(settings, "iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"AWS": trust["SnowflakeUserArn"]}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": trust["SnowflakeExternalId"]}}


def test_the_tables_of_the_contracts_are_there_with_their_columns(provisioned_cloud: Settings):
    settings = provisioned_cloud
    with connect(settings, login="administrator") as session:
        for table in ARCHIVE_TABLES:
            described = query_rows(
                session, f"DESCRIBE TABLE {settings.snowflake_database}.{table.snowflake_schema}.{table.name}"
            )
            names = [str(row["name"]).lower() for row in described]
            assert names == [*table.column_names, "file_name", "file_row", "loaded_at"]


def test_a_new_object_in_landing_reaches_the_arrivals_queue(provisioned_cloud: Settings):
    settings = another(provisioned_cloud, "arrivals")
    provision(settings)
    key = "movies/source=demo/dt=2026-11-18/hello.zip"
    aws_client(settings, "s3").put_object(Bucket=settings.bucket("landing"), Key=key, Body=b"not a bundle")

    def arrived() -> list[str]:
        records = [
            record
            for body in bodies(settings, settings.queue_name("arrivals"))
            for record in body.get("Records", [])
        ]
        return [record["s3"]["object"]["key"] for record in records]

    assert eventually(arrived) == ["movies/source%3Ddemo/dt%3D2026-11-18/hello.zip"]


def test_a_dry_run_lists_everything_and_changes_nothing(provisioned_cloud: Settings):
    settings = another(provisioned_cloud, "dry")
    before = bucket_names(settings)
    report = provision(settings, dry_run=True)
    assert report.dry_run
    assert set(report.sql_files) == {path.name for path in SQL_FOLDER.glob("*.sql")}
    assert len(report.artifacts) == 3
    listed = {change.logical_id for change in report.stacks[settings.stack_name]}
    assert {"LandingBucket", "UnpackFunction", "TransformJob"} <= listed
    assert str(report).startswith("Would change:")
    assert bucket_names(settings) == before
    assert stack_deployer(settings).outputs(settings.stack_name) == {}
    stacks = aws_client(settings, "cloudformation").describe_stacks()["Stacks"]
    assert not [stack["StackName"] for stack in stacks if stack["StackName"].startswith(settings.name_prefix)]
    with connect(settings, login="administrator") as session:
        databases = {str(row["name"]) for row in query_rows(session, "SHOW DATABASES")}
    assert settings.snowflake_database not in databases


@pytest.fixture
def broken_stack(local_cloud: Settings, tmp_path: Path) -> Iterator[tuple[Settings, Stack]]:
    """A stack with a bucket whose name is taken, and that it does not say is its own."""
    taken = "taken-by-somebody"
    aws_client(local_cloud, "s3").create_bucket(Bucket=taken)
    template = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-a-broken-stack"}},
            "Taken": {
                "Type": "AWS::S3::Bucket",
                "DependsOn": "Queue",
                "DeletionPolicy": "RetainExceptOnCreate",
                "Properties": {"BucketName": taken},
            },
        }
    }
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template), "utf-8")
    yield local_cloud, Stack("broken", path, {})
    aws_client(local_cloud, "cloudformation").delete_stack(StackName="broken")


def test_a_stack_that_fails_says_which_resource_and_why(broken_stack: tuple[Settings, Stack]):
    settings, stack = broken_stack
    with pytest.raises(StackError) as caught:
        stack_deployer(settings).deploy(stack)
    assert "Taken" in caught.value.message
    assert "already exists" in caught.value.message
    assert caught.value.next_step


def test_a_stack_that_never_was_whole_is_made_anew(broken_stack: tuple[Settings, Stack]):
    settings, stack = broken_stack
    deployer = stack_deployer(settings)
    with pytest.raises(StackError):
        deployer.deploy(stack)
    mended = Stack(stack.name, stack.template, {}, {"Taken": "taken-by-somebody"})
    actions = {change.logical_id: change.action for change in deployer.deploy(mended).changes}
    assert actions["Taken"] in ("Import", "Modify")
    assert actions["Queue"] == "Add"
    assert deployer.deploy(mended).changes == ()


def apply(settings: Settings, session: SnowflakeConnection, *files: SqlFile) -> list[str]:
    deployment = SqlDeployment(
        session,
        files,
        SchemaHistory(session, settings.snowflake_database),
        role=settings.snowflake_owner_role,
        warehouse=settings.snowflake_warehouse,
        progress=lambda _line: None,
    )
    deployment.apply(*Pass)
    return deployment.names


def test_an_sql_file_that_fails_names_the_file_and_the_statement(provisioned_cloud: Settings):
    settings = provisioned_cloud
    bad = SqlFile(
        "999_bad.sql", ("USE ROLE SYSADMIN", "SELECT no_such_column FROM MOVIES.RAW.movies"), "0" * 64
    )
    with connect(settings, login="administrator") as session:
        history = SchemaHistory(session, settings.snowflake_database)
        with pytest.raises(SqlFileError, match=r"999_bad\.sql, statement 2 of 2"):
            apply(settings, session, bad)
        assert "999_bad.sql" not in history.applied()


def test_a_file_that_takes_a_role_leaves_the_next_one_with_the_role_of_set_up(provisioned_cloud: Settings):
    settings = provisioned_cloud
    files = (
        SqlFile("996_role.sql", ("USE ROLE MOVIES_READER",), "1" * 64),
        SqlFile(
            "997_note.sql",
            ("CREATE TABLE IF NOT EXISTS MOVIES.OPS.made_by AS SELECT CURRENT_ROLE() AS role",),
            "2" * 64,
        ),
    )
    with connect(settings, login="administrator") as session:
        apply(settings, session, *files)
        assert list(query_rows(session, "SELECT role FROM MOVIES.OPS.made_by")) == [
            {"role": settings.snowflake_owner_role}
        ]
        with session.cursor() as cursor:
            cursor.execute("DROP TABLE MOVIES.OPS.made_by")


def test_a_changed_sql_file_is_applied_again_and_noted(provisioned_cloud: Settings):
    settings = provisioned_cloud

    def applied(text: str, checksum: str) -> list[str]:
        with connect(settings, login="administrator") as session:
            return apply(settings, session, SqlFile("998_try.sql", (text,), checksum))

    assert applied("USE ROLE MOVIES_READER", "a" * 64) == ["998_try.sql"]
    assert applied("USE ROLE MOVIES_READER", "a" * 64) == []
    assert applied("SELECT 2", "b" * 64) == ["998_try.sql"]
    assert applied("SELECT 2", "b" * 64) == []


def test_a_deleted_stack_is_made_anew_around_the_buckets_that_it_left(provisioned_cloud: Settings):
    settings = another(provisioned_cloud, "deleted")
    provision(settings)
    s3 = aws_client(settings, "s3")
    s3.put_object(Bucket=settings.bucket("landing"), Key="movies/kept.zip", Body=b"kept")
    cloudformation = aws_client(settings, "cloudformation")
    for name in (settings.stack_name, f"{settings.stack_name}-bootstrap"):
        cloudformation.delete_stack(StackName=name)
        eventually(lambda name=name: not stack_deployer(settings).parameters(name))
    report = provision(settings)
    changes = [change for stack in report.stacks.values() for change in stack]
    imported = {change.logical_id for change in changes if change.action == "Import"}
    assert imported == {"LandingBucket", "ProcessedBucket", "ArchiveBucket", "ArtifactsBucket"}
    assert s3.get_object(Bucket=settings.bucket("landing"), Key="movies/kept.zip")["Body"].read() == b"kept"
    assert not provision(settings).changed


def test_a_changed_package_reaches_the_function(provisioned_cloud: Settings, monkeypatch: pytest.MonkeyPatch):
    from movie_platform.provision import lambda_package

    settings = another(provisioned_cloud, "changed")
    provision(settings)
    function = aws_client(settings, "lambda")

    def deployed() -> str:
        return function.get_function_configuration(FunctionName=settings.unpack_function_name)["CodeSha256"]

    before = deployed()
    monkeypatch.setattr(lambda_package, "FOLDERS", (*lambda_package.FOLDERS, "export"))
    report = provision(settings)
    assert [key for key in report.artifacts if key.startswith("packages/unpack-")]
    assert deployed() != before


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Settings]:
    """A cloud of the test's own, to be killed."""
    home = tmp_path / "home"
    try:
        supervisor.up(home)
        yield Settings(home=home)
    finally:
        supervisor.down(home)


def kill(home: Path, service: str) -> None:
    (pid,) = [each.pid for each in supervisor.status(home).services if each.name == service and each.pid]
    os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]
    )


@pytest.fixture
def slow_trust(tmp_path: Path) -> Iterator[Settings]:
    """A cloud of the test's own, in which what IAM is told counts after some seconds."""
    home = tmp_path / "home"
    set_options(home, "--trust-delay-seconds=4")
    try:
        supervisor.up(home)
        yield Settings(home=home)
    finally:
        supervisor.down(home)


def test_pipes_wait_until_the_roles_trust_counts_and_all_sql_at_once_does_not(slow_trust: Settings):
    lines: list[str] = []
    # The order of before: the role trusts what the integration says only after all SQL.
    arn = "arn:aws:iam::000000000000:role/not-created-yet"
    files = load_sql_files(SQL_FOLDER, sql_parameters(slow_trust, arn))
    prepared = prepare_account(slow_trust, files, query_tag="test", progress=lambda _line: None)
    with connect_deployer(slow_trust, query_tag="test") as session:
        deployment = SqlDeployment(
            session,
            files,
            SchemaHistory(session, slow_trust.snowflake_database),
            role=slow_trust.snowflake_owner_role,
            warehouse=slow_trust.snowflake_warehouse,
            noted=prepared,
            progress=lambda _line: None,
        )
        with pytest.raises(SqlFileError) as caught:
            deployment.apply(*(each for each in Pass if each is not Pass.ACCOUNT))
    assert caught.value.number == ROLE_NOT_ASSUMED
    assert "200_pipes.sql" in str(caught.value)
    assert "Error assuming AWS_ROLE" in str(caught.value)

    provision(slow_trust, progress=lines.append)
    waits = [line for line in lines if "does not let Snowflake in yet" in line]
    assert 1 <= len(waits) <= 4
    assert not provision(slow_trust).changed


@pytest.fixture
def aging_cloud(tmp_path: Path) -> Iterator[Settings]:
    """A cloud of the test's own, whose clock it puts ahead."""
    home = tmp_path / "home"
    set_options(home, clock_option(home))
    try:
        supervisor.up(home)
        yield Settings(home=home)
    finally:
        supervisor.down(home)


def doctor(settings: Settings) -> dict[str, tuple[str, str]]:
    """State and finding of each check."""
    result = CliRunner().invoke(app, ["doctor", "--home", str(settings.home), "--json"])
    return {found["name"]: (found["state"], found["found"]) for found in json.loads(result.stdout)["checks"]}


def test_streams_that_went_stale_are_found_by_the_doctor_and_made_anew_by_provision(aging_cloud: Settings):
    provision(aging_cloud)
    assert {doctor(aging_cloud)[name][0] for name in ("task graph", "streams", "pending days")} == {"ok"}
    database = aging_cloud.snowflake_database
    with connect(aging_cloud, login="deployer") as session:
        # The root, which reads them, was suspended for weeks.
        statements(session, f"ALTER TASK {database}.CORE.COLLECT_ARRIVALS SUSPEND")
        pass_days(aging_cloud.home, 15)
        stale = [row for row in query_rows(session, "SHOW STREAMS IN ACCOUNT") if row["stale"] == "true"]
    assert len(stale) == 7
    found = doctor(aging_cloud)
    assert found["task graph"] == ("fault", "task CORE.COLLECT_ARRIVALS is suspended")
    assert found["streams"][0] == "fault"
    assert "stream RAW.MOVIES_STREAM is stale" in found["streams"][1]

    planned = provision(aging_cloud, dry_run=True)
    assert f"stream {database}.RAW.MOVIES_STREAM" in planned.sql_files
    assert len(planned.sql_files) == 7
    # Streams are mended first; the task is somebody's to resume, and named.
    with pytest.raises(NotAsDescribedError, match="COLLECT_ARRIVALS is suspended") as caught:
        provision(aging_cloud)
    assert "stale" not in str(caught.value)
    with connect(aging_cloud, login="deployer") as session:
        statements(session, f"ALTER TASK {database}.CORE.COLLECT_ARRIVALS RESUME")
    assert not provision(aging_cloud).changed
    assert doctor(aging_cloud)["streams"] == ("ok", "none is stale")


def test_a_day_that_failed_too_often_is_found_by_the_doctor(aging_cloud: Settings):
    provision(aging_cloud)
    table = f"{aging_cloud.snowflake_database}.OPS.PENDING_DAYS"
    with connect(aging_cloud, login="deployer") as session:
        statements(
            session,
            f"INSERT INTO {table} (source, dt, arrived_at, attempts, error_message) "
            f"SELECT 'demo', '2026-11-18'::DATE, SYSDATE(), {ATTEMPTS_A_DAY}, 'Division by zero' "
            f"UNION ALL SELECT 'demo', '2026-11-19', SYSDATE(), {ATTEMPTS_A_DAY - 1}, 'Division by zero'",
        )
    assert doctor(aging_cloud)["pending days"] == ("fault", "demo of 2026-11-18 (Division by zero)")


def statements(session: SnowflakeConnection, *texts: str) -> None:
    with session.cursor() as cursor:
        for text in texts:
            cursor.execute(text)


def test_after_the_loss_of_all_state_but_the_objects_everything_is_made_anew_around_them(own_cloud: Settings):
    provision(own_cloud)
    s3 = aws_client(own_cloud, "s3")
    s3.put_object(Bucket=own_cloud.bucket("archive"), Key="_runs/kept.json", Body=b"kept")
    kill(own_cloud.home, "aws")
    shutil.rmtree(own_cloud.home / "aws" / "state")
    supervisor.up(own_cloud.home)
    settings = Settings(home=own_cloud.home)
    s3 = aws_client(settings, "s3")

    planned = provision(settings, dry_run=True)
    assert "Import" in {change.action for change in planned.stacks[settings.stack_name]}
    report = provision(settings)
    imported = {
        change.logical_id for change in report.stacks[settings.stack_name] if change.action == "Import"
    }
    assert "ArchiveBucket" in imported
    assert report.artifacts == ()  # the packages survived with their bucket
    assert s3.get_object(Bucket=settings.bucket("archive"), Key="_runs/kept.json")["Body"].read() == b"kept"
    topics = s3.get_bucket_notification_configuration(Bucket=settings.bucket("landing"))
    assert topics.get("TopicConfigurations")
    queues = s3.get_bucket_notification_configuration(Bucket=settings.bucket("archive"))
    assert len(queues.get("QueueConfigurations", [])) == len(ARCHIVE_TABLES)
    assert not provision(settings).changed


def test_a_killed_cloud_that_kept_its_state_needs_no_change(own_cloud: Settings):
    provision(own_cloud)
    wait_until_saved(own_cloud.home)
    kill(own_cloud.home, "aws")
    kill(own_cloud.home, "snowflake")
    supervisor.up(own_cloud.home)
    settings = Settings(home=own_cloud.home)
    report = provision(settings)
    assert report.sql_files == ()
    assert report.artifacts == ()
    assert not provision(settings).changed


def test_the_template_of_the_deployed_stack_is_the_committed_one(provisioned_cloud: Settings):
    from movie_platform.provision.files import TEMPLATE

    resources = aws_client(provisioned_cloud, "cloudformation").get_paginator("list_stack_resources")
    deployed = {
        summary["LogicalResourceId"]
        for page in resources.paginate(StackName=provisioned_cloud.stack_name)
        for summary in page["StackResourceSummaries"]
    }
    declared = load_template(TEMPLATE)["Resources"]
    assert deployed == {name for name, resource in declared.items() if "Condition" not in resource}
