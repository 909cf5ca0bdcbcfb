"""TMDB against a fake of it: full loads, changes, and whatever goes wrong on the way."""

import json
import os
import time
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from movie_platform.settings import Settings
from movie_platform.sources.http.rate_limiter import RateLimiter
from movie_platform.sources.rejections import INCOMPLETE_LISTING, MALFORMED_JSON, REMOVED_AT_SOURCE
from movie_platform.sources.source_errors import (
    MalformedSource,
    SourceAuthenticationError,
    SourceError,
    SourceNotFound,
    SourceQuotaExceeded,
    SourceUnavailable,
)
from movie_platform.sources.tmdb.pages import MAXIMUM_PAGES, READINGS
from movie_platform_tests.fakes.server import (
    Fault,
    Reply,
    Request,
    as_web_page,
    late,
    malformed,
    status,
    truncated,
)
from movie_platform_tests.fakes.tmdb import TOKEN, FakeTmdb, Film, films
from movie_platform_tests.integration.api_sources import (
    DAY,
    TOKEN_VARIABLE,
    extracted,
    killed_extract,
    opened,
    write_profile,
    written,
)
from movie_platform_tests.paths import ROOT

# A client waits for less than this only where the answer is late on purpose: others may come late by themselves.
LATE, PATIENT_SECONDS = late(1.5), 10


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def few_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """An API that serves fewer pages of a query, so that fewer films are too many."""
    for module in ("sources.tmdb.pages", "sources.tmdb.listing", "sources.tmdb.changes"):
        monkeypatch.setattr(f"movie_platform.{module}.MAXIMUM_PAGES", 10)
    monkeypatch.setattr("movie_platform_tests.fakes.tmdb.MAXIMUM_PAGE", 10)
    return 10


def numbers(count: int) -> list[str]:
    return sorted(str(number) for number in range(1, count + 1))


