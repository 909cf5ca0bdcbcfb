"""The kinds of source that a profile can name: for each what it may say, and how its source is made.

A new kind is an entry in `KINDS`. Its class is imported when one is opened: a profile can be read without the
packages of every kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from movie_platform.settings import Settings
from movie_platform.sources.files.parameters import FilesParameters
from movie_platform.sources.imdb.parameters import ImdbParameters
from movie_platform.sources.omdb.parameters import OmdbParameters
from movie_platform.sources.profile import OpenOther, Profile, SourceParameters
from movie_platform.sources.protocol import Source
from movie_platform.sources.sql.parameters import SqlParameters
from movie_platform.sources.tmdb.parameters import TmdbParameters

# The sources are imported where they are made: pyarrow, DuckDB and httpx would cost each start of the command.
_Parameters = TypeVar("_Parameters", bound=SourceParameters)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source. `open` is given the profile, the settings, and how to open another profile by its name."""

    parameters: type[SourceParameters]
    open: Callable[[Profile, Settings, OpenOther], Source]


def _files(profile: Profile, settings: Settings, _: OpenOther) -> Source:
    from movie_platform.sources.files.source import FilesSource

    return FilesSource(profile, _given(profile, FilesParameters), settings)


def _sql(profile: Profile, settings: Settings, _: OpenOther) -> Source:
    from movie_platform.sources.sql.incremental_source import IncrementalSqlSource
    from movie_platform.sources.sql.source import SqlSource

    parameters = _given(profile, SqlParameters)
    return (IncrementalSqlSource if parameters.incremental else SqlSource)(profile, parameters, settings)


def _demo(profile: Profile, settings: Settings, _: OpenOther) -> Source:
    from movie_platform.sources.sql.demo import DemoSource

    return DemoSource(profile, _given(profile, SqlParameters), settings)


def _tmdb(profile: Profile, settings: Settings, _: OpenOther) -> Source:
    from movie_platform.sources.tmdb.source import TmdbSource

    return TmdbSource(profile, _given(profile, TmdbParameters), settings)


def _omdb(profile: Profile, settings: Settings, open_other: OpenOther) -> Source:
    from movie_platform.sources.omdb.source import OmdbSource

    return OmdbSource(profile, _given(profile, OmdbParameters), settings, open_other)


def _imdb(profile: Profile, settings: Settings, _: OpenOther) -> Source:
    from movie_platform.sources.imdb.source import ImdbSource

    return ImdbSource(profile, _given(profile, ImdbParameters), settings)


def _given(profile: Profile, kind: type[_Parameters]) -> _Parameters:
    if not isinstance(profile.parameters, kind):
        raise TypeError(f"profile {profile.name} is of kind {profile.kind} and its parameters are not")
    return profile.parameters


KINDS: dict[str, Kind] = {
    "sql": Kind(SqlParameters, _sql),
    "files": Kind(FilesParameters, _files),
    "omdb": Kind(OmdbParameters, _omdb),
    "tmdb": Kind(TmdbParameters, _tmdb),
    "imdb": Kind(ImdbParameters, _imdb),
    "demo": Kind(SqlParameters, _demo),
}
