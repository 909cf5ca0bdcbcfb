"""One benchmark: the platform's stages, the bare tools and the naive way on the same films, one after the other."""

import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from movie_platform.bench import baseline_bare, baseline_naive, platform_stages
from movie_platform.bench.database import FilmDatabase, write_database
from movie_platform.bench.home import running_cloud, temporary_folder
from movie_platform.bench.machine import this_machine
from movie_platform.bench.report import BARE, NAIVE, PLATFORM, STAGES, BenchReport, StageFigures
from movie_platform.bench.usage import Usage, in_own_process, measured_in_own_process, watched

Progress = Callable[[str], None]


def run_benchmark(
    *, rows: int, stages: Collection[str], tools: Collection[str], progress: Progress
) -> BenchReport:
    """Generates films and measures the stages with each of the tools, in a temporary home with a cloud of its own.

    `stages` are the first ones of STAGES; `tools` holds `platform`. Raises PlatformError where a stage fails.
    """
    load_before = os.getloadavg()[0]
    with temporary_folder() as folder:
        progress(f"Generating {rows:,} films")
        source = folder / "source"
        source.mkdir()
        database = in_own_process(write_database, source, rows)
        bench = _Bench(folder, database, stages, tools, progress)
        bench.run()
    machine = this_machine(load_before)
    figures = [
        StageFigures(stage, rows, bench.bytes[stage], bench.used[stage])
        for stage in STAGES
        if stage in stages
    ]
    return BenchReport(rows, machine, figures, bench.tables)


class _Bench:
    """The state of one benchmark: what the stages have made so far, and what they used."""

    def __init__(
        self,
        folder: Path,
        database: FilmDatabase,
        stages: Collection[str],
        tools: Collection[str],
        progress: Progress,
    ) -> None:
        self._folder = folder
        self._database = database
        self._stages = stages
        self._tools = tools
        self._progress = progress
        self.used: dict[str, dict[str, Usage]] = {stage: {} for stage in stages}
        self.bytes: dict[str, int] = {}
        self.tables: dict[str, int] = {}

    def run(self) -> None:
        with running_cloud(self._folder / "home", progress=self._progress) as cloud:
            made = self._platform(cloud.settings.home, cloud.pids)
            archive = self._make("archive")
            files = (
                platform_stages.download_archive(cloud.settings.home, made["record"], archive)
                if "load" in self._stages and BARE in self._tools
                else {}
            )
        # The servers are down: the tools below have the machine to themselves.
        if BARE in self._tools:
            self._bare(made["extracted"].folder, files)
        if NAIVE in self._tools:
            self._progress("The naive way")
            used = in_own_process(baseline_naive.run, self._database.path, self._make("naive"), self._stages)
            for stage, usage in used.items():
                self._note(stage, NAIVE, usage)

    def _platform(self, home: Path, pids: dict[str, int]) -> dict[str, Any]:
        now = datetime.now(UTC)
        made: dict[str, Any] = {}
        done = measured_in_own_process(platform_stages.extract, home, self._database.profile, now.date(), now)
        made["extracted"] = done.result
        self._note("extract", PLATFORM, done.usage, done.result.bytes)
        if "bundle" in self._stages:
            done = measured_in_own_process(platform_stages.bundle, home, made["extracted"], now.date())
            landed = done.result
            self._note("bundle", PLATFORM, done.usage, made["extracted"].bytes)
            if "unpack" in self._stages:
                with watched(pids["aws"], "largest child") as usage:
                    answer = platform_stages.unpack(home, landed)
                self._note("unpack", PLATFORM, usage(), answer.bytes)
                if "transform" in self._stages:
                    with watched(pids["glue"], "children") as usage:
                        record = platform_stages.transform(home, answer)
                    made["record"] = record
                    written = sum(file.bytes for files in record.files.values() for file in files)
                    self._note("transform", PLATFORM, usage(), written)
                    if "load" in self._stages:
                        with watched(pids["snowflake"], "self") as usage:
                            self.tables = platform_stages.load(home, record)
                        self._note("load", PLATFORM, usage(), written)
        return made

    def _bare(self, extract: Path, files: dict[str, list[Path]]) -> None:
        folder = self._make("bare")
        zipped, unzipped = folder / "films.zip", self._make("bare", "unzipped")
        extracted = self._make("bare", "extracted")
        steps: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
            "extract": (baseline_bare.extract, (self._database.path, extracted)),
            "bundle": (baseline_bare.zip_files, (extract, zipped)),
            "unpack": (baseline_bare.unzip_files, (zipped, unzipped)),
            "load": (baseline_bare.load, (files, folder / "warehouse.duckdb")),
        }
        for stage in STAGES:
            if stage not in self._stages:
                continue
            if stage == "transform":
                target, working = folder / "transformed", folder / "spark"
                usage = baseline_bare.transform(unzipped / "parquet", target, working)
            else:
                function, arguments = steps[stage]
                usage = measured_in_own_process(function, *arguments).usage
            self._note(stage, BARE, usage)

    def _make(self, *names: str) -> Path:
        folder = self._folder.joinpath(*names)
        folder.mkdir()
        return folder

    def _note(self, stage: str, tool: str, usage: Usage, size: int | None = None) -> None:
        self.used[stage][tool] = usage
        if size is not None:
            self.bytes[stage] = size
        self._progress(f"{tool} {stage}: {usage.seconds:.2f} s, peak {usage.peak_rss_bytes / 1e6:.0f} MB")
