"""Where a bundle that somebody hands over belongs: what its manifest claims, unverified, and the landing key of that.

Standard library and the contracts only, so that `movie-platform land` says what is missing before it loads anything.
"""

import json
import re
import zipfile
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from movie_platform.contracts.locations import BATCH_ID, SOURCE_NAME, LandingKey, parse_landing_key
from movie_platform.errors import ConfigurationError, PlatformError

# The verifier's own limit; here the manifest is only asked where the bundle belongs.
_MANIFEST_BYTES = 8 * 2**20
_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Claim:
    """What a bundle says of itself; each part is None where it does not say it readably. Nothing is
    verified.
    """

    source: str | None = None
    dt: date | None = None
    batch_id: str | None = None


def read_claim(file: IO[bytes]) -> Claim:
    """What the manifest of a ZIP claims. Whatever cannot be read claims nothing: the verifier says what is
    wrong.
    """
    try:
        with zipfile.ZipFile(file) as archive, archive.open("manifest.json") as entry:
            manifest = json.loads(entry.read(_MANIFEST_BYTES + 1))
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, EOFError, OSError, RecursionError):
        # zipfile says RuntimeError of an encrypted entry, and NotImplementedError, one of those, of a
        # strange method.
        return Claim()
    if not isinstance(manifest, dict):
        return Claim()
    source = manifest.get("source")
    name = source.get("name") if isinstance(source, dict) else None
    batch_id = manifest.get("batch_id")
    return Claim(
        source=name if isinstance(name, str) and SOURCE_NAME.fullmatch(name) else None,
        dt=_date(manifest.get("dt")),
        batch_id=batch_id if isinstance(batch_id, str) and BATCH_ID.fullmatch(batch_id) else None,
    )


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def landing_key(claim: Claim, file_name: str, *, source: str | None, dt: date | None) -> LandingKey:
    """The key for a bundle: what is given counts, then what it claims. Raises ConfigurationError without
    either.
    """
    source, dt = source or claim.source, dt or claim.dt
    if source is None or dt is None:
        missing = " and ".join(
            option for option, value in (("--source", source), ("--date", dt)) if value is None
        )
        raise ConfigurationError(
            "no_readable_manifest",
            f"{file_name} has no readable manifest that says where it belongs",
            f"Name it: {missing}.",
        )
    if not SOURCE_NAME.fullmatch(source):
        raise ConfigurationError(
            "bad_source_name",
            f"{source!r} cannot be the name of a source",
            "Small letters, digits, '-' and '_', at most 63.",
        )
    key = LandingKey(source, dt, claim.batch_id or _object_name(file_name))
    if parse_landing_key(str(key)) != key:
        raise PlatformError("bad_landing_key", f"{key} is not a landing key", "Rename the file.")
    return key


def _object_name(file_name: str) -> str:
    """A file's name without .zip, of the characters that a key may have."""
    stem = re.sub(r"\.zip$", "", file_name, flags=re.IGNORECASE)
    return (
        re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9._-]+", "-", stem))[:_NAME_CHARACTERS] or "bundle"
    )
