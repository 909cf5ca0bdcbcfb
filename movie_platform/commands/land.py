"""`movie-platform land`: put a bundle into the landing bucket as an outside producer would."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import JsonFileCommand, global_options
from movie_platform.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        cls=JsonFileCommand, epilog="Example: movie-platform land movies.zip --wait --json result.json"
    )(land)


def land(
    context: typer.Context,
    bundle: Annotated[
        Path,
        typer.Argument(metavar="BUNDLE.zip", exists=True, dir_okay=False, readable=True, help="The bundle."),
    ],
    source: Annotated[
        str | None, typer.Option(help="Source that it belongs to; by default its manifest's.")
    ] = None,
    dt: Annotated[
        datetime | None,
        typer.Option(
            "--date", formats=["%Y-%m-%d"], help="Date that it describes; by default its manifest's."
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Process it as the sensor would, and report.")] = False,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help="With --wait: write the result as one JSON object; `-` or no file: stdout.",
        ),
    ] = None,
) -> None:
    """Put a bundle into the landing bucket, where the sensor finds it; with --wait, process it."""
    from movie_platform.commands.local_platform import require_running
    from movie_platform.commands.progress import RunProgress
    from movie_platform.commands.run import show_reports
    from movie_platform.runs.bundle_claim import landing_key, read_claim
    from movie_platform.runs.bundle_upload import put_bundle

    if json_file is not None and not wait:
        raise ConfigurationError(
            "json_without_wait", "there is no result to write without --wait", "Add --wait."
        )
    options = global_options(context)
    settings = options.settings()
    with bundle.open("rb") as file:
        claim = read_claim(file)
    key = landing_key(claim, bundle.name, source=source, dt=dt.date() if dt else None)
    require_running(settings)
    arrival = put_bundle(settings, bundle, key)
    console.say(f"Landed s3://{arrival.bucket}/{arrival.key} ({console.format_bytes(arrival.size)})")
    if not wait:
        return
    with RunProgress(settings.home, debug=options.debug) as progress:
        # It imports Dagster: an upload alone does without, and what importing prints belongs to the run's log.
        from movie_platform.runs.landed_bundle import process_arrival

        report = process_arrival(settings, arrival, log_level=progress.log_level, on_event=progress)
        progress.finished(report)
    if json_file is not None:
        console.write_json(report.as_json(), json_file)
    if json_file != "-":
        show_reports([report])
    if report.status != "success":
        raise typer.Exit(1)
