"""Which objects that files make are there: what was taken away after its file was applied has to be made again."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from movie_platform.provision.render import Parameter
from movie_platform.resources.snowflake_connection import query_rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_OF_SCHEMAS = {
    "TABLE": "TABLES",
    "VIEW": "VIEWS",
    "STREAM": "STREAMS",
    "TASK": "TASKS",
    "PIPE": "PIPES",
    "STAGE": "STAGES",
    "FILE FORMAT": "FILE FORMATS",
}
_OF_ACCOUNTS = {
    "WAREHOUSE": "WAREHOUSES",
    "ROLE": "ROLES",
    "USER": "USERS",
    "STORAGE INTEGRATION": "STORAGE INTEGRATIONS",
    "RESOURCE MONITOR": "RESOURCE MONITORS",
    "DATABASE": "DATABASES",
}
_CREATION = re.compile(
    rf"^CREATE (?:OR (?:REPLACE|ALTER) )?(?:TRANSIENT )?(?P<kind>{'|'.join([*_OF_SCHEMAS, *_OF_ACCOUNTS])})"
    r" (?:IF NOT EXISTS )?(?P<name>[\w.]+)",
    re.MULTILINE,
)


def objects_made(statements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Kind and full name, in capitals, of what statements make."""
    for statement in statements:
        for creation in _CREATION.finditer(statement):
            yield creation["kind"], creation["name"].upper()


def objects_of_database(connection: "SnowflakeConnection", database: str) -> set[tuple[str, str]]:
    """Kind and full name of what a database that is there holds. Needs no warehouse."""
    name = Parameter("identifier", database).sql("database")
    return {
        (kind, f"{row['database_name']}.{row['schema_name']}.{row['name']}".upper())
        for kind, shown in _OF_SCHEMAS.items()
        for row in query_rows(connection, f"SHOW {shown} IN DATABASE {name}")
    }


def objects_of_account(connection: "SnowflakeConnection") -> set[tuple[str, str]]:
    """Kind and name of what an account holds outside databases, as far as the session's role sees it."""
    return {
        (kind, str(row["name"]).upper())
        for kind, shown in _OF_ACCOUNTS.items()
        for row in query_rows(connection, f"SHOW {shown}")
    }


def gone(statements: Iterable[str], present: Collection[tuple[str, str]]) -> list[str]:
    """What statements make that is not among what is there, for people to read."""
    return [
        f"{kind.lower()} {name}" for kind, name in objects_made(statements) if (kind, name) not in present
    ]
