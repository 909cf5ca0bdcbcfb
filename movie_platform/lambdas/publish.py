"""Publishes a verified batch. Idempotent.

The manifest's key is the claim on a batch id: whoever creates it decides which files the batch has, and
another bundle of the same id with other files is refused before it can touch one. Readers see nothing of a
batch before `_VERIFIED.json`, which is written last and once.
"""

import hashlib
from pathlib import Path
from typing import Any

from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.manifest import FileEntry, Manifest, in_bundle_order, parse_manifest
from movie_platform.bundles.manifest_json import dump_json
from movie_platform.bundles.read import ZipReader
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.verify import VerifiedBundle
from movie_platform.contracts.locations import processed_prefix, verified_key
from movie_platform.lambdas import answers, aws_calls
from movie_platform.lambdas.answers import Answer
from movie_platform.lambdas.landed import LandedBundle

_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/jsonl; charset=utf-8",
}


def earlier_publication(bundle: LandedBundle) -> Answer | None:
    """The answer of the call that published this very object, None where there was none."""
    if bundle.place is None or bundle.claimed is None:
        return None
    marker = verified_key(bundle.place.source, bundle.place.dt, bundle.claimed.batch_id)
    document = aws_calls.read_document(bundle.config.processed_bucket, marker)
    if document is None or document["landing"] != bundle.landing:
        return None
    return answers.verified_answer(document, bundle.landing, marker, already_done=True)


def publish(bundle: LandedBundle, verified: VerifiedBundle, path: Path) -> Answer:
    """Publishes the files of a verified bundle, which lies at `path`, and answers what the batch consists of.

    Raises BundleError (batch_id_reused) when another bundle of other files has the batch id.
    """
    bucket, manifest = bundle.config.processed_bucket, verified.manifest
    batch = (manifest.source.name, manifest.dt, manifest.batch_id)
    prefix, marker = processed_prefix(*batch), verified_key(*batch)
    existing = aws_calls.read_document(bucket, marker)
    if existing is None:
        _claim(verified, bucket, f"{prefix}manifest.json")
        for file in in_bundle_order(manifest.files):
            _publish_file(path, verified, file, bucket, f"{prefix}{file.path}")
        document = answers.verified_document(manifest, prefix, bundle.landing)
        if aws_calls.create(bucket, marker, dump_json(document)):
            return answers.verified_answer(document, bundle.landing, marker, already_done=False)
        existing = _marker_of_another_call(bucket, marker)
    _require_same_files(existing, manifest)
    return answers.verified_answer(existing, bundle.landing, marker, already_done=True)


def _marker_of_another_call(bucket: str, marker: str) -> dict[str, Any]:
    """The `_VERIFIED.json` that another call created between this call's look and its own attempt."""
    document = aws_calls.read_document(bucket, marker)
    if document is None:
        raise RuntimeError(f"s3://{bucket}/{marker} existed and is gone: it was deleted by hand.")
    return document


def _require_same_files(document: dict[str, Any], manifest: Manifest) -> None:
    """BundleError when the batch that is published has other files than this one's manifest."""
    published = {(file["path"], file["sha256"]) for file in document["files"]}
    if published != {(file.path, file.sha256) for file in manifest.files}:
        raise _reused(manifest, f"s3://{document['landing']['bucket']}/{document['landing']['key']}")


def _claim(verified: VerifiedBundle, bucket: str, key: str) -> None:
    """Makes this bundle's manifest the batch's, or finds that the same files have claimed it already."""
    digest = hashlib.sha256(verified.manifest_bytes).hexdigest()
    if aws_calls.create(bucket, key, verified.manifest_bytes, digest):
        return
    claimed = aws_calls.read_bytes(bucket, key)
    if claimed is None or claimed == verified.manifest_bytes:
        return
    other = parse_manifest(claimed)
    if {(f.path, f.sha256) for f in other.files} != {(f.path, f.sha256) for f in verified.manifest.files}:
        raise _reused(verified.manifest, f"s3://{bucket}/{key}")


def _reused(manifest: Manifest, where: str) -> BundleError:
    return BundleError(
        ReasonCode.BATCH_ID_REUSED,
        f"Batch {manifest.batch_id} was published with other files before, see {printable(where, 1500)}.",
    )


def _publish_file(path: Path, verified: VerifiedBundle, file: FileEntry, bucket: str, key: str) -> None:
    """Uploads one file, unless an earlier call that did not get to the end has done so."""
    found = aws_calls.describe_published(bucket, key)
    if found is not None and found.size == file.bytes and found.sha256 == file.sha256:
        return
    with path.open("rb") as archive, ZipReader(archive, dict(verified.entries)).open(file.path) as stream:
        aws_calls.upload(stream, bucket, key, file.sha256, _CONTENT_TYPES[file.format])
