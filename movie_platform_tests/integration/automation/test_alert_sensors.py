"""Failures reach the alert topic once, with what happened and where to look."""

import json
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from movie_platform.automation import alert_sensors
from movie_platform.automation.alert_sensors import build_freshness_alerts, run_failure_alerts
from movie_platform.build import build_defs, build_resources
from movie_platform.graph import tag_names
from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings

pytestmark = pytest.mark.cloud


@pytest.fixture
def alerts(provisioned_cloud: Settings) -> Iterator["Alerts"]:
    found = Alerts(provisioned_cloud)
    found.purge()
    yield found
    found.purge()


class Alerts:
    """The queue that keeps what the alert topic sent."""

    def __init__(self, settings: Settings) -> None:
        self.sqs = aws_client(settings, "sqs")
        self.url = self.sqs.get_queue_url(QueueName=settings.queue_name("alerts"))["QueueUrl"]

    def purge(self) -> None:
        self.sqs.purge_queue(QueueUrl=self.url)

    def read(self, at_least: int = 0) -> list[dict[str, Any]]:
        """All messages; waits for `at_least` of them."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + (90 if at_least else 2)
        while time.monotonic() < deadline and (not at_least or len(found) < at_least):
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                body = json.loads(message.get("Body", ""))
                found.append(json.loads(body["Message"]) if "Message" in body else body)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message.get("ReceiptHandle", ""))
        return found


def failed_run(settings: Settings, instance: dg.DagsterInstance, run_tags: dict[str, str]) -> dg.DagsterRun:
    """A day for which nothing landed: the run fails in its first step, for good."""
    job = build_defs(settings).resolve_job_def("process_landed_bundle")
    result = job.execute_in_process(
        instance=instance, partition_key="2026-11-02", tags=run_tags, raise_on_error=False
    )
    assert not result.success
    return result.dagster_run


def tell(settings: Settings, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    record = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records[0]
    event = record.event_log_entry.dagster_event
    assert event is not None
    with dg.build_run_status_sensor_context(
        sensor_name="run_failure_alerts",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        resources={"alert_topic": build_resources(settings)["alert_topic"]},
    ).for_run_failure() as context:
        run_failure_alerts(context)


def test_a_failed_run_sends_one_alert_that_says_what_to_do(provisioned_cloud: Settings, alerts: Alerts):
    with dg.instance_for_test() as instance:
        run = failed_run(provisioned_cloud, instance, {tag_names.SOURCE: "nowhere"})
        tell(provisioned_cloud, instance, run)
    [alert] = alerts.read(at_least=1)
    assert alert["kind"] == "run_failed"
    assert "no bundle of source nowhere has landed for 2026-11-02" in alert["why"]
    assert run.run_id in alert["where"]
    assert alerts.read() == []


def test_a_run_that_the_sensor_will_try_again_sends_none(provisioned_cloud: Settings, alerts: Alerts):
    with dg.instance_for_test() as instance:
        run = failed_run(provisioned_cloud, instance, {tag_names.SOURCE: "nowhere", tag_names.ATTEMPT: "1"})
        tell(provisioned_cloud, instance, run)
    assert alerts.read() == []


def test_freshness_that_turns_to_fail_sends_one_alert_however_often_it_is_looked_at(
    provisioned_cloud: Settings, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
):
    states = {"snowflake/raw/movies": "PASS"}
    # The states come from Dagster's freshness daemon, which needs a running deployment and a day of waiting.
    monkeypatch.setattr(alert_sensors, "freshness_states", lambda instance, assets: dict(states))
    sensor = build_freshness_alerts(provisioned_cloud)
    cursor: str | None = None
    with dg.instance_for_test() as instance:
        for state in ("PASS", "FAIL", "FAIL", "PASS", "FAIL"):
            states["snowflake/raw/movies"] = state
            with dg.build_sensor_context(
                instance=instance,
                cursor=cursor,
                resources={"alert_topic": build_resources(provisioned_cloud)["alert_topic"]},
            ) as context:
                sensor(context)
                cursor = context.cursor
    found = alerts.read(at_least=2)
    assert [alert["kind"] for alert in found] == ["freshness_failed"] * 2
    assert alerts.read() == []


def test_the_freshness_state_that_dagsters_daemon_records_is_read(provisioned_cloud: Settings):
    from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

    key = dg.AssetKey(["snowflake", "raw", "movies"])
    with dg.instance_for_test() as instance:
        instance._report_runless_asset_event(
            asset_event=FreshnessStateChange(
                key=key,
                previous_state=FreshnessState.PASS,
                new_state=FreshnessState.FAIL,
                state_change_timestamp=time.time(),
            )
        )
        assert alert_sensors.freshness_states(instance, (key,)) == {"snowflake/raw/movies": "FAIL"}
