"""When a request is sent again, and after how long: decisions without I/O."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from movie_platform.sources.source_errors import SourceError

# Longer than this nobody waits within a run: the next run does better.
LONGEST_PAUSE_SECONDS = 120.0
_RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


class Again(Exception):  # noqa: N818 - not an error: it says what to do
    """A request failed in a way that may heal. `final` is the error when it does not; `pause` what was asked for."""

    def __init__(self, final: SourceError, pause: float | None = None) -> None:
        super().__init__(final.message)
        self.final = final
        self.pause = pause


def may_heal(status: int) -> bool:
    """Whether a request that was answered with this status may be answered otherwise a little later."""
    return status in _RETRIED_STATUSES


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number of seconds or an HTTP date (RFC 9110, 10.2.3).

    None where there is none or it means nothing; never negative.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # More digits than any date has; and Python refuses to convert thousands of them.
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from `first` seconds up to `longest`, with jitter so that clients do not return together."""

    first: float
    longest: float = 30.0

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds before the attempt after `attempt` (from 1); never less than the server `asked` for."""
        if asked is not None:
            return asked + random.uniform(0, self.first)  # noqa: S311 - not for secrets
        ceiling = min(self.longest, self.first * 2.0 ** min(attempt - 1, 30))
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - not for secrets
