"""Which requests a server on this machine answers: those of programs and, where it has pages, of its own pages.

A page from anywhere that is open in a browser can send requests to 127.0.0.1. What tells them from a program's are
headers that the browser writes and the page cannot: Host (another name, where the page's own name was made to lead to
this machine), Origin and Sec-Fetch-Site. Every server of the local cloud asks `refusal`; it lives here because the
local Snowflake imports nothing outside itself. Who a user is, is not decided here.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

# As ASGI has them: Starlette's and hypercorn's own types for scopes and messages exclude each other.
Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HTTP_PORT = 80
_QUOTED_CHARACTERS = 100
_CORS = b"access-control-"
# What ASGI calls the extension with which a WebSocket can be refused by an answer in words.
_DENIAL = "websocket.http.response"
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: the status, a code, and what to do in `message`."""

    status: HTTPStatus
    code: str
    message: str


def refusal(headers: Headers, port: int | None, *, pages: bool) -> Refusal | None:
    """Why a request with these headers is refused by the server on this port; None where it is answered.

    `pages`: whether the server has pages of its own, which may then ask it. Names of headers may be in any case. A
    server that does not know its port (None) answers nobody.
    """
    found: dict[bytes, list[str]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
    for name, value in headers:
        if (known := found.get(name.lower())) is not None:
            known.append(value.decode("latin-1").lower())
    hosts, origins, sites = found.values()
    if len(hosts) != 1 or hosts[0] not in _own_hosts(port):
        return _foreign_host(hosts, port)
    own_origins = {f"http://{hosts[0]}"} if pages else frozenset[str]()
    # "none": the user asked for it, by the address bar or a bookmark.
    own_sites = {"none", "same-origin"} if pages else {"none"}
    if not own_origins.issuperset(origins):
        return _foreign_page(origins, port, pages=pages)
    if not own_sites.issuperset(sites):
        return _foreign_page([f"another site (Sec-Fetch-Site: {site})" for site in sites], port, pages=pages)
    return None


class LoopbackGuard:
    """Wraps an ASGI application: what `refusal` refuses never reaches it, and no answer lets other pages read it."""

    def __init__(self, app: App, *, pages: bool = False) -> None:
        """`pages`: whether the application has pages of its own, which may ask it."""
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or a WebSocket's handshake on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refused = refusal(scope["headers"], port_of(scope), pages=self._pages)
        if refused is not None:
            await answer(refused.status, f"{refused.code}: {refused.message}", scope, receive, send)
            return

        async def send_without_cors(message: Any) -> None:
            if message["type"] in {"http.response.start", f"{_DENIAL}.start"}:
                kept = [pair for pair in message.get("headers", ()) if not pair[0].lower().startswith(_CORS)]
                message = {**message, "headers": kept}
            await send(message)

        await self._app(scope, receive, send_without_cors)


def port_of(scope: Scope) -> int | None:
    """The port on which a request arrived, as the ASGI server says it."""
    server = scope.get("server")
    return None if server is None else server[1]


async def answer(
    status: HTTPStatus, text: str, scope: Scope, receive: Receive, send: Send, *, headers: Headers = ()
) -> None:
    """Answer a request in plain text, or a WebSocket's handshake so that there will be none."""
    body = f"{text}\n".encode()
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if _DENIAL not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        kind = _DENIAL
    plain = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": f"{kind}.start", "status": int(status), "headers": [*plain, *headers]})
    await send({"type": f"{kind}.body", "body": body})


def _own_hosts(port: int | None) -> frozenset[str]:
    if port is None:
        return frozenset()
    with_port = frozenset(f"{name}:{port}" for name in _NAMES)
    # Clients leave out the port of the protocol.
    return with_port.union(_NAMES) if port == _HTTP_PORT else with_port


def _foreign_host(hosts: list[str], port: int | None) -> Refusal:
    sent_to = " and ".join(map(_quoted, hosts)) or "no host at all"
    # Not 403: the Snowflake connector would try that again for minutes.
    return Refusal(
        HTTPStatus.MISDIRECTED_REQUEST,
        "foreign_host",
        f"this server answers to 127.0.0.1:{port} and localhost:{port} only, and the request was sent to {sent_to}, as "
        "that of a web page whose name was made to lead to this machine would be. Use "
        f"http://127.0.0.1:{port}; a port that is forwarded must have the same number at both ends.",
    )


def _foreign_page(whose: list[str], port: int | None, *, pages: bool) -> Refusal:
    way = (
        f"Type or paste the address of this server, http://127.0.0.1:{port}, into the browser's address bar."
        if pages
        else "This server has no pages: ask it from a program, such as boto3, the AWS CLI, a connector or curl."
    )
    return Refusal(
        HTTPStatus.FORBIDDEN,
        "foreign_page",
        f"the request comes from a web page of {' and '.join(map(_quoted, whose))}, and pages of others are not "
        f"answered: they could act as the user who started this server. {way}",
    )


def _quoted(text: str) -> str:
    return ascii(text[:_QUOTED_CHARACTERS])
