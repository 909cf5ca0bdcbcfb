# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""Loads one staged file, or a piece of it, into a table, in the caller's transaction, through DuckDB's readers.

Source: Snowflake documentation, "COPY INTO <table>" (MATCH_BY_COLUMN_NAME, INCLUDE_METADATA, USE_LOGICAL_TYPE) and
"Query metadata for staged files" (the METADATA$ columns).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape as escape_glob
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from fakesnow.copy_into import handle_csv

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, compilation_error, from_exception
from movie_platform.local_cloud.snowflake.state.copy_plan import (
    FILE_CONTENT_KEY,
    FILE_LAST_MODIFIED,
    FILE_ROW_NUMBER,
    FILENAME,
    CopyPlan,
)
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake, StagedFile
from movie_platform.local_cloud.snowflake.text.names import FullName, literal, quoted

_ROW_NUMBER = "file_row_number"
_UNLIMITED = 16_777_216


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a file: how many come before them, and how many there are at most."""

    skipped: int
    rows: int


class Loader:
    """Knows the tables and the lake; keeps nothing between loads."""

    def __init__(self, engine: Engine, lake: Lake) -> None:
        self._engine = engine
        self._lake = lake

    def load(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: CopyPlan,
        file: StagedFile,
        scan_time: datetime,
        piece: Piece | None = None,
    ) -> int:
        """Inserts the rows of the file, or of a piece of it, and gives their number. `scan_time` (aware, UTC) is when
        they are read.

        Raises SnowflakeError where the file cannot be read, or does not fit the table; the caller rolls back.
        """
        columns = self._columns(connection, plan.table)
        with self._readable(file) as path:
            if plan.file_format.type == "PARQUET":
                sql, parameters = self._parquet(connection, plan, file, path, columns, scan_time)
            else:
                sql, parameters = self._by_position(plan, path, columns)
            row = connection.execute(f"{sql}{_only(piece, plan)}", parameters).fetchone()
        return int(row[0]) if row else 0

    def count_rows(self, connection: duckdb.DuckDBPyConnection, plan: CopyPlan, file: StagedFile) -> int:
        """How many rows the file has.

        Raises SnowflakeError where it cannot be read.
        """
        with self._readable(file) as path:
            if plan.file_format.type == "PARQUET":
                return _rows_of_parquet(path)
            row = connection.execute(f"SELECT count(*) FROM {_source(plan, path)}").fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _readable(self, file: StagedFile) -> Iterator[Path]:
        try:
            with self._lake.local_path(file) as path:
                yield path
        except duckdb.IOException as error:
            raise SnowflakeError(100016, "22000", f"Error reading the file: {_short(error)}") from error
        except duckdb.InvalidInputException as error:
            failure = from_exception(error)
            if failure.number == 603:
                raise SnowflakeError(100016, "22000", f"Error reading the file: {_short(error)}") from error
            raise failure from error

    def _columns(self, connection: duckdb.DuckDBPyConnection, table: FullName) -> dict[str, tuple[str, int]]:
        # Column name -> (DuckDB's type, greatest length of a text).
        rows = connection.execute(
            "SELECT c.column_name, c.data_type, coalesce(e.ext_character_maximum_length, ?) "
            f"FROM duckdb_columns() c LEFT JOIN {ACCOUNT_STATE}._fs_columns_ext e ON "
            "e.ext_table_catalog = c.database_name AND e.ext_table_schema = c.schema_name "
            "AND e.ext_table_name = c.table_name AND e.ext_column_name = c.column_name "
            "WHERE c.database_name = ? AND c.schema_name = ? AND c.table_name = ? ORDER BY c.column_index",
            [_UNLIMITED, table.database, table.schema, table.name],
        ).fetchall()
        return {name: (kind, length) for name, kind, length in rows}

    def _parquet(
        self,
        connection: duckdb.DuckDBPyConnection,
        plan: CopyPlan,
        file: StagedFile,
        path: Path,
        columns: dict[str, tuple[str, int]],
        scan_time: datetime,
    ) -> tuple[str, list[Any]]:
        _refuse_ambiguous_names(path)
        source = _read_parquet(path, plan.file_format.options)
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        fields = {name: kind for name, kind, *_ in described if name != _ROW_NUMBER}
        match = plan.statement.match_by_column_name
        if match == "NONE":
            return self._one_variant(plan, source, fields, columns)
        if not plan.file_format.options.get("USE_LOGICAL_TYPE", False):
            _refuse_logical_types(fields)
        matched = _match(fields, columns, ignore_case=match == "CASE_INSENSITIVE")
        selected: dict[str, str] = {}
        for column, field in matched.items():
            selected[column] = _checked(quoted(field), column, *columns[column])
        parameters: list[Any] = []
        for column, metadata in plan.statement.include_metadata.items():
            if column not in columns:
                raise compilation_error(904, "42000", f"invalid identifier '{column}'")
            expression, values = _metadata(metadata, file, scan_time)
            selected[column] = expression
            parameters += values
        # The metadata's parameters must come in the order of their columns.
        ordered = [name for name in selected if name not in plan.statement.include_metadata]
        ordered += list(plan.statement.include_metadata)
        if not ordered:
            raise SnowflakeError(100016, "22000", "No column of the file matches a column of the table.")
        targets = ", ".join(quoted(name) for name in ordered)
        values_sql = ", ".join(selected[name] for name in ordered)
        return f"INSERT INTO {plan.table.sql} ({targets}) SELECT {values_sql} FROM {source}", parameters

    def _one_variant(
        self, plan: CopyPlan, source: str, fields: dict[str, str], columns: dict[str, tuple[str, int]]
    ) -> tuple[str, list[Any]]:
        if [kind for kind, _ in columns.values()] != ["JSON"]:
            raise compilation_error(
                2019,
                "0A000",
                "PARQUET file format can produce one and only one column of type variant, object, or array. "
                "Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option.",
            )
        pairs = ", ".join(f"{literal(name)}, {quoted(name)}" for name in fields)
        return f"INSERT INTO {plan.table.sql} SELECT json_object({pairs}) FROM {source}", []

    def _by_position(
        self, plan: CopyPlan, path: Path, columns: dict[str, tuple[str, int]]
    ) -> tuple[str, list[Any]]:
        if plan.statement.match_by_column_name != "NONE":
            raise compilation_error(
                2019, "0A000", f"MATCH_BY_COLUMN_NAME is not supported with {plan.file_format.type} here."
            )
        targets = plan.statement.columns or tuple(columns)
        for name in targets:
            if name not in columns:
                raise compilation_error(904, "42000", f"invalid identifier '{name}'")
        names = ", ".join(quoted(name) for name in targets)
        return f"INSERT INTO {plan.table.sql} ({names}) SELECT * FROM {_source(plan, path)}", []


def _source(plan: CopyPlan, path: Path) -> str:
    # The rows of a file that is no Parquet.
    if plan.file_format.type == "JSON":
        return f"read_json_objects({literal(escape_glob(str(path)))})"
    options = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in plan.file_format.options.items()
    }
    return (
        handle_csv({"TYPE": "CSV", **options}).read_expression(escape_glob(str(path))).sql(dialect="duckdb")
    )


def _only(piece: Piece | None, plan: CopyPlan) -> str:
    if piece is None:
        return ""
    if plan.file_format.type == "PARQUET":
        return f" WHERE {_ROW_NUMBER} >= {piece.skipped} AND {_ROW_NUMBER} < {piece.skipped + piece.rows}"
    # DuckDB keeps the order in which a file has its rows (preserve_insertion_order).
    return f" LIMIT {piece.rows} OFFSET {piece.skipped}"


def _rows_of_parquet(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowInvalid, OSError) as error:
        raise SnowflakeError(100016, "22000", f"Error reading the Parquet file: {_short(error)}") from error


def _read_parquet(path: Path, options: Any) -> str:
    binary = "true" if options.get("BINARY_AS_TEXT", True) else "false"
    # hive_partitioning would take columns from the folder names (source=…, dt=…), which Snowflake does not.
    return (
        f"read_parquet({literal(escape_glob(str(path)))}, hive_partitioning = false, {_ROW_NUMBER} = true, "
        f"binary_as_string = {binary})"
    )


def _refuse_logical_types(fields: dict[str, str]) -> None:
    for name, kind in fields.items():
        if kind.startswith(("DATE", "TIME")):
            raise SnowflakeError(
                100016,
                "22000",
                f"Column {name} of the Parquet file is a {kind}: the local Snowflake loads it only with a file "
                "format that has USE_LOGICAL_TYPE = TRUE.",
            )


def _refuse_ambiguous_names(path: Path) -> None:
    # DuckDB would rename one of two columns that differ only in case.
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowInvalid, OSError) as error:
        raise SnowflakeError(100016, "22000", f"Error reading the Parquet file: {_short(error)}") from error
    seen: dict[str, str] = {}
    for name in names:
        if name.upper() in seen:
            raise SnowflakeError(
                100016, "22000", f"Columns {seen[name.upper()]} and {name} of the file differ only in case."
            )
        seen[name.upper()] = name


def _match(
    fields: dict[str, str], columns: dict[str, tuple[str, int]], *, ignore_case: bool
) -> dict[str, str]:
    # Column of the table -> field of the file. Fields without a column are ignored, columns without a field are null.
    if not ignore_case:
        return {name: name for name in columns if name in fields}
    by_folded = {name.upper(): name for name in fields}
    return {name: by_folded[name.upper()] for name in columns if name.upper() in by_folded}


def _checked(expression: str, column: str, kind: str, length: int) -> str:
    if kind != "VARCHAR" or length >= _UNLIMITED:
        return expression
    text = literal(f"User character length limit ({length}) exceeded by a string for column {column}")
    return f"CASE WHEN length({expression}) > {length} THEN error({text}) ELSE {expression} END"


def _metadata(name: str, file: StagedFile, scan_time: datetime) -> tuple[str, list[Any]]:
    if name == FILENAME:
        return "?", [file.key]
    if name == FILE_ROW_NUMBER:
        return f"{_ROW_NUMBER} + 1", []
    if name == FILE_CONTENT_KEY:
        return "?", [file.etag]
    if name == FILE_LAST_MODIFIED:
        return "?", [file.last_modified.astimezone(UTC).replace(tzinfo=None)]
    return "?", [scan_time]


def _short(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:500]
