# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""The DuckDB instance behind the local Snowflake: its files, what is attached, and where state is kept.

One file a database (`warehouse/databases/<NAME>.db`) and one for the account (`warehouse/account.db`, which fakesnow
calls `_fs_global`). State of an object that lives in a schema (pipes, load history) is in its database's own file,
because a DuckDB transaction writes to one file: a load and its history are one commit. State of the account (roles,
grants, warehouses, integrations, stages, file formats) is in the account's file.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from fakesnow import info_schema, macros
from fakesnow.transforms import show

from movie_platform.local_cloud.snowflake.errors import already_exists, does_not_exist
from movie_platform.local_cloud.snowflake.text.names import FullName, check_database_name, literal, quoted

logger = logging.getLogger(__name__)

ACCOUNT_CATALOG = "_fs_global"
STATE_SCHEMA = "_fs_information_schema"
ACCOUNT_STATE = f"{ACCOUNT_CATALOG}.{STATE_SCHEMA}"
PUBLIC_SCHEMA = "PUBLIC"
_CHECKPOINT_BYTES = "64MB"

_ACCOUNT_TABLES = f"""
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_objects (
    kind VARCHAR, name VARCHAR, created_on TIMESTAMPTZ DEFAULT now(), owner VARCHAR, comment VARCHAR,
    properties VARCHAR, PRIMARY KEY (kind, name)
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_grants (
    created_on TIMESTAMPTZ DEFAULT now(), privilege VARCHAR, granted_on VARCHAR, name VARCHAR, granted_to VARCHAR,
    grantee_name VARCHAR, grant_option BOOLEAN, granted_by VARCHAR, future_of VARCHAR
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_stage_options (
    database_name VARCHAR, schema_name VARCHAR, name VARCHAR, file_format VARCHAR,
    PRIMARY KEY (database_name, schema_name, name)
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_retention (
    database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR, parameter VARCHAR, days INTEGER,
    PRIMARY KEY (database_name, schema_name, table_name, parameter)
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_constraints (
    database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR, name VARCHAR, kind VARCHAR, columns VARCHAR,
    pk_database VARCHAR, pk_schema VARCHAR, pk_table VARCHAR, pk_columns VARCHAR, rely BOOLEAN, comment VARCHAR,
    update_rule VARCHAR, delete_rule VARCHAR, created_on TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_object_records (
    kind VARCHAR, database_name VARCHAR, schema_name VARCHAR, name VARCHAR, created_on TIMESTAMPTZ,
    altered_on TIMESTAMPTZ, properties VARCHAR, definition VARCHAR, PRIMARY KEY (database_name, schema_name, name)
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_column_definitions (
    database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, type VARCHAR,
    default_text VARCHAR, added BOOLEAN, PRIMARY KEY (database_name, schema_name, table_name, column_name)
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_parameters (
    level VARCHAR, owner VARCHAR, name VARCHAR, value VARCHAR
);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_managed_schemas (name VARCHAR PRIMARY KEY);
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_view_sources (
    database_name VARCHAR, schema_name VARCHAR, name VARCHAR, source_database VARCHAR, source_schema VARCHAR,
    source_name VARCHAR
);
"""

# Tables of the account's file whose rows belong to a schema: they go with it.
OF_SCHEMAS = (
    "_fs_stages", "_fs_file_formats", "_fs_stage_options", "_fs_constraints", "_fs_object_records",
    "_fs_column_definitions", "_fs_retention", "_fs_view_sources",
)  # fmt: skip

# Primary keys used to be rows of their columns, without names and properties.
_FORMER_KEYS = f"""
CREATE TABLE IF NOT EXISTS {ACCOUNT_STATE}._fs_keys (
    database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR, column_name VARCHAR, kind VARCHAR,
    key_sequence INTEGER
);
INSERT INTO {ACCOUNT_STATE}._fs_constraints
SELECT database_name, schema_name, table_name, 'SYS_CONSTRAINT_' || uuid()::VARCHAR, 'PRIMARY KEY',
    to_json(list(column_name ORDER BY key_sequence))::VARCHAR, NULL, NULL, NULL, '[]', false, NULL, 'NO ACTION',
    'NO ACTION', now()
FROM {ACCOUNT_STATE}._fs_keys AS former
WHERE kind = 'PrimaryKey' AND NOT EXISTS (
    SELECT 1 FROM {ACCOUNT_STATE}._fs_constraints AS known WHERE known.kind = 'PRIMARY KEY'
    AND known.database_name = former.database_name AND known.schema_name = former.schema_name
    AND known.table_name = former.table_name
)
GROUP BY database_name, schema_name, table_name;
DROP TABLE {ACCOUNT_STATE}._fs_keys;
"""

