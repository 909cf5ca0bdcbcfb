"""Arguments of a job run as Glue merges and passes them. Pure.

Rules: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# What Glue itself consumes; the script does not see it.
_CONSUMED = frozenset(
    {
        "--additional-python-modules",
        "--class",
        "--conf",
        "--customer-driver-env-vars",
        "--customer-executor-env-vars",
        "--datalake-formats",
        "--extra-files",
        "--extra-jars",
        "--extra-py-files",
        "--job-language",
        "--python-modules-installer-option",
        "--scriptLocation",
        "--spark-event-logs-path",
        "--user-jars-first",
        "--use-postgres-driver",
    }
)
_CONSUMED_PREFIXES = ("--enable-", "--continuous-log-", "--custom-log")

_S3_URI = re.compile(r"s3[an]?://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class S3Location:
    """A bucket and a key (or a prefix; empty for the whole bucket)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def parse_s3_uri(text: str) -> S3Location | None:
    """The location that an `s3://`, `s3a://` or `s3n://` URI names; None for any other text."""
    match = _S3_URI.fullmatch(text)
    return None if match is None else S3Location(match["bucket"], match["key"] or "")


def merge(defaults: Mapping[str, str], run: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, str]:
    """The arguments of a run: its own replace the job's defaults, and the job's fixed ones replace both."""
    return {**defaults, **run, **fixed}


def command_line(arguments: Mapping[str, str], *, job_name: str, run_id: str) -> list[str]:
    """What the script finds in `sys.argv[1:]`: Glue's own arguments first, then the others in their order."""
    passed = {"--JOB_NAME": job_name, "--JOB_RUN_ID": run_id}
    passed.update(
        {
            name: value
            for name, value in arguments.items()
            if name not in _CONSUMED and not name.startswith(_CONSUMED_PREFIXES)
        }
    )
    return [part for item in passed.items() for part in item]


def listed(arguments: Mapping[str, str], name: str) -> list[str]:
    """The values of an argument that holds several, separated by commas."""
    return [part.strip() for part in arguments.get(name, "").split(",") if part.strip()]


def spark_options(arguments: Mapping[str, str]) -> dict[str, str]:
    """The Spark properties in `--conf`, where several are written `a=1 --conf b=2`, as Glue has it.

    Raises `ValueError` for a part that is no `name=value`.
    """
    options: dict[str, str] = {}
    for part in re.split(r"\s+--conf\s+", arguments.get("--conf", "").strip()):
        if part:
            name, separator, value = part.partition("=")
            if not separator or not re.fullmatch(r"[A-Za-z0-9._-]+", name) or "\n" in value:
                raise ValueError(f"--conf: {part!r} is not name=value")
            options[name] = value
    return options


def output_buckets(arguments: Mapping[str, str]) -> frozenset[str]:
    """The buckets that the run writes to: those in arguments whose names start with `--output`."""
    found = (parse_s3_uri(value) for name, value in arguments.items() if name.startswith("--output"))
    return frozenset(location.bucket for location in found if location is not None)
