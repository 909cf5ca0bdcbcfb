"""Publishes what was decided of a bundle: a verified batch, or a refused object in quarantine. Idempotent.

The manifest's key is the claim on a batch id: whoever creates it decides which files the batch has, and
another bundle of the same id with other files is refused before it can touch one. Readers see nothing of a
batch before `_VERIFIED.json`, which is written last and once.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.manifest import FileEntry, Manifest, in_bundle_order, parse_manifest
from movie_platform.bundles.manifest_json import dump_json
from movie_platform.bundles.read import ZipReader
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.verify import VerifiedBundle
from movie_platform.contracts.locations import (
    parse_landing_key,
    processed_prefix,
    quarantine_prefix,
    verified_key,
)
from movie_platform.lambdas import answers, aws_calls
from movie_platform.lambdas.aws_calls import ObjectState
from movie_platform.lambdas.config import UnpackConfig
from movie_platform.lambdas.events import LandedObject

REASON_NAME = "reason.json"
BUNDLE_NAME = "bundle.zip"
_ALERT_KIND = "quarantined_bundle"
# SNS wants fewer than 100 ASCII characters.
_SUBJECT_CHARACTERS = 99
_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/jsonl; charset=utf-8",
}


def publish_batch(
    landed: LandedObject, state: ObjectState, path: Path, bundle: VerifiedBundle, config: UnpackConfig
) -> dict[str, Any]:
    """Publishes the files of a verified bundle, which lies at `path`, and answers what the batch consists of.

    Raises BundleError (batch_id_reused) when another bundle of other files has the batch id.
    """
    manifest = bundle.manifest
    place = (manifest.source.name, manifest.dt, manifest.batch_id)
    prefix, marker = processed_prefix(*place), verified_key(*place)
    existing = aws_calls.read_document(config.processed_bucket, marker)
    if existing is not None:
        return _same_batch(existing, manifest, landed, state, marker)
    _claim(bundle, f"{prefix}manifest.json", config.processed_bucket)
    for file in in_bundle_order(manifest.files):
        _publish_file(path, bundle, file, config.processed_bucket, f"{prefix}{file.path}")
    document = answers.verified_document(manifest, prefix, landing_of(landed, state))
    if aws_calls.create(config.processed_bucket, marker, dump_json(document)):
        return answers.verified_answer(document, landing_of(landed, state), marker, already_done=False)
    existing = aws_calls.read_document(config.processed_bucket, marker)
    if existing is None:
        raise RuntimeError(
            f"s3://{config.processed_bucket}/{marker} existed and is gone: it was deleted by hand."
        )
    return _same_batch(existing, manifest, landed, state, marker)


def quarantine(
    landed: LandedObject,
    state: ObjectState,
    error: BundleError,
    config: UnpackConfig,
    batch_id: str | None = None,
) -> dict[str, Any]:
    """Keeps a refused object with its reason; the one call that creates the reason sends the alert."""
    prefix = quarantine_prefix(landed.key, state.etag)
    place = parse_landing_key(landed.key)
    reason = {
        "format_version": answers.DOCUMENT_VERSION,
        **error.to_dict(),
        "landing": landing_of(landed, state),
        "source": place.source if place else None,
        "dt": place.dt.isoformat() if place else None,
        "batch_id": batch_id,
        "bundle_key": f"{prefix}{BUNDLE_NAME}",
        "quarantined_at": answers.now(),
    }
    aws_calls.copy(landed, state, config.processed_bucket, f"{prefix}{BUNDLE_NAME}")
    if not aws_calls.create(config.processed_bucket, f"{prefix}{REASON_NAME}", dump_json(reason)):
        existing = aws_calls.read_document(config.processed_bucket, f"{prefix}{REASON_NAME}")
        return answers.quarantined_answer(existing or reason, prefix, already_done=True)
    try:
        _alert(landed, error, f"s3://{config.processed_bucket}/{prefix}{REASON_NAME}", config)
    except Exception:
        # Whoever repeats the call must find the alert still to be sent.
        aws_calls.delete(config.processed_bucket, f"{prefix}{REASON_NAME}")
        raise
    return answers.quarantined_answer(reason, prefix, already_done=False)


def landing_of(landed: LandedObject, state: ObjectState) -> dict[str, Any]:
    """How documents name a landed object."""
    return {"bucket": landed.bucket, "key": landed.key, "etag": state.etag, "size": state.size}


def _same_batch(
    document: dict[str, Any], manifest: Manifest, landed: LandedObject, state: ObjectState, marker: str
) -> dict[str, Any]:
    """The answer for a batch that is published already; BundleError when it is another one."""
    published = {(file["path"], file["sha256"]) for file in document["files"]}
    if published != {(file.path, file.sha256) for file in manifest.files}:
        raise _reused(manifest, f"s3://{document['landing']['bucket']}/{document['landing']['key']}")
    return answers.verified_answer(document, landing_of(landed, state), marker, already_done=True)


def _claim(bundle: VerifiedBundle, key: str, bucket: str) -> None:
    """Makes this bundle's manifest the batch's, or finds that the same files have claimed it already."""
    digest = hashlib.sha256(bundle.manifest_bytes).hexdigest()
    if aws_calls.create(bucket, key, bundle.manifest_bytes, digest):
        return
    claimed = aws_calls.read_bytes(bucket, key)
    if claimed is None or claimed == bundle.manifest_bytes:
        return
    other = parse_manifest(claimed)
    if {(f.path, f.sha256) for f in other.files} != {(f.path, f.sha256) for f in bundle.manifest.files}:
        raise _reused(bundle.manifest, f"s3://{bucket}/{key}")


def _reused(manifest: Manifest, where: str) -> BundleError:
    return BundleError(
        ReasonCode.BATCH_ID_REUSED,
        f"Batch {manifest.batch_id} was published with other files before, see {printable(where, 1500)}.",
    )


def _publish_file(path: Path, bundle: VerifiedBundle, file: FileEntry, bucket: str, key: str) -> None:
    """Uploads one file, unless an earlier call that did not get to the end has done so."""
    found = aws_calls.describe_published(bucket, key)
    if found is not None and found.size == file.bytes and found.sha256 == file.sha256:
        return
    with path.open("rb") as archive, ZipReader(archive, dict(bundle.entries)).open(file.path) as stream:
        aws_calls.upload(stream, bucket, key, file.sha256, _CONTENT_TYPES[file.format])


def _alert(landed: LandedObject, error: BundleError, where: str, config: UnpackConfig) -> None:
    subject = f"Movie Platform: bundle refused ({error.code.value})"
    message = {
        "kind": _ALERT_KIND,
        "what": f"s3://{landed.bucket}/{printable(landed.key, 1200)} was refused and is in quarantine.",
        "why": printable(str(error), 3000),
        "where": printable(where, 1500),
        "next": (
            "Nothing downstream has changed. `movie-platform bundle verify FILE` shows the fault; have the "
            "producer send a corrected bundle under a new batch id."
        ),
        "at": answers.now(),
    }
    aws_calls.publish_alert(
        config.alert_topic_arn,
        subject[:_SUBJECT_CHARACTERS],
        json.dumps(message, ensure_ascii=False),
        _ALERT_KIND,
    )
