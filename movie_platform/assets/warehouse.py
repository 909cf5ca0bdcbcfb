"""snowflake/raw/* and snowflake/ops/quarantined_rows: the archive's tables as Snowpipe loaded them."""

from datetime import datetime

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.batches import batch_of, landed_bundle
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.measure import Stopwatch
from movie_platform.contracts import ARCHIVE_TABLES, Table
from movie_platform.contracts.locations import archive_prefix, version_name
from movie_platform.graph import asset_keys, column_metadata, metadata_names
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.raw_loader import RawLoader
from movie_platform.resources.snowflake_connection import WarehouseUnavailableError
from movie_platform.resources.transform import TransformJob
from movie_platform.resources.unpack import UnpackFunction, UnpackFunctionError
from movie_platform.settings import Settings


def build_warehouse_tables(
    settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> list[dg.AssetsDefinition]:
    """An asset for each table that a pipe loads: it waits until every file of the archive is in RAW."""
    return [_build(table, settings, partitions, default_source) for table in ARCHIVE_TABLES]


def _build(
    table: Table, settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_keys.warehouse_key(table),
        deps=[asset_keys.archive_key(table)],
        partitions_def=partitions,
        group_name=f"snowflake_{table.snowflake_schema.lower()}",
        kinds={"snowpipe", "snowflake"},
        owners=[settings.owner],
        code_version=__version__,
        retry_policy=TRANSIENT_RETRIES,
        pool="snowflake",
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=settings.freshness_fail, warn_window=settings.freshness_warn
        ),
        metadata={
            "dagster/column_schema": column_metadata.table_schema(table, loaded=True),
            "dagster/column_lineage": column_metadata.warehouse_lineage(table),
            "dagster/table_name": f"{settings.snowflake_database}.{table.snowflake_schema}.{table.name.upper()}",
        },
        description=f"{table.description} Append-only; loaded by Snowpipe from the archive bucket.",
    )
    def warehouse_table(
        context: dg.AssetExecutionContext,
        landing: LandingZone,
        unpacker: UnpackFunction,
        transformer: TransformJob,
        loader: RawLoader,
    ) -> dg.MaterializeResult:
        watch = Stopwatch()
        with as_step_failure(transient=(UnpackFunctionError, WarehouseUnavailableError)):
            bundle = landed_bundle(context, landing, default_source)
            batch_id, _ = batch_of(context, bundle, unpacker)
            record = transformer.newest_record(bundle.source, bundle.dt, batch_id)
            version = version_name(batch_id, record.transform_id)
            evidence = loader.wait(
                table,
                record.files[table.name],
                archive_prefix(table.name, record.source, record.dt, version),
                datetime.fromisoformat(record.transformed_at),
                log=context.log,
                run_id=context.run.run_id,
            )
        files = record.files[table.name]
        return dg.MaterializeResult(
            data_version=dg.DataVersion(version),
            metadata={
                metadata_names.SOURCE_NAME: record.source,
                metadata_names.BATCH_ID: batch_id,
                metadata_names.TRANSFORM_ID: record.transform_id,
                metadata_names.ROW_COUNT: sum(evidence.loaded.values()),
                metadata_names.ROWS_IN: record.rows[table.name],
                metadata_names.ROWS_OUT: sum(evidence.loaded.values()),
                metadata_names.BYTES: sum(file.bytes for file in files),
                metadata_names.FILES: dg.MetadataValue.table(
                    records=[
                        dg.TableRecord({"file": key, "rows": rows})
                        for key, rows in sorted(evidence.loaded.items())[:50]
                    ],
                    schema=dg.TableSchema(
                        columns=[dg.TableColumn("file", "string"), dg.TableColumn("rows", "int")]
                    ),
                ),
                **watch.metadata(),
            },
        )

    return warehouse_table
