"""Serves the Glue gateway: `python -m movie_platform.local_cloud.glue --home HOME --port PORT --aws-endpoint
URL`.
"""

import argparse
import logging
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from movie_platform.local_cloud.glue.backend import Backend
from movie_platform.local_cloud.glue.definitions import Definitions
from movie_platform.local_cloud.glue.gateway import Gateway
from movie_platform.local_cloud.glue.run_store import RunStore
from movie_platform.local_cloud.glue.runner import Clients, Folders, Runner
from movie_platform.local_cloud.glue.server import GlueServer
from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.services import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from movie_platform.settings import LOCAL_ACCOUNT

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

_STOP_SECONDS = 15.0
_CLIENT = Config(
    connect_timeout=5,
    read_timeout=120,
    retries={"max_attempts": 4, "mode": "standard"},
    max_pool_connections=32,
    proxies={},
    s3={"addressing_style": "path"},
)


def main() -> None:
    """Serve until the process is asked to end; job runs in flight are ended then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--aws-endpoint", required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    home = Home.at(options.home)
    home.create()
    store = RunStore(home.glue / "runs.db")
    runner = make_runner(home, options.aws_endpoint, store)
    runner.end_lost_runs()
    backend = Backend(options.aws_endpoint, ACCESS_KEY_ID, REGION)
    cloudformation: CloudFormationClient = _client("cloudformation", options.aws_endpoint)
    gateway = Gateway(backend, Definitions(backend, cloudformation, store), store, runner)
    server = GlueServer(options.port, gateway)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal handlers are called
        # From another thread: it waits for the loop that this one runs.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        runner.close(_STOP_SECONDS)
        store.close()


def make_runner(
    home: Home, aws_endpoint: str, store: RunStore, *, seconds_per_minute: float = 60.0
) -> Runner:
    """A runner for a home, whose scripts reach the AWS of this environment (it names the endpoints)."""
    folders = Folders(lake=home.lake / LOCAL_ACCOUNT, runs=home.glue / "runs", classes=home.glue / "classes")
    for folder in (folders.lake, folders.runs, folders.classes):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    s3: S3Client = _client("s3", aws_endpoint)
    logs: CloudWatchLogsClient = _client("logs", aws_endpoint)
    return Runner(store, Clients(s3, logs), folders, dict(os.environ), seconds_per_minute=seconds_per_minute)


def _client(service: Any, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        config=_CLIENT,
    )


if __name__ == "__main__":
    main()
