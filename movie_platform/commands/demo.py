"""`movie-platform demo`: three days of a real movie database, from source to marts, on this machine."""

import time
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.commands.demo_queries import QUESTIONS, RECONCILIATION, load_query
from movie_platform.commands.local_platform import running_platform
from movie_platform.commands.run import show_reports
from movie_platform.errors import ConfigurationError, PlatformError
from movie_platform.resources.snowflake_connection import connect, query_rows

if TYPE_CHECKING:
    from movie_platform.runs.result import RunReport
    from movie_platform.settings import Settings

# The days that the changes in sample_data are dated for: the same on whatever day the demo is run.
DAYS = (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))
PROFILE = "demo"
_NEXT_STEPS = (
    "dev          the same runs in the Dagster UI; sensors and schedules on",
    "cloud up     for queries, such as",
    "sql 'SELECT rank, title, weighted_rating FROM MARTS.TOP_MOVIES ORDER BY provider, rank LIMIT 5'",
    "demo         again: nothing new, and the tables stay as they are",
)


def register(app: typer.Typer) -> None:
    """Add `movie-platform demo` to the command line."""
    app.command(cls=Command, epilog="Example: movie-platform demo --home /tmp/movies")(demo)


def demo(context: typer.Context) -> None:
    """Carry three days of a real movie database (17,472 films) from source to the marts in Snowflake.

    Starts the local cloud, provisions it, runs the pipeline for 2026-11-18 to 20, checks everything and shows
    what came of it. A second time it finds nothing new. A local cloud that ran before goes on running, else it
    is stopped at the end; everything stays in the home folder.
    """
    started = time.monotonic()
    options = global_options(context)
    if options.settings().environment != "local":
        raise ConfigurationError(
            "demo_is_local",
            "the demo runs on the local cloud, and the settings point at AWS",
            "Unset MOVIE_PLATFORM_ENVIRONMENT, or carry a day there: `movie-platform run --date YYYY-MM-DD`.",
        )
    with running_platform(options) as settings:
        reports = _carry(settings, debug=options.debug)
        _show_answers(settings, reports)
    console.show("")
    console.show(f"Done in {time.monotonic() - started:.0f} s. Everything is in {settings.home}.")
    for line in next_steps(settings):
        console.show(line)


def _carry(settings: "Settings", *, debug: bool) -> "list[RunReport]":
    from movie_platform.commands.progress import RunProgress
    from movie_platform.runs.pipeline import run_dates

    console.say(f"Carrying {DAYS[0]} to {DAYS[-1]} from source to marts")
    reports: list[RunReport] = []
    with RunProgress(settings.home, debug=debug) as progress:
        for report in run_dates(
            settings, DAYS, profile=PROFILE, log_level=progress.log_level, on_event=progress
        ):
            reports.append(report)
            progress.finished(report)
    show_reports(reports)
    failed = [report for report in reports if report.status != "success"]
    if failed:
        error = failed[0].error
        raise PlatformError(
            "demo_failed",
            f"{len(failed)} of {len(reports)} days failed, the first {failed[0].date}"
            + (f": {error.message}" if error else ""),
            f"`movie-platform --home {settings.home} dev` shows run {failed[0].run_id} with its logs.",
        )
    return reports


def _show_answers(settings: "Settings", reports: "Sequence[RunReport]") -> None:
    values: dict[str, Any] = {"source": reports[0].source, "first": DAYS[0], "last": DAYS[-1]}
    with connect(settings) as connection:
        for query in map(load_query, QUESTIONS):
            _show_rows(query.title, list(query_rows(connection, query.sql, values)))
        reconciliation = load_query(RECONCILIATION)
        days = list(query_rows(connection, reconciliation.sql, values))
    _show_rows(reconciliation.title, days)
    problems = unaccounted(reports, days)
    if problems:
        raise PlatformError(
            "rows_do_not_reconcile", "; ".join(problems), "See the checks of the runs in the UI."
        )


def unaccounted(reports: "Sequence[RunReport]", days: Sequence[dict[str, Any]]) -> list[str]:
    """What does not add up between what the runs say and what the warehouse holds; nothing where all does."""
    in_warehouse = {_as_date(day["dt"]): day for day in days}
    problems = []
    for report in reports:
        day = in_warehouse.get(report.date)
        if day is None:
            problems.append(f"{report.date}: no complete batch in the warehouse")
            continue
        extracted = report.rows.extracted + report.rows.rejected
        if int(day["unaccounted"]) != 0:
            problems.append(
                f"{report.date}: {day['unaccounted']} rows of {day['rows_in']} are unaccounted for"
            )
        if int(day["rows_in"]) != extracted:
            problems.append(
                f"{report.date}: {extracted} rows extracted, {day['rows_in']} announced in the warehouse"
            )
    return problems


def _as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _show_rows(title: str, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        console.show(f"{title}: no rows")
        return
    console.show_table(
        title,
        tuple(name.replace("_", " ") for name in rows[0]),
        [tuple(_number(v) for v in row.values()) for row in rows],
    )


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def next_steps(settings: "Settings") -> list[str]:
    """What one can do now, with the home where it is not the default one."""
    from movie_platform.settings import DEFAULT_HOME

    command = "movie-platform"
    if settings.home != DEFAULT_HOME.absolute():
        command += f" --home {settings.home}"
    return ["What to do next:", *(f"  {command} {step}" for step in _NEXT_STEPS)]
