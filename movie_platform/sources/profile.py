"""What a profile says once it is read: the description that every source is made from."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from movie_platform.contracts.raw import EXTRA, MOVIE_ID, raw_column_names
from movie_platform.sources.protocol import LoadType, Source

UPDATED_AT = "updated_at"


class SourceParameters(BaseModel):
    """The base of what a profile may say of one kind of source, beside what all kinds share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Profile(BaseModel):
    """One source, described. `columns` maps contract columns to source columns, updated_at included.

    `optional` names contract columns whose source column may be missing; they are null then. `folder` is what
    relative paths are relative to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    load_type: LoadType = "full"
    key: tuple[str, ...] = Field(min_length=1)
    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    parameters: SourceParameters
    folder: Path

    @property
    def output_columns(self) -> tuple[str, ...]:
        """Columns of the bundle, in contract order: the key, what the profile maps, and `extra`.

        They follow from the profile alone, so a column that the source gains or loses beside the mapped ones
        changes no schema.
        """
        return tuple(name for name in raw_column_names() if name in (MOVIE_ID, EXTRA) or name in self.columns)

    def required_source_columns(self) -> tuple[str, ...]:
        """Source columns that must exist, each once, in order of mention."""
        required = [source for column, source in self.columns.items() if column not in self.optional]
        return tuple(dict.fromkeys((*self.key, *required)))


# How a source opens another profile, by its name or file: the list of films that an API is asked for may be one.
OpenOther = Callable[[str], tuple[Profile, Source]]
