"""One job run, from its script in S3 to its output in S3: a thread that watches a process of its own session."""

import contextlib
import importlib.metadata
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3.exceptions
import botocore.exceptions
import psutil

from movie_platform.local_cloud import processes
from movie_platform.local_cloud.glue import arguments as job_arguments
from movie_platform.local_cloud.glue import launch, records, spark, staging
from movie_platform.local_cloud.glue.definitions import max_concurrent_runs
from movie_platform.local_cloud.glue.logs import ERROR_GROUP, OUTPUT_GROUP, LogStream
from movie_platform.local_cloud.glue.run_store import RUNNING_SINCE, ConcurrencyExceededError, Run, RunStore
from movie_platform.local_cloud.glue.states import RunState, is_retried
from movie_platform.process_identity import ProcessIdentity
from movie_platform.waiting import Deadline

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

_LOG = logging.getLogger(__name__)

_SAMPLE_SECONDS = 1.0
_STOP_GRACE_SECONDS = 8.0
_LOG_FINISH_SECONDS = 30.0
_ERROR_LIMIT = 2_000
_S3_ERRORS = (
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    boto3.exceptions.Boto3Error,
    OSError,
)
_EARLY_MESSAGES = {
    RunState.TIMEOUT: "The job exceeded its timeout.",
    RunState.ERROR: "The local Glue service was stopped while the job was running.",
}
# What a script may import beside its own modules: on Glue only this environment's packages, not this project.
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?:==(?P<version>[^;,\s]+))?")


class RunFailedError(Exception):
    """The run cannot begin, or its output cannot be stored; the text becomes the run's ErrorMessage."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients of the local AWS: scripts and output are in S3, what scripts print goes to Logs."""

    s3: "S3Client"
    logs: "CloudWatchLogsClient"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the runner works: `lake` is the data folder of the account's buckets, `runs` holds one folder a
    run.
    """

    lake: Path
    runs: Path
    classes: Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its final state, the ErrorMessage, and the most memory that was seen, in bytes."""

    state: RunState
    message: str | None = None
    peak_rss_bytes: int | None = None


