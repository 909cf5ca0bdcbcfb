"""The manifest: what a bundle says of itself, and the rules that it keeps whatever its files hold.

The shape of the JSON is `docs/manifest.schema.json` (checked by generated code); what a schema cannot say,
such as sums that agree and parts without a gap, is checked here. Standard library only.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from movie_platform.bundles._manifest_validator import validate_manifest
from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.manifest_json import dump_json, load_json
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.schema_error import JsonSchemaValueException
from movie_platform.contracts.locations import DATASET
from movie_platform.contracts.raw import REQUIRED_RAW_COLUMNS, raw_column_names

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"

LoadType = Literal["full", "delta"]
FileFormat = Literal["csv", "parquet", "jsonl"]

FILE_FORMATS: tuple[FileFormat, ...] = ("csv", "parquet", "jsonl")
_CONTENT_ID = re.compile(r"[0-9a-f]{64}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_COMPACT_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where the rows came from. `parameters` and `cursor` hold no secrets."""

    name: str
    kind: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ProducerInfo:
    """The program that wrote the bundle, for people who look for the origin of a fault."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column of the CSV and Parquet parts. The type of every one is string."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a bundle: `rows` are records (CSV, Parquet) or lines (rejected rows); `sha256` is
    hexadecimal.
    """

    path: str
    format: FileFormat
    part: int
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """`minimum` and `maximum` are there where the values' order as text is their order in meaning."""

    nulls: int
    minimum: str | None = None
    maximum: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """Facts about the rows, for people and checks; nothing depends on them."""

    distinct_keys: int
    columns: Mapping[str, ColumnStats]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that keeps the rules of the format. `extracted_at` is UTC and has whole seconds."""

    batch_id: str
    content_id: str
    dt: date
    load_type: LoadType
    source: SourceInfo
    extracted_at: datetime
    producer: ProducerInfo
    columns: tuple[ColumnInfo, ...]
    row_count: int
    rejected_count: int
    files: tuple[FileEntry, ...]
    primary_key: tuple[str, ...] = ("movie_id",)
    stats: Stats | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the files."""
        return tuple(column.name for column in self.columns)

    def files_of(self, file_format: FileFormat) -> tuple[FileEntry, ...]:
        """The files of one format, in the order of their parts' numbers."""
        return tuple(sorted((f for f in self.files if f.format == file_format), key=lambda f: f.part))

    def to_dict(self) -> dict[str, Any]:
        """The manifest as the schema describes it."""
        result: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "dataset": DATASET,
            "batch_id": self.batch_id,
            "content_id": self.content_id,
            "dt": self.dt.isoformat(),
            "load_type": self.load_type,
            "source": {
                "name": self.source.name,
                "kind": self.source.kind,
                "parameters": dict(sorted(self.source.parameters.items())),
                "cursor": self.source.cursor,
            },
            "extracted_at": self.extracted_at.strftime(_TIME),
            "producer": {"name": self.producer.name, "version": self.producer.version},
            "primary_key": list(self.primary_key),
            "columns": [
                {"name": c.name, "type": "string", "description": c.description} for c in self.columns
            ],
            "row_count": self.row_count,
            "rejected_count": self.rejected_count,
            "files": [file_to_dict(file) for file in self.files],
        }
        if self.stats is not None:
            result["stats"] = {
                "distinct_keys": self.stats.distinct_keys,
                "columns": {name: _stats_to_dict(stats) for name, stats in self.stats.columns.items()},
            }
        return result

    def to_json(self) -> bytes:
        """The bytes of manifest.json, the same for the same manifest."""
        return dump_json(self.to_dict())


def file_to_dict(file: FileEntry) -> dict[str, Any]:
    """What the manifest says of a file, as an object of its list `files`."""
    return {
        "path": file.path,
        "format": file.format,
        "part": file.part,
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }


def file_path(file_format: FileFormat, part: int) -> str:
    """The one path that a part of a format has inside a bundle."""
    match file_format:
        case "csv":
            return f"csv/{DATASET}-{part:05d}.csv"
        case "parquet":
            return f"parquet/{DATASET}-{part:05d}.parquet"
        case "jsonl":
            return f"rejected/rejected-{part:05d}.jsonl"


