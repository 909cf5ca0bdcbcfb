"""IMDb's data sets: how fast the `imdb` source gives titles, beside what DuckDB takes for the join alone.

All read the same generated files, gzip as IMDb publishes them, and give all types of titles. The bare join is one SQL
statement with the same result; the narrow join leaves the names of people out. Neither checks, rejects or shapes.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from movie_platform.bench.home import temporary_folder
from movie_platform.bench.imdb_files import ImdbFiles, write_imdb_files
from movie_platform.bench.machine import this_machine
from movie_platform.bench.report import Machine, ShowTable, per_second
from movie_platform.bench.usage import Usage, measured_in_own_process
from movie_platform.errors import PlatformError
from movie_platform.settings import Settings
from movie_platform.sources.imdb.join import BATCH_ROWS, MOST_THREADS
from movie_platform.sources.profiles import open_source, parse_profile

PLATFORM, BARE, NARROW = "imdb source", "bare join", "narrow join"
# DuckDB's aggregates of lists stay in memory: the bare join gets what it needs.
_BARE_MEMORY = "12GB"
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ImdbReport:
    """What each way took for so many titles; `rows` are those that each gave."""

    titles: int
    bytes: int
    machine: Machine
    rows: Mapping[str, int]
    used: Mapping[str, Usage]

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values; ratios are how many times as long as the bare join the source takes."""
        source, bare = self.used[PLATFORM], self.used[BARE]
        return {
            "titles": self.titles,
            "bytes": self.bytes,
            "machine": asdict(self.machine),
            "ways": {way: self._way(way) for way in self.used},
            "source_to_bare": round(source.seconds / bare.seconds, 2),
            "source_to_bare_cpu": round(source.cpu_seconds / bare.cpu_seconds, 2),
        }

    def show(self, show_table: ShowTable) -> None:
        """The figures as a table with a line for each way of joining."""
        load = f"load average {self.machine.load_before:.1f} before, {self.machine.load_after:.1f} after"
        show_table(
            f"{self.titles:,} IMDb titles, {self.bytes / _MEGABYTE:,.0f} MB of gzip; {load}",
            ("Way", "Seconds", "CPU s", "Titles/s", "Peak MB"),
            [tuple(self._way(way).values()) for way in self.used],
        )

    def _way(self, way: str) -> dict[str, Any]:
        usage = self.used[way]
        return {
            "way": way,
            "seconds": round(usage.seconds, 1),
            "cpu_seconds": round(usage.cpu_seconds, 1),
            "titles_per_second": round(per_second(self.rows[way], usage)),
            "peak_rss_mb": round(usage.peak_rss_bytes / _MEGABYTE),
        }


def measure_imdb(titles: int, *, progress: Callable[[str], None]) -> ImdbReport:
    """Generates IMDb's files for so many titles in a temporary folder and reads them in each way.

    Raises PlatformError where the ways do not give every title once.
    """
    load_before = os.getloadavg()[0]
    with temporary_folder() as folder:
        progress(f"Generating the files of {titles:,} titles")
        files = write_imdb_files(folder, titles)
        rows: dict[str, int] = {}
        used: dict[str, Usage] = {}
        for way, function in ((PLATFORM, read_with_source), (BARE, join_bare), (NARROW, join_narrow)):
            progress(f"Reading them: {way}")
            measured = measured_in_own_process(function, files, folder)
            rows[way], used[way] = measured.result, measured.usage
            progress(
                f"{way}: {measured.usage.seconds:.1f} s, {measured.usage.cpu_seconds:.1f} s of processors, peak"
                f" {measured.usage.peak_rss_bytes / _MEGABYTE:,.0f} MB"
            )
    if set(rows.values()) != {titles}:
        raise PlatformError("bench_rows_differ", f"{titles} titles were generated, and read were {rows}")
    machine = this_machine(load_before)
    return ImdbReport(titles, files.bytes, machine, rows, used)


def profile_text(files: ImdbFiles) -> str:
    """A profile of generated files, with the columns of the built-in one and titles of every kind."""
    return f"""
[source]
name = "imdb"
kind = "imdb"
basics = "{files.basics}"
ratings = "{files.ratings}"
crew = "{files.crew}"
names = "{files.names}"
types = []
adult = true
key = ["tconst"]

[columns]
imdb_id = "tconst"
title = "primaryTitle"
original_title = "originalTitle"
type = "titleType"
year = "startYear"
runtime = "runtimeMinutes"
genres = "genres"
directors = "directors"
writers = "writers"
imdb_rating = "averageRating"
imdb_votes = "numVotes"
"""


def read_with_source(files: ImdbFiles, folder: Path) -> int:
    """Rows that the `imdb` source gives, rejected ones included."""
    profile = parse_profile(profile_text(files), default_name="imdb", folder=folder, where="benchmark")
    source = open_source(profile, settings=Settings(home=folder))
    today: date = datetime.now(UTC).date()
    return sum(batch.rows.num_rows + len(batch.rejected) for batch in source.batches(today, None))


def join_bare(files: ImdbFiles, folder: Path) -> int:
    """Rows of the same result as one statement of DuckDB's."""
    credit = " UNION ALL ".join(
        f"SELECT tconst, '{column}' AS role, unnest(string_split({column}, ',')) AS nconst,"  # noqa: S608 - constants
        f" generate_subscripts(string_split({column}, ','), 1) AS place FROM {_scan(files.crew)}"
        for column in ("directors", "writers")
    )
    lists = ", ".join(
        f"list({value} ORDER BY place) FILTER (role = '{role}') AS {role}_{value}"
        for role in ("directors", "writers")
        for value in ("primaryName", "nconst")
    )
    named = (
        f"SELECT tconst, {lists} FROM ({credit}) AS credit"  # noqa: S608 - constants
        f" LEFT JOIN {_scan(files.names)} AS person USING (nconst) GROUP BY tconst"
    )
    return _count(f"{_titles_with_ratings(files)} LEFT JOIN ({named}) AS named USING (tconst)", folder)


def join_narrow(files: ImdbFiles, folder: Path) -> int:
    """Rows of the titles' three files, joined: people are their identifiers alone."""
    return _count(
        f"{_titles_with_ratings(files)} LEFT JOIN {_scan(files.crew)} AS crew USING (tconst)", folder
    )


def _titles_with_ratings(files: ImdbFiles) -> str:
    title, rating = _scan(files.basics), _scan(files.ratings)
    return f"SELECT * FROM {title} AS title LEFT JOIN {rating} AS rating USING (tconst)"  # noqa: S608 - constants


def _scan(path: Path) -> str:
    return (
        f"read_csv('{path}', delim = '\\t', quote = '', escape = '', nullstr = '\\N', header = true,"
        " all_varchar = true)"
    )


def _count(query: str, folder: Path) -> int:
    config: dict[str, Any] = {
        "memory_limit": _BARE_MEMORY,
        "temp_directory": str(folder / "bare"),
        "preserve_insertion_order": False,
        "threads": min(os.cpu_count() or 1, MOST_THREADS),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        return sum(batch.num_rows for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS))
