"""Checks of a bundle at each place where it lies: as an extract, as a ZIP in landing, as unpacked files.

The rules are those of `movie_platform.bundles`, which the Lambda applies too. A fault fails the claim that it belongs
to; the other claims are then reported as not examined, which fails them as well, because nothing vouches for them.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import dagster as dg

from movie_platform.assets.batches import add_run_tags, batch_of, landed_bundle, run_tags
from movie_platform.assets.failures import as_step_failure
from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.manifest import Manifest
from movie_platform.bundles.read import ZipReader, read_manifest
from movie_platform.bundles.verify import verify, verify_folder
from movie_platform.checks.results import Finding, check_result
from movie_platform.graph import asset_keys, tag_names
from movie_platform.graph.partitions import partition_date
from movie_platform.resources.aws import AwsResource
from movie_platform.resources.extracts import ExtractStore
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.unpack import UnpackFunction
from movie_platform.settings import Settings

# Gives a file of a bundle, by its path in the bundle, as a file on disk for as long as the context lasts.
LocalPath = Callable[[str], AbstractContextManager[Path]]
COPY_BYTES = 2**20

MANIFEST_IS_VALID = "manifest_is_valid"
FILES_MATCH_MANIFEST = "files_match_manifest"
ROW_COUNTS_MATCH_MANIFEST = "row_counts_match_manifest"
COLUMNS_MATCH_CONTRACT = "columns_match_contract"
CSV_AND_PARQUET_AGREE = "csv_and_parquet_agree"

CLAIMS: Mapping[str, str] = {
    MANIFEST_IS_VALID: "The manifest is there and keeps the rules of the format.",
    FILES_MATCH_MANIFEST: "Exactly the files that the manifest names, with its sizes and SHA-256 sums.",
    ROW_COUNTS_MATCH_MANIFEST: "As many rows in each file as the manifest says.",
    COLUMNS_MATCH_CONTRACT: "The columns of each file are those of the manifest, and all are of the contract.",
    CSV_AND_PARQUET_AGREE: "CSV and Parquet hold the same rows.",
}

# Which claim a fault of the format breaks; what is not named here concerns the files.
_CLAIM_OF_CODE = {
    "missing_manifest": MANIFEST_IS_VALID,
    "manifest_not_json": MANIFEST_IS_VALID,
    "unknown_format_version": MANIFEST_IS_VALID,
    "manifest_invalid": MANIFEST_IS_VALID,
    "batch_id_invalid": MANIFEST_IS_VALID,
    "parts_inconsistent": MANIFEST_IS_VALID,
    "source_mismatch": MANIFEST_IS_VALID,
    "partition_mismatch": MANIFEST_IS_VALID,
    "row_count_mismatch": ROW_COUNTS_MATCH_MANIFEST,
    "columns_not_in_contract": COLUMNS_MATCH_CONTRACT,
    "columns_mismatch": COLUMNS_MATCH_CONTRACT,
}
_NEXT_STEP = "have the producer mend and send the bundle again; docs/bundle-format.md has the rules"


def build_bundle_checks(settings: Settings, default_source: str) -> list[dg.AssetChecksDefinition]:
    """The blocking checks of raw_extract, zipped_bundle and unzipped_files."""
    return [
        _extract_checks(default_source),
        _zip_checks(default_source),
        _processed_checks(settings, default_source),
    ]


def _specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=asset, description=claim, blocking=True)
        for name, claim in CLAIMS.items()
    ]


def _extract_checks(default_source: str) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name="raw_extract_checks",
        specs=[
            dg.AssetCheckSpec(
                MANIFEST_IS_VALID,
                asset=asset_keys.RAW_EXTRACT,
                description=CLAIMS[MANIFEST_IS_VALID],
                blocking=True,
            )
        ],
    )
    def raw_extract_checks(
        context: dg.AssetCheckExecutionContext, extracts: ExtractStore, landing: LandingZone
    ) -> dg.AssetCheckResult:
        present = run_tags(context)
        source, batch_id = present.get(tag_names.SOURCE, default_source), present.get(tag_names.BATCH_ID)
        try:
            with as_step_failure():
                if batch_id is None:
                    # The bundle of the date is replayed, or the check is run by itself.
                    manifest = landing.manifest(landed_bundle(context, landing, default_source))
                else:
                    with extracts.fetch(source, partition_date(context), batch_id) as folder:
                        manifest = read_manifest(folder)
        except BundleError as error:
            return check_result(asset_keys.RAW_EXTRACT, MANIFEST_IS_VALID, _broken(error))
        return check_result(asset_keys.RAW_EXTRACT, MANIFEST_IS_VALID, _holds(manifest)[MANIFEST_IS_VALID])

    return raw_extract_checks


def _zip_checks(default_source: str) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name="zipped_bundle_checks", specs=_specs(asset_keys.ZIPPED_BUNDLE))
    def zipped_bundle_checks(
        context: dg.AssetCheckExecutionContext,
        aws: AwsResource,
        landing: LandingZone,
        unpacker: UnpackFunction,
    ) -> Iterator[dg.AssetCheckResult]:
        with as_step_failure():
            bundle = landed_bundle(context, landing, default_source)
        with tempfile.NamedTemporaryFile(prefix="bundle-", suffix=".zip") as file:
            aws.client("s3").download_fileobj(bundle.bucket, bundle.key, file)
            stream = cast("BinaryIO", file)
            try:
                verified = verify(stream, expected_source=bundle.source, expected_dt=bundle.dt)
            except BundleError as error:
                # The function's word is the official one: it quarantines, whether or not S3's event reached it.
                with as_step_failure():
                    answer = unpacker.unpack(bundle.bucket, bundle.key, bundle.etag)
                if answer.status == "quarantined":
                    add_run_tags(context, {tag_names.OUTCOME: tag_names.OUTCOME_QUARANTINED})
                yield from _refused(asset_keys.ZIPPED_BUNDLE, error)
                return
            reader = ZipReader(stream, dict(verified.entries))
            yield from _accepted(asset_keys.ZIPPED_BUNDLE, verified.manifest, partial(_unzipped, reader))

    return zipped_bundle_checks


def _processed_checks(settings: Settings, default_source: str) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name="unzipped_files_checks", specs=_specs(asset_keys.UNZIPPED_FILES))
    def unzipped_files_checks(
        context: dg.AssetCheckExecutionContext,
        aws: AwsResource,
        landing: LandingZone,
        unpacker: UnpackFunction,
    ) -> Iterator[dg.AssetCheckResult]:
        with as_step_failure():
            bundle = landed_bundle(context, landing, default_source)
            _, verified_key = batch_of(context, bundle, unpacker)
        s3, bucket = aws.client("s3"), settings.bucket("processed")
        marker = json.loads(s3.get_object(Bucket=bucket, Key=str(verified_key))["Body"].read())
        with tempfile.TemporaryDirectory(prefix="processed-", ignore_cleanup_errors=True) as temporary:
            folder = Path(temporary)
            prefix = str(verified_key).rsplit("/", 1)[0] + "/"
            for key in (marker["manifest_key"], *(file["key"] for file in marker["files"])):
                target = folder / key.removeprefix(prefix)
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, key, str(target))
            try:
                manifest = verify_folder(folder, expected_source=bundle.source, expected_dt=bundle.dt)
            except BundleError as error:
                yield from _refused(asset_keys.UNZIPPED_FILES, error)
                return
            yield from _accepted(asset_keys.UNZIPPED_FILES, manifest, lambda path: nullcontext(folder / path))

    return unzipped_files_checks


@contextmanager
def _unzipped(reader: ZipReader, path: str) -> Iterator[Path]:
    """An entry of a ZIP as a file of its own: Parquet is read from its end, which a ZIP's stream cannot."""
    with tempfile.NamedTemporaryFile(prefix="entry-") as file:
        with reader.open(path) as entry:
            shutil.copyfileobj(entry, file, COPY_BYTES)
        file.flush()
        yield Path(file.name)


