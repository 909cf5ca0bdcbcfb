"""Which requests are answered by their headers alone, and what the ASGI middleware makes of that."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movie_platform.local_cloud.snowflake.protocol.loopback_guard import (
    App,
    Headers,
    LoopbackGuard,
    Receive,
    Scope,
    Send,
    refusal,
)

PORT = 4566
OWN_HOSTS = ("127.0.0.1:4566", "localhost:4566", "[::1]:4566")
# What a header may hold: the servers refuse control characters before anybody is asked.
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


def headers(**named: str) -> Headers:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]


def code(pairs: Headers, *, pages: bool, port: int | None = PORT) -> str | None:
    refused = refusal(pairs, port, pages=pages)
    return None if refused is None else refused.code


@pytest.mark.parametrize("pages", [False, True])
@pytest.mark.parametrize("host", [*OWN_HOSTS, "LOCALHOST:4566"])
def test_a_program_that_names_this_machine_and_the_port_is_answered(host: str, pages: bool) -> None:
    assert code(headers(host=host), pages=pages) is None
    assert code([(b"Host", host.encode())], pages=pages) is None


@pytest.mark.parametrize("pages", [False, True])
@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:4567",
        "127.0.0.1:45660",
        "127.0.0.1:4566.evil.example",
        "127.0.0.1.evil.example:4566",
        "evil.example",
        "evil.example:4566",
        "evil.example@127.0.0.1:4566",
        "127.0.0.2:4566",
        "0.0.0.0:4566",
        "2130706433:4566",
        "localhost.:4566",
        "bucket.localhost:4566",
        "bucket.127.0.0.1:4566",
        "::1:4566",
        "127.0.0.1:4566, evil.example",
    ],
)
def test_any_other_host_is_refused_with_the_address_to_use(host: str, pages: bool) -> None:
    refused = refusal(headers(host=host), PORT, pages=pages)
    assert refused is not None
    assert (refused.status, refused.code) == (HTTPStatus.MISDIRECTED_REQUEST, "foreign_host")
    assert "http://127.0.0.1:4566" in refused.message
    assert ascii(host) in refused.message


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    assert code([], pages=True) == "foreign_host"
    assert code([(b"host", b"127.0.0.1:4566"), (b"host", b"evil.example")], pages=True) == "foreign_host"
    assert code([(b"host", b"127.0.0.1:4566"), (b"Host", b"127.0.0.1:4566")], pages=True) == "foreign_host"


def test_the_port_may_be_left_out_only_where_it_is_that_of_the_protocol() -> None:
    assert code(headers(host="localhost"), port=80, pages=False) is None
    assert code(headers(host="localhost:80"), port=80, pages=False) is None
    assert code(headers(host="localhost", origin="http://localhost"), port=80, pages=True) is None


def test_a_server_that_does_not_know_its_port_answers_nobody() -> None:
    assert code(headers(host="127.0.0.1:None"), port=None, pages=True) == "foreign_host"
    assert code(headers(host="127.0.0.1"), port=None, pages=True) == "foreign_host"


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_a_servers_own_pages_may_ask_it_and_a_server_without_pages_has_none(host: str) -> None:
    own = headers(host=host, origin=f"http://{host}", sec_fetch_site="same-origin")
    assert code(own, pages=True) is None
    assert code(own, pages=False) == "foreign_page"
    assert code(headers(host=host, origin=f"http://{host}"), pages=False) == "foreign_page"


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "https://evil.example",
        "https://127.0.0.1:4566",
        "http://127.0.0.1",
        "http://127.0.0.1:4567",
        # Another of our own names is another origin: cookies and what a page may read differ.
        "http://localhost:4566",
        "http://127.0.0.1:4566.evil.example",
        "http://127.0.0.1:4566, https://evil.example",
        "file://",
    ],
)
def test_any_other_origin_is_refused_with_what_to_do(origin: str) -> None:
    pairs = headers(host="127.0.0.1:4566", origin=origin)
    with_pages, without = refusal(pairs, PORT, pages=True), refusal(pairs, PORT, pages=False)
    assert with_pages is not None
    assert without is not None
    assert with_pages.status == without.status == HTTPStatus.FORBIDDEN
    assert ascii(origin) in with_pages.message
    assert "address bar" in with_pages.message
    assert "from a program" in without.message


@pytest.mark.parametrize("pages", [False, True])
def test_two_origins_are_refused_where_one_is_foreign(pages: bool) -> None:
    own = (b"origin", b"http://127.0.0.1:4566")
    pairs = [(b"host", b"127.0.0.1:4566"), own, (b"origin", b"https://evil.example")]
    assert code(pairs, pages=pages) == "foreign_page"


def test_a_page_is_told_by_its_site_where_the_browser_sends_no_origin() -> None:
    """As for images, scripts, fetch() in mode no-cors and links."""
    host = "127.0.0.1:4566"
    for site in ("cross-site", "same-site", "Cross-Site", "anything"):
        assert code(headers(host=host, sec_fetch_site=site), pages=True) == "foreign_page"
        assert code(headers(host=host, sec_fetch_site=site), pages=False) == "foreign_page"
    assert code(headers(host=host, sec_fetch_site="same-origin"), pages=False) == "foreign_page"
    assert code(headers(host=host, sec_fetch_site="same-origin"), pages=True) is None
    # The address was typed.
    assert code(headers(host=host, sec_fetch_site="none"), pages=True) is None
    assert code(headers(host=host, sec_fetch_site="none"), pages=False) is None


@given(host=VALUES, pages=st.booleans())
@example(host="bucket.s3.127.0.0.1:4566", pages=True)
def test_no_host_but_ours_is_answered_whatever_it_holds(host: str, pages: bool) -> None:
    assert (code(headers(host=host), pages=pages) is None) == (host.lower() in OWN_HOSTS)


@given(VALUES | st.sampled_from(OWN_HOSTS).map("http://{}".format), st.sampled_from(OWN_HOSTS))
@example("http://127.0.0.1:4566\xa0", "127.0.0.1:4566")
def test_no_origin_but_the_address_that_was_asked_is_answered_whatever_it_holds(
    origin: str, host: str
) -> None:
    pairs = headers(host=host, origin=origin)
    assert (code(pairs, pages=True) is None) == (origin.lower() == f"http://{host}")
    assert code(pairs, pages=False) == "foreign_page"


@given(st.lists(st.tuples(VALUES, VALUES)), st.booleans())
def test_headers_of_other_names_decide_nothing(others: list[tuple[str, str]], pages: bool) -> None:
    pairs = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in others
        if name.lower() not in {"host", "origin", "sec-fetch-site"}
    ]
    assert code([*pairs, (b"host", b"localhost:4566"), *pairs], pages=pages) is None


class Asked:
    """An application that notes that it was asked, and what it sends to `send`."""

    def __init__(self, answer: Sequence[dict[str, Any]] = ()) -> None:
        self.scopes: list[str] = []
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope["type"])
        for message in self._answer:
            await send(message)


def sent(app: App, scope: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def ask() -> None:
        await app({"server": ("127.0.0.1", PORT), **scope}, receive, send)

    asyncio.run(ask())
    return messages


FOREIGN = headers(host="127.0.0.1:4566", origin="https://evil.example")


def test_a_refused_request_never_reaches_the_application_and_is_told_why() -> None:
    app = Asked()
    start, body = sent(LoopbackGuard(app), {"type": "http", "method": "POST", "headers": FOREIGN})
    assert app.scopes == []
    assert start["status"] == 403
    assert (b"content-type", b"text/plain; charset=utf-8") in start["headers"]
    assert (b"content-length", str(len(body["body"])).encode()) in start["headers"]
    assert body["body"].startswith(
        b"foreign_page: the request comes from a web page of 'https://evil.example'"
    )


def test_no_preflight_is_answered() -> None:
    app = Asked()
    preflight = [*FOREIGN, (b"access-control-request-method", b"POST")]
    start, _ = sent(LoopbackGuard(app), {"type": "http", "method": "OPTIONS", "headers": preflight})
    assert app.scopes == []
    assert start["status"] == 403
    assert not [name for name, _ in start["headers"] if name.startswith(b"access-control-")]


def test_an_answer_loses_its_cors_headers_and_nothing_else() -> None:
    kept = [(b"content-type", b"text/plain"), (b"x-amz-request-id", b"1")]
    cors = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-expose-headers", b"*")]
    answer = [
        {"type": "http.response.start", "status": 200, "headers": [kept[0], *cors, kept[1]]},
        {"type": "http.response.body", "body": b"access-control-"},
    ]
    start, body = sent(
        LoopbackGuard(Asked(answer)), {"type": "http", "headers": headers(host="localhost:4566")}
    )
    assert start == {"type": "http.response.start", "status": 200, "headers": kept}
    assert body == answer[1]


def test_the_handshake_of_a_websocket_is_refused_in_words_or_else_closed() -> None:
    app = Asked()
    scope = {"type": "websocket", "headers": FOREIGN}
    in_words = sent(LoopbackGuard(app, pages=True), {**scope, "extensions": {"websocket.http.response": {}}})
    assert [message["type"] for message in in_words] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert in_words[0]["status"] == 403
    assert sent(LoopbackGuard(app, pages=True), scope) == [{"type": "websocket.close", "code": 1008}]
    assert app.scopes == []
    own = headers(host="127.0.0.1:4566", origin="http://127.0.0.1:4566", sec_fetch_site="same-origin")
    sent(LoopbackGuard(app, pages=True), {**scope, "headers": own})
    assert app.scopes == ["websocket"]


def test_start_and_end_of_the_server_pass_and_what_nobody_knows_is_checked() -> None:
    app = Asked()
    assert sent(LoopbackGuard(app), {"type": "lifespan"}) == []
    assert app.scopes == ["lifespan"]
    sent(LoopbackGuard(app), {"type": "of tomorrow", "headers": FOREIGN})
    assert app.scopes == ["lifespan"]
