"""The local Snowflake for programs and test suites: a server in a process of its own that ends with its context."""

import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key

_HOST = "127.0.0.1"
_STOP_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
# What DuckDB says of itself when a process ends takes about twenty.
_LOG_LINES = 60


class ServerStartError(RuntimeError):
    """The server did not come up; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers. `key` is the PEM file of the private key with which its administrator signs in."""

    host: str
    port: int
    account: str
    key: Path
    administrator: str

    def connect_arguments(self) -> dict[str, str | int]:
        """What `snowflake.connector.connect` takes to reach the server as its administrator.

        Others sign in with a key of their own once CREATE USER … RSA_PUBLIC_KEY has made them.
        """
        return {
            "host": self.host,
            "port": self.port,
            "protocol": "http",
            "account": self.account,
            "user": self.administrator,
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": str(self.key),
        }


@contextmanager
def running_server(
    folder: Path,
    *,
    port: int = 0,
    aws_endpoint: str | None = None,
    key: Path | None = None,
    account: str = "local",
    options: Sequence[str] = (),
    administrator: str = "ADMIN",
    seconds: float = 60.0,
) -> Iterator[RunningServer]:
    """A server on 127.0.0.1 for as long as the context lasts, and never longer than the process that started it.

    `folder` keeps its data, its log (`server.log`) and, unless `key` names another file, its key; what was committed is
    there again when a server is started in the same folder. A key that is not there is made. Port 0 is any that is
    free. `aws_endpoint` is the URL of a local AWS (S3, SQS) for stages and pipes, with credentials in the environment.
    `options` are more arguments, as `--help` tells them.

    Raises ServerStartError where the server ends, or does not answer within `seconds`.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    key = (key or folder / "snowflake_key.p8").absolute()
    ensure_private_key(key)
    log = folder / "server.log"
    with tempfile.TemporaryDirectory(prefix="local-snowflake-") as scratch, log.open("ab") as output:
        log_begins = output.tell()
        port_file = Path(scratch) / "port"
        command = [
            *(sys.executable, "-P", "-m", str(__package__)),
            *("--home", str(folder), "--port", str(port), "--port-file", str(port_file)),
            *(
                "--account",
                account,
                "--key",
                str(key),
                "--administrator",
                administrator,
                "--until-stdin-closes",
            ),
            *(("--aws-endpoint", aws_endpoint) if aws_endpoint is not None else ()),
            *options,
        ]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
        try:
            found = _wait_until_it_answers(process, port_file, time.monotonic() + seconds)
            if found is None:
                what = "did not answer in time" if process.poll() is None else "ended instead of answering"
                raise ServerStartError(f"The server {what}.\n{_last_lines(log, log_begins)}")
            yield RunningServer(_HOST, found, account, key, administrator)
        finally:
            _end(process)


def _wait_until_it_answers(
    process: "subprocess.Popen[bytes]", port_file: Path, deadline: float
) -> int | None:
    """The server's port; None where it ended, or where the time did."""
    while process.poll() is None and time.monotonic() < deadline:
        if port_file.exists():
            port = int(port_file.read_text())
            if _answers(port, deadline):
                return port
        time.sleep(_PAUSE_SECONDS)
    return None


def _answers(port: int, deadline: float) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=max(1.0, deadline - time.monotonic()))
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        # It listens and does not answer yet, or it ends: the caller looks at the process and at the time.
        return False
    finally:
        connection.close()


def _last_lines(log: Path, begin: int) -> str:
    written = log.read_bytes()[begin:].decode("utf-8", "replace")
    return "\n".join(written.splitlines()[-_LOG_LINES:])


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
