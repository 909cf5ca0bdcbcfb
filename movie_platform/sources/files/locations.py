"""Where files lie: on disk, in S3 or behind a web address. Globs become lists of files, files become byte streams."""

import fnmatch
import glob
import gzip
import io
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import botocore.exceptions

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.settings import Settings
from movie_platform.sources.aws_clients import client
from movie_platform.sources.files.location import Location
from movie_platform.sources.files.zip_files import ZIP_MAGIC, ZipFiles
from movie_platform.sources.source_errors import (
    MalformedSource,
    ProfileError,
    SourceAuthenticationError,
    SourceError,
    SourceNotFound,
    SourceUnavailable,
)
from movie_platform.sources.suggestions import did_you_mean

_BUFFER_BYTES = 256 * 1024
_COPY_BYTES = 4 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_WILDCARD = re.compile(r"[*?\[]")
_REMOTE = ("http", "https", "s3")
_REFUSED_CODES = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "403"}
)
_MISSING_CODES = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})


class Files:
    """Finds and opens files. Clients are made when the first file needs them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._s3_client: Any = None
        self._archives = ZipFiles(self.fetch)

    def expand(self, patterns: tuple[str, ...], folder: Path) -> list[Location]:
        """The files that paths, globs and addresses name, sorted within each, every file once.

        Relative paths are relative to `folder`. Raises SourceNotFound for one that names nothing, ProfileError
        for an address of an unknown kind, SourceAuthenticationError and SourceUnavailable.
        """
        found: dict[str, Location] = {}
        for pattern in patterns:
            for location in self._expand(pattern, folder):
                found.setdefault(location.uri, location)
        return list(found.values())

    @contextmanager
    def open(self, location: Location) -> Iterator[BinaryIO]:
        """The file's bytes, unpacked where it is gzip (by its content, whatever its name).

        Raises SourceNotFound, SourceAuthenticationError, SourceUnavailable; MalformedSource for gzip that is cut
        short or damaged, whenever that shows.
        """
        with _explained(location), self._opened(location) as raw:
            buffered = raw if isinstance(raw, io.BufferedReader) else _Peekable(raw)
            if buffered.peek(2)[:2] == _GZIP_MAGIC:
                with gzip.GzipFile(fileobj=cast("BinaryIO", buffered)) as unpacked:
                    yield cast("BinaryIO", unpacked)
            else:
                yield cast("BinaryIO", buffered)

    @contextmanager
    def open_seekable(self, location: Location) -> Iterator[BinaryIO]:
        """The file's bytes as they are, with cheap seeking: a remote file is copied to a temporary one first."""
        with _explained(location), self._opened(location) as raw:
            if location.member is None and not _is_remote(location.uri):
                yield raw
                return
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(raw, copy, _COPY_BYTES)
                copy.seek(0)
                yield cast("BinaryIO", copy)

    def unpack(self, location: Location, wanted: Callable[[str], bool]) -> list[Location]:
        """The files that a ZIP file holds, in the order of their names; the location itself where it is none.

        A ZIP is recognized by its content. Of several files those that are `wanted` by their names are meant, of a
        single one that one. Raises MalformedSource for a ZIP that breaks a rule or holds no file that is meant.
        """
        with _explained(location):
            with self._open_raw(location) as raw:
                if raw.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
                    return [location]
            return [
                Location(location.uri, f"{location.name}/{name}", name)
                for name in self._archives.members(location, wanted)
            ]

    def fetch(self, location: Location, target: Path) -> None:
        """Make the file's bytes, as they are, lie at `target`: a link to a file of this machine, else a copy.

        Raises SourceNotFound, SourceAuthenticationError, SourceUnavailable.
        """
        if not _is_remote(location.uri):
            target.symlink_to(Path(location.uri).absolute())
            return
        with _explained(location), self._open_raw(location) as raw, target.open("xb") as copy:
            shutil.copyfileobj(raw, copy, _COPY_BYTES)

    def _expand(self, pattern: str, folder: Path) -> list[Location]:
        if "://" not in pattern:
            return _expand_local(folder / Path(pattern).expanduser())
        parts = urlsplit(pattern)
        scheme = parts.scheme.casefold()
        if scheme == "file":
            return _expand_local(Path(unquote(parts.path)))
        if scheme == "s3":
            return self._expand_s3(pattern, parts.netloc, pattern.split("://", 1)[1].partition("/")[2])
        if scheme in _REMOTE:
            return [Location(pattern, parts.path.rsplit("/", 1)[-1] or parts.netloc)]
        raise ProfileError(
            f"files are read from paths, s3:// and http(s):// addresses, not {scheme}://."
            f"{did_you_mean(scheme, _REMOTE)}"
        )

    def _expand_s3(self, pattern: str, bucket: str, key: str) -> list[Location]:
        wildcard = _WILDCARD.search(key)
        if wildcard is None:
            return [Location(pattern, key.rsplit("/", 1)[-1])]
        found: list[Location] = []
        with _explained(Location(pattern, pattern)):
            paginator = self._s3().get_paginator("list_objects_v2")
            for page in paginator.paginate(Bucket=bucket, Prefix=key[: wildcard.start()]):
                for item in page.get("Contents", ()):
                    name = item["Key"]
                    # As on disk, a wildcard does not reach across a slash.
                    if name.count("/") == key.count("/") and fnmatch.fnmatchcase(name, key):
                        found.append(Location(f"s3://{bucket}/{name}", name.rsplit("/", 1)[-1]))
        if not found:
            raise SourceNotFound(f"no object matches {pattern}.")
        return sorted(found, key=lambda location: location.uri)

    def _opened(self, location: Location) -> AbstractContextManager[BinaryIO]:
        if location.member is not None:
            return self._archives.open(location, location.member)
        return self._open_raw(location)

    def _open_raw(self, location: Location) -> BinaryIO:
        if not _is_remote(location.uri):
            return Path(location.uri).open("rb")
        # httpx and smart_open, with boto3 behind it, cost part of a second, and most files are on disk.
        if not location.uri.casefold().startswith("s3://"):
            from movie_platform.sources.files.web_files import WebFile

            return cast("BinaryIO", io.BufferedReader(WebFile(location.uri), _BUFFER_BYTES))
        import smart_open

        # What the name says of compression is not asked: the content says it.
        return cast(
            "BinaryIO",
            smart_open.open(
                location.uri, "rb", compression="disable", transport_params={"client": self._s3()}
            ),
        )

    def _s3(self) -> Any:
        if self._s3_client is None:
            self._s3_client = client(self._settings, "s3")
        return self._s3_client


