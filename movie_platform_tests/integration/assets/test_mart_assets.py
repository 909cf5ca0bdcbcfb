"""The assets of the marts: what they say of a view, and what they say when it is not what it should be."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.assets.marts import build_marts
from movie_platform.checks.mart_rules import mart_rules
from movie_platform.checks.marts import build_mart_checks
from movie_platform.contracts.marts import MART_VIEWS, TOP_MOVIES
from movie_platform.graph import asset_keys
from movie_platform.resources.snowflake import WarehouseResource
from movie_platform.settings import Settings
from movie_platform_tests.mart_tables import SETTINGS, definition, let_the_platform_in, prepare
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def connection(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        prepare(opened)
        yield opened


@pytest.fixture(scope="module")
def settings(snowflake_cloud: SnowflakeCloud, connection: SnowflakeConnection) -> Settings:
    found = Settings(home=snowflake_cloud.home, snowflake_database=SETTINGS.snowflake_database)
    let_the_platform_in(found)
    return found


def materialize(settings: Settings, *selected: dg.AssetKey) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [build_marts(settings), *build_mart_checks(settings)],
            resources={"warehouse": WarehouseResource.from_settings(settings)},
            selection=dg.AssetSelection.assets(*selected) if selected else None,
            instance=instance,
            raise_on_error=False,
        )


def metadata_by_asset(result: dg.ExecuteInProcessResult) -> dict[dg.AssetKey, dict[str, Any]]:
    return {
        event.asset_key: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }


def test_every_mart_says_its_rows_its_days_and_a_preview_and_every_check_holds(
    connection: SnowflakeConnection, settings: Settings
):
    result = materialize(settings)
    assert result.success
    found = metadata_by_asset(result)
    assert set(found) == set(asset_keys.MARTS)
    for mart in MART_VIEWS:
        [(expected,)] = rows(connection, f"SELECT COUNT(*) FROM MARTS.{mart.name}")
        metadata = found[asset_keys.warehouse_key(mart)]
        assert metadata["dagster/row_count"] == expected > 0
        assert metadata["movie_platform/as_of"] == "2026-11-20"
        assert metadata["movie_platform/as_of_by_source"] == {"s": "2026-11-20", "t": "2026-11-19"}
        preview = metadata["movie_platform/preview"]
        assert len(preview.records) == min(expected, 10)
        assert set(preview.records[0].data) == set(mart.column_names)
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == len(mart_rules())
    assert all(evaluation.passed for evaluation in evaluations)


def test_one_mart_can_be_materialized_alone_with_its_own_checks(
    connection: SnowflakeConnection, settings: Settings
):
    key = asset_keys.warehouse_key(TOP_MOVIES)
    result = materialize(settings, key)
    assert result.success
    assert set(metadata_by_asset(result)) == {key}
    assert {evaluation.asset_key for evaluation in result.get_asset_check_evaluations()} == {key}


def test_a_run_fails_when_a_mart_does_not_add_up(connection: SnowflakeConnection, settings: Settings):
    rows(connection, "UPDATE CORE.BRIDGE_MOVIE_GENRE SET weight = 0.5 WHERE genre_key = 'crime'")
    try:
        result = materialize(settings)
    finally:
        rows(
            connection, "UPDATE CORE.BRIDGE_MOVIE_GENRE SET weight = 0.333333333333 WHERE genre_key = 'crime'"
        )
    failed = {
        (evaluation.asset_key.path[-1], evaluation.check_name)
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed
    }
    assert failed == {("genre_performance", "allocated_sums_match_facts")}
    assert not result.success


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DROP VIEW MARTS.top_movies", "mart_missing"),
        ("CREATE OR REPLACE VIEW MARTS.top_movies AS SELECT 1 AS source", "mart_differs_from_contract"),
    ],
)
def test_a_view_that_is_missing_or_of_before_fails_the_step_for_good_and_names_the_remedy(
    connection: SnowflakeConnection, settings: Settings, statement: str, code: str
):
    rows(connection, statement)
    try:
        result = materialize(settings, asset_keys.warehouse_key(TOP_MOVIES))
    finally:
        rows(connection, definition("top_movies"))
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert str(data.metadata["code"].value) == code
    assert "movie-platform provision" in str(data.metadata["next_step"].value)


def test_in_a_run_of_a_day_the_marts_are_materialized_without_a_partition(
    connection: SnowflakeConnection, settings: Settings
):
    days = dg.DailyPartitionsDefinition("2026-11-18", end_date="2026-11-21")

    @dg.asset(key=["snowflake", "core", "dim_movie"], partitions_def=days)
    def dim_movie() -> None: ...

    definitions = dg.Definitions(
        assets=[dim_movie, build_marts(settings)],
        asset_checks=build_mart_checks(settings),
        resources={"warehouse": WarehouseResource.from_settings(settings)},
        jobs=[dg.define_asset_job("carry", selection=dg.AssetSelection.all())],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("carry").execute_in_process(
            instance=instance, partition_key=date(2026, 11, 19).isoformat()
        )
    partitions = {
        event.asset_key: event.partition
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert partitions.pop(dg.AssetKey(["snowflake", "core", "dim_movie"])) == "2026-11-19"
    assert partitions == dict.fromkeys(asset_keys.MARTS)
