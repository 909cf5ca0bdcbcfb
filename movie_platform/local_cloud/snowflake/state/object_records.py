# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""What is known of databases, schemas, tables and views beside what DuckDB keeps: when they were made, properties that
statements set (COMMENT of databases and schemas, TRANSIENT, SECURE, CLUSTER BY …), and a view's own text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text.names import FullName

_TABLE = f"{ACCOUNT_STATE}._fs_object_records"
_THIS = "database_name = ? AND schema_name = ? AND name = ?"

Property = str | bool | None


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """`definition` is the text of the statement that made a view."""

    kind: str
    created_on: datetime
    properties: Mapping[str, Property]
    definition: str | None


def of_database(database: str) -> FullName:
    """The key of a database's record."""
    return FullName(database, "", "")


def of_schema(database: str, schema: str) -> FullName:
    """The key of a schema's record."""
    return FullName(database, schema, "")


def find(engine: Engine, key: FullName) -> ObjectRecord | None:
    """The record of an object; None for one that was made before records were kept."""
    rows = engine.query(
        f"SELECT kind, created_on, properties, definition FROM {_TABLE} WHERE {_THIS}",
        [key.database, key.schema, key.name],
    )
    if not rows:
        return None
    kind, created_on, properties, definition = rows[0]
    return ObjectRecord(kind, created_on, json.loads(properties), definition)


def record(
    engine: Engine,
    kind: str,
    key: FullName,
    properties: Mapping[str, Property],
    definition: str | None = None,
) -> None:
    """Records a new object, in the place of one of that name. A property that is None or false is none."""
    now = datetime.now(UTC)
    engine.write(
        f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [kind, key.database, key.schema, key.name, now, now, _text(properties), definition],
    )


def set_properties(engine: Engine, kind: str, key: FullName, properties: Mapping[str, Property]) -> None:
    """Changes properties of an object; None and false take one away."""
    known = find(engine, key)
    if known is None:
        record(engine, kind, key, properties)
        return
    engine.write(
        f"UPDATE {_TABLE} SET properties = ?, altered_on = ? WHERE {_THIS}",
        [_text({**known.properties, **properties}), datetime.now(UTC), key.database, key.schema, key.name],
    )


def set_definition(engine: Engine, key: FullName, definition: str) -> None:
    """Changes the text of a view's statement."""
    engine.write(
        f"UPDATE {_TABLE} SET definition = ?, altered_on = ? WHERE {_THIS}",
        [definition, datetime.now(UTC), key.database, key.schema, key.name],
    )


def forget(engine: Engine, key: FullName) -> None:
    """An object is dropped."""
    engine.write(f"DELETE FROM {_TABLE} WHERE {_THIS}", [key.database, key.schema, key.name])


def rename(engine: Engine, key: FullName, new: FullName) -> None:
    """The record goes with its object."""
    engine.write(
        f"UPDATE {_TABLE} SET name = ? WHERE {_THIS}", [new.name, key.database, key.schema, key.name]
    )


def _text(properties: Mapping[str, Property]) -> str:
    return json.dumps({name: value for name, value in properties.items() if value not in (None, False)})
