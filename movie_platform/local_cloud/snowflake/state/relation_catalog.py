# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""Which tables and views there are, and their columns as Snowflake has them: seen by a session's transaction."""

import duckdb

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_shape import Column

_COLUMNS = (
    "SELECT column_name, type, is_nullable, default_text, comment, recorded, added "
    f"FROM {ACCOUNT_STATE}._fs_described_columns "
    "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY ordinal"
)


def kind_of(connection: duckdb.DuckDBPyConnection, name: FullName) -> str | None:
    """TABLE or VIEW; None where there is nothing of that name."""
    rows = connection.execute(
        "SELECT table_type FROM system.information_schema.tables "
        "WHERE table_catalog = ? AND table_schema = ? AND table_name = ?",
        [name.database, name.schema, name.name],
    ).fetchall()
    return None if not rows else "VIEW" if rows[0][0] == "VIEW" else "TABLE"


def columns_of(connection: duckdb.DuckDBPyConnection, relation: FullName) -> tuple[Column, ...]:
    """The columns of a table or view in order; none where there is nothing of that name."""
    rows = connection.execute(_COLUMNS, [relation.database, relation.schema, relation.name]).fetchall()
    return tuple(Column(*row) for row in rows)