def test_a_full_load_gives_every_film_once_with_its_values_as_the_api_said(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeTmdb(films(45)) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
    assert found.ids == numbers(45)
    assert found.rejected == []
    row = next(row for row in found.rows if row["movie_id"] == "7")
    assert row["imdb_id"] == "tt0000007"
    assert row["genres"] == '["Drama","Comedy"]'
    assert row["directors"] == '["Director 7"]'
    assert row["writers"] == '["Writer 7"]'
    assert json.loads(row["cast"])[:2] == ["Actor 0 of 7", "Actor 1 of 7"]
    assert row["certification"] == "PG-13"
    assert row["budget"] == "0"
    extra = json.loads(row["extra"])
    assert extra["vote_average"] == "7.1"
    assert extra["adult"] == "false"
    assert extra["wikidata_id"] == "Q7"


def test_a_slice_with_more_pages_than_are_served_is_cut_until_each_part_fits(
    tmp_path: Path, settings: Settings, few_pages: int
) -> None:
    with FakeTmdb(films(50), page_size=1) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
        pages = [int(request.parameters["page"]) for request in fake.requests if "page" in request.parameters]
        slices = {
            (asked["primary_release_date.gte"], asked["primary_release_date.lte"])
            for asked in (request.parameters for request in fake.requests)
            if asked.get("page") == "2"
        }
    assert found.ids == numbers(50)
    assert found.rejected == []
    assert max(pages) <= few_pages
    # 50 films in slices of at most 10: slices that were cut from too large a one were too large still.
    assert len(slices) >= 5
    assert all(before[1] < after[0] for before, after in pairwise(sorted(slices)))


def test_the_real_number_of_pages_is_what_a_query_may_have(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb(films(MAXIMUM_PAGES + 20), page_size=1, validated=False) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
        pages = [int(request.parameters["page"]) for request in fake.requests if "page" in request.parameters]
    assert MAXIMUM_PAGES == 500
    assert found.ids == numbers(MAXIMUM_PAGES + 20)
    assert max(pages) <= MAXIMUM_PAGES


def test_a_day_with_too_many_films_is_read_from_both_ends(
    tmp_path: Path, settings: Settings, few_pages: int
) -> None:
    some = [Film(number, "2018-01-01", title=f"Film {number:06d}") for number in range(1, few_pages * 2)]
    with FakeTmdb(some, page_size=1) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
    assert found.ids == numbers(few_pages * 2 - 1)
    assert found.rejected == []


def test_films_that_a_day_hides_are_reported_and_not_lost_silently(
    tmp_path: Path, settings: Settings, few_pages: int
) -> None:
    some = [Film(number, "2018-01-01", title=f"Film {number:06d}") for number in range(1, few_pages * 2 + 4)]
    with FakeTmdb(some, page_size=1) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
    assert len(found.ids) == few_pages * 2
    assert found.codes == [INCOMPLETE_LISTING]
    assert "23 films" in found.rejected[0].message


def test_only_what_the_profile_asks_for_is_listed(tmp_path: Path, settings: Settings) -> None:
    some = [
        Film(1, language="de"),
        Film(2, language="fr"),
        Film(3, language="en"),
        Film(4, language="de", votes=1),
        Film(5, language="de", adult=True),
        Film(6, "1899-01-01", language="de"),
    ]
    with FakeTmdb(some) as fake:
        profile = write_profile(
            tmp_path,
            "tmdb",
            fake.base_url,
            original_languages=["de", "fr"],
            minimum_votes=5,
            language="de-DE",
            regions=["DE"],
        )
        profile.write_text(
            profile.read_text("utf-8").replace("[columns]", "first_release_date = 1900-01-01\n[columns]")
        )
        found = extracted(profile, settings)
        asked = [request.parameters for request in fake.requests]
    assert found.ids == ["1", "2"]
    assert {row["certification"] for row in found.rows} == {"12"}
    assert {parameters["language"] for parameters in asked if "language" in parameters} == {"de-DE"}


def test_films_that_slide_to_another_page_come_once_and_none_is_missed(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeTmdb(films(90)) as fake:
        # Between pages one film appears before all others (the border is seen twice), and two vanish (it is skipped).
        fake.shifts[3] = lambda: fake.films.update({900: Film(900, "1980-01-01")})
        fake.shifts[4] = lambda: [fake.films.pop(number) for number in (2, 3)]
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url, concurrency=1), settings)
        assert found.ids == sorted(str(number) for number in fake.films)
        assert found.rejected == []
        again = [request.parameters.get("page") for request in fake.requests].count("1")
    # The slice, and the slice anew.
    assert again == 2


def test_a_list_that_never_stands_still_is_read_a_few_times_and_reported(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeTmdb(films(60)) as fake:
        answer = fake.answer

        def hides_a_film(request: Request) -> Reply:
            reply = answer(request)
            if request.path.startswith("/discover"):
                page = json.loads(reply.body)
                page["results"] = [film for film in page["results"] if film["id"] != 30]
                return Reply(200, json.dumps(page))
            return reply

        fake.answer = hides_a_film
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
        readings = [request.parameters.get("page") for request in fake.requests].count("3")
    assert len(found.ids) == 59
    assert found.codes == [INCOMPLETE_LISTING]
    assert readings == READINGS


def test_a_delta_gives_what_changed_and_records_what_was_removed(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb(films(30)) as fake:
        profile = write_profile(tmp_path, "tmdb", fake.base_url)
        full = extracted(profile, settings)
        fake.films[4].title, fake.films[4].changed = "Another title", [DAY + timedelta(days=1)]
        fake.films[31] = Film(31, "2026-01-01", changed=[DAY + timedelta(days=2)])
        fake.films[32] = Film(32, "", changed=[DAY + timedelta(days=2)])
        fake.films[5].changed = [DAY - timedelta(days=3)]
        fake.remove(9, DAY + timedelta(days=1))
        delta = extracted(profile, settings, full.cursor, dt=DAY + timedelta(days=2))
        source = opened(profile, settings)
    assert [row["title"] for row in delta.rows] == ["Another title", "Film 31"]
    assert delta.codes == [REMOVED_AT_SOURCE]
    assert delta.rejected[0].raw_text == '{"id":9}'
    assert json.loads(delta.cursor or "")["since"] == "2026-11-20"
    assert source.load_type(None) == "full"  # pyright: ignore[reportAttributeAccessIssue] - beside the protocol
    assert source.load_type(full.cursor) == "delta"  # pyright: ignore[reportAttributeAccessIssue] - beside the protocol


def test_changes_are_asked_for_in_windows_of_at_most_14_days_that_overlap(
    tmp_path: Path, settings: Settings
) -> None:
    cursor = '{"since": "2026-10-01", "full": "2026-10-01"}'
    days = [date(2026, 9, 30) + timedelta(days=day) for day in range(50)]
    some = [Film(number, changed=[day]) for number, day in enumerate(days, 1)]
    with FakeTmdb(some) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings, cursor)
        asked = [request.parameters for request in fake.requests if request.path == "/movie/changes"]
    windows = sorted({(window["start_date"], window["end_date"]) for window in asked})
    assert windows[0][0] == "2026-09-30"
    assert windows[-1][1] == "2026-11-18"
    assert all((date.fromisoformat(end) - date.fromisoformat(begin)).days < 14 for begin, end in windows)
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    assert found.ids == numbers(50)


def test_a_window_with_more_changes_than_pages_is_cut(
    tmp_path: Path, settings: Settings, few_pages: int
) -> None:
    some = [Film(number, changed=[DAY - timedelta(days=number % 10)]) for number in range(1, few_pages * 3)]
    cursor = json.dumps({"since": (DAY - timedelta(days=10)).isoformat(), "full": "2026-01-01"})
    with FakeTmdb(some, page_size=1) as fake:
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings, cursor)
    assert found.ids == numbers(few_pages * 3 - 1)
    assert found.rejected == []


def test_a_full_load_that_is_due_again_is_one(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb(films(3)) as fake:
        profile = write_profile(tmp_path, "tmdb", fake.base_url, full_load_days=2)
        first = extracted(profile, settings)
        second = extracted(profile, settings, first.cursor, dt=DAY + timedelta(days=1))
        third = extracted(profile, settings, second.cursor, dt=DAY + timedelta(days=2))
        source = opened(profile, settings)
    assert (len(first.rows), len(second.rows), len(third.rows)) == (3, 0, 3)
    assert source.load_type(second.cursor) == "full"  # pyright: ignore[reportAttributeAccessIssue] - beside the protocol


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(status(429, Retry_After="0"), id="429 with Retry-After"),
        pytest.param(status(429), id="429 without"),
        pytest.param(status(500), id="500"),
        pytest.param(status(503, Retry_After="Wed, 18 Nov 2020 12:00:00 GMT"), id="503 with a date"),
        pytest.param(truncated, id="truncated"),
        pytest.param(malformed, id="malformed"),
        pytest.param(as_web_page, id="a web page"),
        pytest.param(LATE, id="late"),
    ],
)
@pytest.mark.parametrize("path", ["/genre", "/discover", "/movie/3"])
def test_what_heals_costs_a_second_request_and_no_film(
    tmp_path: Path, settings: Settings, reply: object, path: str
) -> None:
    with FakeTmdb(films(5)) as fake:
        fake.faults = [Fault(reply, path)]  # pyright: ignore[reportArgumentType] - as Fault takes it
        profile = write_profile(
            tmp_path, "tmdb", fake.base_url, timeout_seconds=0.5 if reply is LATE else PATIENT_SECONDS
        )
        found = extracted(profile, settings)
        assert fake.faults[0].times == 0
    assert found.ids == numbers(5)
    assert found.rejected == []


