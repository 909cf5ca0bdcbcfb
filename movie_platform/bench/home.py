"""The home of a benchmark: a temporary folder with a local cloud of its own, never the user's."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from movie_platform.local_cloud import supervisor
from movie_platform.provision import provision
from movie_platform.settings import CLOUD_FILE, Settings


@dataclass(frozen=True, slots=True)
class BenchCloud:
    """A local cloud that runs, provisioned: its settings, and its servers' process ids by their names."""

    settings: Settings
    pids: dict[str, int]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder below the system's temporary folder (TMPDIR), deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="movie-platform-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_cloud(home: Path, *, progress: Callable[[str], None]) -> Iterator[BenchCloud]:
    """A local cloud in `home` for as long as the block lasts. Raises PlatformError where it does not start."""
    try:
        status = supervisor.up(home)
        settings = local_settings(home)
        progress("Provisioning the local cloud of the benchmark")
        provision(settings)
        yield BenchCloud(settings, {s.name: s.pid for s in status.services if s.pid is not None})
    finally:
        supervisor.down(home)


def local_settings(home: Path) -> Settings:
    """The settings of the local cloud in `home`, whatever the environment says of the user's platform."""
    published = json.loads((home / CLOUD_FILE).read_text("utf-8"))["settings"]
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    return Settings(**{**defaults, **published, "environment": "local", "home": home})
