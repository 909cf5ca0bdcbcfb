"""One film: its details with credits, release dates, external ids and keywords in one call, and the row made of them.

Values go through as the API gave them. What it nests is given as JSON lists of names, in its order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.http.client import ApiClient, MalformedAnswer
from movie_platform.sources.json_records import Record
from movie_platform.sources.rejections import MALFORMED_JSON, REMOVED_AT_SOURCE, reject
from movie_platform.sources.source_errors import SourceNotFound
from movie_platform.sources.tmdb.parameters import TmdbParameters

_PARTS = "credits,release_dates,external_ids,keywords"
_OK_OR_GONE = frozenset({200, 404})
# TMDB's own code beside HTTP's 404: the resource that was asked for could not be found.
_GONE = "34"

_PLAIN = (
    "id",
    "imdb_id",
    "title",
    "original_title",
    "original_language",
    "overview",
    "tagline",
    "status",
    "release_date",
    "runtime",
    "budget",
    "revenue",
    "popularity",
    "vote_average",
    "vote_count",
    "homepage",
    "poster_path",
    "backdrop_path",
    "adult",
    "video",
    "origin_country",
    "belongs_to_collection",
)
_EXTERNAL = ("wikidata_id", "facebook_id", "instagram_id", "twitter_id")
_MADE = (
    "genres",
    "spoken_languages",
    "production_countries",
    "production_companies",
    "cast",
    "directors",
    "writers",
    "keywords",
    "certification",
    "release_dates",
    "poster_url",
)
COLUMNS = (*_PLAIN, *_EXTERNAL, *_MADE)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the API says once of all films: genre names by id, and the address that poster paths follow."""

    genres: Mapping[str, str]
    image_address: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The API knew the film, and does not any more."""

    number: int

    def rejected(self) -> RejectedRow:
        """How a delta, which never removes a film, records it."""
        return reject(
            None,
            f'{{"id":{self.number}}}',
            REMOVED_AT_SOURCE,
            f"TMDB has removed film {self.number}; the next full load removes it here",
        )


def fetch_film(
    client: ApiClient, parameters: TmdbParameters, catalogue: Catalogue, number: int
) -> Record | Gone | RejectedRow:
    """The record of a film with all COLUMNS; Gone, or a rejected row where its answer cannot be read."""
    path = f"/movie/{number}"
    query = {"append_to_response": _PARTS, "language": parameters.language}
    try:
        answer = client.get(path, query, accepted=_OK_OR_GONE)
    except MalformedAnswer as error:
        return reject(None, error.text, MALFORMED_JSON, error.message)
    document = answer.document
    if answer.status == 404:
        if str(document.get("status_code")) != _GONE:
            # Some other server's 404: no reason to think that a film was removed.
            raise SourceNotFound(
                f"TMDB: there is nothing at {path}, and it is not TMDB that says so. Check base_url."
            )
        return Gone(number)
    if str(document.get("id")) != str(number):
        return reject(None, answer.text, MALFORMED_JSON, f"TMDB's answer to {path} is not that film")
    try:
        return record_of(document, parameters.regions, catalogue)
    except (TypeError, AttributeError, KeyError):
        return reject(None, answer.text, MALFORMED_JSON, f"TMDB's answer to {path} is not built as a film is")


def record_of(document: Record, regions: Sequence[str], catalogue: Catalogue) -> Record:
    """The columns of one film's details. Raises TypeError, AttributeError or KeyError for what is not built so."""
    people = document.get("credits") or {}
    external = document.get("external_ids") or {}
    releases = (document.get("release_dates") or {}).get("results") or []
    record: Record = {name: document.get(name) for name in _PLAIN}
    record["imdb_id"] = document.get("imdb_id") or external.get("imdb_id")
    record.update({name: external.get(name) for name in _EXTERNAL})
    record["genres"] = _genres(document.get("genres"), catalogue.genres)
    record["spoken_languages"] = _names(document.get("spoken_languages"), "english_name", "name")
    record["production_countries"] = _names(document.get("production_countries"))
    record["production_companies"] = _names(document.get("production_companies"))
    record["cast"] = _names(people.get("cast"))
    record["directors"] = _crew(people.get("crew"), lambda member: member.get("job") == "Director")
    record["writers"] = _crew(people.get("crew"), lambda member: member.get("department") == "Writing")
    record["keywords"] = _names((document.get("keywords") or {}).get("keywords"))
    record["certification"] = certification(releases, regions)
    record["release_dates"] = releases or None
    path = document.get("poster_path")
    record["poster_url"] = f"{catalogue.image_address}{path}" if path else None
    return record


def certification(releases: Iterable[Record], regions: Sequence[str]) -> str | None:
    """The first certification of the first region that has one."""
    by_region = {str(release["iso_3166_1"]): release.get("release_dates") or [] for release in releases}
    for region in regions:
        for release in by_region.get(region, ()):
            if release.get("certification"):
                return release["certification"]
    return None


def is_selected(record: Record, parameters: TmdbParameters) -> bool:
    """Whether the full load would list the film: what changed may lie outside of what the profile asks for."""
    released = str(record.get("release_date") or "")
    return (
        parameters.first_release_date.isoformat() <= released <= parameters.last_release_date.isoformat()
        and (parameters.include_adult or record.get("adult") is not True)
        and (
            not parameters.original_languages
            or record.get("original_language") in parameters.original_languages
        )
        and int(record.get("vote_count") or 0) >= parameters.minimum_votes
    )


def _genres(genres: Any, names: Mapping[str, str]) -> list[str] | None:
    """Names in the profile's language, by id; an id that the list does not know keeps the name that came with it."""
    if genres is None:
        return None
    found = [names.get(str(genre["id"])) or genre.get("name") for genre in genres]
    return [name for name in found if name]


def _names(items: Any, *keys: str) -> list[str] | None:
    if items is None:
        return None
    found = [next((item[key] for key in keys or ("name",) if item.get(key)), None) for item in items]
    return [name for name in found if name]


def _crew(crew: Any, wanted: Callable[[Record], bool]) -> list[str] | None:
    if crew is None:
        return None
    # One person may have several jobs.
    return list(dict.fromkeys(member["name"] for member in crew if wanted(member) and member.get("name")))
