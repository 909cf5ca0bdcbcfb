"""Applies the SQL files to Snowflake in the order of their names, each once for each content that it had.

What was applied is noted in OPS.SCHEMA_HISTORY, which one of the first files makes. Every file is idempotent:
one that failed half-way, or that two deployments apply at the same time, is applied again without harm. The files come
in passes, because some need what AWS and Snowflake tell each other in between.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform.errors import PlatformError
from movie_platform.provision.actual import NOT_THERE, actual_table
from movie_platform.provision.contract_sql import with_contracts
from movie_platform.provision.declared import declared_tables
from movie_platform.provision.differences import Difference, differences_of_table, require_nothing_lost
from movie_platform.provision.present import gone, objects_of_database
from movie_platform.provision.render import Parameter, render, with_includes
from movie_platform.provision.statements import split_statements
from movie_platform.resources.snowflake_connection import query_rows

HISTORY_TABLE = "OPS.SCHEMA_HISTORY"


class SqlFileError(PlatformError):
    """A statement of an SQL file failed. `number` is Snowflake's own number of the error, where it has one."""

    number: int | None = None


class Pass(Enum):
    """When a file is applied; the value is the first number of a file that belongs to a later pass."""

    # What belongs to the account, by an administrator: warehouses, roles, the database, the integration, users.
    ACCOUNT = 50
    # Up to the stage and the tables: what Snowflake then tells of the integration is whom the archive's role trusts.
    STORAGE = 200
    # Pipes assume that role when they are created; what Snowflake tells of them is where the bucket's events go.
    PIPES = 300
    # Everything behind RAW.
    WAREHOUSE_OBJECTS = 1000


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A rendered file: its name, statements and the SHA-256 of its text."""

    name: str
    statements: tuple[str, ...]
    checksum: str

    @property
    def belongs_to(self) -> Pass:
        """The pass in which it is applied, by the number that its name begins with."""
        number = int(self.name.partition("_")[0])
        return next(found for found in Pass if number < found.value)


@dataclass(frozen=True, slots=True)
class AppliedFile:
    """A file that was applied just now, and how long it took."""

    file: SqlFile
    seconds: float


def load_sql_files(folder: Path, parameters: Mapping[str, Parameter]) -> tuple[SqlFile, ...]:
    """All `*.sql` files of a folder in the order of their names, rendered and split into statements.

    Raises ConfigurationError for a parameter's value that is not of its kind, ValueError for a file that
    names an unknown parameter.
    """
    files = []
    for path in sorted(folder.glob("*.sql")):
        text = rendered(path, parameters)
        checksum = hashlib.sha256(text.encode()).hexdigest()
        files.append(SqlFile(path.name, split_statements(text), checksum))
    return tuple(files)


def rendered(path: Path, parameters: Mapping[str, Parameter]) -> str:
    """A file's text as Snowflake is given it: with its includes, what the contracts say, and its parameters.

    Raises as load_sql_files does.
    """
    return render(with_contracts(with_includes(path), where=path.name), parameters, where=path.name)


def pending_files(files: Iterable[SqlFile], applied: Mapping[str, str]) -> tuple[SqlFile, ...]:
    """The files whose present content is not the one applied last; `applied` maps names to checksums."""
    return tuple(file for file in files if applied.get(file.name) != file.checksum)


class SchemaHistory:
    """The table OPS.SCHEMA_HISTORY of one database, whose name has to be a valid identifier."""

    def __init__(self, connection: SnowflakeConnection, database: str) -> None:
        self._connection = connection
        self.database = database
        self._table = f"{Parameter('identifier', database).sql('database')}.{HISTORY_TABLE}"

    def applied(self) -> dict[str, str]:
        """File names and the checksums that were applied last; empty where no history exists yet."""
        query = (
            f"SELECT file_name, checksum FROM {self._table}"  # noqa: S608 - a checked identifier
            " ORDER BY applied_at"
        )
        try:
            rows = list(query_rows(self._connection, query))
        except snowflake.connector.errors.ProgrammingError as error:
            if error.errno in NOT_THERE:
                return {}
            raise
        return {row["file_name"]: row["checksum"] for row in rows}

    def note(self, file: SqlFile, seconds: float) -> bool:
        """Notes that a file was applied just now; False where the history's table does not exist yet."""
        statement = (
            f"INSERT INTO {self._table} (file_name, checksum, applied_at, applied_by, seconds)"
            " SELECT %s, %s, SYSDATE(), CURRENT_USER(), %s"
        )
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(statement, (file.name, file.checksum, round(seconds, 3)))
            except snowflake.connector.errors.ProgrammingError as error:
                if error.errno in NOT_THERE:
                    return False
                raise
        return True


