"""The sensor that evaluates the automation conditions of CORE and MARTS (`graph.conditions`)."""

import dagster as dg

from movie_platform.graph import asset_keys


def build_warehouse_automation() -> dg.AutomationConditionSensorDefinition:
    """The sensor that evaluates the conditions; Dagster's own default one would be stopped at first."""
    return dg.AutomationConditionSensorDefinition(
        "warehouse_automation",
        target=dg.AssetSelection.assets(*asset_keys.CORE, *asset_keys.MARTS),
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Lets CORE follow RAW and MARTS follow CORE where a run ended before them.",
    )
