"""`movie-platform cloud`: the local cloud by itself."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options

if TYPE_CHECKING:
    from movie_platform.local_cloud.supervisor import CloudStatus
    from movie_platform.settings import Settings

app = typer.Typer(
    help="The local cloud by itself: AWS, Glue and Snowflake on 127.0.0.1.", no_args_is_help=True
)

_NOT_PROVISIONED = "not provisioned yet"


@app.command(cls=Command, epilog="Example: movie-platform cloud up")
def up(context: typer.Context) -> None:
    """Start what is not running and return when everything answers; harmless when it runs already."""
    from movie_platform.local_cloud import supervisor

    settings = global_options(context).settings()
    console.say(f"Starting the local cloud in {settings.home}")
    show_status(supervisor.up(settings.home))


@app.command(cls=Command, epilog="Example: movie-platform cloud down --home /data/movies")
def down(context: typer.Context) -> None:
    """Stop the servers; everything that they keep stays."""
    from movie_platform.local_cloud import supervisor

    settings = global_options(context).settings()
    supervisor.down(settings.home)
    console.show(f"The local cloud in {settings.home} is stopped.")


@app.command(cls=Command, epilog="Example: movie-platform cloud status --json")
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Endpoints, process ids and health of the servers, and how many alerts are waiting to be read."""
    from movie_platform.local_cloud import supervisor

    settings = global_options(context).settings()
    found = supervisor.status(settings.home)
    alerts = waiting_alerts(settings) if found.running else None
    if as_json:
        console.write_json({**status_as_json(found), "alerts": alerts})
        return
    show_status(found)
    if found.running:
        console.show(f"Alerts waiting: {_NOT_PROVISIONED if alerts is None else alerts}")


@app.command(cls=Command, epilog="Example: movie-platform cloud reset --yes")
def reset(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop the servers and delete everything that they and Dagster keep: lake, warehouse, runs, logs."""
    from movie_platform.local_cloud import supervisor

    settings = global_options(context).settings()
    if not yes and not typer.confirm(f"Delete all data of the local platform in {settings.home}?"):
        raise typer.Abort
    supervisor.reset(settings.home)
    console.show(f"The local platform in {settings.home} is empty.")


def show_status(found: "CloudStatus") -> None:
    """A table of the servers, and below it what a crash may have cost."""
    console.show_table(
        f"Local cloud in {found.home}: {'running' if found.running else 'not running'}",
        ("service", "state", "endpoint", "pid", "log"),
        [
            (
                service.name,
                _state(service),
                service.endpoint,
                str(service.pid) if service.pid else None,
                service.log_path,
            )
            for service in found.services
        ],
    )
    for note in found.notes:
        console.show(f"Note: {note}")


def status_as_json(found: "CloudStatus") -> dict[str, Any]:
    """The status as JSON values; the keys are a promise to scripts."""
    return {
        "home": str(found.home),
        "running": found.running,
        "services": {
            service.name: {
                "pid": service.pid,
                "port": service.port,
                "endpoint": service.endpoint,
                "healthy": service.healthy,
                "log_path": str(service.log_path),
            }
            for service in found.services
        },
        "notes": list(found.notes),
    }


def waiting_alerts(settings: "Settings") -> int | None:
    """Messages that nobody has read from the alert queue; None where there is no such queue yet."""
    from movie_platform.resources.aws_client import aws_client

    sqs = aws_client(settings, "sqs")
    try:
        url = sqs.get_queue_url(QueueName=settings.queue_name("alerts"))["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return None
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(attributes.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))


def _state(service: Any) -> str:
    if service.pid is None:
        return "stopped"
    return "healthy" if service.healthy else "not answering"
