"""The order of a task graph and who runs. Pure.

Source: Snowflake documentation, "Create a sequence of tasks with a task graph"
(docs.snowflake.com/en/user-guide/tasks-graphs).
"""

from collections.abc import Mapping, Sequence

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.text.names import FullName

Predecessors = Mapping[FullName, Sequence[FullName]]


def roots_of(name: FullName, predecessors: Predecessors) -> set[FullName]:
    """The root tasks that a task comes after, itself where it comes after none."""
    found: set[FullName] = set()
    waiting, seen = [name], set[FullName]()
    while waiting:
        task = waiting.pop()
        if task in seen:
            continue
        seen.add(task)
        before = predecessors.get(task, ())
        if before:
            waiting.extend(before)
        else:
            found.add(task)
    return found


def check_graph(predecessors: Predecessors) -> None:
    """Raises SnowflakeError where tasks come after each other in a circle, or a task has several roots."""
    done: set[FullName] = set()

    def visit(task: FullName, path: tuple[FullName, ...]) -> None:
        if task in path:
            raise SnowflakeError(
                91089, "55000", f"Graph has a cycle: {' -> '.join(str(name) for name in (*path, task))}."
            )
        if task not in done:
            for before in predecessors.get(task, ()):
                visit(before, (*path, task))
            done.add(task)

    for task in predecessors:
        visit(task, ())
        if len(roots_of(task, predecessors)) > 1:
            raise SnowflakeError(91089, "55000", f"Task {task} would be in more than one graph.")


def run_order(root: FullName, predecessors: Predecessors) -> list[FullName]:
    """The tasks of a root's graph, each after all that it comes after; by name where that leaves a choice."""
    members = {task for task in predecessors if root in roots_of(task, predecessors)}
    order: list[FullName] = []
    while len(order) < len(members):
        ready = [
            task
            for task in members
            if task not in order
            and all(before in order or before not in members for before in predecessors[task])
        ]
        order.extend(sorted(ready, key=str))
    return order


def may_run(before: Sequence[FullName], started: set[FullName], succeeded: set[FullName]) -> bool:
    """Whether a child runs: all that it comes after and that are not suspended succeeded, and there is one."""
    active = [task for task in before if task in started]
    return bool(active) and all(task in succeeded for task in active)
