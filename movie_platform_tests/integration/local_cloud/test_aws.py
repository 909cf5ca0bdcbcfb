"""The local AWS: started, stopped, killed and started again; S3 events that really reach their receivers."""

import http.server
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from movie_platform.local_cloud import processes, supervisor
from movie_platform.local_cloud.local_cloud_errors import LocalCloudError
from movie_platform.local_cloud.services import AWS, GLUE
from movie_platform.process_identity import ProcessIdentity
from movie_platform.settings import Settings
from movie_platform_tests.saved_state import wait_until_saved

pytestmark = pytest.mark.cloud

SERVERS = (AWS, GLUE)


def client(home: Path, name: Any, endpoint: str | None = None) -> Any:
    settings = Settings(home=home)
    assert settings.aws_secret_access_key is not None
    return boto3.client(
        name,
        endpoint_url=endpoint or settings.aws_endpoint_url,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
        config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}),
    )


def eventually(check: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def pids(home: Path) -> dict[str, int | None]:
    return {service.name: service.pid for service in supervisor.status(home, services=SERVERS).services}


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes homes whose servers end with the test."""
    made: list[Path] = []

    def make(name: str) -> Path:
        made.append(tmp_path / name)
        return made[-1]

    yield make
    for home in made:
        supervisor.down(home, services=SERVERS)


def test_up_starts_down_stops_and_doing_either_twice_changes_nothing(homes: Callable[[str], Path]):
    home = homes("home")
    first = supervisor.up(home, services=SERVERS)
    assert first.running
    assert first.notes == ()
    assert supervisor.up(home, services=SERVERS) == first
    client(home, "s3").create_bucket(Bucket="kept")
    supervisor.down(home, services=SERVERS)
    supervisor.down(home, services=SERVERS)
    stopped = supervisor.status(home, services=SERVERS)
    assert not stopped.running
    assert {service.pid for service in stopped.services} == {None}
    again = supervisor.up(home, services=SERVERS)
    assert [service.endpoint for service in again.services] == [
        service.endpoint for service in first.services
    ]
    assert [bucket["Name"] for bucket in client(home, "s3").list_buckets()["Buckets"]] == ["kept"]


def test_servers_listen_on_this_machine_only(homes: Callable[[str], Path]):
    home = homes("home")
    for service in supervisor.up(home, services=SERVERS).services:
        assert service.port is not None
        with socket.socket() as probe:
            # Another address of this machine: what listens on all of them would answer here too.
            assert probe.connect_ex(("127.0.0.2", service.port)) != 0


def test_two_homes_run_side_by_side_and_share_nothing(homes: Callable[[str], Path]):
    one, two = homes("one"), homes("two")
    supervisor.up(one, services=SERVERS)
    supervisor.up(two, services=SERVERS)
    client(one, "s3").create_bucket(Bucket="only-in-one")
    assert client(two, "s3").list_buckets()["Buckets"] == []
    before = pids(two)
    supervisor.reset(one, services=SERVERS)
    assert pids(two) == before
    assert None not in before.values()


def test_reset_empties_a_home_and_leaves_it_usable(homes: Callable[[str], Path]):
    home = homes("home")
    supervisor.up(home, services=SERVERS)
    client(home, "s3").create_bucket(Bucket="gone")
    (home / "mine.txt").write_text("kept")
    supervisor.reset(home, services=SERVERS)
    assert not (home / "lake").exists()
    assert (home / "mine.txt").read_text() == "kept"
    supervisor.up(home, services=SERVERS)
    assert client(home, "s3").list_buckets()["Buckets"] == []


def test_a_record_of_a_process_that_is_gone_harms_nobody_who_has_its_number_or_port(
    homes: Callable[[str], Path],
):
    home = homes("home")
    supervisor.up(home, services=SERVERS)
    supervisor.down(home, services=SERVERS)
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    record = json.loads((home / "cloud.json").read_text())
    with socket.create_server(("127.0.0.1", record["services"]["aws"]["port"])):
        record["services"]["aws"].update(pid=bystander.pid, started="before the machine was restarted")
        (home / "cloud.json").write_text(json.dumps(record))
        try:
            found = supervisor.up(home, services=SERVERS)
            assert found.running
            assert found.services[0].port != record["services"]["aws"]["port"]
            assert bystander.poll() is None
            assert Settings(home=home).aws_endpoint_url == found.services[0].endpoint
        finally:
            bystander.kill()
            bystander.wait()


def test_a_server_that_an_interrupted_up_did_not_record_is_found_and_replaced(homes: Callable[[str], Path]):
    home = homes("home")
    supervisor.up(home, services=SERVERS)
    lost = ProcessIdentity.of(pids(home)["aws"] or 0)
    assert lost is not None
    (home / "cloud.json").unlink()
    assert supervisor.up(home, services=SERVERS).running
    assert not lost.alive


def test_two_calls_of_up_at_once_start_each_server_once(homes: Callable[[str], Path]):
    home = homes("home")
    code = (
        "import sys; from pathlib import Path; from movie_platform.local_cloud import services, supervisor;"
        "supervisor.up(Path(sys.argv[1]), services=(services.AWS, services.GLUE))"
    )
    calls = [subprocess.Popen([sys.executable, "-c", code, str(home)]) for _ in range(2)]
    assert [call.wait(timeout=90) for call in calls] == [0, 0]
    for service in SERVERS:
        assert len(processes.find(["-m", service.module, "--home", str(home)])) == 1


def test_a_server_that_cannot_start_is_an_error_with_the_end_of_its_log(homes: Callable[[str], Path]):
    home = homes("home")
    (home / "glue").mkdir(parents=True)
    (home / "glue" / "runs.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(LocalCloudError) as caught:
        supervisor.up(home, services=SERVERS)
    assert caught.value.code == "server_did_not_start"
    assert "not a database" in caught.value.message
    assert "glue.log" in (caught.value.next_step or "")


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers every health check, as another home's server would."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        pass


def test_a_server_of_somebody_else_that_took_the_port_first_is_not_taken_for_ours(
    homes: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    home = homes("home")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever).start()
        picked = [stranger.server_port]
        pick = supervisor.ports.pick
        monkeypatch.setattr(
            supervisor.ports,
            "pick",
            lambda *args, **options: picked.pop() if picked else pick(*args, **options),
        )
        try:
            found = supervisor.up(home, services=(AWS,))
        finally:
            stranger.shutdown()
    assert picked == []
    assert found.running
    # What never was up has lost nothing.
    assert found.notes == ()
    assert stranger.server_port not in {service.port for service in found.services}


HANDLER = """
import json, os, urllib.parse
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        for inner in json.loads(record["Sns"]["Message"]).get("Records", []):
            key = urllib.parse.unquote_plus(inner["s3"]["object"]["key"])
            s3.put_object(Bucket=os.environ["TARGET"], Key="seen/" + key, Body=b"seen")
"""


def deploy_fan_out(home: Path) -> None:
    """Bucket -> topic -> function and queue, as the platform has them."""
    s3, sns, sqs = client(home, "s3"), client(home, "sns"), client(home, "sqs")
    lambda_, iam = client(home, "lambda"), client(home, "iam")
    for bucket in ("landing", "processed"):
        s3.create_bucket(Bucket=bucket)
    topic = sns.create_topic(Name="landed")["TopicArn"]
    queue = sqs.create_queue(QueueName="arrivals")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    role = iam.create_role(RoleName="unpack", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("unpack.py", HANDLER)
    function = lambda_.create_function(
        FunctionName="unpack",
        Runtime="python3.11",
        Handler="unpack.handler",
        Role=role,
        Timeout=30,
        Code={"ZipFile": package.getvalue()},
        Environment={"Variables": {"TARGET": "processed"}},
    )["FunctionArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"}
    )
    s3.put_bucket_notification_configuration(
        Bucket="landing",
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]
        },
    )


def keys(home: Path, bucket: str) -> list[str]:
    return [entry["Key"] for entry in client(home, "s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def arrivals(home: Path, wanted: str) -> list[str]:
    """Reads the queue until an event for the key was there; the keys of all events read."""
    sqs = client(home, "sqs")
    queue = sqs.get_queue_url(QueueName="arrivals")["QueueUrl"]
    seen: list[str] = []

    def arrived() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        ):
            seen.extend(r["s3"]["object"]["key"] for r in json.loads(message["Body"]).get("Records", []))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return wanted in seen

    eventually(arrived)
    return seen


def test_an_objects_event_reaches_the_function_and_the_queue_also_after_a_crash_of_the_server(
    homes: Callable[[str], Path],
):
    home = homes("home")
    supervisor.up(home, services=SERVERS)
    deploy_fan_out(home)
    client(home, "s3").put_object(Bucket="landing", Key="dt=2026-11-18/a b.zip", Body=b"1")
    eventually(lambda: "seen/dt=2026-11-18/a b.zip" in keys(home, "processed"))
    # Keys in events are URL-encoded, as S3's are.
    assert arrivals(home, "dt%3D2026-11-18/a+b.zip")

    wait_until_saved(home)
    crashed = pids(home)["aws"]
    assert crashed is not None
    os.kill(crashed, signal.SIGKILL)
    # Not waited for: it has closed its port, and still ends, when it is started again.
    again = supervisor.up(home, services=SERVERS)
    assert again.running
    assert pids(home)["aws"] != crashed
    assert any("ended without saving" in note for note in again.notes)

    assert "seen/dt=2026-11-18/a b.zip" in keys(home, "processed")
    client(home, "s3").put_object(Bucket="landing", Key="b.zip", Body=b"2")
    eventually(lambda: "seen/b.zip" in keys(home, "processed"))
    assert arrivals(home, "b.zip")
    supervisor.down(home, services=SERVERS)
    assert supervisor.status(home, services=SERVERS).notes == ()


def test_an_idle_cloud_uses_next_to_no_processor_time(homes: Callable[[str], Path]):
    home = homes("home")
    supervisor.up(home, services=SERVERS)
    import psutil

    def used() -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids(home).values() if pid)

    client(home, "s3").create_bucket(Bucket="idle")
    time.sleep(2)
    spent: list[float] = []
    # What a server still does after its start may take longer on a busy machine.
    while not spent or (spent[-1] >= 0.3 and len(spent) < 5):
        before = used()
        time.sleep(3)
        spent.append(used() - before)
    assert spent[-1] < 0.3, spent


def test_the_health_of_each_server_is_a_plain_get(homes: Callable[[str], Path]):
    home = homes("home")
    for service, found in zip(SERVERS, supervisor.up(home, services=SERVERS).services, strict=True):
        with urllib.request.urlopen(f"{found.endpoint}{service.health_path}", timeout=5) as answer:
            assert answer.status == 200


def test_the_shared_cloud_runs_all_its_servers(local_cloud: Settings):
    found = supervisor.status(local_cloud.home)
    assert found.running
    assert [service.name for service in found.services] == ["aws", "glue", "snowflake"]
    assert local_cloud.snowflake_port == found.services[2].port
    assert local_cloud.snowflake_private_key_path is not None
    assert local_cloud.snowflake_private_key_path.stat().st_mode & 0o777 == 0o600
