"""`movie-platform run`: the whole pipeline for a date or a range."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from movie_platform.commands import console
from movie_platform.commands.base import JsonFileCommand, global_options
from movie_platform.commands.local_platform import require_running

if TYPE_CHECKING:
    from movie_platform.runs.result import RunReport


def register(app: typer.Typer) -> None:
    """Add `movie-platform run` to the command line."""
    app.command(
        cls=JsonFileCommand,
        epilog="Example: movie-platform run --date 2026-11-18 --to 2026-11-20 --profile movies.toml",
    )(run)


_DATE = ["%Y-%m-%d"]


def run(
    context: typer.Context,
    first: Annotated[
        datetime, typer.Option("--date", formats=_DATE, help="The UTC date that the extract describes.")
    ],
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=_DATE, help="Last date of a range; one run a date, in order."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="A built-in profile or a TOML file that describes the source.")
    ] = None,
    label_present: Annotated[
        bool,
        typer.Option(
            "--label-present", help="Let a live source's present state stand for the date, though it is past."
        ),
    ] = False,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help="Write the result as one JSON object (a range: one a date, in `runs`); `-`: stdout.",
        ),
    ] = None,
) -> None:
    """Materialize the whole pipeline for a date, or a range, through Dagster."""
    from movie_platform.commands.progress import RunProgress
    from movie_platform.runs.pipeline import dates_between, run_dates

    options = global_options(context)
    dates = dates_between(first.date(), (last or first).date())
    settings = options.settings()
    require_running(settings)
    reports = []
    with RunProgress(settings.home, debug=options.debug) as progress:
        for report in run_dates(
            settings,
            dates,
            profile=profile,
            label_present=label_present,
            log_level=progress.log_level,
            on_event=progress,
        ):
            reports.append(report)
            progress.finished(report)
    if json_file is not None:
        console.write_json(result_as_json(reports, dates, is_range=last is not None), json_file)
    if json_file != "-":
        show_reports(reports)
    if any(report.status != "success" for report in reports):
        raise typer.Exit(1)


def result_as_json(
    reports: "Sequence[RunReport]", dates: Sequence[date], *, is_range: bool
) -> dict[str, Any]:
    """The result object: a run's own, or for a range one that holds a run's object for each date."""
    if not is_range:
        return reports[0].as_json()
    failed = [report for report in reports if report.status != "success"]
    return {
        "status": failed[0].status if failed else "success",
        "from": dates[0].isoformat(),
        "to": dates[-1].isoformat(),
        "runs": [report.as_json() for report in reports],
    }


def show_reports(reports: "Sequence[RunReport]") -> None:
    """The table of stages, a row a stage and day, and below it what failed."""
    console.show_table(
        "Stages",
        ("date", "stage", "rows in", "rows out", "quarantined", "bytes", "seconds"),
        stage_rows(reports),
    )
    for report in reports:
        failed = [check for check in report.checks if not check.passed]
        passed = len(report.checks) - len(failed)
        nothing_new = ", nothing new at the source" if report.unchanged else ""
        console.show(
            f"{report.date} {report.status}: source {report.source or '?'}, batch {report.batch_id or '-'}"
            f"{nothing_new}, {passed} of {len(report.checks)} checks passed, run {report.run_id}"
        )
        for check in failed:
            console.show(f"  {check.severity.lower()}: {check.asset} {check.name} did not hold")
        if report.error is not None:
            console.show(f"  {report.error.code}: {report.error.message}")


def stage_rows(reports: "Sequence[RunReport]") -> list[tuple[Any, ...]]:
    """A row for each stage of each day, as the table of stages shows them."""
    return [
        (
            report.date.isoformat(),
            stage.name,
            stage.rows_in,
            stage.rows_out,
            report.rows.quarantined if stage.name == "transform" else None,
            console.format_bytes(stage.bytes),
            stage.seconds,
        )
        for report in reports
        for stage in report.stages
    ]