def _accepted(key: dg.AssetKey, manifest: Manifest, local_path: LocalPath) -> Iterator[dg.AssetCheckResult]:
    """The five claims about a bundle whose every byte was verified."""
    for name, finding in _holds(manifest).items():
        yield check_result(key, name, finding)
    yield check_result(key, CSV_AND_PARQUET_AGREE, agreement(manifest, local_path))


def _refused(key: dg.AssetKey, error: BundleError) -> Iterator[dg.AssetCheckResult]:
    broken = _CLAIM_OF_CODE.get(error.code.value, FILES_MATCH_MANIFEST)
    for name in CLAIMS:
        if name == broken:
            yield check_result(key, name, _broken(error))
        else:
            summary = f"Not examined: the bundle was refused ({error.code.value})."
            yield check_result(key, name, Finding(passed=False, summary=summary, next_step=_NEXT_STEP))


def _broken(error: BundleError) -> Finding:
    return Finding(
        passed=False,
        summary=f"{error.code.value}: {error.message}",
        counts={"faults": 1},
        offenders=[{"entry": error.entry, "code": error.code.value, "message": error.message}],
        next_step=_NEXT_STEP,
    )


def _holds(manifest: Manifest) -> dict[str, Finding]:
    """What the verification found, as one finding a claim. It ended without a fault, so each holds."""
    rows = {"rows": manifest.row_count, "rejected": manifest.rejected_count}
    return {
        MANIFEST_IS_VALID: _held(
            f"Batch {manifest.batch_id} of {manifest.source.name} for {manifest.dt}.", rows
        ),
        FILES_MATCH_MANIFEST: _held(
            f"{len(manifest.files)} files, sizes and SHA-256 sums as the manifest says.",
            {"files": len(manifest.files), "bytes": sum(file.bytes for file in manifest.files)},
        ),
        ROW_COUNTS_MATCH_MANIFEST: _held(f"{manifest.row_count} rows in the files of each format.", rows),
        COLUMNS_MATCH_CONTRACT: _held(
            f"{len(manifest.columns)} columns, all of the contract.",
            {"columns": len(manifest.columns)},
        ),
    }


