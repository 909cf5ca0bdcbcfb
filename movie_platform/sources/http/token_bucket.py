"""How many requests a rate allows when: a token bucket as arithmetic, on a clock that the caller reads."""

import math


class TokenBucket:
    """Tokens that come at `rate` a second and gather up to `burst`; it is full at the start.

    However tokens are taken, no span of T seconds sees more than `burst + rate * T` of them. Whoever wakes late loses
    none as long as no more than `burst` have gathered meanwhile. Not for several threads at once.
    """

    def __init__(self, rate: float, burst: int) -> None:
        if burst < 1 or not rate > 0 or math.isinf(1 / rate):
            raise ValueError(f"a bucket of {burst} tokens that come at {rate} a second never gives one")
        self._seconds_each = 1 / rate
        # One that has just come is there to be taken; the others are what may have gathered before.
        self._gathered_seconds = (burst - 1) * self._seconds_each
        self._full_at = -math.inf

    @property
    def ready_at(self) -> float:
        """The moment, in seconds on the caller's clock, from which a token is there."""
        return self._full_at - self._gathered_seconds

    def take(self, now: float) -> None:
        """Take a token. Raises ValueError before `ready_at`."""
        if now < self.ready_at:
            raise ValueError(f"there is no token before {self.ready_at}, and it is {now}")
        self._full_at = max(self._full_at, now) + self._seconds_each
