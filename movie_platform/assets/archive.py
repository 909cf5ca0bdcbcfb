"""archive/*: the tables that the Glue job makes of a verified batch. One job, so one multi-asset."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from movie_platform import __version__
from movie_platform.assets import keys, schemas
from movie_platform.assets.batches import batch_of, landed_bundle
from movie_platform.assets.failures import HEALING_RETRIES, explained
from movie_platform.assets.measure import Stopwatch
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.locations import archive_prefix, version_name
from movie_platform.resources.landing import Landing
from movie_platform.resources.transform import TransformJob, TransformRecord
from movie_platform.resources.unpack import UnpackFunction, UnpackFunctionError
from movie_platform.settings import Settings


def build_archive_tables(
    settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> dg.AssetsDefinition:
    """The multi-asset; `default_source` is meant where a run does not say which source it is about."""

    @dg.multi_asset(
        name="archive_tables",
        specs=[
            dg.AssetSpec(
                keys.archive_key(table),
                deps=[keys.UNZIPPED_FILES],
                description=table.description,
                group_name="archive",
                kinds={"glue", "spark", "parquet", "s3"},
                owners=[settings.owner],
                code_version=__version__,
                metadata={
                    "dagster/column_schema": schemas.table_schema(table),
                    "dagster/column_lineage": schemas.archive_lineage(table),
                    "dagster/uri": f"s3://{settings.bucket('archive')}/{table.name}/",
                },
            )
            for table in ARCHIVE_TABLES
        ],
        partitions_def=partitions,
        retry_policy=HEALING_RETRIES,
        pool="glue",
    )
    def archive_tables(
        context: dg.AssetExecutionContext,
        landing: Landing,
        unpacker: UnpackFunction,
        transformer: TransformJob,
    ) -> Iterator[dg.MaterializeResult]:
        watch = Stopwatch()
        with explained(heals=(UnpackFunctionError,)):
            bundle = landed_bundle(context, landing, default_source)
            batch_id, verified = batch_of(context, bundle, unpacker)
            job_run = transformer.run(context, f"s3://{settings.bucket('processed')}/{verified}")
            record = transformer.newest_record(bundle.source, bundle.dt, batch_id)
        common = {**_common(record), **transformer.links(job_run), **watch.metadata()}
        for table in ARCHIVE_TABLES:
            files = record.files[table.name]
            prefix = archive_prefix(
                table.name, record.source, record.dt, version_name(batch_id, record.transform_id)
            )
            yield dg.MaterializeResult(
                asset_key=keys.archive_key(table),
                data_version=dg.DataVersion(version_name(batch_id, record.transform_id)),
                metadata={
                    **common,
                    schemas.ROW_COUNT: record.rows[table.name],
                    schemas.ROWS_OUT: record.rows[table.name],
                    schemas.BYTES: sum(file.bytes for file in files),
                    "movie_platform/files": len(files),
                    "movie_platform/location": f"s3://{settings.bucket('archive')}/{prefix}",
                },
            )

    return archive_tables


def _common(record: TransformRecord) -> dict[str, Any]:
    return {
        schemas.SOURCE_NAME: record.source,
        schemas.BATCH_ID: record.batch_id,
        schemas.TRANSFORM_ID: record.transform_id,
        schemas.ROWS_IN: int(record.counts["rows_in"]),
        schemas.COUNTS: dg.MetadataValue.json(record.counts),
        schemas.NULLED: dg.MetadataValue.json(record.nulled),
    }