def to_whole_seconds(moment: datetime) -> datetime:
    """`moment` in UTC without its fraction of a second; ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(
            "extracted_at needs a time zone: pass an aware datetime, for example datetime.now(UTC)"
        )
    return moment.astimezone(UTC).replace(microsecond=0)


def batch_id(extracted_at: datetime, content_id: str) -> str:
    """The id of the batch that was extracted then and holds that content; ValueError for a malformed
    content_id.
    """
    if _CONTENT_ID.fullmatch(content_id) is None:
        raise ValueError(f"not a content_id (64 hexadecimal digits): {content_id!r}")
    return f"{to_whole_seconds(extracted_at).strftime(_COMPACT_TIME)}-{content_id[:12]}"


def in_bundle_order(files: Iterable[FileEntry]) -> list[FileEntry]:
    """Files in the order of a bundle's entries: each part's CSV, then its Parquet; rejected rows last."""
    return sorted(files, key=lambda f: (f.format == "jsonl", f.part, FILE_FORMATS.index(f.format)))


def parse_manifest(data: bytes) -> Manifest:
    """The manifest in `data`; BundleError with the fault's own code when it breaks a rule."""
    try:
        value = load_json(data)
    except ValueError as error:
        raise BundleError(
            ReasonCode.MANIFEST_NOT_JSON,
            f"The manifest must be a JSON text in UTF-8: {printable(str(error))}.",
            MANIFEST_NAME,
        ) from None
    return manifest_from_dict(value)


def manifest_from_dict(value: Any) -> Manifest:
    """The manifest that `value` (parsed JSON) describes; BundleError when it breaks a rule."""
    version = value.get("format_version") if isinstance(value, dict) else None
    if version is not None and (type(version) is not int or version != FORMAT_VERSION):
        raise BundleError(
            ReasonCode.UNKNOWN_FORMAT_VERSION,
            f"format_version is {printable(json.dumps(version), 60)}; version {FORMAT_VERSION} is read here.",
            MANIFEST_NAME,
        )
    try:
        _check_scalars(value)
        validate_manifest(value)
    except JsonSchemaValueException as error:
        raise _invalid(f"{printable(str(error), 500)} (docs/manifest.schema.json).") from None
    manifest = _build(value)
    _check_identity(manifest)
    _check_columns(manifest)
    _check_files(manifest)
    return manifest


def _invalid(message: str) -> BundleError:
    return BundleError(ReasonCode.MANIFEST_INVALID, message, MANIFEST_NAME)


def _check_scalars(value: Any) -> None:
    # What the schema lets pass: JSON Schema takes 1.0 for an integer, and JSON can spell half a surrogate
    # pair, which no UTF-8 text can hold.
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            raise JsonSchemaValueException(f"the number {item!r} must be written as an integer")
        if isinstance(item, str) and any("\ud800" <= c <= "\udfff" for c in item):
            raise JsonSchemaValueException(f"{printable(item, 60)} holds half a surrogate pair")
        if isinstance(item, dict):
            stack.extend(item.keys())
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _stats_to_dict(stats: ColumnStats) -> dict[str, Any]:
    result: dict[str, Any] = {"nulls": stats.nulls}
    if stats.minimum is not None:
        result["min"] = stats.minimum
    if stats.maximum is not None:
        result["max"] = stats.maximum
    return result


