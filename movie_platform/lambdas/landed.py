"""What the function carries from step to step: a landed object, and what is known of it. Nothing here asks S3."""

from dataclasses import dataclass
from typing import Any

from movie_platform.bundles.manifest import Manifest
from movie_platform.contracts.locations import LandingKey, parse_landing_key, quarantine_prefix
from movie_platform.lambdas.config import UnpackConfig
from movie_platform.lambdas.events import LandedObject


@dataclass(frozen=True, slots=True)
class ObjectState:
    """Size and ETag (without quotes) of an object, and the SHA-256 that this function noted on it."""

    size: int
    etag: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class LandedBundle:
    """A landed object on its way from the event to the answer.

    `landed` is what the event said, `state` what S3 says of the object, `config` where its outcome goes and what is
    accepted. `claimed` is its manifest before anything is verified: None until it was read, and where it cannot be.
    """

    landed: LandedObject
    state: ObjectState
    config: UnpackConfig
    claimed: Manifest | None = None

    @property
    def key(self) -> str:
        """Its key in the landing bucket."""
        return self.landed.key

    @property
    def uri(self) -> str:
        """Where it lies, for messages."""
        return f"s3://{self.landed.bucket}/{self.landed.key}"

    @property
    def place(self) -> LandingKey | None:
        """The source and date that its key puts it under; None for a key that no bundle may have."""
        return parse_landing_key(self.landed.key)

    @property
    def quarantine_prefix(self) -> str:
        """Prefix, in the processed bucket, of this very object should it be refused."""
        return quarantine_prefix(self.landed.key, self.state.etag)

    @property
    def landing(self) -> dict[str, Any]:
        """How documents and answers name it."""
        return {
            "bucket": self.landed.bucket,
            "key": self.landed.key,
            "etag": self.state.etag,
            "size": self.state.size,
        }
