"""The token before the Dagster UI's pages, and how `dagster dev` comes to start our web server."""

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from movie_platform.commands.dagster_servers import _raise_if_open
from movie_platform.commands.dagster_ui.dev import guarded_command
from movie_platform.commands.dagster_ui.server import guarded
from movie_platform.commands.dagster_ui.token_gate import tokens_in
from movie_platform.errors import PlatformError
from movie_platform.local_cloud.snowflake.protocol.loopback_guard import Receive, Scope, Send

TOKEN = "kA-9_secret"
ORIGIN = "http://127.0.0.1:3000"
COOKIE = "movie_platform_ui_3000"
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """The pages behind the gate: they say which was asked for."""
    await PlainTextResponse(f"page {Request(scope).url}")(scope, receive, send)


def ask(path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(guarded(pages, TOKEN))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            named = [
                (name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()
            ]
            return await client.request(method, path, headers=named)

    return asyncio.run(answer())


def test_a_page_without_the_token_is_refused_with_the_way_to_it() -> None:
    for method, path in (("GET", "/"), ("POST", "/graphql"), ("HEAD", "/runs"), ("GET", "/favicon.png")):
        answer = ask(path, method=method)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert answer.headers["www-authenticate"] == "Bearer"
    refused = ask("/").text
    assert refused.startswith("no_token: ")
    assert "http://127.0.0.1:3000/?token=" in refused
    assert TOKEN not in refused


def test_the_printed_address_gives_a_cookie_that_no_script_and_no_other_site_can_use() -> None:
    first = ask(f"/?token={TOKEN}", sec_fetch_site="none")
    assert first.status_code == HTTPStatus.SEE_OTHER
    assert first.headers["location"] == "/"
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["referrer-policy"] == "no-referrer"
    pair, *attributes = first.headers["set-cookie"].split("; ")
    assert pair == f"{COOKIE}={TOKEN}"
    assert set(attributes) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert ask("/runs?a=1", cookie=pair).text == f"page {ORIGIN}/runs?a=1"
    # Beside those of other servers of this machine, whatever they hold.
    assert ask("/", cookie=f'_xsrf=2|a"; {COOKIE}=of an earlier start; {pair}; session').status_code == 200


def test_the_token_leads_to_the_very_page_without_it_and_to_no_other_host() -> None:
    def location(address: str) -> str:
        return ask(address).headers["location"]

    assert location(f"/assets/core/films?view=a%20b&token={TOKEN}&x=") == "/assets/core/films?view=a+b&x="
    assert location(f"/a%2Fb?token={TOKEN}") == "/a%2Fb"
    for path in ("//evil.example/", "///evil.example", "//%5Cevil.example"):
        led = urlsplit(location(f"{ORIGIN}{path}?token={TOKEN}"))
        assert (led.scheme, led.netloc) == ("", "")


def test_a_token_in_the_address_is_taken_from_a_get_alone_and_no_other_one_is() -> None:
    assert ask(f"/graphql?token={TOKEN}", method="POST").status_code == HTTPStatus.UNAUTHORIZED
    for wrong in ("", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "%F0%9F%98%80", "%FF"):
        answer = ask(f"/?token={wrong}")
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert "set-cookie" not in answer.headers


def test_a_program_sends_the_token_as_a_header() -> None:
    assert ask("/server_info", authorization=f"Bearer {TOKEN}").status_code == 200
    assert ask("/server_info", authorization=f"bearer  {TOKEN}").status_code == 200
    assert ask("/server_info", authorization=f"Basic {TOKEN}").status_code == HTTPStatus.UNAUTHORIZED
    assert ask("/server_info", authorization=TOKEN).status_code == HTTPStatus.UNAUTHORIZED


@given(VALUES)
@example(f"Bearer {TOKEN}x")
def test_no_other_header_opens_the_pages_whatever_it_holds(value: str) -> None:
    for name in ("cookie", "authorization", "x-token"):
        refused = ask("/", **{name: value.strip()})
        assert refused.status_code == HTTPStatus.UNAUTHORIZED


@given(VALUES, st.integers(1, 65535))
def test_the_cookie_of_another_port_is_none_of_ours(value: str, port: int) -> None:
    mine = tokens_in(
        [(b"cookie", f"movie_platform_ui_{port}=mine; x={value}".encode("latin-1"))], "movie_platform_ui_0"
    )
    assert list(mine) == []


@pytest.mark.parametrize("foreign", [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}])
def test_who_knows_the_token_is_refused_as_well_when_another_page_asks(foreign: dict[str, str]) -> None:
    assert ask(f"/?token={TOKEN}", **foreign).status_code == HTTPStatus.FORBIDDEN
    assert ask("/", cookie=f"{COOKIE}={TOKEN}", **foreign).status_code == HTTPStatus.FORBIDDEN
    assert ask(f"http://evil.example:3000/?token={TOKEN}").status_code == HTTPStatus.MISDIRECTED_REQUEST


def test_the_handshake_of_a_websocket_needs_the_cookie_too() -> None:
    reached: list[str] = []

    async def sockets(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["type"])

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    closed: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        closed.append(message)

    async def shake(*more: tuple[bytes, bytes]) -> None:
        headers = [(b"host", b"127.0.0.1:3000"), (b"origin", ORIGIN.encode()), *more]
        query = f"token={TOKEN}".encode()
        scope = {
            "type": "websocket",
            "server": ("127.0.0.1", 3000),
            "headers": headers,
            "query_string": query,
        }
        await guarded(sockets, TOKEN)(scope, receive, send)

    asyncio.run(shake())
    assert reached == []
    assert closed == [{"type": "websocket.close", "code": 1008}]
    asyncio.run(shake((b"cookie", f"{COOKIE}={TOKEN}".encode())))
    assert reached == ["websocket"]


def test_of_what_dagster_dev_starts_the_web_server_becomes_ours_and_the_daemon_stays() -> None:
    web = ["python", "-m", "dagster_webserver", "--port", "3000", "--shutdown-pipe", "7"]
    assert guarded_command(web, "/home/dev_token") == [
        *("python", "-m", "movie_platform.commands.dagster_ui.server", "/home/dev_token"),
        *("--port", "3000", "--shutdown-pipe", "7"),
    ]
    daemon = ["python", "-m", "dagster._daemon", "run", "--log-level", "info"]
    assert guarded_command(daemon, "/home/dev_token") == daemon


def test_a_ui_that_answers_without_the_token_is_an_error() -> None:
    _raise_if_open(HTTPStatus.UNAUTHORIZED)
    with pytest.raises(PlatformError) as raised:
        _raise_if_open(HTTPStatus.OK)
    assert raised.value.code == "dagster_ui_open"
