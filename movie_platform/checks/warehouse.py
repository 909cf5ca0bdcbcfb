"""Checks of the loaded tables: as many rows from each file as the archive has in it."""

import dagster as dg

from movie_platform.assets.batches import batch_of, landed_bundle
from movie_platform.assets.failures import as_step_failure
from movie_platform.checks.results import Finding, check_result
from movie_platform.contracts import ARCHIVE_TABLES, Table
from movie_platform.graph import asset_keys
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.raw_loader import rows_by_file
from movie_platform.resources.snowflake import WarehouseResource
from movie_platform.resources.transform import ArchiveFile, TransformJob
from movie_platform.resources.unpack import UnpackFunction

NAME = "loaded_rows_match_archive"


def build_warehouse_checks(default_source: str) -> list[dg.AssetChecksDefinition]:
    """A check for each loaded table: RAW holds as many rows of a version as the archive."""
    return [_build(table, default_source) for table in ARCHIVE_TABLES]


def _build(table: Table, default_source: str) -> dg.AssetChecksDefinition:
    key = asset_keys.warehouse_key(table)

    @dg.multi_asset_check(
        name=f"{table.name}_loaded_rows_match_archive",
        specs=[
            dg.AssetCheckSpec(
                NAME,
                asset=key,
                description="Each file of the archive is in the table with all its rows, and no others.",
                blocking=True,
            )
        ],
    )
    def loaded_rows_match_archive(
        context: dg.AssetCheckExecutionContext,
        landing: LandingZone,
        unpacker: UnpackFunction,
        transformer: TransformJob,
        warehouse: WarehouseResource,
    ) -> dg.AssetCheckResult:
        with as_step_failure():
            bundle = landed_bundle(context, landing, default_source)
            batch_id, _ = batch_of(context, bundle, unpacker)
            record = transformer.newest_record(bundle.source, bundle.dt, batch_id)
            files = record.files[table.name]
            with warehouse.connect(query_tag=f"movie_platform check {context.run.run_id}") as connection:
                loaded = rows_by_file(connection, table, [file.key for file in files])
        return check_result(key, NAME, compare(files, loaded))

    return loaded_rows_match_archive


def compare(files: tuple[ArchiveFile, ...], loaded: dict[str, int]) -> Finding:
    """Whether each file's rows are in the table, no fewer and no more."""
    offenders = [
        {"file": file.key, "archive_rows": file.rows, "loaded_rows": loaded.get(file.key, 0)}
        for file in files
        if loaded.get(file.key, 0) != file.rows
    ]
    return Finding(
        passed=not offenders,
        summary=f"{sum(loaded.values())} rows of {len(files)} files; {len(offenders)} files differ",
        counts={
            "files": len(files),
            "archive_rows": sum(file.rows for file in files),
            "loaded_rows": sum(loaded.values()),
        },
        offenders=offenders,
        next_step="compare COPY_HISTORY with the archive, and materialize the table again",
    )
