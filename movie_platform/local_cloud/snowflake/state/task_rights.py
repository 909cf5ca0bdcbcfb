"""Whether a task may run: its owner's rights on the account.

Source: Snowflake documentation, "Introduction to tasks", "Task security"
(docs.snowflake.com/en/user-guide/tasks-intro): the role that owns a task needs EXECUTE TASK on the account, EXECUTE
MANAGED TASK for one without a warehouse.
"""

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.privileges import ACCOUNT, Verdict
from movie_platform.local_cloud.snowflake.state.task_store import Task


def needed(task: Task) -> str:
    """The privilege that the task's owner needs."""
    return "EXECUTE TASK" if task.warehouse is not None else "EXECUTE MANAGED TASK"


def may_execute(account: Account, task: Task) -> bool:
    """Whether the task's owner has it."""
    privileges = account.access.privileges
    verdict, _ = privileges.decide(privileges.with_inherited([task.owner]), ACCOUNT, [needed(task)])
    return verdict is Verdict.ALLOWED


def cannot_execute(task: Task) -> SnowflakeError:
    """Snowflake's refusal."""
    return SnowflakeError(
        91089,
        "23001",
        f"Cannot execute task {task.name.name}, {needed(task)} privilege must be granted to owner role.",
    )
