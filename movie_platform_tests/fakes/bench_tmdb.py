"""A full load of many films from the fake TMDB at its rate limit: how fast it is asked, and how much memory it takes.

    python -m movie_platform_tests.fakes.bench_tmdb --films 50000 --rate 200

The fake runs in a process of its own. It refuses requests that go more than 5 % over the rate in any ten seconds.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil

from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundles.manifest import SourceInfo
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.progress import Progress, listening
from movie_platform_tests.fakes.tmdb import TOKEN, FakeTmdb, Film

_TOLERANCE = 1.05
# Shorter ones say more of how punctually a busy machine wakes its threads than of the limiter.
_PERIOD = 10.0
_TOKEN_VARIABLE = "BENCH_TMDB_TOKEN"
_PROFILE = """
[source]
kind = "tmdb"
base_url = "{base_url}"
access_token = {{ env = "{variable}" }}
requests_per_second = {rate}
concurrency = {concurrency}
key = ["id"]

[columns]
imdb_id = "imdb_id"
title = "title"
release_date = "release_date"
runtime = "runtime"
genres = "genres"
directors = "directors"
writers = "writers"
cast = "cast"
overview = "overview"
budget = "budget"
box_office = "revenue"
"""


def serve(count: int, rate: int, channel: Any) -> None:
    """The fake, until its parent says stop; then what it saw."""
    per_year = 2_000
    some = (
        Film(number, f"{1990 + number // per_year}-{number % 12 + 1:02d}-{number % 28 + 1:02d}")
        for number in range(1, count + 1)
    )
    with FakeTmdb(some, rate=round(rate * _TOLERANCE * _PERIOD), period=_PERIOD, validated=False) as fake:
        channel.send(fake.base_url)
        channel.recv()
        moments = [request.moment for request in fake.requests]
        channel.send((len(moments), fake.refused, rates(moments)))


def rates(moments: list[float]) -> dict[str, float]:
    """Requests a second: over all, and in the slowest and fastest ten seconds, the first and last ones aside."""
    tens = Counter(int((moment - moments[0]) / _PERIOD) for moment in moments)
    inner = [tens[ten] / _PERIOD for ten in range(1, max(tens))]
    return {
        "mean": len(moments) / (moments[-1] - moments[0]),
        "slowest ten seconds": min(inner, default=0),
        "fastest ten seconds": max(inner, default=0),
    }


@contextmanager
def fake_server(count: int, rate: int) -> Iterator[Any]:
    """The fake in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(count, rate, there))
    process.start()
    try:
        yield here
    finally:
        process.join(30)
        if process.is_alive():
            process.terminate()


def measure(count: int, rate: int, concurrency: int) -> dict[str, Any]:
    """The figures of one full load."""
    memory: dict[int, int] = {}
    done = 0
    finished = threading.Event()

    def listen(progress: Progress) -> None:
        nonlocal done
        done = progress.done

    def sample() -> None:
        process = psutil.Process()
        while not finished.wait(0.5):
            tenth = done * 10 // count
            if tenth not in memory:
                say = f"{done} films after {time.monotonic() - began:.0f} s, {process.memory_info().rss / 1e6:.0f} MB"
                print(say, file=sys.stderr, flush=True)  # noqa: T201 - what a person waits for
            memory[tenth] = max(memory.get(tenth, 0), process.memory_info().rss)

    os.environ[_TOKEN_VARIABLE] = TOKEN
    with tempfile.TemporaryDirectory() as folder, fake_server(count, rate) as channel:
        text = _PROFILE.format(
            base_url=channel.recv(), variable=_TOKEN_VARIABLE, rate=rate, concurrency=concurrency
        )
        path = Path(folder, "tmdb.toml")
        path.write_text(text, "utf-8")
        settings = Settings(home=Path(folder, "home"))
        profile = load_profile(str(path), settings=settings)
        source = open_source(profile, settings=settings)
        dt = date(2026, 11, 18)
        began, processor = time.monotonic(), time.process_time()
        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            with listening(listen):
                manifest = write_extract(
                    source.batches(dt, None),
                    Path(folder, "extract"),
                    dt=dt,
                    source=SourceInfo(profile.name, profile.kind, source.describe()),
                    load_type="full",
                    extracted_at=datetime.now(UTC),
                    columns=source.columns(),
                    next_cursor=source.next_cursor,
                )
        finally:
            finished.set()
            sampler.join()
            channel.send("stop")
        seconds, used = time.monotonic() - began, time.process_time() - processor
        requests, refused, per_second = channel.recv()
        cache = sum(file.stat().st_size for file in Path(folder, "home", "http_cache").iterdir())
    return {
        "films": manifest.row_count,
        "rejected": manifest.rejected_count,
        "seconds": round(seconds, 1),
        "processor seconds": round(used, 1),
        "requests": requests,
        "refused": refused,
        "requests a second": {name: round(value, 1) for name, value in per_second.items()},
        "of the rate": f"{per_second['mean'] / rate:.1%}",
        "MB at each tenth": [round(memory[tenth] / 1e6) for tenth in sorted(memory)],
        "cache MB": round(cache / 1e6),
    }


def main() -> None:
    """Run it and print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=50_000)
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    print(json.dumps(measure(options.films, options.rate, options.concurrency), indent=2))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
