"""S3 event notifications as they come out of the queue, alone or wrapped by SNS. Pure."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class MalformedMessageError(ValueError):
    """A message that is no S3 notification."""


@dataclass(frozen=True, slots=True)
class CreatedObject:
    """An object that S3 says was created. `size` is -1 where the message does not say it."""

    bucket: str
    key: str
    size: int
    etag: str


def created_objects(body: str) -> list[CreatedObject]:
    """The objects that a message announces; none for S3's test event and for other events.

    Raises MalformedMessageError for anything that is no S3 notification.
    """
    message = _object(body)
    if message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        message = _object(message["Message"])
    if message.get("Event") == "s3:TestEvent":
        return []
    records = message.get("Records")
    if not isinstance(records, list):
        raise MalformedMessageError("the message has no Records")
    return [_created(record["s3"]) for record in records if _is_creation(record)]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise MalformedMessageError(f"the message is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedMessageError("the message is no JSON object")
    return value


def _is_creation(record: Any) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("s3"), dict):
        raise MalformedMessageError("a record has no s3 part")
    return str(record.get("eventName", "")).removeprefix("s3:").startswith("ObjectCreated:")


def _created(part: dict[str, Any]) -> CreatedObject:
    try:
        described = part["object"]
        # Keys are URL-encoded in notifications, with + for a space.
        key = unquote_plus(described["key"])
        return CreatedObject(
            part["bucket"]["name"],
            key,
            int(described.get("size", -1)),
            str(described.get("eTag", "")).strip('"'),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedMessageError(f"a record names no object: {error}") from error
