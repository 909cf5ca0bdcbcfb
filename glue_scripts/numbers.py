"""Numbers as sources write them: running times, years, money, ratings and counts.

Every function takes a cleansed text (`glue_scripts.text`) and gives a value, None where the text is not a number of its
kind. Arithmetic is decimal, never binary: 9.2 out of 10 is 92, not 91.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal

from movie_platform.contracts.tables import MAXIMUM_YEAR, MINIMUM_YEAR

# More digits than any value here has, so that only `_rounded` rounds.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

# At most 15 digits before the point, in groups of three or not at all, and any number after it.
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,30})?"

_MINUTES = r"m(?:in(?:ute)?s?)?\.?"
_HOURS = r"h(?:ours?|rs?)?\.?"
_USUAL_RUNTIME = re.compile(r"([0-9]{1,9})(?:\.0{1,9})?(?: min)?")
_PLAIN_RUNTIME = re.compile(rf"(-?{_NUMBER}) ?(?:{_MINUTES})?")
_DURATIONS = (
    re.compile(rf"([0-9]{{1,6}}) ?{_HOURS}(?:,? ?([0-9]{{1,6}}) ?(?:{_MINUTES})?)?"),
    re.compile(r"pt(?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:[0-9]{1,6}(?:\.[0-9]+)?s)?"),
    re.compile(r"([0-9]{1,3}):([0-5][0-9]):[0-5][0-9]"),
)

_DASH = r"[-\u2010-\u2015\u2212\u2E3A\uFE58\uFF0D]"
_SINGLE_YEAR = re.compile(r"\(?(-?[0-9]{1,9})(?:\.0+)?\)?")
_YEAR_RANGE = re.compile(rf"\(?([0-9]{{4}}) ?{_DASH} ?([0-9]{{4}}|[0-9]{{2}})?\)?")

_UNITS = {
    "k": 10**3,
    "thousand": 10**3,
    "m": 10**6,
    "mm": 10**6,
    "mn": 10**6,
    "mil": 10**6,
    "million": 10**6,
    "millions": 10**6,
    "b": 10**9,
    "bn": 10**9,
    "billion": 10**9,
    "billions": 10**9,
    "tn": 10**12,
    "trillion": 10**12,
}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
# What str(float) makes of large numbers: '1.5e+16' and the like.
_SCIENTIFIC = r"[0-9](?:\.[0-9]{1,17})?e\+?(?:0?[0-9]|1[0-4])"
_MONEY = re.compile(
    rf"(?:(?:us|usd) ?\$?|\$)? ?({_SCIENTIFIC}|{_NUMBER}) ?({_UNIT})?"
    r" ?(?:usd|us ?\$|(?:us )?dollars?)? ?(?:\((?:estimated|est\.?)\))?"
)
_COUNT = re.compile(
    rf"({_SCIENTIFIC}|{_NUMBER}|[0-9]{{1,3}}(?: [0-9]{{3}}){{1,4}}) ?({_UNIT})?"
    r"(?: (?:votes?|reviews?|ratings?))?"
)
_PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?")
_PLAIN_COUNT = re.compile(r"([0-9]{1,15})(?:\.0{1,9})?")
_MEASURE = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,30})?")
_GREATEST_AMOUNT = Decimal(10) ** 16
_GREATEST_QUOTIENT = Decimal(10) ** 13

# A comma is a decimal point here: no rating has thousands.
_SCORE = r"[0-9]{1,3}(?:[.,][0-9]{1,30})?"
_RATING = re.compile(rf"({_SCORE})(?: ?(?:(%|percent)|(?:/|out of) ?([0-9]{{1,3}})))?")


def runtime_minutes(text: str | None) -> int | None:
    """Minutes, perhaps out of range: `142 min`, `2h 22m`, `103.0`, `PT2H22M`, `2:22:00`.

    Fractions of a minute are rounded half up; seconds of a clock time or an ISO duration are dropped.
    """
    if text is None:
        return None
    if found := _USUAL_RUNTIME.fullmatch(text):
        return int(found[1])
    text = text.lower()
    if found := _PLAIN_RUNTIME.fullmatch(text):
        return int(_rounded(_decimal(found[1]), 0))
    for duration in _DURATIONS:
        if found := duration.fullmatch(text):
            return int(found[1] or 0) * 60 + int(found[2] or 0)
    return None


def first_year(text: str | None) -> int | None:
    """The year, or the first of a range; it may be out of the contract's range."""
    if text is None:
        return None
    found = _YEAR_RANGE.fullmatch(text) or _SINGLE_YEAR.fullmatch(text)
    return int(found[1]) if found else None


