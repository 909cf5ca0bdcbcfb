"""Reads ZIP files that nobody vouches for: the directory strictly, entries in bounded chunks.

`open_zip` accepts a file only when its central directory, local headers and entries tell one story: entries
follow each other from the first byte to the directory without gap or overlap, and nothing else is in the
file. Two programs that read such a file see the same entries, and none can be inflated twice. Standard
library only.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from movie_platform.bundles import zip_format as z
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.limits import Limits
from movie_platform.bundles.reasons import ReasonCode

CHUNK_BYTES = 1 << 18
_READ_BYTES = 1 << 17
_LONGEST_NAME = 1024
_LONGEST_EXTRA = 4096
_LONGEST_COMMENT = 0xFFFF


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """An entry as central directory and local header agree on it. Offsets and sizes are bytes.

    `data_offset` is where its data begins, `end_offset` where the next record does (after a data descriptor).
    """

    name: str
    method: int
    crc: int
    packed_size: int
    size: int
    header_offset: int
    data_offset: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class _DirectoryEntry:
    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    header_offset: int


def malformed(message: str, entry: str | None = None) -> BundleError:
    """A fault of the ZIP's structure that has no code of its own."""
    return BundleError(ReasonCode.ZIP_MALFORMED, message, entry)


def open_zip(file: BinaryIO, limits: Limits, *, folders: bool = False) -> list[ZipEntry]:
    """The entries of a ZIP in the order of their data; BundleError where the file breaks a rule.

    `file` is seekable. Nothing is inflated: names, flags, sizes, ratios and layout are checked from the
    headers. With `folders`, entries for folders, which a bundle may not have, are let pass: their names end
    in a slash.
    """
    size = file.seek(0, 2)
    if size == 0:
        raise BundleError(ReasonCode.EMPTY_FILE, "The file is empty.")
    if size > limits.bundle_bytes:
        raise BundleError(
            ReasonCode.TOO_LARGE, f"The file has {size} bytes; {limits.bundle_bytes} are allowed."
        )
    start = _read_at(file, 0, 4)
    if start not in (z.LOCAL_SIGNATURE, z.END_SIGNATURE):
        if z.LOCAL_SIGNATURE.startswith(start):
            raise BundleError(ReasonCode.TRUNCATED, f"The file ends after {size} bytes.")
        raise BundleError(ReasonCode.NOT_A_ZIP, "The file does not begin as a ZIP does.")
    count, directory_offset, directory_size = _find_directory(file, size, limits)
    directory = _read_directory(file, count, directory_offset, directory_size, limits, folders)
    _check_sizes(directory, limits)
    entries = [_read_local(file, entry, directory_offset) for entry in directory]
    entries.sort(key=lambda entry: entry.header_offset)
    _check_layout(entries, directory_offset)
    return entries


