"""What CORE has to show for the batches of a source: plain Python that goes through the days in order.

Written from the rules alone: a film's versions follow each other without gap or overlap; a removal opens a version that
is deleted and keeps the attributes; a return opens another; a film that is quarantined is not removed; a delta, and a
full batch with a quarantined row that has no key, never removes. The winner of a day is the latest extract, and of it
the newest transform; batches that lost leave no trace.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from movie_platform_tests.warehouse_history.history import Batch, Film

OPEN_END = date(9999, 12, 31)
Version = tuple[str, str, date, date, bool, bool, str, int | None, str | None, str | None]


def sha256(text: str) -> str:
    """Hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Star:
    """The tables of CORE in terms of films: no surrogate keys, so that a wrong one shows as a missing row."""

    versions: set[Version] = field(default_factory=set)
    genres: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    movie_genres: set[tuple[str, str, date, str, int, str]] = field(default_factory=set)
    movie_people: set[tuple[str, str, date, str, str, int, str]] = field(default_factory=set)
    snapshots: set[tuple[str, str, date, date, Decimal | None]] = field(default_factory=set)
    ratings: set[tuple[str, str, date, date, str, Decimal, int]] = field(default_factory=set)
    days: set[tuple[str, date, str, str]] = field(default_factory=set)


@dataclass
class _Open:
    since: date
    film: Film
    deleted: bool


def winners(batches: Iterable[Batch]) -> list[Batch]:
    """The batch that counts of each source and day, in the order of days."""
    best: dict[tuple[str, date], Batch] = {}
    for batch in batches:
        day = (batch.source, batch.dt)
        if day not in best or batch.rank > best[day].rank:
            best[day] = batch
    return [best[day] for day in sorted(best)]


def star(batches: Iterable[Batch]) -> Star:
    """The tables after all these batches are complete."""
    found = Star()
    shown: dict[tuple[str, str], _Open] = {}
    # Spelling of a name by its key: the one of the version that begins last; of several the first film, role and place.
    genre_names: dict[str, list[tuple[date, str, str, int, str]]] = {}
    person_names: dict[str, list[tuple[date, str, str, str, int, str]]] = {}

    def close(key: tuple[str, str], version: _Open, until: date) -> None:
        film = version.film
        directors = film.names("director")
        found.versions.add(
            (
                *key,
                version.since,
                until,
                until == OPEN_END,
                version.deleted,
                film.title,
                film.year,
                "|".join(_first_spellings(film.genres)) or None,
                "|".join(_first_spellings(directors)) or None,
            )
        )
        if version.deleted:
            return
        for position, genre in _placed(film.genres):
            found.movie_genres.add((*key, version.since, genre.lower(), position, genre))
            genre_names.setdefault(genre.lower(), []).append((version.since, *key, position, genre))
        for role in ("director", "writer", "cast"):
            for position, person in _placed(film.names(role)):
                found.movie_people.add((*key, version.since, role, person.lower(), position, person))
                person_names.setdefault(person.lower(), []).append(
                    (version.since, *key, role, position, person)
                )

    facts: list[tuple[Batch, Film]] = []
    for batch in winners(batches):
        found.days.add((batch.source, batch.dt, batch.batch_id, batch.transform_id))
        there = {film.movie_id: film for film in batch.films}
        for movie_id, film in there.items():
            key = (batch.source, movie_id)
            now = shown.get(key)
            if now is None or now.deleted or now.film.tracked != film.tracked:
                if now is not None:
                    close(key, now, batch.dt)
                shown[key] = _Open(batch.dt, film, deleted=False)
            facts.append((batch, film))
        if batch.removes:
            for (source, movie_id), now in list(shown.items()):
                gone = movie_id not in there and movie_id not in batch.quarantined
                if source == batch.source and gone and not now.deleted:
                    close((source, movie_id), now, batch.dt)
                    shown[source, movie_id] = _Open(batch.dt, now.film, deleted=True)
    for key, version in shown.items():
        close(key, version, OPEN_END)

    spans = {(source, film, since): until for source, film, since, until, *_ in found.versions}
    for batch, film in facts:
        key = (batch.source, film.movie_id)
        [since] = [
            begin
            for (source, name, begin), end in spans.items()
            if (source, name) == key and begin <= batch.dt < end
        ]
        found.snapshots.add((*key, batch.dt, since, film.popularity))
        for provider, rating, votes in film.ratings:
            found.ratings.add((*key, batch.dt, since, provider, rating, votes))
    found.genres = {_newest(names) for names in genre_names.values()}
    found.people = {_newest(names) for names in person_names.values()}
    return found


def _placed(names: Iterable[str]) -> list[tuple[int, str]]:
    """Names with their places from 1; of those that differ in nothing but case the first."""
    seen: set[str] = set()
    placed = []
    for position, name in enumerate(names, start=1):
        if name.lower() not in seen:
            seen.add(name.lower())
            placed.append((position, name))
    return placed


def _first_spellings(names: Iterable[str]) -> list[str]:
    return [name for _, name in _placed(names)]


def _newest(spelled: Iterable[tuple[date | str | int, ...]]) -> str:
    entries = list(spelled)
    latest = max(entry[0] for entry in entries)  # pyright: ignore[reportArgumentType]
    return str(min(entry[1:] for entry in entries if entry[0] == latest)[-1])  # pyright: ignore[reportArgumentType]
