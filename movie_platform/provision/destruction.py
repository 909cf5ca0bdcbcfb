"""Takes away what `provision` made, and says before what that is: nothing of others, and data only when asked for.

Without data: what runs, costs or listens, that is the task graph, the pipes and the stacks. With data also the
database, the buckets with every version of their objects, and what only they need: warehouses, the monitor, roles,
users and the storage integration. Each step may be repeated: what is gone already is not missed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from movie_platform.errors import PlatformError
from movie_platform.provision.differences import own_monitors, own_warehouses
from movie_platform.provision.render import identifier
from movie_platform.provision.stacks import StackDeployer
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.graph_state import ROOT_TASK
from movie_platform.resources.snowflake_connection import connect, query_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef
    from snowflake.connector import SnowflakeConnection

    from movie_platform.settings import Settings

QUERY_TAG = "movie-platform destroy"
_ROLES = ("OWNER", "LOADER", "TRANSFORMER", "DEPLOYER", "ANALYST", "READER")
_MARK = "Movie Platform"
# The most that one DeleteObjects takes.
_OBJECTS_AT_ONCE = 1000


class BucketNotEmptiedError(PlatformError):
    """An object of a bucket that is to go cannot be deleted."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """One thing that goes: what it is for people, and where it lies."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Destruction:
    """What would go (`deletions`, in order) and what stays though `provision` made it, with why (`kept`)."""

    deletions: tuple[Deletion, ...]
    kept: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "deletions": [{"kind": each.kind, "name": each.name} for each in self.deletions],
            "kept": list(self.kept),
        }

    def __str__(self) -> str:
        lines = [f"  {each}" for each in self.deletions] or ["  nothing: there is nothing of this platform's"]
        kept = [f"  {each}" for each in self.kept]
        return "\n".join(["Goes:", *lines, *(["Stays:", *kept] if kept else [])])


def plan_destruction(settings: "Settings", *, with_data: bool) -> Destruction:
    """What `destroy` deletes. Changes nothing.

    Raises WarehouseUnavailableError where Snowflake cannot be reached, and botocore's errors for what AWS refuses.
    """
    deletions: list[Deletion] = []
    kept: list[str] = []
    with _session(settings) as session:
        deletions += _what_runs(session, settings)
        there = _database_is_there(session, settings)
        if with_data:
            deletions += [Deletion("database", identifier(settings.snowflake_database))] if there else []
            if settings.snowflake_admin_user is None:
                kept.append(
                    "warehouses, roles, users and the integration: only an administrator may drop them"
                )
            else:
                deletions += _of_the_account(session, settings)
        elif there:
            kept.append(
                f"the database {identifier(settings.snowflake_database)} and what belongs to it: --with-data"
            )
    deletions += _stacks(settings)
    buckets = [Deletion("bucket", name) for name in _buckets(settings)]
    if with_data:
        deletions += buckets
    elif buckets:
        kept.append(f"the buckets {', '.join(each.name for each in buckets)}: --with-data")
    return Destruction(tuple(deletions), tuple(kept))


def destroy(
    settings: "Settings", destruction: Destruction, *, progress: Callable[[str], None] = lambda _line: None
) -> None:
    """Deletes what the plan names, in its order; to be repeated after any failure.

    Raises StackError, snowflake.connector.Error and botocore's errors for what cannot be deleted.
    """
    s3 = aws_client(settings, "s3")
    stacks = StackDeployer(aws_client(settings, "cloudformation"), s3, progress=progress)
    with _session(settings) as session:
        for each in destruction.deletions:
            progress(f"deleting {each}")
            if each.kind == "stack":
                stacks.delete(each.name)
            elif each.kind == "bucket":
                _delete_bucket(s3, each.name)
            else:
                _drop(session, each)


def _session(settings: "Settings") -> "SnowflakeConnection":
    login = "deployer" if settings.snowflake_admin_user is None else "administrator"
    return connect(settings, login=login, query_tag=QUERY_TAG)


def _drop(session: "SnowflakeConnection", deletion: Deletion) -> None:
    kind = deletion.kind.upper()
    with session.cursor() as cursor:
        if kind == "TASK":
            # A graph whose root runs on would begin what is being taken away.
            cursor.execute(f"ALTER TASK IF EXISTS {deletion.name} SUSPEND")
        cursor.execute(f"DROP {kind} IF EXISTS {deletion.name}")


