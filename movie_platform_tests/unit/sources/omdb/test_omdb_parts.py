"""OMDb's decisions: whom to ask for next, and how sure a match is. No request is sent here."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.sources.http.quota import QuotaExhausted
from movie_platform.sources.omdb.lookup import refusal
from movie_platform.sources.omdb.matching import confidence
from movie_platform.sources.omdb.parameters import OmdbParameters
from movie_platform.sources.omdb.wanted import Wanted, cursor_text, next_wanted, parse_cursor, wanted_of
from movie_platform.sources.source_errors import MalformedSource, SourceAuthenticationError

ids = st.integers(min_value=0, max_value=60).map(lambda number: Wanted(f"tt{number:07d}"))


@given(st.lists(ids), st.integers(min_value=1, max_value=7))
def test_days_of_any_budget_ask_for_each_film_once_in_order(films: list[Wanted], budget: int) -> None:
    asked: list[Wanted] = []
    after = None
    while today := next_wanted(films, after, budget):
        assert len(today) <= budget
        asked += today
        after = parse_cursor(cursor_text(today[-1].key))
        films = films[::-1]
    assert asked == sorted(set(films), key=lambda film: film.key)


def test_a_film_that_joins_the_list_later_waits_for_its_place() -> None:
    first, second, third = (Wanted(f"tt000000{number}") for number in (1, 2, 3))
    assert next_wanted([third, first], None, 1) == [first]
    assert next_wanted([third, second, first], first.key, 1) == [second]


@pytest.mark.parametrize("text", ["", "7", "{}", '{"after": 7}', "[]", '"tt0000001"'])
def test_what_is_no_cursor_says_what_to_do(text: str) -> None:
    with pytest.raises(MalformedSource, match="another name"):
        parse_cursor(text)


@given(st.none() | st.text())
def test_a_cursor_is_read_as_it_was_written(after: str | None) -> None:
    assert parse_cursor(cursor_text(after)) == after


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"imdb_id": " tt0133093 ", "title": "x"}, Wanted("tt0133093")),
        ({"imdb_id": "tt10872600"}, Wanted("tt10872600")),
        (
            {"imdb_id": "133093", "title": "The Matrix", "year": "1999"},
            Wanted(None, "The Matrix", "1999"),
        ),
        (
            {"title": "Birdman", "year": "1967–1969", "type": "Series"},
            Wanted(None, "Birdman", "1967", "series"),
        ),
        ({"title": "X", "release_date": "31 Mar 1999", "type": "short"}, Wanted(None, "X", "1999")),
        ({"imdb_id": None, "title": " "}, None),
        ({}, None),
    ],
)
def test_a_row_names_a_film_by_its_id_or_else_by_title_year_and_type(
    row: dict[str, str | None], wanted: Wanted | None
) -> None:
    assert wanted_of(row) == wanted


@pytest.mark.parametrize(
    ("wanted", "film", "sure"),
    [
        (Wanted("tt1"), {"imdbID": "tt1", "Title": "Anything"}, "1.00"),
        (Wanted("tt1"), {"imdbID": "tt2"}, "0.00"),
        (
            Wanted(None, "Amelie", "2001", "movie"),
            {"Title": "Amélie", "Year": "2001", "Type": "movie"},
            "1.00",
        ),
        # The wrong Birdman: the same name, another year, another type.
        (
            Wanted(None, "Birdman", "2014", "movie"),
            {"Title": "Birdman", "Year": "1967–1969", "Type": "series"},
            "0.60",
        ),
        (Wanted(None, "X", "2001"), {"Title": "X", "Year": "2002", "Type": "movie"}, "0.80"),
        (Wanted(None, "X"), {"Title": "X", "Year": "2002"}, "0.80"),
        (Wanted(None, "X", "2001"), {"Title": "X", "Year": "N/A"}, "0.65"),
    ],
)
def test_a_match_is_as_sure_as_title_year_and_type_make_it(
    wanted: Wanted, film: dict[str, str], sure: str
) -> None:
    assert confidence(wanted, film) == Decimal(sure)


@given(st.text(), st.text(), st.text(max_size=9))
def test_confidence_lies_between_nothing_and_certainty(asked: str, found: str, year: str) -> None:
    assert 0 <= confidence(Wanted(None, asked, "2001", "movie"), {"Title": found, "Year": year}) <= 1


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("Invalid API key!", SourceAuthenticationError),
        ("No API key provided.", SourceAuthenticationError),
        ("Request limit reached!", QuotaExhausted),
    ],
)
def test_a_wrong_key_and_a_used_up_quota_are_told_apart(said: str, error: type[Exception]) -> None:
    assert type(refusal(401, {"Response": "False", "Error": said})) is error


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"ids": "a.txt", "titles_from": "films.toml"},
        {"ids": ""},
        {"ids": "https://me:hunter2@host/ids.txt"},
        {"ids": "{homee}/ids.txt"},
        {"ids": "a.txt", "daily_budget": 0},
        {"ids": "a.txt", "minimum_confidence": 2},
    ],
)
def test_keys_that_cannot_be_meant_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        OmdbParameters.model_validate({"api_key": {"env": "KEY"}, **keys})
    assert type(caught.value).__name__ in ("ValidationError", "ProfileError")
