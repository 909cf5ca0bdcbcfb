"""The function's answers: one form whatever happened, and the documents that they are read from."""

from datetime import UTC, datetime
from typing import Any, Literal

from movie_platform.bundles.manifest import FileEntry, Manifest, in_bundle_order

DOCUMENT_VERSION = 1

Status = Literal["verified", "quarantined", "ignored"]
# The keys that `_answer` gives, whatever the status.
Answer = dict[str, Any]


def now() -> str:
    """This moment as documents write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def published_file(file: FileEntry, prefix: str) -> dict[str, Any]:
    """One of the `files` of `_VERIFIED.json` and of an answer."""
    return {
        "key": f"{prefix}{file.path}",
        "path": file.path,
        "format": file.format,
        "part": file.part,
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }


def verified_document(manifest: Manifest, prefix: str, landing: dict[str, Any]) -> dict[str, Any]:
    """`_VERIFIED.json`: what the batch at `prefix` consists of. `landing` has bucket, key, etag, size."""
    return {
        "format_version": DOCUMENT_VERSION,
        "landing": landing,
        "batch_id": manifest.batch_id,
        "content_id": manifest.content_id,
        "source": manifest.source.name,
        "dt": manifest.dt.isoformat(),
        "load_type": manifest.load_type,
        "extracted_at": manifest.to_dict()["extracted_at"],
        "row_count": manifest.row_count,
        "rejected_count": manifest.rejected_count,
        "columns": list(manifest.column_names),
        "files": [published_file(file, prefix) for file in in_bundle_order(manifest.files)],
        "manifest_key": f"{prefix}manifest.json",
        "verified_at": now(),
    }


def verified_answer(
    document: dict[str, Any], landing: dict[str, Any], verified_key: str, *, already_done: bool
) -> Answer:
    """The answer for a batch that is verified, from its `_VERIFIED.json`."""
    return _answer(
        "verified",
        landing,
        source=document["source"],
        dt=document["dt"],
        batch_id=document["batch_id"],
        rows=document["row_count"],
        rejected=document["rejected_count"],
        bytes=sum(file["bytes"] for file in document["files"]),
        files=document["files"],
        verified_key=verified_key,
        already_done=already_done,
    )


def quarantined_answer(reason: dict[str, Any], prefix: str, *, already_done: bool) -> Answer:
    """The answer for a bundle that was refused, from its `reason.json`."""
    return _answer(
        "quarantined",
        reason["landing"],
        source=reason["source"],
        dt=reason["dt"],
        batch_id=reason["batch_id"],
        bytes=reason["landing"]["size"],
        quarantine_prefix=prefix,
        reason={name: reason[name] for name in ("code", "message", "entry")},
        already_done=already_done,
    )


def ignored_answer(bucket: str | None, key: str | None, code: str, message: str) -> Answer:
    """The answer for an event that asks for nothing, or for an object that is not there any more."""
    return _answer(
        "ignored",
        {"bucket": bucket, "key": key, "etag": None},
        reason={"code": code, "message": message, "entry": None},
    )


def _answer(status: Status, landing: dict[str, Any], **values: Any) -> Answer:
    answer: Answer = {
        "status": status,
        "bucket": landing["bucket"],
        "key": landing["key"],
        "etag": landing["etag"],
        "source": None,
        "dt": None,
        "batch_id": None,
        "rows": 0,
        "rejected": 0,
        "bytes": 0,
        "files": [],
        "verified_key": None,
        "quarantine_prefix": None,
        "reason": None,
        "already_done": False,
    }
    return {**answer, **values}
