"""`movie-platform bench`: each stage's speed and memory beside plain tools on the same data."""

from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import JsonFileCommand, global_options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=JsonFileCommand, epilog="Example: movie-platform bench --rows 1000000")(bench)


def bench(
    context: typer.Context,
    rows: Annotated[int, typer.Option(min=1, help="Films to generate.")] = 100_000,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write the figures as JSON; `-` or no file: stdout."),
    ] = None,
) -> None:
    """Measure each stage's speed and memory beside plain tools on the same data."""
    from movie_platform.bench import run

    report = run(global_options(context).settings(), rows=rows, progress=console.say)
    if json_file is not None:
        console.write_json(report.as_json(), json_file)
    if json_file != "-":
        report.show(console.show_table)
