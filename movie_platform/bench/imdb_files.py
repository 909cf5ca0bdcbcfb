"""Files shaped as IMDb publishes them, generated: the same for the same number of titles, in batches of bounded size.

Shares of title types, of nulls and of credits are about those of the published files: three quarters of all titles are
episodes, one in eight has a rating. Identifiers have seven digits or more, titles hold quotes that nobody closes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from isal import igzip

from movie_platform.bench import vocabulary

# Its functions are made when it is imported, so that no type checker knows them.
pc: Any = pyarrow.compute

_BATCH_TITLES = 100_000
_SEED = 20261118
_NULL = r"\N"
# A name for every title and a tenth more.
_NAMES_PER_TITLE = 1.1
_TYPES: dict[str, float] = {
    "tvEpisode": 0.765,
    "short": 0.09,
    "movie": 0.06,
    "video": 0.028,
    "tvSeries": 0.024,
    "tvMovie": 0.013,
    "tvMiniSeries": 0.006,
    "tvSpecial": 0.005,
    "videoGame": 0.008,
    "tvShort": 0.001,
}
_RATED = 0.13
_MOST_DIRECTORS, _MOST_WRITERS = 2, 3


@dataclass(frozen=True, slots=True)
class ImdbFiles:
    """Where the files lie, and the bytes of all of them together."""

    basics: Path
    ratings: Path
    crew: Path
    names: Path
    bytes: int


def write_imdb_files(folder: Path, titles: int, *, compressed: bool = True) -> ImdbFiles:
    """Writes the four files of so many titles into `folder`; ValueError for less than one title."""
    if titles < 1:
        raise ValueError(f"at least one title has to be asked for, not {titles}")
    suffix = ".tsv.gz" if compressed else ".tsv"
    people = int(titles * _NAMES_PER_TITLE)
    parts: dict[str, tuple[Sequence[str], int, Callable[[_Picker], list[Any]]]] = {
        "title.basics": (
            (
                *("tconst", "titleType", "primaryTitle", "originalTitle", "isAdult", "startYear"),
                *("endYear", "runtimeMinutes", "genres"),
            ),
            titles,
            _basics,
        ),
        "title.ratings": (("tconst", "averageRating", "numVotes"), titles, _ratings),
        "title.crew": (("tconst", "directors", "writers"), titles, lambda pick: _crew(pick, people)),
        "name.basics": (
            (
                *("nconst", "primaryName", "birthYear", "deathYear"),
                *("primaryProfession", "knownForTitles"),
            ),
            people,
            lambda pick: _names(pick, titles),
        ),
    }
    paths = {name: folder / f"{name}{suffix}" for name in parts}
    for number, (name, (header, rows, columns)) in enumerate(parts.items()):
        _write(paths[name], header, rows, columns, seed=number)
    return ImdbFiles(*paths.values(), bytes=sum(path.stat().st_size for path in paths.values()))


def _write(
    path: Path, header: Sequence[str], rows: int, columns: "Callable[[_Picker], list[Any]]", *, seed: int
) -> None:
    opened: Any = igzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb")
    with opened as file:
        file.write(("\t".join(header) + "\n").encode())
        for first in range(0, rows, _BATCH_TITLES):
            size = min(_BATCH_TITLES, rows - first)
            pick = _Picker(np.random.default_rng((_SEED, seed, first)), first + 1, size)
            for piece in _lines(columns(pick)):
                file.write(piece)


def _lines(columns: list[Any]) -> Iterator[memoryview]:
    """The rows as the bytes of lines, without one Python object a row."""
    texts = [pc.fill_null(column, _NULL) for column in columns]
    ends = pc.binary_join_element_wise(texts[-1], pa.scalar("\n"), "")
    lines = pc.binary_join_element_wise(*texts[:-1], ends, "\t")
    data = lines.buffers()[2]
    if data is not None:
        offsets = np.frombuffer(lines.buffers()[1], np.int32)
        yield memoryview(data)[: int(offsets[lines.offset + len(lines)])]


class _Picker:
    """Random choices for one batch of rows, a column at a time."""

    def __init__(self, random: np.random.Generator, first: int, size: int) -> None:
        self._random = random
        self.size = size
        self.numbers = np.arange(first, first + size)

    def fraction(self) -> np.ndarray:
        return self._random.random(self.size)

    def whole(self, low: int, high: int) -> np.ndarray:
        return self._random.integers(low, high, self.size)

    def one(self, values: Sequence[str]) -> Any:
        return pa.array(values, pa.string()).take(pa.array(self.whole(0, len(values))))

    def weighted(self, shares: dict[str, float]) -> Any:
        edges = np.cumsum(list(shares.values()))
        index = np.minimum(np.searchsorted(edges, self.fraction(), side="right"), len(edges) - 1)
        return pa.array(list(shares), pa.string()).take(pa.array(index))

    def sometimes(self, share: float, values: Any) -> Any:
        return pc.if_else(pa.array(self.fraction() < share), values, pa.scalar(None, pa.string()))

    def listed(self, items: list[Any], some: float) -> Any:
        """Columns of items with commas between, as many a row as chance says, null where there is none."""
        # The first item is always there when it is joined: joining nothing but nulls shortens the result.
        columns = [items[0]]
        left = self.fraction() < 0.4
        for item in items[1:]:
            columns.append(pc.if_else(pa.array(left), item, pa.scalar(None, pa.string())))
            left = left & (self.fraction() < 0.4)
        return self.sometimes(some, pc.binary_join_element_wise(*columns, ",", null_handling="skip"))

    def title(self) -> Any:
        words = [self.one(vocabulary.TITLE_WORDS), self.sometimes(0.6, self.one(vocabulary.WORDS))]
        text = pc.binary_join_element_wise(*words, " ", null_handling="skip")
        before = pa.array(["", '"', "The "], pa.string()).take(
            pa.array(np.searchsorted([0.7, 0.72, 1.0], self.fraction(), side="right").clip(0, 2))
        )
        return pc.binary_join_element_wise(before, pc.utf8_capitalize(text), "")


def identifier(prefix: str, numbers: np.ndarray) -> Any:
    """IMDb identifiers: at least seven digits, more where the number has more."""
    return pc.binary_join_element_wise(prefix, pc.utf8_lpad(_text(numbers), 7, "0"), "")


def _text(numbers: np.ndarray) -> Any:
    return pc.cast(pa.array(numbers), pa.string())


def _basics(pick: _Picker) -> list[Any]:
    title = pick.title()
    kind = pick.weighted(_TYPES)
    years = 2026 - (pick.fraction() ** 2.5 * 110).astype(np.int64)
    genres = pick.listed([pick.one(vocabulary.GENRES) for _ in range(3)], 0.95)
    return [
        identifier("tt", pick.numbers),
        kind,
        title,
        pc.coalesce(pick.sometimes(0.2, pick.title()), title),
        pc.if_else(pa.array(pick.fraction() < 0.03), "1", "0"),
        pick.sometimes(0.88, _text(years)),
        pc.if_else(pc.equal(kind, "tvSeries"), _text(years + 2), pa.scalar(None, pa.string())),
        pick.sometimes(0.35, _text(pick.whole(1, 200))),
        genres,
    ]


def _ratings(pick: _Picker) -> list[Any]:
    rated = pa.array(pick.fraction() < _RATED)
    tenths = pick.whole(10, 101)
    rating = pc.binary_join_element_wise(_text(tenths // 10), _text(tenths % 10), ".")
    columns = [
        identifier("tt", pick.numbers),
        rating,
        _text((10 ** (0.7 + 4 * pick.fraction())).astype(np.int64)),
    ]
    return [column.filter(rated) for column in columns]


def _crew(pick: _Picker, people: int) -> list[Any]:
    def person() -> Any:
        # A few people are in many titles: the square of a fraction prefers small numbers.
        return identifier("nm", (pick.fraction() ** 2 * people).astype(np.int64) + 1)

    return [
        identifier("tt", pick.numbers),
        pick.listed([person() for _ in range(_MOST_DIRECTORS)], 0.57),
        pick.listed([person() for _ in range(_MOST_WRITERS)], 0.52),
    ]


def _names(pick: _Picker, titles: int) -> list[Any]:
    known = [identifier("tt", pick.whole(1, titles + 1)) for _ in range(3)]
    return [
        identifier("nm", pick.numbers),
        pc.binary_join_element_wise(pick.one(vocabulary.FIRST_NAMES), pick.one(vocabulary.LAST_NAMES), " "),
        pick.sometimes(0.05, _text(pick.whole(1880, 2010))),
        pick.sometimes(0.02, _text(pick.whole(1930, 2026))),
        pick.sometimes(0.8, pick.one(("actor", "actress", "director", "writer,producer", "editor"))),
        pick.listed(known, 0.9),
    ]
