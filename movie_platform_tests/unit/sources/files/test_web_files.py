"""Files behind web addresses: what breaks off goes on or fails, and never ends early without a word."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from movie_platform.sources.files.web_files import ATTEMPTS, WebFile
from movie_platform.sources.http.retries import Backoff
from movie_platform.sources.source_errors import SourceAuthenticationError, SourceNotFound, SourceUnavailable

CONTENT = bytes(range(256)) * 4096


@dataclass
class Server:
    """What the server does with each request: faults first, in order, then the file."""

    faults: list[Callable[[http.server.BaseHTTPRequestHandler], None]] = field(default_factory=list)
    tags: list[str] = field(default_factory=lambda: ['"one"'])
    ranges: bool = True
    requests: list[tuple[str | None, str | None]] = field(default_factory=list)
    address: str = ""

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        asked, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
        self.requests.append((asked, condition))
        tag = self.tags[min(len(self.requests), len(self.tags)) - 1]
        if self.faults and self.faults[0] is not cut:
            self.faults.pop(0)(handler)
            return
        start = 0
        if self.ranges and asked is not None and condition == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            handler.send_response(200)
        if tag:
            handler.send_header("ETag", tag)
        handler.send_header("Content-Length", str(len(CONTENT) - start))
        handler.end_headers()
        end = len(CONTENT)
        if self.faults:
            self.faults.pop(0)
            end = start + 300_000
        handler.wfile.write(CONTENT[start:end])


def cut(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Marks a request whose body ends too early."""


def status(code: int, **headers: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("movie_platform.sources.files.web_files._BACKOFF", Backoff(first=0.01, longest=0.02))
    behaviour = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        behaviour.address = f"http://127.0.0.1:{running.server_address[1]}/films.csv"
        yield behaviour
        running.shutdown()
        thread.join()


def read(server: Server) -> bytes:
    with WebFile(server.address) as file:
        return file.readall() or b""


@pytest.mark.parametrize("faults", [[], [status(503)], [status(429, Retry_After="0"), status(500)]])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(server: Server, faults: list) -> None:
    server.faults = list(faults)
    assert read(server) == CONTENT
    assert len(server.requests) == len(faults) + 1


def test_a_server_that_stays_busy_is_given_up(server: Server) -> None:
    server.faults = [status(503)] * 10
    with pytest.raises(SourceUnavailable, match=rf"HTTP 503 \({ATTEMPTS} attempts\)"):
        read(server)
    assert len(server.requests) == ATTEMPTS


def test_a_server_that_asks_for_hours_is_not_waited_for(server: Server) -> None:
    server.faults = [status(429, Retry_After="7200")]
    with pytest.raises(SourceUnavailable, match=r"HTTP 429 \(1 attempts\)"):
        read(server)


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(server: Server) -> None:
    server.faults = [cut, status(502), cut]
    assert read(server) == CONTENT
    assert server.requests == [
        (None, None),
        ("bytes=300000-", '"one"'),
        ("bytes=300000-", '"one"'),
        ("bytes=600000-", '"one"'),
    ]


@pytest.mark.parametrize(("tags", "ranges"), [(['"one"', '"two"'], True), ([""], True), (['"one"'], False)])
def test_a_transfer_that_cannot_go_on_in_the_same_file_fails(
    server: Server, tags: list[str], ranges: bool
) -> None:
    server.faults, server.tags, server.ranges = [cut], tags, ranges
    with pytest.raises(SourceUnavailable, match="broke off at byte 300000"):
        read(server)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (404, SourceNotFound),
        (410, SourceNotFound),
        (401, SourceAuthenticationError),
        (403, SourceAuthenticationError),
    ],
)
def test_what_asking_again_does_not_change_is_said_at_once(
    server: Server, code: int, error: type[Exception]
) -> None:
    server.faults = [status(code)]
    with pytest.raises(error, match=f"HTTP {code}"):
        read(server)
    assert len(server.requests) == 1