class _Active:
    """A run that is going on: its thread, and the state in which somebody wants it to end."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self.early_end: RunState | None = None
        self.thread: threading.Thread | None = None

    def end(self, state: RunState) -> None:
        """Have the run end now, in a state; the first who asks decides in which."""
        self.early_end = self.early_end or state
        self.changed.set()


class Runner:
    """Starts runs, stops them, and starts failed ones again as often as their job says."""

    def __init__(
        self,
        store: RunStore,
        clients: Clients,
        folders: Folders,
        script_environment: Mapping[str, str],
        *,
        seconds_per_minute: float = 60.0,
    ) -> None:
        """`seconds_per_minute` is the length of the minutes in which Glue counts a job's Timeout."""
        self._store = store
        self._clients = clients
        self._folders = folders
        self._script_environment = dict(script_environment)
        self._seconds_per_minute = seconds_per_minute
        self._lock = threading.Lock()
        self._active: dict[str, _Active] = {}
        self._compiling = threading.Lock()
        self._closing = False

    def start(self, run: Run) -> None:
        """Carry a recorded run out, in the background."""
        active = _Active()
        active.thread = threading.Thread(
            target=self._carry_out, args=(run, active), name=run.run_id, daemon=True
        )
        with self._lock:
            self._active[run.run_id] = active
        active.thread.start()

    def stop(self, run_id: str) -> None:
        """Ask a run to stop; it ends soon."""
        with self._lock:
            active = self._active.get(run_id)
        if active is not None:
            active.end(RunState.STOPPED)

    def close(self, timeout_seconds: float) -> None:
        """End all runs: they become ERROR, since nobody asked for their end."""
        self._closing = True
        with self._lock:
            going = list(self._active.values())
        for active in going:
            active.end(RunState.ERROR)
        deadline = Deadline(timeout_seconds)
        for active in going:
            if active.thread is not None:
                active.thread.join(deadline.remaining)

    def end_lost_runs(self) -> None:
        """Runs that an earlier gateway left: end their processes, remove their folders, record them as ERROR."""
        for run in self._store.active():
            if run.process is not None:
                processes.end_session(run.process, grace_seconds=_STOP_GRACE_SECONDS)
            self._finish(
                run, Ended(RunState.ERROR, "The local Glue service ended while the job was running.")
            )
        for folder in self._folders.runs.iterdir():
            shutil.rmtree(folder)

    def _carry_out(self, run: Run, active: _Active) -> None:
        folder = self._folders.runs / run.run_id
        try:
            ended = self._execute(run, active, folder)
        except RunFailedError as error:
            ended = Ended(RunState.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - the last frame of this thread: whatever it is, the run must not stay RUNNING
            _LOG.exception("run %s", run.run_id)
            ended = Ended(RunState.ERROR, f"The local Glue service failed: {type(error).__name__}: {error}")
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            pass  # it ended before it had one
        except OSError:
            # Something of the run may still write there. The run ends; the next gateway deletes what is left.
            _LOG.exception("run %s: its folder cannot be deleted", run.run_id)
        retry = self._finish(run, ended)
        with self._lock:
            del self._active[run.run_id]
        if retry is not None:
            self.start(retry)

    def _finish(self, run: Run, ended: Ended) -> Run | None:
        """Record the end; the next attempt where there is to be one."""
        current = self._store.get(run.run_id) or run
        now = time.time()
        begun = current.document.get(RUNNING_SINCE)
        seconds = 0 if begun is None else max(0, round(now - begun))
        message = ended.message[:_ERROR_LIMIT] if ended.message else None
        changes: dict[str, Any] = {
            "CompletedOn": now,
            "LastModifiedOn": now,
            "ExecutionTime": seconds,
            "DPUSeconds": float(seconds * current.document["MaxCapacity"]),
            "ErrorMessage": message,
        }
        if ended.peak_rss_bytes is not None:
            changes["StateDetail"] = f"peak_rss_bytes={ended.peak_rss_bytes}"
        if not self._store.move(run.run_id, ended.state, **changes):
            _LOG.error("run %s is %s and cannot become %s", run.run_id, current.state, ended.state)
            return None
        _LOG.info("run %s of job %s: %s %s", run.run_id, run.job_name, ended.state, message or "")
        retries = int(run.definition.get("MaxRetries") or 0)
        if self._closing or not is_retried(ended.state, run.attempt, retries):
            return None
        record = records.next_attempt(current.document, now)
        limit = max_concurrent_runs(run.definition)
        try:
            return self._store.add(record, run.definition, max_concurrent=limit)
        except ConcurrencyExceededError:
            # Somebody started another run between the two: that one counts.
            _LOG.warning("run %s is not tried again: the job has no free place", run.run_id)
            return None

    def _execute(self, run: Run, active: _Active, folder: Path) -> Ended:
        merged = job_arguments.merge(
            run.definition.get("DefaultArguments", {}),
            run.document.get("Arguments") or {},
            run.definition.get("NonOverridableArguments", {}),
        )
        outputs = job_arguments.output_buckets(merged)
        prepared = self._prepare(run, merged, outputs, folder)
        if active.early_end is not None:
            return Ended(active.early_end)
        self._store.move(run.run_id, RunState.RUNNING, **{RUNNING_SINCE: time.time()})
        ended = self._run_script(run, active, prepared)
        if ended.state is RunState.SUCCEEDED:
            self._publish(run, outputs, folder)
        return ended

    def _prepare(
        self, run: Run, merged: Mapping[str, str], outputs: frozenset[str], folder: Path
    ) -> "_Prepared":
        folder.mkdir(mode=0o700)
        working = folder / "work"
        working.mkdir()
        command = run.definition["Command"]
        if merged.get("--job-language", "python") != "python":
            raise RunFailedError("--job-language: the local Glue runs Python only")
        if merged.get("--extra-jars"):
            raise RunFailedError("--extra-jars: the local Glue loads no jars beside Spark's own")
        _require_modules(job_arguments.listed(merged, "--additional-python-modules"))
        script = self._download(command.get("ScriptLocation", ""), folder / "script", "the job's script")
        search_path = [
            str(path if path.suffix in (".zip", ".egg", ".whl") else path.parent)
            for path in (
                self._download(uri, folder / f"module-{number}", "a file of --extra-py-files")
                for number, uri in enumerate(job_arguments.listed(merged, "--extra-py-files"))
            )
        ]
        for uri in job_arguments.listed(merged, "--extra-files"):
            self._download(uri, working, "a file of --extra-files")
        environment = {
            **processes.marked(self._script_environment),
            "PYTHONPATH": os.pathsep.join(search_path),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(working),
            "TZ": "UTC",
        }
        if command.get("Name", "glueetl") == "glueetl":
            configuration = self._configure_spark(merged, outputs, folder, working)
            environment.update(spark.environment(configuration, working))
        report = folder / "report.json"
        line = [sys.executable, launch.__file__, str(script), str(report)]
        passed = job_arguments.command_line(merged, job_name=run.job_name, run_id=run.run_id)
        return _Prepared([*line, *passed], environment, working, report)

    def _configure_spark(
        self, merged: Mapping[str, str], outputs: frozenset[str], folder: Path, working: Path
    ) -> Path:
        try:
            options = job_arguments.spark_options(merged)
            with self._compiling:
                class_path = spark.compile_file_system(self._folders.classes)
        except (ValueError, spark.CompilationError) as error:
            raise RunFailedError(str(error)) from error
        mounts: dict[str, Path] = {}
        for bucket in self._buckets():
            mounts[bucket] = (
                _staging_folder(folder, bucket) if bucket in outputs else self._folders.lake / bucket
            )
            mounts[bucket].mkdir(parents=True, exist_ok=True)
        if missing := outputs - mounts.keys():
            raise RunFailedError(f"The output bucket {min(missing)} does not exist.")
        settings = spark.properties(
            lake=self._folders.lake, class_path=class_path, working=working, mounts=mounts, options=options
        )
        configuration = folder / "conf"
        spark.write_configuration(configuration, settings)
        return configuration

    def _buckets(self) -> list[str]:
        return [
            bucket["Name"]
            for page in self._clients.s3.get_paginator("list_buckets").paginate()
            for bucket in page["Buckets"]
            if "Name" in bucket
        ]

    def _download(self, uri: str, folder: Path, what: str) -> Path:
        location = job_arguments.parse_s3_uri(uri)
        name = location.key.rpartition("/")[2] if location else ""
        if location is None or name in ("", ".", ".."):
            raise RunFailedError(f"{uri!r}, {what}, is no s3:// URI of an object.")
        folder.mkdir(exist_ok=True)
        target = folder / name
        try:
            self._clients.s3.download_file(location.bucket, location.key, str(target))
        except _S3_ERRORS as error:
            raise RunFailedError(f"{location}, {what}, cannot be read: {error}") from error
        return target

    def _run_script(self, run: Run, active: _Active, prepared: "_Prepared") -> Ended:
        deadline = Deadline(float(run.document["Timeout"]) * self._seconds_per_minute)
        child = subprocess.Popen(
            prepared.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=prepared.working,
            env=prepared.environment,
            start_new_session=True,
        )
        leader = ProcessIdentity.of_child(child.pid)
        self._store.set_process(run.run_id, leader)
        assert child.stdout is not None
        assert child.stderr is not None
        output = LogStream(self._clients.logs, OUTPUT_GROUP, run.run_id, child.stdout)
        errors = LogStream(self._clients.logs, ERROR_GROUP, run.run_id, child.stderr)
        try:
            output.start()
            errors.start()
            early, peak = _watch(child, active, deadline)
        finally:
            # Spark's own processes too: none may write to the staging folder from here on.
            processes.end_session(leader, grace_seconds=_STOP_GRACE_SECONDS if child.poll() is None else 1.0)
            child.wait()
        output.finish(_LOG_FINISH_SECONDS)
        errors.finish(_LOG_FINISH_SECONDS)
        if early is not None:
            return Ended(early, _EARLY_MESSAGES.get(early), peak)
        if child.returncode == 0:
            return Ended(RunState.SUCCEEDED, None, peak)
        return Ended(RunState.FAILED, _failure(prepared.report, child.returncode, errors.tail()), peak)

    def _publish(self, run: Run, outputs: frozenset[str], folder: Path) -> None:
        for bucket in sorted(outputs):
            staged = _staging_folder(folder, bucket)
            if not staged.is_dir():
                continue
            try:
                counts = staging.upload(self._clients.s3, bucket, staged)
            except _S3_ERRORS as error:
                raise RunFailedError(f"The output for s3://{bucket} could not be stored: {error}") from error
            _LOG.info(
                "run %s: s3://%s: %d put, %d unchanged, %d deleted",
                run.run_id,
                bucket,
                counts.put,
                counts.unchanged,
                counts.deleted,
            )


@dataclass(frozen=True, slots=True)
class _Prepared:
    command: list[str]
    environment: dict[str, str]
    working: Path
    report: Path


def _watch(
    child: subprocess.Popen[bytes], active: _Active, deadline: Deadline
) -> tuple[RunState | None, int]:
    """Wait for a script's end: the state in which to end it early, or None, and the most memory it was seen
    to use.
    """

    def wait() -> None:
        child.wait()
        active.changed.set()

    threading.Thread(target=wait, name=f"wait for {child.pid}", daemon=True).start()
    peak = 0
    while True:
        active.changed.wait(_SAMPLE_SECONDS)
        active.changed.clear()
        if child.poll() is not None:
            return None, peak
        if active.early_end is not None:
            return active.early_end, peak
        if deadline.passed:
            return RunState.TIMEOUT, peak
        peak = max(peak, _resident_bytes(child.pid))


def _resident_bytes(leader: int) -> int:
    """What a process and its session occupy now."""
    identity = ProcessIdentity.of(leader)
    if identity is None:
        return 0
    total = 0
    for member in (identity, *processes.session_members(identity)):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += psutil.Process(member.pid).memory_info().rss
    return total


def _failure(report: Path, exit_code: int, tail: str) -> str:
    """Why a script failed: its exception, or where it could not tell, its exit code and the end of its log."""
    try:
        return str(json.loads(report.read_text("utf-8"))["error"])
    except (FileNotFoundError, ValueError, KeyError):
        how = f"was ended by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
        return f"The job's process {how}. The end of its log:\n{tail}"


def _require_modules(requirements: list[str]) -> None:
    """Nothing is installed for a run: refuse one that asks for a package that is not here already."""
    for requirement in requirements:
        found = _REQUIREMENT.fullmatch(requirement)
        if found is None:
            raise RunFailedError(
                f"--additional-python-modules: the local Glue understands no {requirement!r}"
            )
        try:
            version = importlib.metadata.version(found["name"])
        except importlib.metadata.PackageNotFoundError as error:
            raise RunFailedError(
                f"--additional-python-modules: {found['name']} is not installed here"
            ) from error
        if found["version"] not in (None, version):
            raise RunFailedError(
                f"--additional-python-modules: {found['name']} is {version} here, not {found['version']}"
            )


def _staging_folder(folder: Path, bucket: str) -> Path:
    return folder / "staging" / bucket
