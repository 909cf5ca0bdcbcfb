"""The way of one landed object through the function, one function a step.

locate, look for an earlier outcome, accept, read its claim, lease, download, verify, publish; quarantine
where the bundle breaks a rule. Each step takes the `LandedBundle` that the one before it made.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import parse_manifest
from movie_platform.bundles.read import read_manifest_by_ranges
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.verify import VerifiedBundle, verify
from movie_platform.lambdas import aws_calls, lease
from movie_platform.lambdas.answers import Answer, ignored_answer
from movie_platform.lambdas.aws_calls import ObjectMissingError, ObjectReplacedError
from movie_platform.lambdas.config import UnpackConfig
from movie_platform.lambdas.events import LandedObject
from movie_platform.lambdas.landed import LandedBundle
from movie_platform.lambdas.publish import earlier_publication, publish
from movie_platform.lambdas.quarantine import earlier_refusal, quarantine


class NoRoomError(Exception):
    """The function's disk is too small for the bundle."""


def process_object(landed: LandedObject, config: UnpackConfig) -> Answer:
    """The answer for one landed object: verified, quarantined, or ignored where it is not there any more.

    Raises NoRoomError, IncompleteDownloadError, and botocore's errors where S3 or SNS fail.
    """
    try:
        bundle = _locate(landed, config)
        return earlier_refusal(bundle) or _publish_or_quarantine(bundle)
    except ObjectMissingError:
        return ignored_answer(landed.bucket, landed.key, "object_missing", "The object is not there.")
    except ObjectReplacedError:
        return ignored_answer(
            landed.bucket,
            landed.key,
            "object_replaced",
            "The object is not the one that the event was about: the event of its newer version counts.",
        )


def _locate(landed: LandedObject, config: UnpackConfig) -> LandedBundle:
    """The object as it lies in S3. ObjectMissingError, ObjectReplacedError."""
    bundle = LandedBundle(landed, aws_calls.describe(landed), config)
    if landed.version_id is None and landed.etag not in {None, bundle.state.etag}:
        raise ObjectReplacedError(f"{bundle.uri} is not what landed with ETag {landed.etag}.")
    return bundle


def _publish_or_quarantine(bundle: LandedBundle) -> Answer:
    try:
        _require_acceptable(bundle)
        bundle = _with_claim(bundle)
        return earlier_publication(bundle) or _publish_once(bundle)
    except BundleError as error:
        return quarantine(bundle, error)


def _require_acceptable(bundle: LandedBundle) -> None:
    """BundleError where key or size already say that the object is no bundle for this function."""
    if bundle.place is None:
        raise BundleError(
            ReasonCode.BAD_KEY,
            "A bundle's key is movies/source=<source>/dt=<YYYY-MM-DD>/<name>.zip; this one is not.",
        )
    if bundle.state.size > bundle.config.limits.bundle_bytes:
        raise BundleError(
            ReasonCode.TOO_LARGE,
            f"The file has {bundle.state.size} bytes; {bundle.config.limits.bundle_bytes} are allowed.",
        )


def _with_claim(bundle: LandedBundle) -> LandedBundle:
    """The bundle with what it says of itself, unverified, where that can be told from its beginning."""

    def fetch(offset: int, length: int) -> bytes:
        wanted = min(length, bundle.state.size - offset)
        return aws_calls.read_range(bundle, offset, wanted) if wanted > 0 else b""

    data = read_manifest_by_ranges(fetch, bundle.config.limits)
    try:
        return replace(bundle, claimed=None if data is None else parse_manifest(data))
    except BundleError:
        # Verifying the whole bundle finds the same fault, or one that comes before it.
        return bundle


def _publish_once(bundle: LandedBundle) -> Answer:
    """Publishes unless another call, which held the lease until now, has brought it to an end."""
    key = lease.lease_key(bundle.key, bundle.state.etag)
    with lease.held(bundle.config.processed_bucket, key) as waited:
        earlier = (earlier_refusal(bundle) or earlier_publication(bundle)) if waited else None
        return earlier or _download_and_publish(bundle)


def _download_and_publish(bundle: LandedBundle) -> Answer:
    """Downloads, verifies and publishes; BundleError where the bundle is bad."""
    with _downloaded(bundle) as (path, file):
        return publish(bundle, _verify(bundle, file), path)


@contextmanager
def _downloaded(bundle: LandedBundle) -> Iterator[tuple[Path, BinaryIO]]:
    """The whole object in a temporary file, which is gone after the block. NoRoomError."""
    room = shutil.disk_usage(tempfile.gettempdir()).free
    if room < bundle.state.size:
        raise NoRoomError(
            f"{tempfile.gettempdir()} has {room} bytes left for a bundle of {bundle.state.size}: give the "
            "function more ephemeral storage, or lower BUNDLE_LIMIT_BUNDLE_BYTES so that such bundles are refused."
        )
    with tempfile.NamedTemporaryFile(prefix="bundle-", suffix=".zip") as file:
        stream = cast("BinaryIO", file)
        aws_calls.download(bundle, stream)
        yield Path(file.name), stream


def _verify(bundle: LandedBundle, file: BinaryIO) -> VerifiedBundle:
    """BundleError where the bundle breaks a rule, or is not of the source and date that its key says."""
    place = bundle.place
    return verify(
        file,
        limits=bundle.config.limits,
        expected_source=place.source if place else None,
        expected_dt=place.dt if place else None,
    )