def test_everybody_waits_as_long_as_retry_after_says(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, concurrency, told = RateLimiter.hold, 4, list[float]()

    def noted(limiter: RateLimiter, seconds: float) -> None:
        told.append(time.monotonic())
        hold(limiter, seconds)
        told.append(time.monotonic())

    monkeypatch.setattr(RateLimiter, "hold", noted)
    with FakeTmdb(films(40)) as fake:
        fake.faults = [Fault(status(429, Retry_After="1"), "/movie/3")]
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url, concurrency=concurrency), settings)
        moments = [request.moment for request in fake.requests]
    assert found.ids == numbers(40)
    began, known = told
    # What was under way when the answer was read arrives meanwhile; nothing new is sent.
    assert sum(known < moment < began + 1 for moment in moments) < concurrency
    assert max(moments) >= began + 1


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (status(429), SourceQuotaExceeded, "requests_per_second"),
        (status(429, Retry_After="86400"), SourceQuotaExceeded, "wait 86400 seconds"),
        (status(502), SourceUnavailable, "HTTP 502"),
        (status(503, Retry_After="3600"), SourceUnavailable, "HTTP 503"),
        (truncated, SourceUnavailable, "what was fetched so far is kept"),
        (LATE, SourceUnavailable, "Timeout"),
        (as_web_page, MalformedSource, "not JSON"),
        (malformed, MalformedSource, "not the JSON"),
        (status(301, Location="https://elsewhere.example"), MalformedSource, "base_url"),
        (status(403), SourceAuthenticationError, "access_token"),
        (status(418), MalformedSource, "HTTP 418"),
        (status(404), SourceNotFound, "base_url"),
    ],
)
def test_what_does_not_heal_is_a_typed_error_that_says_what_to_do(
    tmp_path: Path, settings: Settings, reply: object, error: type[SourceError], words: str
) -> None:
    with FakeTmdb(films(5)) as fake:
        fake.faults = [Fault(reply, "/discover", times=10**6)]  # pyright: ignore[reportArgumentType] - as Fault takes it
        profile = write_profile(
            tmp_path, "tmdb", fake.base_url, timeout_seconds=0.3 if reply is LATE else PATIENT_SECONDS
        )
        with pytest.raises(error, match=words) as caught:
            extracted(profile, settings)
    assert type(caught.value).code != "source_error"
    assert TOKEN not in repr(caught.value)


