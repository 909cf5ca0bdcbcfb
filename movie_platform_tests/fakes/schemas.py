"""JSON Schemas of what the real APIs answer, written from their published documentation, so that the fakes stay honest.

TMDB: https://developer.themoviedb.org/reference (discover-movie, changes-movie-list, movie-details with
append_to_response, genre-movie-list, configuration-details, and the table of errors). OMDb: https://www.omdbapi.com
(parameters, examples, and the Swagger file that it links to).
"""

from collections.abc import Callable
from typing import Any

import fastjsonschema

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_YES_NO: Schema = {"type": "boolean"}
_ID: Schema = {"type": "integer", "minimum": 1}
_DAY: Schema = {"type": "string", "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _page(entry: Schema) -> Schema:
    page = {"page": _ID, "results": _list(entry), "total_pages": _WHOLE, "total_results": _WHOLE}
    return _object(page)


_PERSON = {
    "adult": _YES_NO,
    "gender": _WHOLE,
    "id": _ID,
    "known_for_department": _TEXT,
    "name": _TEXT,
    "original_name": _TEXT,
    "popularity": _NUMBER,
    "profile_path": _TEXT_OR_NULL,
    "credit_id": _TEXT,
}
_FILM = {
    "adult": _YES_NO,
    "backdrop_path": _TEXT_OR_NULL,
    "id": _ID,
    "original_language": _TEXT,
    "original_title": _TEXT,
    "overview": _TEXT,
    "popularity": _NUMBER,
    "poster_path": _TEXT_OR_NULL,
    "release_date": _DAY,
    "title": _TEXT,
    "video": _YES_NO,
    "vote_average": _NUMBER,
    "vote_count": _WHOLE,
}
_GENRE = _object({"id": _ID, "name": _TEXT_OR_NULL})
_RELEASE = _object(
    {
        "certification": _TEXT,
        "iso_639_1": _TEXT_OR_NULL,
        "note": _TEXT,
        "release_date": _TEXT,
        "type": _WHOLE,
    },
    descriptors=_list(_TEXT),
)

TMDB: dict[str, Schema] = {
    "configuration": _object(
        {
            "images": _object(
                {"base_url": _TEXT, "secure_base_url": _TEXT},
                **{
                    f"{kind}_sizes": _list(_TEXT)
                    for kind in ("backdrop", "logo", "poster", "profile", "still")
                },
            ),
            "change_keys": _list(_TEXT),
        }
    ),
    "genres": _object({"genres": _list(_GENRE)}),
    "discover": _page(_object({**_FILM, "genre_ids": _list(_ID)})),
    "changes": _page(_object({"id": _ID, "adult": {"type": ["boolean", "null"]}})),
    "movie": _object(
        {
            **_FILM,
            "belongs_to_collection": {"type": ["object", "null"]},
            "budget": _WHOLE,
            "genres": _list(_GENRE),
            "homepage": _TEXT_OR_NULL,
            "imdb_id": {"type": ["string", "null"], "pattern": "^tt[0-9]{7,}$"},
            "origin_country": _list(_TEXT),
            "production_companies": _list(
                _object({"id": _ID, "logo_path": _TEXT_OR_NULL, "name": _TEXT, "origin_country": _TEXT})
            ),
            "production_countries": _list(_object({"iso_3166_1": _TEXT, "name": _TEXT})),
            "revenue": _WHOLE,
            "runtime": {"type": ["integer", "null"]},
            "spoken_languages": _list(_object({"english_name": _TEXT, "iso_639_1": _TEXT, "name": _TEXT})),
            "status": _TEXT,
            "tagline": _TEXT_OR_NULL,
            "credits": _object(
                {
                    "cast": _list(
                        _object({**_PERSON, "cast_id": _WHOLE, "character": _TEXT, "order": _WHOLE})
                    ),
                    "crew": _list(_object({**_PERSON, "department": _TEXT, "job": _TEXT})),
                }
            ),
            "release_dates": _object(
                {"results": _list(_object({"iso_3166_1": _TEXT, "release_dates": _list(_RELEASE)}))}
            ),
            "external_ids": _object(
                dict.fromkeys(
                    ("imdb_id", "wikidata_id", "facebook_id", "instagram_id", "twitter_id"), _TEXT_OR_NULL
                )
            ),
            "keywords": _object({"keywords": _list(_object({"id": _ID, "name": _TEXT}))}),
        }
    ),
    "error": _object({"success": {"const": False}, "status_code": _WHOLE, "status_message": _TEXT}),
}

_FIELDS = (
    *("Title", "Year", "Rated", "Released", "Runtime", "Genre", "Director", "Writer", "Actors", "Plot"),
    *("Language", "Country", "Awards", "Poster", "Metascore", "imdbRating", "imdbVotes"),
)
OMDB: dict[str, Schema] = {
    "film": _object(
        {
            **dict.fromkeys(_FIELDS, _TEXT),
            "Ratings": _list(_object({"Source": _TEXT, "Value": _TEXT})),
            "imdbID": {"type": "string", "pattern": "^tt[0-9]{7,}$"},
            "Type": {"enum": ["movie", "series", "episode", "game"]},
            "Response": {"const": "True"},
        },
        **dict.fromkeys(("DVD", "BoxOffice", "Production", "Website", "totalSeasons"), _TEXT),
    ),
    "error": _object({"Response": {"const": "False"}, "Error": _TEXT}),
}


def validators(schemas: dict[str, Schema]) -> dict[str, Callable[[Any], Any]]:
    """A function a schema that raises for what does not fit."""
    return {name: fastjsonschema.compile(schema) for name, schema in schemas.items()}
