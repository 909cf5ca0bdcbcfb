"""Pages of others, open in the browser of somebody whose platform runs, try to act as that user; nothing comes of it.

What counts is what the servers did, not what the page was told. The same attempts from a page of the UI itself, or from
a program, are carried out: they would work.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, TypedDict
from urllib.parse import quote, urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings
from movie_platform_tests.browser.conftest import REBOUND_NAME, RunningPlatform

pytestmark = [pytest.mark.browser, pytest.mark.cloud, pytest.mark.timeout(900)]

FUNCTION = {
    "Runtime": "python3.11",
    "Handler": "index.handler",
    "Role": "arn:aws:iam::000000000000:role/any",
    # An empty archive.
    "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
}
FUNCTIONS = "/2015-03-31/functions"
KEYS = "{ instance { concurrencyLimits { concurrencyKey } } }"

# Each attempt ends, well or badly, and returns what the page is told.
ATTEMPT = """async ({url, options}) => {
    try { const answer = await fetch(url, options); return answer.type + " " + answer.status; }
    catch (error) { return String(error); }
}"""
# A form whose only field's name and value together are JSON, sent into a frame.
FORM = """({url, name, value}) => new Promise(resolve => {
    const frame = document.createElement("iframe");
    frame.name = "sink";
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, {action: url, method: "post", enctype: "text/plain", target: "sink"});
    const field = document.createElement("input");
    Object.assign(field, {name, value});
    form.append(field);
    document.body.append(form);
    frame.onload = () => resolve("loaded");
    form.submit();
})"""
IMAGE = """url => new Promise(resolve => {
    const image = new Image();
    image.onload = image.onerror = event => resolve(event.type);
    image.src = url;
})"""
# Says hello as the Dagster UI does before it subscribes, and tells what came of it.
SOCKET = """({url, protocol}) => new Promise(resolve => {
    const told = [];
    const socket = new WebSocket(url, protocol);
    const end = () => { socket.close(); resolve(told); };
    socket.onopen = () => {
        told.push("open");
        socket.send(JSON.stringify({type: "connection_init", payload: {}}));
    };
    socket.onmessage = message => {
        told.push(JSON.parse(message.data).type);
        end();
    };
    socket.onerror = () => { told.push("error"); resolve(told); };
})"""


class Silent(http.server.BaseHTTPRequestHandler):
    """An empty page under every address."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>of others</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        pass


