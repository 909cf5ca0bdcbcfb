"""COPY INTO <table> outside pipes: which files it loads, and what it says of each.

Source: Snowflake documentation, "COPY INTO <table>".
"""

from datetime import UTC, datetime
from typing import Any

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, from_exception, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.copy_plan import SKIP_FILE, CopyPlan, parse_copy, plan_copy
from movie_platform.local_cloud.snowflake.state.lake import StagedFile
from movie_platform.local_cloud.snowflake.state.loader import Loader
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.stage_lookup import files_at
from movie_platform.local_cloud.snowflake.state.storage_access import READING
from movie_platform.local_cloud.snowflake.statements.authorizing import require
from movie_platform.local_cloud.snowflake.statements.needing_a_warehouse import require_warehouse
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

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
    require_warehouse(session)
    require_to_load(session, plan, "INSERT")
    account.storage.require(plan.location, READING)
    files = _files(session, plan)
    skip_file = parsed.on_error == SKIP_FILE
    if skip_file and session.in_transaction:
        raise unsupported("COPY INTO … ON_ERROR = SKIP_FILE inside a transaction")
    rows = _copy_each(session, plan, files) if skip_file else _copy_all(session, plan, files)
    if not rows:
        return result_set.message("Copy executed with 0 files processed.", result_set.COPY)
    return result_set.rows_result(_COLUMNS, rows, result_set.COPY)


def require_to_load(session: Session, plan: CopyPlan, *privileges: str) -> None:
    """Raises SnowflakeError unless the session may read the stage and has each of the privileges on the table."""
    require(session, Securable.in_schema("STAGE", plan.location.stage), "USAGE")
    if plan.format_name is not None:
        require(session, Securable.in_schema("FILE FORMAT", plan.format_name), "USAGE")
    for privilege in privileges:
        require(session, Securable.in_schema("TABLE", plan.table), privilege)


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
