"""Which alert a failure deserves: pure decisions. The sensors gather the facts and send what these return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from movie_platform.automation.arrivals import MAX_ATTEMPTS
from movie_platform.graph import tag_names
from movie_platform.resources.alerts import Alert

# Dagster sets it on a failed run that its own run retries will start again.
WILL_RETRY = "dagster/will_retry"
PARTITION = "dagster/partition"


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that failed, with the first cause of it."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A blocking check that did not pass."""

    asset: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class FailedRun:
    """What an alert about a failed run is decided and written from."""

    run_id: str
    job_name: str
    tags: Mapping[str, str]
    message: str
    steps: Sequence[FailedStep]
    checks: Sequence[FailedCheck]


def alert_for_failed_run(run: FailedRun, *, max_attempts: int = MAX_ATTEMPTS) -> Alert | None:
    """The one message about a failed run; None where another attempt follows or somebody else has told already.

    A quarantined bundle is told by the function that refused it. A run that will be tried again, by Dagster's run
    retries or by the arrival sensor, is told when the last attempt has failed.
    """
    if run.tags.get(tag_names.OUTCOME) == tag_names.OUTCOME_QUARANTINED:
        return None
    if run.tags.get(WILL_RETRY, "").lower() == "true":
        return None
    attempt = run.tags.get(tag_names.ATTEMPT)
    if attempt is not None and attempt.isdigit() and int(attempt) < max_attempts:
        return None
    day = run.tags.get(PARTITION, "no partition")
    about = f"{day}, source {run.tags[tag_names.SOURCE]}" if tag_names.SOURCE in run.tags else day
    where = f"Dagster run {run.run_id} of job {run.job_name} ({about})"
    if run.tags.get(tag_names.BUNDLE_KEY):
        where += f"; bundle {run.tags[tag_names.BUNDLE_KEY]}"
    if run.checks:
        names = ", ".join(f"{check.asset}:{check.name}" for check in run.checks)
        return Alert(
            kind="check_failed",
            what=f"Checks failed for {about}: {names}",
            why="; ".join(f"{check.name}: {check.description}" for check in run.checks),
            where=where,
            next="Open the check's evaluation in the Dagster UI: it lists offenders and what to do.",
        )
    return Alert(
        kind="run_failed",
        what=f"Run of {run.job_name} failed for {about}",
        why="; ".join(f"{step.key}: {step.message}" for step in run.steps) or run.message,
        where=where,
        next="Read the failed step's log in the Dagster UI, mend the cause, and re-execute the run from failure.",
    )


def turned_to_fail(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The assets whose freshness is FAIL now and was not before, in order of their names."""
    return sorted(asset for asset, state in now.items() if state == "FAIL" and before.get(asset) != "FAIL")


def alert_for_stale_asset(asset: str, window: str) -> Alert:
    """The message about an asset that missed its freshness policy."""
    return Alert(
        kind="freshness_failed",
        what=f"{asset} is stale",
        why=f"No load of it succeeded within {window}.",
        where=f"Asset {asset} in the Dagster UI",
        next="See whether extract_daily ran, its bundle landed, and the runs of process_landed_bundle succeeded.",
    )