class SqlDeployment:
    """The files of one deployment on one session, applied pass by pass: those that are pending, each once.

    Each file starts with `role`, whatever role the file before it took: it owns what the file makes. Between passes the
    session has the role of the beginning again. `noted` are files that somebody applied already, to be noted with the
    others. `names` are those of all that were applied so far.
    """

    def __init__(
        self,
        connection: SnowflakeConnection,
        files: Iterable[SqlFile],
        history: SchemaHistory,
        *,
        role: str,
        warehouse: str,
        noted: Iterable[AppliedFile] = (),
        progress: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self.files = tuple(files)
        self._history = history
        self._progress = progress
        self._role = role
        (session,) = query_rows(connection, "SELECT CURRENT_ROLE() AS role")
        self._own_role = str(session["role"])
        # What is applied before the history's table exists is noted as soon as it does.
        self._unnoted = list(noted)
        self._applied: dict[str, str] = {}
        self.names: list[str] = [entry.file.name for entry in self._unnoted]
        # Reading the history needs a warehouse.
        use_warehouse(connection, warehouse)

    def apply(self, *passes: Pass) -> None:
        """Applies the pending files of these passes, in the order of their names.

        Raises SqlFileError with the file, the statement's number and what Snowflake said; what was applied before is
        noted, so that the next deployment goes on from there. Raises WouldLoseError, before anything of a file is
        done, where it would drop or unset what others made.
        """
        # A pass that failed left the role that its file had taken.
        use_role(self._connection, self._own_role)
        self._applied |= self._history.applied()
        ours = [file for file in self.files if file.belongs_to in passes]
        pending = pending_files(ours, self._applied)
        if len(pending) < len(ours):
            # What was granted on it is gone with it, so all files of the pass are applied again, not its own alone.
            done = (text for file in ours if file not in pending for text in file.statements)
            lost = gone(done, objects_of_database(self._connection, self._history.database))
            if lost:
                self._progress(f"snowflake: gone since it was made: {', '.join(lost)}; it is made again")
                pending = tuple(ours)
        use_role(self._connection, self._role)
        for file in pending:
            self._apply(file)
        self._note()
        use_role(self._connection, self._own_role)

    def execute(self, statement: str) -> None:
        """Runs one statement beside the files, as the owner of what they make."""
        with self.acting_as(self._role):
            execute(self._connection, statement)

    @contextmanager
    def acting_as(self, role: str) -> Iterator[None]:
        """The session has a role as long as the context lasts."""
        use_role(self._connection, role)
        yield
        use_role(self._connection, self._own_role)

    def require_noted(self) -> None:
        """Raises SqlFileError where files were applied and no table is there to note them in."""
        if self._unnoted:
            raise SqlFileError(
                "schema_history_missing",
                f"The table {HISTORY_TABLE} does not exist after all SQL files were applied.",
                "One of the first files has to create it.",
            )

    def _apply(self, file: SqlFile) -> None:
        self._progress(f"snowflake: {file.name}")
        began = time.monotonic()
        require_nothing_lost(file.name, differences_of(self._connection, file))
        run_file(self._connection, file)
        self._unnoted.append(AppliedFile(file, time.monotonic() - began))
        self._applied[file.name] = file.checksum
        self.names.append(file.name)
        use_role(self._connection, self._role)
        self._note()

    def _note(self) -> None:
        self._unnoted = [
            entry for entry in self._unnoted if not self._history.note(entry.file, entry.seconds)
        ]


def differences_of(connection: SnowflakeConnection, file: SqlFile) -> list[Difference]:
    """What applying a file would change in the tables that it declares. Needs a warehouse."""
    return [
        difference
        for table in declared_tables(file.name, file.statements)
        for difference in differences_of_table(table, actual_table(connection, table.database, table.name))
    ]


def warehouse_exists(connection: SnowflakeConnection, warehouse: str) -> bool:
    """Whether a warehouse of this name (a valid identifier) is there; the question itself needs none."""
    name = Parameter("identifier", warehouse).sql("warehouse")
    shown = query_rows(connection, f"SHOW WAREHOUSES LIKE '{name}'")
    return any(row["name"] == name for row in shown)


def execute(connection: SnowflakeConnection, statement: str) -> None:
    """Runs a statement whose answer nobody needs."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def use_warehouse(connection: SnowflakeConnection, warehouse: str) -> None:
    """Takes a warehouse for what the session computes."""
    execute(connection, f"USE WAREHOUSE {Parameter('identifier', warehouse).sql('warehouse')}")


def use_role(connection: SnowflakeConnection, role: str) -> None:
    """Takes a role that the session's user holds."""
    execute(connection, f"USE ROLE {Parameter('identifier', role).sql('role of the session')}")


def run_file(connection: SnowflakeConnection, file: SqlFile) -> None:
    """Runs a file's statements.

    Raises SqlFileError with the file, the statement's number and what Snowflake said.
    """
    with connection.cursor() as cursor:
        for number, statement in enumerate(file.statements, 1):
            try:
                cursor.execute(statement)
            except snowflake.connector.errors.Error as error:
                failure = SqlFileError(
                    "sql_file_failed",
                    f"{file.name}, statement {number} of {len(file.statements)}: {error}",
                    f"Statement: {' '.join(statement.split())[:200]}",
                )
                failure.number = error.errno
                raise failure from error
