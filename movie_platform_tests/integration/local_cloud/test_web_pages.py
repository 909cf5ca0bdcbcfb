"""Requests as browsers send them, to each server of the local cloud: refused, and nothing of them carried out.

Beside each stands the same request as a program sends it, which is carried out: it was refused for where it came from.
"""

import http.client
import json
import socket
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import boto3
import pytest
import snowflake.connector
from snowflake.connector.errors import HttpError

from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings
from movie_platform_tests.snowflake_cloud import rows

pytestmark = pytest.mark.cloud

EVIL = "https://evil.example"
TEMPLATE = json.dumps(
    {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "NAME"}}}}
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def ask(
    port: int, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request over a connection of its own. A header named Host replaces the client's."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read().decode("utf-8", "replace"))


@pytest.fixture(scope="module")
def ports(local_cloud: Settings) -> dict[str, int]:
    assert local_cloud.snowflake_port is not None
    named = {"aws": local_cloud.aws_endpoint_url, "glue": local_cloud.aws_glue_endpoint_url}
    found = {name: urlsplit(url or "").port for name, url in named.items()}
    return {name: port for name, port in found.items() if port} | {"snowflake": local_cloud.snowflake_port}


HEALTH = {"aws": "/_ministack/ready", "glue": "/health", "snowflake": "/health"}
each_server = pytest.mark.parametrize("server", sorted(HEALTH))


@each_server
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_each_server_answers_to_the_names_of_this_machine(
    ports: dict[str, int], server: str, name: str
) -> None:
    answer = ask(ports[server], "GET", HEALTH[server], headers={"Host": f"{name}:{ports[server]}"})
    assert answer.status == 200
    assert not [header for header in answer.headers if header.startswith("access-control-")]


@each_server
def test_each_server_refuses_every_other_name_whatever_leads_to_it(
    ports: dict[str, int], server: str
) -> None:
    """A page at http://evil.example:PORT whose name was made to lead to 127.0.0.1 is of the server's own origin."""
    port = ports[server]
    for host in (
        f"evil.example:{port}",
        "evil.example",
        f"127.0.0.1:{port + 1}",
        "127.0.0.1",
        f"a.localhost:{port}",
    ):
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            rebound = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
            assert ask(port, method, HEALTH[server], headers={"Host": host}).status == 421
            assert ask(port, method, HEALTH[server], headers=rebound).status == 421
    told = ask(port, "GET", HEALTH[server], headers={"Host": "evil.example"}).text
    assert "foreign_host" in told
    assert f"http://127.0.0.1:{port}" in told


@each_server
def test_each_server_refuses_pages_with_every_method_and_answers_no_preflight(
    ports: dict[str, int], server: str
) -> None:
    port = ports[server]
    marks = [
        {"Origin": origin} for origin in (EVIL, "null", f"http://127.0.0.1:{port}", "http://127.0.0.1:3000")
    ]
    marks += [{"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "same-origin")]
    for headers in marks:
        for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
            assert ask(port, method, HEALTH[server], headers=headers).status == 403
    told = ask(port, "GET", HEALTH[server], headers={"Origin": EVIL}).text
    assert "foreign_page" in told
    assert "'https://evil.example'" in told
    for asked in ("POST", "PUT"):
        preflight = ask(
            port,
            "OPTIONS",
            HEALTH[server],
            headers={
                "Origin": EVIL,
                "Access-Control-Request-Method": asked,
                "Access-Control-Request-Headers": "x-amz-target, authorization",
                "Access-Control-Request-Private-Network": "true",
            },
        )
        assert preflight.status == 403
        assert not [header for header in preflight.headers if header.startswith("access-control-")]


@each_server
def test_no_server_says_that_pages_may_read_its_answers(ports: dict[str, int], server: str) -> None:
    for method, path in (("OPTIONS", "/"), ("GET", "/"), ("GET", HEALTH[server]), ("POST", "/")):
        answer = ask(ports[server], method, path)
        assert not [header for header in answer.headers if header.startswith("access-control-")]


FUNCTION = {
    "Runtime": "python3.11",
    "Handler": "index.handler",
    "Role": "arn:aws:iam::000000000000:role/any",
    # An empty archive.
    "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
}


def test_no_page_makes_a_function_by_a_post_without_a_preflight(
    local_cloud: Settings, ports: dict[str, int]
) -> None:
    functions = aws_client(local_cloud, "lambda")

    def make(name: str, headers: dict[str, str]) -> int:
        body = json.dumps({"FunctionName": name, **FUNCTION})
        path = "/2015-03-31/functions"
        return ask(ports["aws"], "POST", path, body, {"Content-Type": "text/plain", **headers}).status

    def made() -> set[str]:
        return {function.get("FunctionName", "") for function in functions.list_functions()["Functions"]}

    host = f"evil.example:{ports['aws']}"
    assert make("of-a-page", {"Origin": EVIL}) == 403
    assert make("of-a-frame", {"Origin": "null"}) == 403
    assert make("of-a-rebound-page", {"Origin": f"http://{host}", "Host": host}) == 421
    assert make("of-a-neighbour", {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-site"}) == 403
    assert not {name for name in made() if name.startswith("of-a")}
    assert make("of-a-program", {}) == 201
    assert "of-a-program" in made()
    functions.delete_function(FunctionName="of-a-program")


def test_no_page_makes_anything_by_the_address_of_an_image(
    local_cloud: Settings, ports: dict[str, int]
) -> None:
    """With the older protocols of AWS a GET is enough, and browsers send no Origin with it."""
    topics = aws_client(local_cloud, "sns")

    def made() -> set[str]:
        return {topic.get("TopicArn", "").rpartition(":")[2] for topic in topics.list_topics()["Topics"]}

    def make(name: str, headers: dict[str, str]) -> int:
        path = f"/?Action=CreateStack&Version=2010-05-15&StackName={name}&TemplateBody="
        return ask(ports["aws"], "GET", path + quote(TEMPLATE.replace("NAME", name)), headers=headers).status

    image = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"}
    assert make("by-an-image", image) == 403
    assert "by-an-image" not in made()
    assert make("by-a-program", {}) == 200
    assert "by-a-program" in made()
    aws_client(local_cloud, "cloudformation").delete_stack(StackName="by-a-program")


def test_no_page_reads_or_writes_objects(local_cloud: Settings, ports: dict[str, int]) -> None:
    s3 = aws_client(local_cloud, "s3")
    s3.create_bucket(Bucket="of-others")
    # As a bucket on AWS would say that pages may.
    s3.put_bucket_cors(
        Bucket="of-others",
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"]}]},
    )
    s3.put_object(Bucket="of-others", Key="page.html", Body=b"<script>1</script>", ContentType="text/html")
    assert ask(ports["aws"], "GET", "/of-others/page.html", headers={"Origin": EVIL}).status == 403
    # An object that is itself a page is of the server's own origin; nor may it ask.
    own = {"Origin": f"http://127.0.0.1:{ports['aws']}", "Sec-Fetch-Site": "same-origin"}
    assert ask(ports["aws"], "PUT", "/of-others/made", "x", own).status == 403
    host = f"of-others.localhost:{ports['aws']}"
    assert ask(ports["aws"], "GET", "/page.html", headers={"Host": host}).status == 421
    keys = [entry.get("Key") for entry in s3.list_objects_v2(Bucket="of-others").get("Contents", [])]
    assert keys == ["page.html"]


def test_no_page_defines_a_job(local_cloud: Settings, ports: dict[str, int]) -> None:
    glue = aws_client(local_cloud, "glue")

    def make(name: str, headers: dict[str, str]) -> int:
        command = {"Name": "pythonshell", "ScriptLocation": "s3://x/y.py", "PythonVersion": "3.9"}
        body = json.dumps({"Name": name, "Role": "any", "Command": command})
        target = {"Content-Type": "text/plain", "X-Amz-Target": "AWSGlue.CreateJob"}
        return ask(ports["glue"], "POST", "/", body, {**target, **headers}).status

    assert make("of-a-page", {"Origin": EVIL}) == 403
    assert make("of-a-page", {"Sec-Fetch-Site": "cross-site"}) == 403
    assert "of-a-page" not in glue.list_jobs()["JobNames"]
    assert make("of-a-program", {}) == 200
    assert "of-a-program" in glue.list_jobs()["JobNames"]
    glue.delete_job(JobName="of-a-program")


def test_no_page_gets_as_far_as_the_login_of_the_warehouse(ports: dict[str, int]) -> None:
    body = json.dumps({"data": {"LOGIN_NAME": "ANYBODY", "AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": "none"}})
    path, plain = "/session/v1/login-request", {"Content-Type": "text/plain"}
    assert ask(ports["snowflake"], "POST", path, body, {**plain, "Origin": EVIL}).status == 403
    # A program is heard, and told that its token is none.
    heard = ask(ports["snowflake"], "POST", path, body, plain)
    assert heard.status == 200
    assert json.loads(heard.text)["success"] is False


def test_no_websocket_is_opened_to_the_local_aws(ports: dict[str, int]) -> None:
    with socket.create_connection(("127.0.0.1", ports["aws"]), timeout=30) as client:
        client.sendall(
            f"GET /_aws/ws HTTP/1.1\r\nHost: 127.0.0.1:{ports['aws']}\r\nOrigin: {EVIL}\r\n".encode()
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        answer = b""
        while got := client.recv(4096):
            answer += got
    assert answer.startswith(b"HTTP/1.1 403")
    # MiniStack itself opens one only to functions behind an API Gateway, and says nothing when it refuses.
    assert b"foreign_page" in answer


@pytest.fixture
def connection_arguments(local_cloud: Settings) -> dict[str, object]:
    return {
        "account": "local",
        "user": local_cloud.snowflake_admin_user,
        "protocol": "http",
        "port": local_cloud.snowflake_port,
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_file": str(local_cloud.snowflake_admin_private_key_path),
    }


def test_stock_clients_are_answered_by_address_and_by_name(
    local_cloud: Settings, ports: dict[str, int], connection_arguments: dict[str, object]
) -> None:
    for name in ("127.0.0.1", "localhost"):
        with snowflake.connector.connect(host=name, **connection_arguments) as connection:
            assert rows(connection, "SELECT 1") == [(1,)]
    # As a client that was told nothing of addressing styles: botocore puts the bucket into the path of an address.
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{ports['aws']}",
        region_name=local_cloud.aws_region,
        aws_access_key_id=local_cloud.aws_access_key_id,
        aws_secret_access_key="local",
    )
    s3.create_bucket(Bucket="by-address")
    s3.put_object(Bucket="by-address", Key="a", Body=b"1")
    assert s3.get_object(Bucket="by-address", Key="a")["Body"].read() == b"1"


def test_a_connector_that_calls_the_warehouse_by_another_name_is_told_at_once(
    connection_arguments: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tries what it gets a 403 for again for minutes."""
    resolve = socket.getaddrinfo

    def resolve_here(host: str, *arguments: object, **options: object) -> object:
        return resolve("127.0.0.1" if host == "warehouse.example" else host, *arguments, **options)  # type: ignore[arg-type] - passed on as they are

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    with pytest.raises(HttpError, match="421"):
        snowflake.connector.connect(host="warehouse.example", login_timeout=60, **connection_arguments)
