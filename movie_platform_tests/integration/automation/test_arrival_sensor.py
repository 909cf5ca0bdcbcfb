"""The arrival sensor against a real queue and bucket: every bundle gets one run, whatever the events do."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from movie_platform.automation import arrival_listing, arrival_queue
from movie_platform.build import build_defs
from movie_platform.contracts.locations import landing_prefix
from movie_platform.graph import asset_keys, metadata_names, tag_names
from movie_platform.provision import provision
from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings
from movie_platform_tests.another_platform import another

VISIBILITY_SECONDS = 2
DAY = datetime.now(UTC).date()


class Ticker:
    """Evaluates the sensor, and makes a run of each request as the daemon would."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.defs = build_defs(settings)
        self.instance = instance
        self.cursor: str | None = None
        self.run_keys: set[str] = set()

    def tick(self) -> dg.SensorResult:
        sensor = next(found for found in self.defs.sensors or [] if found.name == "bundle_arrival_sensor")
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=self.defs.get_repository_def(),
            resources={"aws": (self.defs.resources or {})["aws"]},
        )
        result: Any = sensor(context)
        self.cursor = result.cursor
        return result

    def later_tick(self) -> dg.SensorResult:
        """A tick that sees what the one before it left in the queue."""
        time.sleep(VISIBILITY_SECONDS + 0.5)
        return self.tick()

    def launch(self, result: dg.SensorResult, status: dg.DagsterRunStatus) -> list[dg.RunRequest]:
        new = [request for request in result.run_requests or [] if request.run_key not in self.run_keys]
        for request in new:
            self.run_keys.add(str(request.run_key))
            create_run_for_test(
                self.instance, job_name="process_landed_bundle", tags=dict(request.tags), status=status
            )
        return new


@pytest.fixture(scope="module")
def provisioned_cloud(local_cloud: Settings) -> Settings:
    """A platform of this module's own: the sensor reports each bundle of its bucket, whoever landed it."""
    settings = another(local_cloud, "sensor")
    provision(settings)
    return settings


