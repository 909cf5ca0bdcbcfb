"""What the arrival sensor decides, from what S3 said and which runs exist."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.automation.arrivals import (
    FIRST_RETRY_DELAY_SECONDS,
    MAX_ATTEMPTS,
    Action,
    Arrival,
    KnownRun,
    TickPlan,
    Unusable,
    arrival_of_object,
    arrivals_of_message,
    decide,
    distinct,
    plan_tick,
)

KEY = "movies/source=demo/dt=2026-11-18/20261118T030000Z-0123456789ab.zip"
ARRIVAL = Arrival("landing", KEY, "etag", 10, "demo", date(2026, 11, 18))
RUNNING = KnownRun(etag="etag", succeeded=False, final=False, ended_at=None)
SUCCEEDED = KnownRun(etag="etag", succeeded=True, final=False, ended_at=100.0)
FAILED = KnownRun(etag="etag", succeeded=False, final=False, ended_at=100.0)
LATER = 100.0 + FIRST_RETRY_DELAY_SECONDS * 2**MAX_ATTEMPTS


def s3_event(key: str = KEY, etag: str = "etag") -> dict[str, object]:
    return {
        "Records": [{"s3": {"bucket": {"name": "landing"}, "object": {"key": key, "eTag": etag, "size": 10}}}]
    }


def test_a_bundle_without_runs_gets_its_first_attempt():
    decision = decide(ARRIVAL, [], now=0.0)
    assert (decision.action, decision.attempt) == (Action.REQUEST, 1)
    assert decision.run_key == f"{KEY}@etag#1"


@pytest.mark.parametrize("run", [RUNNING, SUCCEEDED])
def test_a_bundle_that_a_run_speaks_for_is_not_requested_again(run: KnownRun):
    assert decide(ARRIVAL, [FAILED, run], now=LATER).action is Action.FORGET


def test_other_content_under_the_same_key_is_another_bundle():
    replaced = Arrival("landing", KEY, "other", 10, "demo", date(2026, 11, 18))
    assert decide(replaced, [SUCCEEDED], now=LATER).action is Action.REQUEST


def test_a_run_that_is_about_to_land_the_key_speaks_for_it():
    landing = KnownRun(etag=None, succeeded=False, final=False, ended_at=None)
    assert decide(ARRIVAL, [landing], now=0.0).action is Action.FORGET


def test_a_run_that_died_before_it_said_what_it_landed_does_not_count_as_an_attempt():
    died = KnownRun(etag=None, succeeded=False, final=False, ended_at=100.0)
    decision = decide(ARRIVAL, [died], now=101.0)
    assert (decision.action, decision.attempt) == (Action.REQUEST, 1)


def test_a_failed_run_is_tried_again_after_a_while():
    assert decide(ARRIVAL, [FAILED], now=101.0).action is Action.WAIT
    decision = decide(ARRIVAL, [FAILED], now=100.0 + FIRST_RETRY_DELAY_SECONDS)
    assert (decision.action, decision.attempt) == (Action.REQUEST, 2)


def test_attempts_end():
    assert decide(ARRIVAL, [FAILED] * MAX_ATTEMPTS, now=LATER * 10).action is Action.GIVE_UP


def test_a_quarantined_bundle_is_not_tried_again():
    refused = KnownRun(etag="etag", succeeded=False, final=True, ended_at=100.0)
    assert decide(ARRIVAL, [refused], now=LATER).action is Action.GIVE_UP


@given(
    st.lists(
        st.builds(
            KnownRun,
            etag=st.sampled_from([None, "etag", "other"]),
            succeeded=st.booleans(),
            final=st.booleans(),
            ended_at=st.one_of(st.none(), st.floats(0, 1e6)),
        ),
        max_size=8,
    ),
    st.floats(0, 1e7),
)
def test_every_request_of_one_bundle_has_a_run_key_of_its_own(runs: list[KnownRun], now: float):
    decision = decide(ARRIVAL, runs, now=now)
    if decision.action is Action.REQUEST:
        failed_before = [run for run in runs if run.etag == "etag" and run.finished and not run.succeeded]
        assert decision.attempt == len(failed_before) + 1 <= MAX_ATTEMPTS
        assert not any(run.etag == "etag" and (run.succeeded or not run.finished) for run in runs)


def plan(
    *arrivals: Arrival, runs: Mapping[str, Sequence[KnownRun]], landed_here: Sequence[str] = ()
) -> TickPlan:
    """The plan of a tick for which ARRIVAL's date is the only partition."""
    return plan_tick(
        arrivals, runs=runs, landed_here=landed_here, is_partition=lambda dt: dt == ARRIVAL.dt, now=101.0
    )


