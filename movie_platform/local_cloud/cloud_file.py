"""The record `cloud.json` in a home: what `Settings` reads, and which process and port each server has.

It stays when the servers end, so that endpoints are the same next time. It is written after each start of a
server: whoever reads it after a crash knows the processes that may still run.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from movie_platform.local_cloud.files import write_atomically
from movie_platform.local_cloud.local_cloud_errors import CloudFileError
from movie_platform.process_identity import ProcessIdentity


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """One server as it was last started. `process` is None after it was stopped."""

    port: int
    process: ProcessIdentity | None


@dataclass(slots=True)
class CloudRecord:
    """The whole file. `notes` tell people what a crash may have cost, until the next clean stop."""

    settings: dict[str, Any] = field(default_factory=dict)
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(path: Path) -> CloudRecord | None:
    """The record, or None where no cloud was ever started. Raises `CloudFileError` for a file that is no
    record.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    try:
        document = json.loads(text)
        return CloudRecord(
            settings=dict(document["settings"]),
            services={
                str(name): ServiceRecord(
                    port=int(service["port"]),
                    process=None if service["pid"] is None else ProcessIdentity.from_record(service),
                )
                for name, service in document["services"].items()
            },
            notes=[str(note) for note in document["notes"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CloudFileError(
            "cloud_file_unreadable",
            f"{path} is not the record of a local cloud ({type(error).__name__}: {error})",
            "delete the file and start the local cloud again; its data is kept",
        ) from error


def write(path: Path, record: CloudRecord, *, endpoints: dict[str, str]) -> None:
    """Replace the record. `endpoints` (by service) are for people and scripts; nothing reads them back."""
    document = asdict(record)
    document["services"] = {
        name: {
            "endpoint": endpoints[name],
            "port": service.port,
            **(service.process.as_record() if service.process else {"pid": None, "started": None}),
        }
        for name, service in record.services.items()
    }
    write_atomically(path, json.dumps(document, indent=2).encode())
