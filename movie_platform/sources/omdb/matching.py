"""How sure it is that a film which OMDb gave for a title is the film that was meant. Pure.

A title alone finds the wrong film often enough (a series of the same name, a remake), so what was known beside it
counts: the title for 0.6, the year for 0.3, the type for 0.1. What was not known counts half.
"""

import difflib
import re
import unicodedata
from decimal import Decimal

from movie_platform.sources.json_records import Record
from movie_platform.sources.omdb.wanted import Wanted

_TITLE, _YEAR, _TYPE = Decimal("0.6"), Decimal("0.3"), Decimal("0.1")
_HALF = Decimal("0.5")
# Releases of one film in different countries lie a year apart.
_NEAR_YEAR = Decimal("0.5")
_FOUR_DIGITS = re.compile(r"[12]\d{3}")
CERTAIN = Decimal("1.00")


def confidence(wanted: Wanted, film: Record) -> Decimal:
    """From 0 to 1, with two decimal places."""
    if wanted.imdb_id is not None:
        return CERTAIN if film.get("imdbID") == wanted.imdb_id else Decimal("0.00")
    parts = (
        _TITLE * _title_likeness(wanted.title or "", str(film.get("Title") or ""))
        + _YEAR * _year_likeness(wanted.year, str(film.get("Year") or ""))
        + _TYPE * (_HALF if wanted.type is None else Decimal(film.get("Type") == wanted.type))
    )
    return parts.quantize(Decimal("0.01"))


def _title_likeness(wanted: str, found: str) -> Decimal:
    ours, theirs = _folded(wanted), _folded(found)
    if ours == theirs:
        return Decimal(1)
    return Decimal(str(round(difflib.SequenceMatcher(None, ours, theirs, autojunk=False).ratio(), 4)))


def _year_likeness(wanted: str | None, found: str) -> Decimal:
    if wanted is None:
        return _HALF
    match = _FOUR_DIGITS.search(found)
    if match is None:
        return Decimal(0)
    apart = abs(int(match[0]) - int(wanted))
    return Decimal(1) if apart == 0 else _NEAR_YEAR if apart == 1 else Decimal(0)


def _folded(title: str) -> str:
    """The title's letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))