def entry_chunks(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    """The inflated bytes of an entry in chunks of at most 256 KiB; stops at its declared size.

    Raises BundleError where the data does not inflate, gives more or less than declared, or its CRC-32
    differs.
    """
    crc = 0
    total = 0
    for chunk in _packed_chunks(file, entry) if entry.method == z.STORED else _inflated_chunks(file, entry):
        total += len(chunk)
        if total > entry.size:
            raise BundleError(
                ReasonCode.SIZE_MISMATCH,
                f"The entry inflates to more than the {entry.size} bytes that its header declares.",
                entry.name,
            )
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if total != entry.size:
        raise BundleError(
            ReasonCode.SIZE_MISMATCH,
            f"The entry inflates to {total} bytes; its header declares {entry.size}.",
            entry.name,
        )
    if crc != entry.crc:
        raise BundleError(
            ReasonCode.CRC_MISMATCH, "The entry's CRC-32 is not that of its header.", entry.name
        )


def _read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _find_directory(file: BinaryIO, size: int, limits: Limits) -> tuple[int, int, int]:
    """Number of entries, offset and size of the central directory."""
    tail_offset = max(0, size - z.END_RECORD.size - _LONGEST_COMMENT)
    tail = _read_at(file, tail_offset, size - tail_offset)
    # The record must reach to the last byte exactly, so a comment cannot hide a second one.
    position = tail.rfind(z.END_SIGNATURE)
    while position >= 0:
        if position + z.END_RECORD.size <= len(tail):
            record = z.END_RECORD.unpack_from(tail, position)
            if position + z.END_RECORD.size + record[7] == len(tail):
                break
        position = tail.rfind(z.END_SIGNATURE, 0, position)
    else:
        raise BundleError(
            ReasonCode.TRUNCATED,
            "The ZIP has no end of central directory: the file is cut short, or bytes were added to it.",
        )
    end_offset = tail_offset + position
    _, disk, directory_disk, on_disk, count, directory_size, directory_offset, _ = record
    if z.MAX_16 in (on_disk, count) or z.MAX_32 in (directory_size, directory_offset):
        end_offset, disk, directory_disk, on_disk, count, directory_size, directory_offset = _end64(
            file, end_offset
        )
    if disk or directory_disk or on_disk != count:
        raise malformed("The ZIP is split over several disks.")
    if count > limits.entries:
        raise BundleError(
            ReasonCode.TOO_MANY_ENTRIES, f"The ZIP has {count} entries; {limits.entries} are allowed."
        )
    if directory_offset + directory_size != end_offset:
        raise malformed(
            f"The central directory ends at byte {directory_offset + directory_size}, its end record begins "
            f"at byte {end_offset}."
        )
    return count, directory_offset, directory_size


def _end64(file: BinaryIO, end_offset: int) -> tuple[int, int, int, int, int, int, int]:
    locator_offset = end_offset - z.END64_LOCATOR.size
    if locator_offset < 0:
        raise malformed("The ZIP64 end record is missing.")
    signature, _, offset, _ = z.END64_LOCATOR.unpack(_read_at(file, locator_offset, z.END64_LOCATOR.size))
    if signature != z.END64_LOCATOR_SIGNATURE or offset + z.END64_RECORD.size != locator_offset:
        raise malformed("The ZIP64 end record is missing or not where its locator says.")
    record = z.END64_RECORD.unpack(_read_at(file, offset, z.END64_RECORD.size))
    if record[0] != z.END64_SIGNATURE or record[1] != z.END64_RECORD.size - 12:
        raise malformed("The ZIP64 end record is not one.")
    _, _, _, _, disk, directory_disk, on_disk, count, directory_size, directory_offset = record
    return offset, disk, directory_disk, on_disk, count, directory_size, directory_offset


def _read_directory(
    file: BinaryIO, count: int, offset: int, size: int, limits: Limits, folders: bool
) -> list[_DirectoryEntry]:
    longest = limits.entries * (z.CENTRAL_HEADER.size + _LONGEST_NAME + _LONGEST_EXTRA)
    if size > longest:
        raise malformed(f"The central directory has {size} bytes.")
    data = _read_at(file, offset, size)
    entries: list[_DirectoryEntry] = []
    names: set[str] = set()
    position = 0
    for _ in range(count):
        entry, position = _parse_central(data, position, folders)
        key = entry.name.casefold()
        if key in names:
            raise BundleError(ReasonCode.DUPLICATE_ENTRY, "Two entries have this name.", entry.name)
        names.add(key)
        entries.append(entry)
    if position != len(data):
        raise malformed("The central directory holds more than the entries that it counts.")
    return entries


def _parse_central(data: bytes, position: int, folders: bool) -> tuple[_DirectoryEntry, int]:
    if position + z.CENTRAL_HEADER.size > len(data):
        raise malformed("The central directory is shorter than the entries that it counts.")
    fields = z.CENTRAL_HEADER.unpack_from(data, position)
    if fields[0] != z.CENTRAL_SIGNATURE:
        raise malformed(f"There is no entry header at byte {position} of the central directory.")
    _, made_by, _, flags, method, _, _, crc, packed_size, size = fields[:10]
    name_length, extra_length, comment_length, disk, _, attributes, header_offset = fields[10:]
    name_start = position + z.CENTRAL_HEADER.size
    extra_start = name_start + name_length
    end = extra_start + extra_length + comment_length
    if end > len(data):
        raise malformed("The central directory is cut short.")
    raw_name = data[name_start:extra_start]
    name = _decode_name(raw_name, flags)
    extra = _parse_extra(data[extra_start : extra_start + extra_length], name)
    if disk:
        raise malformed("The entry lies on another disk.", name)
    size, packed_size, header_offset = _zip64_values(extra, name, size, packed_size, header_offset)
    _check_name(name, raw_name)
    _check_kind(name, flags, method, made_by >> 8, attributes, folders)
    if method == z.STORED and packed_size != size:
        raise BundleError(ReasonCode.HEADER_MISMATCH, "A stored entry declares two different sizes.", name)
    entry = _DirectoryEntry(name, raw_name, flags, method, crc, packed_size, size, header_offset)
    return entry, end


def _decode_name(raw: bytes, flags: int) -> str:
    if not 0 < len(raw) <= _LONGEST_NAME:
        raise BundleError(ReasonCode.BAD_ENTRY_NAME, f"An entry's name has {len(raw)} bytes.")
    try:
        return raw.decode("utf-8" if flags & z.FLAG_UTF8 else "ascii")
    except UnicodeDecodeError:
        raise BundleError(
            ReasonCode.BAD_ENTRY_NAME,
            "An entry's name is not in the encoding that its flags say.",
            raw.decode("latin-1"),
        ) from None


def _parse_extra(data: bytes, name: str) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if position + z.EXTRA_HEADER.size > len(data):
            raise malformed("The entry's extra field is cut short.", name)
        kind, length = z.EXTRA_HEADER.unpack_from(data, position)
        position += z.EXTRA_HEADER.size
        if position + length > len(data):
            raise malformed("The entry's extra field is cut short.", name)
        if kind in fields:
            raise malformed(f"The entry has extra field {kind:#06x} twice.", name)
        fields[kind] = data[position : position + length]
        position += length
    if z.EXTRA_UNICODE_PATH in fields:
        raise BundleError(ReasonCode.BAD_ENTRY_NAME, "The entry has a second name in its extra field.", name)
    return fields


def _zip64_values(extra: dict[int, bytes], name: str, *values: int) -> list[int]:
    """`values` with those that are 0xFFFFFFFF replaced, in order, from the ZIP64 extra field."""
    wanted = sum(value == z.MAX_32 for value in values)
    field = extra.get(z.EXTRA_ZIP64, b"")
    if len(field) < 8 * wanted:
        raise malformed("The entry's ZIP64 field lacks a size.", name)
    large = iter(struct.unpack_from(f"<{wanted}Q", field))
    return [next(large) if value == z.MAX_32 else value for value in values]


def _check_name(name: str, raw_name: bytes) -> None:
    if "\0" in name or any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise BundleError(ReasonCode.BAD_ENTRY_NAME, "The entry's name holds control characters.", name)
    if name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
        raise BundleError(ReasonCode.ABSOLUTE_PATH, "The entry's name is an absolute path.", name)
    if ".." in name.replace("\\", "/").split("/"):
        raise BundleError(ReasonCode.PATH_ESCAPE, "The entry's path leads out of the bundle.", name)
    if b"\\" in raw_name or "." in name.split("/") or "" in name.rstrip("/").split("/"):
        raise BundleError(
            ReasonCode.BAD_ENTRY_NAME, "The entry's name is not a plain path with forward slashes.", name
        )


def _check_kind(name: str, flags: int, method: int, made_on: int, attributes: int, folders: bool) -> None:
    if flags & (z.FLAG_ENCRYPTED | z.FLAG_STRONG_ENCRYPTION | z.FLAG_MASKED_HEADERS):
        raise BundleError(ReasonCode.ENCRYPTED_ENTRY, "The entry is encrypted.", name)
    # Some tools leave the Unix mode in the attributes whatever system they say they ran on.
    mode = attributes >> 16
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) and (made_on == z.MADE_ON_UNIX or stat.S_ISLNK(mode)):
        raise BundleError(ReasonCode.LINK_ENTRY, "The entry is a link or a device, not a file.", name)
    if (name.endswith("/") and not folders) or (stat.S_ISDIR(mode) and not (folders and name.endswith("/"))):
        raise BundleError(
            ReasonCode.UNEXPECTED_ENTRY,
            "The entry is a folder; a bundle holds files only (`zip -D` leaves folders out).",
            name,
        )
    if method not in (z.STORED, z.DEFLATED):
        raise BundleError(
            ReasonCode.UNSUPPORTED_COMPRESSION,
            f"The entry is compressed by method {method}; stored (0) and deflated (8) are read.",
            name,
        )


