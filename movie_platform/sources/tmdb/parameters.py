"""What a profile may say of TMDB, beside what all APIs share. Values only."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from movie_platform.sources.http.parameters import HttpParameters
from movie_platform.sources.secrets import SecretReference

# ISO 639-1, ISO 3166-1 and the two together, which are what TMDB takes.
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
_OriginalLanguage = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
_Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
_LONGEST_WINDOW_DAYS = 14


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class TmdbParameters(HttpParameters):
    """TMDB: who asks, which films, and in which language."""

    base_url: str = "https://api.themoviedb.org/3"
    requests_per_second: float = Field(default=40, gt=0, le=1000)
    concurrency: int = Field(default=16, ge=1, le=64)
    access_token: SecretReference = Field(description="The API read access token (version 4).")
    language: _Language = Field(default="en-US", description="Language of titles, overviews and genres.")
    original_languages: Annotated[tuple[_OriginalLanguage, ...], BeforeValidator(_one_or_several)] = ()
    regions: Annotated[tuple[_Region, ...], BeforeValidator(_one_or_several)] = Field(
        default=("US",), description="Whose certification is taken: the first region that has one."
    )
    include_adult: bool = False
    minimum_votes: int = Field(default=0, ge=0)
    first_release_date: date = date(1870, 1, 1)
    last_release_date: date = date(2100, 12, 31)
    overlap_days: int = Field(default=1, ge=0, lt=_LONGEST_WINDOW_DAYS)
    full_load_days: int | None = Field(
        default=None, ge=1, description="A full load again after so many days."
    )

    @property
    def credential(self) -> SecretReference:
        """The access token, which TMDB wants in each request's Authorization header."""
        return self.access_token

    @model_validator(mode="after")
    def _consistent(self) -> "TmdbParameters":
        if self.last_release_date < self.first_release_date:
            raise ValueError("last_release_date lies before first_release_date")
        return self
