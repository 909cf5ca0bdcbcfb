"""Where raw extracts are kept: a folder of this machine or a prefix in S3, so that steps may run on different
hosts.

An extract is a folder `<source>/<dt>/<batch_id>/` with `manifest.json`, `csv/`, `parquet/` and `rejected/`.
Its manifest is written last: a folder without one is not an extract.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg

from movie_platform.errors import PlatformError
from movie_platform.resources.aws import AwsResource

MANIFEST = "manifest.json"


class ExtractNotFoundError(PlatformError):
    """There is no such extract where extracts are kept."""

    def __init__(self, where: str) -> None:
        super().__init__(
            "extract_not_found",
            f"no complete extract at {where}",
            "materialize extract/raw_extract for that date again",
        )


class ExtractStore(dg.ConfigurableResource):
    """Reads and writes extracts under `location`, a path or an `s3://bucket/prefix` URI."""

    location: str
    aws: dg.ResourceDependency[AwsResource]

    @property
    def _bucket(self) -> str | None:
        parts = urlsplit(self.location)
        return parts.netloc if parts.scheme == "s3" else None

    def uri(self, source: str, dt: date, batch_id: str) -> str:
        """Where an extract lies, as a path or URI."""
        return f"{self.location.rstrip('/')}/{_relative(source, dt, batch_id)}"

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """An empty folder to write an extract into; gone afterwards, unless `keep` has moved what it held."""
        parent: Path | None = None
        if self._bucket is None:
            parent = Path(self.location)
            parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".extract-", dir=parent, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)

    def keep(self, folder: Path, source: str, dt: date, batch_id: str) -> str:
        """Moves a complete extract from the workspace to where it is kept; returns where. Replaces what was
        there.
        """
        if self._bucket is None:
            target = Path(self.location) / _relative(source, dt, batch_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                shutil.rmtree(target)
            folder.rename(target)
            return str(target)
        s3 = self.aws.client("s3")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.name == MANIFEST):
            s3.upload_file(str(path), self._bucket, self._key(source, dt, batch_id, path.relative_to(folder)))
        return self.uri(source, dt, batch_id)

    @contextmanager
    def fetch(self, source: str, dt: date, batch_id: str) -> Iterator[Path]:
        """A local folder with the extract's files, for as long as the context lasts.

        Raises ExtractNotFoundError.
        """
        where = self.uri(source, dt, batch_id)
        if self._bucket is None:
            folder = Path(where)
            if not (folder / MANIFEST).is_file():
                raise ExtractNotFoundError(where)
            yield folder
            return
        prefix = f"{self._key(source, dt, batch_id, Path())}/"
        with tempfile.TemporaryDirectory(prefix="extract-", ignore_cleanup_errors=True) as temporary:
            folder = Path(temporary)
            s3 = self.aws.client("s3")
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    key = entry.get("Key", "")
                    target = folder / key.removeprefix(prefix)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    s3.download_file(self._bucket, key, str(target))
            if not (folder / MANIFEST).is_file():
                raise ExtractNotFoundError(where)
            yield folder

    def _key(self, source: str, dt: date, batch_id: str, name: Path) -> str:
        prefix = urlsplit(self.location).path.strip("/")
        parts = [prefix, _relative(source, dt, batch_id), name.as_posix() if name.parts else ""]
        return "/".join(part for part in parts if part)


def _relative(source: str, dt: date, batch_id: str) -> str:
    return f"{source}/{dt.isoformat()}/{batch_id}"
