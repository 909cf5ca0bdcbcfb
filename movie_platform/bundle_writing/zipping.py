"""Zips an extract into a bundle: streams to anything that takes bytes, the same bytes for the same extract.

CSV is deflated at isal's level 1 (ten times as fast as zlib's default at 1.2 times the size); Parquet,
compressed already, is stored. Files are checked against the manifest on their way: a damaged extract makes
no bundle.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from isal import isal_zlib

from movie_platform.bundles import zip_format as z
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import (
    MANIFEST_NAME,
    FileEntry,
    Manifest,
    in_bundle_order,
    parse_manifest,
)
from movie_platform.bundles.read import EntryReader, file_chunks
from movie_platform.bundles.reasons import ReasonCode

_LEVEL = 1
_RAW_DEFLATE = -15
# rw-r--r-- of a regular file.
_ATTRIBUTES = 0o100644 << 16
# Deflate makes what it cannot compress larger by 5 bytes a block; entries near 4 GiB count as beyond it.
_ZIP64_FROM = 0xF0000000


class ByteSink(Protocol):
    """What a bundle is written to: a file, a socket, the parts of an upload."""

    def write(self, data: bytes, /) -> object:
        """Takes all of `data`, or raises; what it returns is not looked at."""
        ...


@dataclass(frozen=True, slots=True)
class ZipResult:
    """A bundle that was written: its manifest, size in bytes, SHA-256 and number of entries."""

    manifest: Manifest
    bytes: int
    sha256: str
    entries: int


@dataclass(frozen=True, slots=True)
class _Written:
    name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int
    zip64: bool = False


def write_zip(reader: EntryReader, target: ByteSink) -> ZipResult:
    """Writes the bundle of an extract to `target`, which need not be seekable.

    Raises BundleError when the extract's files are not what its manifest says, OSError where reading or
    writing fails.
    """
    with reader.open(MANIFEST_NAME) as stream:
        manifest_bytes = stream.read()
    manifest = parse_manifest(manifest_bytes)
    writer = _ZipWriter(target)
    writer.add_small(MANIFEST_NAME, manifest_bytes)
    for file in in_bundle_order(manifest.files):
        if file.format == "parquet":
            writer.add_stored(reader, file)
        else:
            writer.add_deflated(reader, file)
    entries = writer.finish()
    return ZipResult(manifest, writer.position, writer.hexdigest(), entries)


class _ZipWriter:
    def __init__(self, target: ByteSink) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self._entries: list[_Written] = []
        self.position = 0

    def hexdigest(self) -> str:
        return self._digest.hexdigest()

    def add_small(self, name: str, data: bytes) -> None:
        """Adds bytes whose header is complete before them, so that they can be read from the ZIP's
        beginning.
        """
        compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE)
        packed = compressor.compress(data) + compressor.flush()
        entry = _Written(
            name.encode(), 0, z.DEFLATED, isal_zlib.crc32(data), len(packed), len(data), self.position
        )
        self._write_local(entry)
        self._write(packed)
        self._entries.append(entry)

    def add_stored(self, reader: EntryReader, file: FileEntry) -> None:
        """Adds a file as it is. It is read twice: a stored entry needs its CRC-32 before its data."""
        crc = 0
        with reader.open(file.path) as stream:
            for chunk in file_chunks(stream):
                crc = isal_zlib.crc32(chunk, crc)
        large = file.bytes >= _ZIP64_FROM
        entry = _Written(file.path.encode(), 0, z.STORED, crc, file.bytes, file.bytes, self.position, large)
        self._write_local(entry)
        for chunk in _checked_chunks(reader, file):
            self._write(chunk)
        self._entries.append(entry)

    def add_deflated(self, reader: EntryReader, file: FileEntry) -> None:
        """Adds a file deflated in one pass; its sizes follow it in a data descriptor."""
        offset = self.position
        large = file.bytes >= _ZIP64_FROM
        name = file.path.encode()
        self._write_local(_Written(name, z.FLAG_DESCRIPTOR, z.DEFLATED, 0, 0, 0, offset, zip64=large))
        start = self.position
        compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE)
        crc = 0
        for chunk in _checked_chunks(reader, file):
            crc = isal_zlib.crc32(chunk, crc)
            self._write(compressor.compress(chunk))
        self._write(compressor.flush())
        packed_size = self.position - start
        descriptor = z.DESCRIPTOR64 if large else z.DESCRIPTOR
        self._write(descriptor.pack(z.DESCRIPTOR_SIGNATURE, crc, packed_size, file.bytes))
        self._entries.append(
            _Written(name, z.FLAG_DESCRIPTOR, z.DEFLATED, crc, packed_size, file.bytes, offset, large)
        )

    def finish(self) -> int:
        """Writes the central directory; the number of entries."""
        offset = self.position
        for entry in self._entries:
            self._write_central(entry)
        size = self.position - offset
        count = len(self._entries)
        if count >= z.MAX_16 or offset >= z.MAX_32 or size >= z.MAX_32:
            end64 = self.position
            record = z.END64_RECORD.pack(
                z.END64_SIGNATURE,
                z.END64_RECORD.size - 12,
                (z.MADE_ON_UNIX << 8) | z.VERSION_ZIP64,
                z.VERSION_ZIP64,
                0,
                0,
                count,
                count,
                size,
                offset,
            )
            self._write(record + z.END64_LOCATOR.pack(z.END64_LOCATOR_SIGNATURE, 0, end64, 1))
        shown = min(count, z.MAX_16)
        self._write(
            z.END_RECORD.pack(
                z.END_SIGNATURE, 0, 0, shown, shown, min(size, z.MAX_32), min(offset, z.MAX_32), 0
            )
        )
        return count

    def _write(self, data: bytes) -> None:
        if data:
            self._target.write(data)
            self._digest.update(data)
            self.position += len(data)

    def _write_local(self, entry: _Written) -> None:
        extra = b""
        packed_size, size = entry.packed_size, entry.size
        if entry.zip64:
            extra = z.EXTRA_HEADER.pack(z.EXTRA_ZIP64, 16) + _quads(size, packed_size)
            packed_size = size = z.MAX_32
        self._write(
            z.LOCAL_HEADER.pack(
                z.LOCAL_SIGNATURE,
                z.VERSION_ZIP64 if entry.zip64 else z.VERSION_PLAIN,
                entry.flags,
                entry.method,
                z.FIXED_TIME,
                z.FIXED_DATE,
                entry.crc,
                packed_size,
                size,
                len(entry.name),
                len(extra),
            )
            + entry.name
            + extra
        )

    def _write_central(self, entry: _Written) -> None:
        large: list[int] = []
        packed_size, size, offset = entry.packed_size, entry.size, entry.offset
        if entry.zip64:
            large += [size, packed_size]
            packed_size = size = z.MAX_32
        if offset >= z.MAX_32:
            large.append(offset)
            offset = z.MAX_32
        extra = z.EXTRA_HEADER.pack(z.EXTRA_ZIP64, 8 * len(large)) + _quads(*large) if large else b""
        needed = z.VERSION_ZIP64 if large else z.VERSION_PLAIN
        self._write(
            z.CENTRAL_HEADER.pack(
                z.CENTRAL_SIGNATURE,
                (z.MADE_ON_UNIX << 8) | needed,
                needed,
                entry.flags,
                entry.method,
                z.FIXED_TIME,
                z.FIXED_DATE,
                entry.crc,
                packed_size,
                size,
                len(entry.name),
                len(extra),
                0,
                0,
                0,
                _ATTRIBUTES,
                offset,
            )
            + entry.name
            + extra
        )


def _quads(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "little") for value in values)


def _checked_chunks(reader: EntryReader, file: FileEntry) -> Iterator[bytes]:
    """The bytes of a file; BundleError at the end when they are not those that the manifest names."""
    digest = hashlib.sha256()
    size = 0
    with reader.open(file.path) as stream:
        for chunk in file_chunks(stream):
            digest.update(chunk)
            size += len(chunk)
            yield chunk
    if size != file.bytes:
        raise BundleError(
            ReasonCode.SIZE_MISMATCH,
            f"The extract's file has {size} bytes; its manifest says {file.bytes}.",
            file.path,
        )
    if digest.hexdigest() != file.sha256:
        raise BundleError(
            ReasonCode.CHECKSUM_MISMATCH, "The extract's file is not the one that was written.", file.path
        )
