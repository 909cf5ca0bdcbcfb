"""The function on the local cloud: called directly, by several at once, again, and deployed behind S3's event."""

import base64
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dagster_pipes import encode_param

from movie_platform.contracts.locations import quarantine_prefix
from movie_platform.lambdas import aws_calls, lease, unpack
from movie_platform.provision.lambda_package import build_package
from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings
from movie_platform_tests.hostile_bundles import FAULTS, Fault
from movie_platform_tests.plain_bundles import COLUMNS, PlainBundle, plain_bundle

pytestmark = pytest.mark.cloud

DT = "2026-11-18"


class Cloud:
    """Buckets, a topic and a queue of one test."""

    def __init__(self, settings: Settings) -> None:
        self.s3 = aws_client(settings, "s3")
        self.sns = aws_client(settings, "sns")
        self.sqs = aws_client(settings, "sqs")
        name = uuid.uuid4().hex[:12]
        self.landing, self.processed = f"landing-{name}", f"processed-{name}"
        for bucket in (self.landing, self.processed):
            self.s3.create_bucket(Bucket=bucket)
        self.topic = self.sns.create_topic(Name=f"alerts-{name}")["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName=f"alerts-{name}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )

    def land(self, data: bytes, key: str | None = None, dt: str = DT) -> dict[str, str]:
        key = key or f"movies/source=demo/dt={dt}/{uuid.uuid4().hex}.zip"
        etag = self.s3.put_object(Bucket=self.landing, Key=key, Body=data)["ETag"].strip('"')
        return {"bucket": self.landing, "key": key, "etag": etag}

    def published(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.processed)
        return [found.get("Key", "") for page in pages for found in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.processed, Key=key)["Body"].read()

    def alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        wait = 1
        while messages := self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait
        ).get("Messages"):
            wait = 0
            for message in messages:
                found.append(json.loads(message.get("Body", "")))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message.get("ReceiptHandle", ""))
        return found


