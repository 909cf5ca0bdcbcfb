"""Which bundle a step is about.

A run carries it in its tags: those that the sensor or the command gave it, or those that zipped_bundle added. A run
without them (somebody materializes one asset in the UI) is about the latest bundle of its source and date.
"""

from dataclasses import dataclass
from datetime import date

import dagster as dg

from movie_platform.contracts.locations import BATCH_ID, verified_key
from movie_platform.contracts.tables import BATCHES
from movie_platform.graph import asset_keys, metadata_names, tag_names
from movie_platform.graph.partitions import partition_date
from movie_platform.resources.landing_bucket import LandedBundle, LandingZone, NoBundleError
from movie_platform.resources.transform import TransformJob
from movie_platform.resources.unpack import UnpackAnswer, UnpackFunction

StepContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """What identifies a version of a batch in RAW: its day, its batch and the transform that wrote it."""

    source: str
    dt: date
    batch_id: str
    transform_id: str


def run_tags(context: StepContext) -> dict[str, str]:
    """The run's tags as they are now: steps before this one may have added some since the run began."""
    run = context.instance.get_run_by_id(context.run.run_id)
    return dict(context.run.tags if run is None else run.tags)


def add_run_tags(context: StepContext, added: dict[str, str]) -> None:
    """Adds tags to the run, for the steps after this one and for the sensor."""
    context.instance.add_run_tags(context.run.run_id, added)


def run_includes(context: dg.AssetExecutionContext, key: dg.AssetKey) -> bool:
    """Whether the run that the step belongs to materializes an asset."""
    selection = context.run.asset_selection
    if selection is not None:
        return key in selection
    return key in context.job_def.asset_layer.selected_asset_keys


def landed_bundle(context: StepContext, landing: LandingZone, default_source: str) -> LandedBundle:
    """The bundle that the step is about. Raises NoBundleError, and PlatformError where it was replaced meanwhile."""
    present = run_tags(context)
    key = present.get(tag_names.BUNDLE_KEY) or present.get(tag_names.LANDED_KEY)
    if key is not None:
        return landing.describe(key, present.get(tag_names.BUNDLE_ETAG))
    source = present.get(tag_names.SOURCE, default_source)
    dt = partition_date(context)
    bundle = landing.winner(source, dt)
    if bundle is None:
        raise NoBundleError(source, dt)
    return bundle


def batch_of(context: StepContext, bundle: LandedBundle, unpacker: UnpackFunction) -> tuple[str, str | None]:
    """The batch id of a bundle and, where it is known, the key of its marker in the processed bucket.

    An outside producer may have named its bundle freely: then the function that verified it is asked, which gives
    the answer that it gave before.
    """
    batch_id = run_tags(context).get(tag_names.BATCH_ID)
    if batch_id is None and BATCH_ID.fullmatch(bundle.name):
        batch_id = bundle.name
    if batch_id is not None:
        return batch_id, verified_key(bundle.source, bundle.dt, batch_id)
    answer = refuse_quarantined(unpacker.unpack(bundle.bucket, bundle.key, bundle.etag), bundle)
    return str(answer.batch_id), answer.verified_key


def loaded_version(
    context: StepContext,
    landing: LandingZone,
    unpacker: UnpackFunction,
    transformer: TransformJob,
    default_source: str,
) -> LoadedVersion:
    """The version in RAW that a step behind RAW is about.

    A run that says nothing of a bundle or a source (somebody materializes CORE alone, or its automation condition
    does) is about what RAW was last materialized with for the date, whichever source that was.
    """
    present = run_tags(context)
    if not present.keys() & {tag_names.BUNDLE_KEY, tag_names.LANDED_KEY, tag_names.SOURCE}:
        followed = _last_loaded(context)
        if followed is not None:
            return followed
    bundle = landed_bundle(context, landing, default_source)
    batch_id, _ = batch_of(context, bundle, unpacker)
    record = transformer.newest_record(bundle.source, bundle.dt, batch_id)
    return LoadedVersion(bundle.source, bundle.dt, batch_id, record.transform_id)


def _last_loaded(context: StepContext) -> LoadedVersion | None:
    dt = partition_date(context)
    page = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=asset_keys.warehouse_key(BATCHES), asset_partitions=[dt.isoformat()]),
        limit=1,
    )
    for record in page.records:
        if record.asset_materialization is not None:
            metadata = record.asset_materialization.metadata
            names = (metadata_names.SOURCE_NAME, metadata_names.BATCH_ID, metadata_names.TRANSFORM_ID)
            if all(name in metadata for name in names):
                source, batch_id, transform_id = (str(metadata[name].value) for name in names)
                return LoadedVersion(source, dt, batch_id, transform_id)
    return None


def refuse_quarantined(answer: UnpackAnswer, bundle: LandedBundle) -> UnpackAnswer:
    """The answer, if the bundle was verified; a failure that no retry helps otherwise."""
    if answer.status == "verified":
        return answer
    reason = answer.reason or {"code": answer.status, "message": "the function did not take it for a bundle"}
    raise dg.Failure(
        description=f"{bundle.uri} was refused ({reason.get('code')}): {reason.get('message')}",
        metadata={
            "code": str(reason.get("code")),
            "entry": str(reason.get("entry")),
            "quarantine": str(answer.quarantine_prefix),
            "next_step": "have the producer send the bundle again; the refused one is kept in quarantine",
        },
        allow_retries=False,
    )
