"""Processing a bundle that landed, as the arrival sensor would, and reporting on the run.

Imports Dagster and all definitions: whoever only uploads a bundle does without this module.
"""

from collections.abc import Sequence
from dataclasses import replace

import dagster as dg

from movie_platform.automation.arrival_runs import known_run
from movie_platform.automation.arrivals import Arrival
from movie_platform.automation.jobs import PROCESS_LANDED_BUNDLE
from movie_platform.automation.processing import processing_tags
from movie_platform.automation.run_owner import fail_orphaned_runs
from movie_platform.build import build_defs, build_resources
from movie_platform.errors import PlatformError
from movie_platform.graph import tag_names
from movie_platform.runs.execute import execute_job
from movie_platform.runs.instance import open_instance
from movie_platform.runs.pipeline import OnEvent, console_logger, require_partitions
from movie_platform.runs.records import report_of_run
from movie_platform.runs.result import ErrorReport, RunReport
from movie_platform.settings import Settings
from movie_platform.waiting import Deadline, Pauses, wait_for

_POLLS = Pauses.steady(1.0)


def process_arrival(
    settings: Settings, arrival: Arrival, *, log_level: str = "INFO", on_event: OnEvent
) -> RunReport:
    """Process a bundle that landed as the sensor would, and report on the run.

    Where a run about it exists, the sensor's for example, that one is waited for and reported on; a failed
    one is tried again. Raises ConfigurationError where its date is no partition.
    """
    job = build_defs(settings).resolve_job_def(PROCESS_LANDED_BUNDLE)
    require_partitions(job.partitions_def, [arrival.dt], settings.first_date)
    with open_instance(settings.home) as instance:
        earlier = _ended_runs_about(instance, arrival)
        run = _run_that_settled_it(earlier) or execute_job(
            job,
            instance,
            partition_key=arrival.dt.isoformat(),
            run_config={"loggers": console_logger(log_level)},
            tags=processing_tags(arrival, len(earlier) + 1),
            on_event=on_event,
        )
        report = report_of_run(instance, run, arrival.dt)
    return report if report.status == "success" else _with_reason(settings, arrival, report)


def _ended_runs_about(instance: dg.DagsterInstance, arrival: Arrival) -> Sequence[dg.RunRecord]:
    """The runs about a bundle, newest first, once none of them is under way any more."""
    about = dg.RunsFilter(tags={tag_names.BUNDLE_KEY: arrival.key, tag_names.BUNDLE_ETAG: arrival.etag})

    def ended() -> Sequence[dg.RunRecord] | None:
        fail_orphaned_runs(instance)
        records = instance.get_run_records(about)
        return records if all(known_run(record).finished for record in records) else None

    # Without a deadline: a run has its own, and one whose process is gone counts as ended.
    return wait_for(ended, "runs about the bundle", deadline=Deadline.never(), pauses=_POLLS)


def _run_that_settled_it(records: Sequence[dg.RunRecord]) -> dg.DagsterRun | None:
    """The newest run after which there is nothing to try again: it succeeded, or it failed for good."""
    for record in records:
        known = known_run(record)
        if known.succeeded or known.final:
            return record.dagster_run
    return None


def _with_reason(settings: Settings, arrival: Arrival, report: RunReport) -> RunReport:
    """The report with the verifier's reason where the bundle went to quarantine, unchanged otherwise."""
    resources = build_resources(settings)
    reason = resources["landing"].quarantine_reason(arrival.key, arrival.etag)
    if reason is None and not any(stage.name == "unpack" for stage in report.stages):
        # A check refused it before the function had heard of it: the function's word counts, and is its to give.
        try:
            reason = resources["unpacker"].unpack(arrival.bucket, arrival.key, arrival.etag).reason
        except PlatformError:
            # The function itself failed: the run's own error says more than that.
            return report
    if reason is None:
        return report
    entry = f" ({reason['entry']})" if reason.get("entry") else ""
    return replace(
        report,
        status="quarantined",
        error=ErrorReport(str(reason["code"]), f"{reason['message']}{entry}"),
    )