def _held(summary: str, counts: Mapping[str, int]) -> Finding:
    return Finding(passed=True, summary=summary, counts=counts)


def agreement(manifest: Manifest, local_path: LocalPath) -> Finding:
    """Whether the CSV and the Parquet file of each part hold the same rows, and the manifest's number of them."""
    # Not at the top: it imports pyarrow, and the definitions must load quickly.
    from movie_platform.bundle_writing.compare import compare_csv_with_parquet

    parquet = {file.part: file for file in manifest.files_of("parquet")}
    rows = differing = 0
    offenders: list[dict[str, str | int | float | bool | None]] = []
    pairs = [(file, parquet[file.part]) for file in manifest.files_of("csv") if file.part in parquet]
    for csv_file, parquet_file in pairs:
        with local_path(csv_file.path) as csv_path, local_path(parquet_file.path) as parquet_path:
            found = compare_csv_with_parquet(csv_path, parquet_path)
        rows += found.csv_rows
        differing += found.differing_values
        offenders += [
            {
                "part": csv_file.part,
                "row": one.row,
                "column": one.column,
                "csv": one.csv,
                "parquet": one.parquet,
            }
            for one in found.sample
        ]
        if not found.agree and not found.sample:
            differing += 1
            shapes = (
                f"{found.csv_rows} rows of {found.csv_columns}",
                f"{found.parquet_rows} of {found.parquet_columns}",
            )
            offenders.append(
                {"part": csv_file.part, "row": None, "column": None, "csv": shapes[0], "parquet": shapes[1]}
            )
    if not pairs:
        return _held("The bundle holds no part in both formats: there is nothing to compare.", {"rows": 0})
    return Finding(
        passed=differing == 0,
        summary=f"{rows} rows in {len(pairs)} parts compared, {differing} values differ",
        counts={"rows": rows, "differing_values": differing},
        offenders=offenders,
        next_step="the producer's two writers disagree: docs/bundle-format.md says how null and line ends are compared",
    )
