"""The Dagster UI and daemon of one home as child processes: started, watched and ended together."""

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Self

from movie_platform.automation.run_owner import fail_orphaned_runs
from movie_platform.commands import console
from movie_platform.commands.dagster_ui import DEV_MODULE
from movie_platform.errors import ConfigurationError, PlatformError
from movie_platform.local_cloud import ports, processes
from movie_platform.local_cloud.files import write_atomically
from movie_platform.local_cloud.ports import LOOPBACK
from movie_platform.process_identity import ProcessIdentity
from movie_platform.runs.instance import (
    dagster_home,
    open_instance,
    prepare_dagster_home,
    workspace_file,
)
from movie_platform.waiting import Deadline, Pauses, WaitStoppedError, WaitTimeoutError, wait_until

DEFAULT_PORT = 3000
_READY_SECONDS = 120.0
_GRACE_SECONDS = 20.0
_POLL_SECONDS = 0.2
_REQUEST_SECONDS = 2.0
# 22 characters: the address fits into a line of a terminal.
_TOKEN_BYTES = 16


@contextmanager
def interrupted_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM or the end of the terminal (SIGHUP) sets, instead of ending this process.

    Until it is left, a second signal changes nothing: a shutdown that has begun is carried through.
    """
    event = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        event.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class DagsterServers:
    """The servers of one home. One pair a home: the folder's record says who they are."""

    def __init__(self, home: Path, *, port: int | None = None) -> None:
        self._home = home
        self._record = dagster_home(home) / "dev.json"
        # In a file, which its owner alone can read: everybody can read a command line.
        self._token_file = dagster_home(home) / "dev_token"
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._wanted_port = port
        self._port = 0
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the UI, once the servers were started, with the token that lets a browser in."""
        return f"http://{LOOPBACK}:{self._port}/?token={self._token}"

    def __enter__(self) -> Self:
        prepare_dagster_home(self._home)
        self._end_what_a_killed_command_left()
        with open_instance(self._home) as instance:
            fail_orphaned_runs(instance)
        self._port = self._choose_port()
        write_atomically(self._token_file, self._token.encode())
        console.say("Starting the Dagster UI and daemon")
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-m", DEV_MODULE, str(self._token_file)),
                *("--workspace", str(workspace_file(self._home))),
                *("--host", LOOPBACK),
                *("--port", str(self._port)),
                *("--log-level", "info"),
            ],
            stdin=subprocess.DEVNULL,
            # The child's environment: this process's own, and which home it serves.
            env={
                **os.environ,
                "DAGSTER_HOME": str(dagster_home(self._home)),
                "MOVIE_PLATFORM_HOME": str(self._home),
            },
            # A session of its own: Ctrl-C in the terminal reaches this process alone, which ends the rest
            # in order.
            start_new_session=True,
        )
        self._write_record()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._child is None:
            return
        console.say("Stopping the Dagster UI and daemon")
        self._end(ProcessIdentity.of(self._child.pid))
        self._child.wait()
        self._record.unlink(missing_ok=True)
        self._token_file.unlink(missing_ok=True)

    def wait_until_ready(self, stop: threading.Event) -> bool:
        """Waits until the UI answers; False where `stop` was set before. Raises PlatformError where the
        servers end by themselves, or do not answer in time.
        """
        try:
            wait_until(
                self._is_ready,
                "the Dagster UI",
                deadline=Deadline(_READY_SECONDS),
                pauses=Pauses.steady(_POLL_SECONDS),
                stop=stop,
            )
        except WaitStoppedError:
            return False
        except WaitTimeoutError as late:
            raise PlatformError(
                "dagster_not_ready",
                f"the Dagster UI did not answer on port {self._port} within {_READY_SECONDS:.0f} s",
                "Its own messages are above.",
            ) from late
        return True

    def wait_until_ended(self, stop: threading.Event) -> None:
        """Returns when `stop` is set. Raises PlatformError where the servers end by themselves."""
        while not stop.wait(_POLL_SECONDS):
            self._raise_if_ended()

    def _is_ready(self) -> bool:
        if (
            self._listens()
            and self._status(self._token) == http.HTTPStatus.OK
            and (status := self._status(None)) is not None
        ):
            _raise_if_open(status)
            return True
        self._raise_if_ended()
        return False

    def _listens(self) -> bool:
        """Whether it is our server that listens: somebody else may have taken the port while Dagster was loaded."""
        child = None if self._child is None else ProcessIdentity.of(self._child.pid)
        return child is not None and processes.listens(child, self._port)

    def _raise_if_ended(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            raise PlatformError(
                "dagster_ended",
                f"the Dagster servers ended with exit code {self._child.returncode}",
                "Their own messages are above.",
            )

    def _status(self, token: str | None) -> int | None:
        """The status with which the UI answers whoever knows this token; None where it does not answer."""
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_REQUEST_SECONDS)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", "/server_info", headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _choose_port(self) -> int:
        if self._wanted_port is None:
            return ports.pick(DEFAULT_PORT)
        if not ports.is_free(self._wanted_port):
            raise ConfigurationError(
                "port_taken", f"port {self._wanted_port} is taken", "Choose another --port, or leave it out."
            )
        return self._wanted_port

    def _write_record(self) -> None:
        if self._child is None:
            return
        owner, child = ProcessIdentity.of(os.getpid()), ProcessIdentity.of(self._child.pid)
        if owner and child:
            record = {"url": self.url, "owner": owner.as_record(), "servers": child.as_record()}
            write_atomically(self._record, json.dumps(record).encode())

    def _end_what_a_killed_command_left(self) -> None:
        try:
            record = json.loads(self._record.read_text("utf-8"))
            owner, servers = (ProcessIdentity.from_record(record[whose]) for whose in ("owner", "servers"))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return
        if owner.alive:
            raise ConfigurationError(
                "dev_already_running",
                f"`movie-platform dev` (process {owner.pid}) serves {self._home} already: {record['url']}",
                "Use that one, or stop it, or choose another --home.",
            )
        self._end(servers)

    def _end(self, servers: ProcessIdentity | None) -> None:
        if servers is None:
            return
        # `dagster dev` ends its own children when it is asked to; what is left of its session afterwards is
        # forced.
        processes.end(servers, grace_seconds=_GRACE_SECONDS)


def _raise_if_open(status: int) -> None:
    """Raises PlatformError where the UI answered with this status to somebody who did not know the token: Dagster
    started another web server than ours.
    """
    if status != http.HTTPStatus.UNAUTHORIZED:
        raise PlatformError(
            "dagster_ui_open",
            f"the Dagster UI gave status {status} to a request without the token: web pages and other users of this "
            "machine could use it, so it was stopped",
            "Install the release of Dagster that requirements.lock names.",
        )
