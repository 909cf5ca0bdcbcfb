"""The one partition dimension: `dt`, the UTC date that an extract describes."""

from datetime import date

import dagster as dg

PARTITION_TAG = "dagster/partition"


def daily_partitions(first_date: date) -> dg.DailyPartitionsDefinition:
    """Days from `first_date` to today: a day is open from its first minute, for its own extract."""
    return dg.DailyPartitionsDefinition(start_date=first_date.isoformat(), timezone="UTC", end_offset=1)


def partition_date(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> date:
    """The `dt` of the step that runs.

    Checks have no partitions of their own (that is a preview in Dagster), but their runs have one.
    """
    return date.fromisoformat(context.run.tags[PARTITION_TAG])
