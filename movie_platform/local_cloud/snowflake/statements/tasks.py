"""CREATE, ALTER, DROP and EXECUTE TASK.

Sources: Snowflake documentation, "CREATE TASK", "ALTER TASK", "EXECUTE TASK", "DROP TASK"
(docs.snowflake.com/en/sql-reference/sql/create-task and its neighbours).
"""

from dataclasses import replace
from datetime import UTC, datetime

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    does_not_exist,
    invalid_value,
    syntax_error,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.task_rights import cannot_execute, may_execute
from movie_platform.local_cloud.snowflake.state.task_store import STARTED, SUSPENDED, Task, new_task_id
from movie_platform.local_cloud.snowflake.statements.authorizing import (
    require,
    require_ownership,
    require_to_create_in_schema,
)
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    created,
    dropped,
    read_alter,
    read_create,
    read_drop,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, shown
from movie_platform.local_cloud.snowflake.text.task_body import split_body
from movie_platform.local_cloud.snowflake.text.task_graph import check_graph, roots_of
from movie_platform.local_cloud.snowflake.text.task_schedule import parse_schedule
from movie_platform.local_cloud.snowflake.text.tokens import Kind, TokenStream, Value

_PROPERTIES = frozenset(
    {
        "WAREHOUSE", "SCHEDULE", "COMMENT", "SUSPEND_TASK_AFTER_NUM_FAILURES", "USER_TASK_TIMEOUT_MS",
        "ALLOW_OVERLAPPING_EXECUTION",
    }
)  # fmt: skip
SUSPEND_AFTER = 10
TIMEOUT_MS = 3_600_000
_LONGEST_TIMEOUT_MS = 604_800_000


def create_task(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR ALTER] TASK; a new task is suspended."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, "TASK")
    name = session.resolve(stream.name())
    properties: dict[str, Value] = {}
    predecessors: tuple[FullName, ...] = ()
    condition: str | None = None
    while not stream.accept("AS"):
        if stream.accept("AFTER"):
            predecessors = _names(session, stream)
        elif stream.accept("WHEN"):
            condition = _until_as(stream)
        else:
            found = stream.properties(_PROPERTIES, stop=frozenset({"AFTER", "WHEN", "AS"}))
            if not found or found.keys() & properties.keys():
                raise stream.unexpected()
            properties |= found
    definition = stream.rest()
    _check_body(session, definition)
    existing = session.account.tasks.find(name)
    session.account.engine.require_schema(name.database, name.schema)
    require_to_create_in_schema(session, "TASK", name)
    if existing is not None:
        answer = creation.of_existing(name.name)
        if answer is not None:
            return answer
        require_ownership(session, "TASK", name)
    now = datetime.now(UTC)
    # What is altered stays what it is, and as it was: CREATE OR ALTER neither resumes nor suspends.
    kept = existing if creation.alter else None
    task = Task(
        name=name,
        task_id=kept.task_id if kept else new_task_id(),
        created_on=kept.created_on if kept else now,
        warehouse=None,
        schedule=None,
        predecessors=predecessors,
        condition=condition,
        definition=definition,
        state=kept.state if kept else SUSPENDED,
        changed_on=kept.changed_on if kept else now,
        comment="",
        owner=kept.owner if kept else session.role,
        suspend_after=SUSPEND_AFTER,
        timeout_ms=TIMEOUT_MS,
        suspended_reason=kept.suspended_reason if kept else None,
    )
    _save(session, _with_properties(session, task, properties))
    if kept:
        return result_set.done()
    session.account.access.created("TASK", str(name), session.role)
    return created(creation.kind, shown(name.name))


def _names(session: Session, stream: TokenStream) -> tuple[FullName, ...]:
    names = [session.resolve(stream.name())]
    while stream.accept_symbol(","):
        names.append(session.resolve(stream.name()))
    return tuple(names)


def _until_as(stream: TokenStream) -> str:
    start = stream.token.start
    end = start
    while not stream.at("AS"):
        if stream.token.kind is Kind.END:
            raise stream.unexpected()
        end = stream.take().end
    if end == start:
        raise stream.unexpected()
    return stream.sql[start:end]


