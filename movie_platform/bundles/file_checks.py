"""Checks one file of a bundle while it streams by: size, SHA-256, and what its format promises.

Damage is told from bad content: a file whose size or SHA-256 is not the manifest's is reported as that,
whatever a damaged text looks like to a parser. Standard library only; memory is bounded.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.csv_scan import CsvScanner
from movie_platform.bundles.limits import Limits
from movie_platform.bundles.manifest import FileEntry, Manifest
from movie_platform.bundles.manifest_json import load_json
from movie_platform.bundles.reasons import ReasonCode

PARQUET_MAGIC = b"PAR1"
_PARQUET_TAIL = 8
_SMALLEST_PARQUET = 12
# ZIP, gzip, bzip2, xz, 7z, RAR, Zstandard, LZ4.
_ARCHIVE_MAGICS = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
)
_MAGIC_BYTES = max(len(magic) for magic in _ARCHIVE_MAGICS)
_REJECTION_CODE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_REJECTED_KEYS = {"line_number", "raw_text", "code", "message"}


class _Scanner(Protocol):
    def feed(self, chunk: bytes) -> None: ...

    def finish(self) -> int | None: ...


class _ParquetScanner:
    """Looks at the two ends of a Parquet file; its rows are counted where Parquet is read."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._head = b""
        self._tail = b""
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        if len(self._head) < len(PARQUET_MAGIC):
            self._head = (self._head + chunk)[: len(PARQUET_MAGIC)]
        self._tail = (self._tail + chunk[-_PARQUET_TAIL:])[-_PARQUET_TAIL:]
        self._size += len(chunk)

    def finish(self) -> None:
        footer = int.from_bytes(self._tail[:4], "little")
        if (
            self._size < _SMALLEST_PARQUET
            or self._head != PARQUET_MAGIC
            or self._tail[4:] != PARQUET_MAGIC
            or footer + _SMALLEST_PARQUET > self._size
        ):
            raise BundleError(
                ReasonCode.PARQUET_MALFORMED,
                "The file does not begin and end as an unencrypted Parquet file does.",
                self._entry,
            )


class _RejectedScanner:
    """Reads lines of JSON that describe rejected rows."""

    def __init__(self, entry: str, row_bytes: int) -> None:
        self._entry = entry
        self._row_bytes = row_bytes
        self._rest = b""
        self._lines = 0

    def feed(self, chunk: bytes) -> None:
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._check(line)
        if len(self._rest) > self._row_bytes:
            raise BundleError(
                ReasonCode.ROW_TOO_LONG,
                f"Line {self._lines + 1} is longer than the {self._row_bytes} bytes allowed.",
                self._entry,
            )

    def finish(self) -> int:
        if self._rest:
            self._check(self._rest)
        return self._lines

    def _check(self, line: bytes) -> None:
        self._lines += 1
        try:
            value = load_json(line)
        except ValueError as error:
            raise self._fault(f"is not JSON in UTF-8: {printable(str(error), 200)}") from None
        if not isinstance(value, dict) or value.keys() != _REJECTED_KEYS:
            raise self._fault(f"is not an object of {', '.join(sorted(_REJECTED_KEYS))}")
        number = value["line_number"]
        if number is not None and (type(number) is not int or number < 0):
            raise self._fault("has a line_number that is neither a whole number nor null")
        if not all(isinstance(value[name], str) for name in ("raw_text", "code", "message")):
            raise self._fault("has a raw_text, code or message that is no string")
        if _REJECTION_CODE.fullmatch(value["code"]) is None:
            raise self._fault("has a code that is not made of lower-case letters, digits and underscores")

    def _fault(self, what: str) -> BundleError:
        return BundleError(ReasonCode.REJECTED_MALFORMED, f"Line {self._lines} {what}.", self._entry)


def check_file(chunks: Iterable[bytes], file: FileEntry, manifest: Manifest, limits: Limits) -> None:
    """Reads `chunks`, the bytes of `file`, to their end; BundleError where they are not what the manifest
    says.
    """
    scanner = _scanner(file, manifest, limits)
    digest = hashlib.sha256()
    size = 0
    fault: BundleError | None = None
    rows: int | None = None
    head = b""
    for chunk in _read_ahead(_hashed(chunks, digest)):
        if size < _MAGIC_BYTES:
            head = (head + chunk)[:_MAGIC_BYTES]
        size += len(chunk)
        if size > file.bytes:
            break
        if fault is None:
            fault = _fault_of(scanner, chunk)
    if size != file.bytes:
        more = "at least " if size > file.bytes else ""
        raise BundleError(
            ReasonCode.SIZE_MISMATCH,
            f"The file has {more}{size} bytes; the manifest says {file.bytes}.",
            file.path,
        )
    if digest.hexdigest() != file.sha256:
        raise BundleError(
            ReasonCode.CHECKSUM_MISMATCH,
            f"The file's SHA-256 is {digest.hexdigest()}; the manifest says {file.sha256}.",
            file.path,
        )
    if head.startswith(_ARCHIVE_MAGICS):
        raise BundleError(ReasonCode.NESTED_ARCHIVE, f"The file is an archive, not {file.format}.", file.path)
    if fault is not None:
        raise fault
    rows = scanner.finish()
    if rows is not None and rows != file.rows:
        raise BundleError(
            ReasonCode.ROW_COUNT_MISMATCH,
            f"The file has {rows} rows; the manifest says {file.rows}.",
            file.path,
        )


def _fault_of(scanner: _Scanner, chunk: bytes) -> BundleError | None:
    try:
        scanner.feed(chunk)
    except BundleError as error:
        return error
    return None


def _scanner(file: FileEntry, manifest: Manifest, limits: Limits) -> _Scanner:
    match file.format:
        case "csv":
            return CsvScanner(file.path, manifest.column_names, limits.row_bytes)
        case "parquet":
            return _ParquetScanner(file.path)
        case "jsonl":
            return _RejectedScanner(file.path, limits.row_bytes)


def _hashed(chunks: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _read_ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """`chunks`, of which the next is made in a second thread: inflating and hashing let go of the
    interpreter.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="bundle-read") as executor:
        pending = executor.submit(next, chunks, None)
        while (chunk := pending.result()) is not None:
            pending = executor.submit(next, chunks, None)
            yield chunk
