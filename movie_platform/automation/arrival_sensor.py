"""bundle_arrival_sensor: requests a run for each bundle that landed, whoever put it there.

It reads the queue that S3's events reach through SNS. A message is deleted one tick after its run exists, so that no
crash loses a bundle; whatever is delivered twice meets the run that exists. Two slower, bounded looks heal what
events cannot: at runs that failed and may be tried again, and at a page of the bucket for events that were lost. The
cost of a tick depends on what is new, not on how much ever landed.
"""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform.automation.arrivals import (
    Action,
    Arrival,
    KnownRun,
    Unusable,
    arrival_of_object,
    arrivals_of_message,
    by_key,
    decide,
    distinct,
)
from movie_platform.automation.jobs import PROCESS_LANDED_BUNDLE
from movie_platform.automation.processing import processing_request
from movie_platform.automation.run_owner import fail_orphaned_runs
from movie_platform.contracts.locations import DATASET
from movie_platform.graph import asset_keys, metadata_names, tag_names
from movie_platform.resources.aws import AwsResource
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# SQS gives at most 10 messages at once; a tick takes no more than this many, the next takes the rest.
MESSAGES_A_RECEIVE = 10
MESSAGES_A_TICK = 100
# Longer than a tick takes: a message that the tick does not finish with comes back.
VISIBILITY_SECONDS = 60
LISTED_A_TICK = 100
# An object younger than this may still be announced; one older than this was processed, or its runs were purged.
LISTED_FROM_AGE = timedelta(minutes=10)
LISTED_TO_AGE = timedelta(days=14)
FAILED_RUNS_A_TICK = 50
FAILED_RUNS_AGE = timedelta(days=1)