def _check_sizes(entries: list[_DirectoryEntry], limits: Limits) -> None:
    for entry in entries:
        if entry.size > limits.entry_bytes:
            raise BundleError(
                ReasonCode.TOO_LARGE,
                f"The entry inflates to {entry.size} bytes; {limits.entry_bytes} are allowed.",
                entry.name,
            )
    total = sum(entry.size for entry in entries)
    if total > limits.total_bytes:
        raise BundleError(
            ReasonCode.TOO_LARGE,
            f"The bundle inflates to {total} bytes; {limits.total_bytes} are allowed.",
        )
    for entry in entries:
        if entry.size > limits.ratio_floor_bytes and entry.size > limits.ratio * max(entry.packed_size, 1):
            raise BundleError(
                ReasonCode.RATIO_TOO_HIGH,
                f"{entry.packed_size} bytes inflate to {entry.size}; {limits.ratio} times that is allowed.",
                entry.name,
            )


def _read_local(file: BinaryIO, entry: _DirectoryEntry, directory_offset: int) -> ZipEntry:
    """The entry with its data's place; BundleError where its local header says other things."""
    if entry.header_offset + z.LOCAL_HEADER.size > directory_offset:
        raise malformed("The entry's header lies outside the data.", entry.name)
    header = _read_at(file, entry.header_offset, z.LOCAL_HEADER.size)
    fields = z.LOCAL_HEADER.unpack(header)
    signature, _, flags, method, _, _, crc, packed_size, size, name_length, extra_length = fields
    if signature != z.LOCAL_SIGNATURE:
        raise malformed("There is no local header where the directory says.", entry.name)
    rest = file.read(name_length + extra_length)
    if len(rest) != name_length + extra_length:
        raise malformed("The entry's local header is cut short.", entry.name)
    if rest[:name_length] != entry.raw_name:
        raise _header_mismatch("name", entry.name)
    extra = _parse_extra(rest[name_length:], entry.name)
    if flags != entry.flags:
        raise _header_mismatch("flags", entry.name)
    if method != entry.method:
        raise _header_mismatch("compression", entry.name)
    data_offset = entry.header_offset + z.LOCAL_HEADER.size + name_length + extra_length
    end_offset = data_offset + entry.packed_size
    if flags & z.FLAG_DESCRIPTOR:
        # The header was written before the data: its sizes are 0 (0xFFFFFFFF with ZIP64), or already right.
        for found, expected in ((crc, entry.crc), (packed_size, entry.packed_size), (size, entry.size)):
            if found not in (0, z.MAX_32, expected):
                raise _header_mismatch("sizes", entry.name)
        end_offset += _descriptor_size(file, entry, end_offset, directory_offset)
    else:
        size, packed_size = _zip64_values(extra, entry.name, size, packed_size)
        if (crc, packed_size, size) != (entry.crc, entry.packed_size, entry.size):
            raise _header_mismatch("sizes", entry.name)
    return ZipEntry(
        entry.name,
        entry.method,
        entry.crc,
        entry.packed_size,
        entry.size,
        entry.header_offset,
        data_offset,
        end_offset,
    )


