"""Verifies bundles: the same rules for the Lambda, the command and the asset checks.

The order is one of cost and danger: the container's structure, names and declared sizes; the manifest; that
entries and manifest agree; then every byte of every file, streaming. Standard library only; memory is
bounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.file_checks import check_file
from movie_platform.bundles.limits import DEFAULT_LIMITS, Limits
from movie_platform.bundles.manifest import (
    MANIFEST_NAME,
    FileEntry,
    Manifest,
    in_bundle_order,
    parse_manifest,
)
from movie_platform.bundles.read import EntryReader, file_chunks, manifest_entry, read_entry, read_manifest
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.zip_reader import ZipEntry, entry_chunks, open_zip


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """A bundle that keeps every rule. `entries` holds all entries by name, the manifest's too."""

    manifest: Manifest
    manifest_bytes: bytes
    entries: Mapping[str, ZipEntry]


def verify(
    file: BinaryIO,
    *,
    limits: Limits = DEFAULT_LIMITS,
    expected_source: str | None = None,
    expected_dt: date | None = None,
) -> VerifiedBundle:
    """Verifies a ZIP in a seekable stream; BundleError with the fault's code when it breaks a rule.

    `expected_source` and `expected_dt` are what the place that the bundle was put in says of it.
    """
    entries = open_zip(file, limits)
    manifest_bytes = read_entry(file, manifest_entry(entries), limits.manifest_bytes)
    manifest = parse_manifest(manifest_bytes)
    check_place(manifest, expected_source, expected_dt)
    by_name = {entry.name: entry for entry in entries}
    _check_entries(manifest, by_name)
    for item in in_bundle_order(manifest.files):
        check_file(entry_chunks(file, by_name[item.path]), item, manifest, limits)
    return VerifiedBundle(manifest, manifest_bytes, by_name)


def verify_path(
    path: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    expected_source: str | None = None,
    expected_dt: date | None = None,
) -> Manifest:
    """Verifies a bundle (a ZIP) or an extract (a folder); its manifest, or BundleError, OSError."""
    if path.is_dir():
        return verify_folder(path, limits=limits, expected_source=expected_source, expected_dt=expected_dt)
    with path.open("rb") as file:
        return verify(file, limits=limits, expected_source=expected_source, expected_dt=expected_dt).manifest


def verify_folder(
    folder: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    expected_source: str | None = None,
    expected_dt: date | None = None,
) -> Manifest:
    """Verifies an extract folder by the rules that do not concern the ZIP; files that are not named are
    refused.
    """
    manifest = read_manifest(folder, limits)
    check_place(manifest, expected_source, expected_dt)
    named = {MANIFEST_NAME, *(file.path for file in manifest.files)}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise BundleError(ReasonCode.LINK_ENTRY, "The path is a link, not a file.", name)
        if not path.is_dir() and name not in named:
            raise _unexpected(name)
    for item in in_bundle_order(manifest.files):
        try:
            stream = (folder / item.path).open("rb")
        except FileNotFoundError:
            raise _missing(item) from None
        with stream:
            check_file(file_chunks(stream), item, manifest, limits)
    return manifest


def verify_file(
    reader: EntryReader, file: FileEntry, manifest: Manifest, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Verifies one file of a bundle wherever it is kept; BundleError where it is not what the manifest
    says.
    """
    try:
        stream = reader.open(file.path)
    except FileNotFoundError:
        raise _missing(file) from None
    with stream:
        check_file(file_chunks(stream), file, manifest, limits)


def check_place(manifest: Manifest, expected_source: str | None, expected_dt: date | None) -> None:
    """BundleError when a bundle is not of the source or date that its place says."""
    if expected_source is not None and manifest.source.name != expected_source:
        raise BundleError(
            ReasonCode.SOURCE_MISMATCH,
            f"The manifest's source is {manifest.source.name}; the bundle was put under {expected_source}.",
            MANIFEST_NAME,
        )
    if expected_dt is not None and manifest.dt != expected_dt:
        raise BundleError(
            ReasonCode.PARTITION_MISMATCH,
            f"The manifest's dt is {manifest.dt}; the bundle was put under {expected_dt}.",
            MANIFEST_NAME,
        )


def _check_entries(manifest: Manifest, entries: Mapping[str, ZipEntry]) -> None:
    named = {file.path: file for file in manifest.files}
    for name in entries:
        if name != MANIFEST_NAME and name not in named:
            raise _unexpected(name)
    for path, file in named.items():
        entry = entries.get(path)
        if entry is None:
            raise _missing(file)
        if entry.size != file.bytes:
            raise BundleError(
                ReasonCode.SIZE_MISMATCH,
                f"The entry has {entry.size} bytes; the manifest says {file.bytes}.",
                path,
            )


def _missing(file: FileEntry) -> BundleError:
    return BundleError(ReasonCode.MISSING_ENTRY, "The manifest names a file that is not there.", file.path)


def _unexpected(name: str) -> BundleError:
    return BundleError(ReasonCode.UNEXPECTED_ENTRY, "The manifest does not name this file.", name)
