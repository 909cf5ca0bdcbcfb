"""landing/zipped_bundle: the extract of a day as one ZIP in the landing bucket."""

from datetime import date

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.batches import add_run_tags, run_includes, run_tags
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.measure import Stopwatch
from movie_platform.bundle_writing.zipping import write_zip
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import Manifest
from movie_platform.bundles.read import FolderReader, read_manifest
from movie_platform.contracts.locations import landing_prefix
from movie_platform.errors import PlatformError
from movie_platform.graph import asset_keys, column_metadata, metadata_names, tag_names
from movie_platform.graph.partitions import partition_date
from movie_platform.resources.extracts import ExtractStore
from movie_platform.resources.landing_bucket import LandedBundle, LandingZone
from movie_platform.settings import Settings


class NothingExtractedError(PlatformError):
    """No extract is known for the date."""

    def __init__(self, source: str, dt: date) -> None:
        super().__init__(
            "nothing_extracted",
            f"no extract of source {source} is known for {dt}",
            "materialize extract/raw_extract for that date first",
        )


def build_zipped_bundle(
    settings: Settings, partitions: dg.PartitionsDefinition, default_source: str
) -> dg.AssetsDefinition:
    """The asset; `default_source` is meant where a run does not say which source it is about."""

    @dg.asset(
        key=asset_keys.ZIPPED_BUNDLE,
        deps=[asset_keys.RAW_EXTRACT],
        partitions_def=partitions,
        group_name="landing",
        kinds={"python", "s3"},
        owners=[settings.owner],
        code_version=__version__,
        retry_policy=TRANSIENT_RETRIES,
        metadata={
            "dagster/column_schema": column_metadata.bundle_schema(),
            "dagster/column_lineage": column_metadata.bundle_lineage(asset_keys.RAW_EXTRACT),
        },
        description=(
            "The extract of a day as one ZIP in the landing bucket: the hand-over to whoever processes it. Content that"
            " has landed for the date already is not landed again."
        ),
    )
    def zipped_bundle(
        context: dg.AssetExecutionContext, extracts: ExtractStore, landing: LandingZone
    ) -> dg.MaterializeResult:
        watch = Stopwatch()
        dt = partition_date(context)
        present = run_tags(context)
        source = present.get(tag_names.SOURCE, default_source)
        with as_step_failure(typed=(BundleError,)):
            if tag_names.LANDED_KEY in present:
                replayed = landing.describe(present[tag_names.LANDED_KEY], present.get(tag_names.BUNDLE_ETAG))
                _tag(context, replayed)
                return _result(replayed, landing.manifest(replayed), watch, unchanged=True)
            batch_id = present.get(tag_names.BATCH_ID) or _last_extract(context, source, dt)
            winner = landing.winner(source, dt)
            with extracts.fetch(source, dt, batch_id) as folder:
                manifest = read_manifest(folder)
                if winner is not None and landing.manifest(winner).content_id == manifest.content_id:
                    context.log.info(f"{winner.uri} has the same content: nothing is landed.")
                    _tag(context, winner)
                    return _result(winner, manifest, watch, unchanged=True)
                key = f"{landing_prefix(source, dt)}{batch_id}.zip"
                # Before the upload: the sensor may hear of the bundle before this step ends.
                marks = {tag_names.LANDED_KEY: key}
                if run_includes(context, asset_keys.UNZIPPED_FILES):
                    marks[tag_names.BUNDLE_KEY] = key
                add_run_tags(context, marks)
                with landing.writer(key) as stream:
                    write_zip(FolderReader(folder), stream)
            landed = landing.describe(key)
            _tag(context, landed)
            return _result(landed, manifest, watch, unchanged=False)

    return zipped_bundle


def _tag(context: dg.AssetExecutionContext, bundle: LandedBundle) -> None:
    added = {
        tag_names.LANDED_KEY: bundle.key,
        tag_names.BUNDLE_ETAG: bundle.etag,
        tag_names.BATCH_ID: bundle.name,
    }
    if run_includes(context, asset_keys.UNZIPPED_FILES):
        added[tag_names.BUNDLE_KEY] = bundle.key
    add_run_tags(context, added)


def _last_extract(context: dg.AssetExecutionContext, source: str, dt: date) -> str:
    """Batch id of the newest extract of a source and date that Dagster knows of."""
    cursor: str | None = None
    filters = dg.AssetRecordsFilter(asset_key=asset_keys.RAW_EXTRACT, asset_partitions=[dt.isoformat()])
    while True:
        page = context.instance.fetch_materializations(filters, limit=100, cursor=cursor)
        for record in page.records:
            found = record.asset_materialization
            if found is None:
                continue
            if found.metadata.get(metadata_names.SOURCE_NAME) == dg.MetadataValue.text(source):
                batch_id = found.metadata.get(metadata_names.BATCH_ID)
                if batch_id is not None:
                    return str(batch_id.value)
        if not page.has_more:
            raise NothingExtractedError(source, dt)
        cursor = page.cursor


def _result(
    bundle: LandedBundle, manifest: Manifest, watch: Stopwatch, *, unchanged: bool
) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        data_version=dg.DataVersion(manifest.content_id),
        metadata={
            metadata_names.SOURCE_NAME: bundle.source,
            metadata_names.BATCH_ID: bundle.name,
            metadata_names.ROW_COUNT: manifest.row_count,
            metadata_names.ROWS_IN: manifest.row_count,
            metadata_names.ROWS_OUT: manifest.row_count,
            metadata_names.REJECTED: manifest.rejected_count,
            metadata_names.BYTES: bundle.size,
            metadata_names.UNCHANGED: unchanged,
            metadata_names.BUNDLE_URI: bundle.uri,
            metadata_names.ETAG: bundle.etag,
            **watch.metadata(),
        },
    )
