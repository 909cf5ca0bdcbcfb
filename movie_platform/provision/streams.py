"""Streams that went stale are made anew.

A stale stream cannot be read any more. The one that takes its place begins with all rows of its table
(SHOW_INITIAL_ROWS): the task graph notes their days once more, passes over those that CORE shows already, and applies
the rest.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from movie_platform.resources.snowflake_connection import query_rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from movie_platform.provision.sql import SqlFile

_CREATION = re.compile(r"\bCREATE STREAM IF NOT EXISTS (?P<name>\S+)", re.IGNORECASE)


def stale_streams(connection: "SnowflakeConnection", database: str) -> list[str]:
    """The full names, in capitals, of the database's streams that went stale; none where there is no such database."""
    return names_of_stale(query_rows(connection, "SHOW STREAMS IN ACCOUNT"), database)


def names_of_stale(streams: Iterable[Mapping[str, Any]], database: str) -> list[str]:
    """The full names of a database's stale streams among those that SHOW STREAMS shows."""
    return [
        f"{row['database_name']}.{row['schema_name']}.{row['name']}".upper()
        for row in streams
        if str(row["database_name"]).upper() == database.upper() and str(row["stale"]).lower() == "true"
    ]


def replacements(files: Iterable["SqlFile"], stale: Collection[str]) -> dict[str, str]:
    """For each of these streams that a file creates: the statement that puts a new one in its place."""
    found: dict[str, str] = {}
    for file in files:
        for statement in file.statements:
            creation = _CREATION.search(statement)
            if creation is not None and creation["name"].upper() in stale:
                found[creation["name"].upper()] = _CREATION.sub(
                    r"CREATE OR REPLACE STREAM \g<name>", statement
                )
    return found
