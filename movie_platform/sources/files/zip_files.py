"""Members of ZIP files, as streams. A ZIP is hostile until shown otherwise: the bundles' reader and limits apply."""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from movie_platform.bundles.limits import DEFAULT_LIMITS
from movie_platform.bundles.zip_reader import ZipEntry, entry_chunks, open_zip
from movie_platform.sources.files.location import Location
from movie_platform.sources.source_errors import MalformedSource
from movie_platform.sources.suggestions import listing

ZIP_MAGIC = b"PK\x03\x04"
_BUFFER_BYTES = 256 * 1024
# What macOS adds beside each file.
_COMPANIONS = ("__MACOSX/",)


class ZipFiles:
    """ZIP files by their addresses; remote ones are copied to a temporary folder once, by `fetch`."""

    def __init__(self, fetch: Callable[[Location, Path], None]) -> None:
        self._fetch = fetch
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._paths: dict[str, Path] = {}

    def members(self, location: Location, wanted: Callable[[str], bool]) -> list[str]:
        """Names of the files that are meant, sorted: those that are wanted, or the only one.

        Raises BundleError for a ZIP that breaks a rule, MalformedSource for one that holds no file that is meant.
        """
        with self._path(location).open("rb") as file:
            names = sorted(entry.name for entry in _files(file))
        found = [name for name in names if wanted(name)] if len(names) > 1 else names
        if not found:
            raise MalformedSource(
                f"{location.uri} holds no file whose name ends as the profile's format does; it holds {listing(names)}."
            )
        return found

    @contextmanager
    def open(self, location: Location, member: str) -> Iterator[BinaryIO]:
        """A member's bytes, inflated as they are read. Raises BundleError when the data is not what its header says."""
        with self._path(location).open("rb") as file:
            entry = next((entry for entry in _files(file) if entry.name == member), None)
            if entry is None:
                raise MalformedSource(f"{location.uri} does not hold {member!r} any more.")
            yield cast("BinaryIO", io.BufferedReader(_Member(entry_chunks(file, entry)), _BUFFER_BYTES))

    def _path(self, location: Location) -> Path:
        path = self._paths.get(location.uri)
        if path is None:
            if self._folder is None:
                # Deleted when this object is, at the latest when the process ends.
                self._folder = tempfile.TemporaryDirectory(prefix="movie-platform-zip-")
            path = Path(self._folder.name) / f"{len(self._paths)}.zip"
            self._fetch(location, path)
            self._paths[location.uri] = path
        return path


def _files(file: BinaryIO) -> list[ZipEntry]:
    return [
        entry
        for entry in open_zip(file, DEFAULT_LIMITS, folders=True)
        if not entry.name.endswith("/") and not entry.name.startswith(_COMPANIONS)
    ]


class _Member(io.RawIOBase):
    """A member's unpacked chunks as a stream that can only be read on."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
