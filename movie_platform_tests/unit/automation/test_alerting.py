"""Which alert a failure deserves."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from movie_platform.automation.alerting import (
    WILL_RETRY,
    FailedCheck,
    FailedRun,
    FailedStep,
    alert_for_failed_run,
    turned_to_fail,
)
from movie_platform.graph import tag_names
from movie_platform.resources.alerts import SUBJECT_CHARACTERS, Alert

RUN = FailedRun(
    run_id="r1",
    job_name="process_landed_bundle",
    tags={"dagster/partition": "2026-11-18", tag_names.SOURCE: "demo", tag_names.BUNDLE_KEY: "movies/x.zip"},
    message="Steps failed",
    steps=[FailedStep("archive_tables", "Glue job run jr_1 ended FAILED: boom")],
    checks=[],
)


def test_a_failed_run_says_what_why_and_where():
    alert = alert_for_failed_run(RUN)
    assert alert is not None
    assert alert.kind == "run_failed"
    assert "2026-11-18" in alert.what
    assert "boom" in alert.why
    assert "r1" in alert.where
    assert "movies/x.zip" in alert.where


def test_a_failed_check_is_told_instead_of_the_run_that_it_stopped():
    check = FailedCheck("archive/movies", "rows_reconcile", "1 row unaccounted for")
    alert = alert_for_failed_run(replace(RUN, checks=[check]))
    assert alert is not None
    assert alert.kind == "check_failed"
    assert "rows_reconcile" in alert.what
    assert "unaccounted" in alert.why


def test_a_quarantined_bundle_is_told_by_the_function_that_refused_it():
    refused = {**RUN.tags, tag_names.OUTCOME: tag_names.OUTCOME_QUARANTINED}
    assert alert_for_failed_run(replace(RUN, tags=refused)) is None


def test_only_the_last_attempt_is_told():
    told = [
        alert_for_failed_run(replace(RUN, tags={**RUN.tags, tag_names.ATTEMPT: str(attempt)}), max_attempts=3)
        for attempt in (1, 2, 3)
    ]
    assert [alert is not None for alert in told] == [False, False, True]


def test_a_run_that_dagster_starts_again_is_not_told():
    assert alert_for_failed_run(replace(RUN, tags={**RUN.tags, WILL_RETRY: "true"})) is None


def test_freshness_is_told_when_it_turns_and_not_while_it_stays():
    assert turned_to_fail({"a": "PASS", "b": "FAIL"}, {"a": "FAIL", "b": "FAIL", "c": "FAIL"}) == ["a", "c"]
    assert turned_to_fail({"a": "FAIL"}, {"a": "PASS"}) == []


@given(st.text(min_size=1, max_size=5000))
def test_an_alert_fits_what_sns_takes(text: str):
    alert = Alert("run_failed", text, text, text, text)
    assert len(alert.subject) <= SUBJECT_CHARACTERS
    assert alert.subject.isascii()
    assert alert.subject.isprintable()
    assert len(alert.body(datetime.now(UTC)).encode()) < 256 * 1024
    assert set(json.loads(alert.body(datetime.now(UTC)))) == {"kind", "what", "why", "where", "next", "at"}
