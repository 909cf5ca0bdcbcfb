"""`movie-platform destroy`: show and delete what provision made."""

import sys
from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.commands.local_platform import require_running
from movie_platform.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add `movie-platform destroy` to the command line."""
    app.command(cls=Command, epilog="Example: movie-platform destroy --with-data --dry-run")(destroy)


def destroy(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    with_data: Annotated[
        bool,
        typer.Option("--with-data", help="The database and the buckets with all that is in them, too."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Show and delete what provision made; data stays unless it is asked for, and others' work always."""
    from movie_platform.provision.destruction import destroy as delete
    from movie_platform.provision.destruction import plan_destruction

    settings = global_options(context).settings()
    require_running(settings)
    planned = plan_destruction(settings, with_data=with_data)
    # Whoever is asked sees what it is about; with --json stdout is the one object's.
    (console.say if as_json else console.show)(str(planned))
    deletes = bool(planned.deletions) and not dry_run
    if deletes:
        _confirm(yes=yes)
        delete(settings, planned, progress=console.say)
    if as_json:
        # Told when it is so: what was refused, or failed half-way, was not deleted.
        console.write_json(planned.to_dict() | {"deleted": deletes})


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "not_confirmed",
            "Nothing was deleted: there is nobody here to confirm it.",
            "Say --yes where it is meant, or --dry-run to see what it is about.",
        )
    if not typer.confirm("Delete all of this?"):
        raise typer.Abort
