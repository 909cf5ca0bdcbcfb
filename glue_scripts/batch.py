"""The verified batch: what `_VERIFIED.json` says of the files that a run reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from glue_scripts.job_errors import BatchError
from glue_scripts.s3 import Client, Location, read_json
from movie_platform.contracts.locations import BATCH_ID, SOURCE_NAME
from movie_platform.contracts.raw import REQUIRED_RAW_COLUMNS, raw_column_names

_FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a batch: where it lies and how many rows the manifest says it has."""

    location: Location
    rows: int


@dataclass(frozen=True, slots=True)
class VerifiedBatch:
    """A batch that the Lambda verified. `data` are its Parquet files, or its CSV files where it has no Parquet."""

    source: str
    dt: date
    batch_id: str
    content_id: str
    load_type: str
    extracted_at: datetime
    row_count: int
    rejected_count: int
    columns: tuple[str, ...]
    data_format: str
    data: tuple[DataFile, ...]
    rejected: tuple[DataFile, ...]


def load_batch(client: Client, location: Location) -> VerifiedBatch:
    """The batch that a `_VERIFIED.json` describes. Raises BatchError where it is missing or not understood."""
    marker = read_json(client, location)
    if marker is None:
        raise BatchError(
            f"There is no {location.uri}: the batch is not verified. Run the unpack function for its bundle first."
        )
    try:
        return parse_batch(marker, location.bucket)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BatchError(
            f"{location.uri} is not a marker that this job understands ({type(error).__name__}: {error}). "
            "Unpack the bundle again with the release that this job belongs to."
        ) from error


def parse_batch(marker: Mapping[str, Any], bucket: str) -> VerifiedBatch:
    """A marker's content as a batch. Raises KeyError, TypeError or ValueError where it is not one."""
    if marker["format_version"] != _FORMAT_VERSION:
        raise ValueError(f"format_version is {marker['format_version']!r}, known is {_FORMAT_VERSION}")
    columns = tuple(str(name) for name in marker["columns"])
    if unknown := [name for name in columns if name not in raw_column_names()]:
        raise ValueError(f"columns {unknown} are not in the contract")
    if lacking := sorted(REQUIRED_RAW_COLUMNS.difference(columns)):
        raise ValueError(f"columns {lacking} are missing")
    if not SOURCE_NAME.fullmatch(marker["source"]) or not BATCH_ID.fullmatch(marker["batch_id"]):
        raise ValueError(f"source {marker['source']!r} or batch_id {marker['batch_id']!r} is malformed")
    extracted_at = datetime.fromisoformat(marker["extracted_at"])
    if extracted_at.tzinfo is None:
        raise ValueError("extracted_at has no UTC offset")
    files = {name: _files(marker["files"], name, bucket) for name in ("parquet", "csv", "jsonl")}
    data_format = "parquet" if files["parquet"] else "csv"
    return VerifiedBatch(
        source=marker["source"],
        dt=date.fromisoformat(marker["dt"]),
        batch_id=marker["batch_id"],
        content_id=marker["content_id"],
        load_type=marker["load_type"],
        extracted_at=extracted_at,
        row_count=int(marker["row_count"]),
        rejected_count=int(marker["rejected_count"]),
        columns=columns,
        data_format=data_format,
        data=files[data_format],
        rejected=files["jsonl"],
    )


def _files(entries: list[Mapping[str, Any]], data_format: str, bucket: str) -> tuple[DataFile, ...]:
    chosen = [entry for entry in entries if entry["format"] == data_format]
    ordered = sorted(chosen, key=lambda entry: (int(entry["part"]), entry["key"]))
    return tuple(DataFile(Location(bucket, entry["key"]), int(entry["rows"])) for entry in ordered)
