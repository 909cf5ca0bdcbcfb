"""Running the Glue job that transforms a verified batch.

Differs from dagster_aws's PipesGlueClient where that falls short: a deadline, EXPIRED as a final state, the log's
tail in the error, re-attachment to a run of the same batch that is still going, and polling that starts fast.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform.contracts.locations import run_prefix
from movie_platform.errors import PlatformError
from movie_platform.resources.aws import AwsResource
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_for

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import JobRunTypeDef

# https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"})
VERIFIED_URI = "--verified_uri"
_POLLS = Pauses(first=0.5, longest=10.0)
# Glue enforces the timeout; the margin covers the wait for capacity and Glue's own clock.
DEADLINE_MARGIN_SECONDS = 600
LOG_GROUP = "/aws-glue/jobs"
LOG_TAIL_LINES = 40
# A run of the same batch that still goes is among the newest; older pages hold finished runs.
RECENT_RUNS = 50


class TransformRunError(PlatformError):
    """A job run ended in another state than SUCCEEDED, or not in time. `log_tail` is the last of its log."""

    def __init__(self, job_run_id: str, state: str, message: str, log_tail: str) -> None:
        super().__init__(
            f"transform_{state.lower()}",
            f"Glue job run {job_run_id} ended {state}: {message}",
            f"read its log in CloudWatch, groups {LOG_GROUP}/output and {LOG_GROUP}/error, stream {job_run_id}",
        )
        self.job_run_id = job_run_id
        self.state = state
        self.log_tail = log_tail


class TransformRecordError(PlatformError):
    """The job run succeeded, but the record that it writes last is missing or not readable."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(
            "transform_record_missing",
            f"no readable _RUN.json under {where}: {why}",
            "read the job run's log; the deployed script may be of another version: run `movie-platform provision`",
        )


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file that the job wrote into the archive bucket."""

    key: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TransformRecord:
    """What the newest transform run of a batch recorded in `_RUN.json`."""

    source: str
    dt: date
    batch_id: str
    transform_id: str
    transformed_at: str
    job_run_id: str
    counts: dict[str, Any]
    nulled: dict[str, int]
    files: dict[str, tuple[ArchiveFile, ...]]
    rows: dict[str, int]
    seconds: float

    @classmethod
    def from_json(cls, text: str | bytes) -> "TransformRecord":
        """Reads a `_RUN.json`. Raises KeyError, TypeError or ValueError where it is not one."""
        record = json.loads(text)
        tables = record["tables"]
        return cls(
            source=record["source"],
            dt=date.fromisoformat(record["dt"]),
            batch_id=record["batch_id"],
            transform_id=record["transform_id"],
            transformed_at=record["transformed_at"],
            job_run_id=record["job_run_id"],
            counts=record["counts"],
            nulled={name: int(count) for name, count in record["nulled"].items()},
            files={
                name: tuple(ArchiveFile(f["key"], int(f["rows"]), int(f["bytes"])) for f in table["files"])
                for name, table in tables.items()
            },
            rows={name: int(table["rows"]) for name, table in tables.items()},
            seconds=float(record["seconds"]),
        )


class TransformJob(dg.ConfigurableResource):
    """Starts the deployed Glue job, waits for its runs and reads what they record."""

    job_name: str
    archive_bucket: str
    artifacts_bucket: str
    timeout_minutes: int
    aws: dg.ResourceDependency[AwsResource]

    def run(self, context: dg.AssetExecutionContext, verified_uri: str) -> "JobRunTypeDef":
        """Transforms the batch that `verified_uri` marks, waits for the end and returns the run.

        A run of the same batch that is still going (its orchestrator died) is waited for instead of started again.
        A run that Dagster interrupts is stopped. Raises TransformRunError.
        """
        running = self._running(verified_uri)
        if running is not None:
            context.log.info(f"Waiting for Glue job run {running}, which transforms this batch already.")
            return self._wait(context, running)
        # It imports dagster_aws, which takes seconds that a code server is spared.
        from movie_platform.resources.pipes_messages import s3_pipes

        injector, reader = s3_pipes(self.artifacts_bucket, self.aws.client("s3"))
        with dg.open_pipes_session(
            context=context, context_injector=injector, message_reader=reader
        ) as session:
            started = self.aws.client("glue").start_job_run(
                JobName=self.job_name,
                Timeout=self.timeout_minutes,
                Arguments={VERIFIED_URI: verified_uri, **session.get_bootstrap_cli_arguments()},
            )
            context.log.info(f"Started Glue job run {started['JobRunId']} of {self.job_name}.")
            return self._wait(context, started["JobRunId"])

    def newest_record(self, source: str, dt: date, batch_id: str) -> TransformRecord:
        """The record of the newest transform run of a batch. Raises TransformRecordError."""
        s3 = self.aws.client("s3")
        prefix = run_prefix(source, dt, batch_id)
        where = f"s3://{self.archive_bucket}/{prefix}"
        records: list[TransformRecord] = []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.archive_bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                key = entry.get("Key", "")
                if not key.endswith("/_RUN.json"):
                    continue
                body = s3.get_object(Bucket=self.archive_bucket, Key=key)["Body"].read()
                try:
                    records.append(TransformRecord.from_json(body))
                except (KeyError, TypeError, ValueError) as error:
                    raise TransformRecordError(f"s3://{self.archive_bucket}/{key}", repr(error)) from error
        if not records:
            raise TransformRecordError(where, "there is none")
        return max(records, key=lambda record: record.transformed_at)

    def _running(self, verified_uri: str) -> str | None:
        runs = self.aws.client("glue").get_job_runs(JobName=self.job_name, MaxResults=RECENT_RUNS)["JobRuns"]
        for run in runs:
            if (
                run.get("JobRunState") not in FINAL_STATES | {"STOPPING"}
                and run.get("Arguments", {}).get(VERIFIED_URI) == verified_uri
            ):
                return run.get("Id")
        return None

    def _wait(self, context: dg.AssetExecutionContext, job_run_id: str) -> "JobRunTypeDef":
        deadline = Deadline(self.timeout_minutes * 60 + DEADLINE_MARGIN_SECONDS)
        glue = self.aws.client("glue")

        def succeeded() -> "JobRunTypeDef | None":
            run = glue.get_job_run(JobName=self.job_name, RunId=job_run_id)["JobRun"]
            state = run.get("JobRunState", "")
            if state == "SUCCEEDED":
                return run
            if state in FINAL_STATES:
                raise TransformRunError(
                    job_run_id, state, run.get("ErrorMessage", "no message"), self._log_tail(job_run_id)
                )
            return None

        try:
            return wait_for(succeeded, f"Glue job run {job_run_id}", deadline=deadline, pauses=_POLLS)
        except WaitTimeoutError as late:
            self._stop(context, job_run_id)
            raise TransformRunError(
                job_run_id, "TIMEOUT", "it did not end before its deadline", self._log_tail(job_run_id)
            ) from late
        except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            self._stop(context, job_run_id)
            raise

    def _stop(self, context: dg.AssetExecutionContext, job_run_id: str) -> None:
        context.log.warning(f"Stopping Glue job run {job_run_id}.")
        answer = self.aws.client("glue").batch_stop_job_run(JobName=self.job_name, JobRunIds=[job_run_id])
        for failure in answer.get("Errors", []):
            context.log.error(f"Glue job run {job_run_id} could not be stopped: {failure.get('ErrorDetail')}")

    def _log_tail(self, job_run_id: str) -> str:
        logs = self.aws.client("logs")
        lines: list[str] = []
        for group in (f"{LOG_GROUP}/error", f"{LOG_GROUP}/output"):
            try:
                page = logs.get_log_events(
                    logGroupName=group, logStreamName=job_run_id, limit=LOG_TAIL_LINES, startFromHead=False
                )
            except logs.exceptions.ResourceNotFoundException:
                continue
            lines += [event.get("message", "").rstrip() for event in page["events"]]
        return "\n".join(lines[-LOG_TAIL_LINES:])
