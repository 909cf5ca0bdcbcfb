"""What the job asks of S3 through the API: small JSON objects and which keys exist. Data goes through Spark."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 5})


class Client(Protocol):
    """The part of boto3's S3 and Glue clients that this job uses; their methods are made at run time."""

    def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object lies in S3, whether or not there is one."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "Location":
        """The location that an `s3://bucket/key` URI names."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        """The location as `s3://bucket/key`, as Spark takes it."""
        return f"s3://{self.bucket}/{self.key}"


def aws_client(service: str) -> Client:
    """A boto3 client with time limits; endpoint, region and credentials come from boto3's own configuration."""
    session: Any = boto3
    return session.client(service, config=_CONFIG)


def read_json(client: Client, location: Location) -> Any | None:
    """The JSON value of an object; None where there is no such object."""
    try:
        body = client.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            return None
        raise
    return json.loads(body)


def list_sizes(client: Client, bucket: str, prefix: str) -> dict[str, int]:
    """The size in bytes of each object whose key begins with the prefix, by key."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {item["Key"]: int(item["Size"]) for page in pages for item in page.get("Contents", ())}
