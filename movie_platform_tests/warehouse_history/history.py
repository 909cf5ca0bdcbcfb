"""What a source may say: films, days, batches and their versions."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Film:
    """A film on a day. `people` are (role, name) pairs in order; `ratings` (provider, rating, votes) triples."""

    movie_id: str
    title: str
    year: int | None = 1994
    genres: tuple[str, ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    popularity: Decimal | None = None
    ratings: tuple[tuple[str, Decimal, int], ...] = ()

    @property
    def tracked(self) -> tuple[object, ...]:
        """What versions are kept of."""
        return (self.title, self.year, self.genres, self.people)

    @property
    def tracked_hash(self) -> str:
        """A hash of it, as the transform delivers one."""
        return hashlib.sha256(repr(self.tracked).encode()).hexdigest()

    def names(self, role: str) -> list[str]:
        """The people of a role, in order."""
        return [name for found, name in self.people if found == role]


@dataclass(frozen=True)
class Batch:
    """A version of a batch. `quarantined` are keys of rows that broke a rule, None for a row without a key."""

    source: str
    dt: date
    batch_id: str
    transform_id: str
    extracted_at: datetime
    transformed_at: datetime
    films: tuple[Film, ...]
    load_type: str = "full"
    quarantined: tuple[str | None, ...] = ()
    announcement: int = 0

    @property
    def rank(self) -> tuple[object, ...]:
        """Greater wins the day."""
        return (self.extracted_at, self.batch_id, self.transformed_at, self.announcement, self.transform_id)

    @property
    def removes(self) -> bool:
        """Whether what it does not mention is removed."""
        return self.load_type == "full" and None not in self.quarantined


@dataclass(frozen=True)
class Part:
    """A file of a batch, in the table that it is loaded into; `batches` is the announcement.

    Snowpipe may load a file in several transactions: a piece of it has every `pieces`th row, from row `piece` on.
    """

    batch: Batch
    table: str
    piece: int = 0
    pieces: int = 1

    def split(self, pieces: int) -> list["Part"]:
        """The pieces of the file, which together are all of it."""
        return [replace(self, piece=piece, pieces=pieces) for piece in range(pieces)]


PARTS = ("movies", "movie_ratings", "movie_genres", "movie_people", "quarantined_rows", "batches")


@dataclass
class Arrivals:
    """Parts in the order in which they arrive; the task graph runs after each group."""

    groups: list[list[Part]] = field(default_factory=list)
