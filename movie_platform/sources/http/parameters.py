"""What a profile may say of any HTTP API: where it is, how fast and how patiently it is asked. Values only."""

import ipaddress
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from movie_platform.sources.profile import SourceParameters
from movie_platform.sources.secrets import SecretReference


class HttpParameters(SourceParameters):
    """The keys that profiles of all APIs have: the address, the rate, how patiently it is asked, what is kept."""

    base_url: str = Field(description="Address that all requests begin with.")
    requests_per_second: float = Field(gt=0, le=1000)
    concurrency: int = Field(ge=1, le=64, description="Requests under way at a time.")
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="For one request, whole.")
    attempts: int = Field(default=6, ge=1, le=20, description="How often one request is sent at most.")
    backoff_seconds: float = Field(default=0.5, gt=0, le=60, description="First pause; each next is double.")
    cache_hours: float = Field(
        default=24, ge=0, le=168, description="How long an answer is used again; 0: never."
    )
    cache_gigabytes: float = Field(default=10, gt=0, description="Size at which the oldest answers go.")

    @property
    def credential(self) -> SecretReference:
        """Where the secret lies that goes with each request; each API calls it by a name of its own."""
        raise NotImplementedError

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return checked_base_url(value)


def checked_base_url(value: str) -> str:
    """The address without a slash at its end.

    Raises ValueError for one that is not http(s), holds a secret, a query or a fragment, or would send the
    credentials in clear over a network: http is for this machine alone.
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a secret is written into the address; name it in its own key instead")
    if parts.query or parts.fragment:
        raise ValueError("an address ends with its path; it has no query")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(
            "http would send the credentials unprotected; use https (http is for this machine alone)"
        )
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
