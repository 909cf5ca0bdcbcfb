"""archive/*: the tables that the Glue job makes of a verified batch. One job, so one multi-asset."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.batches import batch_of, landed_bundle
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.measure import Stopwatch
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.locations import archive_prefix, version_name
from movie_platform.graph import asset_keys, column_metadata, metadata_names
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.transform import LOG_GROUP, TransformJob, TransformRecord
from movie_platform.resources.unpack import UnpackFunction, UnpackFunctionError
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import JobRunTypeDef


def build_archive_tables(
    settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> dg.AssetsDefinition:
    """The multi-asset; `default_source` is meant where a run does not say which source it is about."""

    @dg.multi_asset(
        name="archive_tables",
        specs=[
            dg.AssetSpec(
                asset_keys.archive_key(table),
                deps=[asset_keys.UNZIPPED_FILES],
                description=table.description,
                group_name="archive",
                kinds={"glue", "spark", "parquet", "s3"},
                owners=[settings.owner],
                code_version=__version__,
                metadata={
                    "dagster/column_schema": column_metadata.table_schema(table),
                    "dagster/column_lineage": column_metadata.archive_lineage(table),
                    "dagster/uri": f"s3://{settings.bucket('archive')}/{table.name}/",
                },
            )
            for table in ARCHIVE_TABLES
        ],
        partitions_def=partitions,
        retry_policy=TRANSIENT_RETRIES,
        pool="glue",
    )
    def archive_tables(
        context: dg.AssetExecutionContext,
        landing: LandingZone,
        unpacker: UnpackFunction,
        transformer: TransformJob,
    ) -> Iterator[dg.MaterializeResult]:
        watch = Stopwatch()
        with as_step_failure(transient=(UnpackFunctionError,)):
            bundle = landed_bundle(context, landing, default_source)
            batch_id, verified = batch_of(context, bundle, unpacker)
            job_run = transformer.run(context, f"s3://{settings.bucket('processed')}/{verified}")
            record = transformer.newest_record(bundle.source, bundle.dt, batch_id)
        links = job_run_links(job_run, job_name=transformer.job_name, region=transformer.aws.region)
        common = {**_common(record), **links, **watch.metadata()}
        for table in ARCHIVE_TABLES:
            files = record.files[table.name]
            prefix = archive_prefix(
                table.name, record.source, record.dt, version_name(batch_id, record.transform_id)
            )
            yield dg.MaterializeResult(
                asset_key=asset_keys.archive_key(table),
                data_version=dg.DataVersion(version_name(batch_id, record.transform_id)),
                metadata={
                    **common,
                    metadata_names.ROW_COUNT: record.rows[table.name],
                    metadata_names.ROWS_OUT: record.rows[table.name],
                    metadata_names.BYTES: sum(file.bytes for file in files),
                    metadata_names.FILE_COUNT: len(files),
                    metadata_names.LOCATION: f"s3://{settings.bucket('archive')}/{prefix}",
                },
            )

    return archive_tables


def _common(record: TransformRecord) -> dict[str, Any]:
    return {
        metadata_names.SOURCE_NAME: record.source,
        metadata_names.BATCH_ID: record.batch_id,
        metadata_names.TRANSFORM_ID: record.transform_id,
        metadata_names.ROWS_IN: int(record.counts["rows_in"]),
        metadata_names.COUNTS: dg.MetadataValue.json(record.counts),
        metadata_names.NULLED: dg.MetadataValue.json(record.nulled),
    }


def job_run_links(job_run: "JobRunTypeDef", *, job_name: str, region: str) -> dict[str, Any]:
    """Metadata that leads to a job run and its log in the AWS console."""
    job_run_id = job_run.get("Id", "")
    console = f"https://{region}.console.aws.amazon.com"
    return {
        metadata_names.JOB_RUN_ID: job_run_id,
        metadata_names.JOB_RUN: dg.MetadataValue.url(
            f"{console}/gluestudio/home?region={region}#/job/{job_name}/run/{job_run_id}"
        ),
        metadata_names.LOG_STREAM: f"{LOG_GROUP}/output {job_run_id}",
        metadata_names.EXECUTION_SECONDS: job_run.get("ExecutionTime", 0),
    }
