"""What a successful run leaves in its output bucket: the plan (pure), and carrying it out through S3's API.

A run writes into a staging folder that stands for the bucket. Only when it has succeeded do its files become
objects, in the order in which they were last written, so that a file that announces others follows them. A
folder with a `_SUCCESS` was replaced as a whole by Spark: keys below it that the run did not write are
deleted then, and its `_SUCCESS` is put last of all. An object that has the same bytes already is left alone:
nobody is notified of nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3.s3.transfer
import botocore.exceptions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SUCCESS = "_SUCCESS"
# Work in progress of Spark's committers and of scripts; it never was output.
_WORK_FOLDERS = frozenset({"_temporary", "_staging"})
PART_BYTES = 64 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_DELETE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file of the staging folder: the key that it stands for, its size, and when it was last written (ns)."""

    key: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """Keys to put, in order; prefixes below which all but `kept` is stale; then the last keys to put."""

    first: tuple[StagedFile, ...]
    replaced_prefixes: tuple[str, ...]
    last: tuple[StagedFile, ...]
    kept: frozenset[str]


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """How many objects of a bucket were put, were the same already, and were deleted."""

    put: int
    unchanged: int
    deleted: int


def is_output(key: str) -> bool:
    """Whether a staged file is output: not a checksum file, not hidden, not in a folder of unfinished work."""
    parts = key.split("/")
    return not any(part.startswith(".") for part in parts) and not _WORK_FOLDERS.intersection(parts[:-1])


def plan(files: Iterable[StagedFile]) -> UploadPlan:
    """Decide what to do with what a run wrote into one bucket."""
    output = sorted(
        (file for file in files if is_output(file.key)), key=lambda file: (file.modified_ns, file.key)
    )
    markers = tuple(file for file in output if file.key.rpartition("/")[2] == SUCCESS)
    return UploadPlan(
        first=tuple(file for file in output if file not in markers),
        replaced_prefixes=tuple(sorted({file.key.removesuffix(SUCCESS) for file in markers})),
        last=markers,
        kept=frozenset(file.key for file in output),
    )


def staged_files(folder: Path) -> Iterator[StagedFile]:
    """The files of a staging folder; links are not followed, they are not files that the run wrote."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            details = path.stat()
            yield StagedFile(path.relative_to(folder).as_posix(), details.st_size, details.st_mtime_ns)


def upload(client: "S3Client", bucket: str, folder: Path) -> UploadCounts:
    """Bring a bucket to what a run left in its staging folder. May be repeated: it continues where it was
    broken off.
    """
    todo = plan(staged_files(folder))
    put = sum(_put_unless_same(client, bucket, folder, file) for file in todo.first)
    deleted = sum(_delete_stale(client, bucket, prefix, todo.kept) for prefix in todo.replaced_prefixes)
    put += sum(_put_unless_same(client, bucket, folder, file) for file in todo.last)
    return UploadCounts(put=put, unchanged=len(todo.first) + len(todo.last) - put, deleted=deleted)


def etag_of(path: Path, size: int, *, part_bytes: int = PART_BYTES) -> str:
    """The ETag that S3 gives a file: its MD5, or for a file put in parts the MD5 of the parts' MD5s and their
    number.
    """
    digests: list[bytes] = []
    with path.open("rb") as handle:
        while True:
            digest = hashlib.md5(usedforsecurity=False)
            remaining = part_bytes
            while remaining and (chunk := handle.read(min(_READ_BYTES, remaining))):
                digest.update(chunk)
                remaining -= len(chunk)
            if remaining == part_bytes and digests:
                break
            digests.append(digest.digest())
            if remaining:
                break
    if size < part_bytes:
        return f'"{digests[0].hex()}"'
    whole = hashlib.md5(b"".join(digests), usedforsecurity=False).hexdigest()
    return f'"{whole}-{len(digests)}"'


def _put_unless_same(client: "S3Client", bucket: str, folder: Path, file: StagedFile) -> bool:
    path = folder / file.key
    try:
        head = client.head_object(Bucket=bucket, Key=file.key)
        if head["ContentLength"] == file.size and head["ETag"] == etag_of(path, file.size):
            return False
    except botocore.exceptions.ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 404:
            raise
    config = boto3.s3.transfer.TransferConfig(
        multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
    )
    client.upload_file(str(path), bucket, file.key, Config=config)
    return True


def _delete_stale(client: "S3Client", bucket: str, prefix: str, kept: frozenset[str]) -> int:
    stale: list[str] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        found = (entry.get("Key", "") for entry in page.get("Contents", ()))
        stale.extend(key for key in found if key not in kept)
    for begin in range(0, len(stale), _DELETE_BATCH):
        batch = stale[begin : begin + _DELETE_BATCH]
        answer = client.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
        )
        if errors := answer.get("Errors"):
            raise OSError(f"s3://{bucket}/{errors[0].get('Key')}: {errors[0].get('Message')}")
    return len(stale)
