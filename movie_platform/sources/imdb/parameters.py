"""What a profile may say of IMDb's files. Values only; nothing is opened here."""

import re

from pydantic import Field, field_validator

from movie_platform.sources.placeholders import check, names_date
from movie_platform.sources.profile import SourceParameters
from movie_platform.sources.secrets_in_urls import holds_secret
from movie_platform.sources.suggestions import did_you_mean, listing

# https://developer.imdb.com/non-commercial-datasets/ says what the files hold; it does not list the types.
TITLE_TYPES: tuple[str, ...] = (
    "movie",
    "short",
    "tvEpisode",
    "tvMiniSeries",
    "tvMovie",
    "tvPilot",
    "tvSeries",
    "tvShort",
    "tvSpecial",
    "video",
    "videoGame",
)
_MEMORY = re.compile(r"[1-9][0-9]*(?:MB|GB)")


class ImdbParameters(SourceParameters):
    """The four files, which titles of them are wanted, and how much memory joining them may take."""

    basics: str = Field(min_length=1, description="title.basics.tsv, plain or gzip: a path or an address.")
    ratings: str = Field(min_length=1, description="title.ratings.tsv")
    crew: str = Field(min_length=1, description="title.crew.tsv")
    names: str = Field(min_length=1, description="name.basics.tsv")
    types: tuple[str, ...] = Field(
        default=("movie",), description="Title types; none at all means every one."
    )
    adult: bool = Field(default=False, description="Whether titles for adults are wanted too.")
    memory: str = Field(
        default="1GB", description="Memory of the join; what does not fit is spilled to disk."
    )

    @field_validator("basics", "ratings", "crew", "names")
    @classmethod
    def _path(cls, value: str) -> str:
        check(value, "path")
        if "://" in value and holds_secret(value):
            raise ValueError("a secret is written into the path; files are read without a password")
        return value

    @field_validator("types")
    @classmethod
    def _types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in TITLE_TYPES:
                raise ValueError(
                    f"{name!r} is not a title type; there are {listing(TITLE_TYPES)}.{did_you_mean(name, TITLE_TYPES)}"
                )
        return value

    @field_validator("memory")
    @classmethod
    def _memory(cls, value: str) -> str:
        if _MEMORY.fullmatch(value) is None:
            raise ValueError('memory is a whole number of MB or GB, for example "1GB"')
        return value

    def paths(self) -> dict[str, str]:
        """Paths and addresses of the files by the name of their key."""
        return {"basics": self.basics, "ratings": self.ratings, "crew": self.crew, "names": self.names}

    def names_date(self) -> bool:
        """Whether a person says which date each file describes: paths, and addresses that hold `{dt}`."""
        return all("://" not in path or names_date(path) for path in self.paths().values())
