"""What the SQL files take from the contracts, so that a column is named in one place: `{{ columns … }}` and its like.

Each stands alone on its line, with text before or behind it, and is written one entry a line:

    {{ columns RAW.movies }}                 the columns of a table, with types, nulls and comments, and its keys
    {{ titles MARTS.top_movies }}            the columns of a view with their comments
    {{ comment MARTS.top_movies }}           what the contract says of a table or view, as a literal
    {{ each tracked: films.{} }}             an entry for each name of a list, joined by commas
    {{ each compared with ||: IFF(…) }}      the same, joined otherwise

In the pattern of `each`, `{}` is the name; `{text of old}` is that column of `old` as text, whatever its type is.
"""

import re
from collections.abc import Mapping

from movie_platform.contracts import ARCHIVE_TABLES, Column, Table, warehouse_columns
from movie_platform.contracts.marts import COMPARED_ATTRIBUTES, CURRENT_ATTRIBUTES, MART_VIEWS
from movie_platform.contracts.tables import TRACKED_COLUMNS
from movie_platform.contracts.warehouse import (
    CORE_TABLES,
    DIM_MOVIE,
    FOREIGN_KEYS,
    MEASURES,
    OPS_TABLES,
    RELIABLE_KEYS,
)

_LINE = re.compile(
    r"^(?P<indent> *)(?P<before>[^\n{]*)"
    r"\{\{ (?P<verb>columns|titles|comment|each) (?P<what>.*?) \}\}(?P<after>[^\n]*)$",
    re.MULTILINE,
)
_EACH = re.compile(r"(?P<list>[a-z_]+)(?: with (?P<joint>\S+))?: (?P<pattern>.+)")
_TEXT = re.compile(r"\{text of (?P<of>[a-z_]+)\}")
_TYPES: Mapping[str, str] = {
    "string": "VARCHAR",
    "int": "NUMBER(10, 0)",
    "bigint": "NUMBER(19, 0)",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ(6)",
    "boolean": "BOOLEAN",
}
# METADATA$START_SCAN_TIME is an instant: in a column without a time zone it would depend on the account's.
_OWN_TYPES: Mapping[str, str] = {"loaded_at": "TIMESTAMP_LTZ(6)"}
_TABLES: Mapping[str, Table] = {
    f"{table.snowflake_schema}.{table.name}": table
    for table in (*ARCHIVE_TABLES, *CORE_TABLES, *OPS_TABLES, *MART_VIEWS)
}
# Columns of DIM_MOVIE that movie_history compares and that DIM_MOVIE does not hold itself are text.
_LISTS: Mapping[str, tuple[str, ...]] = {
    "tracked": TRACKED_COLUMNS,
    "measures": MEASURES,
    "current_attributes": CURRENT_ATTRIBUTES,
    "compared": COMPARED_ATTRIBUTES,
}


def with_contracts(text: str, *, where: str) -> str:
    """The text of an SQL file with what the contracts say in its place; `where` names the file in errors.

    Raises ValueError for a table, list or pattern that is not there.
    """

    def write(match: re.Match[str]) -> str:
        try:
            lines, joint = _written(match["verb"], match["what"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{where}: {match[0].strip()}: there is no {error}") from error
        indent, before, after = match["indent"], match["before"], match["after"]
        return indent + before + joint.format(indent=indent).join(lines) + after

    return _LINE.sub(write, text)


def snowflake_type(column: Column) -> str:
    """The type of a contract's column in Snowflake, as DDL has it."""
    if column.name in _OWN_TYPES:
        return _OWN_TYPES[column.name]
    return _TYPES.get(column.type) or column.type.upper().replace("DECIMAL", "NUMBER").replace(",", ", ")


def _written(verb: str, what: str) -> tuple[list[str], str]:
    if verb == "each":
        return _each(what)
    table = _TABLES[what]
    if verb == "comment":
        return [_literal(table.description)], ""
    if verb == "titles":
        return [
            f"{column.name} COMMENT {_literal(column.description)}" for column in table.columns
        ], ",\n{indent}"
    return [*map(_definition, warehouse_columns(table)), *_keys(table)], ",\n{indent}"


def _definition(column: Column) -> str:
    null = "" if column.nullable else " NOT NULL"
    return f"{column.name} {snowflake_type(column)}{null} COMMENT {_literal(column.description)}"


def _keys(table: Table) -> list[str]:
    if not table.primary_key:
        return []
    rely = "RELY" if table.name in RELIABLE_KEYS else "NORELY"
    found = [f"CONSTRAINT {table.name}_key PRIMARY KEY ({', '.join(table.primary_key)}) NOT ENFORCED {rely}"]
    schema = table.snowflake_schema
    found += [
        f"CONSTRAINT {table.name}_{key.column} FOREIGN KEY ({key.column})"
        f" REFERENCES {{{{ database }}}}.{schema}.{key.references} ({key.key}) NOT ENFORCED RELY"
        for key in FOREIGN_KEYS
        if key.table == table.name
    ]
    return found


def _each(what: str) -> tuple[list[str], str]:
    asked = _EACH.fullmatch(what)
    if asked is None:
        raise ValueError("list and pattern")
    joint = ",\n{indent}" if asked["joint"] is None else f"\n{{indent}}{asked['joint']} "
    return [_filled(asked["pattern"], name) for name in _LISTS[asked["list"]]], joint


def _filled(pattern: str, name: str) -> str:
    return _TEXT.sub(lambda text: _as_text(text["of"], name), pattern).replace("{}", name)


def _as_text(of: str, name: str) -> str:
    column = next((found for found in DIM_MOVIE.columns if found.name == name), None)
    kind = "string" if column is None else column.type
    if kind == "string":
        return f"{of}.{name}"
    # The session's format would decide how a date reads.
    return f"TO_CHAR({of}.{name}, 'YYYY-MM-DD')" if kind == "date" else f"CAST({of}.{name} AS VARCHAR)"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
