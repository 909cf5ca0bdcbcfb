"""ZIP files whose bytes depend on their content alone, so that their hash can be their name."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

# The earliest time that a ZIP can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE = 0o644 << 16
_LEFT_OUT = frozenset({"__pycache__"})
_SHIPPED = (".py", ".json", "py.typed")


def deterministic_zip(entries: Mapping[str, bytes]) -> bytes:
    """A deflated ZIP of these entries in the order of their names, without times and with the same rights for
    all.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system = _UNIX
            info.external_attr = _READABLE
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entries[name])
    return buffer.getvalue()


def package_entries(folder: Path, prefix: str) -> dict[str, bytes]:
    """The modules and data files of a package by their names in an archive, caches left out."""
    entries: dict[str, bytes] = {}
    for child in folder.iterdir():
        if child.name in _LEFT_OUT:
            continue
        name = f"{prefix}/{child.name}"
        if child.is_dir():
            entries.update(package_entries(child, name))
        elif child.name.endswith(_SHIPPED):
            entries[name] = child.read_bytes()
    return entries
