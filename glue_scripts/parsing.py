"""What single rows say: raw columns of text in, columns of a film's values out, each row by itself.

Columns are Python lists of one value a row. Values that films share are parsed once and remembered (`Memo`); most of
what is left is text that needs no repair.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from glue_scripts import dates, lists, numbers, rules
from glue_scripts.memo import Memo
from glue_scripts.text import clean_key, clean_line, clean_lines
from glue_scripts.titles import title_sort_key
from movie_platform.contracts import raw_column_names

# The lists that become rows of their own; the others become text of the film.
CHILD_LISTS = ("genres", "directors", "writers", "cast")


class Provider(NamedTuple):
    """A rating provider: the raw columns of its rating and votes, and what a bare rating is out of."""

    name: str
    rating: str
    votes: str
    out_of: int


PROVIDERS = (
    Provider("imdb", "imdb_rating", "imdb_votes", 10),
    Provider("metacritic", "metascore", "metascore_reviews", 100),
    Provider("rotten_tomatoes", "rotten_tomatoes", "rotten_tomatoes_reviews", 100),
    Provider("critics", "critic_rating", "critic_reviews", 10),
)
RATINGS = tuple(provider.rating for provider in PROVIDERS)
VOTES = tuple(provider.votes for provider in PROVIDERS)

# The raw columns whose text may turn out not to be a value of the column's kind.
PARSED = (
    "imdb_id",
    "year",
    "release_date",
    "runtime",
    "budget",
    "box_office",
    *RATINGS,
    *VOTES,
    "popularity",
    "homepage",
    "poster_url",
    "updated_at",
)

_LINES = ("title", "original_title", "certification", "awards")
_IMDB_ID = re.compile(r"(?:https?://(?:[a-z.]+\.)?imdb\.com/title/)?(tt[0-9]{7,12})/?")
_WEB_ADDRESS = re.compile(r"(?i:https?://|www\.)\S+")
_GREATEST_RUNTIME = 10**9
_BANDS = ((80, "acclaimed"), (60, "good"), (40, "mixed"), (0, "poor"))

Column = list[Any]
# A cleansed text, and its value; None where the text is not of the column's kind.
Parsed = tuple[str | None, Any]


class _Year(NamedTuple):
    text: str | None
    value: int | None
    last: int | None


class _Released(NamedTuple):
    """A release date. `value` is None outside the contract's years, of which `year` still tells."""

    text: str | None
    value: date | None
    precision: str | None
    quarter: int | None
    year: int | None


# The items of a list, and the items in one text; one of them is wanted of each column.
_Listed = tuple[list[str] | None, str | None]


class FilmParser:
    """Parses batches of raw rows; remembers, from one batch to the next, what films have in common."""

    def __init__(self) -> None:
        self._year = Memo(_year).__getitem__
        self._released = Memo(_released).__getitem__
        self._type = Memo(_type).__getitem__
        self._lines: dict[str, Callable[[str | None], str | None]] = {
            **dict.fromkeys(_LINES, clean_line),
            "certification": Memo(clean_line).__getitem__,
        }
        self._lists: dict[str, Callable[[str | None], _Listed]] = {
            **{name: Memo(_listed).__getitem__ for name in ("genres", "languages", "countries")},
            **dict.fromkeys(("directors", "cast", "production_companies"), _listed),
            "writers": _credited,
        }
        self._values: dict[str, Callable[[str | None], Parsed]] = {
            "runtime": Memo(_parser(numbers.runtime_minutes)).__getitem__,
            "updated_at": _parser(dates.timestamp),
            "imdb_id": _parser(_imdb_id),
            "popularity": _parser(numbers.measure),
            **dict.fromkeys(("homepage", "poster_url"), _parser(_web_address)),
            **dict.fromkeys(("budget", "box_office"), _parser(numbers.money)),
            **dict.fromkeys(VOTES, _parser(numbers.count)),
            **{
                provider.rating: Memo(_parser(partial(numbers.rating, out_of=provider.out_of))).__getitem__
                for provider in PROVIDERS
            },
        }

    def parse(
        self, raw: Mapping[str, Sequence[str | None]], keep: Collection[str | None] | None
    ) -> dict[str, Column]:
        """The columns of judged films, but for their hashes.

        `raw` holds every column of the bundle contract. Rows that break a rule keep their raw row as JSON
        (`raw_row`), and so do those whose key is in `keep`, which is None for all.
        """
        columns: dict[str, Column] = {
            "movie_id": list(map(clean_key, raw["movie_id"])),
            "type": list(map(self._type, raw["type"])),
            "overview": list(map(clean_lines, raw["overview"])),
            "extra": [value if value and value.strip(" ") else None for value in raw["extra"]],
        }
        for name, parse in self._lines.items():
            columns[name] = list(map(parse, raw[name]))
        columns["title_sort_key"] = list(map(title_sort_key, columns["title"]))
        for name, parse in self._lists.items():
            columns[name] = [
                names if name in CHILD_LISTS else joined for names, joined in map(parse, raw[name])
            ]
        columns["primary_genre"] = [genres[0] if genres else None for genres in columns["genres"]]

        years = list(map(self._year, raw["year"]))
        released = list(map(self._released, raw["release_date"]))
        values: dict[str, list[Parsed]] = {
            "year": [(year.text, year.value) for year in years],
            "release_date": [(release.text, release.value) for release in released],
        }
        for name, parse in self._values.items():
            values[name] = list(map(parse, raw[name]))
            columns[name] = [value for _, value in values[name]]
        columns["unparsed"] = _unparsed(values)
        columns |= _dates(years, released)
        columns |= _amounts(columns["budget"], columns["box_office"])
        columns |= _averages([columns[name] for name in RATINGS])
        columns["runtime_minutes"] = [
            minutes if minutes is not None and abs(minutes) < _GREATEST_RUNTIME else None
            for minutes in columns.pop("runtime")
        ]
        violations = [
            rules.violation(
                movie_id=movie_id,
                title=title,
                raw_year=release.text if year.text is None else year.text,
                year=release.year if year.text is None else year.value,
                year_end=year.last,
                raw_runtime=raw_runtime,
                runtime=runtime,
            )
            for movie_id, title, year, release, (raw_runtime, runtime) in zip(
                columns["movie_id"], columns["title"], years, released, values["runtime"], strict=True
            )
        ]
        columns["verdict"] = [None if broken is None else broken[0] for broken in violations]
        columns["message"] = [None if broken is None else broken[1] for broken in violations]
        columns["raw_row"] = [
            _raw_row(raw, place) if broken is not None or keep is None or movie_id in keep else None
            for place, (broken, movie_id) in enumerate(zip(violations, columns["movie_id"], strict=True))
        ]
        return columns


