"""How a failure of the domain becomes a failed step: explained, with evidence, and retried only where that can help."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from movie_platform.errors import PlatformError

# For what heals by itself: a throttled service, a lost connection. Everything else fails at once.
HEALING_RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


@contextmanager
def explained(*, heals: tuple[type[Exception], ...] = (), permanent: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turns explained errors into `dg.Failure`s.

    A PlatformError fails the step for good unless its type is in `heals`. Errors of a type in `permanent`, which are
    not PlatformErrors (the bundles' own, for example), fail it for good too. All others pass unchanged, and the
    step's retry policy applies to them.
    """
    try:
        yield
    except PlatformError as error:
        raise _failure(error, allow_retries=isinstance(error, heals)) from error
    except permanent as error:
        raise _failure(error, allow_retries=False) from error


def _failure(error: Exception, *, allow_retries: bool) -> dg.Failure:
    metadata: dict[str, dg.MetadataValue] = {}
    for name in ("code", "next_step", "log_tail"):
        value = getattr(error, name, None)
        if value:
            text = str(getattr(value, "value", value))
            metadata[name] = dg.MetadataValue.md(f"```\n{text}\n```") if name == "log_tail" else dg.MetadataValue.text(text)
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=allow_retries)
