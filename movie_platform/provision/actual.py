"""What the account has of the objects that the SQL files declare: asked by DESCRIBE and SHOW, never changed."""

import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform.provision.declared import DeclaredColumn, spelled
from movie_platform.provision.differences import ActualTable
from movie_platform.provision.render import Parameter
from movie_platform.resources.snowflake_connection import query_rows

# Snowflake's error numbers for a database, schema or table that is not there (or may not be seen).
NOT_THERE = frozenset({2003, 2043})


def actual_table(connection: SnowflakeConnection, database: str, name: str) -> ActualTable | None:
    """A table of a database as it is there, by SCHEMA.TABLE; None where there is none. Needs a warehouse."""
    full = f"{Parameter('identifier', database).sql('database')}.{name}"
    try:
        columns = list(query_rows(connection, f"DESCRIBE TABLE {full}"))
    except snowflake.connector.errors.ProgrammingError as error:
        if error.errno in NOT_THERE:
            return None
        raise
    return ActualTable(
        tuple(
            DeclaredColumn(
                str(row["name"]), spelled(str(row["type"])), row["null?"] == "Y", str(row["comment"] or "")
            )
            for row in columns
        ),
        own_parameters(connection, "TABLE", full),
        _clustering(connection, database, name),
    )


def own_parameters(connection: SnowflakeConnection, kind: str, name: str) -> frozenset[str]:
    """The parameters that are set on an object itself, not on what it lies in."""
    rows = query_rows(connection, f"SHOW PARAMETERS IN {kind} {name}")
    return frozenset(str(row["key"]) for row in rows if str(row["level"]) == kind)


def _clustering(connection: SnowflakeConnection, database: str, name: str) -> str:
    schema, _, table = name.partition(".")
    catalogue = f"{Parameter('identifier', database).sql('database')}.INFORMATION_SCHEMA"
    query = (
        f"SELECT clustering_key FROM {catalogue}.TABLES"  # noqa: S608 - a checked identifier
        " WHERE table_schema = %s AND table_name = %s"
    )
    rows = query_rows(connection, query, (schema, table))
    return next((str(row["clustering_key"] or "") for row in rows), "")
