"""How a bundle is put into the landing bucket: its key and what its object says of it."""

from movie_platform.bundles.manifest import FORMAT_VERSION, Manifest
from movie_platform.contracts.locations import LandingKey

CONTENT_TYPE = "application/zip"


def landing_key(manifest: Manifest) -> str:
    """The key under which this platform lands the bundle."""
    return str(LandingKey(manifest.source.name, manifest.dt, manifest.batch_id))


def landing_object_metadata(manifest: Manifest) -> dict[str, str]:
    """User metadata of the object in S3: what a person or a listing may want to know without opening the ZIP.

    Nothing reads it to decide anything: the manifest inside the bundle is what counts.
    """
    return {
        "format-version": str(FORMAT_VERSION),
        "source": manifest.source.name,
        "dt": manifest.dt.isoformat(),
        "batch-id": manifest.batch_id,
        "content-id": manifest.content_id,
        "load-type": manifest.load_type,
        "row-count": str(manifest.row_count),
        "rejected-count": str(manifest.rejected_count),
    }
