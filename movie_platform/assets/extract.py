"""extract/raw_extract: what the source says of a day, as CSV and Parquet parts with a manifest."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from movie_platform import __version__
from movie_platform.assets.batches import add_run_tags
from movie_platform.assets.failures import TRANSIENT_RETRIES, as_step_failure
from movie_platform.assets.measure import Stopwatch
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import SourceInfo
from movie_platform.graph import asset_keys, column_metadata, metadata_names, tag_names
from movie_platform.graph.partitions import partition_date
from movie_platform.resources.extracts import ExtractStore
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.settings import Settings
from movie_platform.sources.load_types import keeps_cursor, load_type_of, parameters_of
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.source_errors import NotAvailableAsOf, SourceError


class ExtractConfig(dg.Config):
    """Which source a run reads, and whether today's state may be labelled as a past day's."""

    profile: str = ""
    label_present: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """Read the source now: what it says stands for the date."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Use the bundle that was kept for the date."""

    batch_id: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Neither can be done: today's state is never labelled as the past unless a person says so."""


def plan_extract(
    dt: date, today: date, *, answers_as_of: bool, label_present: bool, kept_batch_id: str | None
) -> Extract | Replay | Refuse:
    """What to do for a date: a source that cannot answer for the past replays what was kept for it, or is refused."""
    if dt == today or answers_as_of or label_present:
        return Extract()
    return Refuse() if kept_batch_id is None else Replay(kept_batch_id)


def build_raw_extract(settings: Settings, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, for the sources that these settings know."""

    @dg.asset(
        key=asset_keys.RAW_EXTRACT,
        deps=[asset_keys.SOURCE],
        partitions_def=partitions,
        group_name="extract",
        kinds={"python", "csv", "parquet"},
        owners=[settings.owner],
        code_version=__version__,
        retry_policy=TRANSIENT_RETRIES,
        metadata={
            "dagster/column_schema": column_metadata.bundle_schema(),
            "dagster/column_lineage": column_metadata.bundle_lineage(asset_keys.SOURCE),
        },
        description=(
            "What the source says of a day: CSV and Parquet parts of raw strings, the rows that could not be read, and"
            " a manifest. Raw means raw: columns are renamed, no value is changed."
        ),
    )
    def raw_extract(
        context: dg.AssetExecutionContext, config: ExtractConfig, extracts: ExtractStore, landing: LandingZone
    ) -> dg.MaterializeResult:
        # Not at the top: it imports pyarrow, and the definitions must load quickly.
        from movie_platform.bundle_writing.write import write_extract

        watch = Stopwatch()
        dt = partition_date(context)
        with as_step_failure(typed=(BundleError, SourceError)):
            profile = load_profile(config.profile or settings.default_profile, settings=settings)
            add_run_tags(context, {tag_names.SOURCE: profile.name})
            source = open_source(profile, settings=settings)
            extracted_at = datetime.now(UTC).replace(microsecond=0)
            kept = landing.winner(profile.name, dt) if dt != extracted_at.date() else None
            plan = plan_extract(
                dt,
                extracted_at.date(),
                answers_as_of=source.answers_as_of(),
                label_present=config.label_present,
                kept_batch_id=None if kept is None else kept.name,
            )
            if isinstance(plan, Refuse):
                raise NotAvailableAsOf(
                    f"source {profile.name} knows only its present state, and no bundle was kept for {dt}"
                )
            if isinstance(plan, Replay) and kept is not None:
                add_run_tags(context, {tag_names.LANDED_KEY: kept.key, tag_names.BUNDLE_ETAG: kept.etag})
                context.log.info(
                    f"The source cannot answer for {dt}: the bundle kept for it, {kept.uri}, is replayed."
                )
                return dg.MaterializeResult(
                    metadata={
                        metadata_names.SOURCE_NAME: profile.name,
                        metadata_names.BATCH_ID: kept.name,
                        metadata_names.REPLAYED: kept.uri,
                        **watch.metadata(),
                    }
                )
            cursor = landing.cursor_before(profile.name, dt) if keeps_cursor(source) else None
            with extracts.workspace() as workspace:
                folder = workspace / "extract"
                manifest = write_extract(
                    source.batches(dt, cursor),
                    folder,
                    dt=dt,
                    source=SourceInfo(profile.name, profile.kind, parameters_of(source, cursor)),
                    load_type=load_type_of(source, profile, cursor),
                    extracted_at=extracted_at,
                    columns=source.columns(),
                    next_cursor=source.next_cursor,
                )
                where = extracts.keep(folder, profile.name, dt, manifest.batch_id)
        add_run_tags(context, {tag_names.BATCH_ID: manifest.batch_id})
        written = sum(file.bytes for file in manifest.files)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(manifest.content_id),
            metadata={
                metadata_names.SOURCE_NAME: profile.name,
                metadata_names.BATCH_ID: manifest.batch_id,
                metadata_names.ROW_COUNT: manifest.row_count,
                metadata_names.ROWS_IN: manifest.row_count + manifest.rejected_count,
                metadata_names.ROWS_OUT: manifest.row_count,
                metadata_names.REJECTED: manifest.rejected_count,
                metadata_names.BYTES: written,
                metadata_names.FILE_COUNT: len(manifest.files),
                metadata_names.CONTENT_ID: manifest.content_id,
                metadata_names.LOCATION: where,
                metadata_names.LOAD_TYPE: manifest.load_type,
                **_cursors(cursor, manifest.source.cursor),
                **watch.metadata(),
            },
        )

    return raw_extract


def _cursors(began: str | None, ended: str | None) -> dict[str, str]:
    """Metadata: where an incremental extract began and ended."""
    named = {metadata_names.CURSOR_FROM: began, metadata_names.CURSOR_TO: ended}
    return {name: cursor for name, cursor in named.items() if cursor is not None}
