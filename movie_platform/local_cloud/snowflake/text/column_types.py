"""Names of column types: whatever synonym a statement uses, the type as DESCRIBE TABLE writes it. Pure.

Source: Snowflake documentation, "Summary of data types" (docs.snowflake.com/en/sql-reference/intro-summary-data-types)
and the pages of numeric, string and binary, and date and time types.
"""

import re

from movie_platform.local_cloud.snowflake.errors import unsupported

MAXIMUM_TEXT = 16_777_216
MAXIMUM_BINARY = 8_388_608
_DECIMALS = frozenset({"NUMBER", "DECIMAL", "DEC", "NUMERIC"})
_INTEGERS = frozenset({"INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"})
_FLOATS = frozenset({"FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "DOUBLE PRECISION", "REAL"})
_TEXTS = frozenset(
    {
        "VARCHAR",
        "STRING",
        "TEXT",
        "NVARCHAR",
        "NVARCHAR2",
        "CHAR VARYING",
        "NCHAR VARYING",
        "CHARACTER VARYING",
    }
)
_CHARACTERS = frozenset({"CHAR", "CHARACTER", "NCHAR"})
_TIMESTAMPS = {
    "DATETIME": "TIMESTAMP_NTZ",
    **{
        written: f"TIMESTAMP_{zone}"
        for zone, words in (
            ("NTZ", "WITHOUT TIME ZONE"),
            ("LTZ", "WITH LOCAL TIME ZONE"),
            ("TZ", "WITH TIME ZONE"),
        )
        for written in (f"TIMESTAMP_{zone}", f"TIMESTAMP{zone}", f"TIMESTAMP {words}")
    },
}
_PLAIN = frozenset({"BOOLEAN", "DATE", "VARIANT", "OBJECT", "ARRAY", "GEOGRAPHY", "GEOMETRY"})
_WRITTEN = re.compile(r"(?P<name>\w+)(?:\((?P<first>\d+)(?:,(?P<second>\d+))?\))?")

# What DuckDB keeps as one type: where a type is known from DuckDB alone, it may be any of its group.
_ALIKE = (
    frozenset({"TIMESTAMP_LTZ", "TIMESTAMP_TZ"}),
    frozenset({"VARIANT", "OBJECT", "ARRAY"}),
)


def canonical_type(name: str, arguments: tuple[int, ...], timestamp_mapping: str) -> str:
    """A type as DESCRIBE TABLE writes it.

    `name` is in upper case, its words joined by one space; `timestamp_mapping` is what TIMESTAMP alone means to the
    session. Raises SnowflakeError for a type that is not there.
    """
    first = arguments[0] if arguments else None
    if name in _DECIMALS:
        return f"NUMBER({38 if first is None else first},{arguments[1] if len(arguments) > 1 else 0})"
    if name in _INTEGERS:
        return "NUMBER(38,0)"
    if name in _FLOATS:
        return "FLOAT"
    if name in _TEXTS:
        return f"VARCHAR({first or MAXIMUM_TEXT})"
    if name in _CHARACTERS:
        return f"VARCHAR({first or 1})"
    if name in {"BINARY", "VARBINARY"}:
        return f"BINARY({first or MAXIMUM_BINARY})"
    if name == "TIME":
        return f"TIME({9 if first is None else first})"
    kind = timestamp_mapping if name == "TIMESTAMP" else _TIMESTAMPS.get(name)
    if kind is not None:
        return f"{kind}({9 if first is None else first})"
    if name in _PLAIN and not arguments:
        return name
    raise unsupported(f"the data type {name}")


def _parts(written: str) -> tuple[str, int | None, int | None]:
    match = _WRITTEN.fullmatch(written)
    if match is None:
        return written, None, None
    first, second = match["first"], match["second"]
    return match["name"], None if first is None else int(first), None if second is None else int(second)


def same_type(known: str, wanted: str, *, recorded: bool) -> bool:
    """Whether two types, as DESCRIBE TABLE writes them, are one; `known` may be what DuckDB alone tells."""
    if known == wanted:
        return True
    names = {_parts(known)[0], _parts(wanted)[0]}
    if recorded or (
        len(names) == 1 and names.isdisjoint({"TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"})
    ):
        return False
    return len(names) == 1 or any(names <= group for group in _ALIKE)


def why_not_changed(known: str, wanted: str) -> str | None:
    """Why ALTER TABLE cannot change a column's type so: None where it can, else the end of the error's sentence.

    Source: "ALTER TABLE … ALTER COLUMN": a text or binary may become longer, a NUMBER may have another precision.
    """
    (name, first, second), (new_name, new_first, new_second) = _parts(known), _parts(wanted)
    if name != new_name:
        return ""
    if name == "NUMBER":
        return None if second == new_second else " because changing the scale of a number is not supported."
    if name in {"VARCHAR", "BINARY"} and first is not None and new_first is not None:
        if new_first >= first:
            return None
        return f" because reducing the byte-length of a {name.lower()} is not supported."
    return ""


def text_length(written: str) -> int | None:
    """The greatest length of a text type, in characters; None for another type."""
    name, first, _ = _parts(written)
    return first if name == "VARCHAR" else None
