"""How a failure of the domain becomes a failed step: explained, with evidence, and retried only where that can help."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from movie_platform.errors import PlatformError

# For transient errors: a throttled service, a lost connection. Everything else fails at once.
TRANSIENT_RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

_CLIENT_LIBRARIES = frozenset({"boto3", "botocore", "s3transfer", "snowflake", "urllib3", "requests"})


@contextmanager
def as_step_failure(
    *, transient: tuple[type[Exception], ...] = (), typed: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Turns explained errors into `dg.Failure`s.

    A PlatformError, and an error of a type in `typed` (the bundles' and the sources' own), fails the step for good,
    unless its type is in `transient` or it says of itself that it is `retryable`. Of all other errors those of the
    network and of the clients pass unchanged, and the step's retry policy applies to them; what is left is a fault
    of the code, which fails it for good.
    """
    try:
        yield
    except (PlatformError, *typed) as error:
        retry = isinstance(error, transient) or getattr(error, "retryable", False)
        raise _failure(error, allow_retries=retry) from error
    except dg.Failure:
        raise
    except Exception as error:
        if _is_transient(error):
            raise
        raise _failure(error, allow_retries=False) from error


def _is_transient(error: Exception) -> bool:
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError) or library in _CLIENT_LIBRARIES


def _failure(error: Exception, *, allow_retries: bool) -> dg.Failure:
    metadata: dict[str, dg.MetadataValue] = {}
    for name in ("code", "next_step", "log_tail"):
        value = getattr(error, name, None)
        if value:
            text = str(getattr(value, "value", value))
            metadata[name] = (
                dg.MetadataValue.md(f"```\n{text}\n```")
                if name == "log_tail"
                else dg.MetadataValue.text(text)
            )
    known = hasattr(error, "code")
    description = str(error) if known else f"{type(error).__name__}: {error}"
    return dg.Failure(description=description, metadata=metadata, allow_retries=allow_retries)
