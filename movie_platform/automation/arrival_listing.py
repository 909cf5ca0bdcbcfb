"""Bundles that a listing of the landing bucket finds, a page a tick: for events that were lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from movie_platform.automation.arrivals import Arrival, arrival_of_object
from movie_platform.contracts.locations import DATASET

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

LISTED_A_TICK = 100
# An object younger than this may still be announced; one older than this was processed, or its runs were purged.
LISTED_FROM_AGE = timedelta(minutes=10)
LISTED_TO_AGE = timedelta(days=14)


def list_page(s3: "S3Client", bucket: str, cursor: str | None) -> tuple[list[Arrival], str]:
    """The next page of the bucket, and where the one after it begins ('' after the last)."""
    page = s3.list_objects_v2(
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
