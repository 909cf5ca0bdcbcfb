"""What a profile may say of OMDb, beside what all APIs share. Values only."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from movie_platform.sources.http.parameters import HttpParameters
from movie_platform.sources.placeholders import check
from movie_platform.sources.secrets import SecretReference
from movie_platform.sources.secrets_in_urls import holds_secret

# The wanted films of a day are held in memory to put them in order.
_LARGEST_BUDGET = 1_000_000


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class OmdbParameters(HttpParameters):
    """OMDb: who asks, for which films, and how often a day."""

    base_url: str = "https://www.omdbapi.com"
    requests_per_second: float = Field(default=10, gt=0, le=1000)
    concurrency: int = Field(default=4, ge=1, le=64)
    api_key: SecretReference
    ids: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(
        default=(), description="Files of IMDb ids, one a line."
    )
    titles_from: str | None = Field(
        default=None,
        min_length=1,
        description="A profile whose films are asked for by imdb_id, or else by title.",
    )
    daily_budget: int = Field(default=1000, ge=1, le=_LARGEST_BUDGET)
    minimum_confidence: float = Field(default=0.8, ge=0, le=1, description="Below it a match is rejected.")
    plot: Literal["short", "full"] = "short"

    @property
    def credential(self) -> SecretReference:
        """The API key, which OMDb wants in each request's query."""
        return self.api_key

    @field_validator("ids")
    @classmethod
    def _ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path:
                raise ValueError("a path is empty")
            check(path, "ids")
            if "://" in path and holds_secret(path):
                raise ValueError("a secret is written into the path; files are read without a password")
        return value

    @model_validator(mode="after")
    def _ids_or_titles(self) -> "OmdbParameters":
        if bool(self.ids) == (self.titles_from is not None):
            raise ValueError('give either `ids = "FILE"` or `titles_from = "PROFILE"`')
        return self
