"""Names of Snowflake objects: up to three identifiers, resolved against a session's database and schema."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from movie_platform.local_cloud.snowflake.errors import (
    NO_CURRENT_DATABASE,
    NO_CURRENT_SCHEMA,
    SnowflakeError,
    compilation_error,
)

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")
# A database is a file of this name: nothing in it may lead out of the folder or differ only in case.
_DATABASE = re.compile(r"[A-Z_][A-Z0-9_$]{0,254}")


def quoted(identifier: str) -> str:
    """An identifier for DuckDB's SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal for DuckDB's SQL, where a statement takes no bind variable."""
    return "'" + text.replace("'", "''") + "'"


def shown(identifier: str) -> str:
    """An identifier as Snowflake shows it: in quotes only where it needs them."""
    return identifier if _PLAIN.fullmatch(identifier) else quoted(identifier)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written: database and schema may be missing."""

    database: str | None
    schema: str | None
    name: str

    @staticmethod
    def of(parts: Sequence[str]) -> "Name":
        """A name of one to three parts, the last of which is the object's own."""
        padded = [None] * (3 - len(parts)) + list(parts)
        return Name(padded[0], padded[1], str(padded[2]))

    def __str__(self) -> str:
        return ".".join(shown(part) for part in (self.database, self.schema, self.name) if part is not None)

    def resolve(self, database: str | None, schema: str | None) -> "FullName":
        """The full name, with a session's database and schema for what is missing.

        Raises SnowflakeError 90105 or 90106 where the session has none.
        """
        full_database = self.database or database
        if full_database is None:
            raise SnowflakeError(
                NO_CURRENT_DATABASE,
                "22000",
                "Cannot perform operation. This session does not have a current database. "
                "Call 'USE DATABASE', or use a qualified name.",
            )
        full_schema = self.schema or schema
        if full_schema is None:
            raise SnowflakeError(
                NO_CURRENT_SCHEMA,
                "22000",
                "Cannot perform operation. This session does not have a current schema. "
                "Call 'USE SCHEMA', or use a qualified name.",
            )
        return FullName(full_database, full_schema, self.name)


@dataclass(frozen=True, slots=True, order=True)
class FullName:
    """Database, schema and name of an object in a schema."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return ".".join(shown(part) for part in (self.database, self.schema, self.name))

    @property
    def sql(self) -> str:
        """The name for DuckDB's SQL."""
        return ".".join(quoted(part) for part in (self.database, self.schema, self.name))


def check_database_name(name: str) -> str:
    """The name, where a database of the local Snowflake may have it.

    Raises SnowflakeError for names that need quotes.
    """
    if not _DATABASE.fullmatch(name) or name in {"SYSTEM", "TEMP", "MEMORY", "SNOWFLAKE"}:
        raise compilation_error(
            1008,
            "22023",
            f"invalid database name '{name}': the local Snowflake takes letters, digits, _ and $",
        )
    return name


def matches_like(pattern: str, text: str) -> bool:
    """SHOW … LIKE: SQL wildcards, without regard to case."""
    expression = "".join(".*" if char == "%" else "." if char == "_" else re.escape(char) for char in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None