_DATABASE_TABLES = """
CREATE TABLE IF NOT EXISTS {state}._fs_pipes (
    schema_name VARCHAR, name VARCHAR, pipe_id VARCHAR, created_on TIMESTAMPTZ, definition VARCHAR,
    auto_ingest BOOLEAN, notification_channel VARCHAR, integration VARCHAR, comment VARCHAR, owner VARCHAR,
    paused BOOLEAN, PRIMARY KEY (schema_name, name)
);
CREATE TABLE IF NOT EXISTS {state}._fs_pipe_files (
    pipe_id VARCHAR, path VARCHAR, status VARCHAR, etag VARCHAR, size BIGINT, received_at TIMESTAMPTZ,
    PRIMARY KEY (pipe_id, path)
);
ALTER TABLE {state}._fs_pipe_files ADD COLUMN IF NOT EXISTS rows_loaded BIGINT DEFAULT 0;
ALTER TABLE {state}._fs_pipe_files ADD COLUMN IF NOT EXISTS rows_total BIGINT;
CREATE TABLE IF NOT EXISTS {state}._fs_streams (
    schema_name VARCHAR, name VARCHAR, stream_id VARCHAR, created_on TIMESTAMPTZ, table_schema VARCHAR,
    table_name VARCHAR, row_offset BIGINT, base_gone BOOLEAN, comment VARCHAR, owner VARCHAR
);
ALTER TABLE {state}._fs_streams ADD COLUMN IF NOT EXISTS append_only BOOLEAN DEFAULT true;
ALTER TABLE {state}._fs_streams ADD COLUMN IF NOT EXISTS moved_on TIMESTAMPTZ;
CREATE TABLE IF NOT EXISTS {state}._fs_stream_looks (stream_id VARCHAR PRIMARY KEY, looked_on TIMESTAMPTZ);
CREATE TABLE IF NOT EXISTS {state}._fs_removed_rows (
    table_schema VARCHAR, table_name VARCHAR, first_number BIGINT, last_number BIGINT
);
CREATE TABLE IF NOT EXISTS {state}._fs_tasks (
    schema_name VARCHAR, name VARCHAR, task_id VARCHAR, created_on TIMESTAMPTZ, warehouse VARCHAR, schedule VARCHAR,
    predecessors VARCHAR, condition VARCHAR, definition VARCHAR, state VARCHAR, changed_on TIMESTAMPTZ,
    comment VARCHAR, owner VARCHAR, suspend_after INTEGER, timeout_ms BIGINT
);
ALTER TABLE {state}._fs_tasks ADD COLUMN IF NOT EXISTS suspended_reason VARCHAR;
CREATE TABLE IF NOT EXISTS {state}._fs_task_history (
    query_id VARCHAR, name VARCHAR, database_name VARCHAR, schema_name VARCHAR, query_text VARCHAR,
    condition_text VARCHAR, state VARCHAR, error_code VARCHAR, error_message VARCHAR, scheduled_time TIMESTAMPTZ,
    query_start_time TIMESTAMPTZ, next_scheduled_time TIMESTAMPTZ, completed_time TIMESTAMPTZ, root_task_id VARCHAR,
    graph_version INTEGER, run_id BIGINT, return_value VARCHAR, scheduled_from VARCHAR, attempt_number INTEGER,
    graph_run_group_id VARCHAR
);
CREATE TABLE IF NOT EXISTS {state}._fs_table_loads (
    schema_name VARCHAR, table_name VARCHAR, url VARCHAR, etag VARCHAR, loaded_at TIMESTAMPTZ,
    PRIMARY KEY (schema_name, table_name, url)
);
CREATE TABLE IF NOT EXISTS {state}._fs_copy_history (
    file_name VARCHAR, stage_location VARCHAR, last_load_time TIMESTAMPTZ, row_count BIGINT, row_parsed BIGINT,
    file_size BIGINT, first_error_message VARCHAR, first_error_line_number BIGINT,
    first_error_character_pos BIGINT, first_error_column_name VARCHAR, error_count BIGINT, error_limit BIGINT,
    status VARCHAR, table_catalog_name VARCHAR, table_schema_name VARCHAR, table_name VARCHAR,
    pipe_catalog_name VARCHAR, pipe_schema_name VARCHAR, pipe_name VARCHAR, pipe_received_time TIMESTAMPTZ,
    first_commit_time TIMESTAMPTZ
);
"""


