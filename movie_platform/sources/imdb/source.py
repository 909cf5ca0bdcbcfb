"""IMDb's data sets as a source: files found and their headers checked first, then joined and mapped."""

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from movie_platform.raw_rows import RowBatch
from movie_platform.settings import Settings
from movie_platform.sources import placeholders
from movie_platform.sources.column_mapping import ColumnMapper, check_columns
from movie_platform.sources.files.location import Location
from movie_platform.sources.files.locations import Files
from movie_platform.sources.imdb.credits import LIST_COLUMNS
from movie_platform.sources.imdb.join import ImdbJoin, TsvFile
from movie_platform.sources.imdb.parameters import ImdbParameters
from movie_platform.sources.profile import Profile
from movie_platform.sources.source_errors import MalformedSource, ProfileError
from movie_platform.sources.suggestions import did_you_mean, listing
from movie_platform.sources.text_values import text_array

_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 64 * 1024
# What joining needs of each file, and so what tells one from another.
_NEEDED = {
    "basics": ("tconst", "titleType", "isAdult"),
    "ratings": ("tconst", "averageRating", "numVotes"),
    "crew": ("tconst", "directors", "writers"),
    "names": ("nconst", "primaryName"),
}


class ImdbSource:
    """The wanted titles of IMDb's files, with their ratings and the names of their directors and writers."""

    def __init__(self, profile: Profile, parameters: ImdbParameters, settings: Settings) -> None:
        self._profile = profile
        self._parameters = parameters
        self._settings = settings
        self._files = Files(settings)
        self._mapper = ColumnMapper(profile)

    def columns(self) -> tuple[str, ...]:
        """Columns of the bundle; they follow from the profile alone."""
        return self._profile.output_columns

    def answers_as_of(self) -> bool:
        """True for files on disk and addresses that hold `{dt}`: a person says which date they describe."""
        return self._parameters.names_date()

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:  # noqa: ARG002 - full reads keep no cursor
        """The wanted titles. Files are found, and their headers checked, before this returns.

        Raises SourceNotFound, ProfileError, MalformedSource, SourceAuthenticationError or SourceUnavailable.
        """
        locations = {name: self._locate(name, path, dt) for name, path in self._parameters.paths().items()}
        headers = {name: self._header(name, location) for name, location in locations.items()}
        ratings = [column for column in headers["ratings"][0] if column != "tconst"]
        available = [*headers["basics"][0], *ratings, *LIST_COLUMNS]
        check_columns(self._profile, available, where="IMDb's files")
        return self._read(locations, headers)

    def next_cursor(self) -> str | None:
        """None: the files hold everything, whenever they were made."""
        return None

    def describe(self) -> dict[str, str]:
        """Paths as the profile writes them, and which titles were asked for."""
        parameters = self._parameters
        return {
            **parameters.paths(),
            "types": ",".join(parameters.types) or "all",
            "adult": str(parameters.adult).lower(),
        }

    def _locate(self, name: str, path: str, dt: date) -> Location:
        filled = placeholders.fill(path, home=self._settings.home, dt=dt)
        found = self._files.expand((filled,), self._profile.folder)
        if len(found) > 1:
            raise ProfileError(f"`{name}` names {len(found)} files; IMDb's data set of that kind is one.")
        return found[0]

    def _header(self, name: str, location: Location) -> tuple[tuple[str, ...], str]:
        """Names of a file's columns, and how its lines end."""
        with self._files.open(location) as stream:
            line = stream.readline(_LONGEST_HEADER)
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MalformedSource(f"{location.uri} does not begin with a header in UTF-8: {error}") from error
        columns = tuple(text.rstrip("\r\n").split("\t"))
        for column in _NEEDED[name]:
            if column not in columns:
                raise MalformedSource(
                    f"{location.uri}, given as `{name}`, has no column {column!r}.{did_you_mean(column, columns)} "
                    f"Its columns are {listing(columns)}. Is it the right file?"
                )
        if len(set(columns)) != len(columns):
            raise MalformedSource(f"{location.uri} has two columns of one name: {listing(columns)}.")
        return columns, "\r\n" if text.endswith("\r\n") else "\n"

    def _read(
        self, locations: dict[str, Location], headers: dict[str, tuple[tuple[str, ...], str]]
    ) -> Iterator[RowBatch]:
        parameters = self._parameters
        nothing = True
        with tempfile.TemporaryDirectory(prefix="movie-platform-imdb-") as temporary:
            folder = Path(temporary)
            files = {
                name: self._fetch(name, location, headers[name], folder)
                for name, location in locations.items()
            }
            with ImdbJoin(
                folder, files, types=parameters.types, adult=parameters.adult, memory=parameters.memory
            ) as join:
                for batch in join.titles():
                    columns = {
                        name: text_array(column)
                        for name, column in zip(batch.schema.names, batch.columns, strict=True)
                    }
                    for mapped in self._mapper.map_columns(columns, batch.num_rows, where="IMDb's files"):
                        nothing = False
                        yield mapped
                for rejected in join.rejected():
                    nothing = False
                    yield self._mapper.empty(tuple(rejected))
        if nothing:
            yield self._mapper.empty()

    def _fetch(
        self, name: str, location: Location, header: tuple[tuple[str, ...], str], folder: Path
    ) -> TsvFile:
        # DuckDB takes wildcards in a path for such, so each file gets a plain name.
        path = folder / f"{name}.tsv"
        self._files.fetch(location, path)
        with path.open("rb") as file:
            is_gzip = file.read(2) == _GZIP_MAGIC
        columns, line_end = header
        return TsvFile(path, location.name, columns, line_end, is_gzip)
