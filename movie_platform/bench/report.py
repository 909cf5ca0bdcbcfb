"""The figures of a benchmark: what was measured, the ratios that follow, and how both are shown. Pure.

All tools of a stage are counted with the same rows (films of the source) and the same bytes (what the platform's
stage writes or, for `bundle` and `load`, reads), so their speeds compare as their seconds do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from movie_platform.bench.usage import Usage
from movie_platform.errors import ConfigurationError

STAGES: tuple[str, ...] = ("extract", "bundle", "unpack", "transform", "load")
PLATFORM, BARE, NAIVE = "platform", "bare", "naive"
TOOLS: tuple[str, ...] = (PLATFORM, BARE, NAIVE)
END_TO_END = "end to end"
_MEGABYTE = 1_000_000
_MOST_DAYS = 1000

ShowTable = Callable[[str, Sequence[str], Iterable[Sequence[Any]]], None]


@dataclass(frozen=True, slots=True)
class StageFigures:
    """One stage: the films and bytes that it is about, and what each tool used for it."""

    stage: str
    rows: int
    bytes: int
    used: Mapping[str, Usage]

    def ratio(self, tool: str, other: str) -> float | None:
        """How many times as long as `other` a tool took; None where either was not measured."""
        if tool not in self.used or other not in self.used or not self.used[other].seconds:
            return None
        return self.used[tool].seconds / self.used[other].seconds

    def cpu_ratio(self, tool: str, other: str) -> float | None:
        """As `ratio`, of processor seconds: what it would be where nothing else runs and nothing is waited for."""
        if tool not in self.used or other not in self.used or not self.used[other].cpu_seconds:
            return None
        return self.used[tool].cpu_seconds / self.used[other].cpu_seconds

    def as_json(self) -> dict[str, Any]:
        """Figures and ratios as JSON values; seconds, bytes, rows and megabytes (10**6) a second."""
        return {
            "stage": self.stage,
            "rows": self.rows,
            "bytes": self.bytes,
            "tools": {tool: self._tool(usage) for tool, usage in self.used.items()},
            "platform_to_bare": _rounded(self.ratio(PLATFORM, BARE)),
            "naive_to_platform": _rounded(self.ratio(NAIVE, PLATFORM)),
            "platform_to_bare_cpu": _rounded(self.cpu_ratio(PLATFORM, BARE)),
            "naive_to_platform_cpu": _rounded(self.cpu_ratio(NAIVE, PLATFORM)),
        }

    def _tool(self, usage: Usage) -> dict[str, Any]:
        return {
            "seconds": round(usage.seconds, 3),
            "cpu_seconds": round(usage.cpu_seconds, 3),
            "rows_per_second": round(per_second(self.rows, usage)),
            "mb_per_second": round(per_second(self.bytes, usage) / _MEGABYTE, 1),
            "peak_rss_bytes": usage.peak_rss_bytes,
        }


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and under what load the figures were taken; load averages of the last minute."""

    processors: int
    memory_bytes: int
    system: str
    python: str
    load_before: float
    load_after: float


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The figures of a run. `rows`: films generated; `tables`: rows of each table that was loaded."""

    rows: int
    machine: Machine
    stages: Sequence[StageFigures]
    tables: Mapping[str, int] = field(default_factory=dict)

    def end_to_end(self) -> StageFigures | None:
        """All stages together, for the tools that were measured in each; None where there is one stage or none."""
        if len(self.stages) < 2:
            return None
        tools = [tool for tool in TOOLS if all(tool in stage.used for stage in self.stages)]
        used = {
            tool: Usage(
                sum(stage.used[tool].seconds for stage in self.stages),
                sum(stage.used[tool].cpu_seconds for stage in self.stages),
                max(stage.used[tool].peak_rss_bytes for stage in self.stages),
            )
            for tool in tools
        }
        return StageFigures(END_TO_END, self.rows, self.stages[0].bytes, used)

    def as_json(self) -> dict[str, Any]:
        """The figures of machine, stages and their sum as JSON values."""
        total = self.end_to_end()
        return {
            "rows": self.rows,
            "machine": asdict(self.machine),
            "stages": [stage.as_json() for stage in self.stages],
            "end_to_end": None if total is None else total.as_json(),
            "tables": dict(self.tables),
        }

    def show(self, show_table: ShowTable) -> None:
        """The report as a table: a line a stage and tool."""
        total = self.end_to_end()
        lines = [line for stage in (*self.stages, *([total] if total else [])) for line in _lines(stage)]
        load = f"load average {self.machine.load_before:.1f} before, {self.machine.load_after:.1f} after"
        show_table(
            f"{self.rows:,} films; {self.machine.processors} processors; {load}",
            (
                "Stage",
                "Tool",
                "Seconds",
                "CPU s",
                "Films/s",
                "MB/s",
                "Peak MB",
                "Platform / bare",
                "Naive / platform",
            ),
            lines,
        )


def _lines(stage: StageFigures) -> list[tuple[Any, ...]]:
    return [
        (
            stage.stage,
            tool,
            round(usage.seconds, 2),
            round(usage.cpu_seconds, 2),
            round(per_second(stage.rows, usage)),
            round(per_second(stage.bytes, usage) / _MEGABYTE, 1),
            round(usage.peak_rss_bytes / _MEGABYTE),
            _rounded(stage.ratio(PLATFORM, BARE)) if tool == BARE else None,
            _rounded(stage.ratio(NAIVE, PLATFORM)) if tool == NAIVE else None,
        )
        for tool, usage in ((tool, stage.used[tool]) for tool in TOOLS if tool in stage.used)
    ]


def per_second(amount: int, usage: Usage) -> float:
    """An amount divided by the seconds that it took; 0 for no time at all."""
    return amount / usage.seconds if usage.seconds else 0.0


def parse_stages(text: str) -> tuple[str, ...]:
    """Stages named with commas between, in the order of the pipeline; empty text means all.

    A stage needs what those before it make, so they have to be the first ones. Raises ConfigurationError.
    """
    named = {name.strip() for name in text.split(",") if name.strip()} or set(STAGES)
    wanted = tuple(stage for stage in STAGES if stage in named)
    if len(wanted) != len(named) or wanted != STAGES[: len(wanted)]:
        raise ConfigurationError(
            "bad_stages",
            f"{text!r} are not the first stages of the pipeline",
            f"Name stages from the first on, without a gap: {', '.join(STAGES)}.",
        )
    return wanted


def parse_days(text: str) -> tuple[int, ...]:
    """Numbers of days with commas between, in ascending order. Raises ConfigurationError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) <= _MOST_DAYS for part in parts):
        raise ConfigurationError(
            "bad_days",
            f"{text!r} are not numbers of days",
            f"Name whole numbers from 0 to {_MOST_DAYS} with commas between, such as 1,10,50.",
        )
    return tuple(sorted({int(part) for part in parts}))


def parse_tools(beside: str) -> frozenset[str]:
    """The tools to measure: the platform and what `beside` says: all, bare or none. Raises ConfigurationError."""
    choices = {"all": TOOLS, "bare": (PLATFORM, BARE), "none": (PLATFORM,)}
    if beside not in choices:
        raise ConfigurationError(
            "bad_tools", f"{beside!r} is not a choice of tools", f"Choose one of {', '.join(choices)}."
        )
    return frozenset(choices[beside])


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 2)
