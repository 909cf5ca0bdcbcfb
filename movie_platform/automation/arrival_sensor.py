"""bundle_arrival_sensor: requests a run for each bundle that landed, whoever put it there.

It reads the queue that S3's events reach through SNS. A message is deleted one tick after its run exists, so that no
crash loses a bundle; whatever is delivered twice meets the run that exists. Two slower, bounded looks heal what
events cannot: at runs that failed and may be tried again, and at a page of the bucket for events that were lost. The
cost of a tick depends on what is new, not on how much ever landed.
"""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from movie_platform.automation.arrival_listing import list_page
from movie_platform.automation.arrival_queue import ArrivalQueue, Received
from movie_platform.automation.arrival_runs import failed_arrivals, known_runs, landed_by_runs
from movie_platform.automation.arrivals import Arrival, Decision, TickPlan, by_key, distinct, plan_tick
from movie_platform.automation.jobs import PROCESS_LANDED_BUNDLE
from movie_platform.automation.processing import processing_request
from movie_platform.automation.run_owner import fail_orphaned_runs
from movie_platform.graph import asset_keys, metadata_names
from movie_platform.resources.aws import AwsResource
from movie_platform.settings import Settings


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
        _fail_runs_left_behind(context)
        queue = ArrivalQueue.named(aws.client("sqs"), settings.queue_name("arrivals"))
        messages = queue.receive()
        listed, cursor = list_page(aws.client("s3"), settings.bucket("landing"), context.cursor)
        failed = failed_arrivals(context.instance, settings.bucket("landing"))
        announced = [arrival for message in messages for arrival in message.arrivals]
        plan = _decide(context.instance, distinct([*announced, *listed, *failed]), partitions)
        _tell_misdated(context, plan.misdated, settings.first_date)
        _settle(context, queue, messages, plan)
        return _requested(plan, cursor, f"{len(messages)} messages, nothing to request")

    return bundle_arrival_sensor


def _fail_runs_left_behind(context: dg.SensorEvaluationContext) -> None:
    """A run whose process has ended would otherwise speak for its bundle for ever."""
    for run_id in fail_orphaned_runs(context.instance):
        context.log.warning(f"Run {run_id} was left behind by a process that has ended; it counts as failed.")


def _decide(
    instance: dg.DagsterInstance, candidates: Sequence[Arrival], partitions: dg.DailyPartitionsDefinition
) -> TickPlan:
    """Gathers what the decisions need to know of the candidates, and decides."""
    keys = [arrival.key for arrival in candidates]
    return plan_tick(
        candidates,
        runs=by_key(known_runs(instance, keys)),
        landed_here=landed_by_runs(instance, keys),
        is_partition=lambda dt: partitions.has_partition_key(dt.isoformat()),
        now=time.time(),
    )


def _tell_misdated(context: dg.SensorEvaluationContext, misdated: Sequence[Arrival], first: date) -> None:
    for arrival in misdated:
        context.log.error(
            f"s3://{arrival.bucket}/{arrival.key} is for {arrival.dt}, which is no partition of the assets"
            f" (they begin on {first}); its message goes to the dead letter queue."
        )


def _settle(
    context: dg.SensorEvaluationContext, queue: ArrivalQueue, messages: Sequence[Received], plan: TickPlan
) -> None:
    """Deletes the messages all of whose bundles have a run, or are given up; one without bundles is such a one."""
    for message in messages:
        _tell_unusable(context, message)
        if all((arrival.key, arrival.etag) in plan.settled for arrival in message.arrivals):
            queue.delete(message)


def _tell_unusable(context: dg.SensorEvaluationContext, message: Received) -> None:
    for unusable in message.unusable:
        context.log.error(f"An event in the landing queue is of no use: {unusable.reason} ({unusable.key}).")


def _requested(plan: TickPlan, cursor: str, nothing: str) -> dg.SensorResult:
    """What the tick asks of Dagster; `nothing` is said where that is no run."""
    return dg.SensorResult(
        run_requests=[_run_request(arrival, decision) for arrival, decision in plan.requests],
        asset_events=[_foreign_materialization(arrival) for arrival in plan.foreign],
        cursor=cursor,
        skip_reason=None if plan.requests else nothing,
    )


def _run_request(arrival: Arrival, decision: Decision) -> dg.RunRequest:
    wanted = processing_request(arrival, decision.attempt)
    return dg.RunRequest(run_key=decision.run_key, partition_key=wanted.partition_key, tags=wanted.tags)


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
