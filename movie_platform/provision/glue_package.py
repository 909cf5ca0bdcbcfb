"""The Glue job's modules as one ZIP for `--extra-py-files`: `glue_scripts`, the contracts, Dagster Pipes."""

from pathlib import Path

import dagster_pipes

from movie_platform import contracts
from movie_platform.provision.archives import deterministic_zip, package_entries
from movie_platform.provision.files import GLUE_SCRIPTS

# What the job does not know: it hashes what it is made of, and a word changed in a view's description must not have
# every batch transformed again.
_BEHIND_RAW = frozenset({"warehouse.py", "marts.py"})
ENTRY_SCRIPT = GLUE_SCRIPTS / "transform_movies.py"


def build_modules_zip() -> bytes:
    """The ZIP, the same bytes for the same sources; Glue gets the entry script by itself."""
    platform = Path(contracts.__file__).parents[1]
    entries = package_entries(GLUE_SCRIPTS, "glue_scripts")
    entries.pop(f"glue_scripts/{ENTRY_SCRIPT.name}", None)
    entries["movie_platform/__init__.py"] = (platform / "__init__.py").read_bytes()
    described = package_entries(platform / "contracts", "movie_platform/contracts")
    entries.update({name: data for name, data in described.items() if Path(name).name not in _BEHIND_RAW})
    entries.update(package_entries(Path(dagster_pipes.__file__).parent, "dagster_pipes"))
    return deterministic_zip(entries)
