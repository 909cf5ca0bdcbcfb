"""Whole runs of real days: every film is accounted for at every hop, the warehouse's history is that of the change
files, every mart answers, and a rerun changes nothing.
"""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.marts import MART_VIEWS
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.runs.pipeline import run_dates
from movie_platform.runs.result import RunReport
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile
from movie_platform.sources.sql.demo import ensure_demo_database
from movie_platform_tests.demo_changes import Event, changes, expected_events

DAYS = (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))
# Other tests load other sources' films of these days into the same cloud.
SOURCE = "demo"
# Removed, returned and new films of sample_data/changes, so that every kind of change is among the numbers.
FILMS_OF_THE_DATABASE = 17_472

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def days(provisioned_cloud: Settings) -> dict[date, RunReport]:
    """The three days of the demo, run in order."""
    return {report.date: report for report in run_dates(provisioned_cloud, DAYS)}


def films_in_source(settings: Settings, dt: date) -> int:
    """Counted in the source itself, by plain SQL."""
    with closing(sqlite3.connect(ensure_demo_database(settings.home))) as database:
        [(films,)] = database.execute(
            "SELECT COUNT(*) FROM omdb WHERE valid_from <= ? AND ? < valid_to",
            (dt.isoformat(), dt.isoformat()),
        ).fetchall()
    return films


def rows(settings: Settings, sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
    with closing(connect(settings)) as connection:
        return list(query_rows(connection, sql, values))


def table_name(table: Any) -> str:
    return f"{table.snowflake_schema}.{table.name}"


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all loaded tables, the time of loading included: what was loaded again would show."""
    return {
        table.name: sorted(
            (tuple(row.values()) for row in rows(settings, f"SELECT * FROM {table_name(table)}")), key=repr
        )
        for table in ARCHIVE_TABLES
    }


def test_every_day_succeeds_and_every_check_holds(days: dict[date, RunReport]):
    assert {dt: (report.status, report.error) for dt, report in days.items()} == dict.fromkeys(
        DAYS, ("success", None)
    )
    for report in days.values():
        assert report.checks
        assert [check for check in report.checks if not check.passed] == []


def test_the_first_day_is_the_whole_database(days: dict[date, RunReport], provisioned_cloud: Settings):
    assert films_in_source(provisioned_cloud, DAYS[0]) == FILMS_OF_THE_DATABASE


@pytest.mark.parametrize("dt", DAYS, ids=str)
def test_every_film_of_the_source_is_at_every_hop(
    days: dict[date, RunReport], provisioned_cloud: Settings, dt: date
):
    report = days[dt].rows
    [loaded] = rows(
        provisioned_cloud,
        "SELECT COUNT(*) AS films, COUNT(DISTINCT movie_id) AS distinct_films FROM RAW.MOVIES"
        " WHERE source = %s AND dt = %s",
        (SOURCE, dt),
    )
    [quarantined] = rows(
        provisioned_cloud,
        "SELECT COUNT(*) AS films FROM OPS.QUARANTINED_ROWS WHERE source = %s AND dt = %s",
        (SOURCE, dt),
    )
    films = films_in_source(provisioned_cloud, dt)
    assert films == report.extracted == report.bundled == report.unpacked
    assert films == report.transformed + report.quarantined + report.duplicates_removed
    assert films == loaded["films"] + quarantined["films"] + report.duplicates_removed
    assert loaded["films"] == loaded["distinct_films"] == report.transformed


@pytest.mark.parametrize("dt", DAYS, ids=str)
def test_a_batch_has_the_rows_that_it_announces(
    days: dict[date, RunReport], provisioned_cloud: Settings, dt: date
):
    [announced] = rows(
        provisioned_cloud, "SELECT * FROM RAW.BATCHES WHERE source = %s AND dt = %s", (SOURCE, dt)
    )
    assert announced["batch_id"] == days[dt].batch_id
    for table in ARCHIVE_TABLES:
        if table.name == "batches":
            continue
        [found] = rows(
            provisioned_cloud,
            f"SELECT COUNT(*) AS n, COUNT(DISTINCT file_name) AS files FROM {table_name(table)}"
            " WHERE source = %s AND dt = %s AND batch_id = %s AND transform_id = %s",
            (SOURCE, dt, announced["batch_id"], announced["transform_id"]),
        )
        assert (found["n"], found["files"]) == (
            announced[f"{table.name}_rows"],
            announced[f"{table.name}_files"],
        ), table.name


def test_the_three_days_differ_as_the_changes_say(days: dict[date, RunReport], provisioned_cloud: Settings):
    counts = [films_in_source(provisioned_cloud, dt) for dt in DAYS]
    assert len({report.batch_id for report in days.values()}) == 3
    assert len(set(counts)) > 1
    [moved] = rows(
        provisioned_cloud,
        "SELECT COUNT(*) AS films FROM RAW.MOVIES a"
        " JOIN RAW.MOVIES b ON a.source = b.source AND a.movie_id = b.movie_id"
        " WHERE a.source = %s AND a.dt = %s AND b.dt = %s AND a.row_hash <> b.row_hash",
        (SOURCE, DAYS[0], DAYS[1]),
    )
    assert 0 < moved["films"] < 1000


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


def test_running_the_days_again_lands_nothing_and_changes_no_row(
    days: dict[date, RunReport], provisioned_cloud: Settings
):
    before = everything(provisioned_cloud)
    again = list(run_dates(provisioned_cloud, DAYS))
    assert [(report.status, report.unchanged) for report in again] == [("success", True)] * 3
    assert [report.batch_id for report in again] == [days[dt].batch_id for dt in DAYS]
    assert everything(provisioned_cloud) == before
