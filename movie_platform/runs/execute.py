"""Executing a job in this process, recorded as if a code server had done it.

`JobDefinition.execute_in_process` would do, but its runs name no code location: the UI cannot link them to
their job or execute them again, and run status sensors pass over them. So the run is created with its
origin first; the calls into `dagster._core` are confined to this module.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from movie_platform.automation.run_owner import owner_tags
from movie_platform.runs.instance import CODE_LOCATION, DEFINITIONS_MODULE

_PARTITION_TAG = "dagster/partition"


def execute_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    partition_key: str,
    run_config: Mapping[str, Any],
    tags: Mapping[str, str],
    on_event: Callable[[dg.DagsterEvent], None] = lambda _event: None,
) -> dg.DagsterRun:
    """Execute a job for one partition in this process and answer the finished run, failed or not.

    `on_event` gets each event as it happens. What code raises inside a step is recorded in the run and not
    raised here; KeyboardInterrupt is, after the run was recorded as canceled. The job's executor must be
    the in-process one.
    """
    run = instance.create_run_for_job(
        job_def=job,
        run_config=run_config,
        tags={
            **job.run_tags,
            **tags,
            _PARTITION_TAG: partition_key,
            **owner_tags(),
        },
        remote_job_origin=_origin(job.name),
    )
    for event in execute_run_iterator(InMemoryJob(job), run, instance):
        on_event(event)
    finished = instance.get_run_by_id(run.run_id)
    if finished is None:
        raise LookupError(f"run {run.run_id} was deleted while it ran")
    return finished


def _origin(job_name: str) -> Any:
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        loadable_target_origin=LoadableTargetOrigin(
            executable_path=sys.executable, module_name=DEFINITIONS_MODULE
        ),
        location_name=CODE_LOCATION,
    )
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job_name)
