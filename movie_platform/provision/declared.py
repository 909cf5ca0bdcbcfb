"""What the SQL files declare of tables, read from their rendered text: a column a line, as the files write it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from movie_platform.provision.sql import SqlFile

_TABLE = re.compile(
    r"CREATE OR ALTER (?:TRANSIENT )?TABLE (?P<database>\w+)\.(?P<name>\w+\.\w+) \(\n(?P<columns>.*?)\n\)(?P<rest>.*)",
    re.DOTALL,
)
_COLUMN = re.compile(
    r"\s+(?P<name>[a-z_][a-z0-9_]*) (?P<type>[A-Z_]+(?:\([0-9]+(?:, [0-9]+)?\))?)(?P<required> NOT NULL)?"
    r"(?: COMMENT '(?P<comment>(?:[^']|'')*)')?,?"
)
_CONSTRAINT = re.compile(r"\s+CONSTRAINT ")
# A line of SQL that is only said to readers.
_COMMENT_LINE = re.compile(r"^\s*--.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column as a file declares it; name and type in Snowflake's spelling: capitals, no spaces."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """A table as a file declares it. `name` is SCHEMA.TABLE in capitals, `properties` what stands behind the columns."""

    name: str
    columns: tuple[DeclaredColumn, ...]
    properties: str

    def names_property(self, name: str) -> bool:
        """Whether the file says something of a property."""
        return re.search(rf"\b{re.escape(name)}\b", self.properties) is not None


def declared_tables(files: Iterable["SqlFile"]) -> dict[str, tuple[DeclaredTable, ...]]:
    """The tables that files make or alter, by the file's name.

    Raises ValueError for a line of a table's that is neither a column nor a constraint.
    """
    return {file.name: tuple(_tables(file)) for file in files}


def _tables(file: "SqlFile") -> Iterator[DeclaredTable]:
    for statement in file.statements:
        match = _TABLE.fullmatch(_COMMENT_LINE.sub("", statement).strip())
        if match is not None:
            columns = [
                _column(line, file.name)
                for line in match["columns"].splitlines()
                if _CONSTRAINT.match(line) is None
            ]
            yield DeclaredTable(match["name"].upper(), tuple(columns), match["rest"])


def _column(line: str, where: str) -> DeclaredColumn:
    match = _COLUMN.fullmatch(line)
    if match is None:
        raise ValueError(f"{where}: {line.strip()!r} is not read as a column")
    return DeclaredColumn(
        match["name"].upper(),
        spelled(match["type"]),
        match["required"] is None,
        (match["comment"] or "").replace("''", "'"),
    )


def spelled(type_: str) -> str:
    """A type as DESCRIBE TABLE spells it."""
    compact = type_.replace(" ", "").upper()
    return "VARCHAR(16777216)" if compact == "VARCHAR" else compact
