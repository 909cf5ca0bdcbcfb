"""`movie-platform doctor`: what is well, what is not, and what to do about it."""

from dataclasses import asdict
from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options


def register(app: typer.Typer) -> None:
    """Add `movie-platform doctor` to the command line."""
    app.command(cls=Command, epilog="Example: MOVIE_PLATFORM_ENVIRONMENT=aws movie-platform doctor")(doctor)


def doctor(
    context: typer.Context,
    profile: Annotated[
        str | None,
        typer.Option(help="The source to ask whether it answers: a built-in profile or a TOML file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check Python, Java, disk, ports, sources, credentials, permissions and versions; exit 1 for a fault."""
    from movie_platform.commands.doctor_checks import State, worst
    from movie_platform.commands.doctor_probes import examine

    settings = global_options(context).settings()
    checks = list(examine(settings, profile))
    if as_json:
        console.write_json(
            {
                "environment": settings.environment,
                "state": worst(checks),
                "checks": [asdict(check) for check in checks],
            }
        )
    else:
        console.show_table(
            f"Checked for {settings.environment}",
            ("check", "state", "found", "what to do"),
            [(check.name, check.state.value, check.found, check.advice) for check in checks],
        )
    if worst(checks) is State.FAULT:
        raise typer.Exit(1)
