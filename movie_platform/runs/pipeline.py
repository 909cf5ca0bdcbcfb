"""The whole graph for one date or a range: one run a date, in order."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from movie_platform.automation.jobs import MATERIALIZE_DAY
from movie_platform.automation.run_owner import fail_orphaned_runs
from movie_platform.build import build_defs
from movie_platform.errors import ConfigurationError
from movie_platform.graph.asset_keys import RAW_EXTRACT
from movie_platform.runs.execute import execute_job
from movie_platform.runs.instance import open_instance
from movie_platform.runs.records import report_of_run
from movie_platform.runs.result import RunReport
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile

OnEvent = Callable[[dg.DagsterEvent], None]


def dates_between(first: date, last: date) -> tuple[date, ...]:
    """All dates from `first` to `last`, both included. Raises ConfigurationError where `last` comes first."""
    if last < first:
        raise ConfigurationError(
            "empty_range", f"the range ends on {last}, before it begins on {first}", "Swap --date and --to."
        )
    return tuple(first + timedelta(days=day) for day in range((last - first).days + 1))


def require_partitions(
    partitions: dg.PartitionsDefinition | None, dates: Sequence[date], first_date: date
) -> None:
    """Raises ConfigurationError where one of the dates is no partition: before the first one, or in the
    future.
    """
    for dt in dates:
        if partitions is None or not partitions.has_partition_key(dt.isoformat()):
            raise ConfigurationError(
                "no_such_date",
                f"{dt} is not a date of this platform: they run from {first_date} to today,"
                f" {datetime.now(UTC).date()} (UTC)",
                "Choose a date in between, or set MOVIE_PLATFORM_FIRST_DATE to an earlier one.",
            )


def absolute_profile(name_or_path: str) -> str:
    """A profile's file as an absolute path, so that the run can be executed again from another folder."""
    is_path = name_or_path.endswith(".toml") or "/" in name_or_path
    return str(Path(name_or_path).expanduser().absolute()) if is_path else name_or_path


def console_logger(log_level: str) -> dict[str, Any]:
    """Run configuration of Dagster's logger to the terminal; the instance keeps everything whatever it
    shows.
    """
    return {"console": {"config": {"log_level": log_level}}}


def run_dates(
    settings: Settings,
    dates: Sequence[date],
    *,
    profile: str | None = None,
    label_present: bool = False,
    log_level: str = "INFO",
    on_event: OnEvent = lambda _event: None,
) -> Iterator[RunReport]:
    """Materialize the whole graph for each date, in the order given, and report on each run as it ends.

    A failed date does not stop the dates after it: they are runs of their own. `profile` is a name or a
    TOML file, the settings' default where it is None; `log_level` is what Dagster's console logger shows.
    Raises ConfigurationError before the first run where the profile or a date is wrong.
    """
    name = profile or settings.default_profile
    load_profile(name, settings=settings)
    job = build_defs(settings).resolve_job_def(MATERIALIZE_DAY)
    require_partitions(job.partitions_def, dates, settings.first_date)
    extract = {"profile": absolute_profile(name), "label_present": label_present}
    run_config: dict[str, Any] = {
        "ops": {RAW_EXTRACT.to_python_identifier(): {"config": extract}},
        "loggers": console_logger(log_level),
    }
    with open_instance(settings.home) as instance:
        fail_orphaned_runs(instance)
        for dt in dates:
            run = execute_job(
                job, instance, partition_key=dt.isoformat(), run_config=run_config, tags={}, on_event=on_event
            )
            yield report_of_run(instance, run, dt)