@pytest.fixture
def cloud(local_cloud: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    found = Cloud(local_cloud)
    secret = local_cloud.aws_secret_access_key
    for name, value in {
        "AWS_ENDPOINT_URL": local_cloud.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": local_cloud.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
        "AWS_DEFAULT_REGION": local_cloud.aws_region,
        "PROCESSED_BUCKET": found.processed,
        "ALERT_TOPIC_ARN": found.topic,
    }.items():
        monkeypatch.setenv(name, value or "")
    aws_calls.s3_client.cache_clear()
    aws_calls.sns_client.cache_clear()
    yield found
    aws_calls.s3_client.cache_clear()
    aws_calls.sns_client.cache_clear()


def call(event: dict[str, Any]) -> dict[str, Any]:
    [result] = unpack.handler(event, None)["results"]
    return result


def bundle_at(moment: str, rows: int = 4) -> PlainBundle:
    return plain_bundle([(str(n), f"Film {n}", "1999") for n in range(rows)], extracted_at=moment)


def test_a_good_bundle_is_published_and_its_marker_lists_it(cloud: Cloud) -> None:
    bundle = plain_bundle()
    event = cloud.land(bundle.zipped())
    result = call(event)
    assert (result["status"], result["already_done"], result["reason"]) == ("verified", False, None)
    assert (result["rows"], result["rejected"], result["source"], result["dt"]) == (4, 0, "demo", DT)
    prefix = f"movies/source=demo/dt={DT}/batch={result['batch_id']}/"
    assert sorted(cloud.published()) == [
        f"{prefix}_VERIFIED.json",
        f"{prefix}csv/movies-00000.csv",
        f"{prefix}manifest.json",
    ]
    marker = json.loads(cloud.read(result["verified_key"]))
    assert marker["landing"] == {**event, "size": len(bundle.zipped())}
    assert marker["columns"] == list(COLUMNS)
    assert marker["files"] == result["files"]
    assert marker["manifest_key"] == f"{prefix}manifest.json"
    for file in marker["files"]:
        data = cloud.read(file["key"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    assert cloud.read(marker["manifest_key"]) == bundle.manifest_bytes()
    assert cloud.alerts() == []


def test_a_second_call_gives_the_same_answer_and_changes_nothing(cloud: Cloud) -> None:
    event = cloud.land(plain_bundle().zipped())
    first = call(event)
    before = {
        key: cloud.s3.head_object(Bucket=cloud.processed, Key=key)["LastModified"]
        for key in cloud.published()
    }
    second = call(event)
    assert second == {**first, "already_done": True}
    after = {
        key: cloud.s3.head_object(Bucket=cloud.processed, Key=key)["LastModified"]
        for key in cloud.published()
    }
    assert after == before


@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_calls_at_the_same_moment_give_one_result(cloud: Cloud, good: bool) -> None:
    bundle = bundle_at("2026-11-18T06:00:00Z", 2000)
    if not good:
        bundle.manifest["files"][0]["sha256"] = "0" * 64
    event = cloud.land(bundle.zipped())
    barrier = threading.Barrier(4)

    def together(_: int) -> dict[str, Any]:
        barrier.wait()
        return call(event)

    with ThreadPoolExecutor(4) as executor:
        results = list(executor.map(together, range(4)))
    assert sorted(result.pop("already_done") for result in results) == [False, True, True, True]
    assert all(result == results[0] for result in results)
    assert results[0]["status"] == ("verified" if good else "quarantined")
    assert len(cloud.alerts()) == (0 if good else 1)


def test_a_call_that_died_half_way_is_completed_by_the_next(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = cloud.land(plain_bundle().zipped())
    with monkeypatch.context() as patch:
        patch.setattr(aws_calls, "upload", broken)
        with pytest.raises(ConnectionError):
            call(event)
    assert not [key for key in cloud.published() if key.endswith("_VERIFIED.json")]
    result = call(event)
    assert (result["status"], result["already_done"]) == ("verified", False)


def broken(*_: object) -> None:
    raise ConnectionError("S3 is away")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_bad_bundle_goes_to_quarantine_with_its_reason_and_one_alert(cloud: Cloud, fault: Fault) -> None:
    data = fault.make()
    event = cloud.land(data)
    result = call(event)
    assert result["status"] == "quarantined"
    assert result["reason"]["code"] == fault.expected.value
    prefix = result["quarantine_prefix"]
    assert prefix == f"quarantine/{event['key']}/{event['etag']}/"
    assert sorted(cloud.published()) == [f"{prefix}bundle.zip", f"{prefix}reason.json"]
    assert cloud.read(f"{prefix}bundle.zip") == data
    reason = json.loads(cloud.read(f"{prefix}reason.json"))
    assert {name: reason[name] for name in ("code", "message", "entry")} == result["reason"]
    assert call(event) == {**result, "already_done": True}
    [alert] = cloud.alerts()
    assert alert["kind"] == "quarantined_bundle"
    assert fault.expected.value in alert["why"]
    assert alert["where"] == f"s3://{cloud.processed}/{prefix}reason.json"
    assert set(alert) == {"kind", "what", "why", "where", "next", "at"}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("movies/source=demo/dt=2026-11-19/x.zip", "partition_mismatch"),
        ("movies/source=omdb/dt=2026-11-18/x.zip", "source_mismatch"),
        ("movies/source=demo/dt=2026-02-30/x.zip", "bad_key"),
        ("movies/source=demo/x.zip", "bad_key"),
        ("movies/source=demo/dt=2026-11-18/ünïcode + space.zip", "bad_key"),
    ],
)
def test_a_good_bundle_in_the_wrong_place_goes_to_quarantine(cloud: Cloud, key: str, code: str) -> None:
    result = call(cloud.land(plain_bundle().zipped(), key))
    assert (result["status"], result["reason"]["code"]) == ("quarantined", code)


def test_a_batch_id_with_other_files_is_refused_and_the_first_stays(cloud: Cloud) -> None:
    first, second = plain_bundle(), plain_bundle()
    # The same rows, so the same content_id, written with other line ends.
    second.put("csv/movies-00000.csv", first.files["csv/movies-00000.csv"].replace(b"\r\n", b"\n"))
    published = call(cloud.land(first.zipped()))
    refused = call(cloud.land(second.zipped()))
    assert refused["reason"]["code"] == "batch_id_reused"
    [file] = published["files"]
    assert cloud.read(file["key"]) == first.files["csv/movies-00000.csv"]


def test_the_same_files_under_another_key_are_done_already(cloud: Cloud) -> None:
    bundle = plain_bundle()
    first = call(cloud.land(bundle.zipped()))
    bundle.manifest["producer"]["version"] = "2"
    second = call(cloud.land(bundle.zipped()))
    assert (second["status"], second["already_done"]) == ("verified", True)
    assert second["files"] == first["files"]


def test_two_bundles_of_one_batch_id_at_the_same_moment_never_mix(cloud: Cloud) -> None:
    first, second = plain_bundle(), plain_bundle()
    second.put("csv/movies-00000.csv", first.files["csv/movies-00000.csv"].replace(b"\r\n", b"\n"))
    events = [cloud.land(first.zipped()), cloud.land(second.zipped())]
    barrier = threading.Barrier(2)

    def together(event: dict[str, str]) -> dict[str, Any]:
        barrier.wait()
        return call(event)

    with ThreadPoolExecutor(2) as executor:
        results = list(executor.map(together, events))
    assert sorted(result["status"] for result in results) == ["quarantined", "verified"]
    [verified] = [result for result in results if result["status"] == "verified"]
    [file] = verified["files"]
    assert hashlib.sha256(cloud.read(file["key"])).hexdigest() == file["sha256"]


def test_of_two_calls_for_one_bundle_at_the_same_moment_one_does_the_work(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = cloud.land(plain_bundle().zipped())
    download, downloads, barrier = aws_calls.download, [], threading.Barrier(2)

    def slow_download(*arguments: Any) -> None:
        downloads.append(arguments)
        time.sleep(1)
        download(*arguments)

    monkeypatch.setattr(aws_calls, "download", slow_download)

    def together(_number: int) -> dict[str, Any]:
        barrier.wait()
        return call(event)

    with ThreadPoolExecutor(2) as executor:
        results = list(executor.map(together, range(2)))
    assert sorted((result["status"], result["already_done"]) for result in results) == [
        ("verified", False),
        ("verified", True),
    ]
    assert len(downloads) == 1
    assert not [key for key in cloud.published() if key.startswith(lease.PREFIX)]


def test_the_lease_of_a_call_that_died_holds_nobody_up_for_longer_than_it_lasts(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = cloud.land(plain_bundle().zipped())
    key = lease.lease_key(event["key"], event["etag"])
    acquired = time.time()
    assert aws_calls.create(cloud.processed, key, json.dumps({"acquired_at": acquired}).encode())
    monkeypatch.setattr(lease, "LEASE_SECONDS", 2.0)
    result = call(event)
    assert (result["status"], result["already_done"]) == ("verified", False)
    assert time.time() - acquired > 1
    assert key not in cloud.published()


def test_an_alert_that_could_not_be_sent_is_sent_by_the_next_call(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = cloud.land(b"not a zip")
    with monkeypatch.context() as patch:
        patch.setenv("ALERT_TOPIC_ARN", cloud.topic + "-that-is-not-there")
        with pytest.raises(ClientError):
            call(event)
    result = call(event)
    assert (result["status"], result["already_done"]) == ("quarantined", False)
    assert len(cloud.alerts()) == 1


def test_a_bundle_above_the_limit_is_refused_without_being_downloaded(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLE_LIMIT_BUNDLE_BYTES", "100")
    monkeypatch.setattr(aws_calls, "download", broken)
    assert call(cloud.land(plain_bundle().zipped()))["reason"]["code"] == "too_large"


def test_an_object_that_is_gone_or_replaced_is_ignored(cloud: Cloud) -> None:
    event = cloud.land(plain_bundle().zipped())
    cloud.s3.put_object(Bucket=cloud.landing, Key=event["key"], Body=b"newer")
    result = call(event)
    assert (result["status"], result["reason"]["code"]) == ("ignored", "object_replaced")
    cloud.s3.delete_object(Bucket=cloud.landing, Key=event["key"])
    assert call(event)["reason"]["code"] == "object_missing"
    assert cloud.published() == []


def test_the_failure_of_one_object_does_not_stop_the_others(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = cloud.land(b"not a zip"), cloud.land(plain_bundle().zipped())
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": event["bucket"]}, "object": {"key": event["key"]}},
        }
        for event in (bad, good)
    ]
    with monkeypatch.context() as patch:
        patch.setenv("ALERT_TOPIC_ARN", cloud.topic + "-that-is-not-there")
        with pytest.raises(ClientError):
            unpack.handler({"Records": records}, None)
    assert call(good)["already_done"]
    assert not call(bad)["already_done"]


def test_large_files_are_published_in_parts(cloud: Cloud) -> None:
    bundle = bundle_at("2026-11-18T07:00:00Z", 1)
    noise = hashlib.sha256(b"x").hexdigest()
    rows = 420_000
    text = "movie_id,title,year\n" + "".join(f"{n},{noise},1999\n" for n in range(rows))
    bundle.put("csv/movies-00000.csv", text.encode(), rows=rows)
    bundle.manifest["row_count"] = rows
    result = call(cloud.land(bundle.zipped()))
    assert (result["status"], result["rows"]) == ("verified", rows)
    assert hashlib.sha256(cloud.read(result["files"][0]["key"])).hexdigest() == result["files"][0]["sha256"]


@pytest.fixture
def deployed(cloud: Cloud, local_cloud: Settings) -> Iterator[str]:
    """The packaged function on the local Lambda, subscribed to the landing bucket through SNS."""
    functions = aws_client(local_cloud, "lambda")
    name = f"unpack-{uuid.uuid4().hex[:8]}"
    arn = functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="movie_platform.lambdas.unpack.handler",
        Role=f"arn:aws:iam::{local_cloud.aws_account_id}:role/unpack",
        Code={"ZipFile": build_package()},
        Timeout=60,
        MemorySize=1024,
        Environment={"Variables": {"PROCESSED_BUCKET": cloud.processed, "ALERT_TOPIC_ARN": cloud.topic}},
    )["FunctionArn"]
    topic = cloud.sns.create_topic(Name=f"landing-{name}")["TopicArn"]
    cloud.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    cloud.s3.put_bucket_notification_configuration(
        Bucket=cloud.landing,
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    yield name
    functions.delete_function(FunctionName=name)


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_the_deployed_function_answers_the_event_and_the_call_alike(
    cloud: Cloud, deployed: str, local_cloud: Settings
) -> None:
    event = cloud.land(plain_bundle().zipped())
    wait_for(lambda: any(key.endswith("_VERIFIED.json") for key in cloud.published()))
    answer = aws_client(local_cloud, "lambda").invoke(
        FunctionName=deployed, Payload=json.dumps(event).encode()
    )
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    [result] = payload["results"]
    assert (result["status"], result["already_done"]) == ("verified", True)
    bad = cloud.land(b"not a zip")
    wait_for(lambda: any(key.endswith("reason.json") for key in cloud.published()))
    alerts: list[dict[str, Any]] = []

    def told() -> bool:
        alerts.extend(cloud.alerts())
        return bool(alerts)

    # The alert goes out after the reason is there to be read.
    wait_for(told)
    assert [alert["kind"] for alert in alerts] == ["quarantined_bundle"]
    assert quarantine_prefix(bad["key"], bad["etag"]) + "bundle.zip" in cloud.published()


def test_a_warm_function_serves_dagster_pipes_again_and_again(
    cloud: Cloud, deployed: str, local_cloud: Settings
) -> None:
    event = cloud.land(plain_bundle().zipped())
    context = {
        "asset_keys": ["x"],
        "code_version_by_asset_key": {"x": None},
        "provenance_by_asset_key": {"x": None},
        "partition_key": None,
        "partition_key_range": None,
        "partition_time_window": None,
        "run_id": "r",
        "job_name": None,
        "retry_number": 0,
        "extras": {},
    }
    call_event = {
        **event,
        "DAGSTER_PIPES_CONTEXT": encode_param({"data": context}),
        "DAGSTER_PIPES_MESSAGES": encode_param({"buffered_stdio": "stderr"}),
    }
    whole = 0
    # The local Lambda looks a few milliseconds long for what a function wrote: on a busy machine a line may be missing
    # in the tail of its own call and come with the next one.
    for _ in range(20):
        answer = aws_client(local_cloud, "lambda").invoke(
            FunctionName=deployed, Payload=json.dumps(call_event).encode(), LogType="Tail"
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        [result] = json.loads(answer["Payload"].read())["results"]
        assert result["status"] == "verified"
        tail = base64.b64decode(answer.get("LogResult", "")).decode()
        messages = [json.loads(line) for line in tail.splitlines() if '"__dagster_pipes_version"' in line]
        methods = [message["method"] for message in messages]
        assert set(methods) <= {"opened", "log", "closed"}
        assert len(tail) < 4096
        whole += methods == ["opened", "log", "closed"]
        if whole == 3:
            break
    assert whole == 3
