"""`movie-platform dev`: the local cloud, the Dagster UI and the daemon in the foreground."""

from typing import Annotated

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.commands.local_platform import running_platform


def register(app: typer.Typer) -> None:
    """Add `movie-platform dev` to the command line."""
    app.command(cls=Command, epilog="Example: movie-platform dev --port 3001")(dev)


def dev(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(
            min=1024, max=65535, help="Port of the UI; by default 3000, or a free one where that is taken."
        ),
    ] = None,
) -> None:
    """Run the local cloud, the Dagster UI and the daemon, sensors and schedules on, until Ctrl-C.

    A local cloud that ran before goes on running afterwards.
    """
    from movie_platform.commands.dagster_servers import DagsterServers, interrupted_by_signals

    with (
        interrupted_by_signals() as stop,
        running_platform(global_options(context)) as settings,
        DagsterServers(settings.home, port=port) as servers,
    ):
        if servers.wait_until_ready(stop):
            console.say("")
            console.say(f"  Dagster UI   {servers.url}")
            if settings.aws_endpoint_url:
                console.say(f"  AWS          {settings.aws_endpoint_url}")
            if settings.snowflake_host and settings.snowflake_port:
                console.say(
                    f"  Snowflake    {settings.snowflake_protocol}://{settings.snowflake_host}:{settings.snowflake_port}"
                )
            console.say(f"  Home         {settings.home}")
            console.say("")
            console.say("Sensors and schedules are on. Ctrl-C stops everything that was started.")
            servers.wait_until_ended(stop)
