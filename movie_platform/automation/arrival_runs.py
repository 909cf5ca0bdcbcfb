"""What Dagster's storage says about bundles that landed: which runs are about them, failed on them, or landed them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from movie_platform.automation.arrivals import Arrival, KnownRun, arrival_of_object
from movie_platform.automation.jobs import PROCESS_LANDED_BUNDLE
from movie_platform.graph import tag_names

FAILED_RUNS_A_TICK = 50
FAILED_RUNS_AGE = timedelta(days=1)

_FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def known_runs(instance: dg.DagsterInstance, landing_keys: Sequence[str]) -> Iterable[tuple[str, KnownRun]]:
    """The runs that are tagged with one of these keys, each with the key."""
    if not landing_keys:
        return
    for record in instance.get_run_records(dg.RunsFilter(tags={tag_names.BUNDLE_KEY: list(landing_keys)})):
        yield record.dagster_run.tags[tag_names.BUNDLE_KEY], known_run(record)


def known_run(record: dg.RunRecord) -> KnownRun:
    """A run as the decisions see it: its content by ETag, and whether and how it ended."""
    run = record.dagster_run
    finished = run.status in _FINISHED
    return KnownRun(
        etag=run.tags.get(tag_names.BUNDLE_ETAG),
        succeeded=run.status is dg.DagsterRunStatus.SUCCESS,
        final=run.tags.get(tag_names.OUTCOME) == tag_names.OUTCOME_QUARANTINED
        or run.status is dg.DagsterRunStatus.CANCELED,
        ended_at=(record.end_time or record.update_timestamp.timestamp()) if finished else None,
    )


def failed_arrivals(instance: dg.DagsterInstance, bucket: str) -> list[Arrival]:
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


def landed_by_runs(instance: dg.DagsterInstance, landing_keys: Sequence[str]) -> set[str]:
    """Those of these keys that a run of ours landed."""
    if not landing_keys:
        return set()
    records = instance.get_run_records(dg.RunsFilter(tags={tag_names.LANDED_KEY: list(landing_keys)}))
    return {record.dagster_run.tags[tag_names.LANDED_KEY] for record in records}
