"""OMDb as a source: which films are asked for on a date, within the quota, and how they become row batches."""

from collections.abc import Generator, Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Literal

from movie_platform.raw_rows import RejectedRow, RowBatch
from movie_platform.settings import Settings
from movie_platform.sources.column_mapping import ColumnMapper, check_columns
from movie_platform.sources.http.client import CACHE_FOLDER, Api, ApiClient, open_client, usable_secret
from movie_platform.sources.http.parallel import ordered_map
from movie_platform.sources.http.quota import DailyQuota, QuotaExhausted
from movie_platform.sources.http.transport import Credential
from movie_platform.sources.json_records import Record
from movie_platform.sources.omdb.lookup import COLUMNS, HOW_TO_LOG_IN, PATH, fetch_film, query_of, refusal
from movie_platform.sources.omdb.parameters import OmdbParameters
from movie_platform.sources.omdb.title_list import TitleList
from movie_platform.sources.omdb.wanted import Wanted, cursor_text, next_wanted, parse_cursor
from movie_platform.sources.profile import OpenOther, Profile
from movie_platform.sources.progress import Progress, report
from movie_platform.sources.secrets import resolve

_NAME = "OMDb"
_BATCH_FILMS = 500
# A film that is as good as sure to stay: The Shawshank Redemption.
_PROBE_ID = "tt0111161"

Outcome = Record | RejectedRow


class OmdbSource:
    """Films of OMDb that a list names. What one day's quota does not reach, the next run asks for."""

    def __init__(
        self, profile: Profile, parameters: OmdbParameters, settings: Settings, open_other: OpenOther
    ) -> None:
        self._open_other = open_other
        self._profile = profile
        self._parameters = parameters
        self._settings = settings
        self._next: str | None = None

    def columns(self) -> tuple[str, ...]:
        """Columns of the bundle; they follow from the profile alone."""
        return self._profile.output_columns

    def answers_as_of(self) -> bool:
        """False: OMDb knows its present state."""
        return False

    def load_type(self, cursor: str | None) -> Literal["full", "delta"]:  # noqa: ARG002 - it does not depend on it
        """Always a delta: a film that was not asked for today, or not found, was not removed."""
        return "delta"

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:
        """The films, in batches of at most 500. List and profile are read before this returns.

        Ends early, and well, where the profile's daily quota or the key's own is used up; `next_cursor` says where to
        go on. Raises SourceQuotaExceeded where that is so before the first film, and ProfileError, SourceNotFound,
        SourceAuthenticationError, SourceUnavailable or MalformedSource.
        """
        check_columns(self._profile, COLUMNS, where=_NAME)
        after = parse_cursor(cursor)
        listed = TitleList(self._profile, self._parameters, self._settings, self._open_other, dt)
        wanted = next_wanted(listed.films(), after, self._parameters.daily_budget)
        quota = self._quota()
        client = self._client(dt, quota)
        self._next = None
        return self._read(client, quota, wanted, tuple(listed.rejected), after)

    def next_cursor(self) -> str | None:
        """After which film the next run goes on, None before all batches were read."""
        return self._next

    def describe(self) -> dict[str, str]:
        """What is asked for, and where; the key by where it lies."""
        parameters = self._parameters
        return {
            "base_url": parameters.base_url,
            "api_key": parameters.api_key.describe(),
            "films": parameters.titles_from or " ".join(parameters.ids),
            "daily_budget": str(parameters.daily_budget),
            "minimum_confidence": str(parameters.minimum_confidence),
            "plot": parameters.plot,
        }

    def probe(self) -> str:
        """One question, which counts in the quota, to see whether the API answers and takes the key.

        Raises SourceError.
        """
        quota = self._quota()
        with self._client(date.min, quota, cached=False) as client:
            fetch_film(client, Wanted(_PROBE_ID), plot="short", minimum_confidence=Decimal(0), paid=False)
        spent, allowed = quota.used(), self._parameters.daily_budget
        return f"{self._parameters.base_url} answers; {spent} of {allowed} requests of today are used"

    def _quota(self) -> DailyQuota:
        parameters = self._parameters
        # Profiles that name the same key share what it allows; the key itself is not written anywhere.
        account = f"{parameters.base_url} {parameters.api_key.describe()}"
        # What was counted today must be found again, so the file keeps the name that it was given first.
        path = self._settings.home / CACHE_FOLDER / "budgets.sqlite"
        return DailyQuota(path, account, parameters.daily_budget)

    def _client(self, dt: date, quota: DailyQuota, *, cached: bool = True) -> ApiClient:
        parameters = self._parameters
        secret = usable_secret(
            resolve(parameters.api_key, self._settings), f"api_key ({parameters.api_key.describe()})"
        )
        return open_client(
            Api(_NAME, Credential(secret, query="apikey"), HOW_TO_LOG_IN, refusal),
            parameters,
            home=self._settings.home,
            source=self._profile.name,
            dt=dt,
            quota=quota,
            cached=cached,
        )

    def _films(
        self, client: ApiClient, quota: DailyQuota, wanted: list[Wanted]
    ) -> Generator[tuple[Wanted, Outcome]]:
        parameters = self._parameters
        minimum = Decimal(str(parameters.minimum_confidence))

        def within_quota() -> Iterator[tuple[Wanted, bool] | QuotaExhausted]:
            """Films while today's requests last, paid for in their order, so that the day ends at one place in it."""
            for film in wanted:
                kept = client.holds(PATH, query_of(film, parameters.plot))
                try:
                    if not kept:
                        quota.consume()
                except QuotaExhausted as exhausted:
                    # To be raised behind the films that are paid for and under way.
                    yield exhausted
                    return
                yield film, not kept

        def fetch(item: tuple[Wanted, bool] | QuotaExhausted) -> tuple[Wanted, Outcome]:
            if isinstance(item, QuotaExhausted):
                raise item
            film, paid = item
            found = fetch_film(client, film, plot=parameters.plot, minimum_confidence=minimum, paid=paid)
            return film, found

        return ordered_map(fetch, within_quota(), workers=parameters.concurrency, abandon=client.stop)

    def _until_exhausted(
        self,
        films: Iterator[tuple[Wanted, Outcome]],
        quota: DailyQuota,
        wanted: list[Wanted],
        after: str | None,
    ) -> Iterator[Outcome]:
        """What was found, up to where today's requests are used up; sets where the next run goes on."""
        last = after
        try:
            for done, (film, found) in enumerate(films, 1):
                last = film.key
                report(Progress("films", done, len(wanted)))
                yield found
        except QuotaExhausted:
            # Whoever says so, the profile or OMDb: nothing more is asked today.
            quota.close_day()
            if last == after:
                raise
        else:
            if len(wanted) < self._parameters.daily_budget:
                # The list has no more films behind these.
                last = None
        self._next = cursor_text(last)

    def _read(
        self,
        client: ApiClient,
        quota: DailyQuota,
        wanted: list[Wanted],
        bad: tuple[RejectedRow, ...],
        after: str | None,
    ) -> Iterator[RowBatch]:
        mapper = ColumnMapper(self._profile)
        films = self._films(client, quota, wanted)
        outcomes = self._until_exhausted(films, quota, wanted, after)
        try:
            for start in range(0, len(bad), _BATCH_FILMS):
                yield mapper.empty(bad[start : start + _BATCH_FILMS])
            nothing = not bad
            while some := list(islice(outcomes, _BATCH_FILMS)):
                nothing = False
                yield from mapper.map_records(some, where=_NAME)
            if nothing:
                yield mapper.empty()
        finally:
            client.stop()
            films.close()
            client.close()
