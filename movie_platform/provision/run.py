"""The order of a deployment: bucket of packages, packages, stack, SQL, and the stack again with Snowflake's
answer.

Nothing has to be configured by hand in between, and every step may be repeated: a second run changes nothing.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from movie_platform.provision.artifacts import (
    Artifact,
    build_artifacts,
    missing_artifacts,
    upload_artifacts,
)
from movie_platform.provision.files import BOOTSTRAP_TEMPLATE, SQL_FOLDER, TEMPLATE
from movie_platform.provision.sql import (
    SchemaHistory,
    apply_sql_files,
    load_sql_files,
    pending_files,
)
from movie_platform.provision.stacks import ResourceChange, Stack, StackDeployer
from movie_platform.provision.warehouse import SnowflakeAnswer, ask_snowflake, sql_parameters
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect

if TYPE_CHECKING:
    from movie_platform.settings import Settings

QUERY_TAG = "movie-platform provision"
# Stands for the role's ARN in a dry run before the role exists.
_ROLE_TO_COME = "arn:aws:iam::000000000000:role/not-created-yet"


@dataclass(frozen=True, slots=True)
class ProvisionReport:
    """What was changed, or in a dry run would be: `stacks` by name, uploaded keys, applied SQL files."""

    dry_run: bool
    stacks: Mapping[str, tuple[ResourceChange, ...]]
    artifacts: tuple[str, ...]
    sql_files: tuple[str, ...]
    outputs: Mapping[str, str]
    seconds: float

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be, changed."""
        return bool(self.artifacts or self.sql_files or any(self.stacks.values()))

    def to_dict(self) -> dict[str, Any]:
        """The report as `movie-platform provision --json` prints it."""
        return asdict(self) | {"changed": self.changed}

    def __str__(self) -> str:
        lines = [f"stack {name}: {change}" for name, changes in self.stacks.items() for change in changes]
        lines += [f"package: {key}" for key in self.artifacts]
        lines += [f"sql: {name}" for name in self.sql_files]
        if not lines:
            return "Nothing to change: everything is as described."
        heading = "Would change:" if self.dry_run else "Changed:"
        return "\n".join([heading, *(f"  {line}" for line in lines)])


def provision(
    settings: "Settings", *, dry_run: bool = False, progress: Callable[[str], None] = lambda _line: None
) -> ProvisionReport:
    """Deploys everything that the settings name, or with `dry_run` says what that would change.

    Idempotent, and to be repeated after any failure. Raises PlatformError (StackError, SqlFileError,
    WarehouseUnavailableError, ConfigurationError and others), and botocore's errors for requests that AWS
    refuses.
    """
    return _Provisioning(settings, progress).run(dry_run=dry_run)


class _Provisioning:
    def __init__(self, settings: "Settings", progress: Callable[[str], None]) -> None:
        self._settings = settings
        self._progress = progress
        self._s3 = aws_client(settings, "s3")
        self._deployer = StackDeployer(aws_client(settings, "cloudformation"), self._s3, progress=progress)
        self._changes: dict[str, tuple[ResourceChange, ...]] = {}

    def run(self, *, dry_run: bool) -> ProvisionReport:
        began = time.monotonic()
        settings = self._settings
        bucket = settings.bucket("artifacts")
        artifacts = build_artifacts()
        self._stack(self._bootstrap_stack(), dry_run=dry_run)
        missing = missing_artifacts(self._s3, bucket, artifacts)
        if not dry_run:
            for artifact in missing:
                self._progress(f"package: {artifact.key}")
            upload_artifacts(self._s3, bucket, missing)

        # A stack that was wired already keeps its wiring: taking it away for a moment would lose events.
        known = self._known_answer()
        self._stack(self._main_stack(artifacts, known), dry_run=dry_run)
        role = self._deployer.outputs(settings.stack_name).get("SnowflakeRoleArn", _ROLE_TO_COME)
        files = load_sql_files(SQL_FOLDER, sql_parameters(settings, role))
        with connect(settings, role=settings.snowflake_admin_role, query_tag=QUERY_TAG) as session:
            history = SchemaHistory(session, settings.snowflake_database)
            if dry_run:
                applied = tuple(file.name for file in pending_files(files, history.applied()))
            else:
                applied = apply_sql_files(
                    session,
                    files,
                    history,
                    progress=self._progress,
                )
                answer = ask_snowflake(session, settings.snowflake_database).stack_parameters()
                if answer != known:
                    self._stack(self._main_stack(artifacts, answer), dry_run=False)
        return ProvisionReport(
            dry_run=dry_run,
            stacks=self._changes,
            artifacts=tuple(artifact.key for artifact in missing),
            sql_files=applied,
            outputs=self._deployer.outputs(settings.stack_name),
            seconds=round(time.monotonic() - began, 3),
        )

    def _stack(self, stack: Stack, *, dry_run: bool) -> None:
        result = self._deployer.difference(stack) if dry_run else self._deployer.deploy(stack)
        self._changes[stack.name] = self._changes.get(stack.name, ()) + result.changes

    def _known_answer(self) -> dict[str, str]:
        names = SnowflakeAnswer("", "", "").stack_parameters()
        current = self._deployer.parameters(self._settings.stack_name)
        return {name: current[name] for name in names if current.get(name)}

    def _bootstrap_stack(self) -> Stack:
        return Stack(
            f"{self._settings.stack_name}-bootstrap",
            BOOTSTRAP_TEMPLATE,
            {"NamePrefix": self._settings.name_prefix},
            {"ArtifactsBucket": self._settings.bucket("artifacts")},
        )

    def _main_stack(self, artifacts: tuple[Artifact, ...], answer: Mapping[str, str]) -> Stack:
        settings = self._settings
        return Stack(
            settings.stack_name,
            TEMPLATE,
            {
                "NamePrefix": settings.name_prefix,
                "CatalogDatabaseName": settings.glue_database_name,
                "GlueTimeoutMinutes": str(settings.glue_job_timeout_minutes),
                **{artifact.parameter: artifact.key for artifact in artifacts},
                **answer,
            },
            {
                "LandingBucket": settings.bucket("landing"),
                "ProcessedBucket": settings.bucket("processed"),
                "ArchiveBucket": settings.bucket("archive"),
            },
        )
