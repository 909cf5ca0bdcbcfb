"""The Dagster instance of a home: where runs, events and logs are kept, and how it is configured."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

CODE_LOCATION = "movie_platform"
DEFINITIONS_MODULE = "movie_platform.definitions"

# Storage is SQLite below the folder, Dagster's default. Two runs at a time: steps mostly wait for the local
# cloud, and the local cloud itself wants the cores.
_DAGSTER_YAML = """\
# Written once, when this home was first used; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false

concurrency:
  runs:
    max_concurrent_runs: 2
  pools:
    granularity: run

run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  poll_interval_seconds: 30

freshness:
  enabled: true

sensors:
  use_threads: true
  num_workers: 4
schedules:
  use_threads: true
  num_workers: 2

retention:
  sensor:
    purge_after_days:
      skipped: 1
      success: 30
      failure: 30
"""

_WORKSPACE_YAML = f"""\
load_from:
  - python_module:
      module_name: {DEFINITIONS_MODULE}
      location_name: {CODE_LOCATION}
"""


def dagster_home(home: Path) -> Path:
    """Folder that DAGSTER_HOME names for a platform in `home`."""
    return home / "dagster"


def workspace_file(home: Path) -> Path:
    """Workspace file that names the code location, for servers that are started outside a clone."""
    return dagster_home(home) / "workspace.yaml"


def prepare_dagster_home(home: Path) -> Path:
    """Make the folder with its two configuration files where they are missing; what is there stays as it
    is.
    """
    folder = dagster_home(home)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in ((folder / "dagster.yaml", _DAGSTER_YAML), (workspace_file(home), _WORKSPACE_YAML)):
        if not path.exists():
            path.write_text(text, "utf-8")
    return folder


@contextmanager
def open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The persistent instance of a home, made when it is not there yet."""
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(home))) as instance:
        yield instance
