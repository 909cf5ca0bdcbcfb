# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""What a table's columns were defined as, where DuckDB keeps less: type, default's text, added to the table later.

A table that was made by a query, or before this was recorded, has no records: what DuckDB knows of it counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_definition import ColumnDefinition

_TABLE = f"{ACCOUNT_STATE}._fs_column_definitions"
_OF_TABLE = "database_name = ? AND schema_name = ? AND table_name = ?"


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """`added` is whether the column came by an ALTER: then its default stays."""

    type: str
    default: str | None
    added: bool


def records(engine: Engine, table: FullName) -> Mapping[str, ColumnRecord]:
    """The records of a table's columns, by name."""
    rows = engine.query(
        f"SELECT column_name, type, default_text, added FROM {_TABLE} WHERE {_OF_TABLE}",
        [table.database, table.schema, table.name],
    )
    return {name: ColumnRecord(kind, default, added) for name, kind, default, added in rows}


def record(
    engine: Engine, table: FullName, columns: Iterable[ColumnDefinition], *, added: bool = False
) -> None:
    """Records columns whose type a statement says."""
    for column in columns:
        if column.type is not None:
            engine.write(
                f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?, ?, ?, ?, ?)",
                [table.database, table.schema, table.name, column.name, column.type, column.default, added],
            )


def set_type(engine: Engine, table: FullName, column: str, kind: str) -> None:
    """A column has another type now; nothing happens where it has no record."""
    engine.write(
        f"UPDATE {_TABLE} SET type = ? WHERE {_OF_TABLE} AND column_name = ?",
        [kind, table.database, table.schema, table.name, column],
    )


def set_default(engine: Engine, table: FullName, column: str, default: str | None) -> None:
    """A column has another default now, or none; nothing happens where it has no record."""
    engine.write(
        f"UPDATE {_TABLE} SET default_text = ? WHERE {_OF_TABLE} AND column_name = ?",
        [default, table.database, table.schema, table.name, column],
    )


def forget_table(engine: Engine, table: FullName) -> None:
    """A table is dropped or made anew."""
    engine.write(f"DELETE FROM {_TABLE} WHERE {_OF_TABLE}", [table.database, table.schema, table.name])


def rename_table(engine: Engine, table: FullName, new: FullName) -> None:
    """The records go with the table."""
    engine.write(
        f"UPDATE {_TABLE} SET table_name = ? WHERE {_OF_TABLE}",
        [new.name, table.database, table.schema, table.name],
    )


def change_column(engine: Engine, table: FullName, column: str, new: str | None) -> None:
    """A column has another name, or is dropped (None)."""
    values = [table.database, table.schema, table.name, column]
    if new is None:
        engine.write(f"DELETE FROM {_TABLE} WHERE {_OF_TABLE} AND column_name = ?", values)
    else:
        engine.write(
            f"UPDATE {_TABLE} SET column_name = ? WHERE {_OF_TABLE} AND column_name = ?", [new, *values]
        )