def _check_body(session: Session, definition: str) -> None:
    for statement in split_body(definition):
        session.router.check(statement)


def _with_properties(session: Session, task: Task, properties: dict[str, Value]) -> Task:
    if properties.get("ALLOW_OVERLAPPING_EXECUTION", False) is not False:
        raise unsupported("ALLOW_OVERLAPPING_EXECUTION = TRUE")
    if (schedule := properties.get("SCHEDULE")) is not None:
        parse_schedule(str(schedule))
        task = replace(task, schedule=str(schedule))
    if (warehouse := properties.get("WAREHOUSE")) is not None:
        if session.account.access.find("WAREHOUSE", str(warehouse).upper()) is None:
            raise does_not_exist("Warehouse", str(warehouse).upper())
        require(session, Securable("WAREHOUSE", str(warehouse).upper()), "USAGE")
        task = replace(task, warehouse=str(warehouse).upper())
    if "COMMENT" in properties:
        task = replace(task, comment=str(properties["COMMENT"]))
    if "SUSPEND_TASK_AFTER_NUM_FAILURES" in properties:
        task = replace(task, suspend_after=_count(properties, "SUSPEND_TASK_AFTER_NUM_FAILURES", 0, 10_000))
    if "USER_TASK_TIMEOUT_MS" in properties:
        task = replace(task, timeout_ms=_count(properties, "USER_TASK_TIMEOUT_MS", 1, _LONGEST_TIMEOUT_MS))
    return task


