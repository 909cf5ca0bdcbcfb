"""Files: CSV, TSV, JSON, JSON Lines and Parquet, one or many, here or remote.

The headers of all files are read and compared with the profile before the first row is, so that a profile that is
wrong stops before anything is written.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from movie_platform.raw_rows import RowBatch
from movie_platform.settings import Settings
from movie_platform.sources import placeholders
from movie_platform.sources.column_mapping import BATCH_ROWS, ColumnMapper, check_columns, distinct_names
from movie_platform.sources.files.csv_dialect import Dialect
from movie_platform.sources.files.csv_reader import CsvOptions, CsvReader
from movie_platform.sources.files.encodings import SAMPLE_BYTES, detect_encoding
from movie_platform.sources.files.json_reader import JsonBatch, read_json, read_json_lines
from movie_platform.sources.files.location import Location
from movie_platform.sources.files.locations import Files
from movie_platform.sources.files.parameters import AUTO, FilesParameters, format_of
from movie_platform.sources.profile import Profile
from movie_platform.sources.source_errors import MalformedSource
from movie_platform.sources.text_values import text_array

_SAMPLE_CHUNK = 1024 * 1024


class FilesSource:
    """The files of a profile, one after another in the order of their names."""

    def __init__(self, profile: Profile, parameters: FilesParameters, settings: Settings) -> None:
        self._profile = profile
        self._parameters = parameters
        self._settings = settings
        self._files = Files(settings)
        self._mapper = ColumnMapper(profile, parameters.null_values)

    def columns(self) -> tuple[str, ...]:
        """Columns of the bundle; they follow from the profile alone."""
        return self._profile.output_columns

    def answers_as_of(self) -> bool:
        """True: files describe the date that a person labels them with."""
        return True

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:  # noqa: ARG002 - full reads keep no cursor
        """The rows of all files. Files are found, and their columns checked, before this returns.

        Raises SourceNotFound, ProfileError, MalformedSource, SourceAuthenticationError or SourceUnavailable.
        """
        patterns = tuple(
            placeholders.fill(path, home=self._settings.home, dt=dt) for path in self._parameters.path
        )
        locations = [
            member
            for location in self._files.expand(patterns, self._profile.folder)
            for member in self._files.unpack(location, self._is_wanted)
        ]
        if self._parameters.file_format in ("json", "jsonl"):
            encodings = {location: self._encoding(location) for location in locations}
            self._check_json(locations, encodings)
        else:
            encodings = {location: self._check_header(location) for location in locations}
        return self._read(locations, encodings)

    def next_cursor(self) -> str | None:
        """None: every extract reads all files."""
        return None

    def describe(self) -> dict[str, str]:
        """Paths as the profile writes them, the format, and what was set beside."""
        parameters = self._parameters
        described = {"path": " ".join(parameters.path), "format": parameters.file_format}
        described["encoding"] = parameters.encoding
        if parameters.file_format in ("csv", "tsv"):
            described["delimiter"] = parameters.delimiter_character
        return described

    def _is_wanted(self, name: str) -> bool:
        """Whether a file of an archive has the profile's format, as far as its name says."""
        return format_of(name) == self._parameters.file_format

    def _read(self, locations: list[Location], encodings: dict[Location, str]) -> Iterator[RowBatch]:
        nothing = True
        for location in locations:
            for batch in self._batches_of(location, encodings[location]):
                nothing = False
                yield batch
        if nothing:
            yield self._mapper.empty()

    def _batches_of(self, location: Location, encoding: str) -> Iterator[RowBatch]:
        match self._parameters.file_format:
            case "csv" | "tsv":
                return self._csv_batches(location, encoding)
            case "parquet":
                return self._parquet_batches(location)
            case "json" | "jsonl":
                return self._json_batches(location, encoding)

    def _csv_options(self, encoding: str) -> CsvOptions:
        parameters = self._parameters
        dialect = Dialect(parameters.delimiter_character, parameters.quote_character)
        return CsvOptions(dialect, encoding, parameters.escape)

    def _csv_batches(self, location: Location, encoding: str) -> Iterator[RowBatch]:
        with self._files.open(location) as stream:
            reader = CsvReader(stream, self._csv_options(encoding), location.name)
            names = distinct_names(reader.header or ())
            for batch in reader.batches():
                columns = {
                    name: pa.array(values, pa.string())
                    for name, values in zip(names, zip(*batch.rows, strict=True), strict=bool(batch.rows))
                }
                yield from self._mapper.map_columns(
                    columns or _no_rows(names), len(batch.rows), rejected=batch.rejected, where=location.name
                )

    def _parquet_batches(self, location: Location) -> Iterator[RowBatch]:
        with self._files.open_seekable(location) as stream:
            try:
                # A row group is read at once when buffering is off, however large it is.
                with pq.ParquetFile(stream, pre_buffer=False) as file:
                    for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                        columns = {
                            name: text_array(column)
                            for name, column in zip(
                                distinct_names(batch.schema.names), batch.columns, strict=True
                            )
                        }
                        yield from self._mapper.map_columns(columns, batch.num_rows, where=location.name)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
                raise MalformedSource(f"{location.uri} is not a readable Parquet file: {error}") from error

    def _json_stream(self, location: Location, encoding: str) -> Iterator[JsonBatch]:
        with self._files.open(location) as stream:
            read = read_json_lines if self._parameters.file_format == "jsonl" else read_json
            yield from read(stream, encoding, location.name)

    def _json_batches(self, location: Location, encoding: str) -> Iterator[RowBatch]:
        for batch in self._json_stream(location, encoding):
            yield from self._mapper.map_records([*batch.records, *batch.rejected], where=location.name)

    def _encoding(self, location: Location) -> str:
        if self._parameters.encoding != AUTO:
            return self._parameters.encoding
        with self._files.open(location) as stream:
            return detect_encoding(_chunks(stream))

    def _check_header(self, location: Location) -> str:
        """Compare one file's columns with the profile; the file's encoding."""
        if self._parameters.file_format == "parquet":
            check_columns(self._profile, self._parquet_names(location), where=location.name)
            return ""
        encoding = self._encoding(location)
        with self._files.open(location) as stream:
            header = CsvReader(stream, self._csv_options(encoding), location.name).header
        if header is not None:
            hint = _delimiter_hint(header, self._parameters.delimiter_character)
            check_columns(self._profile, header, where=location.name, hint=hint)
        return encoding

    def _parquet_names(self, location: Location) -> list[str]:
        with self._files.open_seekable(location) as stream:
            try:
                return list(pq.read_schema(stream).names)
            except (pa.ArrowInvalid, OSError) as error:
                raise MalformedSource(f"{location.uri} is not a Parquet file: {error}") from error

    def _check_json(self, locations: list[Location], encodings: dict[Location, str]) -> None:
        """Objects may differ in their keys: a key that none has is wrong, so read until all have been seen."""
        wanted = set(self._profile.required_source_columns())
        seen: dict[str, None] = {}
        read = False
        for location in locations:
            for batch in self._json_stream(location, encodings[location]):
                for record in batch.records:
                    read = True
                    if not record.keys() <= seen.keys():
                        seen.update(dict.fromkeys(record))
                if wanted <= seen.keys():
                    return
        if read:
            check_columns(self._profile, list(seen), where=self._parameters.path[0])


def _chunks(stream: Any) -> Iterator[bytes]:
    read = 0
    while read < SAMPLE_BYTES and (data := stream.read(_SAMPLE_CHUNK)):
        read += len(data)
        yield data


def _no_rows(names: tuple[str, ...]) -> dict[str, pa.Array]:
    return {name: pa.array([], pa.string()) for name in names}


def _delimiter_hint(header: tuple[str, ...], delimiter: str) -> str:
    """A word on the delimiter where the header came out as one column."""
    if len(header) > 1:
        return ""
    only = "".join(header)
    other = max(";\t|,", key=only.count)
    if other == delimiter or other not in only:
        return ""
    shown = "\\t" if other == "\t" else other
    return f' Is the delimiter {other!r}? Set delimiter = "{shown}".'
