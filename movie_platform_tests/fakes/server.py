"""What the fake APIs share: a server on a free port, a log of requests, and faults that tests put in its way."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

JSON = "application/json;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived; `parameters` without the credential."""

    path: str
    parameters: Mapping[str, str]
    authorized: bool
    moment: float = 0.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` is JSON text unless a fault says otherwise. `cut` sends only so many of its bytes."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = JSON
    cut: int | None = None
    delay: float = 0.0


@dataclass(slots=True)
class Fault:
    """Replies instead of the API's own, for the first `times` requests that match."""

    reply: Reply | Callable[[Reply], Reply]
    path: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    times: int = 1

    def matches(self, request: Request) -> bool:
        return (
            self.times > 0
            and request.path.startswith(self.path)
            and self.parameters.items() <= request.parameters.items()
        )


def status(code: int, **headers: str) -> Reply:
    """A failure without a word, as gateways send it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(code, "<html>sorry</html>", named, "text/html")


def truncated(reply: Reply) -> Reply:
    """The right answer, half of it: the connection ends early."""
    return Reply(reply.status, reply.body, cut=len(reply.body) // 2)


def malformed(reply: Reply) -> Reply:
    """The right headers, and half of the JSON as if that were all."""
    return Reply(reply.status, reply.body[: len(reply.body) // 2])


def as_web_page(_reply: Reply) -> Reply:
    """A login page of some proxy, with status 200."""
    return Reply(200, "<html>log in</html>", content_type="text/html")


def late(seconds: float) -> Callable[[Reply], Reply]:
    """The right answer, too late."""
    return lambda reply: Reply(reply.status, reply.body, delay=seconds)


class FakeServer:
    """A server that runs while it is entered. Subclasses say what the API answers and who may ask."""

    def __init__(self, *, validate: Callable[[Request, Any], object] | None = None) -> None:
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.revoked_after: int | None = None
        self.refused = 0
        self._validate = validate
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, path: str) -> int:
        """How many requests came for paths that begin so."""
        return sum(request.path.startswith(path) for request in list(self.requests))

    def answer(self, request: Request) -> Reply:
        """The API's own answer to an authorized request."""
        raise NotImplementedError

    def refuse(self) -> Reply:
        """The API's answer to a request with wrong credentials."""
        raise NotImplementedError

    def authorize(self, headers: Mapping[str, str], parameters: dict[str, str]) -> bool:
        """Whether the credential is right; takes it out of the parameters."""
        raise NotImplementedError

    def _reply(self, target: str, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(target)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
        authorized = self.authorize(headers, parameters)
        with self._lock:
            if self.revoked_after is not None and len(self.requests) >= self.revoked_after:
                authorized = False
            request = Request(parts.path, parameters, authorized, time.monotonic())
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.matches(request)), None)
            if fault is not None:
                fault.times -= 1
            if isinstance(getattr(fault, "reply", None), Reply):
                return fault.reply  # pyright: ignore[reportOptionalMemberAccess, reportReturnType] - checked just now
            reply = self.answer(request) if authorized else self.refuse()
        if fault is not None:
            return fault.reply(reply)  # pyright: ignore[reportCallIssue] - not a Reply, so a function
        if self._validate is not None:
            self._validate(request, json.loads(reply.body))
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else each answer waits for the acknowledgement of its headers.
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                reply = fake._reply(self.path, self.headers)  # pyright: ignore[reportArgumentType] - a Message is a Mapping here
                time.sleep(reply.delay)
                body = reply.body.encode("utf-8")
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                if (
                    "gzip" in self.headers.get("Accept-Encoding", "")
                    and reply.cut is None
                    and len(body) > 1000
                ):
                    body = gzip.compress(body, 1)
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body if reply.cut is None else body[: reply.cut])
                    self.wfile.flush()
                except ConnectionError:
                    self.close_connection = True
                if reply.cut is not None:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
                return

        return Handler