@pytest.fixture(scope="module")
def foreign_port() -> Iterator[int]:
    """The port of a server that is none of ours."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(params=["127.0.0.1", "localhost", REBOUND_NAME])
def foreign_page(
    request: pytest.FixtureRequest, page: Page, browser_context: BrowserContext, foreign_port: int
) -> Page:
    """A page of another origin, beside the UI in the browser of a user who is signed in there: the same site on another
    port, and two other sites.
    """
    foreign = browser_context.new_page()
    foreign.goto(f"http://{request.param}:{foreign_port}/")
    return foreign


def prefix_of(page: Page) -> str:
    """What the names begin with of all that a page tries to make."""
    return f"of-{urlsplit(page.url).hostname}".replace(".", "-")


@pytest.fixture
def settings(platform: RunningPlatform) -> Settings:
    return Settings(home=platform.home)


def functions(settings: Settings) -> set[str]:
    return {
        one.get("FunctionName", "") for one in aws_client(settings, "lambda").list_functions()["Functions"]
    }


def stacks(settings: Settings) -> set[str]:
    found = aws_client(settings, "cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found}


def concurrency_keys(platform: RunningPlatform) -> set[str]:
    """What the mutation that pages try changes, asked by a program that knows the token."""
    with closing(HTTPConnection("127.0.0.1", platform.address.port, timeout=60)) as connection:
        headers = {"Content-Type": "application/json", **platform.address.authorization}
        connection.request("POST", "/graphql", json.dumps({"query": KEYS}), headers)
        answer = json.loads(connection.getresponse().read())
    return {limit["concurrencyKey"] for limit in answer["data"]["instance"]["concurrencyLimits"]}


def mutation(key: str) -> str:
    return f'mutation {{ setConcurrencyLimit(concurrencyKey: "{key}", limit: 1) }}'


def create_stack(name: str) -> str:
    """The address that makes a stack by the mere asking for it."""
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}}
    action = {"Action": "CreateStack", "Version": "2010-05-15", "StackName": name}
    return "/?" + urlencode({**action, "TemplateBody": json.dumps(template)})


def attempts_on_aws(page: Page, endpoint: str, prefix: str) -> dict[str, str]:
    """Everything that a page can try without being asked for more than a click; what it was told of each."""

    def body(name: str) -> str:
        return json.dumps({"FunctionName": f"{prefix}-{name}", **FUNCTION})

    def attempt(name: str, **options: object) -> str:
        sent = {"method": "POST", "body": body(name), **options}
        return page.evaluate(ATTEMPT, {"url": endpoint + FUNCTIONS, "options": sent})

    told = {
        "no-cors": attempt("no-cors", mode="no-cors", headers={"Content-Type": "text/plain"}),
        "cors": attempt("cors", mode="cors", headers={"Content-Type": "text/plain"}),
        "preflight": attempt("preflight", mode="cors", headers={"Content-Type": "application/json"}),
    }
    name, _, value = body("form").partition('"index.handler"')
    field = {
        "url": endpoint + FUNCTIONS,
        "name": f'{name}"index.handler", "Description": "',
        "value": f'"{value}',
    }
    told["form"] = page.evaluate(FORM, field)
    told["image"] = page.evaluate(IMAGE, endpoint + create_stack(f"{prefix}-image"))
    return told


def test_no_foreign_page_makes_anything_on_the_local_aws(foreign_page: Page, settings: Settings) -> None:
    endpoint = settings.aws_endpoint_url or ""
    prefix = prefix_of(foreign_page)
    told = attempts_on_aws(foreign_page, endpoint, prefix)
    assert {name for name in functions(settings) | stacks(settings) if name.startswith(prefix)} == set()
    assert told["cors"] == told["preflight"] == "TypeError: Failed to fetch"
    socket = {"url": endpoint.replace("http", "ws"), "protocol": "mqtt"}
    assert foreign_page.evaluate(SOCKET, socket) == ["error"]


def test_what_the_pages_try_on_the_local_aws_would_work(settings: Settings) -> None:
    """As a program sends it: the form's text is a function to MiniStack, and the image's address a stack."""
    address = urlsplit(settings.aws_endpoint_url or "")
    body = json.dumps({"FunctionName": "program-form", **FUNCTION})
    name, _, value = body.partition('"index.handler"')
    assert address.port is not None
    for method, path, text in (
        ("POST", FUNCTIONS, f'{name}"index.handler", "Description": "="{value}\r\n'),
        ("GET", create_stack("program-image"), None),
    ):
        with closing(HTTPConnection("127.0.0.1", address.port, timeout=60)) as connection:
            connection.request(method, path, text, {"Content-Type": "text/plain"})
            assert connection.getresponse().status in {200, 201}
    assert "program-form" in functions(settings)
    assert "program-image" in stacks(settings)
    aws_client(settings, "lambda").delete_function(FunctionName="program-form")
    aws_client(settings, "cloudformation").delete_stack(StackName="program-image")


class Told(TypedDict):
    """What a page was told of its attempts on the UI."""

    no_cors: str
    cors: str
    image: str
    form: str
    socket: list[str]


def attempts_on_the_ui(page: Page, url: str, prefix: str) -> Told:
    """GraphQL mutations by every way that needs no more than a page, with the user's cookies; what it was told."""

    def address(name: str) -> str:
        return f"{url}/graphql?query={quote(mutation(f'{prefix}-{name}'))}"

    def attempt(name: str, **options: object) -> str:
        sent = {"method": "POST", "credentials": "include", "body": "x", **options}
        return page.evaluate(ATTEMPT, {"url": address(name), "options": sent})

    socket = {"url": url.replace("http", "ws") + "/graphql", "protocol": "graphql-ws"}
    return Told(
        no_cors=attempt("no-cors", mode="no-cors", headers={"Content-Type": "text/plain"}),
        cors=attempt("cors", mode="cors", headers={"Content-Type": "text/plain"}),
        image=page.evaluate(IMAGE, address("image")),
        form=page.evaluate(FORM, {"url": address("form"), "name": "a", "value": "b"}),
        socket=page.evaluate(SOCKET, socket),
    )


