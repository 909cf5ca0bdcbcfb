"""The platform's stages, each called as its asset calls it: same functions, same resources, same order.

The functions take and return plain values, so that `usage.in_own_process` can carry them to a process of their own.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from movie_platform.bench.home import local_settings
from movie_platform.build import build_resources
from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundle_writing.zipping import write_zip
from movie_platform.bundles.manifest import SourceInfo
from movie_platform.bundles.read import FolderReader
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.locations import archive_prefix, landing_prefix, version_name
from movie_platform.errors import PlatformError
from movie_platform.resources.landing_bucket import LandedBundle
from movie_platform.resources.transform import FINAL_STATES, VERIFIED_URI, TransformRecord
from movie_platform.resources.unpack import UnpackAnswer
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.waiting import Deadline, Pauses, wait_for

_TRANSFORM_MINUTES = 120


class StageError(PlatformError):
    """A stage of the platform did not end as it should: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What the extract stage wrote; `bytes` counts CSV, Parquet and rejected rows."""

    folder: Path
    source: str
    batch_id: str
    rows: int
    rejected: int
    bytes: int


def extract(home: Path, profile_file: Path, dt: date, extracted_at: datetime) -> Extracted:
    """Reads the source and writes CSV, Parquet and manifest where extracts are kept."""
    settings = local_settings(home)
    extracts = build_resources(settings)["extracts"]
    profile = load_profile(str(profile_file), settings=settings)
    source = open_source(profile, settings=settings)
    with extracts.workspace() as workspace:
        folder = workspace / "extract"
        manifest = write_extract(
            source.batches(dt, None),
            folder,
            dt=dt,
            source=SourceInfo(profile.name, profile.kind, source.describe()),
            load_type=profile.load_type,
            extracted_at=extracted_at,
            columns=source.columns(),
            next_cursor=source.next_cursor,
        )
        kept = extracts.keep(folder, profile.name, dt, manifest.batch_id)
    return Extracted(
        Path(kept),
        profile.name,
        manifest.batch_id,
        manifest.row_count,
        manifest.rejected_count,
        sum(file.bytes for file in manifest.files),
    )


def bundle(home: Path, extracted: Extracted, dt: date) -> LandedBundle:
    """Zips an extract straight into the landing bucket."""
    resources = build_resources(local_settings(home))
    key = f"{landing_prefix(extracted.source, dt)}{extracted.batch_id}.zip"
    with (
        resources["extracts"].fetch(extracted.source, dt, extracted.batch_id) as folder,
        resources["landing"].writer(key) as stream,
    ):
        write_zip(FolderReader(folder), stream)
    return resources["landing"].describe(key)


def unpack(home: Path, landed: LandedBundle) -> UnpackAnswer:
    """Invokes the deployed Lambda function, which the landed object's event has invoked too."""
    answer = build_resources(local_settings(home))["unpacker"].unpack(landed.bucket, landed.key, landed.etag)
    if answer.status != "verified":
        raise StageError("bundle_refused", f"{landed.uri} is {answer.status}: {answer.reason}")
    return answer


def transform(home: Path, answer: UnpackAnswer) -> TransformRecord:
    """Runs the deployed Glue job on a verified batch and waits for its end."""
    settings = local_settings(home)
    resources = build_resources(settings)
    glue = resources["aws"].client("glue")
    verified = f"s3://{settings.bucket('processed')}/{answer.verified_key}"
    started = glue.start_job_run(
        JobName=settings.glue_job_name, Timeout=_TRANSFORM_MINUTES, Arguments={VERIFIED_URI: verified}
    )["JobRunId"]

    def ended() -> Any:
        run = glue.get_job_run(JobName=settings.glue_job_name, RunId=started)["JobRun"]
        return run if run["JobRunState"] in FINAL_STATES else None

    # The job's own timeout ends the wait.
    run = wait_for(ended, f"Glue job run {started}", deadline=Deadline.never(), pauses=Pauses.steady(0.2))
    if run["JobRunState"] != "SUCCEEDED":
        raise StageError(
            "transform_failed",
            f"Glue job run {started} ended {run['JobRunState']}: {run.get('ErrorMessage')}",
            f"see {home / 'logs'}",
        )
    assert answer.source is not None
    assert answer.dt is not None
    assert answer.batch_id is not None
    return resources["transformer"].newest_record(answer.source, answer.dt, answer.batch_id)


def load(home: Path, record: TransformRecord) -> dict[str, int]:
    """Waits for Snowpipe, table after table, as the assets do; the rows loaded by table."""
    loader = build_resources(local_settings(home))["loader"]
    # There is no run whose log could be used.
    log: Any = dg.build_asset_context().log
    version = version_name(record.batch_id, record.transform_id)
    loaded: dict[str, int] = {}
    for table in ARCHIVE_TABLES:
        evidence = loader.wait(
            table,
            record.files[table.name],
            archive_prefix(table.name, record.source, record.dt, version),
            datetime.fromisoformat(record.transformed_at),
            log=log,
            run_id="bench",
        )
        loaded[table.name] = sum(evidence.loaded.values())
    expected = {table.name: record.rows[table.name] for table in ARCHIVE_TABLES}
    if loaded != expected:
        raise StageError("rows_missing", f"the warehouse has {loaded}, the archive {expected}")
    return loaded


def download_archive(home: Path, record: TransformRecord, folder: Path) -> dict[str, list[Path]]:
    """The transform's Parquet files by table, copied into `folder`, for tools that know no S3."""
    settings = local_settings(home)
    s3 = build_resources(settings)["aws"].client("s3")
    found: dict[str, list[Path]] = {}
    for table, files in record.files.items():
        for file in files:
            if not file.key.endswith(".parquet"):
                continue
            target = folder / Path(file.key).name
            s3.download_file(settings.bucket("archive"), file.key, str(target))
            found.setdefault(table, []).append(target)
    return found
