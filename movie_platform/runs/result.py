"""What one run did, as one object: stages, rows, quarantine and checks, made from what Dagster recorded of
it.

Pure: it gets the events' contents and knows nothing of the storage that they came from. The object's keys
are a promise to scripts (`run --json`, `land --wait --json`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from movie_platform.graph.metadata_names import (
    BATCH_ID,
    BYTES,
    COUNTS,
    NULLED,
    PEAK_RSS_BYTES,
    REJECTED,
    ROWS_IN,
    ROWS_OUT,
    SECONDS,
    SOURCE_NAME,
    UNCHANGED,
)

Status = Literal["success", "failed", "quarantined"]

_RAW = ("snowflake", "raw")
_OPS = ("snowflake", "ops")
# The stages in the order in which data flows, and the beginnings of the asset keys that each consists of.
STAGES: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("extract", (("extract",),)),
    ("bundle", (("landing",),)),
    ("unpack", (("processed",),)),
    ("transform", (("archive",),)),
    ("load", (_RAW, _OPS)),
    ("core", (("snowflake", "core"),)),
    ("marts", (("snowflake", "marts"),)),
)


@dataclass(frozen=True, slots=True)
class AssetReport:
    """One materialization: the asset's key, the step that made it, and its metadata as plain values."""

    key: tuple[str, ...]
    step: str
    metadata: Mapping[str, Any]
    step_seconds: float = 0.0

    def number(self, name: str) -> int:
        """An integer of the metadata, 0 where it is not reported."""
        value = self.metadata.get(name)
        return int(value) if isinstance(value, int | float) else 0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One evaluation of an asset check. `severity` is ERROR or WARN."""

    name: str
    asset: str
    passed: bool
    severity: str


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Why a run did not succeed: a code for programs, a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StageReport:
    """One stage of the pipeline; rows are films, for `load` and `marts` the rows of all tables and views.

    `core`: films of the day's winning batch in RAW, and in the day's snapshot.
    """

    name: str
    seconds: float
    rows_in: int
    rows_out: int
    bytes: int
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class RowsReport:
    """Rows at each hop: films, for `loaded` the rows of each table."""

    extracted: int = 0
    rejected: int = 0
    bundled: int = 0
    unpacked: int = 0
    transformed: int = 0
    quarantined: int = 0
    duplicates_removed: int = 0
    loaded: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunReport:
    """The object that `run --json` and `land --wait --json` write. `unchanged`: the source said nothing
    new.
    """

    status: Status
    date: date
    batch_id: str | None
    source: str | None
    run_id: str | None
    stages: Sequence[StageReport] = ()
    rows: RowsReport = field(default_factory=RowsReport)
    quarantine: Mapping[str, int] = field(default_factory=dict)
    nulled: Mapping[str, int] = field(default_factory=dict)
    checks: Sequence[CheckReport] = ()
    error: ErrorReport | None = None
    unchanged: bool = False

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values; the date as YYYY-MM-DD."""
        return {**asdict(self), "date": self.date.isoformat()}


def build_report(
    *,
    status: Status,
    dt: date,
    run_id: str | None,
    assets: Iterable[AssetReport],
    checks: Iterable[CheckReport],
    error: ErrorReport | None,
    source: str | None = None,
    batch_id: str | None = None,
) -> RunReport:
    """Put a run's records together. The last materialization of an asset counts; what did not run reports
    zeros.
    """
    latest = {asset.key: asset for asset in assets}
    counts = _first_mapping(latest.values(), COUNTS)
    extract = latest.get(("extract", "raw_extract"))
    bundle = latest.get(("landing", "zipped_bundle"))
    unpack = latest.get(("processed", "unzipped_files"))
    rows = RowsReport(
        extracted=extract.number(ROWS_OUT) if extract else 0,
        rejected=extract.number(REJECTED) if extract else unpack.number(REJECTED) if unpack else 0,
        # A bundle that an outside producer sent was zipped elsewhere: it holds what was unpacked of it.
        bundled=bundle.number(ROWS_OUT) if bundle else unpack.number(ROWS_IN) if unpack else 0,
        unpacked=unpack.number(ROWS_OUT) if unpack else 0,
        transformed=int(counts.get("movies", 0)),
        quarantined=int(counts.get("quarantined", 0)),
        duplicates_removed=int(counts.get("exact_duplicates", 0)),
        loaded={key[-1]: asset.number(ROWS_OUT) for key, asset in latest.items() if _is_loaded_table(key)},
    )
    return RunReport(
        status=status,
        date=dt,
        batch_id=batch_id or _first_text(latest.values(), BATCH_ID),
        source=source or _first_text(latest.values(), SOURCE_NAME),
        run_id=run_id,
        stages=_stages(latest.values(), counts),
        rows=rows,
        quarantine={code: int(n) for code, n in counts.get("quarantined_by_rule", {}).items()},
        nulled={column: int(n) for column, n in _first_mapping(latest.values(), NULLED).items()},
        checks=tuple(checks),
        error=error,
        unchanged=bool(bundle and bundle.metadata.get(UNCHANGED)),
    )


def _is_loaded_table(key: tuple[str, ...]) -> bool:
    return key[:2] in {_RAW, _OPS}


def _stages(assets: Iterable[AssetReport], counts: Mapping[str, Any]) -> tuple[StageReport, ...]:
    reports = []
    assets = list(assets)
    for name, prefixes in STAGES:
        members = [
            asset for asset in assets if any(asset.key[: len(prefix)] == prefix for prefix in prefixes)
        ]
        if not members:
            continue
        rows_in = sum(member.number(ROWS_IN) for member in members)
        rows_out = sum(member.number(ROWS_OUT) for member in members)
        if name == "transform" and counts:
            rows_in, rows_out = int(counts["rows_in"]), int(counts["movies"])
        reports.append(
            StageReport(
                name=name,
                seconds=round(_seconds(members), 3),
                rows_in=rows_in,
                rows_out=rows_out,
                bytes=sum(member.number(BYTES) for member in members),
                peak_rss_bytes=max(member.number(PEAK_RSS_BYTES) for member in members),
            )
        )
    return tuple(reports)


def _seconds(members: Iterable[AssetReport]) -> float:
    """Time of a stage: a step that made several assets counts once."""
    by_step: dict[str, float] = {}
    for member in members:
        said = member.metadata.get(SECONDS)
        seconds = float(said) if isinstance(said, int | float) else member.step_seconds
        by_step[member.step] = max(by_step.get(member.step, 0.0), seconds)
    return sum(by_step.values())


def _first_mapping(assets: Iterable[AssetReport], name: str) -> Mapping[str, Any]:
    for asset in assets:
        value = asset.metadata.get(name)
        if isinstance(value, Mapping):
            return value
    return {}


def _first_text(assets: Iterable[AssetReport], name: str) -> str | None:
    for asset in assets:
        value = asset.metadata.get(name)
        if isinstance(value, str):
            return value
    return None
