"""Invoking the Lambda function that verifies and unpacks a bundle.

Differs from dagster_aws's PipesLambdaClient where that falls short: the function is invoked once (a client that
times out would invoke it again), its response is returned and typed, and a failure carries the log's tail.
"""

import base64
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from movie_platform.errors import PlatformError
from movie_platform.resources.aws import AwsResource


class UnpackFunctionError(PlatformError):
    """The function ended with an error instead of an answer; `log_tail` is the last of what it logged."""

    def __init__(self, function_name: str, error: str, log_tail: str) -> None:
        super().__init__(
            "unpack_function_failed",
            f"Lambda function {function_name} failed: {error}",
            f"read its log in CloudWatch, group /aws/lambda/{function_name}; the bundle stays in landing",
        )
        self.log_tail = log_tail


@dataclass(frozen=True, slots=True)
class ProcessedFile:
    """A file of a bundle that the function published: its path there, its key in the processed bucket."""

    path: str
    key: str
    format: str
    part: int | None
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UnpackAnswer:
    """What the function says of one bundle. `status` is verified, quarantined or ignored."""

    status: str
    key: str
    source: str | None
    dt: date | None
    batch_id: str | None
    rows: int
    rejected: int
    bytes: int
    files: tuple[ProcessedFile, ...]
    verified_key: str | None
    quarantine_prefix: str | None
    reason: dict[str, Any] | None
    already_done: bool

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> "UnpackAnswer":
        """Reads one element of the response's `results`. Raises KeyError or ValueError where it is not one."""
        return cls(
            status=payload["status"],
            key=payload["key"],
            source=payload["source"],
            dt=None if payload["dt"] is None else date.fromisoformat(payload["dt"]),
            batch_id=payload["batch_id"],
            rows=int(payload["rows"] or 0),
            rejected=int(payload["rejected"] or 0),
            bytes=int(payload["bytes"] or 0),
            files=tuple(
                ProcessedFile(
                    path=entry["path"],
                    key=entry["key"],
                    format=entry["format"],
                    part=entry["part"],
                    rows=int(entry["rows"]),
                    bytes=int(entry["bytes"]),
                    sha256=entry["sha256"],
                )
                for entry in payload["files"] or ()
            ),
            verified_key=payload["verified_key"],
            quarantine_prefix=payload["quarantine_prefix"],
            reason=payload["reason"],
            already_done=bool(payload["already_done"]),
        )


class UnpackFunction(dg.ConfigurableResource):
    """Invokes the deployed Lambda function that verifies and unpacks a bundle."""

    function_name: str
    aws: dg.ResourceDependency[AwsResource]

    def unpack(
        self, bucket: str, key: str, etag: str | None, context: dg.AssetExecutionContext | None = None
    ) -> UnpackAnswer:
        """Has a bundle verified and unpacked, and waits for the answer; asking again gives the same answer.

        With `context` the function's log messages and events reach the Dagster run through Pipes. Raises
        UnpackFunctionError, and botocore's errors where Lambda cannot be reached.
        """
        event: dict[str, Any] = {"bucket": bucket, "key": key}
        if etag:
            event["etag"] = etag
        if context is None:
            return self._answer(self._invoke(event))
        # Takes seconds, which a code server is spared.
        from dagster_aws.pipes import PipesLambdaEventContextInjector

        from movie_platform.resources.pipes_messages import LogTailMessageReader

        reader = LogTailMessageReader()
        with dg.open_pipes_session(
            context=context, message_reader=reader, context_injector=PipesLambdaEventContextInjector()
        ) as session:
            response = self._invoke({**event, **session.get_bootstrap_env_vars()})
            reader.consume_log_tail(_log_tail(response), context.log)
        return self._answer(response)

    def _invoke(self, event: dict[str, Any]) -> Any:
        return self.aws.client("lambda").invoke(
            FunctionName=self.function_name,
            InvocationType="RequestResponse",
            LogType="Tail",
            Payload=json.dumps(event).encode(),
        )

    def _answer(self, response: Any) -> UnpackAnswer:
        body = response["Payload"].read()
        tail = _log_tail(response)
        if response.get("FunctionError"):
            raise UnpackFunctionError(self.function_name, _error_text(body), tail)
        try:
            results = json.loads(body)["results"]
            return UnpackAnswer.from_payload(results[0])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UnpackFunctionError(
                self.function_name, f"its answer is not of the expected form ({error!r})", tail
            ) from error


def _log_tail(response: Any) -> str:
    return base64.b64decode(response.get("LogResult", "")).decode("utf-8", "replace")


def _error_text(body: bytes) -> str:
    try:
        error = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")[:2000]
    return f"{error.get('errorType', 'Error')}: {error.get('errorMessage', '')}"[:2000]
