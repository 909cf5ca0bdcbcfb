"""The sensors that send alerts: on failed runs and on missed freshness."""

import json

import dagster as dg

from movie_platform.automation.alerting import (
    FailedCheck,
    FailedRun,
    FailedStep,
    alert_for_failed_run,
    alert_for_stale_asset,
    turned_to_fail,
)
from movie_platform.graph import asset_keys
from movie_platform.resources.alerts import AlertTopic
from movie_platform.settings import Settings

# One run has a few hundred events of these types at most.
EVENTS_A_RUN = 1000
FRESHNESS_INTERVAL_SECONDS = 30


@dg.run_failure_sensor(
    name="run_failure_alerts",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=10,
    description="Sends one alert for a run, or a blocking check, that failed for good.",
)
def run_failure_alerts(context: dg.RunFailureSensorContext, alert_topic: AlertTopic) -> dg.SkipReason | None:
    """Gathers what failed in the run, and sends what `alert_for_failed_run` makes of it."""
    # Read again: the run's steps, and the run retries, add tags while and after it runs.
    run = context.instance.get_run_by_id(context.dagster_run.run_id) or context.dagster_run
    alert = alert_for_failed_run(
        FailedRun(
            run_id=run.run_id,
            job_name=run.job_name,
            tags=run.tags,
            message=context.failure_event.message or "no message",
            steps=_failed_steps(context.instance, run.run_id),
            checks=_failed_checks(context.instance, run.run_id),
        )
    )
    if alert is None:
        return dg.SkipReason(
            f"Run {run.run_id}: another attempt follows, or the alert has been sent by others."
        )
    message_id = alert_topic.publish(alert)
    context.log.info(f"Sent alert {message_id}: {alert.subject}")
    return None


def _failed_steps(instance: dg.DagsterInstance, run_id: str) -> list[FailedStep]:
    found: list[FailedStep] = []
    page = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=EVENTS_A_RUN)
    for record in page.records:
        event = record.event_log_entry.dagster_event
        if event is None or event.step_key is None:
            continue
        data = event.step_failure_data
        error = data.user_failure_data.description if data.user_failure_data else None
        cause = data.error.cause if data.error and data.error.cause else data.error
        found.append(FailedStep(event.step_key, error or (cause.message.strip() if cause else "no message")))
    return found


def _failed_checks(instance: dg.DagsterInstance, run_id: str) -> list[FailedCheck]:
    found: list[FailedCheck] = []
    page = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION, limit=EVENTS_A_RUN
    )
    for record in page.records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR:
            found.append(
                FailedCheck(
                    evaluation.asset_key.to_user_string(),
                    evaluation.check_name,
                    evaluation.description or "no description",
                )
            )
    return found


def build_freshness_alerts(settings: Settings) -> dg.SensorDefinition:
    """The sensor that turns each change to FAIL into one message."""

    @dg.sensor(
        name="freshness_alerts",
        minimum_interval_seconds=FRESHNESS_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends one alert when an asset's freshness policy turns to FAIL.",
    )
    def freshness_alerts(context: dg.SensorEvaluationContext, alert_topic: AlertTopic) -> dg.SkipReason:
        now = freshness_states(context.instance, (*asset_keys.WAREHOUSE, *asset_keys.MARTS))
        before = json.loads(context.cursor) if context.cursor else {}
        stale = turned_to_fail(before, now)
        for asset in stale:
            alert_topic.publish(alert_for_stale_asset(asset, str(settings.freshness_fail)))
        context.update_cursor(json.dumps(now, sort_keys=True))
        return dg.SkipReason(f"{len(stale)} assets turned to FAIL, {len(now)} looked at")

    return freshness_alerts


def freshness_states(instance: dg.DagsterInstance, assets: tuple[dg.AssetKey, ...]) -> dict[str, str]:
    """The freshness state (PASS, WARN, FAIL, UNKNOWN) that Dagster's freshness daemon last saw of each asset."""
    records = instance.get_freshness_state_records(list(assets))
    return {key.to_user_string(): record.freshness_state.value for key, record in records.items()}
