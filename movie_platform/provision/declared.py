"""What the SQL files declare of tables, read from their rendered text: a column a line, as the files write it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    """A table as a file declares it: SCHEMA.TABLE in capitals, its columns, and what stands behind them."""

    database: str
    name: str
    columns: tuple[DeclaredColumn, ...]
    properties: str

    def names_property(self, name: str) -> bool:
        """Whether the file says something of a property."""
        return re.search(rf"\b{re.escape(name)}\b", self.properties) is not None


def declared_tables(file: str, statements: Iterable[str]) -> Iterator[DeclaredTable]:
    """The tables that a file's statements make or alter.

    Raises ValueError for a line of a table's that is neither a column nor a constraint.
    """
    for statement in statements:
        match = _TABLE.fullmatch(_COMMENT_LINE.sub("", statement).strip())
        if match is not None:
            columns = [
                _column(line, file)
                for line in match["columns"].splitlines()
                if _CONSTRAINT.match(line) is None
            ]
            yield DeclaredTable(match["database"], match["name"].upper(), tuple(columns), match["rest"])


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
