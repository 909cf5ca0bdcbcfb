"""How functions and jobs in AWS report to Dagster: Pipes messages in a log's tail, or in the artifacts bucket.

Imports dagster_aws.pipes, which takes seconds: import this module when it is used. Neither the context nor the
messages in the bucket are cleaned up by the library; a lifecycle rule of the bucket expires what is under `pipes/`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import dagster as dg
from dagster_aws.pipes import PipesLambdaLogsMessageReader, PipesS3ContextInjector, PipesS3MessageReader
from dagster_pipes import PIPES_PROTOCOL_VERSION_FIELD, PipesMessage, PipesParams

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PREFIX = "pipes/"
POLL_SECONDS = 2


class PrefixedS3MessageReader(PipesS3MessageReader):
    """Reads messages below `pipes/messages/`, where the parent would put them at the root of the bucket."""

    @property
    def expected_writer_count(self) -> int:
        """One job writes; the parent's own property is a preview."""
        return 1

    @contextmanager
    def get_params(self) -> Iterator[PipesParams]:
        """The parent's parameters with the prefix before the random part of the key."""
        with super().get_params() as params:
            yield {**params, "key_prefix": f"{PREFIX}messages/{params['key_prefix']}"}


class LogTailMessageReader(PipesLambdaLogsMessageReader):
    """Reads messages from the log's tail that an invocation returns; the parent prints all other lines on stdout."""

    @property
    def expected_writer_count(self) -> int:
        """One function writes; the parent's own property is a preview."""
        return 1

    def consume_log_tail(self, tail: str, log: dg.DagsterLogManager) -> None:
        """Hands Pipes messages to Dagster and all other lines to the run's log."""
        for line in tail.splitlines():
            message = _pipes_message(line)
            if message is None:
                log.debug(line)
            elif self._handler is not None:
                self._handler.handle_message(message)


def _pipes_message(line: str) -> "PipesMessage | None":
    try:
        found = json.loads(line)
    except ValueError:
        return None
    is_message = isinstance(found, dict) and PIPES_PROTOCOL_VERSION_FIELD in found
    return cast("PipesMessage", found) if is_message else None


def s3_pipes(bucket: str, client: "S3Client") -> tuple[PipesS3ContextInjector, PrefixedS3MessageReader]:
    """How a job in AWS gets its context from, and sends its messages to, a bucket."""
    return (
        PipesS3ContextInjector(bucket=bucket, client=client, key_prefix=f"{PREFIX}context/"),
        PrefixedS3MessageReader(bucket=bucket, client=client, interval=POLL_SECONDS),
    )