def test_no_foreign_page_changes_anything_in_the_ui(foreign_page: Page, platform: RunningPlatform) -> None:
    prefix = prefix_of(foreign_page)
    told = attempts_on_the_ui(foreign_page, platform.url, prefix)
    assert {key for key in concurrency_keys(platform) if key.startswith(prefix)} == set()
    assert told["cors"] == "TypeError: Failed to fetch"
    assert told["socket"] == ["error"]


def test_what_the_pages_try_in_the_ui_works_from_its_own(page: Page, platform: RunningPlatform) -> None:
    told = attempts_on_the_ui(page, platform.url, "own")
    assert told["cors"] == "basic 200"
    assert told["socket"] == ["open", "connection_ack", "data"] or told["socket"][:2] == [
        "open",
        "connection_ack",
    ]
    keys = {key for key in concurrency_keys(platform) if key.startswith("own-")}
    assert keys >= {"own-no-cors", "own-cors", "own-image", "own-form"}


@pytest.mark.parametrize("server", ["aws", "glue", "snowflake", "ui"])
def test_a_page_whose_name_was_made_to_lead_here_is_refused(
    server: str, page: Page, browser_context: BrowserContext, platform: RunningPlatform, settings: Settings
) -> None:
    """The page came from its own server, whose name leads to 127.0.0.1 since: to the browser, ours is of its origin."""
    found = {
        "aws": urlsplit(settings.aws_endpoint_url or "").port,
        "glue": urlsplit(settings.aws_glue_endpoint_url or "").port,
        "snowflake": settings.snowflake_port,
        "ui": platform.address.port,
    }
    origin = f"http://{REBOUND_NAME}:{found[server]}"
    rebound = browser_context.new_page()
    rebound.route(f"{origin}/page", lambda route: route.fulfill(body="<body>", content_type="text/html"))
    rebound.goto(f"{origin}/page")
    for method, path in (
        ("GET", "/health"),
        ("GET", f"/?token={platform.address.token}"),
        ("POST", FUNCTIONS),
    ):
        body = json.dumps({"FunctionName": "rebound-page", **FUNCTION}) if method == "POST" else None
        options = {"method": method, "body": body, "headers": {"Content-Type": "application/json"}}
        assert rebound.evaluate(ATTEMPT, {"url": origin + path, "options": options}) == "basic 421"
    assert "rebound-page" not in functions(settings)


def test_the_ui_opens_by_the_printed_address_alone_and_keeps_the_token_from_scripts(
    browser_context: BrowserContext, platform: RunningPlatform
) -> None:
    tab = browser_context.new_page()
    refused = tab.goto(f"{platform.url}/runs")
    assert refused is not None
    assert refused.status == 401
    expect(tab.get_by_text("Open the address that `movie-platform dev` printed")).to_be_visible()
    opened = tab.goto(platform.address.printed)
    assert opened is not None
    assert opened.status == 200
    expect(tab.get_by_role("navigation").get_by_role("link", name="Runs")).to_be_visible()
    assert platform.address.token not in tab.url
    assert platform.address.token not in tab.evaluate("document.cookie")
    tab.goto(f"{platform.url}/runs")
    tab.reload()
    expect(tab.get_by_role("navigation").get_by_role("link", name="Runs")).to_be_visible()
