"""`movie-platform provision`: deploy to whatever the settings point at."""

import sys
from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.commands.local_platform import require_running


def register(app: typer.Typer) -> None:
    """Add `movie-platform provision` to the command line."""
    app.command(
        cls=Command, epilog="Example: MOVIE_PLATFORM_ENVIRONMENT=aws movie-platform provision --dry-run"
    )(provision)


def provision(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the difference and change nothing.")
    ] = False,
    print_account_sql: Annotated[
        bool,
        typer.Option(
            "--print-account-sql",
            help="Print the statements for an administrator of the Snowflake account, and do nothing.",
        ),
    ] = False,
) -> None:
    """Deploy the stack, the Lambda, the Glue job and the Snowflake objects; idempotent."""
    from movie_platform import provision as deployment

    settings = global_options(context).settings()
    require_running(settings)
    if print_account_sql:
        sys.stdout.write(deployment.print_account_sql(settings))
        return
    report = deployment.provision(settings, dry_run=dry_run, progress=console.say)
    if as_json:
        console.write_json(report.to_dict())
    else:
        console.show(str(report))
