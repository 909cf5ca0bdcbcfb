"""Films that were edited between two days, by `/movie/changes`."""

from collections.abc import Iterator
from datetime import date

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.http.client import ApiClient
from movie_platform.sources.rejections import INCOMPLETE_LISTING, reject
from movie_platform.sources.tmdb.pages import MAXIMUM_PAGES, Ids, fetch_page, read_ids
from movie_platform.sources.tmdb.periods import Period, windows
from movie_platform.sources.tmdb.seen import SeenIds

PATH = "/movie/changes"
LONGEST_WINDOW_DAYS = 14


class Changes:
    """The films that were edited from `first` to `last`. `problems` are what the API could not give."""

    def __init__(self, client: ApiClient, first: date, last: date, *, workers: int) -> None:
        self._client = client
        self._workers = workers
        self._windows = list(windows(first, last, LONGEST_WINDOW_DAYS))
        self._seen = SeenIds()
        self.problems: list[RejectedRow] = []

    def ids(self) -> Iterator[int]:
        """The ids of the edited films, each once; pages are asked for as they are needed. Adds to `problems`."""
        periods = list(reversed(self._windows))
        while periods:
            period = periods.pop()
            query = {"start_date": period.first.isoformat(), "end_date": period.last.isoformat()}
            first = fetch_page(self._client, PATH, query, 1)
            if first.total_pages > MAXIMUM_PAGES and period.days > 2:
                periods.extend(reversed(list(windows(period.first, period.last, period.days // 2 + 1))))
                continue
            found = read_ids(self._client, PATH, query, first, workers=self._workers)
            if not found.complete:
                self._report(period, found)
            yield from (number for number in found.found if self._seen.add(number))

    def _report(self, period: Period, found: Ids) -> None:
        message = (
            f"TMDB says that {found.expected} films were edited {period} and lists {len(found.found)} of them; what is "
            "missing comes with its next edit or with the next full load"
        )
        self.problems.append(reject(None, str(period), INCOMPLETE_LISTING, message))