def last_year(text: str | None) -> int | None:
    """The last year of a closed range (`1967–1987`, `1967-87`); None for one year or an open range."""
    found = _YEAR_RANGE.fullmatch(text) if text is not None else None
    if not found or not found[2]:
        return None
    return int(found[2] if len(found[2]) == 4 else found[1][:2] + found[2])


def is_year(year: int) -> bool:
    """Whether a year lies in the contract's range."""
    return MINIMUM_YEAR <= year <= MAXIMUM_YEAR


def money(text: str | None) -> Decimal | None:
    """US dollars with two places, rounded half up: `$28,767,189`, `5.16M`, `$1.2 billion`, `USD 5,000`.

    Zero stays zero: only the source can know that it means 'unknown'. Other currencies, ranges and negative amounts
    are None: nothing is converted or guessed. So are amounts of 10^16 and more, which the tables cannot hold.
    """
    if text is None:
        return None
    if _PLAIN_NUMBER.fullmatch(text):
        return _rounded(Decimal(text), 2)
    amount = _scaled(text, _MONEY)
    if amount is None:
        return None
    amount = _rounded(amount, 2)
    return amount if amount < _GREATEST_AMOUNT else None


def count(text: str | None) -> int | None:
    """A number of votes: `1,234`, `12K`, `1.2M`, `35 votes`; None for a fraction of a vote."""
    if text is None:
        return None
    if found := _PLAIN_COUNT.fullmatch(text):
        return int(found[1])
    number = _scaled(text, _COUNT)
    whole = None if number is None else int(number)
    return whole if whole == number and (whole or 0) < 2**63 else None


def measure(text: str | None) -> Decimal | None:
    """A measure that is not negative, with four places, rounded half up."""
    return _rounded(Decimal(text), 4) if text is not None and _MEASURE.fullmatch(text) else None


def rating(text: str | None, out_of: int) -> Decimal | None:
    """A rating from 0 to 100 with two places, rounded half up: `9.2/10`, `82/100`, `91%`, `9.2`.

    A bare number is out of `out_of`, an integer that divides 100.
    """
    found = _RATING.fullmatch(text.lower()) if text is not None else None
    if not found:
        return None
    score = Decimal(found[1].replace(",", "."))
    if found[2]:
        out_of = 100
    elif found[3]:
        out_of = int(found[3])
    if out_of == 0:
        return None
    share = _EXACT.divide(_EXACT.multiply(score, Decimal(100)), Decimal(out_of))
    return _rounded(share, 2) if share <= 100 else None


def mean(ratings: list[Decimal]) -> Decimal | None:
    """The mean of ratings with two places, rounded half up; None for none."""
    return _rounded(_EXACT.divide(sum(ratings, Decimal(0)), Decimal(len(ratings))), 2) if ratings else None


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """The quotient of two amounts of money with four places, rounded half up; None where the divisor is zero, or the
    quotient beyond ten trillion.
    """
    if divisor <= 0:
        return None
    found = _EXACT.divide(dividend, divisor)
    return _rounded(found, 4) if abs(found) <= _GREATEST_QUOTIENT else None


def _scaled(text: str, pattern: re.Pattern[str]) -> Decimal | None:
    """The number of the pattern's first group, to six places, times the unit of its second."""
    found = pattern.fullmatch(text.lower())
    if not found:
        return None
    return _EXACT.multiply(_decimal(found[1]), Decimal(_UNITS[found[2]] if found[2] else 1))


def _decimal(digits: str) -> Decimal:
    return _rounded(Decimal(digits.replace(",", "").replace(" ", "")), 6)


_PLACES = {places: Decimal(1).scaleb(-places) for places in (0, 2, 4, 6)}


def _rounded(number: Decimal, places: int) -> Decimal:
    rounded = _EXACT.quantize(number, _PLACES[places])
    # Decimals of Python's know a zero below zero ('-0.0000'), Spark's do not: one number would have two hashes.
    return rounded if rounded else rounded.copy_abs()