class _Peekable(io.BufferedReader):
    """A remote stream whose first bytes can be looked at before they are read: is it gzip?"""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__(_Raw(raw), _BUFFER_BYTES)


class _Raw(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _is_remote(uri: str) -> bool:
    return "://" in uri


def _expand_local(path: Path) -> list[Location]:
    # A file may have brackets in its name.
    if path.is_file():
        return [Location(str(path), path.name)]
    if path.is_dir():
        raise SourceNotFound(f"{path} is a folder; name its files, for example {path / '*.csv'}.")
    if _WILDCARD.search(str(path)) is None:
        siblings = [other.name for other in path.parent.glob("*")] if path.parent.is_dir() else []
        raise SourceNotFound(f"there is no file {path}.{did_you_mean(path.name, siblings)}")
    # Unlike Path.glob, this takes a pattern that is absolute.
    names = glob.glob(str(path), recursive=True)  # noqa: PTH207 - see above
    found = sorted(name for name in names if Path(name).is_file())
    if not found:
        raise SourceNotFound(f"no file matches {path}.")
    return [Location(name, Path(name).name) for name in found]


@contextmanager
def _explained(location: Location) -> Iterator[None]:
    """Turn what reading a file can raise into typed errors."""
    try:
        yield
    except SourceError:
        raise
    except BundleError as error:
        raise MalformedSource(f"{location.uri} is a ZIP file that is not read: {error}") from error
    except FileNotFoundError as error:
        raise SourceNotFound(f"the file {location.uri} is gone.") from error
    except PermissionError as error:
        raise SourceAuthenticationError(f"{location.uri} may not be read: {error.strerror}.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MalformedSource(
            f"{location.uri} is gzip that is cut short or damaged ({error}); fetch it again."
        ) from error
    except Exception as error:
        typed = _remote_error(location, error)
        if typed is None:
            raise
        raise typed from error


def _remote_error(location: Location, error: Exception) -> SourceError | None:
    cause = getattr(error, "backend_error", None) or error.__cause__ or error
    for candidate in (error, cause):
        if isinstance(candidate, botocore.exceptions.ClientError):
            return _s3_error(location, str(candidate.response.get("Error", {}).get("Code", "")))
        if isinstance(candidate, botocore.exceptions.NoCredentialsError):
            return SourceAuthenticationError(f"{location.uri}: boto3 finds no AWS credentials.")
        if isinstance(candidate, botocore.exceptions.BotoCoreError):
            return SourceUnavailable(f"{location.uri} does not answer: {candidate}")
    if isinstance(error, OSError):
        return SourceUnavailable(f"{location.uri} cannot be read: {error}")
    return None


def _s3_error(location: Location, code: str) -> SourceError:
    if code in _MISSING_CODES:
        return SourceNotFound(f"there is no object {location.uri} ({code}).")
    if code in _REFUSED_CODES:
        return SourceAuthenticationError(
            f"{location.uri} may not be read ({code}); allow the role that runs Dagster s3:GetObject on it."
        )
    return SourceUnavailable(f"{location.uri} cannot be read ({code}).")
