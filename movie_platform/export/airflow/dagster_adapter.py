"""Dagster's definitions as a `GraphForm`: the one module of the export that looks into Dagster.

What it relies on beyond Dagster's public interface (an assets definition's `op`, its retry policy and pool, the form
of partitions and freshness policies) is pinned by a contract test.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform.export.airflow.export_error import UnsupportedDefinitionError
from movie_platform.export.airflow.form import (
    Asset,
    Check,
    Freshness,
    GraphForm,
    Retries,
    Schedule,
    Step,
)

if TYPE_CHECKING:
    from dagster import AssetChecksDefinition, AssetsDefinition

_KIND = "dagster/kind/"
_DAY_SECONDS = 86_400
_BACKOFF = {None: "constant", dg.Backoff.LINEAR: "linear", dg.Backoff.EXPONENTIAL: "exponential"}


def read_graph(defs: dg.Definitions) -> GraphForm:
    """The form of these definitions. Raises UnsupportedDefinitionError where they say what Airflow cannot."""
    makers = [found for found in defs.assets or () if isinstance(found, dg.AssetsDefinition)]
    steps = tuple(sorted((_step(maker) for maker in makers), key=lambda step: step.name))
    step_of = {key: step.name for step in steps for key in step.assets}
    return GraphForm(
        assets=tuple(
            sorted(
                (_asset(spec, step_of) for spec in defs.resolve_all_asset_specs()),
                key=lambda asset: asset.key,
            )
        ),
        steps=steps,
        checks=tuple(
            sorted(
                (check for found in (*makers, *(defs.asset_checks or ())) for check in _checks(found)),
                key=lambda check: (check.asset, check.name),
            )
        ),
        schedule=_schedule(defs, step_of),
        not_carried=tuple(sorted(_not_carried(defs))),
    )


def _address(key: dg.AssetKey) -> str:
    return "/".join(key.path)


def _asset(spec: dg.AssetSpec, step_of: dict[str, str]) -> Asset:
    address = _address(spec.key)
    tags = spec.tags or {}
    return Asset(
        key=address,
        step=step_of.get(address),
        group=spec.group_name or "default",
        description=spec.description or "",
        deps=tuple(sorted(_address(dep.asset_key) for dep in spec.deps)),
        owners=tuple(spec.owners),
        kinds=tuple(sorted(spec.kinds)),
        tags=tuple(sorted((name, value) for name, value in tags.items() if not name.startswith(_KIND))),
        freshness=_freshness(address, spec.freshness_policy),
    )


def _freshness(address: str, policy: Any) -> Freshness | None:
    if policy is None:
        return None
    fail = getattr(policy, "fail_window", None)
    if fail is None:
        raise UnsupportedDefinitionError(
            f"{address} has a freshness policy of type {type(policy).__name__}",
            "Use FreshnessPolicy.time_window: a deadline of an Airflow run and the watchdog follow from its windows.",
        )
    warn = policy.warn_window
    return Freshness(
        int(fail.to_timedelta().total_seconds()),
        None if warn is None else int(warn.to_timedelta().total_seconds()),
    )


def _step(maker: "AssetsDefinition") -> Step:
    partitions = maker.partitions_def
    if partitions is not None and not isinstance(partitions, dg.DailyPartitionsDefinition):
        raise UnsupportedDefinitionError(
            f"step {maker.op.name} has partitions of type {type(partitions).__name__}",
            "Use daily partitions: a run of the exported extract is about the day on which it runs.",
        )
    return Step(
        name=maker.op.name,
        assets=tuple(sorted(map(_address, maker.keys))),
        retries=_retries(maker.op.retry_policy),
        pool=maker.op.pool,
        partitioned=partitions is not None,
    )


def _retries(policy: dg.RetryPolicy | None) -> Retries | None:
    if policy is None:
        return None
    return Retries(
        policy.max_retries, float(policy.delay or 0), _BACKOFF[policy.backoff], policy.jitter is not None
    )


def _checks(found: "AssetsDefinition | AssetChecksDefinition") -> Iterable[Check]:
    for spec in found.check_specs:
        yield Check(
            asset=_address(spec.asset_key),
            name=spec.name,
            step=found.op.name,
            blocking=spec.blocking,
            description=spec.description or "",
        )


def _schedule(defs: dg.Definitions, step_of: dict[str, str]) -> Schedule:
    schedules = list(defs.schedules or ())
    schedule = schedules[0] if len(schedules) == 1 else None
    if not isinstance(schedule, dg.ScheduleDefinition):
        raise UnsupportedDefinitionError(
            f"there are {len(schedules)} schedules", "The export takes one: that of the extract."
        )
    cron = schedule.cron_schedule
    if not isinstance(cron, str):
        raise UnsupportedDefinitionError(
            f"schedule {schedule.name} has several cron expressions", "Give it one."
        )
    job = defs.resolve_job_def(schedule.job_name)
    partitions = job.partitions_def
    if not isinstance(partitions, dg.DailyPartitionsDefinition):
        raise UnsupportedDefinitionError(
            f"job {job.name} of schedule {schedule.name} is not partitioned by day", "Partition its assets."
        )
    selected = {_address(key) for key in job.asset_layer.selected_asset_keys}
    return Schedule(
        name=schedule.name,
        description=schedule.description or "",
        cron=cron,
        timezone=schedule.execution_timezone or "UTC",
        steps=tuple(sorted({step_of[key] for key in selected if key in step_of})),
        first_day=partitions.start.date().isoformat(),
        period_seconds=_DAY_SECONDS,
    )


def _not_carried(defs: dg.Definitions) -> Iterable[str]:
    if any(spec.automation_condition is not None for spec in defs.resolve_all_asset_specs()):
        yield (
            "automation conditions: a run of Airflow carries a day to its end; what ended half way is cleared and"
            " run again"
        )
    if any(spec.metadata.get("dagster/column_lineage") for spec in defs.resolve_all_asset_specs()):
        yield "column schemas and column lineage: Airflow knows assets, not their columns"
    for sensor in defs.sensors or ():
        if isinstance(sensor, dg.AutomationConditionSensorDefinition):
            continue
        yield (
            f"sensor {sensor.name}: {_SENSORS[sensor.name]}" if sensor.name in _SENSORS else _unknown(sensor)
        )


_SENSORS = {
    "bundle_arrival_sensor": (
        "an AssetWatcher on the same queue emits the landing asset; it takes messages off the queue before they are"
        " worked on, and attempts are Airflow's retries instead of counted runs"
    ),
    "run_failure_alerts": "failure callbacks of tasks and DAGs send the same message",
    "freshness_alerts": "deadlines of runs and the watchdog send the same message",
}


def _unknown(sensor: Any) -> str:
    raise UnsupportedDefinitionError(
        f"sensor {sensor.name} has no counterpart among the exported DAGs",
        "Say in the export's adapter what carries it, or that nothing does.",
    )