@pytest.fixture
def queue(provisioned_cloud: Settings) -> Iterator[str]:
    """The arrival queue, with nothing of earlier tests in it."""
    sqs = aws_client(provisioned_cloud, "sqs")
    url = sqs.get_queue_url(QueueName=provisioned_cloud.queue_name("arrivals"))["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    yield url
    sqs.purge_queue(QueueUrl=url)


@pytest.fixture
def ticker(provisioned_cloud: Settings) -> Iterator[Ticker]:
    with dg.instance_for_test() as instance:
        yield Ticker(provisioned_cloud, instance)


@pytest.fixture(autouse=True)
def messages_come_back_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that a tick leaves in the queue comes back after two seconds instead of a minute."""
    monkeypatch.setattr(arrival_queue, "VISIBILITY_SECONDS", VISIBILITY_SECONDS)


def land(settings: Settings, source: str, number: int) -> list[str]:
    s3, bucket = aws_client(settings, "s3"), settings.bucket("landing")
    found = [f"{landing_prefix(source, DAY)}bundle-{index:03d}.zip" for index in range(number)]
    for key in found:
        s3.put_object(Bucket=bucket, Key=key, Body=b"not a bundle, but the sensor does not look inside")
    return found


def depth(settings: Settings, queue: str) -> int:
    return _messages(settings, queue)[0]


def left(settings: Settings, queue: str) -> int:
    """Messages that are still there, those included that a tick has received and not deleted."""
    return sum(_messages(settings, queue))


def _messages(settings: Settings, queue: str) -> tuple[int, int]:
    attributes = aws_client(settings, "sqs").get_queue_attributes(
        QueueUrl=queue,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]), int(
        attributes["ApproximateNumberOfMessagesNotVisible"]
    )


def wait_for_messages(settings: Settings, queue: str, number: int) -> None:
    deadline = time.monotonic() + 180
    while depth(settings, queue) < number:
        assert time.monotonic() < deadline, (
            f"{depth(settings, queue)} of {number} events came within three minutes"
        )
        time.sleep(0.2)


def about(source: str, requests: list[dg.RunRequest]) -> list[dg.RunRequest]:
    return [request for request in requests if request.tags[tag_names.SOURCE] == source]


def test_a_hundred_bundles_that_arrive_at_once_get_one_run_each_for_their_date(
    provisioned_cloud: Settings, queue: str, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(arrival_queue, "VISIBILITY_SECONDS", 30)
    landed = land(provisioned_cloud, "hundred", 100)
    wait_for_messages(provisioned_cloud, queue, 100)
    requested: list[dg.RunRequest] = []
    for _ in range(3):
        requested += ticker.launch(ticker.tick(), dg.DagsterRunStatus.STARTED)
    requested = about("hundred", requested)
    assert sorted(request.tags[tag_names.BUNDLE_KEY] for request in requested) == landed
    assert {request.partition_key for request in requested} == {DAY.isoformat()}


def test_a_message_is_deleted_one_tick_after_its_run_exists(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    land(provisioned_cloud, "deleted", 1)
    wait_for_messages(provisioned_cloud, queue, 1)
    first = ticker.tick()
    assert len(about("deleted", ticker.launch(first, dg.DagsterRunStatus.STARTED))) == 1
    assert left(provisioned_cloud, queue) == 1
    assert not ticker.later_tick().run_requests
    assert left(provisioned_cloud, queue) == 0


def test_a_tick_that_dies_before_its_runs_exist_loses_nothing(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    land(provisioned_cloud, "crashed", 1)
    wait_for_messages(provisioned_cloud, queue, 1)
    lost, again = ticker.tick(), ticker.later_tick()
    assert [r.run_key for r in lost.run_requests or []] == [r.run_key for r in again.run_requests or []]


def test_an_event_that_is_delivered_twice_asks_for_one_run(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    land(provisioned_cloud, "twice", 1)
    wait_for_messages(provisioned_cloud, queue, 1)
    sqs = aws_client(provisioned_cloud, "sqs")
    body = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"][0].get("Body", "")
    assert "twice" in body
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert len(about("twice", ticker.launch(ticker.tick(), dg.DagsterRunStatus.STARTED))) == 1
    assert not ticker.later_tick().run_requests
    assert left(provisioned_cloud, queue) == 0


def test_a_bundle_from_outside_is_reported_as_a_materialization_and_ours_is_not(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    ours, foreign = land(provisioned_cloud, "foreign", 2)
    wait_for_messages(provisioned_cloud, queue, 2)
    create_run_for_test(ticker.instance, job_name="extract_day", tags={tag_names.LANDED_KEY: ours})
    result = ticker.tick()
    assert len(about("foreign", list(result.run_requests or []))) == 2
    reported = [
        event
        for event in result.asset_events
        if isinstance(event, dg.AssetMaterialization) and event.asset_key == asset_keys.ZIPPED_BUNDLE
    ]
    uris = [event.metadata[metadata_names.BUNDLE_URI].value for event in reported]
    assert [uri for uri in uris if "foreign" in str(uri)] == [
        f"s3://{provisioned_cloud.bucket('landing')}/{foreign}"
    ]


def test_a_run_that_materializes_the_whole_graph_speaks_for_its_bundle(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    [key] = land(provisioned_cloud, "whole", 1)
    wait_for_messages(provisioned_cloud, queue, 1)
    create_run_for_test(
        ticker.instance,
        job_name="materialize_day",
        tags={tag_names.LANDED_KEY: key, tag_names.BUNDLE_KEY: key},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert not about("whole", list(ticker.tick().run_requests or []))
    assert left(provisioned_cloud, queue) == 0


def test_a_bundle_whose_event_was_lost_is_found_by_the_listing(
    provisioned_cloud: Settings, queue: str, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(arrival_listing, "LISTED_FROM_AGE", timedelta(0))
    landed = land(provisioned_cloud, "lost", 3)
    wait_for_messages(provisioned_cloud, queue, 3)
    aws_client(provisioned_cloud, "sqs").purge_queue(QueueUrl=queue)
    found: list[dg.RunRequest] = []
    for _ in range(20):
        found += about("lost", ticker.launch(ticker.tick(), dg.DagsterRunStatus.STARTED))
        if len(found) >= len(landed):
            break
    assert sorted(request.tags[tag_names.BUNDLE_KEY] for request in found) == landed


def test_a_listing_that_has_gone_round_begins_again(
    provisioned_cloud: Settings, queue: str, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(arrival_listing, "LISTED_A_TICK", 25)
    land(provisioned_cloud, "round", 30)
    seen: set[str | None] = set()
    for _ in range(500):
        cursor = ticker.tick().cursor
        if cursor in seen:
            break
        seen.add(cursor)
    else:
        pytest.fail("the listing never came back to where it began")
    assert len(seen) > 1


def test_a_failed_run_is_tried_again_later_and_not_for_ever(
    provisioned_cloud: Settings, queue: str, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
):
    land(provisioned_cloud, "failing", 1)
    wait_for_messages(provisioned_cloud, queue, 1)
    attempts: list[str] = []
    now = time.time()
    for _ in range(6):
        result = ticker.launch(ticker.later_tick(), dg.DagsterRunStatus.FAILURE)
        attempts += [request.tags[tag_names.ATTEMPT] for request in about("failing", result)]
        now += 3600
        monkeypatch.setattr(time, "time", lambda later=now: later)
    assert attempts == ["1", "2", "3"]
    assert left(provisioned_cloud, queue) == 0


def test_a_key_that_no_bundle_may_have_does_not_stay_in_the_queue(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    aws_client(provisioned_cloud, "s3").put_object(
        Bucket=provisioned_cloud.bucket("landing"), Key="movies/source=Bad Name/x.zip", Body=b""
    )
    wait_for_messages(provisioned_cloud, queue, 1)
    assert not about("Bad Name", list(ticker.tick().run_requests or []))
    assert left(provisioned_cloud, queue) == 0


def test_a_date_that_is_no_partition_stays_for_the_dead_letter_queue(
    provisioned_cloud: Settings, queue: str, ticker: Ticker
):
    key = f"movies/source=old/dt={provisioned_cloud.first_date - timedelta(days=1)}/a.zip"
    aws_client(provisioned_cloud, "s3").put_object(
        Bucket=provisioned_cloud.bucket("landing"), Key=key, Body=b""
    )
    wait_for_messages(provisioned_cloud, queue, 1)
    assert not about("old", list(ticker.tick().run_requests or []))
    assert left(provisioned_cloud, queue) == 1
