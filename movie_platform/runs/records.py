"""Reading a finished run back from the instance: materializations, checks and failure as plain values."""

import re
from datetime import date
from typing import Any

import dagster as dg

from movie_platform.graph import tag_names
from movie_platform.runs.result import (
    AssetReport,
    CheckReport,
    ErrorReport,
    RunReport,
    Status,
    build_report,
)


def report_of_run(instance: dg.DagsterInstance, run: dg.DagsterRun, dt: date) -> RunReport:
    """The report of a run that is over, from its event log."""
    entries = instance.all_logs(
        run.run_id,
        of_type={
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION,
            dg.DagsterEventType.STEP_FAILURE,
            dg.DagsterEventType.RUN_FAILURE,
        },
    )
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    seconds = {stats.step_key: _duration(stats) for stats in instance.get_run_step_stats(run.run_id)}
    return build_report(
        status=_status(run),
        dt=dt,
        run_id=run.run_id,
        assets=[
            _asset(event, seconds)
            for event in events
            if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
        ],
        checks=[
            _check(event)
            for event in events
            if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ],
        error=None if run.status == dg.DagsterRunStatus.SUCCESS else _error(run, events),
        source=run.tags.get(tag_names.SOURCE),
        batch_id=run.tags.get(tag_names.BATCH_ID),
    )


def _status(run: dg.DagsterRun) -> Status:
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return "success"
    return "quarantined" if run.tags.get(tag_names.OUTCOME) == tag_names.OUTCOME_QUARANTINED else "failed"


def _asset(event: dg.DagsterEvent, seconds: dict[str, float]) -> AssetReport:
    materialization = event.step_materialization_data.materialization
    step = event.step_key or ""
    return AssetReport(
        key=tuple(materialization.asset_key.path),
        step=step,
        metadata={name: _plain(value) for name, value in materialization.metadata.items()},
        step_seconds=seconds.get(step, 0.0),
    )


def _plain(value: dg.MetadataValue[Any]) -> Any:
    return value.value


def _check(event: dg.DagsterEvent) -> CheckReport:
    evaluation = event.asset_check_evaluation_data
    return CheckReport(
        name=evaluation.check_name,
        asset=evaluation.asset_key.to_user_string(),
        passed=evaluation.passed,
        severity=evaluation.severity.value,
    )


def _duration(stats: Any) -> float:
    return (stats.end_time - stats.start_time) if stats.start_time and stats.end_time else 0.0


def _error(run: dg.DagsterRun, events: list[dg.DagsterEvent]) -> ErrorReport:
    for event in events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            data = event.step_failure_data
            error, metadata = data.error, data.user_failure_data.metadata if data.user_failure_data else {}
            # The user's own exception is the last of the chain that Dagster wraps around it.
            while error is not None and error.cause is not None:
                error = error.cause
            code = metadata.get("code")
            description = data.user_failure_data.description if data.user_failure_data else None
            message = description or (error.message.strip() if error else "the step failed")
            return ErrorReport(
                code=str(code.value) if code else _code_of(error.cls_name if error else None),
                message=f"{event.step_key}: {message}",
            )
    for event in events:
        if event.event_type == dg.DagsterEventType.RUN_FAILURE and event.message:
            return ErrorReport("run_failed", event.message)
    return ErrorReport("run_failed", f"the run ended as {run.status.value}")


def _code_of(class_name: str | None) -> str:
    """An exception's class as a code: `SourceNotFoundError` is `source_not_found_error`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name or "step_failed").lower()
