"""TMDB as a source: what is asked for a date, and how it becomes row batches."""

from collections.abc import Generator, Iterator
from datetime import date, timedelta
from functools import partial
from itertools import islice
from typing import Literal

from movie_platform.raw_rows import RejectedRow, RowBatch
from movie_platform.settings import Settings
from movie_platform.sources.column_mapping import ColumnMapper, check_columns
from movie_platform.sources.http.client import Api, ApiClient, open_client, usable_secret
from movie_platform.sources.http.parallel import ordered_map
from movie_platform.sources.http.transport import Credential
from movie_platform.sources.json_records import Record, value_text
from movie_platform.sources.profile import Profile
from movie_platform.sources.progress import Progress, report
from movie_platform.sources.secrets import resolve
from movie_platform.sources.source_errors import MalformedSource
from movie_platform.sources.tmdb.changes import Changes
from movie_platform.sources.tmdb.cursor import Cursor, following, parse_cursor
from movie_platform.sources.tmdb.films import COLUMNS, Catalogue, Gone, fetch_film, is_selected
from movie_platform.sources.tmdb.listing import Listing
from movie_platform.sources.tmdb.parameters import TmdbParameters

_NAME = "TMDB"
_BATCH_FILMS = 500
_HOW_TO_LOG_IN = (
    "Set access_token to the API read access token of your account (themoviedb.org, settings, API): the long one of "
    "version 4, not the short API key."
)


class TmdbSource:
    """The films of TMDB that a profile selects: all of them, or those that changed since a cursor."""

    def __init__(self, profile: Profile, parameters: TmdbParameters, settings: Settings) -> None:
        self._profile = profile
        self._parameters = parameters
        self._settings = settings
        self._next: Cursor | None = None

    def columns(self) -> tuple[str, ...]:
        """Columns of the bundle; they follow from the profile alone."""
        return self._profile.output_columns

    def answers_as_of(self) -> bool:
        """False: TMDB knows its present state."""
        return False

    def load_type(self, cursor: str | None) -> Literal["full", "delta"]:
        """A delta where there is a cursor, unless a full load is due; and where the profile calls all of it one."""
        begins_anew = cursor is None or parse_cursor(cursor).due
        return "full" if begins_anew and self._profile.load_type == "full" else "delta"

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:
        """The films, in batches of at most 500. The credentials and the first question are tried before this returns.

        Raises ProfileError, SourceAuthenticationError, SourceQuotaExceeded, SourceNotFound, SourceUnavailable or
        MalformedSource.
        """
        check_columns(self._profile, COLUMNS, where=_NAME)
        previous = None if cursor is None else parse_cursor(cursor)
        client = self._client(dt)
        try:
            catalogue = self._catalogue(client)
            if previous is None or previous.due:
                listing = Listing(client, self._parameters)
                listing.begin()
                found = self._films(client, catalogue, listing, total=listing.total, is_delta=False)
            else:
                begin = min(previous.since, dt) - timedelta(days=self._parameters.overlap_days)
                changes = Changes(client, begin, dt, workers=self._parameters.concurrency)
                found = self._films(client, catalogue, changes, total=None, is_delta=True)
        except BaseException:
            client.close()
            raise
        self._next = None
        return self._read(client, found, following(previous, dt, self._parameters.full_load_days))

    def next_cursor(self) -> str | None:
        """The day up to which changes have been read, None before all batches were."""
        return None if self._next is None else self._next.text()

    def describe(self) -> dict[str, str]:
        """What is asked for, and where; the token by where it lies."""
        parameters = self._parameters
        described = {
            "base_url": parameters.base_url,
            "access_token": parameters.access_token.describe(),
            "language": parameters.language,
            "regions": " ".join(parameters.regions),
            "release_dates": f"{parameters.first_release_date} to {parameters.last_release_date}",
            "include_adult": value_text(parameters.include_adult) or "",
            "minimum_votes": str(parameters.minimum_votes),
        }
        if parameters.original_languages:
            described["original_languages"] = " ".join(parameters.original_languages)
        return described

    def probe(self) -> str:
        """One cheap question, to see whether the API answers and takes the token. Raises SourceError."""
        with self._client(date.min, cached=False) as client:
            client.get("/configuration", {})
        return f"{self._parameters.base_url} answers"

    def _client(self, dt: date, *, cached: bool = True) -> ApiClient:
        parameters = self._parameters
        secret = usable_secret(
            resolve(parameters.access_token, self._settings),
            f"access_token ({parameters.access_token.describe()})",
        )
        credential = Credential(secret, header="Authorization", template="Bearer {}")
        return open_client(
            Api(_NAME, credential, _HOW_TO_LOG_IN),
            parameters,
            home=self._settings.home,
            source=self._profile.name,
            dt=dt,
            cached=cached,
        )

    def _catalogue(self, client: ApiClient) -> Catalogue:
        images = client.get("/configuration", {}).document.get("images")
        answer = client.get("/genre/movie/list", {"language": self._parameters.language})
        try:
            genres = {str(genre["id"]): str(genre["name"] or "") for genre in answer.document["genres"]}
            address = str(images["secure_base_url"])  # pyright: ignore[reportOptionalSubscript] - TypeError is caught
        except (KeyError, TypeError) as error:
            raise MalformedSource(
                f"{_NAME} at {self._parameters.base_url} answers, but not as TMDB does. Check base_url."
            ) from error
        return Catalogue(genres, f"{address}original")

    def _films(
        self,
        client: ApiClient,
        catalogue: Catalogue,
        found: Listing | Changes,
        *,
        total: int | None,
        is_delta: bool,
    ) -> Generator[Record | RejectedRow]:
        fetch = partial(fetch_film, client, self._parameters, catalogue)
        workers = self._parameters.concurrency
        films = ordered_map(fetch, found.ids(), workers=workers, abandon=client.stop)
        for done, film in enumerate(films, 1):
            report(Progress("films", done, None if total is None else max(total, done)))
            yield from found.problems
            found.problems.clear()
            if isinstance(film, Gone):
                # To a full load it is a film that is not there, which is what a removed film looks like.
                if is_delta:
                    yield film.rejected()
            elif isinstance(film, RejectedRow) or not is_delta or is_selected(film, self._parameters):
                yield film
        yield from found.problems

    def _read(
        self, client: ApiClient, films: Generator[Record | RejectedRow], following_cursor: Cursor
    ) -> Iterator[RowBatch]:
        mapper = ColumnMapper(self._profile)
        nothing = True
        try:
            while some := list(islice(films, _BATCH_FILMS)):
                nothing = False
                yield from mapper.map_records(some, where=_NAME)
            if nothing:
                yield mapper.empty()
            self._next = following_cursor
        finally:
            client.stop()
            films.close()
            client.close()
