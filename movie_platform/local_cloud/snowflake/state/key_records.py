# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""Primary, unique and foreign keys of tables: recorded in the account's file and not enforced, as on Snowflake.

Source: Snowflake documentation, "Constraints" (docs.snowflake.com/en/sql-reference/constraints).
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_definition import PRIMARY_KEY

_TABLE = f"{ACCOUNT_STATE}._fs_constraints"
_OF_TABLE = "database_name = ? AND schema_name = ? AND table_name = ?"
_COLUMNS = (
    "database_name, schema_name, table_name, name, kind, columns, pk_database, pk_schema, pk_table, pk_columns, rely, "
    "comment, update_rule, delete_rule, created_on"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table. A foreign key has the table and the columns that it references, column by column."""

    table: FullName
    name: str
    kind: str
    columns: tuple[str, ...]
    referenced: FullName | None = None
    referenced_columns: tuple[str, ...] = ()
    rely: bool = False
    comment: str | None = None
    update_rule: str = "NO ACTION"
    delete_rule: str = "NO ACTION"
    created_on: datetime | None = None

    def same_as(self, other: "Key") -> bool:
        """Whether both are one key, but for name, properties and comment."""
        return (self.kind, self.columns, self.referenced, self.referenced_columns) == (
            other.kind, other.columns, other.referenced, other.referenced_columns,
        )  # fmt: skip


def new_key_name() -> str:
    """A name for a key that a statement does not name, in Snowflake's form."""
    return f"SYS_CONSTRAINT_{uuid.uuid4()}"


def keys(engine: Engine, where: Mapping[str, str], *, referenced: bool = False) -> list[Key]:
    """Keys of the tables in a place: `where` may have database, schema, table. `referenced`: foreign keys to there."""
    names = (
        ("pk_database", "pk_schema", "pk_table")
        if referenced
        else ("database_name", "schema_name", "table_name")
    )
    columns: dict[str, str] = dict(zip(("database", "schema", "table"), names, strict=True))
    conditions = "".join(f" AND {columns[part]} = ?" for part in where)
    rows = engine.query(
        f"SELECT {_COLUMNS} FROM {_TABLE} WHERE true{conditions} "
        "ORDER BY database_name, schema_name, table_name, created_on, name",
        list(where.values()),
    )
    return [_key(row) for row in rows]


def keys_of(engine: Engine, table: FullName) -> list[Key]:
    """The keys of one table, the oldest first."""
    return keys(engine, {"database": table.database, "schema": table.schema, "table": table.name})


def primary_key(engine: Engine, table: FullName) -> Key | None:
    """A table's primary key."""
    return next((key for key in keys_of(engine, table) if key.kind == PRIMARY_KEY), None)


def _key(row: tuple[Any, ...]) -> Key:
    (database, schema, table, name, kind, columns, pk_database, pk_schema, pk_table, pk_columns, rely, comment,
     update_rule, delete_rule, created_on) = row  # fmt: skip
    return Key(
        FullName(database, schema, table),
        name,
        kind,
        tuple(json.loads(columns)),
        FullName(pk_database, pk_schema, pk_table) if pk_table is not None else None,
        tuple(json.loads(pk_columns)),
        rely,
        comment,
        update_rule,
        delete_rule,
        created_on,
    )


def add(engine: Engine, found: Iterable[Key]) -> None:
    """Records keys."""
    with engine.transaction() as connection:
        for key in found:
            target = key.referenced
            connection.execute(
                f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    key.table.database, key.table.schema, key.table.name, key.name, key.kind, json.dumps(key.columns),
                    target and target.database, target and target.schema, target and target.name,
                    json.dumps(key.referenced_columns), key.rely, key.comment, key.update_rule, key.delete_rule,
                    key.created_on or datetime.now(UTC),
                ],
            )  # fmt: skip


def remove(engine: Engine, key: Key) -> None:
    """Removes a key. One that others reference takes these along."""
    engine.write(
        f"DELETE FROM {_TABLE} WHERE {_OF_TABLE} AND name = ?",
        [key.table.database, key.table.schema, key.table.name, key.name],
    )
    for other in referencing(engine, key):
        remove(engine, other)


def referencing(engine: Engine, key: Key) -> list[Key]:
    """The foreign keys that reference a primary or unique key."""
    where = {"database": key.table.database, "schema": key.table.schema, "table": key.table.name}
    return [
        other
        for other in keys(engine, where, referenced=True)
        if set(other.referenced_columns) == set(key.columns)
    ]


def change(engine: Engine, key: Key, new: Key) -> None:
    """Puts a key in the place of another of the same table."""
    engine.write(
        f"DELETE FROM {_TABLE} WHERE {_OF_TABLE} AND name = ?",
        [key.table.database, key.table.schema, key.table.name, key.name],
    )
    add(engine, [new])


def forget_table(engine: Engine, table: FullName) -> None:
    """A table is dropped or made anew: its keys go, and with them the foreign keys that reference it."""
    values = [table.database, table.schema, table.name]
    engine.write(
        f"DELETE FROM {_TABLE} WHERE ({_OF_TABLE}) OR (pk_database = ? AND pk_schema = ? AND pk_table = ?)",
        values + values,
    )


def forget_schema(engine: Engine, database: str, schema: str) -> None:
    """A schema is dropped: the keys of its tables go, and the foreign keys that reference them."""
    engine.write(
        f"DELETE FROM {_TABLE} WHERE (database_name = ? AND schema_name = ?) OR (pk_database = ? AND pk_schema = ?)",
        [database, schema, database, schema],
    )


def rename_table(engine: Engine, table: FullName, new: FullName) -> None:
    """A table's keys, and those that reference it, go with it."""
    values = [new.name, table.database, table.schema, table.name]
    engine.write(f"UPDATE {_TABLE} SET table_name = ? WHERE {_OF_TABLE}", values)
    engine.write(
        f"UPDATE {_TABLE} SET pk_table = ? WHERE pk_database = ? AND pk_schema = ? AND pk_table = ?", values
    )


def change_column(engine: Engine, table: FullName, column: str, new: str | None) -> None:
    """A column has another name, or is dropped (None): keys follow, those of a dropped column are dropped."""
    for key in keys_of(engine, table):
        if column in key.columns:
            if new is None:
                remove(engine, key)
            else:
                change(engine, key, _renamed(key, "columns", column, new))
    where = {"database": table.database, "schema": table.schema, "table": table.name}
    for key in keys(engine, where, referenced=True):
        if column in key.referenced_columns and new is not None:
            change(engine, key, _renamed(key, "referenced_columns", column, new))


def _renamed(key: Key, names: str, column: str, new: str) -> Key:
    return replace(key, **{names: tuple(new if name == column else name for name in getattr(key, names))})