_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the queue, taken apart."""

    receipt: str
    arrivals: tuple[Arrival, ...]
    unusable: tuple[Unusable, ...]


def build_bundle_arrival_sensor(
    settings: Settings, partitions: dg.DailyPartitionsDefinition
) -> dg.SensorDefinition:
    """The sensor, for the queue and the bucket of these settings."""

    @dg.sensor(
        name="bundle_arrival_sensor",
        job_name=PROCESS_LANDED_BUNDLE,
        minimum_interval_seconds=settings.arrival_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests a run of process_landed_bundle for each bundle in the landing bucket.",
    )
    def bundle_arrival_sensor(context: dg.SensorEvaluationContext, aws: AwsResource) -> dg.SensorResult:
        for run_id in fail_orphaned_runs(context.instance):
            context.log.warning(
                f"Run {run_id} was left behind by a process that has ended; it counts as failed."
            )
        sqs = aws.client("sqs")
        queue = sqs.get_queue_url(QueueName=settings.queue_name("arrivals"))["QueueUrl"]
        received = receive(sqs, queue)
        listed, cursor = _list_page(aws, settings.bucket("landing"), context.cursor)
        candidates = distinct(
            [arrival for message in received for arrival in message.arrivals]
            + listed
            + _failed_arrivals(context.instance, settings.bucket("landing"))
        )
        runs = by_key(_known_runs(context.instance, [arrival.key for arrival in candidates]))
        landed_here = _landed_by_runs(context.instance, [arrival.key for arrival in candidates])
        now = time.time()
        requests: list[dg.RunRequest] = []
        events: list[dg.AssetMaterialization] = []
        settled: set[tuple[str, str]] = set()
        for arrival in candidates:
            if not _is_partition(partitions, arrival.dt):
                context.log.error(
                    f"s3://{arrival.bucket}/{arrival.key} is for {arrival.dt}, which is no partition of the assets"
                    f" (they begin on {settings.first_date}); its message goes to the dead letter queue."
                )
                continue
            decision = decide(arrival, runs.get(arrival.key, []), now=now)
            if decision.action is Action.REQUEST:
                wanted = processing_request(arrival, decision.attempt)
                requests.append(
                    dg.RunRequest(
                        run_key=decision.run_key, partition_key=wanted.partition_key, tags=wanted.tags
                    )
                )
                if decision.attempt == 1 and arrival.key not in landed_here:
                    events.append(_foreign_materialization(arrival))
            elif decision.action in {Action.FORGET, Action.GIVE_UP}:
                settled.add((arrival.key, arrival.etag))
        for message in received:
            for unusable in message.unusable:
                context.log.error(
                    f"An event in the landing queue is of no use: {unusable.reason} ({unusable.key})."
                )
            if all((arrival.key, arrival.etag) in settled for arrival in message.arrivals):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message.receipt)
        return dg.SensorResult(
            run_requests=requests,
            asset_events=events,
            cursor=cursor,
            skip_reason=None if requests else f"{len(received)} messages, nothing to request",
        )

    return bundle_arrival_sensor


def receive(sqs: "SQSClient", queue: str) -> list[Received]:
    """What lies in the queue, up to a bound; messages that are not S3 events have no arrivals."""
    found: list[Received] = []
    while len(found) < MESSAGES_A_TICK:
        messages = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=MESSAGES_A_RECEIVE,
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=0,
        ).get("Messages", [])
        if not messages:
            break
        for message in messages:
            arrivals, unusable = arrivals_of_message(message.get("Body", ""))
            found.append(Received(message.get("ReceiptHandle", ""), tuple(arrivals), tuple(unusable)))
    return found


def _is_partition(partitions: dg.DailyPartitionsDefinition, dt: date) -> bool:
    return partitions.has_partition_key(dt.isoformat())


def _list_page(aws: AwsResource, bucket: str, cursor: str | None) -> tuple[list[Arrival], str]:
    """The next page of the bucket, and where the one after it begins ('' after the last)."""
    page = aws.client("s3").list_objects_v2(
        Bucket=bucket, Prefix=f"{DATASET}/", MaxKeys=LISTED_A_TICK, StartAfter=_start_after(cursor)
    )
    now = datetime.now(UTC)
    arrivals: list[Arrival] = []
    last = ""
    for entry in page.get("Contents", []):
        last = entry.get("Key", "")
        modified = entry.get("LastModified", now)
        if not LISTED_FROM_AGE < now - modified < LISTED_TO_AGE:
            continue
        found = arrival_of_object(bucket, last, entry.get("ETag", ""), entry.get("Size", 0))
        if isinstance(found, Arrival):
            arrivals.append(found)
    return arrivals, json.dumps({"start_after": last if page.get("IsTruncated") else ""})


def _start_after(cursor: str | None) -> str:
    if not cursor:
        return ""
    try:
        return str(json.loads(cursor)["start_after"])
    except (ValueError, KeyError, TypeError):
        # A cursor that somebody set by hand: the listing starts over, which loses nothing.
        return ""


def _known_runs(instance: dg.DagsterInstance, landing_keys: Sequence[str]) -> Iterable[tuple[str, KnownRun]]:
    if not landing_keys:
        return
    for record in instance.get_run_records(dg.RunsFilter(tags={tag_names.BUNDLE_KEY: list(landing_keys)})):
        yield record.dagster_run.tags[tag_names.BUNDLE_KEY], known_run(record)


def known_run(record: dg.RunRecord) -> KnownRun:
    """What the decisions need to know of a run."""
    run = record.dagster_run
    finished = run.status in _FINISHED
    return KnownRun(
        etag=run.tags.get(tag_names.BUNDLE_ETAG),
        succeeded=run.status is dg.DagsterRunStatus.SUCCESS,
        final=run.tags.get(tag_names.OUTCOME) == tag_names.OUTCOME_QUARANTINED
        or run.status is dg.DagsterRunStatus.CANCELED,
        ended_at=(record.end_time or record.update_timestamp.timestamp()) if finished else None,
    )


def _failed_arrivals(instance: dg.DagsterInstance, bucket: str) -> list[Arrival]:
    """Bundles whose newest runs failed: their messages are gone, and they may be tried again."""
    records = instance.get_run_records(
        dg.RunsFilter(
            job_name=PROCESS_LANDED_BUNDLE,
            statuses=[dg.DagsterRunStatus.FAILURE],
            updated_after=datetime.now(UTC) - FAILED_RUNS_AGE,
        ),
        limit=FAILED_RUNS_A_TICK,
    )
    found: list[Arrival] = []
    for record in records:
        key, etag = (
            record.dagster_run.tags.get(tag) for tag in (tag_names.BUNDLE_KEY, tag_names.BUNDLE_ETAG)
        )
        if key and etag:
            arrival = arrival_of_object(bucket, key, etag, 0)
            if isinstance(arrival, Arrival):
                found.append(arrival)
    return found


def _landed_by_runs(instance: dg.DagsterInstance, landing_keys: Sequence[str]) -> set[str]:
    if not landing_keys:
        return set()
    records = instance.get_run_records(dg.RunsFilter(tags={tag_names.LANDED_KEY: list(landing_keys)}))
    return {record.dagster_run.tags[tag_names.LANDED_KEY] for record in records}


def _foreign_materialization(arrival: Arrival) -> dg.AssetMaterialization:
    """A bundle that no run of ours landed: the asset's history shows it all the same."""
    metadata: dict[str, Any] = {
        metadata_names.SOURCE_NAME: arrival.source,
        metadata_names.BYTES: arrival.size,
        metadata_names.BUNDLE_URI: f"s3://{arrival.bucket}/{arrival.key}",
        metadata_names.ETAG: arrival.etag,
        metadata_names.FOREIGN: True,
    }
    return dg.AssetMaterialization(
        asset_key=asset_keys.ZIPPED_BUNDLE,
        partition=arrival.dt.isoformat(),
        description="Landed from outside the platform.",
        metadata=metadata,
    )
