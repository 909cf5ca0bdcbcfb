"""Keeps other users of the machine away from a server's pages: whoever asks must know a token.

The token is in the address that the user opens first, then in a cookie. A cookie does not know ports: one that was
set by 127.0.0.1:3000 is also sent to other servers on 127.0.0.1, so a token lives only as long as its server.
"""

import hmac
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from movie_platform.local_cloud.snowflake.protocol.loopback_guard import (
    App,
    Headers,
    Receive,
    Scope,
    Send,
    answer,
    port_of,
)

PARAMETER = "token"
_BEARER = "bearer "


class TokenGate:
    """Wraps an ASGI application: nothing reaches it without the token."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what brings the token; turn it into a cookie where it came in the address; refuse all else."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        cookie = f"movie_platform_ui_{port_of(scope)}"
        asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        in_address = (value for name, value in asked if name == PARAMETER)
        if scope.get("method") == "GET" and self._is_among(in_address):
            await self._take(scope, asked, cookie, receive, send)
        elif self._is_among(tokens_in(scope["headers"], cookie)):
            await self._app(scope, receive, send)
        else:
            unknown = (b"www-authenticate", b"Bearer")
            await answer(
                HTTPStatus.UNAUTHORIZED,
                _no_token(port_of(scope)),
                scope,
                receive,
                send,
                headers=[unknown],
            )

    def _is_among(self, given: Iterable[str]) -> bool:
        # Not by ==, whose time tells how much of a guess was right.
        return any(hmac.compare_digest(one.encode("utf-8", "replace"), self._token.encode()) for one in given)

    async def _take(
        self, scope: Scope, asked: list[tuple[str, str]], cookie: str, receive: Receive, send: Send
    ) -> None:
        """Keep the token in a cookie, and lead to the same address without it: it shall be in no history and no log."""
        rest = urlencode([(name, value) for name, value in asked if name != PARAMETER])
        # With one slash in front: //host would lead to that host, and browsers take \\ for a slash.
        path = "/" + scope["raw_path"].decode("latin-1").lstrip("/\\")
        address = f"{path}?{rest}" if rest else path
        await answer(
            HTTPStatus.SEE_OTHER,
            f"The token is kept in a cookie now. The page without it: {address}",
            scope,
            receive,
            send,
            headers=[
                (b"location", address.encode("latin-1")),
                (b"set-cookie", f"{cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/".encode()),
                (b"referrer-policy", b"no-referrer"),
            ],
        )


def tokens_in(headers: Headers, cookie: str) -> Iterator[str]:
    """The tokens that a request's headers bring: of the cookie with this name, and of `Authorization: Bearer`."""
    for name, value in headers:
        text = value.decode("latin-1")
        if name.lower() == b"authorization" and text.lower().startswith(_BEARER):
            yield text[len(_BEARER) :].strip()
        elif name.lower() == b"cookie":
            for part in text.split(";"):
                key, _, content = part.strip().partition("=")
                if key == cookie:
                    yield content


def _no_token(port: int | None) -> str:
    return (
        "no_token: this page is for the user alone who started it. Open the address that `movie-platform dev` printed "
        f"last; it begins with http://127.0.0.1:{port}/?{PARAMETER}= and is another one after each start. A program "
        "sends what follows that as the header `Authorization: Bearer TOKEN`."
    )
