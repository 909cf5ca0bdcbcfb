"""`movie-platform bench`: each stage's speed and memory beside plain tools on the same data."""

from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import JsonFileCommand

_EPILOG = (
    "Examples: movie-platform bench --rows 1000000\n\n"
    "movie-platform bench --rows 3000000 --stages extract,bundle,unpack --beside none\n\n"
    "movie-platform bench --landed-objects 100000\n\n"
    "movie-platform bench --rows 1000000 --core-days 1,10,50\n\n"
    "movie-platform bench --imdb-titles 12000000"
)


def register(app: typer.Typer) -> None:
    """Add `movie-platform bench` to the command line."""
    app.command(cls=JsonFileCommand, epilog=_EPILOG)(bench)


def bench(
    rows: Annotated[int, typer.Option(min=1, help="Films to generate.")] = 100_000,
    stages: Annotated[
        str,
        typer.Option(help="The first of: extract,bundle,unpack,transform,load. By default all."),
    ] = "",
    beside: Annotated[
        str, typer.Option(help="Measure beside the platform: all, bare (bare tools only) or none.")
    ] = "all",
    landed_objects: Annotated[
        int | None,
        typer.Option(
            min=1, help="Instead of the stages: time ticks of the arrival sensor with so many objects landed."
        ),
    ] = None,
    core_days: Annotated[
        str,
        typer.Option(
            help="Instead of the stages: time the task graph for one more day after so many days, such as 1,10,50."
        ),
    ] = "",
    imdb_titles: Annotated[
        int | None,
        typer.Option(min=1, help="Instead of the stages: read so many titles of IMDb's files, generated."),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write the figures as JSON; `-` or no file: stdout."),
    ] = None,
) -> None:
    """Measure each stage's speed and memory beside plain tools on the same data.

    Everything happens in a temporary folder (TMPDIR) with a local cloud of its own; --home is not touched.
    A million films need about 10 GB there.
    """
    from movie_platform.bench.report import parse_stages, parse_tools

    wanted, tools = parse_stages(stages), parse_tools(beside)
    if landed_objects is not None:
        from movie_platform.bench.arrivals import measure_ticks

        report = measure_ticks(landed_objects, progress=console.say)
    elif core_days:
        from movie_platform.bench.core_history import measure_history
        from movie_platform.bench.report import parse_days

        report = measure_history(rows, parse_days(core_days), progress=console.say)
    elif imdb_titles is not None:
        from movie_platform.bench.imdb import measure_imdb

        report = measure_imdb(imdb_titles, progress=console.say)
    else:
        from movie_platform.bench.pipeline import run_benchmark

        report = run_benchmark(rows=rows, stages=wanted, tools=tools, progress=console.say)
    if json_file is not None:
        console.write_json(report.as_json(), json_file)
    if json_file != "-":
        report.show(console.show_table)
