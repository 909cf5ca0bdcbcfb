"""What the function asks of S3 and SNS: bounded, conditional where two callers may meet."""

import functools
import json
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from movie_platform.lambdas.events import LandedObject
from movie_platform.lambdas.landed import LandedBundle, ObjectState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

_CLIENT = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})
_DOWNLOAD_BYTES = 1 << 20
_PART_BYTES = 16 * 1024 * 1024
_PARTS_IN_MEMORY = 4
_SHA256 = "sha256"
_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound"})
_PRECONDITION_FAILED = frozenset({"412", "PreconditionFailed"})
# Another conditional write to the same key was on its way at the same moment.
_CONFLICT = frozenset({"409", "ConditionalRequestConflict"})
_CONFLICT_ATTEMPTS = 5


class ObjectMissingError(Exception):
    """The object is not there."""


class ObjectReplacedError(Exception):
    """The object changed between two requests for it."""


class IncompleteDownloadError(Exception):
    """S3 closed the connection before the whole object had come."""


@functools.cache
def s3_client() -> "S3Client":
    """One client a process: a warm function keeps its connections."""
    return boto3.client("s3", config=_CLIENT)


@functools.cache
def sns_client() -> "SNSClient":
    """One client a process, as for S3."""
    return boto3.client("sns", config=_CLIENT)


def describe(landed: LandedObject) -> ObjectState:
    """The state of a landed object. ObjectMissingError."""
    state = _head(**_source(landed))
    if state is None:
        raise ObjectMissingError(f"s3://{landed.bucket}/{landed.key} is not there.")
    return state


def describe_published(bucket: str, key: str) -> ObjectState | None:
    """The state of an object that the function may have published, None where it did not."""
    return _head(Bucket=bucket, Key=key)


def read_range(bundle: LandedBundle, offset: int, length: int) -> bytes:
    """At most `length` bytes from `offset`; empty beyond the object's end. ObjectReplacedError."""
    try:
        answer = s3_client().get_object(Range=f"bytes={offset}-{offset + length - 1}", **_exactly(bundle))
    except ClientError as error:
        if _code(error) == "InvalidRange":
            return b""
        raise _replaced(error, bundle) from error
    with answer["Body"] as body:
        return body.read(length)


def download(bundle: LandedBundle, target: BinaryIO) -> None:
    """Writes the whole object to `target` in one stream. ObjectReplacedError, IncompleteDownloadError."""
    try:
        answer = s3_client().get_object(**_exactly(bundle))
    except ClientError as error:
        raise _replaced(error, bundle) from error
    size = 0
    with answer["Body"] as body:
        while chunk := body.read(_DOWNLOAD_BYTES):
            size += len(chunk)
            if size > bundle.state.size:
                break
            target.write(chunk)
    if size != bundle.state.size:
        raise IncompleteDownloadError(
            f"{bundle.uri} has {bundle.state.size} bytes, but {size} came: call again."
        )
    target.flush()


def read_document(bucket: str, key: str) -> dict[str, Any] | None:
    """A JSON document that the function wrote, None where there is none."""
    data = read_bytes(bucket, key)
    return None if data is None else json.loads(data)


def read_bytes(bucket: str, key: str) -> bytes | None:
    """The bytes of a small object that the function wrote, None where there is none."""
    try:
        answer = s3_client().get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _code(error) in _NOT_FOUND:
            return None
        raise
    with answer["Body"] as body:
        return body.read()


def create(bucket: str, key: str, data: bytes, sha256: str | None = None) -> bool:
    """Puts an object unless there is one; whether this call created it. Of two callers at once, one does."""
    metadata = {_SHA256: sha256} if sha256 else {}
    for attempt in range(_CONFLICT_ATTEMPTS):
        try:
            s3_client().put_object(
                Bucket=bucket,
                Key=key,
                Body=data,
                ContentType="application/json",
                Metadata=metadata,
                IfNoneMatch="*",
            )
        except ClientError as error:
            if _code(error) in _PRECONDITION_FAILED:
                return False
            if _code(error) not in _CONFLICT or attempt == _CONFLICT_ATTEMPTS - 1:
                raise
        else:
            return True
    return False


def delete(bucket: str, key: str) -> None:
    """Removes an object that this call created."""
    s3_client().delete_object(Bucket=bucket, Key=key)


def upload(stream: BinaryIO, bucket: str, key: str, sha256: str, content_type: str) -> None:
    """Uploads a stream in parts, a few of which are in memory at a time. The object appears when it is
    whole.
    """
    config = TransferConfig(
        multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=_PARTS_IN_MEMORY
    )
    config.max_in_memory_upload_chunks = _PARTS_IN_MEMORY
    s3_client().upload_fileobj(
        stream,
        bucket,
        key,
        ExtraArgs={"Metadata": {_SHA256: sha256}, "ContentType": content_type},
        Config=config,
    )


def copy(bundle: LandedBundle, bucket: str, key: str) -> None:
    """Copies a landed object as it was described. ObjectReplacedError."""
    try:
        s3_client().copy(
            _source(bundle.landed),  # pyright: ignore[reportArgumentType] - the stub wants a TypedDict with every key
            bucket,
            key,
            ExtraArgs={"CopySourceIfMatch": bundle.state.etag},
        )
    except ClientError as error:
        raise _replaced(error, bundle) from error


def publish_alert(topic_arn: str, subject: str, message: str, kind: str) -> None:
    """Sends a message to the alert topic."""
    sns_client().publish(
        TopicArn=topic_arn,
        Subject=subject,
        Message=message,
        MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
    )


def _head(**which: Any) -> ObjectState | None:
    try:
        answer = s3_client().head_object(**which)
    except ClientError as error:
        if _code(error) in _NOT_FOUND:
            return None
        raise
    return ObjectState(
        answer["ContentLength"], answer["ETag"].strip('"'), answer.get("Metadata", {}).get(_SHA256)
    )


def _source(landed: LandedObject) -> dict[str, str]:
    """Which object to read, in the version that the event named if it named one."""
    version = {"VersionId": landed.version_id} if landed.version_id else {}
    return {"Bucket": landed.bucket, "Key": landed.key, **version}


def _exactly(bundle: LandedBundle) -> dict[str, Any]:
    """Arguments that read the object only as it was described."""
    return {**_source(bundle.landed), "IfMatch": bundle.state.etag}


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _replaced(error: ClientError, bundle: LandedBundle) -> Exception:
    if _code(error) in _NOT_FOUND | _PRECONDITION_FAILED:
        return ObjectReplacedError(f"{bundle.uri} was replaced or deleted meanwhile.")
    return error
