"""The Lambda function: verifies landed bundles, then publishes their files or puts them into quarantine.

Called by S3's notification (through SNS), by Dagster, by Airflow; by several of them at once, and again:
the first does the work, all get the same answer. A bad bundle is an answer; what the function could not do
is an exception, so that Lambda calls again.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.manifest import Manifest, parse_manifest
from movie_platform.bundles.read import read_manifest_by_ranges
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.verify import verify
from movie_platform.contracts.locations import (
    LandingKey,
    parse_landing_key,
    quarantine_prefix,
    verified_key,
)
from movie_platform.lambdas import answers, aws_calls, lease, logs, publish
from movie_platform.lambdas.aws_calls import ObjectReplacedError, ObjectState
from movie_platform.lambdas.config import UnpackConfig, read_config
from movie_platform.lambdas.events import IgnoredEvent, LandedObject, parse_event

if TYPE_CHECKING:
    from dagster_pipes import PipesContext

_PIPES_CONTEXT = "DAGSTER_PIPES_CONTEXT"


class NoRoomError(Exception):
    """The function's disk is too small for the bundle."""


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Processes every object that the event is about; `{"results": [...]}` in the event's order.

    Raises UnknownEventError, UnpackConfigError, NoRoomError, and botocore's errors where S3 or SNS fail.
    One object's failure does not keep the others from being processed.
    """
    config = read_config(os.environ)
    with _pipes(event) as pipes:
        results: list[dict[str, Any]] = []
        failures: list[Exception] = []
        for item in parse_event(event):
            try:
                results.append(_process_logged(item, config))
            except Exception as error:  # noqa: BLE001 - raised below, once the other objects had their turn
                failures.append(error)
        if pipes is not None:
            for result in results:
                pipes.log.info(_summary(result))
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup(f"{len(failures)} objects could not be processed", failures)
        return {"results": results}


@contextmanager
def _pipes(event: Mapping[str, Any]) -> Iterator["PipesContext | None"]:
    """A Dagster Pipes session when the event carries one."""
    if _PIPES_CONTEXT not in event:
        yield None
        return
    import dagster_pipes

    # A warm function still has the closed context of the call before, and open_dagster_pipes would hand it
    # out again (https://github.com/dagster-io/dagster/issues/22094). There is no other way to reset it.
    dagster_pipes.PipesContext.set(cast("PipesContext", None))
    loader = dagster_pipes.PipesMappingParamsLoader(event)
    with dagster_pipes.open_dagster_pipes(params_loader=loader) as pipes:
        yield pipes


def _process_logged(item: LandedObject | IgnoredEvent, config: UnpackConfig) -> dict[str, Any]:
    logger = logs.logger()
    start = time.monotonic()
    if isinstance(item, IgnoredEvent):
        logger.info("ignored", extra=logs.fields(code=item.code, bucket=item.bucket, key=item.key))
        return answers.ignored_answer(item.bucket, item.key, item.code, item.message)
    try:
        result = _process(item, config)
    except Exception:
        logger.exception("failed", extra=logs.fields(bucket=item.bucket, key=item.key, etag=item.etag))
        raise
    logger.info(
        result["status"],
        extra=logs.fields(
            bucket=item.bucket,
            key=item.key,
            etag=result["etag"],
            batch_id=result["batch_id"],
            rows=result["rows"],
            bytes=result["bytes"],
            reason=result["reason"],
            already_done=result["already_done"],
            seconds=round(time.monotonic() - start, 3),
        ),
    )
    return result


def _process(landed: LandedObject, config: UnpackConfig) -> dict[str, Any]:
    state = aws_calls.describe(landed)
    if state is None:
        return answers.ignored_answer(landed.bucket, landed.key, "object_missing", "The object is not there.")
    if landed.etag is not None and landed.etag != state.etag and landed.version_id is None:
        return _replaced(landed)
    try:
        return _decide(landed, state, config)
    except ObjectReplacedError:
        return _replaced(landed)


def _replaced(landed: LandedObject) -> dict[str, Any]:
    return answers.ignored_answer(
        landed.bucket,
        landed.key,
        "object_replaced",
        "The object is not the one that the event was about: the event of its newer version counts.",
    )


def _decide(landed: LandedObject, state: ObjectState, config: UnpackConfig) -> dict[str, Any]:
    refused = _earlier_refusal(landed, state, config)
    if refused is not None:
        return refused
    place = parse_landing_key(landed.key)
    claimed: Manifest | None = None
    try:
        if place is None:
            raise BundleError(
                ReasonCode.BAD_KEY,
                "A bundle's key is movies/source=<source>/dt=<YYYY-MM-DD>/<name>.zip; this one is not.",
            )
        if state.size > config.limits.bundle_bytes:
            raise BundleError(
                ReasonCode.TOO_LARGE,
                f"The file has {state.size} bytes; {config.limits.bundle_bytes} are allowed.",
            )
        claimed = _claimed_manifest(landed, state, config)
        done = _earlier_answer(landed, state, place, claimed, config)
        if done is not None:
            return done
        with lease.held(config.processed_bucket, lease.lease_key(landed.key, state.etag)) as waited:
            if waited:
                done = _earlier_refusal(landed, state, config) or _earlier_answer(
                    landed, state, place, claimed, config
                )
            return done if done is not None else _unpack(landed, state, place, config)
    except BundleError as error:
        return publish.quarantine(landed, state, error, config, claimed.batch_id if claimed else None)


def _claimed_manifest(landed: LandedObject, state: ObjectState, config: UnpackConfig) -> Manifest | None:
    """What the bundle says of itself, unverified; None where that cannot be told from its beginning."""

    def fetch(offset: int, length: int) -> bytes:
        return (
            aws_calls.read_range(landed, state.etag, offset, min(length, state.size - offset))
            if offset < state.size
            else b""
        )

    data = read_manifest_by_ranges(fetch, config.limits)
    if data is None:
        return None
    try:
        return parse_manifest(data)
    except BundleError:
        # Verifying the whole bundle finds the same fault, or one that comes before it.
        return None


def _earlier_refusal(landed: LandedObject, state: ObjectState, config: UnpackConfig) -> dict[str, Any] | None:
    """The answer of the call that put this very object into quarantine, None where there was none."""
    prefix = quarantine_prefix(landed.key, state.etag)
    reason = aws_calls.read_document(config.processed_bucket, f"{prefix}{publish.REASON_NAME}")
    return None if reason is None else answers.quarantined_answer(reason, prefix, already_done=True)


def _earlier_answer(
    landed: LandedObject,
    state: ObjectState,
    place: LandingKey,
    claimed: Manifest | None,
    config: UnpackConfig,
) -> dict[str, Any] | None:
    """The answer of the call that published this very object, None where there was none."""
    if claimed is None:
        return None
    key = verified_key(place.source, place.dt, claimed.batch_id)
    document = aws_calls.read_document(config.processed_bucket, key)
    if document is None or document["landing"] != publish.landing_of(landed, state):
        return None
    return answers.verified_answer(document, document["landing"], key, already_done=True)


def _unpack(
    landed: LandedObject, state: ObjectState, place: LandingKey, config: UnpackConfig
) -> dict[str, Any]:
    """Downloads, verifies and publishes; BundleError where the bundle is bad."""
    room = shutil.disk_usage(tempfile.gettempdir()).free
    if room < state.size:
        raise NoRoomError(
            f"{tempfile.gettempdir()} has {room} bytes left for a bundle of {state.size}: give the function "
            "more ephemeral storage, or lower BUNDLE_LIMIT_BUNDLE_BYTES so that such bundles are refused."
        )
    with tempfile.NamedTemporaryFile(prefix="bundle-", suffix=".zip") as file:
        stream = cast("Any", file)
        aws_calls.download(landed, state, stream)
        bundle = verify(stream, limits=config.limits, expected_source=place.source, expected_dt=place.dt)
        return publish.publish_batch(landed, state, Path(file.name), bundle, config)


def _summary(result: dict[str, Any]) -> str:
    """One short line: Dagster reads messages from the last 4 KB of the log."""
    reason = result["reason"]
    detail = (
        f"{reason['code']}: {reason['message']}"
        if reason
        else f"batch {result['batch_id']}, {result['rows']} rows, {len(result['files'])} files"
    )
    again = " (done before)" if result["already_done"] else ""
    return printable(f"{result['status']}{again}: {result['key']}: {detail}", 600)
