"""Starts the local Snowflake: `python -m movie_platform.local_cloud.snowflake --home FOLDER --port PORT`.

Binds 127.0.0.1 only. AWS credentials come from the environment. SIGTERM ends it cleanly, SIGKILL loses nothing that
was committed.
"""

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb
import uvicorn

from movie_platform.local_cloud.snowflake.background.services import Services
from movie_platform.local_cloud.snowflake.protocol.app import Server
from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key
from movie_platform.local_cloud.snowflake.protocol.login import Authenticator
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake
from movie_platform.local_cloud.snowflake.state.server_options import MOST_PIECES, PIECE_ROWS, ServerOptions
from movie_platform.local_cloud.snowflake.state.user_keys import public_key_text

logger = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_NOT_STARTED = 3
ADMINISTRATOR = "ADMIN"


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m movie_platform.local_cloud.snowflake",
        description=__doc__,
        # `@FILE` stands for the arguments in a file, one a line.
        fromfile_prefix_chars="@",
    )
    parser.add_argument(
        "--home", type=Path, required=True, help="folder of the server; data is kept in HOME/warehouse"
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0: any that is free")
    parser.add_argument("--port-file", type=Path, help="file into which the port is written")
    parser.add_argument("--aws-endpoint", help="URL of a local AWS; without it there are no files to load")
    parser.add_argument("--aws-region", default="us-east-1", help="AWS region (default: %(default)s)")
    parser.add_argument("--aws-account", default="000000000000", help="AWS account (default: %(default)s)")
    parser.add_argument(
        "--account", default="local", help="name of the Snowflake account (default: %(default)s)"
    )
    parser.add_argument(
        "--key",
        type=Path,
        help="PEM file of the administrator's key, private or public (default: HOME/snowflake_key.p8, made where it is "
        "not there)",
    )
    parser.add_argument(
        "--administrator",
        default=ADMINISTRATOR,
        help="name of the user with whom the account begins, who holds ACCOUNTADMIN (default: %(default)s)",
    )
    parser.add_argument(
        "--pipe-piece-rows",
        type=_positive,
        default=PIECE_ROWS,
        help="rows of a file that a pipe commits at once, the rest in other transactions (default: %(default)s)",
    )
    parser.add_argument(
        "--pipe-most-pieces",
        type=_positive,
        default=MOST_PIECES,
        help="how many pieces a file has at most; those of larger files have more rows (default: %(default)s)",
    )
    parser.add_argument(
        "--pipe-seed",
        type=int,
        default=0,
        help="seed of the order in which pipes load files and pieces of files (default: %(default)s)",
    )
    parser.add_argument(
        "--trust-delay-seconds",
        type=float,
        default=0.0,
        help="how long a role's trust is there until it counts, as IAM's changes take a while (default: %(default)s)",
    )
    parser.add_argument(
        "--clock-file",
        type=Path,
        help="file that says how many seconds the clock is ahead by which trusts and streams age",
    )
    parser.add_argument("--memory-limit", default="2GB", help="DuckDB's memory limit (default: %(default)s)")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end as for SIGTERM when standard input ends: with the process that holds its other end",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server until it is told to end; the exit code."""
    options = make_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The connector logs queries of other clients of this process; fakesnow logs to uvicorn. Neither is of use here.
    logging.getLogger("snowflake.connector").setLevel(logging.WARNING)
    if options.until_stdin_closes:
        threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
    administrators_key = _public_key(options.key, options.home)
    if administrators_key is None:
        return 1
    try:
        engine = Engine(options.home, memory_limit=options.memory_limit)
    except duckdb.IOException as error:
        logger.error(  # noqa: TRY400 - a locked file needs no traceback
            "The warehouse in %s cannot be opened; is another local Snowflake using it? %s",
            options.home,
            error,
        )
        return 1
    try:
        listening = socket.create_server((_HOST, options.port))
    except OSError as error:
        logger.error("Port %d cannot be used: %s", options.port, error)  # noqa: TRY400 - nor does a port in use
        engine.close()
        return 1
    if options.port_file is not None:
        _write(options.port_file, str(listening.getsockname()[1]))
    lake = Lake(
        engine.lake,
        endpoint=options.aws_endpoint,
        region=options.aws_region,
        aws_account=options.aws_account,
        scratch=engine.warehouse / "tmp",
    )
    account = Account(
        options.account.upper(),
        engine,
        lake,
        ServerOptions(
            piece_rows=options.pipe_piece_rows,
            most_pieces=options.pipe_most_pieces,
            pipe_seed=options.pipe_seed,
            trust_delay_seconds=options.trust_delay_seconds,
            clock_file=options.clock_file,
        ),
    )
    account.access.ensure_administrator(options.administrator.upper(), administrators_key)
    authenticator = Authenticator(account.access)
    server = uvicorn.Server(
        uvicorn.Config(
            Server(account, Services(account), authenticator).app(),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=60,
        )
    )
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    return 0 if server.started else _NOT_STARTED


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _public_key(path: Path | None, home: Path) -> str | None:
    """The administrator's public key, as RSA_PUBLIC_KEY holds it; None where there is none, which the log says."""
    if path is None:
        path = home / "snowflake_key.p8"
        home.mkdir(parents=True, exist_ok=True)
        ensure_private_key(path)
    try:
        key = public_key_text(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        logger.error("The key of the administrator cannot be read: %s", error)  # noqa: TRY400 - the message says it all
        return None
    if key is None:
        logger.error("%s holds no RSA key: delete it and start the server again", path)
    return key


def _end_with_stdin() -> None:
    # Not through sys.stdin: its lock, held by a thread that waits, would stop the interpreter's end.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _write(path: Path, text: str) -> None:
    # Whoever waits for the file never sees half of it.
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
