"""Waiting for Snowpipe, file by file, and asking again for files whose events were lost."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from movie_platform.contracts import Table
from movie_platform.errors import PlatformError
from movie_platform.resources.load_statements import (
    FILES_A_COPY,
    HISTORY_STATEMENT,
    copy_statement,
    refresh_statement,
    rows_statement,
)
from movie_platform.resources.loading import Evidence, HistoryEntry, assess, can_be_refreshed
from movie_platform.resources.snowflake import WarehouseResource, query_rows
from movie_platform.resources.transform import ArchiveFile
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_for

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

POLLS = Pauses(first=0.5, longest=3.0)


class LoadError(PlatformError):
    """Snowpipe could not load a file, or did not load it in time."""


class RawLoader(dg.ConfigurableResource):
    """The pipes of the RAW tables, and the evidence of what they loaded."""

    timeout_seconds: int
    refresh_after_seconds: int
    warehouse: dg.ResourceDependency[WarehouseResource]

    def wait(
        self,
        table: Table,
        files: Sequence[ArchiveFile],
        version_prefix: str,
        written_at: datetime,
        *,
        log: dg.DagsterLogManager,
        run_id: str,
    ) -> Evidence:
        """Returns when every file is in the table.

        A file that is missing after `refresh_after_seconds` is asked for: by a refresh of the pipe below
        `version_prefix`, or by COPY INTO where the file is too old for that. Raises LoadError with the pipe's own
        error when a file fails, or when time is up.
        """
        if not files:
            return Evidence({}, {}, ())
        refresh_at = Deadline(self.refresh_after_seconds)
        evidence = Evidence({}, {}, tuple(file.key for file in files))
        asked_again = False
        with self.warehouse.connect(query_tag=f"movie_platform load {run_id}") as connection:

            def look() -> Evidence | None:
                nonlocal asked_again, evidence
                evidence = self.evidence(connection, table, files)
                if evidence.failed:
                    raise _load_failed(table, evidence)
                if evidence.complete:
                    return evidence
                if not asked_again and refresh_at.passed:
                    log.warning(f"{len(evidence.missing)} files are not loaded yet; asking for them again.")
                    self._ask_again(connection, table, evidence.missing, version_prefix, written_at)
                    asked_again = True
                return None

            try:
                return wait_for(look, "Snowpipe", deadline=Deadline(self.timeout_seconds), pauses=POLLS)
            except WaitTimeoutError as late:
                raise _load_late(table, evidence, late.seconds) from late

    def evidence(
        self, connection: "SnowflakeConnection", table: Table, files: Sequence[ArchiveFile]
    ) -> Evidence:
        """What the table and its load history say of the files now."""
        expected = {file.key: file.rows for file in files}
        rows = rows_by_file(connection, table, list(expected))
        short = [key for key, wanted in expected.items() if rows.get(key, 0) < wanted or not wanted]
        history = _history(connection, table, short) if short else []
        return assess(expected, history, rows)

    def _ask_again(
        self,
        connection: "SnowflakeConnection",
        table: Table,
        missing: Sequence[str],
        version_prefix: str,
        written_at: datetime,
    ) -> None:
        if can_be_refreshed(written_at, datetime.now(UTC)):
            below_the_pipe = version_prefix.removeprefix(f"{table.name}/")
            with connection.cursor() as cursor:
                cursor.execute(refresh_statement(_name(table)), (below_the_pipe,))
            return
        for first in range(0, len(missing), FILES_A_COPY):
            some = missing[first : first + FILES_A_COPY]
            with connection.cursor() as cursor:
                cursor.execute(copy_statement(_name(table), len(some)), tuple(some))


def rows_by_file(connection: "SnowflakeConnection", table: Table, keys: Sequence[str]) -> dict[str, int]:
    """How many different rows of a table came from each of the files; files without any are left out."""
    if not keys:
        return {}
    sql = rows_statement(_name(table), len(keys))
    return {row["file_name"]: int(row["row_total"]) for row in query_rows(connection, sql, tuple(keys))}


def _history(connection: "SnowflakeConnection", table: Table, keys: Sequence[str]) -> list[HistoryEntry]:
    names = {key.rsplit("/", 1)[-1] for key in keys}
    return [
        HistoryEntry(
            row["file_name"], row["status"] or "", int(row["row_count"] or 0), row["first_error_message"]
        )
        for row in query_rows(connection, HISTORY_STATEMENT, (_name(table),))
        if row["file_name"].rsplit("/", 1)[-1] in names
    ]


def _name(table: Table) -> str:
    # The parts are constants of the contracts, not values: identifiers cannot be bound.
    return f"{table.snowflake_schema}.{table.name.upper()}"


def _load_failed(table: Table, evidence: Evidence) -> LoadError:
    key, error = next(iter(evidence.failed.items()))
    return LoadError(
        "load_failed",
        f"Snowpipe could not load {len(evidence.failed)} file(s) into {_name(table)}; the first is {key}: {error}",
        "compare the file's columns with the table's; after the table is mended, transform the batch again",
    )


def _load_late(table: Table, evidence: Evidence, waited: float) -> LoadError:
    return LoadError(
        "load_late",
        f"{len(evidence.missing)} file(s) are not in {_name(table)} after {waited:.0f} s; the first is"
        f" {evidence.missing[0]}",
        f"look at SYSTEM$PIPE_STATUS('{_name(table)}_PIPE') and at the notifications of the archive bucket",
    )
