"""Measuring: a process of its own, its result, its errors, its memory; and the home of a benchmark."""

import json
import os
from pathlib import Path

import pytest

from movie_platform.assets.measure import peak_rss_bytes
from movie_platform.bench.arrivals import landed_key
from movie_platform.bench.home import local_settings
from movie_platform.bench.usage import (
    MeasurementError,
    Meter,
    in_own_process,
    measured_in_own_process,
    watched,
)
from movie_platform.contracts.locations import parse_landing_key
from movie_platform.settings import CLOUD_FILE, Settings


def test_a_function_runs_in_a_process_of_its_own() -> None:
    assert in_own_process(os.getpid) != os.getpid()


def test_what_the_function_raises_is_raised_here() -> None:
    with pytest.raises(FileNotFoundError):
        in_own_process(os.stat, "/nowhere/at/all")


def test_a_killed_process_is_a_measurement_error() -> None:
    with pytest.raises(MeasurementError, match="was killed") as caught:
        in_own_process(os.abort)

    assert caught.value.next_step is not None


def test_the_memory_of_the_caller_does_not_count_for_the_process() -> None:
    held = bytearray(200_000_000)
    held[::4096] = b"x" * len(held[::4096])

    measured = measured_in_own_process(os.getpid)

    assert measured.usage.peak_rss_bytes < len(held) < peak_rss_bytes()


def test_a_lap_has_the_peak_since_the_last_one() -> None:
    meter = Meter()
    held = bytearray(150_000_000)
    held[::4096] = b"x" * len(held[::4096])
    high = meter.lap().peak_rss_bytes
    del held
    meter.lap()

    assert meter.lap().peak_rss_bytes < high - 100_000_000


def test_another_process_is_watched() -> None:
    with watched(os.getpid(), "self") as usage:
        sum(range(2_000_000))

    assert usage().peak_rss_bytes > 10_000_000
    assert usage().seconds > 0


def test_a_process_that_is_not_there_uses_nothing() -> None:
    with watched(2**22 + 1, "family") as usage:
        pass

    assert usage().peak_rss_bytes == 0


def test_a_benchmark_talks_to_its_own_cloud_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = {"aws_endpoint_url": "http://127.0.0.1:1111", "snowflake_port": 2222}
    (tmp_path / CLOUD_FILE).write_text(json.dumps({"settings": published}), "utf-8")
    for field, value in {
        "ENVIRONMENT": "aws",
        "AWS_ENDPOINT_URL": "https://example.com",
        "EXTRACT_LOCATION": "s3://somebody/else",
        "NAME_PREFIX": "production",
        "HOME": "/somewhere/else",
    }.items():
        monkeypatch.setenv(f"MOVIE_PLATFORM_{field}", value)

    settings = local_settings(tmp_path)

    assert settings.environment == "local"
    assert settings.home == tmp_path
    assert settings.aws_endpoint_url == "http://127.0.0.1:1111"
    assert settings.snowflake_port == 2222
    assert settings.name_prefix == "movie-platform"
    assert settings.extract_location is None


def test_the_keys_of_laid_objects_are_keys_of_bundles_of_a_partition() -> None:
    first_date = Settings.model_fields["first_date"].default
    parsed = [parse_landing_key(landed_key(first_date, number)) for number in range(25)]

    assert len({str(key) for key in parsed}) == 25
    assert all(key is not None and 0 <= (key.dt - first_date).days < 10 for key in parsed)
