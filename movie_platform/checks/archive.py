"""Checks of the archive: rows reconcile, keys are unique, values are in range, the quarantine rate is normal."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from movie_platform.assets.batches import batch_of, landed_bundle
from movie_platform.assets.failures import as_step_failure
from movie_platform.checks import tables
from movie_platform.checks.results import Finding, check_result
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.tables import MOVIES, QUARANTINED_ROWS
from movie_platform.graph import asset_keys, metadata_names
from movie_platform.graph.partitions import partition_date
from movie_platform.resources.aws import AwsResource
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.transform import ArchiveFile, TransformJob, TransformRecord
from movie_platform.resources.unpack import UnpackFunction

EARLIER_DAYS = 7
_RANGED = tuple(
    table for table in ARCHIVE_TABLES if any(c.minimum is not None or not c.nullable for c in table.columns)
)


def build_archive_checks(default_source: str) -> list[dg.AssetChecksDefinition]:
    """The checks of all archive tables; they read the files once."""
    rows_reconcile = "rows_reconcile"
    rate_is_normal = "quarantine_rate_is_normal"

    @dg.multi_asset_check(
        name="archive_checks",
        specs=[
            dg.AssetCheckSpec(
                rows_reconcile,
                asset=asset_keys.archive_key(MOVIES),
                description="Rows in = movies out + quarantined + exact duplicates, counted in the files themselves.",
                blocking=True,
            ),
            dg.AssetCheckSpec(
                rate_is_normal,
                asset=asset_keys.archive_key(QUARANTINED_ROWS),
                description="The share of quarantined rows is not out of line with the days before.",
            ),
            *(
                dg.AssetCheckSpec(
                    "keys_are_unique",
                    asset=asset_keys.archive_key(table),
                    description=f"({', '.join(table.primary_key)}) appears once.",
                    blocking=True,
                )
                for table in ARCHIVE_TABLES
            ),
            *(
                dg.AssetCheckSpec(
                    "values_in_range",
                    asset=asset_keys.archive_key(table),
                    description="Required values are there; numbers lie in the ranges of the contract.",
                    blocking=True,
                )
                for table in _RANGED
            ),
        ],
    )
    def archive_checks(
        context: dg.AssetCheckExecutionContext,
        aws: AwsResource,
        landing: LandingZone,
        unpacker: UnpackFunction,
        transformer: TransformJob,
    ) -> Iterator[dg.AssetCheckResult]:
        with as_step_failure():
            bundle = landed_bundle(context, landing, default_source)
            batch_id, _ = batch_of(context, bundle, unpacker)
            record = transformer.newest_record(bundle.source, bundle.dt, batch_id)
        rows: dict[str, int] = {}
        for table in ARCHIVE_TABLES:
            with _fetched(aws, transformer.archive_bucket, record.files[table.name]) as files:
                rows[table.name] = tables.count_rows(files)
                key = asset_keys.archive_key(table)
                yield check_result(key, "keys_are_unique", tables.keys_are_unique(table, files))
                if table in _RANGED:
                    yield check_result(key, "values_in_range", tables.values_in_range(table, files))
        yield check_result(asset_keys.archive_key(MOVIES), rows_reconcile, reconcile(record, rows))
        earlier = _earlier_counts(context, record.source)
        yield check_result(
            asset_keys.archive_key(QUARANTINED_ROWS),
            rate_is_normal,
            tables.quarantine_rate(int(record.counts["rows_in"]), rows[QUARANTINED_ROWS.name], earlier),
            dg.AssetCheckSeverity.WARN,
        )

    return [archive_checks]


def reconcile(record: TransformRecord, rows: dict[str, int]) -> Finding:
    """Whether every row that went in came out once: as a film, in quarantine, or as an exact duplicate.

    `rows` are those counted in the files; the record is what the job says it did.
    """
    rows_in = int(record.counts["rows_in"])
    duplicates = int(record.counts["exact_duplicates"])
    movies, quarantined = rows[MOVIES.name], rows[QUARANTINED_ROWS.name]
    unaccounted = rows_in - movies - quarantined - duplicates
    differing = [
        {"table": name, "recorded": record.rows[name], "counted": counted}
        for name, counted in rows.items()
        if record.rows[name] != counted
    ]
    return Finding(
        passed=unaccounted == 0 and not differing,
        summary=(
            f"{rows_in} rows in = {movies} films + {quarantined} quarantined + {duplicates} duplicates"
            + (f", {unaccounted} unaccounted for" if unaccounted else "")
            + (f"; {len(differing)} tables hold other numbers of rows than recorded" if differing else "")
        ),
        counts={
            "rows_in": rows_in,
            "movies": movies,
            "quarantined": quarantined,
            "exact_duplicates": duplicates,
            "unaccounted": unaccounted,
        },
        offenders=differing,
        next_step="files of the version are missing or were changed: delete its _RUN.json and transform it again",
    )


@contextmanager
def _fetched(aws: AwsResource, bucket: str, files: Sequence[ArchiveFile]) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="archive-check-", ignore_cleanup_errors=True) as folder:
        paths: list[Path] = []
        for number, file in enumerate(files):
            path = Path(folder) / f"{number:05d}.parquet"
            aws.client("s3").download_file(bucket, file.key, str(path))
            paths.append(path)
        yield paths


def _earlier_counts(context: dg.AssetCheckExecutionContext, source: str) -> list[tuple[int, int]]:
    """(rows in, quarantined) of the newest transforms of up to seven days before this one."""
    dt = partition_date(context).isoformat()
    page = context.instance.fetch_materializations(asset_keys.archive_key(QUARANTINED_ROWS), limit=200)
    newest: dict[str, tuple[int, int]] = {}
    for record in page.records:
        found = record.asset_materialization
        if found is None or found.partition is None or found.partition >= dt or found.partition in newest:
            continue
        metadata = found.metadata
        if metadata.get(metadata_names.SOURCE_NAME) != dg.MetadataValue.text(source):
            continue
        rows_in, out = metadata.get(metadata_names.ROWS_IN), metadata.get(metadata_names.ROWS_OUT)
        if rows_in is not None and out is not None:
            newest[found.partition] = (int(str(rows_in.value)), int(str(out.value)))
    return [newest[day] for day in sorted(newest, reverse=True)[:EARLIER_DAYS]]
