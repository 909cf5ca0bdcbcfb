"""Which films are asked for, and in which order: decisions without I/O, but for the iterables that they are given."""

import heapq
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from movie_platform.sources.source_errors import MalformedSource

IMDB_ID = re.compile(r"tt[0-9]{7,}")
_YEAR = re.compile(r"[12][0-9]{3}")
_TYPES = frozenset({"movie", "series", "episode"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One film to ask for: by `imdb_id`, or where that is None by title, year and type as far as they are known."""

    imdb_id: str | None
    title: str | None = None
    year: str | None = None
    type: str | None = None

    @property
    def key(self) -> str:
        """What orders films and what a cursor holds: different for different films."""
        if self.imdb_id is not None:
            return json.dumps([self.imdb_id])
        return json.dumps([self.title, self.year, self.type], ensure_ascii=False)

    def query(self) -> dict[str, str]:
        """What OMDb is asked for, as parameters of its query: `i`, or those of `t`, `y` and `type` that are known."""
        if self.imdb_id is not None:
            return {"i": self.imdb_id}
        asked = {"t": self.title, "y": self.year, "type": self.type}
        return {name: value for name, value in asked.items() if value is not None}

    def text(self) -> str:
        """The query as JSON: what quarantine shows of a film that was not found."""
        return json.dumps(self.query(), ensure_ascii=False)


def wanted_of(row: Mapping[str, str | None]) -> Wanted | None:
    """The film that a row of another source names; None where it has neither id nor title."""
    imdb_id = (row.get("imdb_id") or "").strip()
    if IMDB_ID.fullmatch(imdb_id):
        return Wanted(imdb_id)
    title = (row.get("title") or "").strip()
    if not title:
        return None
    year = _YEAR.search(row.get("year") or row.get("release_date") or "")
    kind = (row.get("type") or "").strip().casefold()
    return Wanted(None, title, year[0] if year else None, kind if kind in _TYPES else None)


def next_wanted(films: Iterable[Wanted], after: str | None, limit: int) -> list[Wanted]:
    """At most `limit` films, each once, that follow `after` in the order of their keys.

    The order does not depend on that of `films`, so a list that grows, shrinks or is sorted otherwise is still gone
    through once. Holds at most twice `limit` films.
    """
    kept: dict[str, Wanted] = {}
    last: str | None = None
    for film in films:
        key = film.key
        if (after is not None and key <= after) or (last is not None and key > last):
            continue
        kept[key] = film
        if len(kept) >= 2 * limit:
            smallest = heapq.nsmallest(limit, kept)
            kept = {name: kept[name] for name in smallest}
            last = smallest[-1]
    return [kept[key] for key in heapq.nsmallest(limit, kept)]


def cursor_text(after: str | None) -> str:
    """The cursor that says after which film to go on; None: from the beginning."""
    return json.dumps({"after": after}, ensure_ascii=False)


def parse_cursor(text: str | None) -> str | None:
    """After which film to go on. Raises MalformedSource for what `cursor_text` did not write."""
    if text is None:
        return None
    try:
        after = json.loads(text)["after"]
    except (ValueError, KeyError, TypeError):
        after = 0
    if after is not None and not isinstance(after, str):
        raise MalformedSource(
            f"{text[:200]!r} is not where an extract of OMDb ended. Give the profile another name to begin anew."
        )
    return after
