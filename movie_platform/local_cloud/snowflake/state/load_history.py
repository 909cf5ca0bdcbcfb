# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""What was loaded into which table: load metadata (a file loads once) and the history that people query.

The rows are in the target's own database file, so that a load and its record commit together. Sources: Snowflake
documentation, "COPY_HISTORY" (table function), "COPY_HISTORY view", "LOAD_HISTORY view", "COPY INTO <table>".
"""

from dataclasses import dataclass, replace
from datetime import datetime

import duckdb
import sqlglot
from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.state.engine import state_of
from movie_platform.local_cloud.snowflake.text.names import FullName, literal

LOADED = "Loaded"
FAILED = "Load failed"
PARTIALLY_LOADED = "Partially loaded"
# Some rows of the file are in the table, and others come; ROW_PARSED is null as long as that lasts.
IN_PROGRESS = "Load in progress"

_COLUMNS = (
    "FILE_NAME", "STAGE_LOCATION", "LAST_LOAD_TIME", "ROW_COUNT", "ROW_PARSED", "FILE_SIZE", "FIRST_ERROR_MESSAGE",
    "FIRST_ERROR_LINE_NUMBER", "FIRST_ERROR_CHARACTER_POS", "FIRST_ERROR_COLUMN_NAME", "ERROR_COUNT", "ERROR_LIMIT",
    "STATUS", "TABLE_CATALOG_NAME", "TABLE_SCHEMA_NAME", "TABLE_NAME", "PIPE_CATALOG_NAME", "PIPE_SCHEMA_NAME",
    "PIPE_NAME", "PIPE_RECEIVED_TIME", "FIRST_COMMIT_TIME",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One file's load. `file_name` is relative to `stage_location`; times are aware (UTC)."""

    table: FullName
    file_name: str
    stage_location: str
    file_size: int
    status: str
    load_time: datetime
    row_count: int = 0
    row_parsed: int | None = 0
    error: str | None = None
    error_column: str | None = None
    pipe: FullName | None = None
    received_at: datetime | None = None
    first_commit: datetime | None = None


def record(connection: duckdb.DuckDBPyConnection, load: LoadRecord) -> None:
    """Adds a load to the history, in the connection's transaction."""
    connection.execute(
        f"INSERT INTO {state_of(load.table.database)}._fs_copy_history VALUES ({', '.join('?' * len(_COLUMNS))})",
        [
            load.file_name, load.stage_location, load.load_time, load.row_count, load.row_parsed, load.file_size,
            load.error, None, None, load.error_column, 0 if load.error is None else 1, 1, load.status,
            load.table.database, load.table.schema, load.table.name,
            load.pipe.database if load.pipe else None, load.pipe.schema if load.pipe else None,
            load.pipe.name if load.pipe else None, load.received_at,
            load.first_commit or (load.load_time if load.row_count or load.status == LOADED else None),
        ],
    )  # fmt: skip


def record_progress(connection: duckdb.DuckDBPyConnection, load: LoadRecord) -> None:
    """Notes in the file's one row how far a pipe's load of it is, or how it ended, in the connection's transaction."""
    assert load.pipe is not None
    rows = connection.execute(
        f"DELETE FROM {state_of(load.table.database)}._fs_copy_history WHERE status = ? AND file_name = ? "
        "AND stage_location = ? AND table_schema_name = ? AND table_name = ? AND pipe_schema_name = ? "
        "AND pipe_name = ? RETURNING first_commit_time",
        [
            IN_PROGRESS, load.file_name, load.stage_location, load.table.schema, load.table.name, load.pipe.schema,
            load.pipe.name,
        ],
    ).fetchall()  # fmt: skip
    record(connection, replace(load, first_commit=rows[0][0] if rows else None))


def end_loads(connection: duckdb.DuckDBPyConnection, pipe: FullName) -> None:
    """A pipe is dropped or replaced: what it had loaded in part stays so."""
    connection.execute(
        f"UPDATE {state_of(pipe.database)}._fs_copy_history SET status = ? "
        "WHERE status = ? AND pipe_schema_name = ? AND pipe_name = ?",
        [PARTIALLY_LOADED, IN_PROGRESS, pipe.schema, pipe.name],
    )


def loaded_etag(connection: duckdb.DuckDBPyConnection, table: FullName, url: str) -> str | None:
    """The ETag that a file had when COPY INTO loaded it into the table, or None where it never did."""
    row = connection.execute(
        f"SELECT etag FROM {state_of(table.database)}._fs_table_loads "
        "WHERE schema_name = ? AND table_name = ? AND url = ?",
        [table.schema, table.name, url],
    ).fetchone()
    return row[0] if row else None


