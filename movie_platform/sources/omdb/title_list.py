"""The list of films that OMDb is asked for: files of ids, or the films of another profile, read as streams."""

from collections.abc import Iterator
from datetime import date

from movie_platform.raw_rows import RejectedRow
from movie_platform.settings import Settings
from movie_platform.sources import placeholders
from movie_platform.sources.files.locations import Files
from movie_platform.sources.files.text_lines import LineReader
from movie_platform.sources.omdb.parameters import OmdbParameters
from movie_platform.sources.omdb.wanted import IMDB_ID, Wanted, wanted_of
from movie_platform.sources.profile import OpenOther, Profile
from movie_platform.sources.rejections import NOT_AN_IMDB_ID, reject
from movie_platform.sources.source_errors import MalformedSource, ProfileError

# A file with more of them is no list of ids.
_MOST_REJECTED = 10_000
_COMMENT = "#"


class TitleList:
    """One reading of the list. `rejected` holds what of it names no film, complete when `films` is exhausted."""

    def __init__(
        self,
        profile: Profile,
        parameters: OmdbParameters,
        settings: Settings,
        open_other: OpenOther,
        dt: date,
    ) -> None:
        self._open_other = open_other
        self._profile = profile
        self._parameters = parameters
        self._settings = settings
        self._dt = dt
        self.rejected: list[RejectedRow] = []

    def films(self) -> Iterator[Wanted]:
        """The films, as often as they are named.

        Raises ProfileError, MalformedSource for what is no list, and what reading files or the other source raises.
        """
        if self._parameters.titles_from is not None:
            return self._of_profile(self._parameters.titles_from)
        return self._of_files()

    def _of_files(self) -> Iterator[Wanted]:
        files = Files(self._settings)
        patterns = tuple(
            placeholders.fill(path, home=self._settings.home, dt=self._dt) for path in self._parameters.ids
        )
        for location in files.expand(patterns, self._profile.folder):
            with files.open(location) as stream:
                for window in LineReader(stream, "utf-8", location.name).windows():
                    for row in window.rejected:
                        self._reject(row, location.name)
                    for number, line in enumerate(window.lines, window.first_line):
                        text = line.strip()
                        if IMDB_ID.fullmatch(text):
                            yield Wanted(text)
                        elif text and not text.startswith(_COMMENT):
                            message = f"{location.name}: no IMDb id, which is 'tt' and seven digits or more"
                            self._reject(reject(number, line, NOT_AN_IMDB_ID, message), location.name)

    def _of_profile(self, name: str) -> Iterator[Wanted]:
        path = str(self._profile.folder / name) if name.endswith(".toml") else name
        other, source = self._open_other(path)
        if other.kind in ("omdb", "tmdb"):
            raise ProfileError(
                f"titles_from names {name!r}, which is an API itself; name a database or files."
            )
        for batch in source.batches(self._dt, None):
            for row in batch.rows.to_pylist():
                wanted = wanted_of(row)
                if wanted is not None:
                    yield wanted
                    continue
                message = f"profile {other.name}: the row has neither an IMDb id nor a title"
                self._reject(reject(None, str(row.get("movie_id")), NOT_AN_IMDB_ID, message), name)

    def _reject(self, row: RejectedRow, where: str) -> None:
        if len(self.rejected) >= _MOST_REJECTED:
            raise MalformedSource(
                f"{where}: more than {_MOST_REJECTED} lines or rows name no film; it is not the list that was meant."
            )
        self.rejected.append(row)
