"""One film of OMDb: the request, and what its answer means."""

from collections.abc import Mapping
from decimal import Decimal

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.http.client import ApiClient, MalformedAnswer
from movie_platform.sources.http.quota import QuotaExhausted
from movie_platform.sources.json_records import Record
from movie_platform.sources.omdb.matching import confidence
from movie_platform.sources.omdb.wanted import Wanted
from movie_platform.sources.rejections import MALFORMED_JSON, NOT_FOUND_AT_SOURCE, UNCERTAIN_MATCH, reject
from movie_platform.sources.source_errors import SourceAuthenticationError, SourceError

PATH = "/"
HOW_TO_LOG_IN = (
    "Set api_key to a key that omdbapi.com has sent and that was activated by the link in its message."
)
# Beside the fields of a film's answer: how it was found, and what a provider's entry in Ratings says.
LOOKUP, CONFIDENCE, TOMATOES = "lookup", "match_confidence", "RottenTomatoes"
COLUMNS = (
    "Title",
    "Year",
    "Rated",
    "Released",
    "Runtime",
    "Genre",
    "Director",
    "Writer",
    "Actors",
    "Plot",
    "Language",
    "Country",
    "Awards",
    "Poster",
    "Ratings",
    "Metascore",
    "imdbRating",
    "imdbVotes",
    "imdbID",
    "Type",
    "DVD",
    "BoxOffice",
    "Production",
    "Website",
    "totalSeasons",
    "Season",
    "Episode",
    "seriesID",
    TOMATOES,
    LOOKUP,
    CONFIDENCE,
)


def refusal(status: int, document: Record) -> SourceError | None:
    """What OMDb means by a refusal: it answers a wrong key and a used-up quota with the same status."""
    said = str(document.get("Error") or "")
    if status != 401 or not said:
        return None
    if "limit" in said.casefold():
        return QuotaExhausted(
            f"OMDb says {said!r}: today's requests of this key are used up. The next run goes on where this one "
            "stopped; set daily_budget to what the key allows, or less if others use it too."
        )
    return SourceAuthenticationError(f"OMDb says {said!r}. {HOW_TO_LOG_IN}")


def query_of(wanted: Wanted, plot: str) -> Mapping[str, str]:
    """The request's parameters, without the key."""
    return {**wanted.query(), "plot": plot, "r": "json"}


def fetch_film(
    client: ApiClient, wanted: Wanted, *, plot: str, minimum_confidence: Decimal, paid: bool
) -> Record | RejectedRow:
    """The film's record, or a rejected row with what OMDb says instead.

    Raises what the client raises; a wrong key and a used-up quota are errors, whatever status they come with.
    """
    try:
        answer = client.get(PATH, query_of(wanted, plot), paid=paid)
    except MalformedAnswer as error:
        return reject(None, wanted.text(), MALFORMED_JSON, error.message)
    film = answer.document
    if film.get("Response") != "True":
        said = str(film.get("Error") or "no reason given")
        refused = refusal(401, film) if _is_about_the_key(said) else None
        if refused is not None:
            raise refused
        return reject(None, wanted.text(), NOT_FOUND_AT_SOURCE, f"OMDb: {said}")
    sure = confidence(wanted, film)
    if sure < minimum_confidence:
        found = f"{film.get('Title')!r} ({film.get('Year')}, {film.get('Type')}, {film.get('imdbID')})"
        return reject(
            None,
            wanted.text(),
            UNCERTAIN_MATCH,
            f"OMDb gave {found}: confidence {sure}, {minimum_confidence} wanted",
        )
    return record_of(film, wanted, sure)


def record_of(film: Record, wanted: Wanted, sure: Decimal) -> Record:
    """The film's fields, and beside them how it was found and what Rotten Tomatoes gives it."""
    record = {name: value for name, value in film.items() if name != "Response"}
    record[TOMATOES] = next(
        (
            rating.get("Value")
            for rating in film.get("Ratings") or ()
            if isinstance(rating, dict) and rating.get("Source") == "Rotten Tomatoes"
        ),
        None,
    )
    record[LOOKUP] = "id" if wanted.imdb_id is not None else "title"
    record[CONFIDENCE] = str(sure)
    return record


def _is_about_the_key(said: str) -> bool:
    folded = said.casefold()
    return "api key" in folded or "limit reached" in folded
