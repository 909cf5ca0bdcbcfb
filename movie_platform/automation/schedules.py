"""What runs by the clock: the extract of each day. All else follows from what arrives."""

import dagster as dg

from movie_platform.automation.jobs import EXTRACT_DAY
from movie_platform.graph import tag_names
from movie_platform.settings import Settings


def build_extract_daily(settings: Settings, default_source: str) -> dg.ScheduleDefinition:
    """A run each day, for that day: an extract describes the day on which it runs."""

    @dg.schedule(
        name="extract_daily",
        cron_schedule=settings.extract_cron,
        execution_timezone="UTC",
        job_name=EXTRACT_DAY,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Extracts the day and lands its bundle; the arrival sensor takes it from there.",
    )
    def extract_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = context.scheduled_execution_time.date().isoformat()
        return dg.RunRequest(run_key=day, partition_key=day, tags={tag_names.SOURCE: default_source})

    return extract_daily
