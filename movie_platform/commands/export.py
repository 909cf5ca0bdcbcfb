"""`movie-platform export`: the pipeline in another tool's form."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options

app = typer.Typer(help="The pipeline in another tool's form.", no_args_is_help=True)


class Worker(StrEnum):
    """How Airflow reaches the machine that extracts."""

    BASH = "bash"
    SSM = "ssm"
    SSH = "ssh"


@app.callback()
def _group() -> None:
    """The pipeline in another tool's form."""


@app.command(
    cls=Command, epilog="Example: movie-platform export airflow --out dags --variables variables.json"
)
def airflow(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", file_okay=False, help="Folder of the DAGs; made if missing."),
    ],
    worker: Annotated[
        Worker,
        typer.Option(
            "--extract-with",
            help="Where the extract runs: on Airflow's own worker, or elsewhere, reached by SSM or SSH.",
        ),
    ] = Worker.BASH,
    variables: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Also write the Airflow Variable of what the settings point at, for `airflow variables import`.",
        ),
    ] = None,
) -> None:
    """Write the Airflow DAGs of the asset graph; the same graph gives the same files."""
    from movie_platform.build import build_defs
    from movie_platform.export.airflow import (
        ExtractWorker,
        airflow_variables,
        read_graph,
        render_files,
        write_files,
    )

    settings = global_options(context).settings()
    form = read_graph(build_defs(settings))
    written = write_files(out, render_files(form, settings, ExtractWorker(worker.value)))
    if variables is not None:
        written += write_files(variables.parent, {variables.name: airflow_variables(settings)})
    for path in written:
        console.show(str(path))
