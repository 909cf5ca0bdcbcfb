"""The system functions on tasks.

Sources: Snowflake documentation, "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS", "SYSTEM$TASK_DEPENDENTS_ENABLE" and
"SYSTEM$TASK_RUNTIME_INFO" (docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info and its neighbours).
"""

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, does_not_exist, invalid_value
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.task_store import STARTED
from movie_platform.local_cloud.snowflake.statements.authorizing import require
from movie_platform.local_cloud.snowflake.text.task_graph import roots_of
from movie_platform.local_cloud.snowflake.text.tokens import parse_name


def cancel_executions(session: Session, argument: str) -> str:
    """SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS: ends what the task runs; does not wait for the end."""
    name = session.resolve(parse_name(argument))
    if session.account.tasks.find(name) is None:
        raise does_not_exist("Task", str(name))
    require(session, Securable.in_schema("TASK", name), "OPERATE")
    if session.account.task_requests.cancel(name):
        return f"cancelled ongoing execution of task {name}"
    return f"task {name} has no ongoing execution"


def enable_dependents(session: Session, argument: str) -> str:
    """SYSTEM$TASK_DEPENDENTS_ENABLE: resumes a root and all that come after it."""
    name = session.resolve(parse_name(argument))
    store = session.account.tasks
    root = store.find(name)
    if root is None:
        raise does_not_exist("Task", str(name))
    require(session, Securable.in_schema("TASK", name), "OPERATE")
    tasks = {found.name: found for found in store.tasks(name.database)}
    predecessors = {task: found.predecessors for task, found in tasks.items()}
    for task in tasks.values():
        if task.name != name and name in roots_of(task.name, predecessors):
            store.set_state(task, STARTED)
    store.set_state(root, STARTED)
    return "true"


def runtime_info(session: Session, argument: str) -> str | None:
    """SYSTEM$TASK_RUNTIME_INFO: what the current run of a task is; None for a last success where there is none.

    Raises SnowflakeError outside a task's run, and for what it does not tell.
    """
    if session.task_info is None:
        raise SnowflakeError(
            91097, "55000", "Function SYSTEM$TASK_RUNTIME_INFO must be called from within a run of a task."
        )
    if argument.upper() not in session.task_info:
        raise invalid_value(argument, "arg_name")
    return session.task_info[argument.upper()]
