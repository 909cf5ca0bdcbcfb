"""The run that processes a bundle that landed: its job, partition and tags, whoever asks for it."""

from dataclasses import dataclass

from movie_platform.automation.arrivals import Arrival
from movie_platform.automation.jobs import PROCESS_LANDED_BUNDLE
from movie_platform.graph import tag_names


@dataclass(frozen=True, slots=True)
class ProcessingRequest:
    """What to execute. Runs with these tags keep the arrival sensor from asking for another."""

    job_name: str
    partition_key: str
    tags: dict[str, str]


def processing_request(arrival: Arrival, attempt: int = 1) -> ProcessingRequest:
    """The request for an arrival; `attempt` counts from 1."""
    return ProcessingRequest(PROCESS_LANDED_BUNDLE, arrival.dt.isoformat(), processing_tags(arrival, attempt))


def processing_tags(arrival: Arrival, attempt: int) -> dict[str, str]:
    """Tags of a run that processes a bundle that landed."""
    return {
        tag_names.SOURCE: arrival.source,
        tag_names.BUNDLE_KEY: arrival.key,
        tag_names.BUNDLE_ETAG: arrival.etag,
        tag_names.ATTEMPT: str(attempt),
    }