def test_a_tick_requests_what_is_new_settles_what_a_run_speaks_for_and_leaves_the_rest():
    spoken_for, waiting, given_up = (replace(ARRIVAL, key=key) for key in ("spoken_for", "waiting", "up"))
    runs = {"spoken_for": [RUNNING], "waiting": [FAILED], "up": [FAILED] * MAX_ATTEMPTS}
    found = plan(spoken_for, waiting, ARRIVAL, given_up, runs=runs)
    assert [(arrival, decision.attempt) for arrival, decision in found.requests] == [(ARRIVAL, 1)]
    assert found.settled == {("spoken_for", "etag"), ("up", "etag")}
    assert found.misdated == ()


def test_a_new_bundle_that_no_run_of_ours_landed_is_foreign_at_its_first_attempt_alone():
    ours, again = replace(ARRIVAL, key="ours"), replace(ARRIVAL, key="again")
    failed_long_ago = replace(FAILED, ended_at=0.0)
    found = plan(ARRIVAL, ours, again, runs={"again": [failed_long_ago]}, landed_here=["ours"])
    assert [arrival for arrival, _ in found.requests] == [ARRIVAL, ours, again]
    assert found.foreign == (ARRIVAL,)


def test_nothing_is_done_about_a_bundle_for_a_date_that_is_no_partition():
    new, spoken_for = (replace(ARRIVAL, key=key, dt=date(2026, 11, 19)) for key in ("new", "spoken_for"))
    found = plan(new, spoken_for, ARRIVAL, runs={KEY: [SUCCEEDED], "spoken_for": [SUCCEEDED]})
    assert found.misdated == (new, spoken_for)
    assert (found.requests, found.settled) == ((), {(KEY, "etag")})


def test_an_event_in_an_sns_envelope_reads_like_a_raw_one():
    raw = json.dumps(s3_event())
    wrapped = json.dumps({"Type": "Notification", "Message": raw})
    assert arrivals_of_message(wrapped) == arrivals_of_message(raw) == ([ARRIVAL], [])


def test_keys_are_decoded():
    arrivals, unusable = arrivals_of_message(json.dumps(s3_event(KEY.replace("=", "%3D"))))
    assert [arrival.key for arrival in arrivals] == [KEY]
    assert unusable == []


def test_the_test_event_of_s3_announces_nothing():
    assert arrivals_of_message(json.dumps({"Event": "s3:TestEvent", "Bucket": "landing"})) == ([], [])


@given(st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps)))
def test_no_message_breaks_the_reader(body: str):
    arrivals, unusable = arrivals_of_message(body)
    assert arrivals == []
    assert all(isinstance(one, Unusable) for one in unusable)


@pytest.mark.parametrize(
    "key",
    [
        "movies/source=demo/dt=2026-02-30/a.zip",
        "movies/source=Demo/dt=2026-11-18/a.zip",
        "movies/source=demo/dt=2026-11-18/../a.zip",
        "movies/source=demo/dt=2026-11-18/a.tar",
        "other.zip",
    ],
)
def test_a_key_that_no_bundle_may_have_is_unusable(key: str):
    assert isinstance(arrival_of_object("landing", key, "etag", 1), Unusable)


def test_one_object_announced_twice_arrives_once():
    assert distinct([ARRIVAL, ARRIVAL]) == [ARRIVAL]
