"""The job's arguments: read as AWS Glue gives them, through awsglue where it exists, by argparse elsewhere."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glue_scripts.job_errors import ArgumentError

_REQUIRED = ("verified_uri", "output_uri")
_OPTIONAL = ("catalog_database", "write_csv", "JOB_NAME", "JOB_RUN_ID")
# Glue's own parser adds this one by itself and refuses to be asked for it.
_RESERVED_BY_GLUE = ("JOB_RUN_ID",)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a run is told. URIs are `s3://…`; `catalog_database` None leaves the Data Catalog alone."""

    verified_uri: str
    output_bucket: str
    catalog_database: str | None = None
    write_csv: bool = False
    job_run_id: str | None = None


def read_arguments(argv: Sequence[str]) -> Arguments:
    """The arguments of a command line (`argv[0]` is the script); unknown ones are ignored. Raises ArgumentError."""
    given = {argument.split("=", 1)[0] for argument in argv[1:]}
    wanted = [name for name in (*_REQUIRED, *_OPTIONAL) if f"--{name}" in given]
    missing = [f"--{name}" for name in _REQUIRED if name not in wanted]
    if missing:
        raise ArgumentError(f"The job needs the arguments {' and '.join(missing)}; start it with both.")
    try:
        from awsglue.utils import getResolvedOptions  # pyright: ignore[reportMissingImports] - exists on AWS Glue only
    except ImportError:
        values = _parse(argv[1:], wanted)
    else:
        values = getResolvedOptions(list(argv), [name for name in wanted if name not in _RESERVED_BY_GLUE])
    return _checked(values)


def _parse(argv: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    for name in names:
        parser.add_argument(f"--{name}")
    return vars(parser.parse_known_args(argv)[0])


def _checked(values: Mapping[str, str | None]) -> Arguments:
    verified_uri, output_uri = str(values["verified_uri"]), str(values["output_uri"])
    output_bucket = output_uri.removeprefix("s3://").rstrip("/")
    if not verified_uri.startswith("s3://") or "/" not in verified_uri.removeprefix("s3://"):
        raise ArgumentError(
            f"--verified_uri is {verified_uri!r}; give s3://<bucket>/<key of _VERIFIED.json>."
        )
    if not output_uri.startswith("s3://") or not output_bucket or "/" in output_bucket:
        raise ArgumentError(f"--output_uri is {output_uri!r}; give s3://<archive bucket>, without a prefix.")
    write_csv = str(values.get("write_csv") or "false").lower()
    if write_csv not in ("true", "false"):
        raise ArgumentError(f"--write_csv is {write_csv!r}; give true or false.")
    return Arguments(
        verified_uri=verified_uri,
        output_bucket=output_bucket,
        catalog_database=values.get("catalog_database") or None,
        write_csv=write_csv == "true",
        job_run_id=values.get("JOB_RUN_ID") or None,
    )
