"""Quarantine: keeps a refused object with its reason, and sends one alert about it. Idempotent.

`reason.json` is created once; whoever creates it sends the alert.
"""

import json
from typing import Any

from movie_platform.bundles.bundle_error import BundleError, printable
from movie_platform.bundles.manifest_json import dump_json
from movie_platform.lambdas import answers, aws_calls
from movie_platform.lambdas.answers import Answer
from movie_platform.lambdas.landed import LandedBundle

REASON_NAME = "reason.json"
BUNDLE_NAME = "bundle.zip"
_ALERT_KIND = "quarantined_bundle"
# SNS wants fewer than 100 ASCII characters.
_SUBJECT_CHARACTERS = 99


def earlier_refusal(bundle: LandedBundle) -> Answer | None:
    """The answer of the call that put this very object into quarantine, None where there was none."""
    prefix = bundle.quarantine_prefix
    reason = aws_calls.read_document(bundle.config.processed_bucket, f"{prefix}{REASON_NAME}")
    return None if reason is None else answers.quarantined_answer(reason, prefix, already_done=True)


def quarantine(bundle: LandedBundle, error: BundleError) -> Answer:
    """Keeps a refused object with its reason; the one call that creates the reason sends the alert."""
    bucket, prefix = bundle.config.processed_bucket, bundle.quarantine_prefix
    reason = _reason(bundle, error)
    aws_calls.copy(bundle, bucket, f"{prefix}{BUNDLE_NAME}")
    created = aws_calls.create(bucket, f"{prefix}{REASON_NAME}", dump_json(reason))
    if created:
        _alert_or_take_back(bundle, error)
    else:
        reason = aws_calls.read_document(bucket, f"{prefix}{REASON_NAME}") or reason
    return answers.quarantined_answer(reason, prefix, already_done=not created)


def _reason(bundle: LandedBundle, error: BundleError) -> dict[str, Any]:
    """`reason.json`: the fault, and which object has it, as far as its key and its manifest say."""
    place = bundle.place
    return {
        "format_version": answers.DOCUMENT_VERSION,
        **error.to_dict(),
        "landing": bundle.landing,
        "source": place.source if place else None,
        "dt": place.dt.isoformat() if place else None,
        "batch_id": bundle.claimed.batch_id if bundle.claimed else None,
        "bundle_key": f"{bundle.quarantine_prefix}{BUNDLE_NAME}",
        "quarantined_at": answers.now(),
    }


def _alert_or_take_back(bundle: LandedBundle, error: BundleError) -> None:
    """Sends the alert; where that fails, whoever repeats the call must find it still to be sent."""
    bucket, reason_key = bundle.config.processed_bucket, f"{bundle.quarantine_prefix}{REASON_NAME}"
    try:
        aws_calls.publish_alert(
            bundle.config.alert_topic_arn,
            f"Movie Platform: bundle refused ({error.code.value})"[:_SUBJECT_CHARACTERS],
            json.dumps(_alert(bundle, error, f"s3://{bucket}/{reason_key}"), ensure_ascii=False),
            _ALERT_KIND,
        )
    except Exception:
        aws_calls.delete(bucket, reason_key)
        raise


def _alert(bundle: LandedBundle, error: BundleError, where: str) -> dict[str, str]:
    return {
        "kind": _ALERT_KIND,
        "what": f"s3://{bundle.landed.bucket}/{printable(bundle.key, 1200)} was refused and is in quarantine.",
        "why": printable(str(error), 3000),
        "where": printable(where, 1500),
        "next": (
            "Nothing downstream has changed. `movie-platform bundle verify FILE` shows the fault; have the "
            "producer send a corrected bundle under a new batch id."
        ),
        "at": answers.now(),
    }
