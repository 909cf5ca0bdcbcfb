"""Numbers as sources write them: running times, years, money, ratings and counts, as column expressions.

Every function takes a cleansed string (`glue_scripts.text`) and gives a typed column, null where the text is not a
number of its kind. No cast here can fail: a pattern bounds the digits first, so that ANSI mode changes nothing.
Arithmetic is decimal, never binary: 9.2 out of 10 is 92, not 91.
"""

from pyspark.sql import Column
from pyspark.sql import functions as fn

from glue_scripts.text import bind
from movie_platform.contracts.tables import MAXIMUM_YEAR, MINIMUM_YEAR

# At most 15 digits before the point, in groups of three or not at all, and any number after it.
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,30})?"
_WORK_DECIMAL = "decimal(24,6)"

_MINUTES = r"m(?:in(?:ute)?s?)?\.?"
_HOURS = r"h(?:ours?|rs?)?\.?"
_USUAL_RUNTIME = r"^[0-9]{1,9}(?:\.0{1,9})?(?: min)?$"
_PLAIN_RUNTIME = rf"^(-?{_NUMBER}) ?(?:{_MINUTES})?$"
_HOURS_AND_MINUTES = rf"^([0-9]{{1,6}}) ?{_HOURS}(?:,? ?([0-9]{{1,6}}) ?(?:{_MINUTES})?)?$"
_CLOCK = r"^([0-9]{1,3}):([0-5][0-9]):[0-5][0-9]$"
_ISO_DURATION = r"^pt(?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:[0-9]{1,6}(?:\.[0-9]+)?s)?$"

_DASH = r"[-\u2010-\u2015\u2212\u2E3A\uFE58\uFF0D]"
_SINGLE_YEAR = r"^\(?(-?[0-9]{1,9})(?:\.0+)?\)?$"
_YEAR_RANGE = rf"^\(?([0-9]{{4}}) ?{_DASH} ?([0-9]{{4}}|[0-9]{{2}})?\)?$"

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
_MONEY = (
    rf"^(?:(?:us|usd) ?\$?|\$)? ?({_SCIENTIFIC}|{_NUMBER}) ?({_UNIT})?"
    r" ?(?:usd|us ?\$|(?:us )?dollars?)? ?(?:\((?:estimated|est\.?)\))?$"
)
_COUNT = (
    rf"^({_SCIENTIFIC}|{_NUMBER}|[0-9]{{1,3}}(?: [0-9]{{3}}){{1,4}}) ?({_UNIT})?"
    r"(?: (?:votes?|reviews?|ratings?))?$"
)
_PLAIN_NUMBER = r"^[0-9]{1,15}(?:\.[0-9]{1,30})?$"

# A comma is a decimal point here: no rating has thousands.
_SCORE = r"[0-9]{1,3}(?:[.,][0-9]{1,30})?"
_USUAL_RATING = r"^[0-9]{1,3}(?:\.[0-9]{1,8})?$"
_RATING_OUT_OF = rf"^({_SCORE}) ?(?:/|out of) ?([0-9]{{1,3}})$"
_RATING_PERCENT = rf"^({_SCORE}) ?(?:%|percent)$"
_RATING_BARE = rf"^{_SCORE}$"


def runtime_minutes(value: Column) -> Column:
    """Minutes as decimal(24,0), perhaps out of range: `142 min`, `2h 22m`, `103.0`, `PT2H22M`, `2:22:00`.

    Fractions of a minute are rounded half up; seconds of a clock time or an ISO duration are dropped.
    """

    def parse(text: Column) -> Column:
        def hours_and_minutes(pattern: str) -> Column:
            return _integer(fn.regexp_extract(text, pattern, 1)) * 60 + _integer(
                fn.regexp_extract(text, pattern, 2)
            )

        return (
            fn.when(text.rlike(_PLAIN_RUNTIME), _decimal(fn.regexp_extract(text, _PLAIN_RUNTIME, 1)))
            .when(text.rlike(_HOURS_AND_MINUTES), hours_and_minutes(_HOURS_AND_MINUTES))
            .when(text.rlike(_ISO_DURATION), hours_and_minutes(_ISO_DURATION))
            .when(text.rlike(_CLOCK), hours_and_minutes(_CLOCK))
        )

    digits = fn.substring_index(fn.substring_index(value, " ", 1), ".", 1)
    careful = fn.round(bind(fn.lower(value), parse), 0).cast("decimal(24,0)")
    return fn.when(value.rlike(_USUAL_RUNTIME), digits.cast("decimal(24,0)")).otherwise(careful)


def first_year(value: Column) -> Column:
    """The year, or the first of a range, as an int that may be out of the contract's range."""
    digits = (
        fn.when(value.rlike("^[0-9]{4}$"), value)
        .when(value.rlike(_YEAR_RANGE), fn.regexp_extract(value, _YEAR_RANGE, 1))
        .when(value.rlike(_SINGLE_YEAR), fn.regexp_extract(value, _SINGLE_YEAR, 1))
    )
    return digits.cast("int")


