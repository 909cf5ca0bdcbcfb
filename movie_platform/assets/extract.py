"""extract/raw_extract: what the source says of a day, as CSV and Parquet parts with a manifest."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from movie_platform import __version__
from movie_platform.assets import keys, schemas
from movie_platform.assets.batches import add_run_tags
from movie_platform.assets.failures import HEALING_RETRIES, explained
from movie_platform.assets.measure import Stopwatch
from movie_platform.assets.partitions import partition_date
from movie_platform.automation import tags
from movie_platform.resources.extracts import ExtractStore
from movie_platform.resources.landing import Landing
from movie_platform.settings import Settings


class ExtractConfig(dg.Config):
    """Which source a run reads, and whether today's state may be labelled as a past day's."""

    profile: str = ""
    label_present: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """Read the source."""


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
        key=keys.RAW_EXTRACT,
        deps=[keys.SOURCE],
        partitions_def=partitions,
        group_name="extract",
        kinds={"python", "csv", "parquet"},
        owners=[settings.owner],
        code_version=__version__,
        retry_policy=HEALING_RETRIES,
        metadata={
            "dagster/column_schema": schemas.bundle_schema(),
            "dagster/column_lineage": schemas.bundle_lineage(keys.SOURCE),
        },
        description=(
            "What the source says of a day: CSV and Parquet parts of raw strings, the rows that could not be read, and"
            " a manifest. Raw means raw: columns are renamed, no value is changed."
        ),
    )
    def raw_extract(
        context: dg.AssetExecutionContext, config: ExtractConfig, extracts: ExtractStore, landing: Landing
    ) -> dg.MaterializeResult:
        from movie_platform.bundles.errors import BundleError
        from movie_platform.bundles.manifest import SourceInfo
        from movie_platform.bundles.write import write_extract
        from movie_platform.sources.errors import NotAvailableAsOf, SourceError
        from movie_platform.sources.incremental import keeps_cursor, load_type_of, parameters_of
        from movie_platform.sources.profiles import load_profile, open_source

        watch = Stopwatch()
        dt = partition_date(context)
        with explained(typed=(BundleError, SourceError)):
            profile = load_profile(config.profile or settings.default_profile, settings=settings)
            add_run_tags(context, {tags.SOURCE: profile.name})
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
                add_run_tags(context, {tags.LANDED: kept.key, tags.BUNDLE_ETAG: kept.etag})
                context.log.info(
                    f"The source cannot answer for {dt}: the bundle kept for it, {kept.uri}, is replayed."
                )
                return dg.MaterializeResult(
                    metadata={
                        schemas.SOURCE_NAME: profile.name,
                        schemas.BATCH_ID: kept.name,
                        "movie_platform/replayed": kept.uri,
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
        add_run_tags(context, {tags.BATCH_ID: manifest.batch_id})
        written = sum(file.bytes for file in manifest.files)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(manifest.content_id),
            metadata={
                schemas.SOURCE_NAME: profile.name,
                schemas.BATCH_ID: manifest.batch_id,
                schemas.ROW_COUNT: manifest.row_count,
                schemas.ROWS_IN: manifest.row_count + manifest.rejected_count,
                schemas.ROWS_OUT: manifest.row_count,
                schemas.REJECTED: manifest.rejected_count,
                schemas.BYTES: written,
                "movie_platform/files": len(manifest.files),
                "movie_platform/content_id": manifest.content_id,
                "movie_platform/location": where,
                "movie_platform/load_type": manifest.load_type,
                **_cursors(cursor, manifest.source.cursor),
                **watch.metadata(),
            },
        )

    return raw_extract


def _cursors(began: str | None, ended: str | None) -> dict[str, str]:
    """Metadata: where an incremental extract began and ended."""
    named = {"movie_platform/cursor_from": began, "movie_platform/cursor_to": ended}
    return {name: cursor for name, cursor in named.items() if cursor is not None}
