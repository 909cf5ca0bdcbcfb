"""COPY INTO <table>: reading the statement, and running it outside pipes.

Source of the grammar and of each default: Snowflake documentation, "COPY INTO <table>". What the local Snowflake
cannot do right (transformations, ON_ERROR = CONTINUE, unloading) is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    compilation_error,
    does_not_exist,
    from_exception,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import StagedFile
from movie_platform.local_cloud.snowflake.state.loader import METADATA_COLUMNS, Loader
from movie_platform.local_cloud.snowflake.statements.stages import (
    FileFormat,
    StageLocation,
    check_pattern,
    files_at,
    find_format,
    find_location,
    read_format_options,
    read_stage_reference,
    stage_format,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, Name
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value

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
    if not engine.query(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [table.database, table.schema, table.name],
    ):
        raise does_not_exist("Table", str(table))
    stage = statement.stage.resolve(database, schema)
    location = find_location(engine, stage, statement.path)
    options = statement.file_format if statement.file_format is not None else stage_format(engine, stage)
    return CopyPlan(statement, table, location, find_format(engine, options or {}, database, schema))


_COLUMNS = (
    ("file", "text"), ("status", "text"), ("rows_parsed", "fixed"), ("rows_loaded", "fixed"),
    ("error_limit", "fixed"), ("errors_seen", "fixed"), ("first_error", "text"), ("first_error_line", "fixed"),
    ("first_error_character", "fixed"), ("first_error_column_name", "text"),
)  # fmt: skip


def copy_into(session: Session, statement: Statement) -> result_set.Result:
    """Runs COPY INTO <table>: files that the table has already are passed over unless FORCE or their ETag changed."""
    account = session.account
    parsed = parse_copy(TokenStream(statement.sql))
    plan = plan_copy(account.engine, parsed, session.database, session.schema)
    files = _files(session, plan)
    skip_file = parsed.on_error == SKIP_FILE
    if skip_file and session.in_transaction:
        raise unsupported("COPY INTO … ON_ERROR = SKIP_FILE inside a transaction")
    rows = _copy_each(session, plan, files) if skip_file else _copy_all(session, plan, files)
    if not rows:
        return result_set.message("Copy executed with 0 files processed.", result_set.COPY)
    return result_set.rows_result(_COLUMNS, rows, result_set.COPY)


def _files(session: Session, plan: CopyPlan) -> list[StagedFile]:
    parsed, lake, location = plan.statement, session.account.lake, plan.location
    if parsed.files is None:
        return list(files_at(lake, location, parsed.pattern))
    found: list[StagedFile] = []
    for name in parsed.files:
        separator = "/" if location.prefix and not location.prefix.endswith("/") else ""
        file = lake.head(location.bucket, f"{location.prefix}{separator}{name}")
        if file is None:
            raise SnowflakeError(
                91016,
                "22000",
                f"Remote file '{location.stage_url}{location.path}{separator}{name}' was not found.",
            )
        if parsed.pattern is None or location.matches(file.bucket, file.key, parsed.pattern):
            found.append(file)
    return found


def _copy_all(session: Session, plan: CopyPlan, files: list[StagedFile]) -> list[tuple[Any, ...]]:
    current: list[StagedFile] = []

    def work() -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for file in files:
            current[:] = [file]
            row = _load(session, plan, file)
            if row is not None:
                rows.append(row)
        return rows

    try:
        return session.atomically(work)
    except Exception as error:
        failure = from_exception(error)
        if current and not session.in_transaction and failure.number not in {604, 603}:
            _record_failure(session, plan, current[0], failure)
        raise _in_file(failure, current[0].url) if current else failure from error


def _in_file(failure: SnowflakeError, url: str) -> SnowflakeError:
    if failure.number == 603:
        return failure
    return SnowflakeError(failure.number, failure.sqlstate, f"{failure.message}\n  File '{url}'")


def _copy_each(session: Session, plan: CopyPlan, files: list[StagedFile]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for file in files:
        try:
            row = session.atomically(lambda file=file: _load(session, plan, file))
        except Exception as error:
            failure = from_exception(error)
            if failure.number in {603, 604}:
                raise
            _record_failure(session, plan, file, failure)
            row = (file.url, "LOAD_FAILED", 0, 0, 1, 1, failure.message, None, None, None)
        if row is not None:
            rows.append(row)
    return rows


def _load(session: Session, plan: CopyPlan, file: StagedFile) -> tuple[Any, ...] | None:
    etag = load_history.loaded_etag(session.duck, plan.table, file.url)
    if etag == file.etag and not plan.statement.force:
        return None
    now = datetime.now(UTC)
    count = Loader(session.account.engine, session.account.lake).load(session.duck, plan, file, now)
    load_history.remember_file(session.duck, plan.table, file.url, file.etag, now)
    load_history.record(
        session.duck,
        load_history.LoadRecord(
            plan.table, plan.location.relative(file.key), plan.location.stage_url, file.size, load_history.LOADED, now,
            count, count,
        ),
    )  # fmt: skip
    return (file.url, "LOADED", count, count, 1, 0, None, None, None, None)


def _record_failure(session: Session, plan: CopyPlan, file: StagedFile, failure: SnowflakeError) -> None:
    with session.account.engine.transaction() as connection:
        load_history.record(
            connection,
            load_history.LoadRecord(
                plan.table, plan.location.relative(file.key), plan.location.stage_url, file.size,
                load_history.FAILED, datetime.now(UTC), error=failure.message,
            ),
        )  # fmt: skip
