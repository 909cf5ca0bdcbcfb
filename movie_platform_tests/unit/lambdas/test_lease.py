"""How long a lease on a landed object counts."""

import pytest

from movie_platform.lambdas.lease import LEASE_SECONDS, expired, lease_key


@pytest.mark.parametrize(
    ("age", "over"),
    [(0, False), (LEASE_SECONDS - 1, False), (LEASE_SECONDS + 1, True), (-LEASE_SECONDS - 1, True)],
)
def test_a_lease_counts_for_its_time_whatever_the_holders_clock_says(age: float, over: bool) -> None:
    assert expired({"acquired_at": 1_000_000.0}, 1_000_000.0 + age) is over


def test_another_content_under_the_same_key_has_a_lease_of_its_own() -> None:
    assert lease_key("movies/a.zip", "1") != lease_key("movies/a.zip", "2")
