"""Writing the exported files: whole or not at all, and nothing of an older export left behind."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from movie_platform.errors import ConfigurationError


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Writes the files, each replaced at once, and answers their paths. Other files in the folder are left alone.

    Raises ConfigurationError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            _replace(folder / name, text)
    except OSError as error:
        raise ConfigurationError(
            "cannot_write_export", f"{folder} cannot be written: {error.strerror}", "Name another folder."
        ) from error
    return [folder / name for name in files]


def _replace(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
