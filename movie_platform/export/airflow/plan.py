"""Which task does what a step does, and which task tells of each asset: decisions about a `GraphForm`.

A step is a task of its name; the step that evaluates its checks is a gate behind it, which emits the assets' events,
so that nobody downstream hears of what a blocking check refused. The steps of the scheduled job are one command on
the worker that extracts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from movie_platform.export.airflow.export_error import UnsupportedDefinitionError
from movie_platform.export.airflow.form import Check, GraphForm, Step

EXTRACT_DAG, TRANSFORM_DAG, LOAD_DAG, WATCHDOG_DAG = (
    "movie_extract",
    "movie_transform",
    "movie_load",
    "movie_watchdog",
)
DAG_IDS = (EXTRACT_DAG, TRANSFORM_DAG, LOAD_DAG, WATCHDOG_DAG)
# The command that does all steps of the extract, and the task that tells of what it landed.
EXTRACT_TASK, LANDED_TASK = "extract_and_land", "landed"


class Layer(StrEnum):
    """How a step is done where Airflow orchestrates it."""

    EXTRACT = "extract"
    UNPACK = "unpack"
    TRANSFORM = "transform"
    LOAD = "load"
    CORE = "core"
    MARTS = "marts"


_LAYER_OF_GROUP = {
    "processed": Layer.UNPACK,
    "archive": Layer.TRANSFORM,
    "snowflake_raw": Layer.LOAD,
    "snowflake_ops": Layer.LOAD,
    "snowflake_core": Layer.CORE,
    "snowflake_marts": Layer.MARTS,
}
_DAG_OF_LAYER = {
    Layer.EXTRACT: EXTRACT_DAG,
    Layer.UNPACK: TRANSFORM_DAG,
    Layer.TRANSFORM: TRANSFORM_DAG,
    Layer.LOAD: LOAD_DAG,
    Layer.CORE: LOAD_DAG,
    Layer.MARTS: LOAD_DAG,
}


@dataclass(frozen=True, slots=True)
class StepTask:
    """The task that does a step. `outlets` are the assets that it tells of itself, because nothing checks them."""

    step: Step
    layer: Layer
    inlets: tuple[str, ...]
    outlets: tuple[str, ...]

    @property
    def task_id(self) -> str:
        """Name of the task and of the variable that holds it."""
        return self.step.name


@dataclass(frozen=True, slots=True)
class GateTask:
    """The task that evaluates checks and then tells of the assets that they are about."""

    task_id: str
    layer: Layer
    checks: tuple[Check, ...]
    steps: tuple[str, ...]
    inlets: tuple[str, ...]
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All tasks of the graph. `emitter` says which task tells of an asset."""

    form: GraphForm
    extract_steps: tuple[Step, ...]
    extract_checks: tuple[Check, ...]
    tasks: tuple[StepTask, ...]
    gates: tuple[GateTask, ...]
    emitter: Mapping[str, str]
    dag_of_asset: Mapping[str, str]

    def tasks_of(self, *layers: Layer) -> tuple[StepTask, ...]:
        """The tasks of some layers, in the order of their names."""
        return tuple(task for task in self.tasks if task.layer in layers)

    def gates_of(self, *layers: Layer) -> tuple[GateTask, ...]:
        """The gates of some layers, in the order of their names."""
        return tuple(gate for gate in self.gates if gate.layer in layers)

    def only(self, layer: Layer) -> tuple[StepTask, GateTask]:
        """The one task and the one gate of a layer that a single service call does. Raises where it is not so."""
        tasks, gates = self.tasks_of(layer), self.gates_of(layer)
        if len(tasks) != 1 or len(gates) != 1:
            raise UnsupportedDefinitionError(
                f"layer {layer} has {len(tasks)} steps and {len(gates)} steps of checks",
                "One call does this layer: make its assets one multi-asset, and its checks one multi_asset_check.",
            )
        return tasks[0], gates[0]

    def external_inlets(self, dag_id: str) -> tuple[str, ...]:
        """Assets of other DAGs that a DAG reads: what it is scheduled on."""
        read = {key for task in self.tasks if _DAG_OF_LAYER[task.layer] == dag_id for key in task.inlets}
        return tuple(sorted(key for key in read if self.dag_of_asset.get(key, dag_id) != dag_id))

    def waits_for(self, task: StepTask) -> tuple[str, ...]:
        """Tasks of its own DAG that a task comes after, sorted."""
        dag_id = _DAG_OF_LAYER[task.layer]
        return tuple(
            sorted({self.emitter[key] for key in task.inlets if self.dag_of_asset.get(key) == dag_id})
        )

    def edges(self) -> frozenset[tuple[str, str]]:
        """(upstream, downstream) of all dependencies between assets that the tasks state."""
        stated = {(dep, key) for task in self.tasks for dep in task.inlets for key in task.step.assets}
        extracted = {
            (dep, key)
            for step in self.extract_steps
            for dep in self.form.upstream(step)
            for key in step.assets
        }
        return frozenset(stated | extracted)


