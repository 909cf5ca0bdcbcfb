"""Numbered pages of TMDB: read side by side, and again where they shifted while they were read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from movie_platform.sources.http.client import Answer, ApiClient, MalformedAnswer
from movie_platform.sources.http.parallel import ordered_map
from movie_platform.sources.json_records import Record

# What the API serves of any query, whatever `total_pages` says.
MAXIMUM_PAGES = 500
# A list that changes as often as it is read is reported, not chased.
READINGS = 3


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its entries, and how many pages and entries the query has as far as the API knows."""

    entries: tuple[Record, ...]
    total_pages: int
    total_entries: int


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that were found, each once, in the order of finding; `expected` is how many the API says there are."""

    found: tuple[int, ...]
    expected: int

    @property
    def complete(self) -> bool:
        """Whether at least as many were found as the API says there are."""
        return len(self.found) >= self.expected


def fetch_page(
    client: ApiClient, path: str, parameters: Mapping[str, str], number: int, reading: int = 0
) -> Page:
    """One page. Raises what the client raises, MalformedAnswer for what is no page."""
    return as_page(client.get(path, {**parameters, "page": str(number)}, reading=reading), path)


def as_page(answer: Answer, path: str) -> Page:
    """The page that an answer is. Raises MalformedAnswer."""
    try:
        entries = answer.document["results"]
        pages, total = int(answer.document["total_pages"]), int(answer.document["total_results"])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise TypeError
        for entry in entries:
            int(entry["id"])
    except (KeyError, TypeError, ValueError):
        raise MalformedAnswer(
            f"TMDB's answer to {path} is not a page of entries with ids.", answer.text
        ) from None
    return Page(tuple(entries), pages, total)


def read_ids(
    client: ApiClient, path: str, parameters: Mapping[str, str], first: Page, *, workers: int
) -> Ids:
    """The ids of all pages of a query whose first page is known; at most MAXIMUM_PAGES of them.

    While pages are read one after another the list behind them moves: an entry that slides to the next page is seen
    twice, one that slides to an earlier page not at all. So ids are counted once, and while there are fewer than the
    API says the pages are read again, from the first.
    """
    found: dict[int, None] = {}
    page = first
    for reading in range(READINGS):
        if reading:
            page = fetch_page(client, path, parameters, 1, reading)
        found.update(_ids(page))
        rest = range(2, min(page.total_pages, MAXIMUM_PAGES) + 1)
        fetch = partial(fetch_page, client, path, parameters, reading=reading)
        for later in ordered_map(fetch, rest, workers=workers, abandon=client.stop):
            page = later
            found.update(_ids(page))
        if len(found) >= page.total_entries:
            break
    return Ids(tuple(found), page.total_entries)


def _ids(page: Page) -> dict[int, None]:
    return {int(entry["id"]): None for entry in page.entries}
