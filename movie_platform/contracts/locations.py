"""Where things lie in the buckets: the S3 keys that the hops agree on, built and parsed in one place.

Standard library only: the Lambda and the Glue job ship this module.
"""

import re
from dataclasses import dataclass
from datetime import date

DATASET = "movies"

# A source's name is part of S3 keys, tags and file names: nothing in it may need escaping anywhere.
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
BATCH_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LANDING_KEY = re.compile(
    rf"{DATASET}/source=(?P<source>{SOURCE_NAME.pattern})/dt=(?P<dt>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{{0,199}})\.zip"
)


@dataclass(frozen=True, slots=True)
class LandingKey:
    """A landing key taken apart. `name` is the batch id for bundles of ours; an outside producer may name it freely."""

    source: str
    dt: date
    name: str

    def __str__(self) -> str:
        return f"{landing_prefix(self.source, self.dt)}{self.name}.zip"


def landing_dates_prefix(source: str) -> str:
    """Prefix of all dates that bundles of a source landed for."""
    return f"{DATASET}/source={source}/dt="


def landing_prefix(source: str, dt: date) -> str:
    """Prefix of all bundles that landed for a source and date."""
    return f"{landing_dates_prefix(source)}{dt.isoformat()}/"


def landing_date(prefix: str) -> date | None:
    """The date of a prefix that `landing_prefix` could have made, None for any other."""
    text = prefix.rpartition("/dt=")[2].removesuffix("/")
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def parse_landing_key(key: str) -> LandingKey | None:
    """The parts of a landing key, or None for a key that no bundle may have."""
    match = _LANDING_KEY.fullmatch(key)
    if match is None:
        return None
    try:
        dt = date.fromisoformat(match["dt"])
    except ValueError:
        return None
    return LandingKey(match["source"], dt, match["name"])


def processed_prefix(source: str, dt: date, batch_id: str) -> str:
    """Prefix, in the processed bucket, of one verified batch."""
    return f"{DATASET}/source={source}/dt={dt.isoformat()}/batch={batch_id}/"


def verified_key(source: str, dt: date, batch_id: str) -> str:
    """Key of the marker that says that a batch is verified and lists its files."""
    return f"{processed_prefix(source, dt, batch_id)}_VERIFIED.json"


def quarantine_prefix(landing_key: str, etag: str) -> str:
    """Prefix, in the processed bucket, of one refused object: its ZIP and `reason.json`."""
    return f"quarantine/{landing_key}/{etag}/"


def version_name(batch_id: str, transform_id: str) -> str:
    """Name of a version of a batch: what file names in the archive are made of."""
    return f"{batch_id}-{transform_id[:12]}"


def archive_prefix(table: str, source: str, dt: date, version: str) -> str:
    """Prefix, in the archive bucket, of one table's files of one version."""
    return f"{table}/source={source}/dt={dt.isoformat()}/version={version}/"


def archive_file_name(table: str, version: str, part: int, extension: str = "parquet") -> str:
    """File name of one part: the same content keeps its name, and new content gets another."""
    return f"{table}-{version}-{part:05d}.{extension}"


def run_prefix(source: str, dt: date, batch_id: str) -> str:
    """Prefix, in the archive bucket, of the records of all transform runs of a batch."""
    return f"_runs/source={source}/dt={dt.isoformat()}/batch={batch_id}/"


def run_key(source: str, dt: date, batch_id: str, transform_id: str) -> str:
    """Key of the record (`_RUN.json`) of the newest run that one transform made of a batch."""
    return f"{run_prefix(source, dt, batch_id)}transform={transform_id[:12]}/_RUN.json"
