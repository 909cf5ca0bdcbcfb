"""Builds the function's package: three folders of the platform, and Dagster Pipes. Same code, same bytes."""

from pathlib import Path

import dagster_pipes

import movie_platform
from movie_platform.provision.archives import deterministic_zip, package_entries

# Folders that the function is made of, each whole.
FOLDERS = ("bundles", "contracts", "lambdas")


def build_package() -> bytes:
    """The ZIP that Lambda is given; boto3 is part of its runtime."""
    root = Path(movie_platform.__file__).parent
    entries = {"movie_platform/__init__.py": (root / "__init__.py").read_bytes()}
    for folder in FOLDERS:
        entries.update(package_entries(root / folder, f"movie_platform/{folder}"))
    entries.update(package_entries(Path(dagster_pipes.__file__).parent, "dagster_pipes"))
    return deterministic_zip(entries)
