"""The objects of the local S3 that external stages see: listed through the S3 API, read where they lie.

MiniStack keeps an object as a plain file `<lake>/<account>/<bucket>/<key>`; reading it in place saves a copy. The API
says which objects exist and how large they are; where the plain file is not there or has another size (MiniStack
stores odd keys under other names), the object is fetched through the API. Sidecar files are never read.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from movie_platform.local_cloud.snowflake.errors import SnowflakeError

_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3, "mode": "standard"})
_POLL_CONFIG = Config(connect_timeout=5, read_timeout=40, retries={"max_attempts": 1, "mode": "standard"})
_SIDECAR = ".meta.json"
# The number of the error that says so; what failed with it may be tried again.
STORAGE_UNREACHABLE = 91016


@dataclass(frozen=True, slots=True)
class StagedFile:
    """An object that a stage shows. `etag` is without quotes; `last_modified` is aware (UTC)."""

    bucket: str
    key: str
    size: int
    etag: str
    last_modified: datetime

    @property
    def url(self) -> str:
        """The object's address."""
        return f"s3://{self.bucket}/{self.key}"


class Lake:
    """Access to the local S3, SQS and IAM. Credentials come from the environment, as boto3 finds them.

    `folder` holds S3's objects as plain files, where it does. Without an endpoint there is no S3 and no SQS: Amazon's
    own are never asked.
    """

    def __init__(
        self, folder: Path, *, endpoint: str | None, region: str, aws_account: str, scratch: Path
    ) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._region = region
        self._aws_account = aws_account
        self._scratch = scratch
        self._boto = boto3.Session(region_name=region)

    @cached_property
    def s3(self) -> Any:
        """An S3 client.

        Raises SnowflakeError where there is no endpoint.
        """
        return self._boto.client("s3", endpoint_url=self._required_endpoint(), config=_CONFIG)

    @cached_property
    def iam(self) -> Any:
        """An IAM client.

        Raises SnowflakeError where there is no endpoint.
        """
        return self._boto.client("iam", endpoint_url=self._required_endpoint(), config=_CONFIG)

    @cached_property
    def sqs(self) -> Any:
        """An SQS client, whose read timeout is above a long poll.

        Raises SnowflakeError where there is no endpoint.
        """
        return self._boto.client("sqs", endpoint_url=self._required_endpoint(), config=_POLL_CONFIG)

    def _required_endpoint(self) -> str:
        if self._endpoint is None:
            raise SnowflakeError(
                STORAGE_UNREACHABLE,
                "22000",
                "Remote storage cannot be reached: the local Snowflake was started without the endpoint of an AWS.",
            )
        return self._endpoint

    @property
    def region(self) -> str:
        """The AWS region."""
        return self._region

    def list(self, bucket: str, prefix: str) -> Iterator[StagedFile]:
        """The objects under a prefix, page by page, in the order of their keys.

        Raises SnowflakeError where the bucket cannot be listed.
        """
        try:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                for item in page.get("Contents", ()):
                    yield StagedFile(
                        bucket, item["Key"], int(item["Size"]), item["ETag"].strip('"'), item["LastModified"]
                    )
        except (ClientError, BotoCoreError) as error:
            raise _storage_error(bucket, prefix, error) from error

    def head(self, bucket: str, key: str) -> StagedFile | None:
        """One object, or None where it does not exist.

        Raises SnowflakeError where S3 cannot be asked.
        """
        try:
            answer = self.s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                return None
            raise _storage_error(bucket, key, error) from error
        except BotoCoreError as error:
            raise _storage_error(bucket, key, error) from error
        return StagedFile(
            bucket, key, int(answer["ContentLength"]), answer["ETag"].strip('"'), answer["LastModified"]
        )

    @contextmanager
    def local_path(self, file: StagedFile) -> Iterator[Path]:
        """A local file with the object's bytes, for as long as the context lasts."""
        path = self._in_place(file)
        if path is not None:
            yield path
            return
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            # The name keeps its ending: DuckDB finds the compression by it.
            path = Path(folder) / f"object-{Path(file.key).name[-100:]}"
            try:
                self.s3.download_file(file.bucket, file.key, str(path))
            except (ClientError, BotoCoreError) as error:
                raise _storage_error(file.bucket, file.key, error) from error
            yield path

    def _in_place(self, file: StagedFile) -> Path | None:
        root = (self._folder / self._aws_account / file.bucket).resolve()
        if file.key.endswith(_SIDECAR) or "\0" in file.key:
            return None
        path = (root / file.key).resolve()
        if not path.is_relative_to(root) or not path.is_file() or path.stat().st_size != file.size:
            return None
        return path


def _storage_error(bucket: str, key: str, error: Exception) -> SnowflakeError:
    return SnowflakeError(
        STORAGE_UNREACHABLE,
        "22000",
        f"Remote storage cannot be read: s3://{bucket}/{key}: {type(error).__name__}: {error}",
    )