def remember_file(
    connection: duckdb.DuckDBPyConnection, table: FullName, url: str, etag: str, at: datetime
) -> None:
    """Marks a file as loaded into a table by COPY INTO, in the connection's transaction."""
    connection.execute(
        f"INSERT OR REPLACE INTO {state_of(table.database)}._fs_table_loads VALUES (?, ?, ?, ?, ?)",
        [table.schema, table.name, url, etag, at],
    )


def forget_table(connection: duckdb.DuckDBPyConnection, table: FullName) -> None:
    """Drops a table's load metadata, as TRUNCATE and re-creation do. The history stays."""
    connection.execute(
        f"DELETE FROM {state_of(table.database)}._fs_table_loads WHERE schema_name = ? AND table_name = ?",
        [table.schema, table.name],
    )


def rename_table(connection: duckdb.DuckDBPyConnection, table: FullName, new: FullName) -> None:
    """Load metadata follows a table that gets another name."""
    connection.execute(
        f"UPDATE {state_of(table.database)}._fs_table_loads SET schema_name = ?, table_name = ? "
        "WHERE schema_name = ? AND table_name = ?",
        [new.schema, new.name, table.schema, table.name],
    )


def _history(database: str) -> str:
    columns = ", ".join(f'{name.lower()} AS "{name}"' for name in _COLUMNS)
    return f"SELECT {columns} FROM {state_of(database)}._fs_copy_history"


def _query(sql: str) -> exp.Query:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


def table_function(table: FullName, start: Expr, end: Expr | None) -> exp.Query:
    """INFORMATION_SCHEMA.COPY_HISTORY: loads into one table from `start` to `end`, of the last 14 days at most."""
    query = _query(
        f"{_history(table.database)} WHERE table_schema_name = {literal(table.schema)} "
        f"AND table_name = {literal(table.name)} AND last_load_time >= now() - INTERVAL 14 DAY"
    )
    assert isinstance(query, exp.Select)
    loaded = exp.column("LAST_LOAD_TIME")
    query = query.where(exp.GTE(this=loaded, expression=exp.cast(start.copy(), "TIMESTAMPTZ")), copy=False)
    if end is not None:
        query = query.where(
            exp.LTE(this=loaded.copy(), expression=exp.cast(end.copy(), "TIMESTAMPTZ")), copy=False
        )
    return query


def account_view(databases: list[str]) -> exp.Query:
    """SNOWFLAKE.ACCOUNT_USAGE.COPY_HISTORY: loads of all databases, of the last 365 days."""
    recent = "WHERE last_load_time >= now() - INTERVAL 365 DAY"
    if not databases:
        columns = ", ".join(f'NULL AS "{name}"' for name in _COLUMNS)
        return _query(f"SELECT {columns} WHERE false")
    return _query(" UNION ALL ".join(f"({_history(database)} {recent})" for database in databases))


def load_history_view(database: str) -> exp.Query:
    """INFORMATION_SCHEMA.LOAD_HISTORY: what COPY INTO loaded (not what pipes did) in the last 14 days."""
    return _query(
        'SELECT table_schema_name AS "SCHEMA_NAME", stage_location || file_name AS "FILE_NAME", '
        'table_name AS "TABLE_NAME", last_load_time AS "LAST_LOAD_TIME", '
        "CASE status WHEN 'Loaded' THEN 'LOADED' ELSE 'LOAD_FAILED' END AS \"STATUS\", row_count AS \"ROW_COUNT\", "
        'row_parsed AS "ROW_PARSED", first_error_message AS "FIRST_ERROR_MESSAGE", '
        'first_error_line_number AS "FIRST_ERROR_LINE_NUMBER", '
        'first_error_character_pos AS "FIRST_ERROR_CHARACTER_POSITION", '
        'first_error_column_name AS "FIRST_ERROR_COL_NAME", error_count AS "ERROR_COUNT", '
        'error_limit AS "ERROR_LIMIT" '
        f"FROM {state_of(database)}._fs_copy_history "
        "WHERE pipe_name IS NULL AND last_load_time >= now() - INTERVAL 14 DAY"
    )


def pipes_view(database: str) -> exp.Query:
    """INFORMATION_SCHEMA.PIPES."""
    return _query(
        f'SELECT {literal(database)} AS "PIPE_CATALOG", schema_name AS "PIPE_SCHEMA", name AS "PIPE_NAME", '
        'owner AS "PIPE_OWNER", definition AS "DEFINITION", '
        "CASE WHEN auto_ingest THEN 'YES' ELSE 'NO' END AS \"IS_AUTOINGEST_ENABLED\", "
        'notification_channel AS "NOTIFICATION_CHANNEL_NAME", created_on AS "CREATED", '
        f'comment AS "COMMENT" FROM {state_of(database)}._fs_pipes'
    )
