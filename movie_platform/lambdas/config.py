"""The function's configuration: the environment variables that the deployment sets. Nothing else reads
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from movie_platform.bundles.limits import Limits

_LIMIT_PREFIX = "BUNDLE_LIMIT_"


class UnpackConfigError(Exception):
    """The function was deployed with a missing or malformed variable."""


@dataclass(frozen=True, slots=True)
class UnpackConfig:
    """Where the function publishes and alerts, and what it accepts."""

    processed_bucket: str
    alert_topic_arn: str
    limits: Limits


def read_config(environment: Mapping[str, str]) -> UnpackConfig:
    """The configuration in `environment`: PROCESSED_BUCKET, ALERT_TOPIC_ARN and, optionally, limits.

    Each field of `Limits` can be set by a variable `BUNDLE_LIMIT_<FIELD>`, for example
    BUNDLE_LIMIT_BUNDLE_BYTES. Raises UnpackConfigError.
    """
    limits: dict[str, int] = {}
    for field in fields(Limits):
        name = f"{_LIMIT_PREFIX}{field.name.upper()}"
        text = environment.get(name)
        if text is not None:
            if not text.isascii() or not text.isdigit() or int(text) == 0:
                raise UnpackConfigError(f"{name} must be a whole number above 0, not {text!r}.")
            limits[field.name] = int(text)
    return UnpackConfig(
        _required(environment, "PROCESSED_BUCKET"),
        _required(environment, "ALERT_TOPIC_ARN"),
        Limits(**limits),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise UnpackConfigError(f"{name} is not set: deploy the function with `movie-platform provision`.")
    return value