def plan_tasks(form: GraphForm) -> Plan:
    """The tasks of a graph. Raises UnsupportedDefinitionError where a part of it has no counterpart."""
    extract_steps = tuple(step for step in form.steps if step.name in form.schedule.steps)
    layers = {
        step.name: Layer.EXTRACT if step in extract_steps else _layer(form, step) for step in form.steps
    }
    gates = _gates(form, layers)
    emitter = {key: gate.task_id for gate in gates for key in gate.outlets}
    tasks = []
    for step in form.steps:
        if layers[step.name] is Layer.EXTRACT:
            emitter.update(dict.fromkeys(step.assets, LANDED_TASK))
            continue
        own = tuple(key for key in step.assets if key not in emitter)
        emitter.update(dict.fromkeys(own, step.name))
        tasks.append(StepTask(step, layers[step.name], form.upstream(step), own))
    return Plan(
        form=form,
        extract_steps=extract_steps,
        extract_checks=tuple(check for step in extract_steps for check in form.checks_of(step)),
        tasks=tuple(tasks),
        gates=gates,
        emitter=emitter,
        dag_of_asset={key: _DAG_OF_LAYER[layers[step.name]] for step in form.steps for key in step.assets},
    )


def _layer(form: GraphForm, step: Step) -> Layer:
    groups = sorted({form.asset(key).group for key in step.assets})
    found = {_LAYER_OF_GROUP.get(group) for group in groups}
    layer = found.pop() if len(found) == 1 else None
    if layer is None:
        raise UnsupportedDefinitionError(
            f"step {step.name} makes assets of the groups {', '.join(groups)}, for which no task is known",
            "Add the group to the export's plan, with a template of what does it in Airflow.",
        )
    return layer


def _gates(form: GraphForm, layers: Mapping[str, Layer]) -> tuple[GateTask, ...]:
    by_step: dict[str, list[Check]] = {}
    gate_of: dict[str, str] = {}
    for check in form.checks:
        maker = form.asset(check.asset).step
        if maker is None:
            raise UnsupportedDefinitionError(
                f"{check.name} checks {check.asset}, which nothing here makes", "Check an asset of a step."
            )
        if layers[maker] is Layer.EXTRACT:
            continue
        if gate_of.setdefault(check.asset, check.step) != check.step:
            raise UnsupportedDefinitionError(
                f"the checks of {check.asset} are evaluated by {gate_of[check.asset]} and by {check.step}",
                "Put them into one multi_asset_check: one gate tells of an asset.",
            )
        by_step.setdefault(check.step, []).append(check)
    return tuple(_gate(form, name, checks, layers) for name, checks in sorted(by_step.items()))


def _gate(form: GraphForm, name: str, checks: Sequence[Check], layers: Mapping[str, Layer]) -> GateTask:
    makers = sorted({str(form.asset(check.asset).step) for check in checks})
    found = {layers[maker] for maker in makers}
    if len(found) != 1:
        raise UnsupportedDefinitionError(
            f"{name} checks assets of several layers: {', '.join(sorted(found))}", "Split it by layer."
        )
    # A step's assets are told of together: those that no check is about wait for those that one is about.
    outlets = {check.asset for check in checks}
    steps = [form.step(maker) for maker in makers]
    checked = {check.asset for check in form.checks}
    outlets |= {key for step in steps for key in step.assets if key not in checked}
    inlets = {dep for step in steps for dep in form.upstream(step)}
    return GateTask(
        task_id=name,
        layer=found.pop(),
        checks=tuple(checks),
        steps=tuple(makers),
        inlets=tuple(sorted(inlets)),
        outlets=tuple(sorted(outlets)),
    )
