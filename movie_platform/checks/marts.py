"""Checks of the marts: what people read adds up to the facts.

Blocking where a mart is wrong: nothing downstream of it is made, and the run that made it so fails. Others warn.
"""

from collections.abc import Iterator

import dagster as dg

from movie_platform.assets.failures import as_step_failure
from movie_platform.checks.mart_rules import mart_rules
from movie_platform.checks.results import check_result
from movie_platform.checks.sql_rules import examine
from movie_platform.graph import asset_keys
from movie_platform.resources.snowflake import WarehouseResource
from movie_platform.settings import Settings


def build_mart_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """All rules of the marts; one step, one session. Each looks at all sources and days."""
    rules = mart_rules()

    @dg.multi_asset_check(
        name="mart_checks",
        specs=[
            dg.AssetCheckSpec(
                rule.name,
                asset=asset_keys.warehouse_key(rule.table),
                description=rule.claim,
                blocking=rule.blocking,
            )
            for rule in rules
        ],
        can_subset=True,
    )
    def mart_checks(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        selected = context.selected_asset_check_keys
        wanted = [
            rule
            for rule in rules
            if dg.AssetCheckKey(asset_keys.warehouse_key(rule.table), rule.name) in selected
        ]
        tag = f"movie_platform check {context.run.run_id}"
        with (
            as_step_failure(),
            warehouse.connect(query_tag=tag, role=settings.snowflake_transformer_role) as connection,
        ):
            findings = [(rule, examine(connection, rule)) for rule in wanted]
        for rule, finding in findings:
            severity = dg.AssetCheckSeverity.ERROR if rule.blocking else dg.AssetCheckSeverity.WARN
            yield check_result(asset_keys.warehouse_key(rule.table), rule.name, finding, severity)

    return [mart_checks]
