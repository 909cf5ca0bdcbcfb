"""The fakes answer as the real APIs' documentation says: every kind of answer against its JSON Schema."""

from datetime import date

import httpx
import pytest

from movie_platform_tests.fakes import omdb, schemas, tmdb

TMDB, OMDB = schemas.validators(schemas.TMDB), schemas.validators(schemas.OMDB)
_ALL = {"primary_release_date.gte": "1900-01-01", "primary_release_date.lte": "2100-01-01"}
_DAYS = {"start_date": "1999-03-20", "end_date": "1999-03-31"}


@pytest.mark.parametrize(
    ("path", "asked", "status", "schema"),
    [
        ("/configuration", {}, 200, "configuration"),
        ("/genre/movie/list", {"language": "en-US"}, 200, "genres"),
        ("/discover/movie", _ALL, 200, "discover"),
        ("/discover/movie", {**_ALL, "page": "501"}, 400, "error"),
        ("/movie/changes", _DAYS, 200, "changes"),
        ("/movie/changes", {**_DAYS, "end_date": "1999-05-01"}, 422, "error"),
        ("/movie/1", {"append_to_response": "credits"}, 200, "movie"),
        ("/movie/99", {}, 404, "error"),
        ("/nothing", {}, 404, "error"),
    ],
)
def test_the_fake_tmdb_answers_as_documented(
    path: str, asked: dict[str, str], status: int, schema: str
) -> None:
    films = [tmdb.Film(1, changed=[date(1999, 3, 31)]), tmdb.Film(2, "")]
    with tmdb.FakeTmdb(films) as fake:
        answer = httpx.get(
            fake.base_url + path, params=asked, headers={"Authorization": f"Bearer {tmdb.TOKEN}"}
        )
        refused = httpx.get(fake.base_url + path, params=asked)
    assert answer.status_code == status
    TMDB[schema](answer.json())
    assert refused.status_code == 401
    TMDB["error"](refused.json())


def test_the_fake_tmdb_refuses_what_goes_over_its_rate() -> None:
    with (
        tmdb.FakeTmdb(rate=3, period=60) as fake,
        httpx.Client(headers={"Authorization": f"Bearer {tmdb.TOKEN}"}) as client,
    ):
        answers = [client.get(fake.base_url + "/configuration") for _ in range(4)]
    refused = answers[-1]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    TMDB["error"](refused.json())


@pytest.mark.parametrize(
    ("asked", "status", "schema"),
    [
        ({"i": "tt0000001"}, 200, "film"),
        ({"t": "film 2", "y": "1952", "type": "movie"}, 200, "film"),
        ({"i": "tt0000009"}, 200, "error"),
        ({"t": "Nobody Knows It"}, 200, "error"),
    ],
)
def test_the_fake_omdb_answers_as_documented(asked: dict[str, str], status: int, schema: str) -> None:
    with omdb.FakeOmdb(omdb.films(2), quota=1) as fake:
        refused = httpx.get(fake.base_url, params={**asked, "apikey": "wrong"})
        answer = httpx.get(fake.base_url, params={**asked, "apikey": omdb.KEY})
        too_many = httpx.get(fake.base_url, params={**asked, "apikey": omdb.KEY})
    assert answer.status_code == status
    OMDB[schema](answer.json())
    assert (refused.status_code, too_many.status_code) == (401, 401)
    OMDB["error"](refused.json())
    assert too_many.json() == {"Response": "False", "Error": "Request limit reached!"}


def test_what_is_not_documented_does_not_pass() -> None:
    with tmdb.FakeTmdb([tmdb.Film(1)]) as fake:
        headers = {"Authorization": f"Bearer {tmdb.TOKEN}"}
        film = httpx.get(f"{fake.base_url}/movie/1", headers=headers).json()
    TMDB["movie"](film)
    for wrong in (
        {**film, "runtime": "100"},
        {**film, "director": "x"},
        {key: film[key] for key in film if key != "id"},
    ):
        with pytest.raises(ValueError, match="data"):
            TMDB["movie"](wrong)
