"""Writes extracts: a folder with the parts of a bundle and its manifest, in one pass over the source's rows.

Nothing is held but one chunk of rows: memory does not depend on how many there are. The folder appears
under its name only when it is complete.
"""

import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from movie_platform import __version__
from movie_platform.bundle_writing.content import ContentHasher
from movie_platform.bundle_writing.parts import CsvPart, ParquetPart, RejectedPart
from movie_platform.bundle_writing.stats import StatsCollector
from movie_platform.bundle_writing.unwritable_rows import split_unwritable
from movie_platform.bundles.manifest import (
    MANIFEST_NAME,
    ColumnInfo,
    FileEntry,
    LoadType,
    Manifest,
    ProducerInfo,
    SourceInfo,
    batch_id,
    in_bundle_order,
    manifest_from_dict,
    to_whole_seconds,
)
from movie_platform.contracts.raw import MOVIE_ID, RAW_COLUMNS
from movie_platform.raw_rows import RejectedRow, RowBatch

PART_ROWS = 250_000
# Rows that are processed together; a row group of the Parquet files.
CHUNK_ROWS = 10_000
_CHUNK_BYTES = 64 * 1024 * 1024
_DAY_SECONDS = 24 * 60 * 60


def write_extract(
    rows: Iterable[RowBatch],
    folder: Path,
    *,
    dt: date,
    source: SourceInfo,
    load_type: LoadType,
    extracted_at: datetime,
    columns: Sequence[str] | None = None,
    next_cursor: Callable[[], str | None] | None = None,
    producer: ProducerInfo | None = None,
    part_rows: int = PART_ROWS,
    with_parquet: bool = True,
    progress: Callable[[int], object] | None = None,
) -> Manifest:
    """Writes an extract into `folder`, replacing what is there, and returns its manifest.

    Args:
        rows: Batches as a source gives them; all have the same string columns.
        folder: Appears, complete, when all is written; its parents are made where missing.
        dt: The date that the rows describe.
        source: Where they come from; its cursor is replaced by what `next_cursor` answers after the last row.
        load_type: Whether a film that is missing was removed (full) or not (delta).
        extracted_at: When the source was read, with a time zone; fractions of a second are dropped.
        columns: The columns of every batch; by default those of the first. Needed where there may be no
            batch.
        next_cursor: Asked once, after the last row.
        producer: The program that writes; by default this platform.
        part_rows: Rows of a part; the last may have fewer.
        with_parquet: Whether to write Parquet beside CSV.
        progress: Called with the number of rows, rejected ones included, after each chunk.

    Raises ValueError for a batch with other columns, BundleError for what makes no valid manifest (columns
    outside the contract, a malformed source name), OSError, and whatever `rows` raises. On any of them
    `folder` stays as it was.
    """
    moment = to_whole_seconds(extracted_at)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder)
    partial = _sibling(folder)
    partial.mkdir()
    try:
        with ExitStack() as stack:
            extract = _Extract(partial, part_rows, with_parquet, stack)
            batches = iter(rows)
            first = next(batches, None)
            names = tuple(columns) if columns is not None else _names_of(first)
            extract.begin(names)
            extract.take(_with_first(first, batches), progress)
            files = extract.finish()
            content_id = extract.content.hexdigest(names, source.name, load_type)
            stats = extract.stats.result()
        manifest = Manifest(
            batch_id=batch_id(moment, content_id),
            content_id=content_id,
            dt=dt,
            load_type=load_type,
            source=replace(source, cursor=next_cursor()) if next_cursor is not None else source,
            extracted_at=moment,
            producer=producer or ProducerInfo("movie-platform", __version__),
            columns=tuple(ColumnInfo(c.name, c.description) for c in _contract_columns(names)),
            row_count=sum(file.rows for file in files if file.format == "csv"),
            rejected_count=sum(file.rows for file in files if file.format == "jsonl"),
            files=tuple(in_bundle_order(files)),
            stats=stats,
        )
        # What is written must pass the same rules as what is read.
        manifest_from_dict(manifest.to_dict())
        (partial / MANIFEST_NAME).write_bytes(manifest.to_json())
        _put_in_place(partial, folder)
    finally:
        if partial.exists():
            shutil.rmtree(partial)
    return manifest


