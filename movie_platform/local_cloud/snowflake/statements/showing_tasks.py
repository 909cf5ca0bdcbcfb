"""SHOW and DESCRIBE TASK.

Source: Snowflake documentation, "SHOW TASKS" (docs.snowflake.com/en/sql-reference/sql/show-tasks).
"""

import json

from movie_platform.local_cloud.snowflake.errors import does_not_exist
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.task_store import Task
from movie_platform.local_cloud.snowflake.statements.authorizing import require, sees
from movie_platform.local_cloud.snowflake.statements.named_objects import described_name, read_show
from movie_platform.local_cloud.snowflake.text import result_set

_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("name", "text"), ("id", "text"), ("database_name", "text"),
    ("schema_name", "text"), ("owner", "text"), ("comment", "text"), ("warehouse", "text"), ("schedule", "text"),
    ("predecessors", "text"), ("state", "text"), ("definition", "text"), ("condition", "text"),
    ("allow_overlapping_execution", "text"), ("error_integration", "text"), ("last_committed_on", "timestamp_ltz"),
    ("last_suspended_on", "timestamp_ltz"), ("owner_role_type", "text"), ("last_suspended_reason", "text"),
)  # fmt: skip


def show_tasks(session: Session, statement: Statement) -> result_set.Result:
    """SHOW TASKS [LIKE '…'] [IN ACCOUNT | [DATABASE] name | SCHEMA name]."""
    scope = read_show(session, statement.sql, "TASKS")
    found = [task for task in session.account.tasks.tasks(scope.database) if scope.has(task.name)]
    found = [task for task in found if sees(session, Securable.in_schema("TASK", task.name))]
    return result_set.rows_result(_COLUMNS, [_row(task) for task in found])


def describe_task(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE TASK: the row that SHOW TASKS has."""
    name = described_name(session, statement.sql, "TASK")
    task = session.account.tasks.find(name)
    if task is None:
        raise does_not_exist("Task", str(name))
    require(session, Securable.in_schema("TASK", name), "MONITOR", "OPERATE")
    return result_set.rows_result(_COLUMNS, [_row(task)], result_set.DESCRIBE)


def _row(task: Task) -> tuple[object, ...]:
    return (
        task.created_on, task.name.name, task.task_id, task.name.database, task.name.schema, task.owner, task.comment,
        task.warehouse, task.schedule, json.dumps([str(name) for name in task.predecessors]), task.state,
        task.definition, task.condition, "false", None,
        task.changed_on if task.started else None, None if task.started else task.changed_on, "ROLE",
        task.suspended_reason,
    )  # fmt: skip
