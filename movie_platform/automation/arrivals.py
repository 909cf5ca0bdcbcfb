"""What to do about a bundle that landed: pure decisions, from what S3 said and which runs exist.

Nothing here talks to S3, SQS or Dagster's storage; the sensor does.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

from movie_platform.contracts.locations import parse_landing_key

MAX_ATTEMPTS = 3
# Doubles with each attempt: time for what heals by itself (a throttled service, a full queue) to heal.
FIRST_RETRY_DELAY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object that landed. `etag` has no quotes; together with the key it says which content."""

    bucket: str
    key: str
    etag: str
    size: int
    source: str
    dt: date


@dataclass(frozen=True, slots=True)
class Unusable:
    """An object, or a message, that no bundle can be read from; `reason` says why."""

    reason: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run that is tagged with a bundle's key. `etag` is None while the run has not landed it yet.

    `ended_at` is in seconds since 1970, None while it runs. `final`: it failed, and trying again cannot help.
    """

    etag: str | None
    succeeded: bool
    final: bool
    ended_at: float | None

    @property
    def finished(self) -> bool:
        """Whether the run is over, however it ended."""
        return self.ended_at is not None


class Action(Enum):
    """What the sensor does about an arrival and its message."""

    REQUEST = "request a run"
    FORGET = "delete the message: a run exists"
    WAIT = "leave it: the last attempt failed a moment ago"
    GIVE_UP = "delete the message: attempts are used up, or trying again cannot help"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action; `attempt` (from 1) and `run_key` belong to REQUEST."""

    action: Action
    attempt: int = 0
    run_key: str | None = None


@dataclass(frozen=True, slots=True)
class TickPlan:
    """What a tick of the sensor does about all that arrived.

    `requests`: a run each. `foreign`: new bundles that no run of ours landed. `settled`: key and ETag of the arrivals
    whose messages are done with. `misdated`: arrivals for a date that is no partition; nothing is done about them.
    """

    requests: tuple[tuple[Arrival, Decision], ...]
    foreign: tuple[Arrival, ...]
    settled: frozenset[tuple[str, str]]
    misdated: tuple[Arrival, ...]


def arrivals_of_message(body: str) -> tuple[list[Arrival], list[Unusable]]:
    """The objects that an S3 event notification announces, raw or in SNS's envelope.

    Keys in S3 events are URL-encoded, spaces as '+'
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
    S3's test event announces nothing.
    """
    try:
        event = json.loads(body)
        if isinstance(event, dict) and isinstance(event.get("Message"), str):
            event = json.loads(event["Message"])
    except ValueError as error:
        return [], [Unusable(f"not JSON: {error}")]
    if not isinstance(event, dict):
        return [], [Unusable("not a JSON object")]
    if event.get("Event") == "s3:TestEvent":
        return [], []
    records = event.get("Records")
    if not isinstance(records, list):
        return [], [Unusable("no Records in the event")]
    arrivals: list[Arrival] = []
    unusable: list[Unusable] = []
    for record in records:
        found = _arrival_of_record(record)
        if isinstance(found, Arrival):
            arrivals.append(found)
        else:
            unusable.append(found)
    return arrivals, unusable


def _arrival_of_record(record: Any) -> Arrival | Unusable:
    try:
        entity = record["s3"]
        key = unquote_plus(entity["object"]["key"])
        bucket = str(entity["bucket"]["name"])
        etag = str(entity["object"].get("eTag", "")).strip('"')
        size = int(entity["object"].get("size", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Unusable(f"a record of the event is not as S3 writes them: {error!r}")
    return arrival_of_object(bucket, key, etag, size)


def arrival_of_object(bucket: str, key: str, etag: str, size: int) -> Arrival | Unusable:
    """An object of the landing bucket as an arrival, or why it cannot be one."""
    parts = parse_landing_key(key)
    if parts is None:
        return Unusable("the key is not movies/source=<name>/dt=<date>/<batch>.zip", key)
    return Arrival(bucket, key, etag.strip('"'), size, parts.source, parts.dt)


def distinct(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Each key and content once, in the order of first appearance: S3 and SQS deliver at least once."""
    return list({(arrival.key, arrival.etag): arrival for arrival in arrivals}.values())


def decide(
    arrival: Arrival, runs: Sequence[KnownRun], *, now: float, max_attempts: int = MAX_ATTEMPTS
) -> Decision:
    """What to do about an arrival at `now` (seconds since 1970), given all runs that are tagged with its key.

    A run without an etag is one that is about to land this key, or died before it could say what it landed: while it
    runs it speaks for the arrival, afterwards only if it succeeded. Failed runs count as attempts, so that a failure
    that heals is tried again and one that does not ends after `max_attempts`.
    """
    about = [run for run in runs if run.etag in {None, arrival.etag}]
    if any(run.succeeded or not run.finished for run in about):
        return Decision(Action.FORGET)
    failed = [run for run in about if run.etag == arrival.etag]
    if any(run.final for run in failed) or len(failed) >= max_attempts:
        return Decision(Action.GIVE_UP)
    if failed:
        last = max(run.ended_at or 0.0 for run in failed)
        if now < last + FIRST_RETRY_DELAY_SECONDS * 2 ** (len(failed) - 1):
            return Decision(Action.WAIT)
    attempt = len(failed) + 1
    return Decision(Action.REQUEST, attempt, run_key(arrival, attempt))


def plan_tick(
    candidates: Sequence[Arrival],
    *,
    runs: Mapping[str, Sequence[KnownRun]],
    landed_here: Collection[str],
    is_partition: Callable[[date], bool],
    now: float,
) -> TickPlan:
    """What a tick at `now` (seconds since 1970) does about distinct arrivals, in their order.

    `runs` are all runs by the landing key that they are tagged with, `landed_here` the keys that runs of ours landed.
    """
    dates = {dt for dt in {arrival.dt for arrival in candidates} if is_partition(dt)}
    decided = [
        (arrival, decide(arrival, runs.get(arrival.key, []), now=now))
        for arrival in candidates
        if arrival.dt in dates
    ]
    requests = tuple((arrival, what) for arrival, what in decided if what.action is Action.REQUEST)
    return TickPlan(
        requests=requests,
        foreign=tuple(
            arrival for arrival, what in requests if what.attempt == 1 and arrival.key not in landed_here
        ),
        settled=frozenset(
            (arrival.key, arrival.etag)
            for arrival, what in decided
            if what.action in {Action.FORGET, Action.GIVE_UP}
        ),
        misdated=tuple(arrival for arrival in candidates if arrival.dt not in dates),
    )


def run_key(arrival: Arrival, attempt: int) -> str:
    """Identity of a request, with the attempt in it: Dagster never runs a run key twice, failed or not."""
    return f"{arrival.key}@{arrival.etag}#{attempt}"


def by_key(runs: Iterable[tuple[str, KnownRun]]) -> Mapping[str, list[KnownRun]]:
    """Runs grouped by the landing key that they are tagged with."""
    grouped: dict[str, list[KnownRun]] = {}
    for key, run in runs:
        grouped.setdefault(key, []).append(run)
    return grouped
