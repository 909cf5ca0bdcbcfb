# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""What is known of a table or view that DuckDB does not keep: comments and greatest lengths of texts here, the rest in
`key_records`, `column_records` and `object_records`, which what is here keeps in step.

The records are in the account's file, keyed by the table's name.
"""

from collections.abc import Iterable

from movie_platform.local_cloud.snowflake.state import column_records, key_records, object_records
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName


def forget(engine: Engine, name: FullName) -> None:
    """Forgets a table that is dropped or made anew."""
    values = [name.database, name.schema, name.name]
    key_records.forget_table(engine, name)
    column_records.forget_table(engine, name)
    object_records.forget(engine, name)
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            values,
        )


def record(engine: Engine, name: FullName, lengths: Iterable[tuple[str, int]], comment: str | None) -> None:
    """Records what a CREATE says, in the place of what was known: greatest lengths of texts, comment."""
    forget(engine, name)
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


def record_comment(engine: Engine, name: FullName, comment: str | None) -> None:
    """Records a table's comment, in the place of another; None takes it away."""
    if comment is None:
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}._fs_tables_ext "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            [name.database, name.schema, name.name],
        )
        return
    engine.write(
        f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_tables_ext VALUES (?, ?, ?, ?)",
        [name.database, name.schema, name.name, comment],
    )


def rename(engine: Engine, name: FullName, new: FullName) -> None:
    """What is known of a table goes with it."""
    values = [new.name, name.database, name.schema, name.name]
    key_records.rename_table(engine, name, new)
    column_records.rename_table(engine, name, new)
    object_records.rename(engine, name, new)
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"UPDATE {ACCOUNT_STATE}.{table} SET ext_table_name = ? "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            values,
        )


def change_column(engine: Engine, name: FullName, column: str, new: str | None) -> None:
    """A column has another name, or is dropped (None): what is known of it follows."""
    key_records.change_column(engine, name, column, new)
    column_records.change_column(engine, name, column, new)
    where = "ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ? AND ext_column_name = ?"
    values = [name.database, name.schema, name.name, column]
    if new is None:
        engine.write(f"DELETE FROM {ACCOUNT_STATE}._fs_columns_ext WHERE {where}", values)
    else:
        engine.write(
            f"UPDATE {ACCOUNT_STATE}._fs_columns_ext SET ext_column_name = ? WHERE {where}", [new, *values]
        )
