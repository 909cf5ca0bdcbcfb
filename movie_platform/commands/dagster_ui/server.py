"""Dagster's web server, answering its own pages alone and whoever knows the token:
`python -m movie_platform.commands.dagster_ui.server TOKEN_FILE …`, and then the options of `dagster-webserver`.

Inside the server and not a proxy before it: the port behind a proxy would be as open as it is without one.
"""

import sys
from pathlib import Path
from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context

from movie_platform.commands.dagster_ui.token_gate import TokenGate
from movie_platform.local_cloud.snowflake.protocol.loopback_guard import App, LoopbackGuard


def guarded(app: App, token: str) -> App:
    """The application, for its own pages and whoever knows the token."""
    return LoopbackGuard(TokenGate(app, token), pages=True)


def main() -> None:
    """Serve until the process is asked to end."""
    token = Path(sys.argv.pop(1)).read_text("utf-8")

    def make_guarded_app(*arguments: Any, **options: Any) -> App:
        return guarded(create_app_from_workspace_process_context(*arguments, **options), token)

    # Dagster's command has no option for it. Were this name no longer the one that it calls, `movie-platform dev` would
    # not start: it looks whether the server refuses a request without the token.
    setattr(cli, create_app_from_workspace_process_context.__name__, make_guarded_app)
    cli.main()


if __name__ == "__main__":
    main()
