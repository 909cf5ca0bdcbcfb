"""Results on their way to a client: the first rows inside the answer, the rest as chunks in files that it fetches.

Nothing holds a whole large result: DuckDB streams batches, each becomes a file. Chunks go when they are an hour old.
"""

import shutil
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pyarrow as pa

from movie_platform.local_cloud.snowflake.text import result_set

_INLINE_ROWS = 5_000
_CHUNK_SECONDS = 3600.0
_KEPT_BYTES = 16 * 1024 * 1024


class ResultStore:
    """Writes chunks under one folder, a subfolder for each statement."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def path(self, query_id: str, chunk: str) -> Path | None:
        """A chunk's file, or None where there is none (any more)."""
        if not query_id.replace("-", "").isalnum() or not chunk.isdigit():
            return None
        path = self._folder / query_id / f"{chunk}.arrow"
        return path if path.is_file() else None

    def sweep(self) -> None:
        """Removes old chunks."""
        for folder in self._folder.iterdir():
            if folder.stat().st_mtime < time.time() - _CHUNK_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def answer(
        self, result: result_set.Result, query_id: str, base_url: str
    ) -> tuple[dict[str, Any], pa.Table | None]:
        """The part of an answer that holds the rows, and the rows themselves if they are few enough to be kept."""
        if result.statement_type in result_set.DML_TYPES:
            rows = result_set.json_rows(result.batches)
            return {
                "queryResultFormat": "json",
                "rowset": rows,
                "total": len(rows),
                "returned": len(rows),
            }, None
        inline: list[pa.RecordBatch] = []
        kept: list[pa.RecordBatch] | None = []
        kept_bytes = inline_rows = total = 0
        chunks: list[dict[str, Any]] = []
        for batch in result.batches:
            if batch.num_rows == 0:
                continue
            total += batch.num_rows
            kept_bytes += batch.nbytes
            if kept is not None and kept_bytes <= _KEPT_BYTES:
                kept.append(batch)
            else:
                kept = None
            encoded = result_set.encode(batch, result.columns)
            if not chunks and inline_rows < _INLINE_ROWS:
                head = encoded.slice(0, _INLINE_ROWS - inline_rows)
                inline.append(head)
                inline_rows += head.num_rows
                encoded = encoded.slice(head.num_rows)
            if encoded.num_rows:
                chunks.append(self._write(query_id, len(chunks), encoded, base_url))
        first = result_set.to_ipc(inline or [result_set.empty_batch(result.columns)])
        answer: dict[str, Any] = {
            "queryResultFormat": "arrow",
            "rowsetBase64": b64encode(first).decode(),
            "total": total,
            "returned": total,
        }
        if chunks:
            answer |= {"chunks": chunks, "chunkHeaders": {}}
        return answer, _table(kept, result) if kept is not None else None

    def _write(self, query_id: str, number: int, batch: pa.RecordBatch, base_url: str) -> dict[str, Any]:
        folder = self._folder / query_id
        folder.mkdir(exist_ok=True)
        data = result_set.to_ipc([batch])
        (folder / f"{number}.arrow").write_bytes(data)
        return {
            "url": f"{base_url}/results/{query_id}/{number}",
            "rowCount": batch.num_rows,
            "uncompressedSize": len(data),
            "compressedSize": len(data),
        }


def _table(batches: list[pa.RecordBatch], result: result_set.Result) -> pa.Table:
    if batches:
        return pa.Table.from_batches(batches).rename_columns([column.name for column in result.columns])
    empty = result_set.empty_batch(result.columns)
    return pa.table({column.name: array for column, array in zip(result.columns, empty.columns, strict=True)})
