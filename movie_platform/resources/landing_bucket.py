"""The landing bucket as the platform sees it: which bundles lie there for a day, and how one is put there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

import dagster as dg

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import MANIFEST_NAME, Manifest, parse_manifest
from movie_platform.bundles.read import read_manifest_by_ranges
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.contracts.locations import (
    BATCH_ID,
    landing_date,
    landing_dates_prefix,
    landing_prefix,
    parse_landing_key,
    quarantine_prefix,
)
from movie_platform.errors import PlatformError
from movie_platform.resources.aws import AwsResource

# One part of an upload is held in memory; S3 takes at most 10,000 parts, so this allows for 160 GB.
PART_BYTES = 16 * 2**20


class NoBundleError(PlatformError):
    """No bundle that is not quarantined lies in landing for a source and date."""

    def __init__(self, source: str, dt: date) -> None:
        super().__init__(
            "no_bundle",
            f"no bundle of source {source} has landed for {dt}",
            "materialize landing/zipped_bundle for that date, or put one there with `movie-platform land`",
        )


@dataclass(frozen=True, slots=True)
class LandedBundle:
    """A ZIP in the landing bucket. `name` is its batch id, unless an outside producer named it otherwise."""

    bucket: str
    key: str
    etag: str
    size: int
    source: str
    dt: date
    name: str

    @property
    def uri(self) -> str:
        """Its address as s3://bucket/key."""
        return f"s3://{self.bucket}/{self.key}"


class LandingZone(dg.ConfigurableResource):
    """The landing bucket, and the part of the processed bucket that says what was refused."""

    bucket: str
    processed_bucket: str
    aws: dg.ResourceDependency[AwsResource]

    def describe(self, key: str, etag: str | None = None) -> LandedBundle:
        """The object at a key; with `etag`, only if it still has that content. Raises NoBundleError."""
        parts = parse_landing_key(key)
        if parts is None:
            raise PlatformError("bad_key", f"{key} is not the key of a bundle", "see docs/bundle-format.md")
        s3 = self.aws.client("s3")
        try:
            head = s3.head_object(Bucket=self.bucket, Key=key)
        except s3.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
                raise NoBundleError(parts.source, parts.dt) from error
            raise
        found = head["ETag"].strip('"')
        if etag is not None and found != etag:
            raise PlatformError(
                "bundle_replaced",
                f"s3://{self.bucket}/{key} has other content now than when it was announced",
                "nothing to do: the new content is announced by itself",
            )
        return LandedBundle(
            self.bucket, key, found, head["ContentLength"], parts.source, parts.dt, parts.name
        )

    def bundles(self, source: str, dt: date) -> Iterator[LandedBundle]:
        """All bundles of a source and date, the latest batch first; names that are no batch ids come last."""
        s3 = self.aws.client("s3")
        found: list[LandedBundle] = []
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=landing_prefix(source, dt)
        )
        for page in pages:
            for entry in page.get("Contents", []):
                key = entry.get("Key", "")
                parts = parse_landing_key(key)
                if parts is not None:
                    etag = entry.get("ETag", "").strip('"')
                    found.append(
                        LandedBundle(self.bucket, key, etag, entry.get("Size", 0), source, dt, parts.name)
                    )
        found.sort(
            key=lambda bundle: (BATCH_ID.fullmatch(bundle.name) is not None, bundle.name), reverse=True
        )
        return iter(found)

    def winner(self, source: str, dt: date) -> LandedBundle | None:
        """The latest bundle of a source and date that is not in quarantine, None where there is none."""
        for bundle in self.bundles(source, dt):
            if self.quarantine_reason(bundle.key, bundle.etag) is None:
                return bundle
        return None

    def dates_before(self, source: str, dt: date) -> list[date]:
        """Dates before `dt` that anything of a source landed for, the latest first.

        Lists one name a date, however many bundles lie there: a request for a thousand days.
        """
        pages = (
            self.aws.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self.bucket, Prefix=landing_dates_prefix(source), Delimiter="/")
        )
        found = [
            landing_date(entry.get("Prefix", ""))
            for page in pages
            for entry in page.get("CommonPrefixes", [])
        ]
        return sorted((day for day in found if day is not None and day < dt), reverse=True)

    def cursor_before(self, source: str, dt: date) -> str | None:
        """Where an extract of a source for `dt` begins: where that of the latest earlier date with a bundle ended.

        None where there is no such bundle, or it says nothing of where it ended. It depends on what lies in landing
        for earlier dates alone, so a rerun of a date begins where its first run did. Raises BundleError where that
        bundle has no readable manifest.
        """
        for day in self.dates_before(source, dt):
            winner = self.winner(source, day)
            if winner is not None:
                return self.manifest(winner).source.cursor
        return None

    def quarantine_reason(self, key: str, etag: str) -> dict[str, Any] | None:
        """Why a bundle was refused, None where it was not (or not yet)."""
        s3 = self.aws.client("s3")
        try:
            found = s3.get_object(
                Bucket=self.processed_bucket, Key=f"{quarantine_prefix(key, etag)}reason.json"
            )
        except s3.exceptions.NoSuchKey:
            return None
        return json.loads(found["Body"].read())

    def manifest(self, bundle: LandedBundle) -> Manifest:
        """What a bundle says of itself, read from its beginning; nothing of it is verified.

        Raises BundleError where it has no readable manifest.
        """

        def fetch(offset: int, length: int) -> bytes:
            if offset >= bundle.size:
                return b""
            last = min(offset + length, bundle.size) - 1
            answer = self.aws.client("s3").get_object(
                Bucket=bundle.bucket, Key=bundle.key, Range=f"bytes={offset}-{last}"
            )
            return answer["Body"].read()

        found = read_manifest_by_ranges(fetch)
        if found is None:
            raise BundleError(
                ReasonCode.MISSING_MANIFEST, f"{bundle.uri} does not begin with a manifest.", MANIFEST_NAME
            )
        return parse_manifest(found)

    @contextmanager
    def writer(self, key: str) -> Iterator[IO[bytes]]:
        """A stream whose bytes become the object at `key` when the block ends; nothing appears if it fails."""
        # Not at the top: it imports boto3, and the definitions must load quickly.
        import smart_open

        with smart_open.open(
            f"s3://{self.bucket}/{key}",
            "wb",
            compression="disable",
            transport_params={"client": self.aws.client("s3"), "min_part_size": PART_BYTES},
        ) as stream:
            yield stream
