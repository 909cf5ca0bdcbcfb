"""How long a tick of the arrival sensor takes when many objects have landed.

The objects are laid into the lake while the servers are down, because putting each through the API takes MiniStack ten
minutes and more, and would invoke the unpacking function each time. All of them landed a day ago and no run has
processed any: each page that a tick lists is full of bundles to be decided on, which is the most that it can be.
"""

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from movie_platform.automation.arrival_listing import LISTED_A_TICK
from movie_platform.bench.database import SOURCE
from movie_platform.bench.home import running_cloud, temporary_folder
from movie_platform.bench.report import ShowTable
from movie_platform.build import build_defs
from movie_platform.contracts.locations import LandingKey
from movie_platform.local_cloud.home import Home
from movie_platform.resources.aws import AwsResource
from movie_platform.runs.instance import open_instance
from movie_platform.settings import LOCAL_ACCOUNT, Settings
from movie_platform.waiting import Deadline

SENSOR = "bundle_arrival_sensor"
_DATES = 10
# Ticks enough to list so many objects are timed, unless that takes more than this.
_TICKING_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class TickReport:
    """Seconds of each tick with so many objects in the bucket."""

    objects: int
    tick_seconds: Sequence[float]

    def as_json(self) -> dict[str, Any]:
        """Number of objects and ticks, and the first, median and slowest tick in seconds, as JSON values."""
        return {
            "objects": self.objects,
            "ticks": len(self.tick_seconds),
            "first_tick_seconds": round(self.tick_seconds[0], 4),
            "median_tick_seconds": round(statistics.median(self.tick_seconds), 4),
            "slowest_tick_seconds": round(max(self.tick_seconds), 4),
        }

    def show(self, show_table: ShowTable) -> None:
        """The figures of `as_json` as a table of two columns."""
        figures = self.as_json()
        show_table("Ticks of the arrival sensor", ("Figure", "Value"), list(figures.items()))


def measure_ticks(objects: int, *, progress: Callable[[str], None]) -> TickReport:
    """Fills the landing bucket of a local cloud of its own with `objects` objects and times the sensor's ticks."""
    with temporary_folder() as folder:
        home = folder / "home"
        with running_cloud(home, progress=progress) as cloud:
            bucket, first_date = cloud.settings.bucket("landing"), cloud.settings.first_date
        progress(f"Laying {objects:,} objects into {bucket}")
        _lay_objects(Home.at(home).lake / LOCAL_ACCOUNT / bucket, first_date, objects)
        with running_cloud(home, progress=progress) as cloud:
            progress("Ticking")
            ticks = _tick(cloud.settings, -(-objects // LISTED_A_TICK) + 1)
    return TickReport(objects, ticks)


def _lay_objects(bucket: Path, first_date: date, objects: int) -> None:
    """Empty objects as MiniStack keeps them: a file, and a sidecar with what else S3 knows of it."""
    sidecar = json.dumps(
        {
            "size": 0,
            "etag": f'"{hashlib.md5(b"", usedforsecurity=False).hexdigest()}"',
            "last_modified": (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
    )
    for number in range(objects):
        path = bucket / landed_key(first_date, number)
        if number < _DATES:
            path.parent.mkdir(parents=True)
        path.touch()
        path.with_name(f"{path.name}.meta.json").write_text(sidecar, "ascii")


def landed_key(first_date: date, number: int) -> str:
    """Key of the object of that number; they take turns in _DATES dates from the first on."""
    dt = first_date + timedelta(days=number % _DATES)
    return str(LandingKey(SOURCE, dt, f"{dt:%Y%m%d}T000000Z-{number:012x}"))


def _tick(settings: Settings, most: int) -> list[float]:
    definitions = build_defs(settings)
    sensor = definitions.resolve_sensor_def(SENSOR)
    cursor: str | None = None
    seconds: list[float] = []
    deadline = Deadline(_TICKING_SECONDS)
    with open_instance(settings.home) as instance:
        while len(seconds) < most and not deadline.passed:
            context = dg.build_sensor_context(
                instance=instance,
                cursor=cursor,
                sensor_name=SENSOR,
                definitions=definitions,
                resources={"aws": AwsResource.from_settings(settings)},
            )
            started = time.monotonic()
            result = sensor.evaluate_tick(context)
            seconds.append(time.monotonic() - started)
            cursor = result.cursor
    return seconds