def _what_runs(session: "SnowflakeConnection", settings: "Settings") -> Iterator[Deletion]:
    database = identifier(settings.snowflake_database)
    tasks = [row for row in query_rows(session, "SHOW TASKS IN ACCOUNT") if row["database_name"] == database]
    # The root first: behind it nothing begins any more.
    for row in sorted(tasks, key=lambda row: (row["name"] != ROOT_TASK, row["name"])):
        yield Deletion("task", _full(row))
    for row in query_rows(session, "SHOW PIPES IN ACCOUNT"):
        if row["database_name"] == database:
            yield Deletion("pipe", _full(row))


def _of_the_account(session: "SnowflakeConnection", settings: "Settings") -> Iterator[Deletion]:
    database, warehouse = identifier(settings.snowflake_database), identifier(settings.snowflake_warehouse)
    integration = f"{database}_ARCHIVE"
    if list(query_rows(session, f"SHOW STORAGE INTEGRATIONS LIKE '{integration}'")):
        yield Deletion("integration", integration)
    shown = [dict(row) for row in query_rows(session, "SHOW WAREHOUSES")]
    ours = own_warehouses(shown) & {warehouse, f"{warehouse}_READERS"}
    for name in sorted(ours):
        yield Deletion("warehouse", name)
    if f"{warehouse}_MONITOR" in own_monitors(shown):
        yield Deletion("resource monitor", f"{warehouse}_MONITOR")
    roles = {f"{database}_{role}" for role in _ROLES}
    yield from _users(session, settings, roles)
    for row in query_rows(session, "SHOW ROLES"):
        if row["name"] in roles:
            yield Deletion("role", str(row["name"]))


def _users(session: "SnowflakeConnection", settings: "Settings", roles: set[str]) -> Iterator[Deletion]:
    """The platform's users, unless another platform of the account has them too, or they are somebody else's."""
    names = {
        user.upper()
        for user in (
            settings.snowflake_deployer_user,
            settings.snowflake_user,
            settings.snowflake_reader_user,
        )
    }
    for row in query_rows(session, "SHOW USERS"):
        name = str(row["name"])
        if name in names and str(row["comment"] or "").startswith(_MARK):
            grants = query_rows(session, f"SHOW GRANTS TO USER {identifier(name)}")
            # Accounts of before the change of 2025 call the column `role`.
            held = {
                str(grant.get("role") or grant["name"])
                for grant in grants
                if grant.get("granted_on", "ROLE") == "ROLE"
            }
            if held <= roles:
                yield Deletion("user", identifier(name))


def _database_is_there(session: "SnowflakeConnection", settings: "Settings") -> bool:
    name = identifier(settings.snowflake_database)
    return any(row["name"] == name for row in query_rows(session, f"SHOW DATABASES LIKE '{name}'"))


def _stacks(settings: "Settings") -> Iterator[Deletion]:
    deployer = StackDeployer(
        aws_client(settings, "cloudformation"), aws_client(settings, "s3"), progress=lambda _line: None
    )
    for name in (settings.stack_name, f"{settings.stack_name}-bootstrap"):
        if deployer.exists(name):
            yield Deletion("stack", name)


def _buckets(settings: "Settings") -> Iterator[str]:
    s3 = aws_client(settings, "s3")
    for role in ("landing", "processed", "archive", "artifacts"):
        name = settings.bucket(role)
        try:
            s3.head_bucket(Bucket=name)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 404:
                raise
        else:
            yield name


def _delete_bucket(s3: "S3Client", name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=name, PaginationConfig={"PageSize": _OBJECTS_AT_ONCE}
    ):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects: list[ObjectIdentifierTypeDef] = [
            {"Key": each.get("Key", ""), "VersionId": each.get("VersionId", "")} for each in found
        ]
        if objects:
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", []):
                raise BucketNotEmptiedError(
                    "bucket_not_emptied",
                    f"s3://{name}/{error.get('Key')} cannot be deleted: {error.get('Message')}",
                    "See the bucket's policy and object locks, then destroy again.",
                )
    s3.delete_bucket(Bucket=name)


def _full(row: Mapping[str, Any]) -> str:
    return ".".join(identifier(str(row[part])) for part in ("database_name", "schema_name", "name"))
