"""SHOW and DESCRIBE TASK.

Source: Snowflake documentation, "SHOW TASKS" (docs.snowflake.com/en/sql-reference/sql/show-tasks).
"""

import json

from movie_platform.local_cloud.snowflake.errors import does_not_exist
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.task_store import Task
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import matches_like
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("name", "text"), ("id", "text"), ("database_name", "text"),
    ("schema_name", "text"), ("owner", "text"), ("comment", "text"), ("warehouse", "text"), ("schedule", "text"),
    ("predecessors", "text"), ("state", "text"), ("definition", "text"), ("condition", "text"),
    ("allow_overlapping_execution", "text"), ("error_integration", "text"), ("last_committed_on", "timestamp_ltz"),
    ("last_suspended_on", "timestamp_ltz"), ("owner_role_type", "text"),
)  # fmt: skip


def show_tasks(session: Session, statement: Statement) -> result_set.Result:
    """SHOW TASKS [LIKE '…'] [IN ACCOUNT | [DATABASE] name | SCHEMA name]."""
    stream = TokenStream(statement.sql)
    stream.expect("SHOW", "TASKS")
    pattern = stream.string() if stream.accept("LIKE") else None
    database, schema = session.database, session.schema
    if stream.accept("IN"):
        if stream.accept("ACCOUNT"):
            database = schema = None
        elif stream.accept("DATABASE"):
            database, schema = (session.database if stream.at_end else stream.identifier()), None
        else:
            stream.accept("SCHEMA")
            name = stream.name()
            database, schema = name.schema or session.database, name.name
    stream.end()
    if database is not None and database not in session.account.engine.databases():
        raise does_not_exist("Database", database)
    found = [
        task
        for task in session.account.tasks.tasks(database)
        if (schema is None or task.name.schema == schema)
        and (pattern is None or matches_like(pattern, task.name.name))
    ]
    return result_set.rows_result(_COLUMNS, [_row(task) for task in found])


def describe_task(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE TASK: the row that SHOW TASKS has."""
    stream = TokenStream(statement.sql)
    stream.take()
    stream.expect("TASK")
    name = session.resolve(stream.name())
    stream.end()
    task = session.account.tasks.find(name)
    if task is None:
        raise does_not_exist("Task", str(name))
    return result_set.rows_result(_COLUMNS, [_row(task)], result_set.DESCRIBE)


def _row(task: Task) -> tuple[object, ...]:
    return (
        task.created_on, task.name.name, task.task_id, task.name.database, task.name.schema, task.owner, task.comment,
        task.warehouse, task.schedule, json.dumps([str(name) for name in task.predecessors]), task.state,
        task.definition, task.condition, "false", None,
        task.changed_on if task.started else None, None if task.started else task.changed_on, "ROLE",
    )  # fmt: skip
