"""The one loop that waits: its deadline, its pauses and its stop, by a clock that only sleep moves."""

import itertools
import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.waiting import (
    Clock,
    Deadline,
    Pauses,
    WaitStoppedError,
    WaitTimeoutError,
    wait_for,
    wait_until,
)


class FakeClock(Clock):
    """Time passes by sleeping alone; `stops_at` sets the event of the sleeper at that moment."""

    def __init__(self, stops_at: float = math.inf) -> None:
        self.time = 1000.0
        self.slept: list[float] = []
        self._stops_at = stops_at + self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        self.slept.append(seconds)
        self.time += seconds
        if stop is not None and self.time >= self._stops_at:
            stop.set()


@st.composite
def some_pauses(draw: st.DrawFn, *, jitter: bool = True) -> Pauses:
    first = draw(st.floats(0.01, 5))
    return Pauses(
        first,
        draw(st.floats(first, 60)),
        draw(st.floats(1.1, 4)),
        draw(st.floats(0, 0.9)) if jitter else 0.0,
    )


@given(some_pauses(), st.floats(0, 120))
def test_it_never_sleeps_past_the_deadline_and_looks_a_last_time_when_it_has_come(
    pauses: Pauses, seconds: float
) -> None:
    clock = FakeClock()
    looked: list[float] = []
    with pytest.raises(WaitTimeoutError) as caught:
        wait_for(
            lambda: looked.append(clock.time), "rain", deadline=Deadline(seconds, clock=clock), pauses=pauses
        )
    assert clock.time == pytest.approx(1000 + seconds)
    assert looked[0] == 1000
    assert looked[-1] == pytest.approx(1000 + seconds)
    assert caught.value.what == "rain"
    assert caught.value.seconds == pytest.approx(seconds)
    assert str(caught.value) == f"waited {caught.value.seconds:.1f} s for rain"


@given(some_pauses(jitter=False))
def test_pauses_grow_to_the_longest_and_stay_there(pauses: Pauses) -> None:
    seen = list(itertools.islice(pauses, 200))
    assert seen[0] == pauses.first
    assert seen == sorted(seen)
    assert seen[-1] == seen[-2] == pauses.longest
    assert all(
        b == pytest.approx(min(a * pauses.growth, pauses.longest)) for a, b in itertools.pairwise(seen)
    )


@given(some_pauses())
def test_jitter_moves_a_pause_by_at_most_its_share(pauses: Pauses) -> None:
    plain = Pauses(pauses.first, pauses.longest, pauses.growth)
    for pause, without in itertools.islice(zip(pauses, plain, strict=False), 50):
        assert abs(pause - without) <= without * pauses.jitter * (1 + 1e-9)


def test_jitter_makes_pauses_differ() -> None:
    assert len(set(itertools.islice(Pauses(1, 1, jitter=0.5), 50))) > 1


@pytest.mark.parametrize(
    ("first", "longest", "growth", "jitter"),
    [(0, 1, 1.5, 0), (2, 1, 1.5, 0), (1, 2, 0.5, 0), (1, 2, 1.5, 1), (1, 2, 1.5, -0.1)],
)
def test_pauses_that_shrink_or_may_be_nothing_are_refused(
    first: float, longest: float, growth: float, jitter: float
) -> None:
    with pytest.raises(ValueError, match="no pauses"):
        Pauses(first, longest, growth, jitter)


def test_what_is_there_is_given_without_a_pause_even_after_the_deadline() -> None:
    clock = FakeClock()
    assert wait_for(lambda: 0, "it", deadline=Deadline(0, clock=clock), pauses=Pauses.steady(1)) == 0
    assert clock.slept == []


def test_what_comes_later_is_given_when_it_comes() -> None:
    clock = FakeClock()
    found = wait_for(
        lambda: "here" if clock.time >= 1003 else None,
        "it",
        deadline=Deadline(10, clock=clock),
        pauses=Pauses(1, 2),
    )
    assert found == "here"
    assert clock.slept == [1, 1.5, 2]


def test_a_condition_is_waited_for_until_it_is_true() -> None:
    clock = FakeClock()
    wait_until(lambda: clock.time >= 1002, "it", deadline=Deadline(10, clock=clock), pauses=Pauses.steady(1))
    assert clock.slept == [1, 1]
    with pytest.raises(WaitTimeoutError):
        wait_until(lambda: False, "it", deadline=Deadline(2, clock=clock), pauses=Pauses.steady(1))


def test_a_stop_ends_the_wait_with_an_error_of_its_own() -> None:
    clock = FakeClock(stops_at=2.5)
    with pytest.raises(WaitStoppedError, match=r"waited 3\.0 s for it and was stopped"):
        wait_for(
            lambda: None,
            "it",
            deadline=Deadline(10, clock=clock),
            pauses=Pauses.steady(1),
            stop=threading.Event(),
        )


def test_what_the_look_raises_passes() -> None:
    def look() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        wait_for(look, "it", deadline=Deadline.never(), pauses=Pauses.steady(1))


def test_waits_in_a_row_share_a_deadline() -> None:
    clock = FakeClock()
    deadline = Deadline(5, clock=clock)
    wait_until(lambda: clock.time >= 1004, "one", deadline=deadline, pauses=Pauses.steady(2))
    assert (deadline.remaining, deadline.passed) == (1, False)
    with pytest.raises(WaitTimeoutError) as caught:
        wait_until(lambda: False, "two", deadline=deadline, pauses=Pauses.steady(2))
    assert caught.value.seconds == 1
    assert (deadline.remaining, deadline.passed) == (0, True)


def test_a_deadline_that_never_comes_leaves_the_end_to_others() -> None:
    assert Deadline.never().remaining == math.inf
    assert not Deadline.never().passed


def test_the_systems_clock_wakes_a_sleeper_when_it_is_stopped() -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    with pytest.raises(WaitStoppedError):
        wait_until(lambda: False, "it", deadline=Deadline(30), pauses=Pauses.steady(30), stop=stop)
    assert time.monotonic() - started < 10


def test_the_systems_clock_ends_a_wait_in_time() -> None:
    started = time.monotonic()
    with pytest.raises(WaitTimeoutError):
        wait_until(lambda: False, "it", deadline=Deadline(0.1), pauses=Pauses.steady(30))
    assert 0.1 <= time.monotonic() - started < 10
