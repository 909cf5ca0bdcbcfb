"""snowflake/core/*: the star schema. One task graph keeps all of it in one transaction, so one multi-asset."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.batches import LoadedVersion, loaded_version
from movie_platform.assets.core_lineage import core_deps, core_lineage
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.measure import Stopwatch
from movie_platform.contracts import Table
from movie_platform.contracts.locations import version_name
from movie_platform.contracts.tables import MOVIES
from movie_platform.contracts.warehouse import CORE_TABLES, FACT_MOVIE_SNAPSHOT
from movie_platform.graph import asset_keys, column_metadata, metadata_names
from movie_platform.graph.conditions import follows_its_partition
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.snowflake import WarehouseResource, query_rows
from movie_platform.resources.snowflake_connection import WarehouseUnavailableError
from movie_platform.resources.task_graph import AppliedVersion, TableChanges, TaskGraph
from movie_platform.resources.transform import TransformJob
from movie_platform.resources.unpack import UnpackFunction, UnpackFunctionError
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def build_core_tables(
    settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> dg.AssetsDefinition:
    """One multi-asset of all tables of CORE: the task graph in Snowflake changes them in one transaction."""

    @dg.multi_asset(
        name="core_tables",
        specs=[
            dg.AssetSpec(
                asset_keys.warehouse_key(table),
                deps=core_deps(table),
                description=f"{table.description} Kept by streams and a task graph in Snowflake.",
                group_name="snowflake_core",
                kinds={"snowflake", "sql", "table"},
                owners=[settings.owner],
                tags={"layer": "core", "model": table.name.partition("_")[0]},
                code_version=__version__,
                automation_condition=follows_its_partition(),
                metadata={
                    "dagster/column_schema": column_metadata.table_schema(table),
                    "dagster/column_lineage": core_lineage(table),
                    "dagster/table_name": f"{settings.snowflake_database}.CORE.{table.name.upper()}",
                },
            )
            for table in CORE_TABLES
        ],
        partitions_def=partitions,
        retry_policy=TRANSIENT_RETRIES,
        pool="snowflake",
    )
    def core_tables(
        context: dg.AssetExecutionContext,
        landing: LandingZone,
        unpacker: UnpackFunction,
        transformer: TransformJob,
        task_graph: TaskGraph,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.MaterializeResult]:
        watch = Stopwatch()
        with as_step_failure(transient=(UnpackFunctionError, WarehouseUnavailableError)):
            version = loaded_version(context, landing, unpacker, transformer, default_source)
            applied = task_graph.bring(
                version.source,
                version.dt,
                version.batch_id,
                version.transform_id,
                log=context.log,
                run_id=context.run.run_id,
            )
            if applied.superseded:
                context.log.info(
                    f"CORE shows a later batch of the day, {applied.batch_id}; this one is kept in RAW."
                )
            tag = f"movie_platform core {context.run.run_id}"
            with warehouse.connect(query_tag=tag, role=task_graph.role) as connection:
                rows = {table.name: _rows_of(connection, table, version) for table in CORE_TABLES}
                films = _films(connection, version, applied)
        common = {**_about(version, applied), **watch.metadata()}
        for table in CORE_TABLES:
            yield dg.MaterializeResult(
                asset_key=asset_keys.warehouse_key(table),
                data_version=dg.DataVersion(version_name(applied.batch_id, applied.transform_id)),
                metadata={
                    **common,
                    metadata_names.ROW_COUNT: rows[table.name],
                    **_changes(applied.changes, table),
                    # Stages are told in films, and of CORE's tables one has a row a film and day.
                    **(
                        {metadata_names.ROWS_IN: films, metadata_names.ROWS_OUT: rows[table.name]}
                        if table is FACT_MOVIE_SNAPSHOT
                        else {}
                    ),
                },
            )

    return core_tables


def _about(version: LoadedVersion, applied: AppliedVersion) -> dict[str, Any]:
    about: dict[str, Any] = {
        metadata_names.SOURCE_NAME: version.source,
        metadata_names.BATCH_ID: version.batch_id,
        metadata_names.TRANSFORM_ID: version.transform_id,
        metadata_names.TASK_GRAPH_EXECUTIONS: applied.executions,
    }
    if applied.superseded:
        about[metadata_names.SUPERSEDED_BY] = applied.batch_id
    return about


def _changes(changes: Mapping[str, TableChanges], table: Table) -> dict[str, int]:
    found = changes.get(table.name, TableChanges())
    return {
        metadata_names.ROWS_INSERTED: found.inserted,
        metadata_names.ROWS_UPDATED: found.updated,
        metadata_names.ROWS_CLOSED: found.closed,
        metadata_names.ROWS_DELETED: found.deleted,
    }


def _rows_of(connection: "SnowflakeConnection", table: Table, version: LoadedVersion) -> int:
    """Rows of a table: of a fact those of the source and day, of everything else all."""
    name = f"CORE.{table.name.upper()}"
    sql, values = f"SELECT COUNT(*) AS row_total FROM {name}", ()  # noqa: S608 - a constant of the contracts
    if table.name.startswith("fact_"):
        sql, values = (
            f"{sql} WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD')",
            (version.source, version.dt),
        )
    [row] = query_rows(connection, sql, values)
    return int(row["row_total"])


def _films(connection: "SnowflakeConnection", version: LoadedVersion, applied: AppliedVersion) -> int:
    """Films in RAW of the version that CORE shows."""
    [row] = query_rows(
        connection,
        f"SELECT COUNT(*) AS row_total FROM RAW.{MOVIES.name.upper()}"  # noqa: S608 - a constant of the contracts
        " WHERE source = %s AND dt = TO_DATE(%s, 'YYYY-MM-DD') AND batch_id = %s AND transform_id = %s",
        (version.source, version.dt, applied.batch_id, applied.transform_id),
    )
    return int(row["row_total"])
