"""TMDB's decisions: periods, cursors, seen ids, and the row made of a film. No request is sent here."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.source_errors import MalformedSource, ProfileError
from movie_platform.sources.tmdb.cursor import Cursor, following, parse_cursor
from movie_platform.sources.tmdb.films import Catalogue, certification, is_selected, record_of
from movie_platform.sources.tmdb.parameters import TmdbParameters
from movie_platform.sources.tmdb.periods import Period, windows
from movie_platform.sources.tmdb.seen import SeenIds

DAY = date(2026, 11, 18)
days = st.dates(date(1900, 1, 1), date(2100, 1, 1))


def parameters(**given_keys: object) -> TmdbParameters:
    return TmdbParameters.model_validate({"access_token": {"env": "TOKEN"}, **given_keys})


@given(days, st.integers(min_value=1, max_value=90_000))
def test_halves_are_the_whole_without_overlap_or_gap(first: date, length: int) -> None:
    period = Period(first, first + timedelta(days=length))
    low, high = period.halves()
    assert (low.first, high.last) == (period.first, period.last)
    assert high.first - low.last == timedelta(days=1)
    assert abs(low.days - high.days) <= 1


def test_a_single_day_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match="2026-11-18 cannot be cut"):
        Period(DAY, DAY).halves()


@given(days, st.integers(min_value=0, max_value=400), st.integers(min_value=2, max_value=14))
def test_windows_cover_all_days_share_their_borders_and_are_never_too_long(
    first: date, length: int, longest: int
) -> None:
    last = first + timedelta(days=length)
    found = list(windows(first, last, longest))
    assert found[0].first == first
    assert found[-1].last == last
    assert all(1 <= window.days <= longest for window in found)
    assert all(before.last == after.first for before, after in pairwise(found))


@given(days, days, st.booleans())
def test_a_cursor_is_read_as_it_was_written(since: date, full: date, due: bool) -> None:
    assert parse_cursor(Cursor(since, full, due).text()) == Cursor(since, full, due)


@pytest.mark.parametrize(
    "text", ["", "7", "{}", '{"since": "yesterday", "full": "2026-11-18"}', "[]", "null"]
)
def test_what_is_no_cursor_says_what_to_do(text: str) -> None:
    with pytest.raises(MalformedSource, match="another name"):
        parse_cursor(text)


def test_a_full_load_is_followed_by_deltas_until_the_next_is_due() -> None:
    cursor = following(None, DAY, 3)
    assert cursor == Cursor(DAY, DAY)
    cursor = following(cursor, DAY + timedelta(days=1), 3)
    assert cursor == Cursor(DAY + timedelta(days=1), DAY)
    cursor = following(cursor, DAY + timedelta(days=2), 3)
    assert cursor == Cursor(DAY + timedelta(days=2), DAY, due=True)
    assert following(cursor, DAY + timedelta(days=3), 3) == Cursor(
        DAY + timedelta(days=3), DAY + timedelta(days=3)
    )
    assert not following(Cursor(DAY, date(2000, 1, 1)), DAY, None).due


@given(st.lists(st.integers(min_value=0, max_value=3_000) | st.integers(min_value=2**27, max_value=2**40)))
def test_an_id_is_new_once(numbers: list[int]) -> None:
    seen = SeenIds()
    assert [number for number in numbers if seen.add(number)] == list(dict.fromkeys(numbers))


def test_the_first_region_with_a_certification_gives_it() -> None:
    releases = [
        {"iso_3166_1": "DE", "release_dates": [{"certification": "12"}]},
        {"iso_3166_1": "US", "release_dates": [{"certification": ""}, {"certification": "PG-13"}]},
    ]
    assert certification(releases, ("US", "DE")) == "PG-13"
    assert certification(releases, ("FR", "DE")) == "12"
    assert certification(releases, ("FR",)) is None


def test_genres_are_named_by_id_and_keep_their_own_name_where_the_list_has_none() -> None:
    catalogue = Catalogue({"18": "Drame", "35": ""}, "https://images.example/t/p/original")
    genres = [{"id": "18", "name": "Drama"}, {"id": "35", "name": "Comedy"}, {"id": "99", "name": None}]
    record = record_of({"id": "1", "genres": genres, "poster_path": "/1.jpg"}, ("US",), catalogue)
    assert record["genres"] == ["Drame", "Comedy"]
    assert record["poster_url"] == "https://images.example/t/p/original/1.jpg"


def test_what_an_answer_does_not_say_is_null_and_zero_stays_zero() -> None:
    record = record_of({"id": "1", "budget": "0"}, ("US",), Catalogue({}, ""))
    assert record["budget"] == "0"
    assert record["revenue"] is None
    assert record["cast"] is None
    assert record["poster_url"] is None


@pytest.mark.parametrize(
    ("film", "keys", "selected"),
    [
        ({"release_date": "1999-03-31"}, {}, True),
        ({"release_date": ""}, {}, False),
        ({"release_date": "1999-03-31", "adult": True}, {}, False),
        ({"release_date": "1999-03-31", "adult": True}, {"include_adult": True}, True),
        ({"release_date": "1999-03-31"}, {"first_release_date": date(2000, 1, 1)}, False),
        ({"release_date": "1999-03-31", "original_language": "fr"}, {"original_languages": "en"}, False),
        (
            {"release_date": "1999-03-31", "original_language": "fr"},
            {"original_languages": ["en", "fr"]},
            True,
        ),
        ({"release_date": "1999-03-31", "vote_count": "9"}, {"minimum_votes": 10}, False),
    ],
)
def test_a_change_counts_where_the_full_load_would_list_the_film(
    film: dict[str, object], keys: dict[str, object], selected: bool
) -> None:
    assert is_selected(film, parameters(**keys)) is selected


@pytest.mark.parametrize(
    "keys",
    [
        {"base_url": "http://api.themoviedb.org/3"},
        {"language": "english"},
        {"regions": ["us"]},
        {"overlap_days": 14},
        {"first_release_date": date(2000, 1, 1), "last_release_date": date(1999, 1, 1)},
        {"requests_per_second": 0},
        {"access_token": "eyJhbGciOi"},
    ],
)
def test_keys_that_cannot_be_meant_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parameters(**keys)


def test_a_column_that_tmdb_does_not_have_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    text = '[source]\nkind = "tmdb"\naccess_token = { env = "NOT_SET" }\nkey = "id"\n[columns]\ntitle = "titel"\n'
    path = tmp_path / "films.toml"
    path.write_text(text, "utf-8")
    settings = Settings(home=tmp_path / "home")
    source = open_source(load_profile(str(path), settings=settings), settings=settings)
    with pytest.raises(ProfileError, match="Did you mean 'title'"):
        source.batches(DAY, None)
