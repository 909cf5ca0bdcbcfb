"""One day's extract, zipped and landed, without what comes after: for an orchestrator that takes it from there."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import dagster as dg

from movie_platform.automation.jobs import EXTRACT_DAY
from movie_platform.automation.run_owner import fail_orphaned_runs
from movie_platform.build import build_defs
from movie_platform.graph import tag_names
from movie_platform.graph.asset_keys import RAW_EXTRACT
from movie_platform.runs.execute import execute_job
from movie_platform.runs.instance import open_instance
from movie_platform.runs.pipeline import OnEvent, absolute_profile, console_logger, require_partitions
from movie_platform.runs.records import report_of_run
from movie_platform.runs.result import ErrorReport, RunReport
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What landed. `key` and `etag` are those of the bundle that stands for the date.

    `unchanged`: the source says what it said before, so that nothing new was landed and the bundle is the earlier one.
    """

    status: str
    date: date
    source: str | None
    batch_id: str | None
    bucket: str
    key: str | None
    etag: str | None
    rows: int
    rejected: int
    bytes: int
    unchanged: bool
    run_id: str | None
    error: ErrorReport | None

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values; the keys are a promise to scripts."""
        return {**asdict(self), "date": self.date.isoformat()}


def extract_day(
    settings: Settings,
    dt: date,
    *,
    profile: str | None = None,
    label_present: bool = False,
    retry: bool = True,
    log_level: str = "INFO",
    on_event: OnEvent = lambda _event: None,
) -> ExtractReport:
    """Extract a date, zip and land it, and run the checks of both; answers also where that failed.

    Without `retry` no step is tried again: an orchestrator that has attempts of its own would multiply them.
    Raises ConfigurationError before anything is read where the profile or the date is wrong.
    """
    name = profile or settings.default_profile
    load_profile(name, settings=settings)
    job = build_defs(settings).resolve_job_def(EXTRACT_DAY)
    require_partitions(job.partitions_def, [dt], settings.first_date)
    config = {"profile": absolute_profile(name), "label_present": label_present}
    run_config: dict[str, Any] = {
        "ops": {RAW_EXTRACT.to_python_identifier(): {"config": config}},
        "loggers": console_logger(log_level),
    }
    if not retry:
        run_config["execution"] = {"config": {"retries": {"disabled": {}}}}
    with open_instance(settings.home) as instance:
        fail_orphaned_runs(instance)
        run = execute_job(
            job, instance, partition_key=dt.isoformat(), run_config=run_config, tags={}, on_event=on_event
        )
        return _report(settings.bucket("landing"), run, report_of_run(instance, run, dt))


def _report(bucket: str, run: dg.DagsterRun, report: RunReport) -> ExtractReport:
    bundle = next((stage for stage in report.stages if stage.name == "bundle"), None)
    return ExtractReport(
        status=report.status,
        date=report.date,
        source=report.source,
        batch_id=report.batch_id,
        bucket=bucket,
        key=run.tags.get(tag_names.LANDED_KEY),
        etag=run.tags.get(tag_names.BUNDLE_ETAG),
        rows=report.rows.bundled,
        rejected=report.rows.rejected,
        bytes=0 if bundle is None else bundle.bytes,
        unchanged=report.unchanged,
        run_id=run.run_id,
        error=report.error,
    )
