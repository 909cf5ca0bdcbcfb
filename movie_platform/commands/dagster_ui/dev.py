"""`dagster dev` with our web server in place of Dagster's:
`python -m movie_platform.commands.dagster_ui.dev TOKEN_FILE …`, and then the options of `dagster dev`.
"""

import subprocess
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from dagster._cli import dev
from dagster_shared.ipc import open_ipc_subprocess

from movie_platform.commands.dagster_ui import SERVER_MODULE

_DAGSTERS_SERVER = "dagster_webserver"


def guarded_command(command: Sequence[str], token_file: str) -> list[str]:
    """The command line of one of `dagster dev`'s child processes; that of the web server becomes ours."""
    if list(command[1:3]) != ["-m", _DAGSTERS_SERVER]:
        return list(command)
    return [command[0], "-m", SERVER_MODULE, token_file, *command[3:]]


def main() -> None:
    """Run the servers until this process is asked to end."""
    token_file = sys.argv.pop(1)

    def start_guarded(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
        return open_ipc_subprocess(guarded_command(command, token_file), **options)

    # Dagster's command has no option for it. Were this name no longer the one that it calls, `movie-platform dev` would
    # not start: it looks whether the server refuses a request without the token.
    setattr(dev, open_ipc_subprocess.__name__, start_guarded)
    # Dagster would rather have `dg dev`, a program of another package that does the same.
    warnings.filterwarnings("ignore", "Function `dev_command` is superseded")
    dev.dev_command()


if __name__ == "__main__":
    main()
