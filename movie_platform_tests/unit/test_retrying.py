"""Trying again: how often, after which errors, and with which pauses; nothing sleeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.retrying import FullJitter, retried


class ThrottledError(Exception):
    pass


class RefusedError(Exception):
    pass


def may_heal(error: BaseException) -> bool:
    return isinstance(error, ThrottledError)


def seconds_by_number(attempt: int, _error: BaseException) -> float:
    return float(attempt)


def test_a_step_is_tried_again_with_pauses_until_it_succeeds() -> None:
    slept: list[float] = []

    def step(attempt: int) -> str:
        if attempt < 3:
            raise ThrottledError(attempt)
        return f"attempt {attempt}"

    found = retried(step, attempts=5, is_transient=may_heal, pause=seconds_by_number, sleep=slept.append)
    assert found == "attempt 3"
    assert slept == [1.0, 2.0]


def test_the_last_attempts_own_error_is_raised_without_a_pause_after_it() -> None:
    slept: list[float] = []
    tried: list[int] = []

    def step(attempt: int) -> None:
        tried.append(attempt)
        raise ThrottledError(attempt)

    with pytest.raises(ThrottledError, match=r"^3$"):
        retried(step, attempts=3, is_transient=may_heal, pause=seconds_by_number, sleep=slept.append)
    assert tried == [1, 2, 3]
    assert slept == [1.0, 2.0]


def test_what_trying_again_cannot_help_is_raised_at_once() -> None:
    slept: list[float] = []
    tried: list[int] = []

    def step(attempt: int) -> None:
        tried.append(attempt)
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        retried(step, attempts=9, is_transient=may_heal, pause=seconds_by_number, sleep=slept.append)
    assert (tried, slept) == ([1], [])


def test_the_pause_knows_what_failed() -> None:
    asked: list[tuple[int, str]] = []

    def pause(attempt: int, error: BaseException) -> float:
        asked.append((attempt, str(error)))
        return 0.0

    def step(attempt: int) -> int:
        if attempt == 1:
            raise ThrottledError("come back later")
        return attempt

    assert retried(step, attempts=2, is_transient=may_heal, pause=pause) == 2
    assert asked == [(1, "come back later")]


def test_a_sleep_that_is_interrupted_ends_the_attempts() -> None:
    def interrupted(_seconds: float) -> None:
        raise InterruptedError

    def step(_attempt: int) -> None:
        raise ThrottledError

    with pytest.raises(InterruptedError):
        retried(step, attempts=9, is_transient=may_heal, pause=seconds_by_number, sleep=interrupted)


@given(st.floats(0.01, 10), st.floats(10, 100), st.integers(1, 5000))
def test_full_jitter_stays_under_a_ceiling_that_doubles_to_the_longest(
    first: float, longest: float, attempt: int
) -> None:
    ceiling = min(longest, first * 2.0 ** min(attempt - 1, 20))
    assert 0 <= FullJitter(first, longest)(attempt, ThrottledError()) <= ceiling


def test_full_jitter_uses_the_whole_room_under_its_ceiling() -> None:
    drawn = [FullJitter(8, 8)(1, ThrottledError()) for _ in range(300)]
    assert min(drawn) < 2
    assert max(drawn) > 6