def test_a_wrong_token_stops_before_the_first_batch(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "wrong")
    with FakeTmdb(films(5)) as fake:
        source = opened(write_profile(tmp_path, "tmdb", fake.base_url), settings)
        with pytest.raises(SourceAuthenticationError, match="version 4"):
            source.batches(DAY, None)
        assert len(fake.requests) == 1


def test_a_token_that_is_revoked_in_the_middle_costs_nothing_twice(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeTmdb(films(60)) as fake:
        profile = write_profile(tmp_path, "tmdb", fake.base_url)
        fake.revoked_after = 30
        with pytest.raises(SourceAuthenticationError, match="refuses the credentials"):
            extracted(profile, settings)
        fake.revoked_after = None
        paid = {(request.path, str(request.parameters)) for request in fake.requests if request.authorized}
        before = len(fake.requests)
        found = extracted(profile, settings)
        later = [(request.path, str(request.parameters)) for request in fake.requests[before:]]
    assert found.ids == numbers(60)
    assert paid.isdisjoint(later)


def test_a_host_that_does_not_answer_is_unavailable(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb() as fake:
        base_url = fake.base_url
    with pytest.raises(SourceUnavailable, match=r"ConnectError.*network"):
        opened(write_profile(tmp_path, "tmdb", base_url), settings).batches(DAY, None)


def test_one_film_that_stays_broken_is_rejected_with_what_came(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb(films(5)) as fake:
        fake.faults = [Fault(malformed, "/movie/3", times=10**6)]
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
    assert found.ids == ["1", "2", "4", "5"]
    assert found.codes == [MALFORMED_JSON]
    assert found.rejected[0].raw_text.startswith('{"adult"')


def test_the_answer_to_another_film_is_not_taken_for_the_one_that_was_asked_for(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeTmdb(films(3)) as fake:
        fake.films[2].details = {"id": 3}
        found = extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)
    assert found.ids == ["1", "3"]
    assert found.codes == [MALFORMED_JSON]


def test_a_film_that_vanishes_during_a_full_load_is_not_there(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb(films(5)) as fake:
        source = opened(write_profile(tmp_path, "tmdb", fake.base_url), settings)
        batches = source.batches(DAY, None)
        gone = Reply(404, '{"success": false, "status_code": 34, "status_message": "Not found."}')
        fake.faults = [Fault(gone, "/movie/2")]
        found = [row["movie_id"] for batch in batches for row in batch.rows.to_pylist()]
    assert found == ["1", "3", "4", "5"]


def test_a_404_that_is_not_tmdbs_removes_nothing(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb(films(5)) as fake:
        fake.faults = [Fault(Reply(404, '{"message": "no route"}'), "/movie/2")]
        with pytest.raises(SourceNotFound, match="not TMDB that says so"):
            extracted(write_profile(tmp_path, "tmdb", fake.base_url), settings)


def test_a_source_without_films_gives_one_empty_batch(tmp_path: Path, settings: Settings) -> None:
    with FakeTmdb() as fake:
        batches = list(opened(write_profile(tmp_path, "tmdb", fake.base_url), settings).batches(DAY, None))
    assert [batch.rows.num_rows for batch in batches] == [0]


def test_an_extract_that_is_killed_and_run_again_asks_for_nothing_twice_and_gives_the_same(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeTmdb(films(300)) as fake:
        profile = write_profile(tmp_path, "tmdb", fake.base_url, requests_per_second=100)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _roots()))}
        killed_extract(
            profile, settings, tmp_path / "extract", lambda: fake.asked("/movie/") >= 120, environment
        )
        assert not (tmp_path / "extract").exists()
        before = list(fake.requests)
        resumed = written(profile, settings, tmp_path / "extract")
        later = fake.requests[len(before) :]
        whole = written(profile, Settings(home=tmp_path / "other"), tmp_path / "whole")
    assert resumed.content_id == whole.content_id
    assert resumed.row_count == 300
    # What was on its way when the process died is asked for again, and nothing else: 16 requests are under way at most.
    asked = [(request.path, str(request.parameters)) for request in before]
    twice = [request for request in later if (request.path, str(request.parameters)) in asked]
    assert len(twice) <= 16
    assert len(later) >= 150


def _roots() -> list[Path]:
    return [ROOT]
