"""A local platform that is up for as long as a command needs it: started and provisioned where that was not
done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from movie_platform.commands import console
from movie_platform.errors import ConfigurationError

if TYPE_CHECKING:
    from movie_platform.commands.base import GlobalOptions
    from movie_platform.settings import Settings


@contextmanager
def running_platform(options: "GlobalOptions") -> Iterator["Settings"]:
    """The settings of a local platform that runs and is provisioned.

    What was not running before is stopped at the end, however the block ends. With `environment = aws`
    nothing is started and nothing is provisioned: the settings point at a platform that is there.
    """
    settings = options.settings()
    if settings.environment != "local":
        yield settings
        return
    from movie_platform.local_cloud import supervisor

    before = supervisor.status(settings.home)
    if not before.running:
        console.say(f"Starting the local cloud in {settings.home}")
    try:
        supervisor.up(settings.home)
        # Read again: the servers have published their endpoints.
        settings = options.settings()
        _provision(settings)
        yield settings
    finally:
        if not before.running:
            console.say("Stopping the local cloud")
            supervisor.down(settings.home)


def _provision(settings: "Settings") -> None:
    from movie_platform.provision import provision

    console.say("Provisioning: CloudFormation stack, Lambda, Glue job, Snowflake objects")
    provision(settings, progress=console.say)


def require_running(settings: "Settings") -> None:
    """Raises ConfigurationError where the settings point at a local cloud that is not running."""
    if settings.environment != "local":
        return
    from movie_platform.local_cloud import supervisor

    if not supervisor.status(settings.home).running:
        raise ConfigurationError(
            "local_cloud_not_running",
            f"the local cloud in {settings.home} is not running",
            "Start it: `movie-platform cloud up`, then `movie-platform provision`; or everything at once:"
            " `movie-platform dev`. Another folder: --home DIR.",
        )