def state_of(database: str) -> str:
    """The schema, in a database's file, in which the local Snowflake keeps the state of the database's objects."""
    return f"{quoted(database)}.{STATE_SCHEMA}"


# How long a database that takes the place of another waits for statements that still read that.
_FILE_SECONDS = 30.0


class Engine:
    """Owns the DuckDB instance. Sessions and workers take cursors (connections of their own) from it."""

    def __init__(self, home: Path, *, memory_limit: str = "2GB") -> None:
        self.home = home.absolute()
        self.warehouse = self.home / "warehouse"
        self.lake = self.home / "lake"
        self.databases_folder = self.warehouse / "databases"
        self.databases_folder.mkdir(parents=True, exist_ok=True)
        self.lake.mkdir(parents=True, exist_ok=True)
        self._catalog_lock = threading.RLock()
        # fakesnow's SQL still holds arrow lambdas, which DuckDB 2 takes in this mode only.
        self._duck = duckdb.connect(":memory:", config={"lambda_syntax": "ENABLE_SINGLE_ARROW"})
        self._duck.execute(f"SET memory_limit = {literal(memory_limit)}")
        self._duck.execute(f"SET temp_directory = {literal(str(self.warehouse / 'tmp'))}")
        self._duck.execute(f"SET GLOBAL checkpoint_threshold = {literal(_CHECKPOINT_BYTES)}")
        self._duck.execute("SET GLOBAL TimeZone = 'UTC'")
        # A table that is not there must be an error, not a Python variable of that name.
        self._duck.execute("SET GLOBAL python_enable_replacements = false")
        allowed = ", ".join(literal(str(folder)) for folder in (self.warehouse, self.lake))
        self._duck.execute(f"SET GLOBAL allowed_directories = [{allowed}]")
        self._duck.execute("SET GLOBAL enable_external_access = false")
        self._attach(ACCOUNT_CATALOG, self.warehouse / "account.db")
        self._duck.execute(info_schema.fs_global_creation_sql())
        self._duck.execute(show.fs_global_creation_sql())
        self._duck.execute(_ACCOUNT_TABLES)
        self._duck.execute(_FORMER_KEYS)
        for path in sorted(self.databases_folder.glob("*.db")):
            self._attach(path.stem, path)
            self._prepare_database(path.stem)

    def _attach(self, name: str, path: Path) -> None:
        self._duck.execute(f"ATTACH {literal(str(path))} AS {quoted(name)}")

    def _prepare_database(self, name: str) -> None:
        # Every statement is harmless where its object exists: a kill in the middle of CREATE DATABASE heals here.
        self._duck.execute(info_schema.per_db_creation_sql(name))
        self._duck.execute(macros.creation_sql(name))
        self._duck.execute(_DATABASE_TABLES.format(state=state_of(name)))
        self._duck.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}.{PUBLIC_SCHEMA}")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own on the instance: its transactions are independent of all others."""
        return self._duck.cursor()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in a transaction: committed at the end, rolled back by an exception."""
        connection = self.cursor()
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query on state."""
        connection = self.cursor()
        try:
            return connection.execute(sql, list(parameters)).fetchall()
        finally:
            connection.close()

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """One statement on state, committed; the number of rows that it touched."""
        with self._catalog_lock:
            connection = self.cursor()
            try:
                row = connection.execute(sql, list(parameters)).fetchone()
            finally:
                connection.close()
        return int(row[0]) if row and isinstance(row[0], int) else 0

    def run(self, statements: str) -> None:
        """Statements that make or replace what belongs to the account and is always there."""
        with self._catalog_lock:
            connection = self.cursor()
            try:
                connection.execute(statements)
            finally:
                connection.close()

    def databases(self) -> list[str]:
        """Names of all databases."""
        rows = self.query(
            "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name NOT IN (?, 'memory') "
            "ORDER BY 1",
            [ACCOUNT_CATALOG],
        )
        return [row[0] for row in rows]

    def schemas(self, database: str) -> list[str]:
        """The schemas of a database, INFORMATION_SCHEMA left out."""
        rows = self.query("SELECT schema_name FROM duckdb_schemas() WHERE database_name = ?", [database])
        return sorted(str(row[0]) for row in rows if not str(row[0]).startswith(("_", "information", "pg_")))

    def has_schema(self, database: str, schema: str) -> bool:
        """Whether a schema exists."""
        return bool(
            self.query(
                "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
                [database, schema],
            )
        )

    def has_table(self, name: FullName) -> bool:
        """Whether a table (not a view) exists."""
        return bool(
            self.query(
                "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
                [name.database, name.schema, name.name],
            )
        )

    def has_view(self, name: FullName) -> bool:
        """Whether a view exists."""
        return bool(
            self.query(
                "SELECT 1 FROM duckdb_views() WHERE database_name = ? AND schema_name = ? AND view_name = ?",
                [name.database, name.schema, name.name],
            )
        )

    def require_database(self, name: str) -> None:
        """Raises SnowflakeError where a database does not exist."""
        if name not in self.databases():
            raise does_not_exist("Database", name)

    def require_schema(self, database: str, schema: str) -> None:
        """Raises SnowflakeError where a schema does not exist."""
        if not self.has_schema(database, schema):
            raise does_not_exist("Schema", f"{database}.{schema}")

    def create_database(self, name: str, *, replace: bool = False, if_not_exists: bool = False) -> bool:
        """Creates a database; False where it exists already and that is no error."""
        check_database_name(name)
        with self._catalog_lock:
            if name in self.databases():
                if if_not_exists:
                    return False
                if not replace:
                    raise already_exists(name)
                self.drop_database(name)
            self._attach_when_free(name)
            self._prepare_database(name)
        return True

    def _attach_when_free(self, name: str) -> None:
        # DuckDB lets go of a file that was detached when the last statement that read it has ended.
        deadline = time.monotonic() + _FILE_SECONDS
        while True:
            try:
                self._attach(name, self.databases_folder / f"{name}.db")
            except duckdb.Error as error:
                if "file handle conflict" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def drop_database(self, name: str, *, if_exists: bool = False) -> bool:
        """Drops a database with everything in it; False where it does not exist and that is no error."""
        with self._catalog_lock:
            if name not in self.databases():
                if if_exists:
                    return False
                raise does_not_exist("Database", name)
            self._duck.execute(f"DETACH {quoted(name)}")
            path = self.databases_folder / f"{name}.db"
            path.unlink()
            path.with_suffix(".db.wal").unlink(missing_ok=True)
            for table in OF_SCHEMAS:
                self._duck.execute(f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE database_name = ?", [name])
            self._duck.execute(f"DELETE FROM {ACCOUNT_STATE}._fs_constraints WHERE pk_database = ?", [name])
            for table in ("_fs_tables_ext", "_fs_columns_ext"):
                self._duck.execute(f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE ext_table_catalog = ?", [name])
        return True

    def close(self) -> None:
        """Writes everything into the database files and closes them."""
        for name in (*self.databases(), ACCOUNT_CATALOG):
            try:
                self._duck.execute(f"CHECKPOINT {quoted(name)}")
            except duckdb.TransactionException:
                # A session's open transaction is lost with the server, as on a crash; the rest is in the WAL.
                logger.warning(
                    "No checkpoint of %s: a transaction is open. Its WAL is replayed at the next start.", name
                )
        self._duck.close()
