"""How long a tick of the arrival sensor takes when many objects have landed.

The objects are put through the S3 API while the bucket notifies nobody: they stand for what landed and was processed
long ago. Then the sensor is evaluated as the daemon does it, again and again, until it has listed the whole bucket.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg

from movie_platform.automation.arrival_sensor import LISTED_A_TICK
from movie_platform.bench.database import SOURCE
from movie_platform.bench.home import running_cloud, temporary_folder
from movie_platform.bench.report import ShowTable
from movie_platform.build import build_defs
from movie_platform.contracts.locations import LandingKey
from movie_platform.resources.aws import AwsResource
from movie_platform.runs.instance import open_instance
from movie_platform.settings import Settings

SENSOR = "bundle_arrival_sensor"
_THREADS = 8
_BUNDLES_A_DAY = 100
# Ticks enough to list so many objects are timed, unless that takes more than this.
_TICKING_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class TickReport:
    """Seconds of each tick with so many objects in the bucket."""

    objects: int
    put_seconds: float
    tick_seconds: Sequence[float]

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "objects": self.objects,
            "put_seconds": round(self.put_seconds, 3),
            "ticks": len(self.tick_seconds),
            "first_tick_seconds": round(self.tick_seconds[0], 4),
            "median_tick_seconds": round(statistics.median(self.tick_seconds), 4),
            "slowest_tick_seconds": round(max(self.tick_seconds), 4),
        }

    def show(self, show_table: ShowTable) -> None:
        """The report as a table."""
        figures = self.as_json()
        show_table("Ticks of the arrival sensor", ("Figure", "Value"), list(figures.items()))


def measure_ticks(objects: int, *, progress: Callable[[str], None]) -> TickReport:
    """Puts `objects` objects into the landing bucket of a cloud of its own and times the sensor's ticks."""
    with temporary_folder() as folder, running_cloud(folder / "home", progress=progress) as cloud:
        progress(f"Putting {objects:,} objects")
        started = time.monotonic()
        _put_objects(cloud.settings, objects)
        put_seconds = time.monotonic() - started
        progress("Ticking")
        ticks = _tick(cloud.settings, -(-objects // LISTED_A_TICK) + 1)
    return TickReport(objects, put_seconds, ticks)


def _put_objects(settings: Settings, objects: int) -> None:
    s3 = AwsResource.from_settings(settings).client("s3")
    bucket = settings.bucket("landing")
    # Each object would invoke the unpacking function.
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})

    def put(number: int) -> None:
        s3.put_object(Bucket=bucket, Key=landed_key(settings.first_date, number), Body=b"")

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(put, range(objects)):
            pass


def landed_key(first_date: date, number: int) -> str:
    """Key of the object of that number: _BUNDLES_A_DAY of them for each day from the first on."""
    dt = first_date + timedelta(days=number // _BUNDLES_A_DAY)
    return str(LandingKey(SOURCE, dt, f"{dt:%Y%m%d}T000000Z-{number:012x}"))


def _tick(settings: Settings, most: int) -> list[float]:
    definitions = build_defs(settings)
    sensor = definitions.resolve_sensor_def(SENSOR)
    cursor: str | None = None
    seconds: list[float] = []
    deadline = time.monotonic() + _TICKING_SECONDS
    with open_instance(settings.home) as instance:
        while len(seconds) < most and time.monotonic() < deadline:
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
