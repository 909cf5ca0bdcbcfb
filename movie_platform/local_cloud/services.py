"""The servers of a local cloud: what starts each, in which environment, and how one knows that it answers."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.ports import LOOPBACK
from movie_platform.settings import LOCAL_ACCOUNT

# MiniStack takes an access key of twelve digits for the account that calls.
ACCESS_KEY_ID = LOCAL_ACCOUNT
SECRET_ACCESS_KEY = "local"  # noqa: S105 - nothing checks it; the servers listen on this machine only
REGION = "us-east-1"
# The user with whom the local Snowflake's account begins.
ADMINISTRATOR = "ADMIN"

# Of the caller's environment only this reaches the servers: a server must not depend on whose shell started
# it, least of all on somebody's AWS profile, Docker host, proxy or Spark installation.
_INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "USER")

Ports = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Service:
    """One server. `command` and `environment` are made from the home and the ports of all servers."""

    name: str
    module: str
    health_path: str
    grace_seconds: float
    arguments: Callable[[Home, Ports], list[str]]
    environment: Callable[[Home, Ports], dict[str, str]]
    needs: tuple[str, ...] = ()

    def identity(self, home: Home) -> list[str]:
        """The part of the command line that no process but this server of this home has."""
        return ["-m", self.module, "--home", str(home.root)]

    def command(self, home: Home, ports: Ports) -> list[str]:
        """The command line that starts it on its port."""
        # -P: the working folder, which is data, is no place to import from.
        return [
            sys.executable,
            "-P",
            *self.identity(home),
            "--port",
            str(ports[self.name]),
            *self.arguments(home, ports),
        ]

    def log_path(self, home: Home) -> Path:
        """The file that stdout and stderr are appended to."""
        return home.logs / f"{self.name}.log"


def endpoint(port: int) -> str:
    """The URL of a server that listens on that port of this machine."""
    return f"http://{LOOPBACK}:{port}"


def client_environment(ports: Ports) -> dict[str, str]:
    """What lets boto3, in a server or in what it starts, reach this local cloud and nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint(ports["aws"]),
        "AWS_ENDPOINT_URL_GLUE": endpoint(ports["glue"]),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Files that do not exist: nobody's profile may redirect a local client to a real account.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _base_environment(home: Home, name: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **inherited,
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "TMPDIR": str(home.temporary(name)),
    }


def _aws_environment(home: Home, ports: Ports) -> dict[str, str]:
    return {
        **_base_environment(home, "aws"),
        **client_environment(ports),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(ports["aws"]),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_ACCOUNT_ID": LOCAL_ACCOUNT,
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.aws / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home.lake),
        "LAMBDA_EXECUTOR": "local",
        # A socket that does not exist: MiniStack then never loads its Docker client.
        "DOCKER_HOST": f"unix://{home.aws / 'no-docker.sock'}",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }


def _glue_environment(home: Home, ports: Ports) -> dict[str, str]:
    return {**_base_environment(home, "glue"), **client_environment(ports)}


def _snowflake_environment(home: Home, ports: Ports) -> dict[str, str]:
    return {**_base_environment(home, "snowflake"), **client_environment(ports)}


def _no_arguments(_home: Home, _ports: Ports) -> list[str]:
    return []


def _aws_endpoint_arguments(_home: Home, ports: Ports) -> list[str]:
    return ["--aws-endpoint", endpoint(ports["aws"])]


def _snowflake_arguments(home: Home, ports: Ports) -> list[str]:
    more = [f"@{home.snowflake_options}"] if home.snowflake_options.exists() else []
    return [
        *_aws_endpoint_arguments(home, ports),
        "--key",
        str(home.snowflake_admin_key),
        "--administrator",
        ADMINISTRATOR,
        *more,
    ]


AWS = Service(
    name="aws",
    module="movie_platform.local_cloud.aws",
    health_path="/_ministack/ready",
    # It writes its state when it is asked to end.
    grace_seconds=20.0,
    arguments=_no_arguments,
    environment=_aws_environment,
)
GLUE = Service(
    name="glue",
    module="movie_platform.local_cloud.glue",
    health_path="/health",
    # It ends the job runs in flight first.
    grace_seconds=20.0,
    arguments=_aws_endpoint_arguments,
    environment=_glue_environment,
    needs=("aws",),
)
SNOWFLAKE = Service(
    name="snowflake",
    module="movie_platform.local_cloud.snowflake",
    health_path="/health",
    grace_seconds=15.0,
    arguments=_snowflake_arguments,
    environment=_snowflake_environment,
    needs=("aws",),
)

# In the order in which they start.
SERVICES = (AWS, GLUE, SNOWFLAKE)
