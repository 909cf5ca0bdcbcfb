"""CREATE, ALTER, DROP, SHOW and DESCRIBE PIPE.

Sources: Snowflake documentation, "CREATE PIPE", "ALTER PIPE", "SHOW PIPES", "DESCRIBE PIPE", "DROP PIPE".
"""

from datetime import UTC, datetime, timedelta

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    compilation_error,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.copy_plan import (
    ABORT_STATEMENT,
    CopyStatement,
    parse_copy,
    plan_copy,
)
from movie_platform.local_cloud.snowflake.state.pipe_store import Pipe
from movie_platform.local_cloud.snowflake.state.privileges import OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.state.stage_lookup import files_at
from movie_platform.local_cloud.snowflake.state.storage_access import READING
from movie_platform.local_cloud.snowflake.statements.authorizing import (
    require,
    require_ownership,
    require_to_create_in_schema,
    sees,
)
from movie_platform.local_cloud.snowflake.statements.copy_into import require_to_load
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    created,
    described_name,
    dropped,
    read_alter,
    read_create,
    read_drop,
    read_show,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_PROPERTIES = frozenset({"AUTO_INGEST", "COMMENT"})
_REFRESH_WINDOW = timedelta(days=7)
_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("name", "text"), ("database_name", "text"), ("schema_name", "text"),
    ("definition", "text"), ("owner", "text"), ("notification_channel", "text"), ("comment", "text"),
    ("integration", "text"), ("pattern", "text"), ("error_integration", "text"), ("owner_role_type", "text"),
    ("invalid_reason", "text"),
)  # fmt: skip