def _count(properties: dict[str, Value], name: str, least: int, most: int) -> int:
    value = properties[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise invalid_value(str(value), name)
    return value


def _save(session: Session, task: Task) -> None:
    """Checks what holds of every task and its graph, and writes it."""
    if task.predecessors and task.schedule is not None:
        raise SnowflakeError(91094, "55000", "A task that comes AFTER others cannot have a SCHEDULE.")
    store = session.account.tasks
    tasks = {found.name: found for found in store.tasks(task.name.database)}
    for before in task.predecessors:
        if before not in tasks:
            raise does_not_exist("Task", str(before))
        if (before.database, before.schema) != (task.name.database, task.name.schema):
            raise unsupported("a task graph over several schemas")
        if tasks[before].owner != task.owner:
            raise SnowflakeError(91092, "55000", "All tasks of a graph must have the same owner.")
    tasks[task.name] = task
    predecessors = {name: found.predecessors for name, found in tasks.items()}
    check_graph(predecessors)
    _require_suspended_roots(task.name, tasks)
    session.outside_transaction()
    store.save(task)


def _require_suspended_roots(name: FullName, tasks: dict[FullName, Task]) -> None:
    for root in roots_of(name, {task: found.predecessors for task, found in tasks.items()}):
        if root in tasks and tasks[root].started:
            raise SnowflakeError(
                91421,
                "22000",
                f"Unable to update graph with root task {root} since that root task is not suspended.",
            )


def alter_task(session: Session, statement: Statement) -> result_set.Result:
    """ALTER TASK … RESUME, SUSPEND, SET, UNSET, ADD AFTER, REMOVE AFTER, MODIFY AS, MODIFY WHEN, REMOVE WHEN."""
    stream = TokenStream(statement.sql)
    alter = read_alter(stream, "TASK")
    name = session.resolve(stream.name())
    task = session.account.tasks.find(name)
    if task is None:
        return alter.alter_missing(str(name))
    if stream.accept("RESUME"):
        stream.end()
        require(session, Securable.in_schema("TASK", name), "OPERATE")
        require_owner_may_execute(session, task)
        return _set_state(session, task, STARTED)
    if stream.accept("SUSPEND"):
        stream.end()
        require(session, Securable.in_schema("TASK", name), "OPERATE")
        return _set_state(session, task, SUSPENDED)
    require_ownership(session, "TASK", name)
    _save(session, _altered(session, task, stream))
    return result_set.done()


def _altered(session: Session, task: Task, stream: TokenStream) -> Task:
    if stream.accept("SET"):
        properties = stream.properties(_PROPERTIES)
        stream.end()
        if not properties:
            raise syntax_error("ALTER TASK … SET names no property.")
        return _with_properties(session, task, properties)
    if stream.accept("UNSET"):
        word = stream.word()
        stream.end()
        if word == "COMMENT":
            return replace(task, comment="")
        if word == "SCHEDULE":
            return replace(task, schedule=None)
        if word == "WAREHOUSE":
            return replace(task, warehouse=None)
        raise unsupported(f"ALTER TASK … UNSET {word}")
    if stream.accept("ADD", "AFTER"):
        names = _names(session, stream)
        stream.end()
        return replace(task, predecessors=tuple(dict.fromkeys((*task.predecessors, *names))))
    if stream.accept("REMOVE", "AFTER"):
        gone = _names(session, stream)
        stream.end()
        return replace(task, predecessors=tuple(name for name in task.predecessors if name not in gone))
    if stream.accept("REMOVE", "WHEN"):
        stream.end()
        return replace(task, condition=None)
    if stream.accept("MODIFY", "WHEN"):
        return replace(task, condition=stream.rest())
    stream.expect("MODIFY", "AS")
    definition = stream.rest()
    _check_body(session, definition)
    return replace(task, definition=definition)


def _set_state(session: Session, task: Task, state: str) -> result_set.Result:
    store = session.account.tasks
    if state == STARTED and not task.predecessors and task.schedule is None and not _is_triggered(task):
        raise SnowflakeError(
            91088,
            "55000",
            f"Task {task.name} has no SCHEDULE, comes AFTER no other and has no WHEN with SYSTEM$STREAM_HAS_DATA.",
        )
    tasks = {found.name: found for found in store.tasks(task.name.database)}
    if task.predecessors:
        _require_suspended_roots(task.name, tasks)
    session.outside_transaction()
    store.set_state(task, state)
    return result_set.done()


def require_owner_may_execute(session: Session, task: Task) -> None:
    """Raises SnowflakeError unless the task's owner may execute tasks: "Introduction to tasks", "Task security"."""
    if not may_execute(session.account, task):
        raise cannot_execute(task)


def _is_triggered(task: Task) -> bool:
    """Whether a task without a schedule runs when a stream has data: Snowflake's "triggered tasks"."""
    return "SYSTEM$STREAM_HAS_DATA" in (task.condition or "").upper()


def drop_task(session: Session, statement: Statement) -> result_set.Result:
    """DROP TASK; tasks that came after it come after the others, or become roots."""
    stream = TokenStream(statement.sql)
    drop = read_drop(stream, "TASK")
    name = session.resolve(stream.name())
    stream.end()
    store = session.account.tasks
    if store.find(name) is None:
        return drop.drop_missing(str(name), shown(name.name))
    require_ownership(session, "TASK", name)
    tasks = {found.name: found for found in store.tasks(name.database)}
    if tasks[name].predecessors:
        _require_suspended_roots(name, tasks)
    session.outside_transaction()
    for task in tasks.values():
        if name in task.predecessors:
            store.save(
                replace(task, predecessors=tuple(before for before in task.predecessors if before != name))
            )
    store.drop(name)
    session.account.access.dropped("TASK", str(name))
    return dropped(shown(name.name))


def execute_task(session: Session, statement: Statement) -> result_set.Result:
    """EXECUTE TASK: the root's graph runs once, by itself; the statement does not wait for it."""
    stream = TokenStream(statement.sql)
    stream.expect("EXECUTE", "TASK")
    name = session.resolve(stream.name())
    if not stream.at_end:
        raise unsupported("EXECUTE TASK with RETRY LAST or USING CONFIG")
    stream.end()
    task = session.account.tasks.find(name)
    if task is None:
        raise does_not_exist("Task", str(name))
    require(session, Securable.in_schema("TASK", name), "OPERATE")
    require_owner_may_execute(session, task)
    if task.predecessors:
        raise SnowflakeError(
            91095, "55000", f"Task {name} is not a root task: EXECUTE TASK takes the root of a graph."
        )
    session.outside_transaction()
    session.account.task_requests.execute(name)
    return result_set.message(f"Task {shown(name.name)} is scheduled to run immediately.")
