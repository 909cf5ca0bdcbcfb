"""What calls the function: S3's notification, raw or inside SNS, or the same fields from an orchestrator.

Parsing is pure; the keys in S3's notifications are URL-encoded, those of direct calls are not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

_CREATED = "ObjectCreated:"
_TEST_EVENT = "s3:TestEvent"


class UnknownEventError(ValueError):
    """The event is none that the function is called with."""


@dataclass(frozen=True, slots=True)
class LandedObject:
    """An object that landed. Without `etag` and `version_id` the newest version is meant."""

    bucket: str
    key: str
    etag: str | None = None
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """A notification that asks for nothing: S3's test event, or one of another kind than created."""

    code: str
    message: str
    bucket: str | None = None
    key: str | None = None


def parse_event(event: object) -> list[LandedObject | IgnoredEvent]:
    """The objects that an event is about, in its order; UnknownEventError for an event of another form."""
    if not isinstance(event, Mapping):
        raise UnknownEventError(f"The event is a {type(event).__name__}, not an object.")
    if "Records" in event:
        if not isinstance(event["Records"], list):
            raise UnknownEventError("Records is not a list.")
        return [item for record in event["Records"] for item in _parse_record(record)]
    if event.get("Event") == _TEST_EVENT:
        return [IgnoredEvent("test_event", "S3's test of its notification.", _text(event, "Bucket"))]
    bucket, key = _text(event, "bucket"), _text(event, "key")
    if bucket and key:
        etag, version_id = _text(event, "etag"), _text(event, "version_id")
        return [LandedObject(bucket, key, etag.strip('"') if etag else None, version_id or None)]
    raise UnknownEventError(
        "The event is neither a notification of S3 or SNS nor an object with bucket and key; "
        f"it has: {', '.join(sorted(map(str, event)))[:300]}."
    )


def _parse_record(record: object) -> list[LandedObject | IgnoredEvent]:
    if not isinstance(record, Mapping):
        raise UnknownEventError("A record is not an object.")
    if isinstance(record.get("Sns"), Mapping):
        try:
            message = json.loads(record["Sns"]["Message"])
        except (KeyError, TypeError, ValueError):
            raise UnknownEventError("The SNS message does not hold a notification of S3.") from None
        return parse_event(message)
    try:
        name = str(record["eventName"])
        bucket = str(record["s3"]["bucket"]["name"])
        found: Mapping[str, Any] = record["s3"]["object"]
        key = unquote_plus(str(found["key"]), errors="strict")
    except (KeyError, TypeError, UnicodeDecodeError):
        raise UnknownEventError("A record is not of the form of S3's notifications.") from None
    # S3 itself says `ObjectCreated:Put`; some tools send the full name of the event.
    if not name.removeprefix("s3:").startswith(_CREATED):
        return [IgnoredEvent("not_created", f"The event {name[:100]} creates no object.", bucket, key)]
    etag, version_id = found.get("eTag"), found.get("versionId")
    return [
        LandedObject(
            bucket, key, str(etag).strip('"') if etag else None, str(version_id) if version_id else None
        )
    ]


def _text(event: Mapping[str, Any], name: str) -> str | None:
    value = event.get(name)
    if value is not None and not isinstance(value, str):
        raise UnknownEventError(f"{name} is not a string.")
    return value