def create_pipe(session: Session, statement: Statement) -> result_set.Result:
    """CREATE PIPE … AS COPY INTO …; with AUTO_INGEST the account's queue becomes its notification channel."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, "PIPE")
    name = session.resolve(stream.name())
    properties = stream.properties(_PROPERTIES, stop=frozenset({"AS"}))
    stream.expect("AS")
    definition = stream.rest()
    copy = parse_copy(TokenStream(definition))
    check_pipe_copy(copy)
    auto_ingest = properties.get("AUTO_INGEST", False)
    if not isinstance(auto_ingest, bool):
        raise invalid_value(str(auto_ingest), "AUTO_INGEST")
    engine, pipes = session.account.engine, session.account.pipes
    engine.require_schema(name.database, name.schema)
    require_to_create_in_schema(session, "PIPE", name)
    if pipes.find(name) is not None:
        answer = creation.of_existing(name.name)
        if answer is not None:
            return answer
        require_ownership(session, "PIPE", name)
    plan = plan_copy(engine, copy, name.database, name.schema)
    require_to_load(session, plan, "SELECT", "INSERT")
    if plan.table.database != name.database:
        raise unsupported("a pipe into a table of another database")
    if auto_ingest:
        session.account.storage.require(plan.location, READING)
    session.outside_transaction()
    pipes.create(
        name,
        definition,
        auto_ingest=auto_ingest,
        channel=session.account.pipe_queue.channel() if auto_ingest else None,
        comment=str(properties.get("COMMENT", "")),
        owner=session.role,
    )
    session.account.pipe_requests.changed()
    session.account.access.created("PIPE", str(name), session.role)
    return created(creation.kind, shown(name.name))


def check_pipe_copy(copy: CopyStatement) -> None:
    """Refuses the copy options that a pipe cannot have."""
    if copy.files is not None or copy.force or copy.on_error == ABORT_STATEMENT:
        raise compilation_error(
            2194,
            "0A000",
            "Pipes do not take the copy options FILES, FORCE = TRUE and ON_ERROR = ABORT_STATEMENT.",
        )


def alter_pipe(session: Session, statement: Statement) -> result_set.Result:
    """ALTER PIPE … REFRESH and SET PIPE_EXECUTION_PAUSED / COMMENT."""
    stream = TokenStream(statement.sql)
    alter = read_alter(stream, "PIPE")
    name = session.resolve(stream.name())
    pipes = session.account.pipes
    if alter.if_exists and pipes.find(name) is None:
        return result_set.done()
    pipe = pipes.require(name)
    if stream.accept("REFRESH"):
        require(session, Securable.in_schema("PIPE", name), "OPERATE")
        options = stream.properties(frozenset({"PREFIX", "MODIFIED_AFTER"}))
        stream.end()
        session.outside_transaction()
        after = options.get("MODIFIED_AFTER")
        files = _refresh(
            session,
            pipe,
            str(options.get("PREFIX", "")),
            None if after is None else _moment(str(after)),
        )
        return result_set.rows_result(
            [("File", "text"), ("Status", "text")], [(file, "SENT") for file in files]
        )
    if stream.accept("UNSET"):
        unset = stream.word()
        stream.end()
        if unset not in {"PIPE_EXECUTION_PAUSED", "COMMENT"}:
            raise unsupported(f"ALTER PIPE … UNSET {unset}")
        options = {"PIPE_EXECUTION_PAUSED": False} if unset == "PIPE_EXECUTION_PAUSED" else {"COMMENT": ""}
    else:
        stream.expect("SET")
        options = stream.properties(frozenset({"PIPE_EXECUTION_PAUSED", "COMMENT"}))
        if not options:
            raise stream.unexpected()
        stream.end()
    paused = options.get("PIPE_EXECUTION_PAUSED")
    if paused is not None and not isinstance(paused, bool):
        raise invalid_value(str(paused), "PIPE_EXECUTION_PAUSED")
    comment = options.get("COMMENT")
    require(session, Securable.in_schema("PIPE", name), "OPERATE" if comment is None else OWNERSHIP)
    session.outside_transaction()
    pipes.set(pipe, paused=paused, comment=None if comment is None else str(comment))
    session.account.pipe_requests.changed()
    return result_set.done()


def _refresh(session: Session, pipe: Pipe, prefix: str, modified_after: datetime | None) -> list[str]:
    """Makes the staged files that the pipe has not loaded wait; gives their names, relative to the stage.

    Only files of the last seven days, or modified after a time within them, as on Snowflake.
    """
    account = session.account
    plan = pipe.plan(account.engine)
    account.storage.require(plan.location, READING)
    oldest = datetime.now(UTC) - _REFRESH_WINDOW
    if modified_after is not None:
        if modified_after < oldest:
            raise SnowflakeError(
                1008,
                "22023",
                "MODIFIED_AFTER must be within the last 7 days; load older files with COPY INTO.",
            )
        oldest = modified_after
    wanted = plan.location.prefix + prefix
    files = [
        (file.key, file.etag, file.size)
        for file in files_at(account.lake, plan.location, plan.statement.pattern)
        if file.key.startswith(wanted) and file.last_modified >= oldest
    ]
    added = account.pipes.enqueue(pipe, files, datetime.now(UTC)) if files else []
    if added:
        account.pipe_requests.files_wait.set()
    return [plan.location.relative(key) for key in added]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_value(text, "MODIFIED_AFTER") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def drop_pipe(session: Session, statement: Statement) -> result_set.Result:
    """DROP PIPE; what it loaded stays in the table and in the history."""
    stream = TokenStream(statement.sql)
    drop = read_drop(stream, "PIPE")
    name = session.resolve(stream.name())
    stream.end()
    pipes = session.account.pipes
    if pipes.find(name) is None:
        return drop.drop_missing(str(name), shown(name.name))
    require_ownership(session, "PIPE", name)
    session.outside_transaction()
    pipes.drop(name)
    session.account.pipe_requests.changed()
    session.account.access.dropped("PIPE", str(name))
    return dropped(shown(name.name))


def show_pipes(session: Session, statement: Statement) -> result_set.Result:
    """SHOW PIPES [LIKE '…'] [IN ACCOUNT | [DATABASE] name | SCHEMA name]."""
    scope = read_show(session, statement.sql, "PIPES")
    found = [pipe for pipe in session.account.pipes.pipes(scope.database) if scope.has(pipe.name)]
    found = [pipe for pipe in found if sees(session, Securable.in_schema("PIPE", pipe.name))]
    return _described(session, found)


def describe_pipe(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE PIPE: the row that SHOW PIPES has."""
    name = described_name(session, statement.sql, "PIPE")
    pipe = session.account.pipes.require(name)
    require(session, Securable.in_schema("PIPE", name), "MONITOR", "OPERATE")
    return _described(session, [pipe], result_set.DESCRIBE)


def _described(session: Session, pipes: list[Pipe], kind: int = result_set.SHOW) -> result_set.Result:
    if any(pipe.channel is not None for pipe in pipes):
        # Whoever asks is about to send notifications there: S3 refuses a queue that is lost and not yet made again.
        session.account.pipe_queue.channel()
    return result_set.rows_result(_COLUMNS, [_row(pipe) for pipe in pipes], kind)


def _row(pipe: Pipe) -> tuple[object, ...]:
    copy = parse_copy(TokenStream(pipe.definition))
    return (
        pipe.created_on, pipe.name.name, pipe.name.database, pipe.name.schema, pipe.definition, pipe.owner,
        pipe.channel, pipe.comment, None, copy.pattern, None, "ROLE", None,
    )  # fmt: skip
