"""Which process works on a run, so that a run whose process was killed does not look alive for ever.

Dagster marks a run as failed when its code raises, not when its process is gone: a run that a killed
command left behind would stay STARTED, and the sensor would wait for it and never process its bundle.
"""

import json
import socket
from collections.abc import Mapping

import dagster as dg

from movie_platform.graph import tag_names
from movie_platform.process_identity import ProcessIdentity

# What Dagster's default launcher writes: the code server that works on the run.
_GRPC_TAG = ".dagster/grpc_info"
_CONNECT_TIMEOUT_SECONDS = 2.0


def owner_tags() -> dict[str, str]:
    """The tag by which a run says that this process works on it."""
    return {tag_names.RUN_OWNER: str(ProcessIdentity.of_this_process())}


def run_is_orphaned(tags: Mapping[str, str]) -> bool:
    """Whether the process that a run's tags name is gone. A run that names none is not judged."""
    if owner := ProcessIdentity.parse(tags.get(tag_names.RUN_OWNER, "")):
        return owner.is_gone()
    if grpc := tags.get(_GRPC_TAG):
        return not _answers(grpc)
    return False


def _answers(grpc_info: str) -> bool:
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


def fail_orphaned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs whose process is gone as failed and answer their ids; runs that still go on are left
    alone.
    """
    in_progress = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    )
    failed = []
    for run in instance.get_runs(filters=in_progress):
        if run_is_orphaned(run.tags):
            instance.report_run_failed(
                run, message="The process that worked on this run ended without a word."
            )
            failed.append(run.run_id)
    return failed
