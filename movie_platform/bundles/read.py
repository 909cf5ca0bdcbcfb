"""Reads bundles that are trusted: extract folders, entries of a ZIP, manifests by ranged reads.

What comes from outside goes through `verify` first. Standard library only.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from movie_platform.bundles import zip_format as z
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.limits import DEFAULT_LIMITS, Limits
from movie_platform.bundles.manifest import MANIFEST_NAME, Manifest, parse_manifest
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.zip_reader import CHUNK_BYTES, ZipEntry, entry_chunks, open_zip

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Manifests of a few hundred files fit; larger ones cost one more request.
_FIRST_RANGE = 128 * 1024


class EntryReader(Protocol):
    """Where the files of one bundle are read from, by their path in the bundle."""

    def open(self, path: str) -> BinaryIO:
        """A stream of the file's bytes, to be closed by the caller; FileNotFoundError when there is none."""
        ...


class FolderReader:
    """The files of an extract that lies unpacked in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, path: str) -> BinaryIO:
        """The file at `path`, which is one that a manifest may name."""
        return (self.folder / path).open("rb")


class EntryStream(io.RawIOBase):
    """The inflated bytes of one ZIP entry as a forward-only stream."""

    def __init__(self, file: BinaryIO, entry: ZipEntry) -> None:
        self._chunks = entry_chunks(file, entry)
        self._chunk = memoryview(b"")

    def readable(self) -> bool:
        """True, always: io.BufferedReader takes no stream that says otherwise."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fills `buffer` with the next bytes; BundleError where the entry is not what its header says."""
        if not self._chunk:
            self._chunk = memoryview(next(self._chunks, b""))
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._chunk))
        target[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count


class ZipReader:
    """The files of a bundle in a seekable ZIP; one entry is read at a time."""

    def __init__(self, file: BinaryIO, entries: "dict[str, ZipEntry]") -> None:
        self._file = file
        self._entries = entries

    def open(self, path: str) -> BinaryIO:
        """A buffered stream of the entry; FileNotFoundError when there is none."""
        entry = self._entries.get(path)
        if entry is None:
            raise FileNotFoundError(f"the bundle has no entry {path!r}")
        return io.BufferedReader(EntryStream(self._file, entry), CHUNK_BYTES)


def read_entry(file: BinaryIO, entry: ZipEntry, limit: int) -> bytes:
    """All bytes of a small entry; BundleError when it has more than `limit`."""
    if entry.size > limit:
        raise BundleError(
            ReasonCode.TOO_LARGE, f"The entry has {entry.size} bytes; {limit} are allowed.", entry.name
        )
    return b"".join(entry_chunks(file, entry))


def manifest_entry(entries: list[ZipEntry]) -> ZipEntry:
    """The entry of the manifest; BundleError when there is none."""
    for entry in entries:
        if entry.name == MANIFEST_NAME:
            return entry
    raise BundleError(
        ReasonCode.MISSING_MANIFEST, f"The bundle has no {MANIFEST_NAME} at its top level.", MANIFEST_NAME
    )


def read_manifest(path: Path, limits: Limits = DEFAULT_LIMITS) -> Manifest:
    """The manifest of a bundle (a ZIP) or of an extract (a folder); its files are not looked at.

    Raises BundleError where it is missing or breaks a rule, OSError where `path` cannot be read.
    """
    if path.is_dir():
        try:
            return parse_manifest((path / MANIFEST_NAME).read_bytes())
        except FileNotFoundError:
            raise BundleError(
                ReasonCode.MISSING_MANIFEST,
                f"The folder {path} has no {MANIFEST_NAME}: the extract is not complete.",
            ) from None
    with path.open("rb") as file:
        entry = manifest_entry(open_zip(file, limits))
        return parse_manifest(read_entry(file, entry, limits.manifest_bytes))


def read_manifest_by_ranges(
    fetch: Callable[[int, int], bytes], limits: Limits = DEFAULT_LIMITS
) -> bytes | None:
    """The bytes of a manifest that is a ZIP's first entry, by one or two reads of the file's beginning.

    `fetch(offset, length)` answers at most `length` bytes. None where the file does not begin with a
    manifest that can be read so; that says nothing about the bundle. Nothing is verified: use it to tell
    what a bundle claims.
    """
    head = fetch(0, _FIRST_RANGE)
    if len(head) < z.LOCAL_HEADER.size:
        return None
    fields = z.LOCAL_HEADER.unpack_from(head)
    signature, _, flags, method, _, _, _, packed_size, size, name_length, extra_length = fields
    start = z.LOCAL_HEADER.size + name_length + extra_length
    name = head[z.LOCAL_HEADER.size : z.LOCAL_HEADER.size + name_length]
    if signature != z.LOCAL_SIGNATURE or name != MANIFEST_NAME.encode() or flags & z.FLAG_ENCRYPTED:
        return None
    streamed = bool(flags & z.FLAG_DESCRIPTOR)
    if streamed and method != z.DEFLATED:
        return None
    wanted = limits.manifest_bytes if streamed else packed_size
    if wanted > limits.manifest_bytes:
        return None
    if start + wanted > len(head) == _FIRST_RANGE:
        head += fetch(_FIRST_RANGE, start + wanted - _FIRST_RANGE)
    data = head[start : start + wanted]
    if method == z.STORED:
        return data if len(data) == packed_size else None
    if method != z.DEFLATED:
        return None
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = inflater.decompress(data, limits.manifest_bytes + 1)
    except zlib.error:
        return None
    whole = inflater.eof and len(text) <= limits.manifest_bytes and (streamed or len(text) == size)
    return text if whole else None


def file_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream in bounded chunks."""
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk
