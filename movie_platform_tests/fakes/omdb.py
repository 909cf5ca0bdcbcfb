"""A fake OMDb: films by id or title, a daily quota, and a key."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from movie_platform_tests.fakes.schemas import OMDB, validators
from movie_platform_tests.fakes.server import FakeServer, Reply, Request

KEY = "k3y4t3st"
_VALIDATORS = validators(OMDB)


@dataclass(frozen=True, slots=True)
class Film:
    """A film of the fake."""

    imdb_id: str
    title: str
    year: str = "1999"
    type: str = "movie"


def films(count: int) -> list[Film]:
    """Films with ids from tt0000001 on."""
    return [
        Film(f"tt{number:07d}", f"Film {number}", str(1950 + number % 70)) for number in range(1, count + 1)
    ]


class FakeOmdb(FakeServer):
    """The API over some films. `quota` is how many requests it answers."""

    def __init__(self, some: Iterable[Film] = (), *, quota: int | None = None) -> None:
        super().__init__(validate=_check)
        self.films = {film.imdb_id: film for film in some}
        self.quota = quota
        self._answered = 0

    def authorize(self, headers: Mapping[str, str], parameters: dict[str, str]) -> bool:
        return parameters.pop("apikey", None) == KEY

    def refuse(self) -> Reply:
        return _error("Invalid API key!", 401)

    def answer(self, request: Request) -> Reply:
        if self.quota is not None and self._answered >= self.quota:
            self.refused += 1
            return _error("Request limit reached!", 401)
        self._answered += 1
        asked = request.parameters
        if "i" in asked:
            found = self.films.get(asked["i"])
            return _found(found) if found else _error("Incorrect IMDb ID.")
        for film in self.films.values():
            # As the real one does, it takes the first film that begins so, and drops a year that fits none.
            if (
                film.title.casefold().startswith(asked.get("t", "?").casefold())
                and asked.get("type", film.type) == film.type
            ):
                return _found(film)
        return _error("Movie not found!")


def _check(_request: Request, document: Any) -> None:
    _VALIDATORS["film" if document["Response"] == "True" else "error"](document)


def _error(said: str, status: int = 200) -> Reply:
    return Reply(status, json.dumps({"Response": "False", "Error": said}))


def _found(film: Film) -> Reply:
    return Reply(
        200,
        json.dumps(
            {
                "Title": film.title,
                "Year": film.year,
                "Rated": "PG-13",
                "Released": "31 Mar 1999",
                "Runtime": "136 min",
                "Genre": "Action, Sci-Fi",
                "Director": "Somebody",
                "Writer": "Somebody, Else",
                "Actors": "One, Two",
                "Plot": "Things happen.",
                "Language": "English",
                "Country": "United States",
                "Awards": "N/A",
                "Poster": "N/A",
                "Ratings": [
                    {"Source": "Internet Movie Database", "Value": "8.7/10"},
                    {"Source": "Rotten Tomatoes", "Value": "91%"},
                ],
                "Metascore": "73",
                "imdbRating": "8.7",
                "imdbVotes": "2,000,000",
                "imdbID": film.imdb_id,
                "Type": film.type,
                "DVD": "N/A",
                "BoxOffice": "$172,076,928",
                "Production": "N/A",
                "Website": "N/A",
                "Response": "True",
            }
        ),
    )
