"""A bundle that somebody hands over: where it belongs in the landing bucket, and processing it as the
sensor would.
"""

import json
import re
import time
import zipfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from movie_platform.contracts.locations import (
    BATCH_ID,
    SOURCE_NAME,
    LandingKey,
    parse_landing_key,
)
from movie_platform.errors import ConfigurationError, PlatformError

if TYPE_CHECKING:
    import dagster as dg

    from movie_platform.automation.arrivals import Arrival
    from movie_platform.runs.pipeline import OnEvent
    from movie_platform.runs.result import RunReport
    from movie_platform.settings import Settings

# The verifier's own limit; here the manifest is only asked where the bundle belongs.
_MANIFEST_BYTES = 8 * 2**20
_NAME_CHARACTERS = 100
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What a bundle says of itself; each part is None where it does not say it readably. Nothing is
    verified.
    """

    source: str | None = None
    dt: date | None = None
    batch_id: str | None = None


def read_claim(file: IO[bytes]) -> Claim:
    """What the manifest of a ZIP claims. Whatever cannot be read claims nothing: the verifier says what is
    wrong.
    """
    try:
        with zipfile.ZipFile(file) as archive, archive.open("manifest.json") as entry:
            manifest = json.loads(entry.read(_MANIFEST_BYTES + 1))
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, EOFError, OSError, RecursionError):
        # zipfile says RuntimeError of an encrypted entry, and NotImplementedError, one of those, of a
        # strange method.
        return Claim()
    if not isinstance(manifest, dict):
        return Claim()
    source = manifest.get("source")
    name = source.get("name") if isinstance(source, dict) else None
    batch_id = manifest.get("batch_id")
    return Claim(
        source=name if isinstance(name, str) and SOURCE_NAME.fullmatch(name) else None,
        dt=_date(manifest.get("dt")),
        batch_id=batch_id if isinstance(batch_id, str) and BATCH_ID.fullmatch(batch_id) else None,
    )


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def landing_key(claim: Claim, file_name: str, *, source: str | None, dt: date | None) -> LandingKey:
    """The key for a bundle: what is given counts, then what it claims. Raises ConfigurationError without
    either.
    """
    source, dt = source or claim.source, dt or claim.dt
    if source is None or dt is None:
        missing = " and ".join(
            option for option, value in (("--source", source), ("--date", dt)) if value is None
        )
        raise ConfigurationError(
            "no_readable_manifest",
            f"{file_name} has no readable manifest that says where it belongs",
            f"Name it: {missing}.",
        )
    if not SOURCE_NAME.fullmatch(source):
        raise ConfigurationError(
            "bad_source_name",
            f"{source!r} cannot be the name of a source",
            "Small letters, digits, '-' and '_', at most 63.",
        )
    key = LandingKey(source, dt, claim.batch_id or _object_name(file_name))
    if parse_landing_key(str(key)) != key:
        raise PlatformError("bad_landing_key", f"{key} is not a landing key", "Rename the file.")
    return key


def _object_name(file_name: str) -> str:
    """A file's name without .zip, of the characters that a key may have."""
    stem = re.sub(r"\.zip$", "", file_name, flags=re.IGNORECASE)
    return (
        re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9._-]+", "-", stem))[:_NAME_CHARACTERS] or "bundle"
    )


def put_bundle(settings: "Settings", path: Path, key: LandingKey) -> "Arrival":
    """Upload a bundle as an outside producer would, in parts where it is large. Errors are boto3's own."""
    from movie_platform.automation.arrivals import Arrival
    from movie_platform.resources.aws_client import aws_client

    s3 = aws_client(settings, "s3")
    bucket = settings.bucket("landing")
    s3.upload_file(str(path), bucket, str(key), ExtraArgs={"ContentType": "application/zip"})
    head = s3.head_object(Bucket=bucket, Key=str(key))
    return Arrival(bucket, str(key), head["ETag"].strip('"'), head["ContentLength"], key.source, key.dt)


def process_arrival(
    settings: "Settings", arrival: "Arrival", *, log_level: str = "INFO", on_event: "OnEvent"
) -> "RunReport":
    """Process a bundle that landed as the sensor would, and report on the run.

    Where a run about it exists, the sensor's for example, that one is waited for and reported on; a failed
    one is tried again. Raises ConfigurationError where its date is no partition.
    """
    from movie_platform.automation.arrival_sensor import known_run
    from movie_platform.automation.jobs import PROCESS_LANDED_BUNDLE
    from movie_platform.automation.processing import processing_tags
    from movie_platform.automation.run_owner import fail_orphaned_runs
    from movie_platform.build import build_defs
    from movie_platform.runs.execute import execute_job
    from movie_platform.runs.instance import open_instance
    from movie_platform.runs.pipeline import console_logger, require_partitions
    from movie_platform.runs.records import report_of_run

    job = build_defs(settings).resolve_job_def(PROCESS_LANDED_BUNDLE)
    require_partitions(job.partitions_def, [arrival.dt], settings.first_date)
    with open_instance(settings.home) as instance:
        fail_orphaned_runs(instance)
        records = _runs_about(instance, arrival)
        while any(not known_run(record).finished for record in records):
            time.sleep(_POLL_SECONDS)
            fail_orphaned_runs(instance)
            records = _runs_about(instance, arrival)
        settled = [record for record in records if known_run(record).succeeded or known_run(record).final]
        if settled:
            run = settled[0].dagster_run
        else:
            run = execute_job(
                job,
                instance,
                partition_key=arrival.dt.isoformat(),
                run_config={"loggers": console_logger(log_level)},
                tags=processing_tags(arrival, len(records) + 1),
                on_event=on_event,
            )
        report = report_of_run(instance, run, arrival.dt)
    return report if report.status == "success" else _with_reason(settings, arrival, report)


def _runs_about(instance: "dg.DagsterInstance", arrival: "Arrival") -> "list[dg.RunRecord]":
    import dagster as dg

    from movie_platform.graph import tag_names

    about = dg.RunsFilter(tags={tag_names.BUNDLE_KEY: arrival.key, tag_names.BUNDLE_ETAG: arrival.etag})
    return list(instance.get_run_records(about))


def _with_reason(settings: "Settings", arrival: "Arrival", report: "RunReport") -> "RunReport":
    """The report with the verifier's reason where the bundle went to quarantine, unchanged otherwise."""
    from movie_platform.build import build_resources
    from movie_platform.runs.result import ErrorReport

    resources = build_resources(settings)
    reason = resources["landing"].quarantine_reason(arrival.key, arrival.etag)
    if reason is None and not any(stage.name == "unpack" for stage in report.stages):
        # A check refused it before the function had heard of it: the function's word counts, and is its to give.
        try:
            reason = resources["unpacker"].unpack(arrival.bucket, arrival.key, arrival.etag).reason
        except PlatformError:
            # The function itself failed: the run's own error says more than that.
            return report
    if reason is None:
        return report
    entry = f" ({reason['entry']})" if reason.get("entry") else ""
    return replace(
        report,
        status="quarantined",
        error=ErrorReport(str(reason["code"]), f"{reason['message']}{entry}"),
    )
