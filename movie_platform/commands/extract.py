"""`movie-platform extract`: a day's extract, zipped and landed, for an orchestrator that takes it from there."""

import json
import sys
from datetime import datetime
from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.commands.local_platform import require_running


def register(app: typer.Typer) -> None:
    """Add `movie-platform extract` to the command line."""
    app.command(
        cls=Command, epilog="Example: movie-platform extract --date 2026-11-18 --profile movies.toml --json"
    )(extract)


def extract(
    context: typer.Context,
    dt: Annotated[
        datetime,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The UTC date that the extract describes."),
    ],
    profile: Annotated[
        str | None, typer.Option(help="A built-in profile or a TOML file that describes the source.")
    ] = None,
    label_present: Annotated[
        bool,
        typer.Option(
            "--label-present", help="Let a live source's present state stand for the date, though it is past."
        ),
    ] = False,
    no_retry: Annotated[
        bool, typer.Option("--no-retry", help="Fail at the first attempt: whoever called tries again.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on one line, the last of stdout.")
    ] = False,
) -> None:
    """Extract a day, zip it and land it, and stop there: whoever waits for the bundle processes it."""
    from movie_platform.commands.progress import RunProgress
    from movie_platform.runs.extraction import extract_day

    options = global_options(context)
    settings = options.settings()
    require_running(settings)
    with RunProgress(settings.home, debug=options.debug) as progress:
        report = extract_day(
            settings,
            dt.date(),
            profile=profile,
            label_present=label_present,
            retry=not no_retry,
            log_level=progress.log_level,
            on_event=progress,
        )
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False) + "\n")
    elif report.status == "success":
        console.show(
            f"{report.date} s3://{report.bucket}/{report.key}: source {report.source}, batch {report.batch_id},"
            f" {report.rows:,} rows{', nothing new at the source' if report.unchanged else ''}"
        )
    if report.status != "success":
        if report.error is not None:
            console.say(f"error: {report.error.message} [{report.error.code}]")
        raise typer.Exit(1)
