"""The plan of a COPY INTO <table>: the statement as written, and as it is resolved to a table, a place and a format.

Source of the grammar and of each default: Snowflake documentation, "COPY INTO <table>". What the local Snowflake
cannot do right (transformations, ON_ERROR = CONTINUE, unloading) is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from movie_platform.local_cloud.snowflake.errors import (
    compilation_error,
    does_not_exist,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.stage_lookup import (
    FileFormat,
    StageLocation,
    check_pattern,
    find_format,
    find_location,
    read_format_options,
    read_stage_reference,
    stage_format,
)
from movie_platform.local_cloud.snowflake.text.names import FullName, Name
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value, parse_name

FILENAME = "METADATA$FILENAME"
FILE_ROW_NUMBER = "METADATA$FILE_ROW_NUMBER"
FILE_CONTENT_KEY = "METADATA$FILE_CONTENT_KEY"
FILE_LAST_MODIFIED = "METADATA$FILE_LAST_MODIFIED"
START_SCAN_TIME = "METADATA$START_SCAN_TIME"
METADATA_COLUMNS = frozenset(
    {FILENAME, FILE_ROW_NUMBER, FILE_CONTENT_KEY, FILE_LAST_MODIFIED, START_SCAN_TIME}
)

ABORT_STATEMENT = "ABORT_STATEMENT"
SKIP_FILE = "SKIP_FILE"
_MATCHES = ("NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE")
_MAXIMUM_FILES = 1000


@dataclass(frozen=True)
class CopyStatement:
    """A COPY INTO as written: names are not resolved yet."""

    table: Name
    columns: tuple[str, ...] | None
    stage: Name
    path: str
    files: tuple[str, ...] | None = None
    pattern: str | None = None
    file_format: Mapping[str, Value] | None = None
    on_error: str | None = None
    force: bool = False
    match_by_column_name: str = "NONE"
    include_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CopyPlan:
    """A COPY INTO with everything resolved: the table, the place, the format."""

    statement: CopyStatement
    table: FullName
    location: StageLocation
    file_format: FileFormat
    # The format's own name, where the statement names one (and does not leave it to the stage).
    format_name: FullName | None = None


def parse_copy(stream: TokenStream) -> CopyStatement:
    """Takes a COPY INTO statement.

    Raises SnowflakeError for what is not in the grammar and for what the local Snowflake lacks.
    """
    stream.expect("COPY", "INTO")
    if stream.token.text == "@" or stream.token.kind.name == "STRING":
        raise unsupported("COPY INTO <location> (unloading)")
    table = stream.name()
    columns: tuple[str, ...] | None = None
    if stream.accept_symbol("("):
        names = [stream.identifier()]
        while stream.accept_symbol(","):
            names.append(stream.identifier())
        stream.expect_symbol(")")
        columns = tuple(names)
    stream.expect("FROM")
    if stream.token.text == "(":
        raise unsupported("COPY INTO … FROM (SELECT …) (transformation during a load)")
    stage, path = read_stage_reference(stream)
    options = _options(stream)
    stream.end()
    statement = CopyStatement(table, columns, stage, path, **options)
    if statement.include_metadata and statement.match_by_column_name == "NONE":
        raise compilation_error(2019, "0A000", "INCLUDE_METADATA can be used with MATCH_BY_COLUMN_NAME only.")
    if statement.match_by_column_name != "NONE" and columns is not None:
        raise compilation_error(2019, "0A000", "A column list cannot be used with MATCH_BY_COLUMN_NAME.")
    return statement


def _options(stream: TokenStream) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not stream.at_end:
        name = stream.word()
        key = name.lower()
        if key in options:
            raise compilation_error(1506, "42601", f"duplicate property '{name}'")
        stream.expect_symbol("=")
        if name == "FILE_FORMAT":
            options[key] = read_format_options(stream)
        elif name == "INCLUDE_METADATA":
            options[key] = _include_metadata(stream)
        elif name == "FILES":
            files = stream.value()
            options[key] = tuple(str(item) for item in (files if isinstance(files, tuple) else (files,)))
            if len(options[key]) > _MAXIMUM_FILES:
                raise invalid_value(f"{len(options[key])} files", "FILES")
        elif name == "PATTERN":
            options[key] = check_pattern(stream.string())
        elif name == "ON_ERROR":
            options[key] = _on_error(str(stream.value()).upper())
        elif name == "FORCE":
            options[key] = stream.boolean()
        elif name == "MATCH_BY_COLUMN_NAME":
            value = str(stream.value()).upper()
            if value not in _MATCHES:
                raise invalid_value(value, name)
            options[key] = value
        elif name == "PURGE":
            if stream.boolean():
                raise unsupported("COPY INTO … PURGE = TRUE")
        else:
            raise unsupported(f"the copy option {name}")
        stream.accept_symbol(",")
    return options


def _on_error(value: str) -> str:
    if value not in {ABORT_STATEMENT, SKIP_FILE}:
        raise unsupported(f"COPY INTO … ON_ERROR = {value}")
    return value


def _include_metadata(stream: TokenStream) -> dict[str, str]:
    stream.expect_symbol("(")
    found: dict[str, str] = {}
    while True:
        column = stream.identifier()
        stream.expect_symbol("=")
        metadata = stream.word()
        if metadata not in METADATA_COLUMNS:
            raise invalid_value(metadata, "INCLUDE_METADATA")
        if column in found:
            raise compilation_error(1506, "42601", f"duplicate column '{column}' in INCLUDE_METADATA")
        found[column] = metadata
        if not stream.accept_symbol(","):
            break
    stream.expect_symbol(")")
    return found


def plan_copy(engine: Engine, statement: CopyStatement, database: str | None, schema: str | None) -> CopyPlan:
    """Resolves a COPY INTO against a current database and schema.

    Raises SnowflakeError where its table, stage or file format does not exist.
    """
    table = statement.table.resolve(database, schema)
    if not engine.has_table(table):
        raise does_not_exist("Table", str(table))
    stage = statement.stage.resolve(database, schema)
    location = find_location(engine, stage, statement.path)
    options = statement.file_format if statement.file_format is not None else stage_format(engine, stage)
    named = None if statement.file_format is None else statement.file_format.get("FORMAT_NAME")
    format_name = None if named is None else parse_name(str(named)).resolve(database, schema)
    return CopyPlan(
        statement, table, location, find_format(engine, options or {}, database, schema), format_name
    )
