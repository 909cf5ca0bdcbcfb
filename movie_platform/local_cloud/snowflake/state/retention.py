# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""For how many days what a stream has not given yet is kept: parameters of tables, schemas and databases.

Source: Snowflake documentation, "Introduction to Streams" (data retention period and staleness) and "Parameters",
DATA_RETENTION_TIME_IN_DAYS and MAX_DATA_EXTENSION_TIME_IN_DAYS: a table's own come before its schema's, these before
its database's, these before the account's, which are the defaults here.
"""

from collections.abc import Mapping

from movie_platform.local_cloud.snowflake.errors import invalid_value
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text.names import FullName

DEFAULTS: Mapping[str, int] = {"DATA_RETENTION_TIME_IN_DAYS": 1, "MAX_DATA_EXTENSION_TIME_IN_DAYS": 14}
_MOST = 90
_WHERE = "database_name = ? AND schema_name = ? AND table_name = ?"


def check_days(name: str, value: object) -> int:
    """The value of a parameter.

    Raises SnowflakeError where it is no number of days from 0 to 90.
    """
    text = str(value)
    if not text.isdecimal() or int(text) > _MOST:
        raise invalid_value(text, name)
    return int(text)


def record(engine: Engine, database: str, schema: str, table: str, days: Mapping[str, int]) -> None:
    """Records parameters of a table, of a schema (no table) or of a database (no schema either)."""
    for name, value in days.items():
        engine.write(
            f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_retention VALUES (?, ?, ?, ?, ?)",
            [database, schema, table, name, value],
        )


def own(engine: Engine, place: FullName) -> dict[str, int]:
    """The parameters that are set on a table, schema or database itself."""
    rows = engine.query(
        f"SELECT parameter, days FROM {ACCOUNT_STATE}._fs_retention WHERE {_WHERE}",
        [place.database, place.schema, place.name],
    )
    return dict(rows)


def unset(engine: Engine, place: FullName, name: str) -> None:
    """Takes a parameter of a table, schema or database away: what it lies in decides again."""
    engine.write(
        f"DELETE FROM {ACCOUNT_STATE}._fs_retention WHERE {_WHERE} AND parameter = ?",
        [place.database, place.schema, place.name, name],
    )


def set_only(engine: Engine, place: FullName, days: Mapping[str, int]) -> None:
    """Makes the parameters of a table, schema or database (no name, no schema) what they are here, and no others."""
    forget(engine, place)
    record(engine, place.database, place.schema, place.name, days)


def forget(engine: Engine, table: FullName) -> None:
    """A table, schema or database was dropped or made anew."""
    engine.write(
        f"DELETE FROM {ACCOUNT_STATE}._fs_retention WHERE {_WHERE}",
        [table.database, table.schema, table.name],
    )


def rename(engine: Engine, table: FullName, new: FullName) -> None:
    """A table's parameters go with it."""
    engine.write(
        f"UPDATE {ACCOUNT_STATE}._fs_retention SET table_name = ? WHERE {_WHERE}",
        [new.name, table.database, table.schema, table.name],
    )


def own_days(engine: Engine, place: FullName) -> dict[str, int]:
    """The parameters that a table, schema or database has itself."""
    rows = engine.query(
        f"SELECT parameter, days FROM {ACCOUNT_STATE}._fs_retention WHERE {_WHERE}",
        [place.database, place.schema, place.name],
    )
    return dict(rows)


def days_of(engine: Engine, table: FullName) -> int:
    """How old the offset of a stream on a table may be: the longer of retention and its extension, in days."""
    rows = engine.query(
        f"SELECT parameter, days FROM {ACCOUNT_STATE}._fs_retention WHERE database_name = ? "
        "AND schema_name IN ('', ?) AND table_name IN ('', ?) ORDER BY schema_name, table_name",
        [table.database, table.schema, table.name],
    )
    return max({**DEFAULTS, **dict(rows)}.values())
