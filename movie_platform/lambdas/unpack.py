"""The Lambda function: verifies landed bundles, then publishes their files or puts them into quarantine.

Called by S3's notification (through SNS), by Dagster, by Airflow; by several of them at once, and again:
the first does the work, all get the same answer. A bad bundle is an answer; what the function could not do
is an exception, so that Lambda calls again. What happens to one object is in `process`.
"""

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from movie_platform.lambdas import logs, pipes_session
from movie_platform.lambdas.answers import Answer, ignored_answer
from movie_platform.lambdas.config import UnpackConfig, read_config
from movie_platform.lambdas.events import IgnoredEvent, LandedObject, parse_event
from movie_platform.lambdas.process import process_object


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Processes every object that the event is about; `{"results": [...]}` in the event's order.

    Raises UnknownEventError, UnpackConfigError, NoRoomError, and botocore's errors where S3 or SNS fail.
    One object's failure does not keep the others from being processed.
    """
    config = read_config(os.environ)
    with pipes_session.opened(event) as session:
        results, failures = _process_each(parse_event(event), config)
        pipes_session.tell(session, results)
        _raise_any(failures)
        return {"results": results}


def _process_each(
    items: Iterable[LandedObject | IgnoredEvent], config: UnpackConfig
) -> tuple[list[Answer], list[Exception]]:
    """The answers, and what was raised for the objects that have none."""
    results: list[Answer] = []
    failures: list[Exception] = []
    for item in items:
        try:
            results.append(_ignore(item) if isinstance(item, IgnoredEvent) else _process(item, config))
        except Exception as error:  # noqa: BLE001 - raised by the handler, once the other objects had their turn
            failures.append(error)
    return results, failures


def _raise_any(failures: list[Exception]) -> None:
    """Raises a single failure as it is, several as a group."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup(f"{len(failures)} objects could not be processed", failures)


def _ignore(item: IgnoredEvent) -> Answer:
    logs.logger().info("ignored", extra=logs.fields(code=item.code, bucket=item.bucket, key=item.key))
    return ignored_answer(item.bucket, item.key, item.code, item.message)


def _process(item: LandedObject, config: UnpackConfig) -> Answer:
    """Processes one object and logs its outcome, an exception too."""
    logger = logs.logger()
    start = time.monotonic()
    try:
        result = process_object(item, config)
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
