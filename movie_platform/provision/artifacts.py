"""The code packages that AWS runs, under keys made of their content: uploaded once, never overwritten."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from movie_platform.provision.glue_package import ENTRY_SCRIPT, build_modules_zip
from movie_platform.provision.lambda_package import build_package

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Artifact:
    """A package: the template's parameter that names it, its key in the artifacts bucket and its bytes."""

    parameter: str
    key: str
    content: bytes

    @classmethod
    def of(cls, parameter: str, stem: str, extension: str, content: bytes) -> "Artifact":
        """An artifact under `packages/`, its key made of the content's SHA-256."""
        digest = hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
        return cls(parameter, f"packages/{stem}-{digest}.{extension}", content)


def build_artifacts() -> tuple[Artifact, ...]:
    """The packages of the present sources: the unpack function, the Glue job's script and its modules."""
    return (
        Artifact.of("UnpackPackageKey", "unpack", "zip", build_package()),
        Artifact.of("GlueScriptKey", ENTRY_SCRIPT.stem, "py", ENTRY_SCRIPT.read_bytes()),
        Artifact.of("GlueModulesKey", "glue-modules", "zip", build_modules_zip()),
    )


def missing_artifacts(s3: "S3Client", bucket: str, artifacts: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    """The artifacts that the bucket does not hold; all of them where there is no such bucket."""
    return tuple(artifact for artifact in artifacts if not _exists(s3, bucket, artifact.key))


def upload_artifacts(s3: "S3Client", bucket: str, artifacts: tuple[Artifact, ...]) -> None:
    """Puts artifacts into the bucket, under keys that hold their checksum: what is there is never changed."""
    for artifact in artifacts:
        s3.put_object(Bucket=bucket, Key=artifact.key, Body=artifact.content)


def _exists(s3: "S3Client", bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            return False
        raise
    return True
