"""Checks of CORE, blocking: with any of them broken a mart would be wrong."""

from collections.abc import Iterator

import dagster as dg

from movie_platform.assets.batches import loaded_version
from movie_platform.assets.failures import as_step_failure
from movie_platform.checks.core_rules import core_rules
from movie_platform.checks.results import check_result
from movie_platform.checks.sql_rules import examine
from movie_platform.graph import asset_keys
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.snowflake import WarehouseResource
from movie_platform.resources.task_graph import TaskGraph
from movie_platform.resources.transform import TransformJob
from movie_platform.resources.unpack import UnpackFunction


def build_core_checks(default_source: str) -> list[dg.AssetChecksDefinition]:
    """All rules of CORE; one step, one session."""
    rules = core_rules()

    @dg.multi_asset_check(
        name="core_checks",
        specs=[
            dg.AssetCheckSpec(
                rule.name, asset=asset_keys.warehouse_key(rule.table), description=rule.claim, blocking=True
            )
            for rule in rules
        ],
    )
    def core_checks(
        context: dg.AssetCheckExecutionContext,
        landing: LandingZone,
        unpacker: UnpackFunction,
        transformer: TransformJob,
        task_graph: TaskGraph,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.AssetCheckResult]:
        with as_step_failure():
            version = loaded_version(context, landing, unpacker, transformer, default_source)
            values = {"source": version.source, "dt": version.dt}
            tag = f"movie_platform check {context.run.run_id}"
            with warehouse.connect(query_tag=tag, role=task_graph.role) as connection:
                findings = [(rule, examine(connection, rule, values)) for rule in rules]
        for rule, finding in findings:
            yield check_result(asset_keys.warehouse_key(rule.table), rule.name, finding)

    return [core_checks]
