"""The one partition dimension: `dt`, the UTC date that an extract describes."""

from datetime import date

import dagster as dg


def daily_partitions(first_date: date) -> dg.DailyPartitionsDefinition:
    """Days from `first_date` to today: a day is open from its first minute, because an extract describes its own day."""
    return dg.DailyPartitionsDefinition(start_date=first_date.isoformat(), timezone="UTC", end_offset=1)


def partition_date(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> date:
    """The `dt` of the step that runs."""
    return date.fromisoformat(context.partition_key)
