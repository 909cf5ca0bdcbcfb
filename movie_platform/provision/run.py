"""The order of a deployment, in which each side is told what it needs of the other before it is asked for it.

Bucket of packages, packages, stack; what belongs to the Snowflake account, by an administrator; SQL up to the stage;
the stack again, whose role then trusts what DESC INTEGRATION names; the pipes, which assume that role when they are
created; the stack again, whose bucket then notifies the queue that SHOW PIPES names; all SQL behind them; and a look at
whether all of it is as it should be. Nothing has to be configured by hand in between, and every step may be repeated: a
second run changes nothing.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from movie_platform.provision.account import (
    AccountNotPreparedError,
    account_sql,
    connect_deployer,
    prepare_account,
    require_prepared,
)
from movie_platform.provision.artifacts import (
    Artifact,
    build_artifacts,
    missing_artifacts,
    upload_artifacts,
)
from movie_platform.provision.files import BOOTSTRAP_TEMPLATE, SQL_FOLDER, TEMPLATE
from movie_platform.provision.pipes import pipes_to_replace, replace_pipe
from movie_platform.provision.present import gone, objects_of_database
from movie_platform.provision.sql import (
    Pass,
    SchemaHistory,
    SqlDeployment,
    SqlFile,
    SqlFileError,
    differences_of,
    load_sql_files,
    pending_files,
    use_warehouse,
    warehouse_exists,
)
from movie_platform.provision.stacks import ResourceChange, Stack, StackDeployer
from movie_platform.provision.streams import replacements, stale_streams
from movie_platform.provision.verify import require_as_described
from movie_platform.provision.warehouse import (
    QUEUE_PARAMETER,
    TRUST_PARAMETERS,
    queue_of_pipes,
    sql_parameters,
    trust_of_integration,
)
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_until

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from movie_platform.settings import Settings

QUERY_TAG = "movie-platform provision"
# Snowflake's number for "Error assuming AWS_ROLE". What IAM was told is known everywhere after a while
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency).
ROLE_NOT_ASSUMED = 3167
TRUST_SECONDS = 180.0
_TRUST_PAUSES = Pauses(first=2.0, longest=20.0, growth=2.0)
# Stands for the role's ARN in a dry run before the role exists.
_ROLE_TO_COME = "arn:aws:iam::000000000000:role/not-created-yet"


@dataclass(frozen=True, slots=True)
class ProvisionReport:
    """What was changed, or in a dry run would be: `stacks` by name, uploaded keys, applied SQL files.

    A dry run also says what those files would change in tables that are there (`differences`), and where the account
    is not what files say that are applied already (`drift`): somebody else's work, which stays.
    """

    dry_run: bool
    stacks: Mapping[str, tuple[ResourceChange, ...]]
    artifacts: tuple[str, ...]
    sql_files: tuple[str, ...]
    differences: tuple[str, ...]
    drift: tuple[str, ...]
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
        lines += [f"sql: {difference}" for difference in self.differences]
        drift = [f"  {difference}" for difference in self.drift]
        if drift:
            drift = ["Not as the files say, and left as it is:", *drift]
        if not lines:
            return "\n".join(["Nothing to change: everything is as described.", *drift])
        heading = "Would change:" if self.dry_run else "Changed:"
        return "\n".join([heading, *(f"  {line}" for line in lines), *drift])


def provision(
    settings: "Settings", *, dry_run: bool = False, progress: Callable[[str], None] = lambda _line: None
) -> ProvisionReport:
    """Deploys everything that the settings name, or with `dry_run` says what that would change.

    Idempotent, and to be repeated after any failure. Raises PlatformError (StackError, SqlFileError,
    WarehouseUnavailableError, ConfigurationError and others), and botocore's errors for requests that AWS
    refuses.
    """
    return _Provisioning(settings, progress).run(dry_run=dry_run)


def print_account_sql(settings: "Settings") -> str:
    """The statements that an administrator of the Snowflake account has to run, once.

    Raises AccountNotPreparedError where the stack is not there yet, whose role the integration names.
    """
    deployer = StackDeployer(
        aws_client(settings, "cloudformation"), aws_client(settings, "s3"), progress=lambda _line: None
    )
    role = deployer.outputs(settings.stack_name).get("SnowflakeRoleArn")
    if role is None:
        raise AccountNotPreparedError(
            "stack_missing",
            f"The stack {settings.stack_name} is not there yet, and the storage integration has to name its role.",
            "Run `movie-platform provision` first: it makes the stack, and stops where the account is not prepared.",
        )
    return account_sql(settings, load_sql_files(SQL_FOLDER, sql_parameters(settings, role)))


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
        if dry_run:
            applied, differences, drift = self._look(files)
        else:
            applied, differences, drift = self._apply(files, artifacts, known), (), ()
        return ProvisionReport(
            dry_run=dry_run,
            stacks=self._changes,
            artifacts=tuple(artifact.key for artifact in missing),
            sql_files=applied,
            differences=differences,
            drift=drift,
            outputs=self._deployer.outputs(settings.stack_name),
            seconds=round(time.monotonic() - began, 3),
        )

    def _look(self, files: tuple[SqlFile, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """What a deployment would apply, what that would change in tables, and what is not as applied files say."""
        settings = self._settings
        login = "deployer" if settings.snowflake_admin_user is None else "administrator"
        of_database = [file for file in files if file.belongs_to is not Pass.ACCOUNT]
        # What an administrator has applied by hand nobody has noted.
        ours = files if login == "administrator" else of_database
        differences: list[str] = []
        drift: list[str] = []
        with connect(settings, login=login, query_tag=QUERY_TAG) as session:
            stale = stale_streams(session, settings.snowflake_database)
            pipes = pipes_to_replace(files, query_rows(session, "SHOW PIPES IN ACCOUNT"))
            # Without the warehouse nobody can say what was applied: all of it comes behind the warehouse.
            known: Mapping[str, str] = {}
            if warehouse_exists(session, settings.snowflake_warehouse):
                use_warehouse(session, settings.snowflake_warehouse)
                known = SchemaHistory(session, settings.snowflake_database).applied()
            pending = {file.name for file in pending_files(ours, known)}
            lost: list[str] = []
            if known:
                done = [file for file in of_database if file.name not in pending]
                present = objects_of_database(session, settings.snowflake_database.upper())
                lost = gone((text for file in done for text in file.statements), present)
            for file in files if known else ():
                found = differences_of(session, file)
                (differences if file.name in pending else drift).extend(str(each) for each in found)
        return (
            (
                *sorted(pending),
                *(f"{name}, which is gone" for name in lost),
                *(f"pipe {name}" for name in sorted(pipes)),
                *(f"stream {name}" for name in sorted(replacements(files, stale))),
            ),
            tuple(differences),
            tuple(drift),
        )

    def _apply(
        self, files: tuple[SqlFile, ...], artifacts: tuple[Artifact, ...], known: Mapping[str, str]
    ) -> tuple[str, ...]:
        settings = self._settings
        prepared = prepare_account(settings, files, query_tag=QUERY_TAG, progress=self._progress)
        with connect_deployer(settings, query_tag=QUERY_TAG) as session:
            require_prepared(session, settings)
            deployment = SqlDeployment(
                session,
                files,
                SchemaHistory(session, settings.snowflake_database),
                role=settings.snowflake_owner_role,
                warehouse=settings.snowflake_warehouse,
                noted=prepared,
                progress=self._progress,
            )
            self._apply_in_passes(session, deployment, artifacts, known)
            return tuple(deployment.names)

    def _apply_in_passes(
        self,
        session: "SnowflakeConnection",
        deployment: SqlDeployment,
        artifacts: tuple[Artifact, ...],
        known: Mapping[str, str],
    ) -> None:
        database = self._settings.snowflake_database
        deployment.apply(Pass.STORAGE)
        answer = {**known, **trust_of_integration(session, database)}
        if answer != known:
            self._stack(self._main_stack(artifacts, answer), dry_run=False)
        self._create_pipes(deployment)
        for name, statement in pipes_to_replace(deployment.files, self._shown_pipes(session)).items():
            with deployment.acting_as(self._settings.snowflake_loader_role):
                replace_pipe(session, name, statement, progress=self._progress)
            deployment.names.append(f"pipe {name}")
        wired = {**answer, **queue_of_pipes(session, database)}
        if wired != answer:
            self._stack(self._main_stack(artifacts, wired), dry_run=False)
        deployment.apply(Pass.WAREHOUSE_OBJECTS)
        deployment.require_noted()
        renewed = replacements(deployment.files, stale_streams(session, database))
        for name, statement in sorted(renewed.items()):
            deployment.execute(statement)
            self._progress(f"snowflake: stream {name} was stale; the task graph looks at all days again")
            deployment.names.append(f"stream {name}")
        require_as_described(session, database)

    def _shown_pipes(self, session: "SnowflakeConnection") -> list[dict[str, Any]]:
        return list(
            query_rows(session, f"SHOW PIPES IN DATABASE {self._settings.snowflake_database.upper()}")
        )

    def _create_pipes(self, deployment: SqlDeployment) -> None:
        """Creates the pipes; waits while the role's trust is not seen everywhere yet."""
        refused: list[SqlFileError] = []

        def created() -> bool:
            try:
                deployment.apply(Pass.PIPES)
            except SqlFileError as error:
                if error.number != ROLE_NOT_ASSUMED:
                    raise
                refused.append(error)
                self._progress("snowflake: the archive's role does not let Snowflake in yet; waiting for it")
                return False
            return True

        try:
            wait_until(created, "the role's trust", deadline=Deadline(TRUST_SECONDS), pauses=_TRUST_PAUSES)
        except WaitTimeoutError as late:
            raise refused[-1] from late

    def _stack(self, stack: Stack, *, dry_run: bool) -> None:
        result = self._deployer.difference(stack) if dry_run else self._deployer.deploy(stack)
        self._changes[stack.name] = self._changes.get(stack.name, ()) + result.changes

    def _known_answer(self) -> dict[str, str]:
        current = self._deployer.parameters(self._settings.stack_name)
        return {name: current[name] for name in (*TRUST_PARAMETERS, QUEUE_PARAMETER) if current.get(name)}

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
