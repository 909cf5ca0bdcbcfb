"""Today's state is never labelled as a past day's, unless a person says so."""

from datetime import date

import pytest

from movie_platform.assets.extract import Extract, Refuse, Replay, plan_extract

TODAY = date(2026, 11, 20)
PAST = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("dt", "answers_as_of", "label_present", "kept", "plan"),
    [
        (TODAY, False, False, None, Extract()),
        (TODAY, False, False, "batch", Extract()),
        (PAST, True, False, "batch", Extract()),
        (PAST, False, True, None, Extract()),
        (PAST, False, False, "batch", Replay("batch")),
        (PAST, False, False, None, Refuse()),
    ],
)
def test_what_an_extract_does_for_a_date(
    dt: date, answers_as_of: bool, label_present: bool, kept: str | None, plan: object
):
    assert (
        plan_extract(dt, TODAY, answers_as_of=answers_as_of, label_present=label_present, kept_batch_id=kept)
        == plan
    )
