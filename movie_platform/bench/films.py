"""Films of realistic shape, generated: the same for the same number of rows, in batches of bounded size.

What real sources contain is there in about the shares in which they contain it: lists in several forms, dates in
several forms and precisions, ratings on several scales, money in several notations, nulls, `N/A`, markup, accents;
and FAULTS_PER_MILLION rows of each kind of fault. A batch depends on its number alone, so a larger data set begins with
the films of a smaller one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from movie_platform.bench import vocabulary

# Its functions are made when it is imported, so that no type checker knows them.
pc: Any = pyarrow.compute

KEY = "film_id"
BATCH_FILMS = 50_000
FIRST_YEAR, LAST_YEAR = 1915, 2026
FAULTS_PER_MILLION: dict[str, int] = {
    "missing_key": 100,
    "missing_title": 500,
    "impossible_year": 300,
    "impossible_runtime": 300,
    "exact_duplicate": 500,
    "duplicate_key": 500,
}
_SEED = 20261118
_MILLION = 1_000_000

# Columns of the source, which a profile maps to the contract's; `tagline` and `aspect` it does not name.
COLUMNS: tuple[str, ...] = (
    *(
        KEY,
        "imdb_id",
        "title",
        "original_title",
        "kind",
        "year",
        "released",
        "runtime",
        "genres",
        "directors",
    ),
    *("writers", "actors", "languages", "countries", "studios", "certification", "plot", "awards", "budget"),
    *(
        "box_office",
        "imdb_rating",
        "imdb_votes",
        "metascore",
        "tomato_meter",
        "tomato_reviews",
        "critic_rating",
    ),
    *("popularity", "website", "poster", "last_updated", "tagline", "aspect"),
)


def film_batches(rows: int) -> Iterator[pa.RecordBatch]:
    """`rows` films as batches of BATCH_FILMS string columns named as in COLUMNS; ValueError for less than one."""
    if rows < 1:
        raise ValueError(f"at least one film has to be asked for, not {rows}")
    for number, first in enumerate(range(0, rows, BATCH_FILMS)):
        batch = _batch(number)
        left = rows - first
        yield batch if left >= BATCH_FILMS else batch.slice(0, left)


def _batch(number: int) -> pa.RecordBatch:
    pick = _Picker(np.random.default_rng((_SEED, number)))
    ids = np.arange(number * BATCH_FILMS, (number + 1) * BATCH_FILMS) + 1
    years = LAST_YEAR - (pick.fraction() ** 2.5 * (LAST_YEAR - FIRST_YEAR)).astype(np.int64)
    title = pick.title()
    columns: dict[str, Any] = {
        KEY: pc.cast(pa.array(ids), pa.string()),
        "imdb_id": pick.sometimes(0.97, _joined("tt", _padded(ids, 7))),
        "title": title,
        "original_title": pick.sometimes(0.3, title),
        "kind": pick.one(vocabulary.TYPES),
        "year": pick.form(
            (0.93, _text(years)), (0.05, _joined(_text(years), "–", _text(years + 3))), (0.02, "N/A")
        ),
        "released": pick.date(years),
        "runtime": pick.runtime(),
        "genres": pick.list_text(pick.several(vocabulary.GENRES, 1, 4)),
        "directors": pick.list_text(pick.people(1, 2)),
        "writers": pick.writers(),
        "actors": pick.list_text(pick.people(2, 8)),
        "languages": pick.list_text(pick.several(vocabulary.LANGUAGES, 1, 3)),
        "countries": pick.list_text(pick.several(vocabulary.COUNTRIES, 1, 3)),
        "studios": pick.sometimes(0.6, pick.list_text(pick.several(vocabulary.STUDIOS, 1, 3))),
        "certification": pick.one(vocabulary.CERTIFICATIONS),
        "plot": pick.sometimes(0.9, pick.plot()),
        "awards": pick.sometimes(
            0.3, _joined(_text(pick.whole(1, 9)), " wins & ", _text(pick.whole(1, 30)), " nominations.")
        ),
        "budget": pick.sometimes(0.35, pick.money()),
        "box_office": pick.sometimes(0.3, pick.money()),
        "imdb_rating": pick.sometimes(0.9, pick.rating_of_ten()),
        "imdb_votes": pick.sometimes(0.9, pick.count_text()),
        "metascore": pick.sometimes(0.4, _joined(_text(pick.whole(5, 100)), pick.one(("", "/100")))),
        "tomato_meter": pick.sometimes(0.5, _joined(_text(pick.whole(0, 101)), pick.one(("%", "%", "")))),
        "tomato_reviews": pick.sometimes(0.5, _text(pick.whole(1, 400))),
        "critic_rating": pick.sometimes(0.4, pick.rating_of_ten()),
        "popularity": pick.sometimes(
            0.95, _joined(_text(pick.whole(0, 500)), ".", _padded(pick.whole(0, 1000), 3))
        ),
        "website": pick.sometimes(0.15, _joined("https://www.example.org/films/", _text(ids))),
        "poster": pick.sometimes(0.85, _joined("https://img.example.org/", _padded(ids, 9), ".jpg")),
        "last_updated": _joined(
            "2026-",
            _padded(pick.whole(1, 12), 2),
            "-",
            _padded(pick.whole(1, 29), 2),
            " 0",
            _text(pick.whole(0, 10)),
            ":30:00",
        ),
        "tagline": pick.sometimes(0.3, pick.one(vocabulary.sentences(800))),
        "aspect": pick.one(("1.85 : 1", "2.39 : 1", "1.37 : 1", "16:9")),
    }
    faultless = pa.RecordBatch.from_pydict({name: columns[name] for name in COLUMNS})
    return _with_faults(faultless, pick)


def _with_faults(batch: pa.RecordBatch, pick: "_Picker") -> pa.RecordBatch:
    """The batch with rows of each kind of fault, no row with two."""
    counts = {kind: BATCH_FILMS * share // _MILLION for kind, share in FAULTS_PER_MILLION.items()}
    # From the second row on: a duplicate repeats the row before it, which has no fault itself.
    places = 2 * pick.random.choice(BATCH_FILMS // 2, sum(counts.values()), replace=False) + 1
    rows: dict[str, Any] = {}
    for kind, count in counts.items():
        rows[kind], places = np.sort(places[:count]), places[count:]
    order = np.arange(BATCH_FILMS)
    order[rows["exact_duplicate"]] -= 1
    copied = batch.take(pa.array(order))
    keys = batch.column(KEY)
    before = np.arange(BATCH_FILMS)
    before[rows["duplicate_key"]] -= 1
    changed = {
        KEY: _where(rows["missing_key"], None, copied.column(KEY)),
        "title": _where(rows["missing_title"], "  ", copied.column("title")),
        "year": _where(rows["impossible_year"], "3024", copied.column("year")),
        "runtime": _where(rows["impossible_runtime"], "999999 min", copied.column("runtime")),
    }
    same_key = pc.if_else(_mask(rows["duplicate_key"]), keys.take(pa.array(before)), changed[KEY])
    changed[KEY] = same_key
    return pa.RecordBatch.from_arrays(
        [changed.get(name, copied.column(name)) for name in COLUMNS], names=list(COLUMNS)
    )


class _Picker:
    """Random choices for one batch, a column of BATCH_FILMS values at a time."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def fraction(self) -> np.ndarray:
        return self.random.random(BATCH_FILMS)

    def whole(self, low: int, high: int) -> np.ndarray:
        """Integers from `low` to below `high`."""
        return self.random.integers(low, high, BATCH_FILMS)

    def one(self, values: Sequence[str]) -> Any:
        return pa.array(values, pa.string()).take(pa.array(self.whole(0, len(values))))

    def sometimes(self, share: float, values: Any) -> Any:
        """The values in that share of the rows, null in the others."""
        return pc.if_else(pa.array(self.fraction() < share), values, pa.scalar(None, pa.string()))

    def form(self, *forms: tuple[float, Any]) -> Any:
        """One of several forms a row; the shares add up to 1."""
        drawn = self.fraction()
        result: Any = forms[-1][1]
        edge = 1.0
        for share, values in reversed(forms):
            edge -= share
            if values is not result:
                result = pc.if_else(pa.array(drawn < edge + share), values, result)
        return result if not isinstance(result, str) else pa.array([result] * BATCH_FILMS)

    def several(self, values: Sequence[str], least: int, most: int) -> list[Any]:
        """Columns of a list's first, second, … item; null from where the row's list has ended."""
        length = self.whole(least, most + 1)
        return [
            pc.if_else(pa.array(length > place), self.one(values), pa.scalar(None, pa.string()))
            for place in range(most)
        ]

    def people(self, least: int, most: int) -> list[Any]:
        length = self.whole(least, most + 1)
        return [
            pc.if_else(pa.array(length > place), self.person(), pa.scalar(None, pa.string()))
            for place in range(most)
        ]

    def person(self) -> Any:
        # A few people are in many films: the square of a fraction prefers small numbers.
        last = (self.fraction() ** 2 * len(vocabulary.LAST_NAMES)).astype(np.int64)
        names = pa.array(vocabulary.LAST_NAMES, pa.string()).take(pa.array(last))
        return _joined(self.one(vocabulary.FIRST_NAMES), " ", names)

    def writers(self) -> Any:
        credit = self.one(("", "", "", " (screenplay)", " (novel)"))
        people = [_joined(person, credit) for person in self.people(1, 3)]
        return self.sometimes(0.9, self.list_text(people))

    def list_text(self, items: list[Any]) -> Any:
        """The items as one text: separated by comma or pipe, or as a JSON array."""
        comma = _listed(items, ", ")
        piped = _listed(items, "|")
        quoted = _joined('["', _listed(items, '", "'), '"]')
        return self.form((0.9, comma), (0.06, piped), (0.04, quoted))

    def title(self) -> Any:
        words = [self.one(vocabulary.TITLE_WORDS)] + [
            self.sometimes(share, self.one(vocabulary.WORDS)) for share in (0.8, 0.5, 0.2)
        ]
        return _joined(self.one(vocabulary.TITLE_BEGINNINGS), pc.utf8_capitalize(_listed(words, " ")))

    def plot(self) -> Any:
        sentences = vocabulary.sentences()
        parts = [self.one(sentences), self.one(sentences)] + [
            self.sometimes(share, self.one(sentences)) for share in (0.6, 0.3)
        ]
        return self.form((0.96, _listed(parts, " ")), (0.04, _listed(parts, "\n")))

    def date(self, years: np.ndarray) -> Any:
        month, day = self.whole(1, 13), self.whole(1, 29)
        name = pa.array(vocabulary.MONTHS, pa.string()).take(pa.array(month - 1))
        short = pc.utf8_slice_codeunits(name, 0, 3)
        year = _text(years)
        return self.form(
            (0.5, _joined(_padded(day, 2), " ", short, " ", year)),
            (0.2, _joined(year, "-", _padded(month, 2), "-", _padded(day, 2))),
            (0.1, _joined(name, " ", _text(day), ", ", year)),
            (0.1, year),
            (0.05, _joined(short, " ", year)),
            (0.04, "N/A"),
            (0.01, "to be announced"),
        )

    def runtime(self) -> Any:
        minutes = 60 + (self.fraction() ** 2 * 120).astype(np.int64)
        hours = _joined(_text(minutes // 60), "h ", _text(minutes % 60), "m")
        return self.form(
            (0.8, _joined(_text(minutes), " min")), (0.1, _text(minutes)), (0.05, hours), (0.05, "N/A")
        )

    def money(self) -> Any:
        thousands = (10 ** (2 + 3.4 * self.fraction())).astype(np.int64)
        rest = _padded(self.whole(0, 1000), 3)
        plain = _joined(_text(thousands), rest)
        dotted = _joined("$", _grouped(thousands), ",", rest)
        millions = _joined("$", _text(thousands // 1000), ".", _padded(thousands % 1000 // 10, 2), "M")
        return self.form((0.6, dotted), (0.2, plain), (0.15, millions), (0.05, r"\N"))

    def rating_of_ten(self) -> Any:
        tenths = 10 + (90 * np.sqrt(self.fraction())).astype(np.int64)
        bare = _joined(_text(tenths // 10), ".", _text(tenths % 10))
        return self.form((0.85, bare), (0.1, _joined(bare, "/10")), (0.05, "N/A"))

    def count_text(self) -> Any:
        votes = (10 ** (3 + 3 * self.fraction())).astype(np.int64)
        return self.form((0.7, _grouped(votes)), (0.3, _text(votes)))


def _text(numbers: np.ndarray) -> Any:
    return pc.cast(pa.array(numbers), pa.string())


def _padded(numbers: np.ndarray, width: int) -> Any:
    return pc.utf8_lpad(_text(numbers), width, "0")


def _grouped(numbers: np.ndarray) -> Any:
    """Numbers below a thousand millions with commas between thousands."""
    small = numbers < 1000
    middle = _joined(_text(numbers // 1000), ",", _padded(numbers % 1000, 3))
    large = _joined(
        _text(numbers // _MILLION), ",", _padded(numbers // 1000 % 1000, 3), ",", _padded(numbers % 1000, 3)
    )
    below_million = pc.if_else(pa.array(small), _text(numbers), middle)
    return pc.if_else(pa.array(numbers < _MILLION), below_million, large)


def _joined(*parts: Any) -> Any:
    """The parts one after the other; null where one of them is."""
    return pc.binary_join_element_wise(*parts, "")


def _listed(items: list[Any], separator: str) -> Any:
    """The items that are not null, with a separator between."""
    return pc.binary_join_element_wise(*items, separator, null_handling="skip")


def _mask(places: np.ndarray) -> Any:
    mask = np.zeros(BATCH_FILMS, dtype=bool)
    mask[places] = True
    return pa.array(mask)


def _where(places: np.ndarray, value: str | None, otherwise: Any) -> Any:
    return pc.if_else(_mask(places), pa.scalar(value, pa.string()), otherwise)
