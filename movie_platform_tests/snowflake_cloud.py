"""A local Snowflake for tests, with the local AWS beside it: connections, staged files, kill and restart."""

import io
import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import boto3
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform.local_cloud import supervisor
from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.services import AWS, SNOWFLAKE
from movie_platform.settings import Settings

SERVICES = (AWS, SNOWFLAKE)
WAREHOUSE = "TESTS_WH"


def set_options(home: Path, *options: str) -> None:
    """Has the local Snowflake of a home start with these arguments."""
    place = Home.at(home)
    place.create()
    place.snowflake_options.write_text("".join(f"{option}\n" for option in options))


def clock_option(home: Path) -> str:
    """The argument with which the local Snowflake of a home lets time pass as `pass_days` says."""
    return f"--clock-file={Home.at(home).root / 'snowflake.clock'}"


def pass_days(home: Path, days: float) -> None:
    """Puts the clock ahead by which streams and trusts age, from now on."""
    file = Home.at(home).root / "snowflake.clock"
    ahead = float(file.read_text()) if file.exists() else 0.0
    # Whoever reads the file never sees half of it.
    new = file.with_suffix(".new")
    new.write_text(str(ahead + days * 86400))
    new.replace(file)


@dataclass(frozen=True)
class StorageRole:
    """An IAM role that reads a bucket, and the storage integration of Snowflake that assumes it."""

    iam: Any
    name: str
    arn: str
    bucket: str
    prefix: str

    @classmethod
    def create(cls, iam: Any, bucket: str, *, prefix: str = "") -> Self:
        """A role with the policy that Snowflake's manual proposes for reading, and a trust in nobody yet."""
        name = f"snowflake-{uuid.uuid4().hex[:12]}"
        trust = trust_policy("arn:aws:iam::000000000000:root", "0000")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        role = cls(iam, name, arn, bucket, prefix)
        role.allow("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation")
        return role

    @property
    def integration(self) -> str:
        """The integration's name."""
        return self.name.replace("-", "_").upper()

    def allow(self, *actions: str) -> None:
        """Has the role's policy allow these actions and no others."""
        resources = [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/{self.prefix}*"]
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_role_policy(RoleName=self.name, PolicyName="read", PolicyDocument=document)

    def create_integration(self, connection: SnowflakeConnection) -> dict[str, str]:
        """Creates the integration and gives what DESC INTEGRATION says; the role does not trust it yet."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE STORAGE INTEGRATION {self.integration} TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' "
                f"ENABLED = TRUE STORAGE_AWS_ROLE_ARN = '{self.arn}' "
                f"STORAGE_ALLOWED_LOCATIONS = ('s3://{self.bucket}/{self.prefix}')"
            )
            cursor.execute(f"DESC INTEGRATION {self.integration}")
            return {str(row[0]): str(row[2]) for row in cursor.fetchall()}

    def trust(self, user_arn: str, external_id: str) -> None:
        """Has the role trust a user of Snowflake's with an external id."""
        self.iam.update_assume_role_policy(
            RoleName=self.name, PolicyDocument=trust_policy(user_arn, external_id)
        )

    def integrate(self, connection: SnowflakeConnection) -> None:
        """Creates the integration, and has the role trust it."""
        described = self.create_integration(connection)
        self.trust(described["STORAGE_AWS_IAM_USER_ARN"], described["STORAGE_AWS_EXTERNAL_ID"])


def trust_policy(principal: str, external_id: str) -> str:
    """The trust policy of Snowflake's manual."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class SnowflakeCloud:
    """Both servers in one home."""

    home: Path
    options: tuple[str, ...] = ()

    def up(self) -> None:
        """Starts what is not running."""
        set_options(self.home, *self.options)
        supervisor.up(self.home, services=SERVICES)
        with self.connect() as connection:
            rows(connection, f"CREATE WAREHOUSE IF NOT EXISTS {WAREHOUSE}")

    def down(self) -> None:
        """Stops both."""
        supervisor.down(self.home, services=SERVICES)

    @property
    def settings(self) -> Settings:
        """Settings that point at the servers."""
        return Settings(home=self.home)

    def connect(self, *, paramstyle: str = "pyformat", **options: Any) -> SnowflakeConnection:
        """A connection of the administrator, with a warehouse for what it computes."""
        settings = self.settings
        parameters: dict[str, Any] = {
            "account": settings.snowflake_account,
            "user": settings.snowflake_admin_user,
            "host": settings.snowflake_host,
            "port": settings.snowflake_port,
            "protocol": settings.snowflake_protocol,
            "warehouse": WAREHOUSE,
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": str(settings.snowflake_admin_private_key_path),
            "login_timeout": 15,
            "network_timeout": 30,
            "paramstyle": paramstyle,
            **options,
        }
        return snowflake.connector.connect(**parameters)

    def server(self) -> psutil.Process:
        """The Snowflake server's process."""
        status = supervisor.status(self.home, services=SERVICES)
        return psutil.Process(next(found.pid for found in status.services if found.name == "snowflake"))

    def kill(self) -> None:
        """Ends the Snowflake server as a power cut would."""
        process = self.server()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)

    @cached_property
    def _session(self) -> boto3.Session:
        settings = self.settings
        secret = settings.aws_secret_access_key
        return boto3.Session(
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            region_name=settings.aws_region,
        )

    def client(self, service: Any) -> Any:
        """A boto3 client of the local AWS."""
        return self._session.client(service, endpoint_url=self.settings.aws_endpoint_url)

    def bucket(self, name: str) -> str:
        """A new bucket."""
        self.client("s3").create_bucket(Bucket=name)
        return name

    def notify(self, bucket: str, queue_arn: str) -> None:
        """Has the bucket tell a queue of new objects, as the stack does."""
        events = ["s3:ObjectCreated:*"]
        self.client("s3").put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue_arn, "Events": events}]},
        )

    def create_stage(
        self, connection: SnowflakeConnection, stage: str, bucket: str, *, prefix: str = ""
    ) -> StorageRole:
        """A stage on a bucket, with the integration, the role and the policy that it is reached through."""
        role = StorageRole.create(self.client("iam"), bucket, prefix=prefix)
        role.integrate(connection)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE STAGE {stage} URL = 's3://{bucket}/{prefix}' STORAGE_INTEGRATION = {role.integration}"
            )
        return role

    def put_parquet(self, bucket: str, key: str, columns: Mapping[str, Sequence[Any] | pa.Array]) -> None:
        """Puts a Parquet file."""
        buffer = io.BytesIO()
        pq.write_table(pa.table(dict(columns)), buffer)
        self.put(bucket, key, buffer.getvalue())

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Puts an object."""
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def rows(connection: SnowflakeConnection, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [tuple(row) for row in cursor.fetchall()]


def dicts(connection: SnowflakeConnection, sql: str) -> list[dict[str, Any]]:
    """All rows of a statement, by column name."""
    with connection.cursor(snowflake.connector.DictCursor) as cursor:
        cursor.execute(sql)
        return [dict(row) for row in cursor.fetchall()]


def wait_for(condition: Callable[[], Any], *, seconds: float = 90) -> Any:
    """Waits until a condition gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {seconds} s")
        time.sleep(0.1)
