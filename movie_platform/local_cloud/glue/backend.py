"""MiniStack's Glue, behind the gateway: requests forwarded as they came, and calls of the gateway's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from movie_platform.local_cloud.glue.wire import CONTENT_TYPE, GlueError

_TIMEOUT = urllib3.Timeout(connect=3, read=60)
# About the connection between client and gateway, not about the request.
_HOP_HEADERS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer of MiniStack, to be passed on as it is."""

    status: int
    headers: dict[str, str]
    body: bytes


class Backend:
    """Calls MiniStack. Raises `GlueError` (InternalServiceException) where it does not answer."""

    def __init__(self, endpoint: str, access_key_id: str, region: str) -> None:
        self._endpoint = endpoint
        # MiniStack takes account and region from here and does not look at the signature.
        self._authorization = (
            f"AWS4-HMAC-SHA256 Credential={access_key_id}/20200101/{region}/glue/aws4_request, "
            "SignedHeaders=host, Signature=local"
        )
        self._pool = urllib3.PoolManager(maxsize=16, timeout=_TIMEOUT, retries=False)

    def forward(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Pass a request on unchanged and return the answer unchanged."""
        kept = {name: value for name, value in headers.items() if name.lower() not in _HOP_HEADERS}
        try:
            answer = self._pool.request("POST", f"{self._endpoint}/", headers=kept, body=body)
        except urllib3.exceptions.HTTPError as error:
            raise GlueError(
                "InternalServiceException",
                f"the local AWS at {self._endpoint} does not answer ({type(error).__name__}): "
                "see `movie-platform cloud status`",
                status=500,
            ) from error
        passed = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_HEADERS}
        return Answer(answer.status, passed, answer.data)

    def call(self, operation: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation of MiniStack's Glue. Raises `GlueError` with its error."""
        headers = {
            "Authorization": self._authorization,
            "Content-Type": CONTENT_TYPE,
            "X-Amz-Target": f"AWSGlue.{operation}",
        }
        answer = self.forward(headers, json.dumps(document).encode())
        result = json.loads(answer.body or b"{}")
        if answer.status >= 300:
            code = str(result.get("__type", "InternalServiceException")).rpartition("#")[2]
            message = str(result.get("Message") or result.get("message") or "no message")
            raise GlueError(code, message, status=answer.status)
        return result
