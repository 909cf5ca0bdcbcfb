"""The gateway's HTTP server: one small request, one answer. What a request means is decided in `gateway`."""

import http.server
import logging
import socket
import uuid
from http import HTTPStatus
from typing import Any

from movie_platform.local_cloud.glue.gateway import Gateway
from movie_platform.local_cloud.glue.wire import GlueError, encode_error
from movie_platform.local_cloud.ports import LOOPBACK
from movie_platform.local_cloud.snowflake.protocol.loopback_guard import refusal
from movie_platform.waiting import Deadline

_LOG = logging.getLogger(__name__)

_BODY_LIMIT_BYTES = 8 * 1024 * 1024
# A connection that says nothing for so long is closed; clients keep theirs open between polls.
_IDLE_SECONDS = 120
# How long, and for how much of a refused request's body, a client may take to read why it is refused.
_LINGER_SECONDS = 2
_LINGER_BYTES = 1024 * 1024
_HEALTH = "/health"


class GlueServer(http.server.ThreadingHTTPServer):
    """Listens on 127.0.0.1; a thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, gateway: Gateway) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.gateway = gateway


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # The answer's head and body go out in two writes; the second must not wait for the first to be
    # acknowledged.
    disable_nagle_algorithm = True

    @property
    def _gateway(self) -> Gateway:
        assert isinstance(self.server, GlueServer)
        return self.server.gateway

    def parse_request(self) -> bool:
        """Read a request's head; False where there is nothing more to do, because it was refused."""
        if not super().parse_request():
            return False
        assert isinstance(self.server, GlueServer)
        headers = ((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items())
        refused = refusal(headers, self.server.server_port, pages=False)
        if refused is not None:
            self._refuse(refused.status, "AccessDeniedException", f"{refused.code}: {refused.message}")
        return refused is None

    def do_GET(self) -> None:
        """Answer the question whether the server is there; nothing else is to be had by GET."""
        if self.path == _HEALTH:
            self._answer(HTTPStatus.OK, {"Content-Type": "application/json"}, b'{"status": "ok"}')
        else:
            self._answer(HTTPStatus.NOT_FOUND, {}, b"")

    def do_POST(self) -> None:
        """Answer a call of Glue's API, unless it is too large."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "SerializationException", "Content-Length is missing")
            return
        if int(length) > _BODY_LIMIT_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "SerializationException", "the request is too large"
            )
            return
        body = self.rfile.read(int(length))
        try:
            answer = self._gateway.answer(dict(self.headers.items()), body)
        except Exception:  # noqa: BLE001 - a request's last frame: the client is owed an answer, the log the cause
            _LOG.exception("%s", self.headers.get("X-Amz-Target"))
            error = GlueError(
                "InternalServiceException", "the local Glue failed; its log says why", status=500
            )
            self._answer(error.status, {}, encode_error(error))
            return
        self._answer(answer.status, answer.headers, answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        """Requests are not logged: a client that waits for a run polls all the time."""

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        # The body was not read: what follows on this connection could not be told from it. The header tells the
        # client, which would send its next request here otherwise.
        self._answer(status, {"Connection": "close"}, encode_error(GlueError(code, message)))
        self._linger()

    def _linger(self) -> None:
        """Let the client read the answer: closing with bytes unread resets the connection, answer and all."""
        self.connection.settimeout(_LINGER_SECONDS)
        deadline, left = Deadline(_LINGER_SECONDS), _LINGER_BYTES
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while left > 0 and not deadline.passed and (got := self.rfile.read1(min(left, 65536))):
                left -= len(got)
        except OSError as error:
            _LOG.debug("a refused client is gone: %s", error)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("date", "server"):
                self.send_header(name, value)
        if not any(name.lower() == "x-amzn-requestid" for name in headers):
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
