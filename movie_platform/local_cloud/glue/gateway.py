"""What each operation of Glue's API does: jobs and job runs here, everything else in MiniStack."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from movie_platform.local_cloud.glue import records, wire
from movie_platform.local_cloud.glue.backend import Answer, Backend
from movie_platform.local_cloud.glue.definitions import Definitions, max_concurrent_runs
from movie_platform.local_cloud.glue.run_store import ConcurrencyExceededError, RunStore
from movie_platform.local_cloud.glue.runner import Runner
from movie_platform.local_cloud.glue.states import ACTIVE, RunState

_RUNS_PAGE = 200
_JOBS_PAGE = 1000

T = TypeVar("T")


class Gateway:
    """Answers requests in Glue's protocol. Threads may share it."""

    def __init__(self, backend: Backend, definitions: Definitions, store: RunStore, runner: Runner) -> None:
        self._backend = backend
        self._definitions = definitions
        self._store = store
        self._runner = runner
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "BatchGetJobs": self._batch_get_jobs,
            "BatchStopJobRun": self._batch_stop_job_run,
            "CreateJob": self._create_job,
            "DeleteJob": self._delete_job,
            "GetJob": self._get_job,
            "GetJobRun": self._get_job_run,
            "GetJobRuns": self._get_job_runs,
            "GetJobs": self._get_jobs,
            "ListJobs": self._list_jobs,
            "StartJobRun": self._start_job_run,
            "UpdateJob": self._update_job,
        }

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request. Errors of Glue's kind are answers too."""
        try:
            operation = wire.operation_of(
                next((value for name, value in headers.items() if name.lower() == "x-amz-target"), None)
            )
            own = self._operations.get(operation)
            if own is None:
                return self._backend.forward(headers, body)
            return _json(200, wire.encode(own(wire.parse(operation, body))))
        except wire.GlueError as error:
            return _json(error.status, wire.encode_error(error))

    def _create_job(self, request: dict[str, Any]) -> dict[str, Any]:
        self._definitions.create(request)
        return {"Name": request["Name"]}

    def _update_job(self, request: dict[str, Any]) -> dict[str, Any]:
        self._definitions.update(request["JobName"], request["JobUpdate"])
        return {"JobName": request["JobName"]}

    def _delete_job(self, request: dict[str, Any]) -> dict[str, Any]:
        self._definitions.delete(request["JobName"])
        return {"JobName": request["JobName"]}

    def _get_job(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Job": self._definitions.get(request["JobName"])}

    def _get_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        page, token = _page(self._definitions.all(), request, lambda job: str(job["Name"]))
        return {"Jobs": page, "NextToken": token}

    def _list_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        page, token = _page(self._definitions.names(request.get("Tags")), request, str)
        return {"JobNames": page, "NextToken": token}

    def _batch_get_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = list(dict.fromkeys(request["JobNames"]))
        existing = set(self._definitions.names())
        return {
            "Jobs": [self._definitions.get(name) for name in wanted if name in existing],
            "JobsNotFound": [name for name in wanted if name not in existing],
        }

    def _start_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        if "JobRunId" in request:
            raise wire.invalid_input("JobRunId: the local Glue restarts no earlier run; start a new one")
        definition = self._definitions.get(request["JobName"])
        limit = max_concurrent_runs(definition)
        record = records.first_attempt(definition, request, time.time())
        try:
            run = self._store.add(record, definition, max_concurrent=limit)
        except ConcurrencyExceededError as error:
            raise wire.GlueError(
                "ConcurrentRunsExceededException",
                f"Concurrent runs exceeded for {request['JobName']}: {limit} may run at once",
            ) from error
        self._runner.start(run)
        return {"JobRunId": run.run_id}

    def _get_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        run = self._store.get(request["RunId"])
        if run is None or run.job_name != request["JobName"]:
            raise wire.entity_not_found(f"Job run {request['RunId']} of job {request['JobName']} not found")
        return {"JobRun": run.to_wire()}

    def _get_job_runs(self, request: dict[str, Any]) -> dict[str, Any]:
        limit = min(int(request.get("MaxResults", _RUNS_PAGE)), _RUNS_PAGE)
        before: int | None = None
        if token := request.get("NextToken"):
            position = wire.decode_token(token)
            if not position.isdecimal() or len(position) > 18:
                raise wire.invalid_input("NextToken is not one that this service gave")
            before = int(position)
        found = self._store.page(request["JobName"], before=before, limit=limit + 1)
        if not found and before is None:
            # Only then does it matter whether the job exists.
            self._definitions.get(request["JobName"])
        page = found[:limit]
        more = len(found) > limit
        return {
            "JobRuns": [run.to_wire() for run in page],
            "NextToken": wire.encode_token(str(page[-1].number)) if more else None,
        }

    def _batch_stop_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        job_name = request["JobName"]
        stopped: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for run_id in request["JobRunIds"]:
            error = self._stop(job_name, run_id)
            if error is None:
                stopped.append({"JobName": job_name, "JobRunId": run_id})
            else:
                errors.append({"JobName": job_name, "JobRunId": run_id, "ErrorDetail": error})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _stop(self, job_name: str, run_id: str) -> dict[str, str] | None:
        run = self._store.get(run_id)
        if run is None or run.job_name != job_name:
            return {"ErrorCode": "EntityNotFoundException", "ErrorMessage": f"Job run {run_id} not found"}
        self._store.move(run_id, RunState.STOPPING)
        run = self._store.get(run_id) or run
        if run.state not in ACTIVE:
            return {
                "ErrorCode": "InvalidInputException",
                "ErrorMessage": f"Job run {run_id} has ended already: it is {run.state}",
            }
        self._runner.stop(run_id)
        return None


def _page(
    items: list[T], request: Mapping[str, Any], name_of: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """The part of a list, ordered by name, that a request asks for, and the token of the next part."""
    limit = min(int(request.get("MaxResults", _JOBS_PAGE)), _JOBS_PAGE)
    after = wire.decode_token(request["NextToken"]) if request.get("NextToken") else ""
    rest = [item for item in items if name_of(item) > after]
    page = rest[:limit]
    return page, wire.encode_token(name_of(page[-1])) if len(rest) > limit else None


def _json(status: int, body: bytes) -> Answer:
    return Answer(status, {"Content-Type": wire.CONTENT_TYPE}, body)
