"""All films of a selection, found by discover: cut by release date until each query fits into what is served.

Films without a release date are in no such query, and so not part of the selection.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.http.client import ApiClient
from movie_platform.sources.rejections import INCOMPLETE_LISTING, reject
from movie_platform.sources.tmdb.pages import MAXIMUM_PAGES, Ids, Page, fetch_page, read_ids
from movie_platform.sources.tmdb.parameters import TmdbParameters
from movie_platform.sources.tmdb.periods import Period
from movie_platform.sources.tmdb.seen import SeenIds

PATH = "/discover/movie"
# A film moves in these orders only when somebody edits it; in order of popularity all move every day.
_BY_DATE = "primary_release_date.asc"
_FROM_BOTH_ENDS = ("title.asc", "title.desc")


@dataclass(slots=True)
class Listing:
    """One listing of all films. `total` is what the API counts at its beginning, `problems` what it could not give."""

    client: ApiClient
    parameters: TmdbParameters
    total: int = 0
    problems: list[RejectedRow] = field(default_factory=list)
    _seen: SeenIds = field(default_factory=SeenIds)

    def begin(self) -> None:
        """Ask for the first page of all, so that a fault shows early and the total is known."""
        self.total = sum(
            self._first_page(self._whole(), language, _BY_DATE).total_entries
            for language in self._languages()
        )

    def ids(self) -> Iterator[int]:
        """The ids of all films, each once; pages are asked for as they are needed. Adds to `problems`."""
        for language in self._languages():
            periods = [self._whole()]
            while periods:
                period = periods.pop()
                first = self._first_page(period, language, _BY_DATE)
                if first.total_pages > MAXIMUM_PAGES and period.days > 1:
                    periods.extend(reversed(period.halves()))
                    continue
                found = (
                    self._read(period, language, _BY_DATE, first)
                    if first.total_pages <= MAXIMUM_PAGES
                    else self._from_both_ends(period, language)
                )
                if not found.complete:
                    self._report(period, found)
                yield from (number for number in found.found if self._seen.add(number))

    def _languages(self) -> tuple[str | None, ...]:
        return self.parameters.original_languages or (None,)

    def _whole(self) -> Period:
        return Period(self.parameters.first_release_date, self.parameters.last_release_date)

    def _query(self, period: Period, language: str | None, order: str) -> dict[str, str]:
        parameters = self.parameters
        query = {
            "include_adult": "true" if parameters.include_adult else "false",
            "include_video": "true",
            "language": parameters.language,
            "primary_release_date.gte": period.first.isoformat(),
            "primary_release_date.lte": period.last.isoformat(),
            "sort_by": order,
        }
        if language is not None:
            query["with_original_language"] = language
        if parameters.minimum_votes:
            query["vote_count.gte"] = str(parameters.minimum_votes)
        return query

    def _first_page(self, period: Period, language: str | None, order: str) -> Page:
        return fetch_page(self.client, PATH, self._query(period, language, order), 1)

    def _read(self, period: Period, language: str | None, order: str, first: Page) -> Ids:
        query = self._query(period, language, order)
        return read_ids(self.client, PATH, query, first, workers=self.parameters.concurrency)

    def _from_both_ends(self, period: Period, language: str | None) -> Ids:
        """A day that cannot be cut: its films from A on, and from Z on, which together reach twice as far."""
        found: dict[int, None] = {}
        expected = 0
        for order in _FROM_BOTH_ENDS:
            ids = self._read(period, language, order, self._first_page(period, language, order))
            found.update(dict.fromkeys(ids.found))
            expected = ids.expected
        return Ids(tuple(found), expected)

    def _report(self, period: Period, found: Ids) -> None:
        message = (
            f"TMDB says that {found.expected} films were released {period} and lists {len(found.found)} of them; what "
            "is missing may come with the next full load"
        )
        self.problems.append(reject(None, str(period), INCOMPLETE_LISTING, message))
