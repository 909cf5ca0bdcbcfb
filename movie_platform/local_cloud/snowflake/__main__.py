"""Starts the local Snowflake: `python -m movie_platform.local_cloud.snowflake --home HOME --port P --aws-endpoint URL`.

Binds 127.0.0.1 only. AWS credentials come from the environment. SIGTERM ends it cleanly, SIGKILL loses nothing that
was committed.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import uvicorn

from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.snowflake.background.services import Services
from movie_platform.local_cloud.snowflake.protocol.app import Server
from movie_platform.local_cloud.snowflake.protocol.login import Authenticator
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake

_HOST = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server until it is told to end; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m movie_platform.local_cloud.snowflake", description=__doc__
    )
    parser.add_argument(
        "--home", type=Path, required=True, help="folder of the platform; data is kept in HOME/warehouse"
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--aws-endpoint", required=True, help="URL of the local AWS")
    parser.add_argument("--aws-region", default="us-east-1", help="AWS region (default: %(default)s)")
    parser.add_argument("--aws-account", default="000000000000", help="AWS account (default: %(default)s)")
    parser.add_argument(
        "--account", default="local", help="name of the Snowflake account (default: %(default)s)"
    )
    parser.add_argument(
        "--key", type=Path, help="PEM file of the clients' key, private or public (default: the home's own)"
    )
    parser.add_argument("--memory-limit", default="2GB", help="DuckDB's memory limit (default: %(default)s)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The connector logs queries of other clients of this process; fakesnow logs to uvicorn. Neither is of use here.
    logging.getLogger("snowflake.connector").setLevel(logging.WARNING)
    try:
        engine = Engine(options.home, memory_limit=options.memory_limit)
    except duckdb.IOException as error:
        logging.getLogger(__name__).error(  # noqa: TRY400 - a locked file needs no traceback
            "The warehouse in %s cannot be opened; is another local Snowflake using it? %s",
            options.home,
            error,
        )
        return 1
    lake = Lake(
        engine.lake,
        endpoint=options.aws_endpoint,
        region=options.aws_region,
        aws_account=options.aws_account,
        scratch=engine.warehouse / "tmp",
    )
    account = Account(options.account.upper(), engine, lake)
    server = Server(
        account, Services(account), Authenticator(options.key or Home.at(options.home).snowflake_key)
    )
    uvicorn.run(
        server.app(),
        host=_HOST,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=60,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
