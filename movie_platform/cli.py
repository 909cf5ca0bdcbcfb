"""The command `movie-platform`: its groups put together, and the process around it. Each group is a module
of `commands`.
"""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from movie_platform import __version__
from movie_platform.commands import (
    bench,
    bundle,
    cloud,
    demo,
    destroy,
    dev,
    doctor,
    export,
    extract,
    land,
    provision,
    run,
    sql,
)
from movie_platform.commands.base import GlobalOptions, RootGroup

app = typer.Typer(
    name="movie-platform",
    cls=RootGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here: movie-platform demo. Exit codes: 0 done, 1 the work failed, 2 wrong usage.",
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"movie-platform {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder of everything that a local platform keeps; MOVIE_PLATFORM_HOME or .movie_platform.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and Dagster's own log.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Movie data from a source to Snowflake, through S3, Lambda, Glue and Snowpipe: on AWS, or wholly on
    this machine.
    """
    context.obj = GlobalOptions(home=home, debug=debug)


demo.register(app)
dev.register(app)
app.add_typer(cloud.app, name="cloud")
provision.register(app)
destroy.register(app)
run.register(app)
extract.register(app)
land.register(app)
app.add_typer(bundle.app, name="bundle")
sql.register(app)
app.add_typer(export.app, name="export")
doctor.register(app)
bench.register(app)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of the console script."""
    # What ends a command from outside ends it as Ctrl-C does: what it started is stopped on the way out.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)
    app()
    sys.exit(0)
