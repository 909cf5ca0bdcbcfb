# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""What is known of a table or view that DuckDB does not keep: keys, comments, greatest lengths of texts.

The records are in the account's file, keyed by the table's name.
"""

from collections.abc import Iterable

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName


def forget(engine: Engine, name: FullName) -> None:
    """Forgets a table that is dropped or made anew."""
    where = "database_name = ? AND schema_name = ? AND table_name = ?"
    values = [name.database, name.schema, name.name]
    engine.write(f"DELETE FROM {ACCOUNT_STATE}._fs_keys WHERE {where}", values)
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            values,
        )


def record(
    engine: Engine,
    name: FullName,
    keys: Iterable[tuple[str, str]],
    lengths: Iterable[tuple[str, int]],
    comment: str | None,
) -> None:
    """Records what a CREATE says, in the place of what was known: keys (column, kind of key), lengths, comment."""
    forget(engine, name)
    for position, (column, kind) in enumerate(keys, 1):
        engine.write(
            f"INSERT INTO {ACCOUNT_STATE}._fs_keys VALUES (?, ?, ?, ?, ?, ?)",
            [name.database, name.schema, name.name, column, kind, position],
        )
    record_lengths(engine, name, lengths)
    if comment is not None:
        record_comment(engine, name, comment)


def record_lengths(engine: Engine, name: FullName, lengths: Iterable[tuple[str, int]]) -> None:
    """Records the greatest lengths (characters) of text columns."""
    for column, length in lengths:
        engine.write(
            f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_columns_ext VALUES (?, ?, ?, ?, ?, ?)",
            [name.database, name.schema, name.name, column, length, min(length * 4, result_set.MAXIMUM_TEXT)],
        )


def record_comment(engine: Engine, name: FullName, comment: str) -> None:
    """Records a table's comment, in the place of another."""
    engine.write(
        f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_tables_ext VALUES (?, ?, ?, ?)",
        [name.database, name.schema, name.name, comment],
    )


def rename(engine: Engine, name: FullName, new: FullName) -> None:
    """What is known of a table goes with it."""
    values = [new.name, name.database, name.schema, name.name]
    engine.write(
        f"UPDATE {ACCOUNT_STATE}._fs_keys SET table_name = ? "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        values,
    )
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"UPDATE {ACCOUNT_STATE}.{table} SET ext_table_name = ? "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            values,
        )
