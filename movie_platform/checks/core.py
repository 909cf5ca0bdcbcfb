"""Checks of CORE, blocking: with any of them broken a mart would be wrong."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform.assets import keys
from movie_platform.assets.batches import loaded_version
from movie_platform.assets.failures import explained
from movie_platform.checks.core_rules import CoreRule, core_rules
from movie_platform.checks.results import SAMPLE_ROWS, Finding, check_result
from movie_platform.resources.landing import Landing
from movie_platform.resources.snowflake import WarehouseResource, query_rows
from movie_platform.resources.task_graph import TaskGraph
from movie_platform.resources.transform import TransformJob
from movie_platform.resources.unpack import UnpackFunction

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def build_core_checks(default_source: str) -> list[dg.AssetChecksDefinition]:
    """All rules of CORE; one step, one session."""
    rules = core_rules()

    @dg.multi_asset_check(
        name="core_checks",
        specs=[
            dg.AssetCheckSpec(
                rule.name, asset=keys.warehouse_key(rule.table), description=rule.claim, blocking=True
            )
            for rule in rules
        ],
    )
    def core_checks(
        context: dg.AssetCheckExecutionContext,
        landing: Landing,
        unpacker: UnpackFunction,
        transformer: TransformJob,
        task_graph: TaskGraph,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.AssetCheckResult]:
        with explained():
            version = loaded_version(context, landing, unpacker, transformer, default_source)
            values = {"source": version.source, "dt": version.dt}
            tag = f"movie_platform check {context.run.run_id}"
            with warehouse.connect(query_tag=tag, role=task_graph.role) as connection:
                findings = [(rule, examine(connection, rule, values)) for rule in rules]
        for rule, finding in findings:
            yield check_result(keys.warehouse_key(rule.table), rule.name, finding)

    return [core_checks]


def examine(connection: "SnowflakeConnection", rule: CoreRule, values: dict[str, Any]) -> Finding:
    """What a rule finds for a source and day: how many rows it looked at, and which break it."""
    [checked] = query_rows(connection, rule.checked, values)
    [rows_checked] = checked.values()
    faults = list(
        query_rows(
            connection,
            f"SELECT offenders.*, COUNT(*) OVER () AS offender_total FROM ({rule.offenders}) AS offenders"  # noqa: S608 - constants
            f" LIMIT {SAMPLE_ROWS}",
            values,
        )
    )
    total = int(faults[0]["offender_total"]) if faults else 0
    return Finding(
        passed=total == 0,
        summary=f"{int(rows_checked)} looked at, {total} break the rule: {rule.claim}",
        counts={"checked": int(rows_checked), "offenders": total},
        offenders=[
            {name: _shown(value) for name, value in fault.items() if name != "offender_total"}
            for fault in faults
        ],
        next_step=rule.next_step,
    )


def _shown(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
