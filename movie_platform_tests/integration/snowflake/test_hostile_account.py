"""CORE in an account whose defaults are hostile: the main cases of `test_core_history`, deployed and run there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.hostile_account import OWN_FORMATS
from movie_platform_tests.integration.snowflake.test_core_history import (
    arrive,
    tag,
    test_a_change_in_a_tracked_attribute_opens_a_version_and_a_measure_does_not,
    test_a_late_day_splits_versions_and_moves_the_facts_after_it,
    test_a_removal_and_a_return_open_versions,
    test_content_that_changes_and_changes_back_wins_again,
    test_what_is_not_there_is_not_always_removed,
    test_what_was_done_is_noted_table_by_table,
)
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows
from movie_platform_tests.warehouse_history import graph
from movie_platform_tests.warehouse_history.samples import batch, film

__all__ = [
    "tag",
    "test_a_change_in_a_tracked_attribute_opens_a_version_and_a_measure_does_not",
    "test_a_late_day_splits_versions_and_moves_the_facts_after_it",
    "test_a_removal_and_a_return_open_versions",
    "test_content_that_changes_and_changes_back_wins_again",
    "test_what_is_not_there_is_not_always_removed",
    "test_what_was_done_is_noted_table_by_table",
]

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def warehouse(hostile_account: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    """Deployed by a session with the account's defaults; rows are written by one with its own."""
    with hostile_account.connect() as deployer:
        graph.deploy(hostile_account, deployer)
    with hostile_account.connect(session_parameters=OWN_FORMATS) as connection:
        rows(connection, f"USE DATABASE {hostile_account.settings.snowflake_database}")
        yield connection


def test_times_that_the_warehouse_notes_are_utc(warehouse: SnowflakeConnection, tag: str) -> None:
    arrive(warehouse, batch(tag, 0, film(tag)))
    [(applied, done)] = rows(
        warehouse,
        "SELECT MAX(applied_at), (SELECT MAX(applied_at) FROM OPS.SCHEMA_HISTORY) FROM OPS.CORE_CHANGES",
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    assert abs(now - applied) < timedelta(minutes=5)
    assert abs(now - done) < timedelta(minutes=30)


def test_days_and_weeks_of_the_calendar_are_iso(warehouse: SnowflakeConnection) -> None:
    found = rows(
        warehouse,
        "SELECT year_month, day_of_week, day_name, is_weekend, iso_year, iso_week FROM CORE.DIM_DATE"
        " WHERE date_key IN (20261129, 20270103) ORDER BY date_key",
    )
    assert found == [
        ("2026-11", 7, "Sunday", True, 2026, 48),
        ("2027-01", 7, "Sunday", True, 2026, 53),
    ]