def _header_mismatch(what: str, name: str) -> BundleError:
    return BundleError(
        ReasonCode.HEADER_MISMATCH,
        f"The entry's local header and the central directory differ in {what}.",
        name,
    )


def _descriptor_size(file: BinaryIO, entry: _DirectoryEntry, offset: int, directory_offset: int) -> int:
    """Length of the data descriptor at `offset`, which has 32 or 64-bit sizes and may lack its signature."""
    if offset >= directory_offset:
        raise malformed("The entry's data reaches into the central directory.", entry.name)
    data = _read_at(file, offset, min(z.DESCRIPTOR64.size, directory_offset - offset))
    expected = (entry.crc, entry.packed_size, entry.size)
    for layout in (z.DESCRIPTOR64, z.DESCRIPTOR):
        if entry.size > z.MAX_32 and layout is z.DESCRIPTOR:
            continue
        try:
            record = layout.pack(z.DESCRIPTOR_SIGNATURE, *expected)
        except struct.error:
            continue
        for candidate in (record, record[4:]):
            if data.startswith(candidate):
                return len(candidate)
    raise _header_mismatch("sizes", entry.name)


def _check_layout(entries: list[ZipEntry], directory_offset: int) -> None:
    position = 0
    for entry in entries:
        if entry.header_offset < position:
            raise BundleError(
                ReasonCode.OVERLAPPING_ENTRIES, "The entry's data overlaps that of another.", entry.name
            )
        if entry.header_offset > position:
            raise malformed(
                f"There are bytes before the entry that belong to none (at {position}).", entry.name
            )
        position = entry.end_offset
    if position > directory_offset:
        raise BundleError(
            ReasonCode.OVERLAPPING_ENTRIES, "The last entry's data overlaps the central directory."
        )
    if position < directory_offset:
        raise malformed(
            f"There are bytes before the central directory that belong to no entry (at {position})."
        )


def _packed_chunks(file: BinaryIO, entry: ZipEntry, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    offset = entry.data_offset
    end = offset + entry.packed_size
    while offset < end:
        chunk = _read_at(file, offset, min(chunk_bytes, end - offset))
        if not chunk:
            raise BundleError(ReasonCode.TRUNCATED, "The file ends inside the entry.", entry.name)
        offset += len(chunk)
        yield chunk


def _inflated_chunks(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data_follows = False
    try:
        for packed in _packed_chunks(file, entry, _READ_BYTES):
            if inflater.eof:
                data_follows = True
                break
            chunk = inflater.decompress(packed, CHUNK_BYTES)
            while chunk:
                yield chunk
                chunk = inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES)
    except zlib.error:
        raise BundleError(
            ReasonCode.INFLATE_FAILED, "The entry's data does not inflate.", entry.name
        ) from None
    if not inflater.eof or inflater.unused_data or data_follows:
        raise BundleError(
            ReasonCode.INFLATE_FAILED,
            "The entry's deflated data does not end where the entry does.",
            entry.name,
        )
