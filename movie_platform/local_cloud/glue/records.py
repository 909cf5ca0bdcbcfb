"""The record of a job run, Glue's JobRun, as it is when the run starts. Pure but for the id."""

import uuid
from collections.abc import Mapping
from typing import Any

from movie_platform.local_cloud.glue.run_store import RUNNING_SINCE

# Glue's data processing units a worker.
_UNITS = {"G.025X": 0.25, "Standard": 1.0, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0}
_DEFAULT_TIMEOUT_MINUTES = 2880
LOG_GROUP = "/aws-glue/jobs"


def new_run_id() -> str:
    """A new run's id, of the form that Glue gives: `jr_` and 64 hexadecimal digits."""
    return f"jr_{uuid.uuid4().hex}{uuid.uuid4().hex}"


def retry_id(run_id: str, attempt: int) -> str:
    """The id of a later attempt of a run, as Glue makes it."""
    return f"{run_id.partition('_attempt_')[0]}_attempt_{attempt}"


def first_attempt(definition: Mapping[str, Any], request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The record of a run that StartJobRun starts: the request's values, else the job's. Times in seconds
    since 1970.
    """

    def chosen(name: str, default: Any = None) -> Any:
        return request.get(name, definition.get(name, default))

    worker_type = chosen("WorkerType")
    workers = chosen("NumberOfWorkers")
    capacity = chosen("MaxCapacity")
    if capacity is None:
        capacity = _UNITS.get(worker_type or "G.1X", 1.0) * (workers or 2)
    return {
        "Id": new_run_id(),
        "Attempt": 0,
        "JobName": request["JobName"],
        "JobMode": definition.get("JobMode"),
        "StartedOn": now,
        "LastModifiedOn": now,
        # The run's own; the job's defaults are in the job.
        "Arguments": request.get("Arguments"),
        "PredecessorRuns": [],
        "AllocatedCapacity": round(capacity),
        "ExecutionTime": 0,
        "Timeout": chosen("Timeout", _DEFAULT_TIMEOUT_MINUTES),
        "MaxCapacity": float(capacity),
        "WorkerType": worker_type,
        "NumberOfWorkers": workers,
        "SecurityConfiguration": chosen("SecurityConfiguration"),
        "LogGroupName": LOG_GROUP,
        "NotificationProperty": chosen("NotificationProperty"),
        "GlueVersion": definition.get("GlueVersion"),
        "ExecutionClass": chosen("ExecutionClass"),
    }


def next_attempt(record: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The record of the attempt that follows a failed one."""
    attempt = int(record["Attempt"]) + 1
    ended = ("CompletedOn", "ErrorMessage", "DPUSeconds", "StateDetail", RUNNING_SINCE)
    return {
        **{name: value for name, value in record.items() if name not in ended},
        "Id": retry_id(record["Id"], attempt),
        "Attempt": attempt,
        "PreviousRunId": record["Id"],
        "StartedOn": now,
        "LastModifiedOn": now,
        "ExecutionTime": 0,
    }
