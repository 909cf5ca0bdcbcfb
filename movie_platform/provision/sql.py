"""Applies the SQL files to Snowflake in the order of their names, each once for each content that it had.

What was applied is noted in OPS.SCHEMA_HISTORY, which one of the first files makes. Every file is idempotent:
one that failed half-way, or that two deployments apply at the same time, is applied again without harm.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform.errors import PlatformError
from movie_platform.provision.render import Parameter, render
from movie_platform.provision.statements import split_statements
from movie_platform.resources.snowflake_connection import query_rows

HISTORY_TABLE = "OPS.SCHEMA_HISTORY"
# Snowflake's error numbers for a database, schema or table that is not there (or may not be seen).
_NOT_THERE = frozenset({2003, 2043})


class SqlFileError(PlatformError):
    """Snowflake refused a statement of an SQL file: says which of how many, and why."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A rendered file: its name, statements and the SHA-256 of its text."""

    name: str
    statements: tuple[str, ...]
    checksum: str


def load_sql_files(folder: Path, parameters: Mapping[str, Parameter]) -> tuple[SqlFile, ...]:
    """All `*.sql` files of a folder in the order of their names, rendered and split into statements.

    Raises ConfigurationError for a parameter's value that is not of its kind, ValueError for a file that
    names an unknown parameter.
    """
    files = []
    for path in sorted(folder.glob("*.sql")):
        text = render(path.read_text("utf-8"), parameters, where=path.name)
        checksum = hashlib.sha256(text.encode()).hexdigest()
        files.append(SqlFile(path.name, split_statements(text), checksum))
    return tuple(files)


def pending_files(files: Iterable[SqlFile], applied: Mapping[str, str]) -> tuple[SqlFile, ...]:
    """The files whose present content is not the one applied last; `applied` maps names to checksums."""
    return tuple(file for file in files if applied.get(file.name) != file.checksum)


class SchemaHistory:
    """The table OPS.SCHEMA_HISTORY of one database, whose name has to be a valid identifier."""

    def __init__(self, connection: SnowflakeConnection, database: str) -> None:
        self._connection = connection
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
            if error.errno in _NOT_THERE:
                return {}
            raise
        return {row["file_name"]: row["checksum"] for row in rows}

    def note(self, file: SqlFile, seconds: float) -> bool:
        """Notes that a file was applied just now; False where the history's table does not exist yet."""
        statement = (
            f"INSERT INTO {self._table} (file_name, checksum, applied_at, applied_by, seconds)"
            " SELECT %s, %s, CURRENT_TIMESTAMP()::TIMESTAMP_NTZ, CURRENT_USER(), %s"
        )
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(statement, (file.name, file.checksum, round(seconds, 3)))
            except snowflake.connector.errors.ProgrammingError as error:
                if error.errno in _NOT_THERE:
                    return False
                raise
        return True


def apply_sql_files(
    connection: SnowflakeConnection,
    files: Iterable[SqlFile],
    history: SchemaHistory,
    *,
    progress: Callable[[str], None],
) -> tuple[str, ...]:
    """Applies the files that are pending; returns their names.

    Each file starts with the session's present role, whatever role the file before it took. Raises SqlFileError
    with the file, the statement's number and what Snowflake said.
    """
    (session,) = query_rows(connection, "SELECT CURRENT_ROLE() AS role")
    pending = pending_files(files, history.applied())
    unnoted: list[tuple[SqlFile, float]] = []
    for file in pending:
        progress(f"snowflake: {file.name}")
        began = time.monotonic()
        _run(connection, file)
        unnoted.append((file, time.monotonic() - began))
        _use_role(connection, session["role"])
        # The first files make what the history lies in; they are noted with the one that makes the history.
        unnoted = [entry for entry in unnoted if not history.note(*entry)]
    if unnoted:
        raise SqlFileError(
            "schema_history_missing",
            f"The table {HISTORY_TABLE} does not exist after all SQL files were applied.",
            "One of the first files has to create it.",
        )
    return tuple(file.name for file in pending)


def _use_role(connection: SnowflakeConnection, role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"USE ROLE {Parameter('identifier', role).sql('role of the session')}")


def _run(connection: SnowflakeConnection, file: SqlFile) -> None:
    with connection.cursor() as cursor:
        for number, statement in enumerate(file.statements, 1):
            try:
                cursor.execute(statement)
            except snowflake.connector.errors.Error as error:
                raise SqlFileError(
                    "sql_file_failed",
                    f"{file.name}, statement {number} of {len(file.statements)}: {error}",
                    f"Statement: {' '.join(statement.split())[:200]}",
                ) from error