def _raw_row(raw: Mapping[str, Sequence[str | None]], place: int) -> str:
    row = {name: raw[name][place] for name in raw_column_names()}
    known = {name: value for name, value in row.items() if value is not None}
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def _parser(parse: Callable[[str], Any]) -> Callable[[str | None], Parsed]:
    def parse_cleansed(raw: str | None) -> Parsed:
        text = clean_line(raw)
        return text, None if text is None else parse(text)

    return parse_cleansed


def _type(raw: str | None) -> str | None:
    text = clean_line(raw)
    return None if text is None else text.lower()


def _imdb_id(text: str) -> str | None:
    found = _IMDB_ID.fullmatch(text.lower())
    return found[1] if found else None


def _web_address(text: str) -> str | None:
    return text if _WEB_ADDRESS.fullmatch(text) else None


def _year(raw: str | None) -> _Year:
    text = clean_line(raw)
    return _Year(text, numbers.first_year(text), numbers.last_year(text))


def _released(raw: str | None) -> _Released:
    text = clean_line(raw)
    iso = dates.partial_date(text)
    day = dates.first_day(iso)
    if iso is None or day is None:
        return _Released(text, None, None, None, None)
    if not numbers.is_year(day.year):
        return _Released(text, None, None, None, day.year)
    quarter = (day.month + 2) // 3 if len(iso) > len("yyyy") else None
    return _Released(text, day, dates.precision(iso), quarter, day.year)


def _listed(raw: str | None) -> _Listed:
    text = clean_line(raw)
    names = lists.items(raw, text)
    return names, None if names is None or text is None else lists.joined(names, text)


def _credited(raw: str | None) -> _Listed:
    text = clean_line(raw)
    names = lists.items(raw, text)
    return None if names is None or text is None else lists.without_credits(names, text), None


def _unparsed(values: Mapping[str, Sequence[Parsed]]) -> list[int]:
    """A bit for each of PARSED, in each row: set where there is a text, but no value came of it."""
    bits = [0] * len(values["year"])
    for bit, name in enumerate(PARSED):
        for place, (text, value) in enumerate(values[name]):
            if value is None and text is not None:
                bits[place] |= 1 << bit
    return bits


def _dates(years: Sequence[_Year], released: Sequence[_Released]) -> dict[str, Column]:
    known = [
        year.value if year.value is not None else None if release.value is None else release.year
        for year, release in zip(years, released, strict=True)
    ]
    return {
        "year": known,
        "year_end": [year.last for year in years],
        "decade": [None if year is None else year - year % 10 for year in known],
        "release_date": [release.value for release in released],
        "release_date_precision": [release.precision for release in released],
        "release_quarter": [release.quarter for release in released],
    }


def _amounts(budgets: Sequence[Decimal | None], box_offices: Sequence[Decimal | None]) -> dict[str, Column]:
    profits: list[Decimal | None] = []
    returns: list[Decimal | None] = []
    for budget, box_office in zip(budgets, box_offices, strict=True):
        if budget is None or box_office is None:
            profits.append(None)
            returns.append(None)
        else:
            profit = box_office - budget
            profits.append(profit)
            returns.append(numbers.quotient(profit, budget))
    return {"profit": profits, "return_on_investment": returns}


def _averages(ratings: Sequence[Column]) -> dict[str, Column]:
    averages = [
        numbers.mean([rating for rating in row if rating is not None]) for row in zip(*ratings, strict=True)
    ]
    return {
        "average_rating": averages,
        "rating_band": [
            None if average is None else next(band for least, band in _BANDS if average >= least)
            for average in averages
        ],
    }
