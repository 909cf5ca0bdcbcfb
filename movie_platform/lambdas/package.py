"""Builds the function's package: exactly the modules that it imports, the same bytes for the same sources."""

from pathlib import Path

import dagster_pipes

import movie_platform
from movie_platform.provision.archives import deterministic_zip, package_entries

# What verifying needs; the rest of `bundles` needs pyarrow and isal, which the function does not have.
BUNDLE_MODULES = (
    "__init__",
    "_manifest_validator",
    "csv_scan",
    "errors",
    "file_checks",
    "limits",
    "manifest",
    "manifest_json",
    "read",
    "reasons",
    "schema_error",
    "verify",
    "zip_format",
    "zip_reader",
)
LAMBDA_MODULES = ("__init__", "answers", "config", "events", "lease", "logs", "publish", "store", "unpack")


def build_package() -> bytes:
    """The ZIP that Lambda is given; boto3 is part of its runtime."""
    root = Path(movie_platform.__file__).parent
    entries = {"movie_platform/__init__.py": (root / "__init__.py").read_bytes()}
    entries.update(package_entries(root / "contracts", "movie_platform/contracts"))
    for folder, modules in (("bundles", BUNDLE_MODULES), ("lambdas", LAMBDA_MODULES)):
        for module in modules:
            entries[f"movie_platform/{folder}/{module}.py"] = (root / folder / f"{module}.py").read_bytes()
    entries.update(package_entries(Path(dagster_pipes.__file__).parent, "dagster_pipes"))
    return deterministic_zip(entries)