def last_year(value: Column) -> Column:
    """The last year of a closed range (`1967–1987`, `1967-87`) as an int; null for one year or an open range."""

    def parse(end: Column) -> Column:
        start = fn.regexp_extract(value, _YEAR_RANGE, 1)
        year = fn.when(fn.length(end) == 2, fn.concat(fn.substring(start, 1, 2), end)).when(
            fn.length(end) == 4, end
        )
        return year.cast("int")

    is_range = (fn.length(value) > 4) & value.rlike(_YEAR_RANGE)
    return fn.when(is_range, bind(fn.regexp_extract(value, _YEAR_RANGE, 2), parse))


def is_year(value: Column) -> Column:
    """Whether a year lies in the contract's range; null for null."""
    return value.between(MINIMUM_YEAR, MAXIMUM_YEAR)


def money(value: Column) -> Column:
    """US dollars as decimal(18,2), rounded half up: `$28,767,189`, `5.16M`, `$1.2 billion`, `USD 5,000`.

    Zero stays zero: only the source can know that it means 'unknown'. Other currencies, ranges and negative amounts
    are null: nothing is converted or guessed.
    """
    careful = _narrow(_scaled(value, _MONEY), 2, 18)
    return fn.when(value.rlike(_PLAIN_NUMBER), value.cast("decimal(18,2)")).otherwise(careful)


def count(value: Column) -> Column:
    """A number of votes as bigint: `1,234`, `12K`, `1.2M`, `35 votes`; null for a fraction of a vote."""
    careful = bind(
        _scaled(value, _COUNT), lambda number: fn.when(number == fn.floor(number), number.cast("bigint"))
    )
    digits = fn.substring_index(value, ".", 1)
    return fn.when(value.rlike(r"^[0-9]{1,15}(?:\.0{1,9})?$"), digits.cast("bigint")).otherwise(careful)


def measure(value: Column) -> Column:
    """A measure that is not negative, as decimal(18,4), rounded half up."""
    return fn.when(value.rlike(r"^[0-9]{1,13}(?:\.[0-9]{1,30})?$"), value.cast("decimal(18,4)"))


def rating(value: Column, out_of: Column) -> Column:
    """A rating from 0 to 100 as decimal(5,2), rounded half up: `9.2/10`, `82/100`, `91%`, `9.2`.

    A bare number is out of `out_of`, an integer that divides 100.
    """
    bare_factor = (fn.lit(100) / out_of).cast("int")

    def parse(text: Column) -> Column:
        def number(digits: Column) -> Column:
            return fn.translate(digits, ",", ".").cast("decimal(12,8)")

        best = fn.regexp_extract(text, _RATING_OUT_OF, 2).cast("decimal(3,0)")
        share = number(fn.regexp_extract(text, _RATING_OUT_OF, 1)) * 100 / best
        return (
            fn.when(text.rlike(_RATING_BARE), number(text) * bare_factor)
            .when(text.rlike(_RATING_PERCENT), number(fn.regexp_extract(text, _RATING_PERCENT, 1)))
            .when(text.rlike(_RATING_OUT_OF), fn.when(best > 0, share))
        )

    def in_range(share: Column) -> Column:
        return fn.when(share <= 100, fn.round(share, 2).cast("decimal(5,2)"))

    usual = bind(value.cast("decimal(12,8)") * bare_factor, in_range)
    careful = bind(bind(fn.lower(value), parse), in_range)
    return fn.when(value.rlike(_USUAL_RATING), usual).when(value.isNotNull(), careful)


def difference(minuend: Column, subtrahend: Column) -> Column:
    """The difference of two amounts of `money`, which are not negative, as decimal(18,2); null where one is."""
    return (minuend - subtrahend).cast("decimal(18,2)")


def quotient(dividend: Column, divisor: Column) -> Column:
    """The quotient of two amounts of money as decimal(18,4), rounded half up; null where the divisor is zero, or the
    quotient beyond ten trillion.
    """
    fits = (divisor > 0) & (fn.abs(dividend) <= divisor * fn.lit(10**13).cast("decimal(14,0)"))
    return fn.when(fits, fn.round(dividend / divisor, 4).cast("decimal(18,4)"))


def _scaled(value: Column, pattern: str) -> Column:
    """The number of the pattern's first group times the unit of its second, as a decimal with six places."""

    def parse(text: Column) -> Column:
        factor = fn.lit(1)
        unit = fn.regexp_extract(text, pattern, 2)
        for name, size in _UNITS.items():
            factor = fn.when(unit == name, fn.lit(size)).otherwise(factor)
        return fn.when(
            text.rlike(pattern),
            _decimal(fn.regexp_extract(text, pattern, 1)) * factor.cast("decimal(13,0)"),
        )

    return fn.when(value.isNotNull(), bind(fn.lower(value), parse).cast("decimal(38,6)"))


def _narrow(number: Column, places: int, precision: int) -> Column:
    limit = 10 ** (precision - places)
    return bind(
        fn.round(number, places),
        lambda rounded: fn.when(fn.abs(rounded) < limit, rounded.cast(f"decimal({precision},{places})")),
    )


def _decimal(digits: Column) -> Column:
    return fn.translate(digits, ", ", "").cast(_WORK_DECIMAL)


def _integer(digits: Column) -> Column:
    return fn.when(digits == "", fn.lit(0)).otherwise(digits.cast("int")).cast(_WORK_DECIMAL)
