"""One call at a time for a landed object: S3's event and an orchestrator call for the same bundle together.

A lease only saves work. What two calls publish is decided by conditional writes elsewhere, so a lease may be
lost, outlive its holder or be overtaken, and the outcome is the same.
"""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from movie_platform.lambdas import aws_calls

PREFIX = "leases/"
# Longer than a bundle of a few hundred MB takes; whoever waits this long for a dead call does the work itself.
LEASE_SECONDS = 60.0
_PAUSE_SECONDS = (0.2, 0.6)


def lease_key(landing_key: str, etag: str) -> str:
    """Key, in the processed bucket, of the lease on a landed object."""
    return f"{PREFIX}{landing_key}/{etag}.json"


@contextmanager
def held(bucket: str, key: str) -> Iterator[bool]:
    """Holds the lease while the block runs; yields whether another call held it before.

    Waits while another call holds it, at most LEASE_SECONDS, and then goes on beside it. Raises botocore's
    errors.
    """
    deadline = time.monotonic() + LEASE_SECONDS
    waited = False
    while not aws_calls.create(bucket, key, json.dumps({"acquired_at": time.time()}).encode()):
        waited = True
        found = aws_calls.read_document(bucket, key)
        if found is not None and expired(found, time.time()):
            break
        if time.monotonic() >= deadline:
            break
        time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - spreads requests, keeps nothing secret
    try:
        yield waited
    finally:
        aws_calls.delete(bucket, key)


def expired(lease: dict[str, float], now: float) -> bool:
    """Whether a lease's holder had its time; a lease from a clock that is far ahead counts as expired too."""
    return abs(now - lease["acquired_at"]) > LEASE_SECONDS
