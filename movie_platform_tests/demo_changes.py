"""What sample_data/changes means for the history of the demo's films, worked out without the pipeline."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from movie_platform.contracts.tables import MOVIE_GENRES, MOVIE_PEOPLE, MOVIES, TRACKED_COLUMNS
from movie_platform.sources.sql.demo import BEGINNING
from movie_platform_tests.paths import SAMPLE_DATA

CHANGES = SAMPLE_DATA / "changes"
FIRST_DAY = date(2026, 11, 18)
# What the demo's query calls columns that both tables have.
RENAMED = {("omdb", "Rating"): "Certification", ("tomatoes", "Rating"): "CriticRating"}


@dataclass(frozen=True, order=True)
class Event:
    """A version of a film that has to be there: which film, from when on, and why."""

    movie_id: str
    since: date
    kind: str


def tracked_source_columns(columns: Mapping[str, str]) -> frozenset[str]:
    """Source columns whose change opens a version; `columns` are the profile's (contract column = source column)."""
    made_of = {raw for name in TRACKED_COLUMNS for raw in MOVIES.column(name).raw}
    made_of |= {*MOVIE_GENRES.column("genre").raw, *MOVIE_PEOPLE.column("person").raw}
    return frozenset(source for raw, source in columns.items() if raw in made_of)


def changes() -> Iterator[tuple[date, dict[str, Any]]]:
    """The lines of the files, in the order of their days."""
    for file in sorted(CHANGES.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            yield date.fromisoformat(file.stem), json.loads(line)


def base_films(database: Path) -> dict[str, dict[str, Any]]:
    """The films of the first day by their key, with the values of both tables under their names in the query."""
    films: dict[str, dict[str, Any]] = {}
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        for table in ("omdb", "tomatoes"):
            for row in connection.execute(f"SELECT * FROM {table} WHERE valid_from = ?", (BEGINNING,)):
                if table == "omdb" or str(row["ID"]) in films:
                    films.setdefault(str(row["ID"]), {}).update(_named(table, dict(row)))
    return films


def expected_events(
    database: Path, columns: Mapping[str, str], accepted: frozenset[tuple[str, date]]
) -> set[Event]:
    """The versions that the demo's films have to have.

    `accepted` says which films the transform let through on which day: one that is in quarantine stays as it was.
    """
    tracked = tracked_source_columns(columns)
    now = base_films(database)
    known = {key: _only(film, tracked) for key, film in now.items() if (key, FIRST_DAY) in accepted}
    events = {Event(key, FIRST_DAY, "added") for key in known}
    for day in sorted({day for day, _ in changes()}):
        for change in (change for at, change in changes() if at == day):
            key = str(change["ID"])
            values = {
                **_named("omdb", change.get("omdb", {})),
                **_named("tomatoes", change.get("tomatoes", {})),
            }
            match change["change"]:
                case "remove":
                    events.add(Event(key, day, "removed"))
                case "restore":
                    events.add(Event(key, day, "returned"))
                case kind:
                    now[key] = {**now.get(key, {}), **values}
                    if (key, day) not in accepted:
                        continue
                    if kind == "add" or key not in known:
                        events.add(Event(key, day, "added"))
                    elif _only(now[key], tracked) != known[key]:
                        events.add(Event(key, day, "changed"))
                    known[key] = _only(now[key], tracked)
    return events


def _named(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {RENAMED.get((table, name), name): value for name, value in row.items()}


def _only(film: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    # Null and the empty string are both nothing.
    return {name: value for name, value in film.items() if name in names and value not in {None, ""}}
