"""How fast an API is asked: the bucket on a clock of the test's, then threads that wait for it."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.sources.http.rate_limiter import RateLimiter, Stopped
from movie_platform.sources.http.token_bucket import TokenBucket

RATES = st.floats(min_value=0.001, max_value=1000)
BURSTS = st.integers(min_value=1, max_value=30)
# Clocks count in floats of seconds since the machine started.
STARTS = st.floats(min_value=0, max_value=1e6)
SECONDS = st.floats(min_value=0, max_value=1e4)
ROUNDING = 1e-6


def within_bounds(moments: list[float], rate: float, burst: int) -> bool:
    """Whether no span of time has more than `burst` and what its length allows, both ends included."""
    return all(
        last - first + 1 <= burst + rate * (moments[last] - moments[first] + ROUNDING)
        for first in range(len(moments))
        for last in range(first, len(moments))
    )


def taken_in_a_hurry(bucket: TokenBucket, start: float, lateness: list[float]) -> Iterator[float]:
    """The moments of one who always wants the next token, and wakes so much later than it is there."""
    now = start
    for late in lateness:
        if bucket.ready_at > now:
            now = bucket.ready_at + late
        bucket.take(now)
        yield now


@given(RATES, BURSTS, STARTS, st.lists(SECONDS, max_size=60))
def test_no_span_of_time_sees_more_than_the_burst_and_the_rate_however_late_one_wakes(
    rate: float, burst: int, start: float, lateness: list[float]
) -> None:
    moments = list(taken_in_a_hurry(TokenBucket(rate, burst), start, lateness))
    assert within_bounds(moments, rate, burst)


@given(RATES, BURSTS, STARTS, st.lists(st.floats(min_value=0, max_value=3), max_size=60))
def test_tokens_that_are_wanted_at_any_times_are_given_when_they_are_there_and_not_before(
    rate: float, burst: int, start: float, pauses: list[float]
) -> None:
    bucket, now, moments = TokenBucket(rate, burst), start, list[float]()
    tokens, counted = float(burst), start
    for pause in pauses:
        now += pause / rate
        tokens, counted = min(burst, tokens + rate * (now - counted)), now
        if bucket.ready_at <= now:
            assert tokens >= 1 - rate * ROUNDING
            bucket.take(now)
            moments.append(now)
            tokens -= 1
        else:
            assert tokens < 1 + rate * ROUNDING
            with pytest.raises(ValueError, match="no token before"):
                bucket.take(now)
    assert within_bounds(moments, rate, burst)


@given(RATES, BURSTS, STARTS, st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=200))
def test_late_wake_ups_are_made_good_up_to_the_burst(
    rate: float, burst: int, start: float, shares: list[float]
) -> None:
    # Nobody wakes later than the tokens need that may gather meanwhile.
    most = (burst - 1) / rate
    moments = list(taken_in_a_hurry(TokenBucket(rate, burst), start, [share * most for share in shares]))
    for number, moment in enumerate(moments):
        due = start + max(0, number - burst + 1) / rate
        assert due - ROUNDING <= moment <= due + most + ROUNDING


@pytest.mark.parametrize(
    ("rate", "burst", "seconds"),
    [
        (1, 1, [0, 1, 2, 3, 4]),
        (0.25, 2, [0, 0, 4, 8, 12]),
        (8, 3, [0, 0, 0, 0.125, 0.25]),
    ],
)
def test_tokens_come_evenly_behind_the_burst(rate: float, burst: int, seconds: list[float]) -> None:
    bucket, now = TokenBucket(rate, burst), 100.0
    for second in seconds:
        now = max(now, bucket.ready_at)
        assert now == 100 + second
        bucket.take(now)


def test_no_more_than_the_burst_gathers_while_nobody_asks() -> None:
    bucket = TokenBucket(10, 3)
    for now in (0.0, 1000.0):
        for _ in range(3):
            bucket.take(now)
        assert bucket.ready_at == pytest.approx(now + 0.1)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (float("nan"), 1), (5e-324, 1), (1, 0)])
def test_a_bucket_that_would_never_give_a_token_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="never gives one"):
        TokenBucket(rate, burst)


def test_threads_pass_at_the_rate_together() -> None:
    limiter, moments = RateLimiter(100), list[float]()

    def ask() -> None:
        for _ in range(10):
            limiter.acquire()
            moments.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    limiter.stop()
    assert len(moments) == 40
    # The burst is two, so 38 had to wait for their tokens.
    assert max(moments) - began >= 0.38
    assert all(earlier <= later for earlier, later in pairwise(sorted(moments)))


def test_nobody_passes_while_the_server_asks_for_a_pause() -> None:
    limiter = RateLimiter(1000)
    limiter.acquire()
    began = time.monotonic()
    limiter.hold(0.3)
    limiter.hold(0.1)
    limiter.acquire()
    limiter.stop()
    assert time.monotonic() - began >= 0.3


def test_whoever_waits_for_a_turn_is_sent_away_when_the_extract_ends() -> None:
    limiter = RateLimiter(1)
    limiter.hold(3600)
    sent_away = threading.Event()

    def wait() -> None:
        try:
            limiter.acquire()
        except Stopped:
            sent_away.set()

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    limiter.stop()
    for thread in threads:
        thread.join(30)
    assert sent_away.is_set()
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("rate", [0.001, 1e-12])
def test_whoever_waits_for_a_slow_rate_is_sent_away_as_well(rate: float) -> None:
    limiter = RateLimiter(rate)
    limiter.acquire()
    limiter.acquire()
    outcomes: list[str] = []

    def wait() -> None:
        try:
            limiter.acquire()
        except Stopped:
            outcomes.append("sent away")
        else:
            outcomes.append("passed")

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(0.1)
    assert outcomes == []
    limiter.stop()
    thread.join(30)
    assert outcomes == ["sent away"]
