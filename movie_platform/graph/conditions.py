"""When the tables behind RAW are materialized by themselves: after what they are made of, never on what a blocking
check refused.

The jobs carry a day to the marts in one run; these conditions are for what happens outside of them (a RAW table that
a person materializes alone, a day whose run ended after RAW). A run that materializes both ends of a dependency does
not set off another, and what failed is not tried again by itself: that is the sensor's and the person's to decide.
See https://docs.dagster.io/guides/automate/declarative-automation.
"""

import dagster as dg


def follows_its_partition() -> dg.AutomationCondition:
    """For CORE: each partition follows the same partition of RAW, once all of RAW is there."""
    condition = dg.AutomationCondition
    return (
        condition.any_deps_updated().since_last_handled()
        & ~condition.any_deps_missing()
        & _nothing_stands_against_it()
    ).with_label("follows RAW of its day")


def follows_any_partition() -> dg.AutomationCondition:
    """For MARTS, which have no partitions: they follow any day of CORE."""
    return (
        dg.AutomationCondition.any_deps_updated().since_last_handled() & _nothing_stands_against_it()
    ).with_label("follows CORE")


def _nothing_stands_against_it() -> dg.AutomationCondition:
    condition = dg.AutomationCondition
    return (
        condition.all_deps_blocking_checks_passed()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & ~condition.execution_failed()
    )
