"""processed/unzipped_files: the verified contents of a bundle, published by the Lambda function."""

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.batches import add_run_tags, landed_bundle, refuse_quarantined
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.measure import Stopwatch
from movie_platform.graph import asset_keys, column_metadata, metadata_names, tag_names
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.unpack import UnpackFunction, UnpackFunctionError
from movie_platform.settings import Settings


def build_unzipped_files(
    settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> dg.AssetsDefinition:
    """The asset; `default_source` is meant where a run does not say which source it is about."""

    @dg.asset(
        key=asset_keys.UNZIPPED_FILES,
        deps=[asset_keys.ZIPPED_BUNDLE],
        partitions_def=partitions,
        group_name="processed",
        kinds={"lambda", "s3", "csv", "parquet"},
        owners=[settings.owner],
        code_version=__version__,
        retry_policy=TRANSIENT_RETRIES,
        metadata={
            "dagster/column_schema": column_metadata.bundle_schema(),
            "dagster/column_lineage": column_metadata.bundle_lineage(asset_keys.ZIPPED_BUNDLE),
        },
        description=(
            "The files of a bundle, verified and unpacked by AWS Lambda into the processed bucket. A bundle that breaks"
            " a rule of the format goes to quarantine instead, and nothing of it is published."
        ),
    )
    def unzipped_files(
        context: dg.AssetExecutionContext, landing: LandingZone, unpacker: UnpackFunction
    ) -> dg.MaterializeResult:
        watch = Stopwatch()
        with as_step_failure(transient=(UnpackFunctionError,)):
            bundle = landed_bundle(context, landing, default_source)
            answer = unpacker.unpack(bundle.bucket, bundle.key, bundle.etag, context)
            if answer.status == "quarantined":
                add_run_tags(context, {tag_names.OUTCOME: tag_names.OUTCOME_QUARANTINED})
            refuse_quarantined(answer, bundle)
        add_run_tags(context, {tag_names.BATCH_ID: str(answer.batch_id), tag_names.SOURCE: bundle.source})
        processed = f"s3://{settings.bucket('processed')}"
        return dg.MaterializeResult(
            metadata={
                metadata_names.SOURCE_NAME: bundle.source,
                metadata_names.BATCH_ID: str(answer.batch_id),
                metadata_names.ROW_COUNT: answer.rows,
                metadata_names.ROWS_IN: answer.rows,
                metadata_names.ROWS_OUT: answer.rows,
                metadata_names.REJECTED: answer.rejected,
                metadata_names.BYTES: answer.bytes,
                metadata_names.BUNDLE_URI: bundle.uri,
                metadata_names.VERIFIED: f"{processed}/{answer.verified_key}",
                metadata_names.ALREADY_DONE: answer.already_done,
                metadata_names.LOG_GROUP: f"/aws/lambda/{settings.unpack_function_name}",
                metadata_names.FILES: dg.MetadataValue.table(
                    records=[
                        dg.TableRecord(
                            {"path": file.path, "format": file.format, "rows": file.rows, "bytes": file.bytes}
                        )
                        for file in answer.files[:50]
                    ]
                ),
                **watch.metadata(),
            },
        )

    return unzipped_files
