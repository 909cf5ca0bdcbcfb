"""Makes bundles as a producer outside this platform would: from docs/bundle-format.md and the standard library.

None of the platform's own code is used, so that the two can be held against each other.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ("movie_id", "title", "year")
ROWS: tuple[tuple[str | None, ...], ...] = (
    ("1", "Metropolis", "1927"),
    ("2", 'The "Great" Escape,\nreissued', "1963"),
    ("3", "Ænigma — 映画", None),
    ("4", "1776", "1972"),
)
SOURCE = "demo"
DT = "2026-11-18"
EXTRACTED_AT = "2026-11-18T06:00:00Z"
_TIME = (1980, 1, 1, 0, 0, 0)
_REGULAR = 0o100644 << 16
_UNIX = 3


def content_id(
    rows: Iterable[Sequence[str | None]], columns: Sequence[str], source: str, load_type: str
) -> str:
    """content_id by the algorithm of docs/bundle-format.md."""
    total = count = 0
    for row in rows:
        encoded = b"\xfe".join(b"\xff" if value is None else value.encode("utf-8") for value in row)
        total = (total + int.from_bytes(hashlib.sha256(encoded).digest(), "big")) % 2**256
        count += 1
    text = json.dumps(
        {
            "columns": list(columns),
            "load_type": load_type,
            "rows": count,
            "source": source,
            "sum": f"{total:064x}",
        },
        separators=(",", ":"),
        sort_keys=True,
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def csv_bytes(rows: Iterable[Sequence[str | None]], columns: Sequence[str]) -> bytes:
    """A CSV part."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return text.getvalue().encode("utf-8")


def file_entry(path: str, file_format: str, part: int, rows: int, data: bytes) -> dict[str, Any]:
    """What a manifest says of a file."""
    return {
        "path": path,
        "format": file_format,
        "part": part,
        "rows": rows,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


@dataclass
class PlainBundle:
    """A bundle before it is zipped: change what must be wrong, then `zipped()`."""

    manifest: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)

    def put(self, path: str, data: bytes, **changes: object) -> None:
        """Replaces a file's bytes and what the manifest says of them; `changes` are fields of its entry."""
        self.files[path] = data
        for entry in self.manifest["files"]:
            if entry["path"] == path:
                entry.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), **changes)

    def manifest_bytes(self) -> bytes:
        """The bytes of manifest.json."""
        return json.dumps(self.manifest, indent=1).encode("utf-8")

    def entries(self) -> dict[str, bytes]:
        """Everything that goes into the ZIP, the manifest first."""
        return {"manifest.json": self.manifest_bytes(), **self.files}

    def zipped(self) -> bytes:
        """The bundle."""
        return zip_of(self.entries())


def plain_bundle(
    rows: Sequence[Sequence[str | None]] = ROWS,
    *,
    columns: Sequence[str] = COLUMNS,
    source: str = SOURCE,
    dt: str = DT,
    extracted_at: str = EXTRACTED_AT,
    load_type: str = "full",
) -> PlainBundle:
    """A good bundle of CSV alone."""
    identity = content_id(rows, columns, source, load_type)
    data = csv_bytes(rows, columns)
    moment = extracted_at.replace("-", "").replace(":", "")
    path = "csv/movies-00000.csv"
    manifest = {
        "format_version": 1,
        "dataset": "movies",
        "batch_id": f"{moment}-{identity[:12]}",
        "content_id": identity,
        "dt": dt,
        "load_type": load_type,
        "source": {"name": source, "kind": "files", "parameters": {}, "cursor": None},
        "extracted_at": extracted_at,
        "producer": {"name": "a producer outside the platform", "version": "1"},
        "primary_key": ["movie_id"],
        "columns": [{"name": name, "type": "string", "description": ""} for name in columns],
        "row_count": len(rows),
        "rejected_count": 0,
        "files": [file_entry(path, "csv", 0, len(rows), data)],
    }
    return PlainBundle(manifest, {path: data})


def zip_info(
    name: str, compression: int = zipfile.ZIP_DEFLATED, attributes: int = _REGULAR
) -> zipfile.ZipInfo:
    """A ZIP entry's description that is the same on every day and machine."""
    info = zipfile.ZipInfo("x", _TIME)
    # Set afterwards, because the constructor mends names.
    info.filename = name
    info.compress_type = compression
    info.external_attr = attributes
    info.create_system = _UNIX
    return info


def zip_of(entries: Mapping[str, bytes] | Sequence[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """A ZIP of these entries in this order."""
    described = (
        [(zip_info(name), data) for name, data in entries.items()]
        if isinstance(entries, Mapping)
        else entries
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, data in described:
            archive.writestr(info, data)
    return buffer.getvalue()