class _Extract:
    """The state of one extract while it is written."""

    def __init__(self, folder: Path, part_rows: int, with_parquet: bool, stack: ExitStack) -> None:
        if part_rows < 1:
            raise ValueError(f"part_rows must be at least 1, not {part_rows}")
        self._folder = folder
        self._part_rows = part_rows
        self._with_parquet = with_parquet
        self._stack = stack
        self._schema = pa.schema([])
        self._files: list[FileEntry] = []
        self._csv: CsvPart | None = None
        self._parquet: ParquetPart | None = None
        self._rejected: RejectedPart | None = None
        self._parts = 0
        self._rejected_parts = 0
        self._rows_in_part = 0
        self._taken = 0
        self.content = ContentHasher()
        self.stats = StatsCollector((), MOVIE_ID)
        stack.callback(self._abandon)
        # Encoding Parquet takes as long as all else together and lets go of the interpreter.
        self._worker = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="parquet-write"))

    def begin(self, columns: Sequence[str]) -> None:
        self._schema = pa.schema([pa.field(name, pa.string()) for name in columns])
        self.stats = StatsCollector(columns, MOVIE_ID)
        self._stack.callback(self.stats.close)
        self._open_part()

    def take(self, batches: Iterable[RowBatch], progress: Callable[[int], object] | None) -> None:
        for chunk in self._chunks(batches):
            self._write_chunk(chunk)
            if progress is not None:
                progress(self._taken)

    def finish(self) -> list[FileEntry]:
        self._close_part()
        self._close_rejected()
        return self._files

    def _chunks(self, batches: Iterable[RowBatch]) -> Iterator[pa.RecordBatch]:
        """The batches' rows in chunks of CHUNK_ROWS, cut at the ends of parts; rejected rows are written
        here.
        """
        pending: list[pa.RecordBatch] = []
        pending_rows = pending_bytes = 0
        room = self._room(0)
        for batch in batches:
            if batch.rows.schema.names != self._schema.names or batch.rows.schema.types != self._schema.types:
                raise ValueError(
                    f"a batch has the columns {batch.rows.schema.names}; string columns "
                    f"{self._schema.names} were announced"
                )
            self._reject(batch.rejected)
            good, rejected = split_unwritable(batch.rows)
            self._reject(rejected)
            offset = 0
            while offset < good.num_rows:
                piece = _slice_within(good, offset, room - pending_rows)
                offset += piece.num_rows
                pending.append(piece)
                pending_rows += piece.num_rows
                pending_bytes += piece.nbytes
                if pending_rows == room or pending_bytes >= _CHUNK_BYTES:
                    yield _joined(pending)
                    pending = []
                    room = self._room(0)
                    pending_rows = pending_bytes = 0
        if pending:
            yield _joined(pending)

    def _room(self, pending: int) -> int:
        left = self._part_rows - self._rows_in_part
        return min(CHUNK_ROWS, left or self._part_rows) - pending

    def _write_chunk(self, chunk: pa.RecordBatch) -> None:
        if self._rows_in_part == self._part_rows:
            self._close_part()
            self._open_part()
        assert self._csv is not None
        encoded = self._worker.submit(self._parquet.write, chunk) if self._parquet is not None else None
        self._csv.write(chunk)
        self.content.update(chunk)
        self.stats.update(chunk)
        if encoded is not None:
            encoded.result()
        self._rows_in_part += chunk.num_rows
        self._taken += chunk.num_rows

    def _reject(self, rows: Sequence[RejectedRow]) -> None:
        for start in range(0, len(rows), self._part_rows):
            if self._rejected is not None and self._rejected.rows >= self._part_rows:
                self._close_rejected()
            if self._rejected is None:
                self._rejected = RejectedPart(self._folder, self._rejected_parts)
                self._rejected_parts += 1
            self._rejected.write(rows[start : start + self._part_rows])
        self._taken += len(rows)

    def _open_part(self) -> None:
        self._csv = CsvPart(self._folder, self._parts, self._schema)
        if self._with_parquet:
            self._parquet = ParquetPart(self._folder, self._parts, self._schema)
        self._parts += 1
        self._rows_in_part = 0

    def _close_part(self) -> None:
        for part in (self._csv, self._parquet):
            if part is not None:
                self._files.append(part.finish())
        self._csv = self._parquet = None

    def _close_rejected(self) -> None:
        if self._rejected is not None:
            self._files.append(self._rejected.finish())
            self._rejected = None

    def _abandon(self) -> None:
        for part in (self._csv, self._parquet, self._rejected):
            if part is not None:
                part.abandon()


def _names_of(first: RowBatch | None) -> tuple[str, ...]:
    if first is None:
        raise ValueError("the source gave no batch at all, so its columns are not known: pass `columns`")
    return tuple(first.rows.schema.names)


def _with_first(first: RowBatch | None, rest: Iterator[RowBatch]) -> Iterator[RowBatch]:
    if first is not None:
        yield first
    yield from rest


def _contract_columns(names: Sequence[str]) -> Iterator[ColumnInfo]:
    descriptions = {column.name: column.description for column in RAW_COLUMNS}
    for name in names:
        yield ColumnInfo(name, descriptions.get(name, ""))


def _slice_within(batch: pa.RecordBatch, offset: int, rows: int) -> pa.RecordBatch:
    """At most `rows` rows from `offset`, fewer where they would take more than a chunk's bytes."""
    piece = batch.slice(offset, rows)
    while piece.num_rows > 1 and piece.nbytes > _CHUNK_BYTES:
        piece = piece.slice(0, piece.num_rows // 2)
    return piece


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _sibling(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")


def _remove_stale(folder: Path) -> None:
    """Removes what writers that were killed left behind, once nobody can still be writing it."""
    for path in folder.parent.glob(f".{folder.name}.*.partial"):
        if time.time() - path.stat().st_mtime > _DAY_SECONDS:
            shutil.rmtree(path)


def _put_in_place(partial: Path, folder: Path) -> None:
    if folder.exists():
        old = _sibling(folder)
        folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old)
    else:
        partial.rename(folder)
