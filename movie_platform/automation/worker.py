"""Which process works on a run, so that a run whose process was killed does not look alive for ever.

Dagster marks a run as failed when its code raises, not when its process is gone: a run that a killed
command left behind would stay STARTED, and the sensor would wait for it and never process its bundle.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from movie_platform.graph import tag_names

if TYPE_CHECKING:
    import dagster as dg

# What Dagster's default launcher writes: the code server that works on the run.
_GRPC_TAG = ".dagster/grpc_info"
_CONNECT_TIMEOUT_SECONDS = 2.0
# A process's start time is counted from the machine's, which a correction of the clock moves a little.
_CLOCK_TOLERANCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, told apart from a later one with the same id by its start time (seconds since 1970)."""

    host: str
    pid: int
    started: int

    @classmethod
    def this_process(cls) -> "Worker":
        """The process that this code runs in."""
        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, int(process.create_time()))

    @classmethod
    def parse(cls, text: str) -> "Worker | None":
        """The worker that a tag names, or None where the tag is not one of ours."""
        host, _, rest = text.partition(":")
        pid, _, started = rest.partition(":")
        if not (host and pid.isdecimal() and started.isdecimal()):
            return None
        return cls(host, int(pid), int(started))

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.started}"

    def is_gone(self) -> bool:
        """Whether the process has ended; a process on another host is given the benefit of the doubt."""
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            other = abs(process.create_time() - self.started) > _CLOCK_TOLERANCE_SECONDS
            return other or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def run_is_abandoned(tags: Mapping[str, str]) -> bool:
    """Whether the process that a run's tags name is gone. A run that names none is not judged."""
    if worker := Worker.parse(tags.get(tag_names.WORKER, "")):
        return worker.is_gone()
    if grpc := tags.get(_GRPC_TAG):
        return not _answers(grpc)
    return False


def _answers(grpc_info: str) -> bool:
    """Whether something listens where a code server said that it would."""
    info = json.loads(grpc_info)
    host, port, path = info.get("host", "localhost"), info.get("port"), info.get("socket")
    if host not in {"localhost", "127.0.0.1"}:
        return True
    try:
        if path:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_CONNECT_TIMEOUT_SECONDS)
                connection.connect(path)
        else:
            socket.create_connection((host, int(port)), timeout=_CONNECT_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def fail_abandoned_runs(instance: "dg.DagsterInstance") -> list[str]:
    """Mark the runs whose process is gone as failed and answer their ids; runs that still go on are left
    alone.
    """
    # Here, because the commands import this module, and most of what they do needs no Dagster.
    import dagster as dg

    in_progress = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    )
    failed = []
    for run in instance.get_runs(filters=in_progress):
        if run_is_abandoned(run.tags):
            instance.report_run_failed(
                run, message="The process that worked on this run ended without a word."
            )
            failed.append(run.run_id)
    return failed
