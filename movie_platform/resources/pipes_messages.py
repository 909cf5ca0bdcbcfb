"""Where Pipes messages lie in the artifacts bucket. Imports dagster_aws.pipes, which takes seconds: import when used.

Neither the context nor the messages are cleaned up by the library; a lifecycle rule of the bucket expires what is
under `pipes/`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster_aws.pipes import PipesS3ContextInjector, PipesS3MessageReader
from mypy_boto3_s3 import S3Client

PREFIX = "pipes/"
POLL_SECONDS = 2


class PrefixedS3MessageReader(PipesS3MessageReader):
    """Reads messages below `pipes/messages/`, where the parent would put them at the root of the bucket."""

    @contextmanager
    def get_params(self) -> Iterator[dg.PipesParams]:
        """The parent's parameters with the prefix before the random part of the key."""
        with super().get_params() as params:
            yield {**params, "key_prefix": f"{PREFIX}messages/{params['key_prefix']}"}


def s3_pipes(bucket: str, client: S3Client) -> tuple[PipesS3ContextInjector, PrefixedS3MessageReader]:
    """How a job in AWS gets its context from, and sends its messages to, a bucket."""
    return (
        PipesS3ContextInjector(bucket=bucket, client=client, key_prefix=f"{PREFIX}context/"),
        PrefixedS3MessageReader(bucket=bucket, client=client, interval=POLL_SECONDS),
    )
