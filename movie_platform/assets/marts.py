"""snowflake/marts/*: the views that people read. Materializing one makes nothing: the view is always as fresh as CORE.

It says what the view shows now (rows, the day of each source, a preview), and fails where the view is missing or is
not what its contract says.
"""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.mart_lineage import mart_deps, mart_lineage
from movie_platform.assets.measure import Stopwatch
from movie_platform.contracts import Table
from movie_platform.contracts.marts import CURRENT_MOVIES, MART_VIEWS
from movie_platform.errors import PlatformError
from movie_platform.graph import asset_keys, column_metadata, metadata_names
from movie_platform.graph.conditions import follows_any_partition
from movie_platform.resources.snowflake import WarehouseResource, query_rows
from movie_platform.resources.snowflake_connection import WarehouseUnavailableError
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

PREVIEW_ROWS = 10
# Snowflake's error number for a view that is not there (or may not be seen).
_NOT_THERE = 2003
# What a preview begins with, where the order of the grain says little.
_PREVIEW_ORDER = {
    "genre_performance": "films DESC",
    "yearly_box_office": "year DESC NULLS LAST",
    "top_movies": "rank, provider",
    "director_leaderboard": "rank",
    "rating_trends": "dt DESC, provider",
    "movie_history": "version DESC, valid_from DESC",
    "data_quality_daily": "dt DESC",
}


class MartError(PlatformError):
    """A view of MARTS is missing, or is not what its contract says."""


def build_marts(settings: Settings) -> dg.AssetsDefinition:
    """The multi-asset of all marts; any of them can be materialized alone."""

    @dg.multi_asset(
        name="marts",
        specs=[
            dg.AssetSpec(
                asset_keys.warehouse_key(mart),
                deps=mart_deps(mart),
                skippable=True,
                description=f"{mart.description} A view; grain: {', '.join(mart.primary_key)}.",
                group_name="snowflake_marts",
                kinds={"snowflake", "view"},
                owners=[settings.owner],
                tags={"layer": "marts"},
                code_version=__version__,
                automation_condition=follows_any_partition(),
                freshness_policy=dg.FreshnessPolicy.time_window(
                    fail_window=settings.freshness_fail, warn_window=settings.freshness_warn
                ),
                metadata={
                    "dagster/column_schema": column_metadata.table_schema(mart),
                    "dagster/column_lineage": mart_lineage(mart),
                    "dagster/table_name": f"{settings.snowflake_database}.MARTS.{mart.name.upper()}",
                },
            )
            for mart in MART_VIEWS
        ],
        can_subset=True,
        retry_policy=TRANSIENT_RETRIES,
        pool="snowflake",
    )
    def marts(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        tag = f"movie_platform marts {context.run.run_id}"
        with (
            as_step_failure(transient=(WarehouseUnavailableError,)),
            warehouse.connect(query_tag=tag, role=settings.snowflake_transformer_role) as connection,
        ):
            days = latest_days(connection)
            for mart in MART_VIEWS:
                if asset_keys.warehouse_key(mart) in context.selected_asset_keys:
                    watch = Stopwatch()
                    metadata = describe(connection, mart, days)
                    yield dg.MaterializeResult(
                        asset_key=asset_keys.warehouse_key(mart), metadata={**metadata, **watch.metadata()}
                    )

    return marts


def latest_days(connection: "SnowflakeConnection") -> dict[str, date]:
    """The latest day of each source that CORE shows."""
    rows = query_rows(
        connection, "SELECT source, MAX(dt) AS dt FROM CORE.APPLIED_DAYS GROUP BY source ORDER BY source"
    )
    return {str(row["source"]): row["dt"] for row in rows}


def describe(connection: "SnowflakeConnection", mart: Table, days: dict[str, date]) -> dict[str, Any]:
    """What a mart shows now, as metadata. Raises MartError where the view is not as its contract says."""
    _require(connection, mart)
    name = f"MARTS.{mart.name.upper()}"
    [counted] = query_rows(connection, f"SELECT COUNT(*) AS row_total FROM {name}")  # noqa: S608 - a constant of the contracts
    order = _PREVIEW_ORDER.get(mart.name, ", ".join(mart.primary_key))
    preview = query_rows(connection, f"SELECT * FROM {name} ORDER BY {order} LIMIT {PREVIEW_ROWS}")  # noqa: S608 - constants
    rows = int(counted["row_total"])
    return {
        metadata_names.ROW_COUNT: rows,
        # Stages are told in rows out of each view, and in films where a view has a row a film.
        **({metadata_names.ROWS_IN: _current_films(connection)} if mart is CURRENT_MOVIES else {}),
        metadata_names.ROWS_OUT: rows,
        **({metadata_names.AS_OF: max(days.values()).isoformat()} if days else {}),
        metadata_names.AS_OF_BY_SOURCE: {source: day.isoformat() for source, day in days.items()},
        metadata_names.PREVIEW: dg.MetadataValue.table(
            [dg.TableRecord({column: _shown(value) for column, value in row.items()}) for row in preview],
            schema=column_metadata.table_schema(mart),
        ),
    }


def _require(connection: "SnowflakeConnection", mart: Table) -> None:
    # Takes a second, which processes that load this module and ask Snowflake nothing are spared.
    import snowflake.connector

    try:
        described = list(query_rows(connection, f"DESCRIBE VIEW MARTS.{mart.name.upper()}"))
    except snowflake.connector.errors.ProgrammingError as error:
        if error.errno != _NOT_THERE:
            raise
        raise MartError(
            "mart_missing",
            f"MARTS.{mart.name.upper()} does not exist, or the role may not see it.",
            "`movie-platform provision` makes the views.",
        ) from error
    columns = tuple(str(row["name"]).lower() for row in described)
    if columns != mart.column_names:
        raise MartError(
            "mart_differs_from_contract",
            f"MARTS.{mart.name.upper()} has the columns {', '.join(columns)}; its contract says"
            f" {', '.join(mart.column_names)}.",
            "`movie-platform provision` makes the views again.",
        )


def _current_films(connection: "SnowflakeConnection") -> int:
    [row] = query_rows(
        connection, "SELECT COUNT(*) AS row_total FROM CORE.DIM_MOVIE WHERE is_current AND NOT is_deleted"
    )
    return int(row["row_total"])


def _shown(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
