"""The warehouse after the demo's days: its history is that of the change files, and every mart answers."""

from collections import Counter
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from movie_platform.contracts.marts import MART_VIEWS
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.runs.result import RunReport
from movie_platform.settings import Settings
from movie_platform.sources.demo import ensure_demo_database
from movie_platform.sources.profiles import load_profile
from movie_platform_tests.demo_changes import Event, changes, expected_events

# Other tests load other sources' films of these days into the same cloud.
SOURCE = "demo"

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(900)]


def rows(settings: Settings, sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    with closing(connect(settings)) as connection:
        return list(query_rows(connection, sql, values))


@pytest.fixture(scope="module")
def expected(days: dict[date, RunReport], provisioned_cloud: Settings) -> set[Event]:
    """The versions that follow from the change files."""
    accepted = frozenset(
        (row["movie_id"], row["dt"])
        for row in rows(
            provisioned_cloud, "SELECT DISTINCT movie_id, dt FROM RAW.MOVIES WHERE source = %s", (SOURCE,)
        )
    )
    columns = load_profile(SOURCE, settings=provisioned_cloud).columns
    return expected_events(ensure_demo_database(provisioned_cloud.home), columns, accepted)


def test_the_change_files_hold_every_kind_of_change_and_some_that_open_no_version(expected: set[Event]):
    assert {change["change"] for _, change in changes()} == {"add", "update", "remove", "restore"}
    updates = [change for _, change in changes() if change["change"] == "update"]
    assert 0 < sum(event.kind == "changed" for event in expected) < len(updates)


def test_the_versions_counted_by_sql_are_those_of_the_change_files(
    expected: set[Event], provisioned_cloud: Settings
):
    counted = {
        row["movie_id"]: row["versions"]
        for row in rows(
            provisioned_cloud,
            "SELECT movie_id, COUNT(*) AS versions FROM CORE.DIM_MOVIE WHERE source = %s GROUP BY movie_id",
            (SOURCE,),
        )
    }
    assert counted == dict(Counter(event.movie_id for event in expected))


def test_the_history_has_the_events_of_the_change_files_on_their_days(
    expected: set[Event], provisioned_cloud: Settings
):
    told = {
        Event(row["movie_id"], row["valid_from"], row["event"])
        for row in rows(
            provisioned_cloud,
            "SELECT movie_id, valid_from, event FROM MARTS.MOVIE_HISTORY WHERE source = %s",
            (SOURCE,),
        )
    }
    assert sorted(told - expected) == []
    assert sorted(expected - told) == []


@pytest.mark.parametrize("mart", [view.name for view in MART_VIEWS])
def test_every_mart_has_rows_of_the_demo(days: dict[date, RunReport], provisioned_cloud: Settings, mart: str):
    [found] = rows(
        provisioned_cloud, f"SELECT COUNT(*) AS row_total FROM MARTS.{mart} WHERE source = %s", (SOURCE,)
    )
    assert found["row_total"] > 0


@pytest.mark.parametrize("stage", ["core", "marts"])
def test_every_day_is_told_up_to_the_marts(days: dict[date, RunReport], stage: str):
    for report in days.values():
        [told] = [one for one in report.stages if one.name == stage]
        assert told.rows_in > 0
        assert told.rows_out > 0
