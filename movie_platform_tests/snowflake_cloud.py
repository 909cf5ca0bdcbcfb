"""A local Snowflake for tests, with the local AWS beside it: connections, staged files, kill and restart."""

import io
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform.local_cloud import supervisor
from movie_platform.local_cloud.services import AWS, SNOWFLAKE
from movie_platform.settings import Settings

SERVICES = (AWS, SNOWFLAKE)
WAREHOUSE = "TESTS_WH"


@dataclass(frozen=True)
class SnowflakeCloud:
    """Both servers in one home."""

    home: Path

    def up(self) -> None:
        """Starts what is not running."""
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
