"""What single rows say: raw columns of text in, columns of a film's values out, each row by itself.

Columns are Python lists of one value a row. Values that films share are parsed once and remembered (`Memo`); most of
what is left is text that needs no repair.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from glue_scripts import dates, lists, numbers, rules
from glue_scripts.memo import Memo
from glue_scripts.text import clean_key, clean_line, clean_lines
from glue_scripts.titles import title_sort_key
from movie_platform.contracts import raw_column_names

LISTS = ("genres", "directors", "writers", "cast", "languages", "countries", "production_companies")
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


class Parsed(NamedTuple):
    """A cleansed text, and its value; None where the text is not of the column's kind."""

    text: str | None
    value: Any


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


class _Listed(NamedTuple):
    names: list[str] | None
    joined: str | None


class FilmParser:
    """Parses batches of raw rows; remembers what it parsed from one batch to the next."""

    def __init__(self) -> None:
        self._years = Memo(_year)
        self._released = Memo(_released)
        self._lists = {name: Memo(_credited if name == "writers" else _listed) for name in LISTS}
        self._lines = {name: Memo(clean_line) for name in ("type", "certification")}
        self._parsed: dict[str, Memo[Parsed]] = {
            "runtime": Memo(lambda raw: _parsed(raw, numbers.runtime_minutes)),
            "updated_at": Memo(lambda raw: _parsed(raw, dates.timestamp)),
            "imdb_id": Memo(lambda raw: _parsed(raw, _imdb_id)),
            "popularity": Memo(lambda raw: _parsed(raw, numbers.measure)),
        }
        for name in ("homepage", "poster_url"):
            self._parsed[name] = Memo(lambda raw: _parsed(raw, _web_address))
        for name in ("budget", "box_office"):
            self._parsed[name] = Memo(lambda raw: _parsed(raw, numbers.money))
        for provider in PROVIDERS:
            self._parsed[provider.rating] = Memo(_rating_out_of(provider.out_of))
            self._parsed[provider.votes] = Memo(lambda raw: _parsed(raw, numbers.count))

    def parse(
        self, raw: Mapping[str, Sequence[str | None]], keep: Collection[str | None] | None
    ) -> dict[str, Column]:
        """The columns of judged films, but for their hashes.

        `raw` holds every column of the bundle contract. Rows that break a rule keep their raw row as JSON
        (`raw_row`), and so do those whose key is in `keep`, which is None for all.
        """
        columns: dict[str, Column] = {
            "movie_id": [clean_key(value) for value in raw["movie_id"]],
            "overview": [clean_lines(value) for value in raw["overview"]],
            "extra": [value if value and value.strip(" ") else None for value in raw["extra"]],
        }
        for name in _LINES:
            memo = self._lines.get(name)
            columns[name] = [clean_line(value) if memo is None else memo[value] for value in raw[name]]
        columns["title_sort_key"] = [title_sort_key(title) for title in columns["title"]]
        kinds = [self._lines["type"][value] for value in raw["type"]]
        columns["type"] = [None if kind is None else kind.lower() for kind in kinds]
        for name in LISTS:
            listed = [self._lists[name][value] for value in raw[name]]
            columns[name] = [each.names if name in CHILD_LISTS else each.joined for each in listed]
        columns["primary_genre"] = [genres[0] if genres else None for genres in columns["genres"]]

        years = [self._years[value] for value in raw["year"]]
        released = [self._released[value] for value in raw["release_date"]]
        parsed: dict[str, Sequence[Parsed | _Year | _Released]] = {"year": years, "release_date": released}
        for name, memo in self._parsed.items():
            parsed[name] = [memo[value] for value in raw[name]]
            columns[name] = [each.value for each in parsed[name]]
        columns["unparsed"] = _unparsed(parsed)
        columns |= _dates(years, released)
        columns |= _amounts(columns["budget"], columns["box_office"])
        columns |= _averages([columns[name] for name in RATINGS])
        runtimes = parsed["runtime"]
        minutes: Column = columns.pop("runtime")
        columns["runtime_minutes"] = [
            number if number is not None and abs(number) < _GREATEST_RUNTIME else None for number in minutes
        ]
        violations = [
            rules.violation(
                movie_id=movie_id,
                title=title,
                raw_year=year.text if year.text is not None else release.text,
                year=year.value if year.text is not None else release.year,
                year_end=year.last,
                raw_runtime=runtime.text,
                runtime=runtime.value,
            )
            for movie_id, title, year, release, runtime in zip(
                columns["movie_id"], columns["title"], years, released, runtimes, strict=True
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


def _parsed(raw: str | None, parse: Any) -> Parsed:
    text = clean_line(raw)
    return Parsed(text, parse(text))


def _rating_out_of(out_of: int) -> Any:
    def parse(raw: str | None) -> Parsed:
        return _parsed(raw, lambda text: numbers.rating(text, out_of))

    return parse


def _imdb_id(text: str | None) -> str | None:
    found = _IMDB_ID.fullmatch(text.lower()) if text is not None else None
    return found[1] if found else None


def _web_address(text: str | None) -> str | None:
    return text if text is not None and _WEB_ADDRESS.fullmatch(text) else None


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
    return _Listed(names, None if names is None or text is None else lists.joined(names, text))


def _credited(raw: str | None) -> _Listed:
    text = clean_line(raw)
    names = lists.items(raw, text)
    return _Listed(None if names is None or text is None else lists.without_credits(names, text), None)


def _unparsed(parsed: Mapping[str, Sequence[Parsed | _Year | _Released]]) -> list[int]:
    """A bit for each of PARSED, in each row: set where there is a text, but no value came of it."""
    bits = [0] * len(parsed["year"])
    for bit, name in enumerate(PARSED):
        for place, each in enumerate(parsed[name]):
            if each.value is None and each.text is not None:
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


def _amounts(budgets: Column, box_offices: Column) -> dict[str, Column]:
    profits: list[Decimal | None] = []
    returns: list[Decimal | None] = []
    for budget, box_office in zip(budgets, box_offices, strict=True):
        profit = None if budget is None or box_office is None else box_office - budget
        profits.append(profit)
        returns.append(None if profit is None else numbers.quotient(profit, budget))
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
