"""The transform's identity: a hash of the code and options that make a row, computed by the running job itself."""

import hashlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import glue_scripts
import movie_platform.contracts

_ENTRY = "transform_movies"


def transform_id(entry_script: Path, options: Mapping[str, object]) -> str:
    """SHA-256, in hexadecimal digits, over the entry script, its modules, the contracts and the options.

    Names and contents count, folders do not: the same code has the same id on a laptop and, zipped, on Glue. Line ends
    are made `\\n`, so that a checkout on another system changes nothing.
    """
    parts = {f"{glue_scripts.__name__}.{_ENTRY}": entry_script.read_bytes()}
    for package in (glue_scripts, movie_platform.contracts):
        parts.update(_modules(package.__name__, list(package.__path__)))
    digest = hashlib.sha256()
    for name, content in sorted(parts.items()):
        text = content.replace(b"\r\n", b"\n")
        digest.update(f"{name}:{len(text)}\n".encode())
        digest.update(text)
    digest.update(json.dumps(options, sort_keys=True).encode())
    return digest.hexdigest()


def _modules(package: str, path: list[str]) -> Iterator[tuple[str, bytes]]:
    names = ["__init__", *(module.name for module in pkgutil.iter_modules(path) if module.name != _ENTRY)]
    for name in names:
        content = pkgutil.get_data(package, f"{name}.py")
        if content is None:
            raise FileNotFoundError(
                f"module {package}.{name} has no readable source: ship .py files in the zip of --extra-py-files"
            )
        yield f"{package}.{name}", content
