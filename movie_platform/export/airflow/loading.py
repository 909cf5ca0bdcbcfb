"""What the template of movie_load is given: a task a step, a gate behind it, and who waits for whom."""

from typing import Any

from movie_platform.contracts.marts import MART_VIEWS
from movie_platform.export.airflow import coverage
from movie_platform.export.airflow.export_error import UnsupportedDefinitionError
from movie_platform.export.airflow.plan import LOAD_DAG, GateTask, Layer, Plan, StepTask

_SQL_LAYERS = (Layer.CORE, Layer.MARTS)


def load_context(plan: Plan) -> dict[str, Any]:
    """Names and lists for the template. Raises UnsupportedDefinitionError."""
    loads = [_load(plan, task) for task in plan.tasks_of(Layer.LOAD)]
    sql_tasks = sorted(
        plan.tasks_of(*_SQL_LAYERS), key=lambda task: (task.layer is not Layer.CORE, task.task_id)
    )
    sql_gates = plan.gates_of(*_SQL_LAYERS)
    if len(plan.tasks_of(Layer.CORE)) > 1:
        raise UnsupportedDefinitionError(
            "CORE is made by several steps", "One task graph keeps CORE: make it one multi-asset."
        )
    own = sorted(key for key, dag_id in plan.dag_of_asset.items() if dag_id == LOAD_DAG)
    return {
        "loads": loads,
        "loaded_tables": [item["table"] for item in loads],
        "load_assets": [*plan.external_inlets(LOAD_DAG), *own],
        "core": any(task.layer is Layer.CORE for task in sql_tasks),
        "sql_flow": _flow(plan, sql_tasks, sql_gates),
        "rules": coverage.rules_of([check for gate in sql_gates for check in gate.checks]),
    }


def table_name(key: str) -> str:
    """SCHEMA.TABLE of an address snowflake/schema/table."""
    _, schema, name = key.split("/")
    return f"{schema}.{name}".upper()


def _columns_of(name: str) -> list[str]:
    """Columns of a view as its contract has them."""
    for mart in MART_VIEWS:
        if f"{mart.snowflake_schema}.{mart.name.upper()}" == name:
            return list(mart.column_names)
    raise UnsupportedDefinitionError(
        f"{name} is a mart without a contract", "Describe it in movie_platform/contracts/marts.py."
    )


def variable(task_id: str) -> str:
    """The name that holds a task inside the group."""
    return f"{task_id}_task"


def _load(plan: Plan, task: StepTask) -> dict[str, Any]:
    if len(task.step.assets) != 1:
        raise UnsupportedDefinitionError(
            f"step {task.task_id} loads several tables", "Snowpipe has a pipe a table: make a step of each."
        )
    [asset] = task.step.assets
    gate = next((gate for gate in plan.gates_of(Layer.LOAD) if task.task_id in gate.steps), None)
    if gate is not None:
        coverage.require_covered(gate.checks, (coverage.LOADED_ROWS,))
        if gate.steps != (task.task_id,):
            raise UnsupportedDefinitionError(
                f"{gate.task_id} checks several loaded tables at once", "Make it one check a table."
            )
    return {
        "task": task,
        "gate": gate,
        "asset": asset,
        "table": table_name(asset),
        "check": coverage.LOADED_ROWS,
        "variable": variable(task.task_id),
        "gate_variable": None if gate is None else variable(gate.task_id),
    }


def _flow(plan: Plan, tasks: list[StepTask], gates: tuple[GateTask, ...]) -> list[dict[str, Any]]:
    """Steps and gates of CORE and MARTS, each after what it waits for, so that its variables exist."""
    items: dict[str, dict[str, Any]] = {}
    for task in tasks:
        tables = [table_name(key) for key in task.step.assets]
        items[task.task_id] = {
            "kind": "core" if task.layer is Layer.CORE else "marts",
            "task": task,
            "views": {name: _columns_of(name) for name in tables} if task.layer is Layer.MARTS else {},
            "table_of_outlet": {key: table_name(key) for key in task.outlets},
            "after": plan.waits_for(task),
        }
    for gate in gates:
        items[gate.task_id] = {"kind": "gate", "gate": gate, "after": gate.steps}
    done: list[dict[str, Any]] = []
    placed: set[str] = set()
    while len(done) < len(items):
        ready = [
            name
            for name in items
            if name not in placed
            and all(before in placed or before not in items for before in items[name]["after"])
        ]
        for name in ready:
            item = items[name]
            done.append(
                {
                    **item,
                    "task_id": name,
                    "variable": variable(name),
                    "upstream": [variable(before) for before in item["after"]],
                }
            )
        placed.update(ready)
    return done
