"""What Snowflake may read through an integration: the role in IAM, its trust and its policies.

Configuring a Snowflake storage integration to access Amazon S3
(docs.snowflake.com/en/user-guide/data-load-s3-config-storage-integration).
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import (
    SnowflakeCloud,
    StorageRole,
    dicts,
    rows,
    trust_policy,
    wait_for,
)

pytestmark = pytest.mark.cloud

NOT_ASSUMED = 3167
DENIED = 91003
COPY = "COPY INTO films FROM @archive/films/ FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"


class Place:
    """A bucket with a file, a role that reads it, a stage through its integration. The role trusts nobody yet."""

    def __init__(self, cloud: SnowflakeCloud, connection: SnowflakeConnection) -> None:
        self.cloud = cloud
        self.connection = connection
        self.bucket = cloud.bucket(f"roles-{uuid.uuid4().hex[:10]}")
        cloud.put_parquet(self.bucket, "films/a.parquet", {"id": ["a", "b"]})
        rows(connection, f"CREATE SCHEMA ROLES.T{uuid.uuid4().hex[:8]}")
        rows(connection, "CREATE TABLE films (id VARCHAR)")
        self.role = StorageRole.create(cloud.client("iam"), self.bucket)
        described = self.role.create_integration(connection)
        self.user = described["STORAGE_AWS_IAM_USER_ARN"]
        self.external_id = described["STORAGE_AWS_EXTERNAL_ID"]
        rows(
            connection,
            f"CREATE STAGE archive URL = 's3://{self.bucket}/' STORAGE_INTEGRATION = {self.role.integration}",
        )

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.connection, sql)

    def trust(self) -> None:
        self.role.trust(self.user, self.external_id)

    def refusal(self, sql: str) -> tuple[int | None, str]:
        with pytest.raises(snowflake.connector.ProgrammingError) as caught:
            self.run(sql)
        return caught.value.errno, str(caught.value.msg)

    def validate(self, action: str, file: str = "films/a.parquet") -> dict[str, Any]:
        answer = self.run(
            f"SELECT SYSTEM$VALIDATE_STORAGE_INTEGRATION('{self.role.integration}', 's3://{self.bucket}/', "
            f"'{file}', '{action}')"
        )
        return json.loads(answer[0][0])


READERS = {
    "CREATE PIPE": f"CREATE PIPE p AUTO_INGEST = TRUE AS {COPY}",
    "COPY INTO": COPY,
    "LIST": "LIST @archive",
}


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        rows(opened, "CREATE DATABASE ROLES")
        yield opened


@pytest.fixture
def place(snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection) -> Place:
    return Place(snowflake_cloud, connection)


@pytest.mark.parametrize("statement", READERS.values(), ids=READERS)
def test_a_role_that_does_not_trust_the_integration_is_not_assumed(place: Place, statement: str) -> None:
    number, message = place.refusal(statement)
    assert number == NOT_ASSUMED
    assert (
        f"Error assuming AWS_ROLE:\nUser: {place.user} is not authorized to perform: sts:AssumeRole "
        f"on resource: {place.role.arn}"
    ) in message
    place.trust()
    place.run(statement)


def no_role(place: Place) -> None:
    place.trust()
    place.role.iam.delete_role_policy(RoleName=place.role.name, PolicyName="read")
    place.role.iam.delete_role(RoleName=place.role.name)


def another_external_id(place: Place) -> None:
    place.role.trust(place.user, "0000")


def another_user(place: Place) -> None:
    place.role.trust(f"{place.user}-2", place.external_id)


def a_new_external_id(place: Place) -> None:
    """CREATE OR REPLACE STORAGE INTEGRATION makes a new external id: the trust in the old one counts no more."""
    place.trust()
    place.run(
        f"CREATE OR REPLACE STORAGE INTEGRATION {place.role.integration} TYPE = EXTERNAL_STAGE "
        f"STORAGE_PROVIDER = 'S3' ENABLED = TRUE STORAGE_AWS_ROLE_ARN = '{place.role.arn}' "
        f"STORAGE_ALLOWED_LOCATIONS = ('s3://{place.bucket}/')"
    )


@pytest.mark.parametrize("change", [no_role, another_external_id, another_user, a_new_external_id])
def test_a_role_has_to_exist_and_to_trust_this_user_with_this_external_id(
    place: Place, change: Callable[[Place], None]
) -> None:
    change(place)
    assert place.refusal("LIST @archive")[0] == NOT_ASSUMED


@pytest.mark.parametrize(
    ("allowed", "listing", "reading"),
    [
        (("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation"), True, True),
        (("s3:Get*", "s3:List*"), True, True),
        (("s3:ListBucket", "s3:GetBucketLocation"), True, False),
        (("s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"), True, False),
        (("s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketLocation"), False, False),
        (("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"), False, False),
    ],
)
def test_the_roles_policies_have_to_allow_what_is_done(
    place: Place, allowed: tuple[str, ...], listing: bool, reading: bool
) -> None:
    place.trust()
    place.role.allow(*allowed)
    for statement, works in ((READERS["LIST"], listing), (COPY, reading), (READERS["CREATE PIPE"], reading)):
        if works:
            place.run(statement)
        else:
            number, message = place.refusal(statement)
            assert (number, "Error Code: AccessDenied" in message) == (DENIED, True)


def test_a_policy_for_one_prefix_opens_no_other(place: Place) -> None:
    place.trust()
    iam = place.role.iam
    statements = [
        {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": f"arn:aws:s3:::{place.bucket}"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{place.bucket}",
            "Condition": {"StringLike": {"s3:prefix": ["films/*"]}},
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.delete_role_policy(RoleName=place.role.name, PolicyName="read")
    arn = iam.create_policy(PolicyName=f"p-{uuid.uuid4().hex[:8]}", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=place.role.name, PolicyArn=arn)
    assert len(place.run("LIST @archive/films/")) == 1
    assert place.refusal("LIST @archive")[0] == DENIED


def test_a_stage_without_an_integration_reads_public_buckets_alone(place: Place) -> None:
    """CREATE STAGE: without STORAGE_INTEGRATION and CREDENTIALS a bucket has to be public."""
    place.run(f"CREATE STAGE open URL = 's3://{place.bucket}/'")
    assert place.refusal("LIST @open")[0] == DENIED
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation"],
        "Resource": [f"arn:aws:s3:::{place.bucket}", f"arn:aws:s3:::{place.bucket}/*"],
    }
    place.cloud.client("s3").put_bucket_policy(
        Bucket=place.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert len(place.run("LIST @open")) == 1
    assert place.run(COPY.replace("@archive", "@open"))[0][1] == "LOADED"


def test_a_pipe_refresh_needs_the_role_too_and_the_pipe_says_what_is_wrong(place: Place) -> None:
    """ALTER PIPE (REFRESH); SYSTEM$PIPE_STATUS: STALLED_STAGE_PERMISSION_ERROR."""
    place.trust()
    place.run(READERS["CREATE PIPE"])
    another_external_id(place)
    assert place.refusal("ALTER PIPE p REFRESH")[0] == NOT_ASSUMED
    status = json.loads(place.run("SELECT SYSTEM$PIPE_STATUS('p')")[0][0])
    assert status["executionState"] == "STALLED_STAGE_PERMISSION_ERROR"
    assert "Error assuming AWS_ROLE" in status["error"]
    place.trust()
    assert json.loads(place.run("SELECT SYSTEM$PIPE_STATUS('p')")[0][0])["executionState"] == "RUNNING"
    place.run("ALTER PIPE p REFRESH")
    wait_for(lambda: place.run("SELECT count(*) FROM films") == [(2,)])


def test_files_wait_while_the_role_is_not_assumed(place: Place) -> None:
    place.trust()
    place.run(READERS["CREATE PIPE"])
    place.cloud.notify(place.bucket, dicts(place.connection, "SHOW PIPES")[0]["notification_channel"])
    another_external_id(place)
    place.cloud.put_parquet(place.bucket, "films/late.parquet", {"id": ["c"]})
    status = "SELECT SYSTEM$PIPE_STATUS('p')"
    wait_for(lambda: "lastPipeErrorTimestamp" in place.run(status)[0][0])
    assert place.run("SELECT count(*) FROM films") == [(0,)]
    place.trust()
    wait_for(lambda: place.run("SELECT count(*) FROM films") == [(1,)])


def test_validation_says_what_the_role_may_do(place: Place) -> None:
    """SYSTEM$VALIDATE_STORAGE_INTEGRATION."""
    answer = place.validate("all")
    assert (answer["status"], "Error assuming AWS_ROLE" in answer["message"]) == ("failure", True)
    place.trust()
    assert place.validate("list") == {"status": "success", "actions": {"LIST": {"status": "success"}}}
    assert place.validate("read")["status"] == "success"
    assert "NoSuchKey" in place.validate("read", "not-there")["actions"]["READ"]["message"]
    answer = place.validate("all")
    assert answer["status"] == "failure"
    assert {name: found["status"] for name, found in answer["actions"].items()} == {
        "READ": "success",
        "WRITE": "failure",
        "LIST": "success",
        "DELETE": "failure",
    }
    with pytest.raises(snowflake.connector.ProgrammingError, match="does not exist"):
        place.run("SELECT SYSTEM$VALIDATE_STORAGE_INTEGRATION('nowhere', 's3://b/', 'f', 'all')")
    assert place.refusal(
        f"SELECT SYSTEM$VALIDATE_STORAGE_INTEGRATION('{place.role.integration}', 's3://elsewhere/', 'f', 'all')"
    )[0]


def test_a_new_trust_counts_after_a_while(
    tmp_path_factory: pytest.TempPathFactory, clean_environment: None
) -> None:
    """AWS: changes of IAM are eventually consistent."""
    cloud = SnowflakeCloud(tmp_path_factory.mktemp("delay") / "home", ("--trust-delay-seconds=3",))
    try:
        cloud.up()
        with cloud.connect() as opened:
            rows(opened, "CREATE DATABASE ROLES")
            place = Place(cloud, opened)
            assert place.refusal("LIST @archive")[0] == NOT_ASSUMED
            place.trust()
            began = time.monotonic()
            assert place.refusal("LIST @archive")[0] == NOT_ASSUMED
            wait_for(lambda: listed(place))
            assert time.monotonic() - began > 3
            another_external_id(place)
            assert place.refusal("LIST @archive")[0] == NOT_ASSUMED
    finally:
        cloud.down()


def listed(place: Place) -> bool:
    try:
        return bool(place.run("LIST @archive"))
    except snowflake.connector.ProgrammingError:
        return False


def test_the_trust_policy_is_that_of_the_manual() -> None:
    statement = json.loads(trust_policy("arn:aws:iam::1:user/x", "id"))["Statement"][0]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "id"}}