def _build(value: dict[str, Any]) -> Manifest:
    try:
        dt = date.fromisoformat(value["dt"])
    except ValueError:
        raise _invalid(f"dt is no date of the calendar: {value['dt']}.") from None
    try:
        extracted_at = datetime.strptime(value["extracted_at"], _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise _invalid(f"extracted_at is no time of the calendar: {value['extracted_at']}.") from None
    source = value["source"]
    stats = value.get("stats")
    return Manifest(
        batch_id=value["batch_id"],
        content_id=value["content_id"],
        dt=dt,
        load_type=value["load_type"],
        source=SourceInfo(
            source["name"], source["kind"], dict(source.get("parameters", {})), source.get("cursor")
        ),
        extracted_at=extracted_at,
        producer=ProducerInfo(value["producer"]["name"], value["producer"]["version"]),
        columns=tuple(ColumnInfo(c["name"], c.get("description", "")) for c in value["columns"]),
        row_count=value["row_count"],
        rejected_count=value["rejected_count"],
        files=tuple(
            FileEntry(f["path"], f["format"], f["part"], f["rows"], f["bytes"], f["sha256"])
            for f in value["files"]
        ),
        primary_key=tuple(value["primary_key"]),
        stats=None
        if stats is None
        else Stats(
            stats["distinct_keys"],
            {
                name: ColumnStats(c["nulls"], c.get("min"), c.get("max"))
                for name, c in stats["columns"].items()
            },
        ),
    )


def _check_identity(manifest: Manifest) -> None:
    expected = batch_id(manifest.extracted_at, manifest.content_id)
    if manifest.batch_id != expected:
        raise BundleError(
            ReasonCode.BATCH_ID_INVALID,
            f"batch_id is {manifest.batch_id}; extracted_at and content_id make {expected}.",
            MANIFEST_NAME,
        )


def _check_columns(manifest: Manifest) -> None:
    names = manifest.column_names
    known = raw_column_names()
    unknown = [name for name in names if name not in known]
    missing = sorted(REQUIRED_RAW_COLUMNS.difference(names))
    repeated = sorted({name for name in names if names.count(name) > 1})
    problems = [
        f"{what}: {', '.join(which)}"
        for what, which in (("unknown", unknown), ("missing", missing), ("named twice", repeated))
        if which
    ]
    if problems:
        raise BundleError(
            ReasonCode.COLUMNS_NOT_IN_CONTRACT,
            printable(f"The columns are not those of the contract ({'; '.join(problems)}).", 1000),
            MANIFEST_NAME,
        )


def _check_files(manifest: Manifest) -> None:
    for file in manifest.files:
        if file.path != file_path(file.format, file.part):
            raise BundleError(
                ReasonCode.PARTS_INCONSISTENT,
                f"Part {file.part} of the {file.format} files is called {file_path(file.format, file.part)}.",
                file.path,
            )
    for file_format in FILE_FORMATS:
        parts = [file.part for file in manifest.files_of(file_format)]
        if parts != list(range(len(parts))):
            raise BundleError(
                ReasonCode.PARTS_INCONSISTENT,
                f"The {file_format} parts must be numbered from 0 without a gap, each once.",
                MANIFEST_NAME,
            )
    csv, parquet, rejected = (manifest.files_of(file_format) for file_format in FILE_FORMATS)
    if not csv:
        raise BundleError(
            ReasonCode.PARTS_INCONSISTENT,
            "A bundle has at least one CSV part (with a header alone when there are no rows).",
            MANIFEST_NAME,
        )
    if parquet and len(parquet) != len(csv):
        raise BundleError(
            ReasonCode.PARTS_INCONSISTENT,
            f"There are {len(csv)} CSV and {len(parquet)} Parquet parts: all parts have Parquet, or none.",
            MANIFEST_NAME,
        )
    for one, other in zip(csv, parquet, strict=False):
        if one.rows != other.rows:
            raise BundleError(
                ReasonCode.ROW_COUNT_MISMATCH,
                f"Part {one.part} has {one.rows} rows as CSV and {other.rows} as Parquet.",
                MANIFEST_NAME,
            )
    _check_sum("row_count", manifest.row_count, csv)
    _check_sum("rejected_count", manifest.rejected_count, rejected)


def _check_sum(name: str, total: int, files: Iterable[FileEntry]) -> None:
    counted = sum(file.rows for file in files)
    if counted != total:
        raise BundleError(
            ReasonCode.ROW_COUNT_MISMATCH,
            f"{name} is {total}; the rows of its files add up to {counted}.",
            MANIFEST_NAME,
        )
