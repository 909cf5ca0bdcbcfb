"""A fake TMDB: configuration, genres, discover, changes and details of films that a test makes up."""

import json
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from movie_platform_tests.fakes.schemas import TMDB, validators
from movie_platform_tests.fakes.server import FakeServer, Reply, Request

TOKEN = "eyJhbGciOiJIUzI1NiJ9.a-token-of-version-4.for-tests-only"
GENRES = {18: "Drama", 35: "Comedy", 99: "Documentary"}
MAXIMUM_PAGE = 500
_VALIDATORS = validators(TMDB)


@dataclass(slots=True)
class Film:
    """What a test may say of a film; the rest follows from its number."""

    number: int
    released: str = "1999-03-31"
    title: str = ""
    votes: int = 10
    language: str = "en"
    adult: bool = False
    changed: list[date] = field(default_factory=list[date])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        return self.title or f"Film {self.number}"


def films(count: int, *, first: date = date(1990, 1, 1), every_days: int = 1) -> list[Film]:
    """Films that are released one after another."""
    return [
        Film(number, (first + timedelta(days=every_days * (number - 1))).isoformat())
        for number in range(1, count + 1)
    ]


class FakeTmdb(FakeServer):
    """The API over some films, which tests may change while it runs.

    `rate` is how many requests it answers in any second; more are refused with 429. `shifts` are done before the
    request to discover of that number is answered, counted from 1.
    """

    def __init__(
        self,
        some: Iterable[Film] = (),
        *,
        page_size: int = 20,
        rate: int | None = None,
        validated: bool = True,
    ) -> None:
        super().__init__(validate=_check if validated else None)
        self.films = {film.number: film for film in some}
        self.removed: dict[int, list[date]] = {}
        self.page_size = page_size
        self.rate = rate
        self.shifts: dict[int, Any] = {}
        self._recent: deque[float] = deque()
        self._ordered: dict[str, list[Film]] = {}
        self._discovered = 0

    def changed(self) -> None:
        """Tell that films were added, removed or edited."""
        self._ordered.clear()

    def remove(self, number: int, day: date) -> None:
        """Remove a film, as an editor does: it is among the changes of that day and has no details any more."""
        del self.films[number]
        self.removed[number] = [day]
        self.changed()

    def authorize(self, headers: Mapping[str, str], parameters: dict[str, str]) -> bool:
        return headers.get("Authorization") == f"Bearer {TOKEN}"

    def refuse(self) -> Reply:
        return _error(401, 7, "Invalid API key: You must be granted a valid key.")

    def answer(self, request: Request) -> Reply:
        if self.rate is not None:
            while self._recent and request.moment - self._recent[0] > 1:
                self._recent.popleft()
            if len(self._recent) >= self.rate:
                self.refused += 1
                body = _error(429, 25, "Your request count (#) is over the allowed limit of (40).").body
                return Reply(429, body, {"Retry-After": "1"})
            self._recent.append(request.moment)
        match request.path.strip("/").split("/"):
            case ["configuration"]:
                return _ok(_CONFIGURATION)
            case ["genre", "movie", "list"]:
                return _ok({"genres": [{"id": number, "name": name} for number, name in GENRES.items()]})
            case ["discover", "movie"]:
                return self._discover(request.parameters)
            case ["movie", "changes"]:
                return self._changes(request.parameters)
            case ["movie", number] if number.isdigit() and int(number) in self.films:
                return _ok(_details(self.films[int(number)]))
            case _:
                return _error(404, 34, "The resource you requested could not be found.")

    def _discover(self, asked: Mapping[str, str]) -> Reply:
        self._discovered += 1
        shift = self.shifts.pop(self._discovered, None)
        if shift is not None:
            shift()
            self.changed()
        order = asked.get("sort_by", "popularity.desc")
        found = self._in_order(order)
        low, high = asked["primary_release_date.gte"], asked["primary_release_date.lte"]
        if order == "primary_release_date.asc":
            found = found[
                bisect_left(found, low, key=lambda film: film.released) : bisect_right(
                    found, high, key=lambda film: film.released
                )
            ]
        else:
            found = [film for film in found if low <= film.released <= high]
        language, votes = asked.get("with_original_language"), int(asked.get("vote_count.gte", "0"))
        adult = asked.get("include_adult") == "true"
        if language or votes or any(film.adult for film in found):
            found = [
                film
                for film in found
                if film.language == (language or film.language)
                and film.votes >= votes
                and (adult or not film.adult)
            ]
        return self._page(
            [{**_listed(film), "genre_ids": [18]} for film in self._slice(found, asked)], len(found), asked
        )

    def _changes(self, asked: Mapping[str, str]) -> Reply:
        first, last = date.fromisoformat(asked["start_date"]), date.fromisoformat(asked["end_date"])
        if (last - first).days > 14:
            return _error(422, 20, "Invalid date range: Should be a range no longer than 14 days.")
        edited = [
            {"id": film.number, "adult": film.adult}
            for film in self.films.values()
            if any(first <= day <= last for day in film.changed)
        ]
        gone = [
            {"id": number, "adult": None}
            for number, days in self.removed.items()
            if any(first <= day <= last for day in days)
        ]
        found = sorted([*edited, *gone], key=lambda change: change["id"])
        return self._page(self._slice(found, asked), len(found), asked)

    def _slice(self, found: list[Any], asked: Mapping[str, str]) -> list[Any]:
        start = (int(asked.get("page", "1")) - 1) * self.page_size
        return found[start : start + self.page_size]

    def _page(self, entries: list[Any], total: int, asked: Mapping[str, str]) -> Reply:
        page = int(asked.get("page", "1"))
        if not 1 <= page <= MAXIMUM_PAGE:
            return _error(
                400, 22, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."
            )
        pages = -(-total // self.page_size)
        return _ok({"page": page, "results": entries, "total_pages": pages, "total_results": total})

    def _in_order(self, order: str) -> list[Film]:
        if order not in self._ordered:
            name, _, direction = order.partition(".")
            dated = [film for film in self.films.values() if film.released]
            dated.sort(
                key=lambda film: (film.released if name == "primary_release_date" else film.name, film.number)
            )
            self._ordered[order] = dated if direction == "asc" else dated[::-1]
        return self._ordered[order]


def _check(request: Request, document: Any) -> None:
    if document.get("success") is False:
        name = "error"
    elif request.path.startswith("/discover"):
        name = "discover"
    elif request.path == "/movie/changes":
        name = "changes"
    elif request.path.startswith("/genre"):
        name = "genres"
    else:
        name = request.path.split("/")[1]
    _VALIDATORS[name](document)


def _ok(document: Any) -> Reply:
    return Reply(200, json.dumps(document))


def _error(status: int, code: int, message: str) -> Reply:
    return Reply(status, json.dumps({"success": False, "status_code": code, "status_message": message}))


def _listed(film: Film) -> dict[str, Any]:
    return {
        "adult": film.adult,
        "backdrop_path": None,
        "id": film.number,
        "original_language": film.language,
        "original_title": film.name,
        "overview": f"What happens in {film.name}.",
        "popularity": 1.25,
        "poster_path": f"/{film.number}.jpg",
        "release_date": film.released,
        "title": film.name,
        "video": False,
        "vote_average": 7.1,
        "vote_count": film.votes,
    }


def _person(number: int, name: str, department: str) -> dict[str, Any]:
    return {
        "adult": False,
        "gender": 0,
        "id": number,
        "known_for_department": department,
        "name": name,
        "original_name": name,
        "popularity": 0.5,
        "profile_path": None,
        "credit_id": f"c{number}",
    }


def _details(film: Film) -> dict[str, Any]:
    number = film.number
    crew = [
        {
            **_person(number * 10 + 1, f"Director {number % 97}", "Directing"),
            "department": "Directing",
            "job": "Director",
        },
        {
            **_person(number * 10 + 2, f"Writer {number % 89}", "Writing"),
            "department": "Writing",
            "job": "Screenplay",
        },
        {
            **_person(number * 10 + 2, f"Writer {number % 89}", "Writing"),
            "department": "Writing",
            "job": "Story",
        },
        {**_person(number * 10 + 3, "Somebody Else", "Sound"), "department": "Sound", "job": "Foley"},
    ]
    cast = [
        {**_person(number * 100 + place, f"Actor {place} of {number % 83}", "Acting"), "cast_id": place,
         "character": f"Role {place}", "order": place}
        for place in range(12)
    ]  # fmt: skip
    release = {
        "descriptors": [],
        "iso_639_1": "",
        "note": "",
        "release_date": f"{film.released}T00:00:00.000Z",
        "type": 3,
    }
    return {
        **_listed(film),
        "belongs_to_collection": None,
        "budget": 0,
        "genres": [{"id": 18, "name": "Drama"}, {"id": 35, "name": None}],
        "homepage": "",
        "imdb_id": f"tt{number:07d}",
        "origin_country": ["US"],
        "production_companies": [{"id": 1, "logo_path": None, "name": "Pictures, Inc.", "origin_country": "US"}],
        "production_countries": [{"iso_3166_1": "US", "name": "United States of America"}],
        "revenue": 0,
        "runtime": 100,
        "spoken_languages": [{"english_name": "English", "iso_639_1": "en", "name": "English"}],
        "status": "Released",
        "tagline": "",
        "credits": {"cast": cast, "crew": crew},
        "release_dates": {
            "results": [
                {"iso_3166_1": "DE", "release_dates": [{**release, "certification": "12"}]},
                {
                    "iso_3166_1": "US",
                    "release_dates": [{**release, "certification": ""}, {**release, "certification": "PG-13"}],
                },
            ]
        },
        "external_ids": {
            "imdb_id": f"tt{number:07d}", "wikidata_id": f"Q{number}", "facebook_id": None, "instagram_id": None,
            "twitter_id": None,
        },
        "keywords": {"keywords": [{"id": 1, "name": "test"}]},
        **film.details,
    }  # fmt: skip


_CONFIGURATION = {
    "images": {
        "base_url": "http://images.example/t/p/",
        "secure_base_url": "https://images.example/t/p/",
        "backdrop_sizes": ["original"],
        "logo_sizes": ["original"],
        "poster_sizes": ["w500", "original"],
        "profile_sizes": ["original"],
        "still_sizes": ["original"],
    },
    "change_keys": ["title"],
}
