"""Dates and timestamps as sources write them, as column expressions.

A date carries its precision: `release_date` is first brought to ISO form, cut to what is known (`1994-10-14`,
`1994-10`, `1994`), so that its length says the precision. Dates that could be read in two ways (`04/05/1994`) are
not read at all.
"""

from pyspark.sql import Column
from pyspark.sql import functions as fn

from glue_scripts.text import bind

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_MONTH_STARTS = "janfebmaraprmayjunjulaugsepoctnovdec"

_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9]{1,2}:[0-9]{2}.*)?$"
_ISO_MONTH = r"^[0-9]{4}-[0-9]{2}$"
_YEAR = r"^([0-9]{4})(?:\.0+)?$"
_YEAR_FIRST = r"^([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})$"
_COMPACT = r"^(1[89]|20)([0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
_DAY_FIRST = rf"^([0-9]{{1,2}})(?:st|nd|rd|th)?[ -](?:of )?({_MONTHS})\.?,?[ -]([0-9]{{4}})$"
_MONTH_FIRST = rf"^({_MONTHS})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}})$"
_MONTH_AND_YEAR = rf"^({_MONTHS})\.?,?[ -]([0-9]{{4}})$"
_NUMBERS = r"^([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})$"
_WEEKDAY = r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? "
_PLACE = r" ?\([^()]*\)$"

_TIMESTAMP = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{1,2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r" ?(?:(?:Z|UTC|GMT)|([+-][0-9]{2}):?([0-9]{2})?)?$"
)


def partial_date(value: Column) -> Column:
    """ISO text of a date, as far as it is known: `yyyy-MM-dd`, `yyyy-MM` or `yyyy`; null where it is none.

    The text may still be no day of the calendar (30 February): `first_day` tells.
    """

    def parse(text: Column) -> Column:
        def part(pattern: str, group: int) -> Column:
            return fn.regexp_extract(text, pattern, group)

        # Which number is the month is certain only where the other one cannot be.
        day_and_month = fn.when(
            part(_NUMBERS, 1).cast("int") > 12, _iso(part(_NUMBERS, 3), part(_NUMBERS, 2), part(_NUMBERS, 1))
        ).when(
            part(_NUMBERS, 2).cast("int") > 12, _iso(part(_NUMBERS, 3), part(_NUMBERS, 1), part(_NUMBERS, 2))
        )
        return (
            fn.when(
                text.rlike(_DAY_FIRST),
                _iso(part(_DAY_FIRST, 3), _month_number(part(_DAY_FIRST, 2)), part(_DAY_FIRST, 1)),
            )
            .when(
                text.rlike(_MONTH_FIRST),
                _iso(part(_MONTH_FIRST, 3), _month_number(part(_MONTH_FIRST, 1)), part(_MONTH_FIRST, 2)),
            )
            .when(
                text.rlike(_MONTH_AND_YEAR),
                _iso(part(_MONTH_AND_YEAR, 2), _month_number(part(_MONTH_AND_YEAR, 1))),
            )
            .when(text.rlike(_YEAR_FIRST), _iso(*(part(_YEAR_FIRST, group) for group in (1, 2, 3))))
            .when(text.rlike(_NUMBERS), day_and_month)
            .when(text.rlike(_COMPACT), fn.regexp_replace(text, _COMPACT, "$1$2-$3-$4"))
            .when(text.rlike(_YEAR), part(_YEAR, 1))
        )

    bare = fn.regexp_replace(fn.regexp_replace(fn.lower(value), _PLACE, ""), _WEEKDAY, "")
    iso = (
        fn.when(value.rlike(_ISO_DAY), fn.substring(value, 1, 10))
        .when(value.rlike(_ISO_MONTH), value)
        .otherwise(bind(bare, parse))
    )
    # Databases write the parts that they do not know as zeros.
    careful = bind(
        iso,
        lambda iso: fn.when(iso.endswith("-00"), fn.regexp_replace(iso, "(?:-00){1,2}$", "")).otherwise(iso),
    )
    return fn.when(value.rlike(_ISO_DATE) & ~value.endswith("-00"), value).when(value.isNotNull(), careful)


def first_day(iso: Column) -> Column:
    """The date of a `partial_date`: the first day of what is known; null where the calendar has none."""
    whole = fn.concat(
        iso, fn.when(fn.length(iso) == 4, "-01-01").when(fn.length(iso) == 7, "-01").otherwise("")
    )
    return fn.try_to_timestamp(whole).cast("date")


def precision(iso: Column) -> Column:
    """How much a `partial_date` says: day, month or year."""
    return (
        fn.when(fn.length(iso) == 10, "day")
        .when(fn.length(iso) == 7, "month")
        .when(fn.length(iso) == 4, "year")
    )


def timestamp(value: Column) -> Column:
    """A point in time, UTC where no offset is given; a date alone means its midnight. Years 1900 to 2199 only."""

    def part(group: int) -> Column:
        return fn.regexp_extract(value, _TIMESTAMP, group)

    seconds = fn.when(part(3) == "", ":00").otherwise(part(3))
    minutes = fn.when(part(5) == "", "00").otherwise(part(5))
    zone = fn.when(part(4) == "", "Z").otherwise(fn.concat(part(4), fn.lit(":"), minutes))
    text = fn.when(
        value.rlike(_TIMESTAMP), fn.concat(part(1), fn.lit("T"), fn.lpad(part(2), 5, "0"), seconds, zone)
    ).otherwise(
        bind(
            partial_date(value),
            lambda iso: fn.when(fn.length(iso) == 10, fn.concat(iso, fn.lit("T00:00:00Z"))),
        )
    )
    careful = bind(
        fn.try_to_timestamp(text),
        lambda instant: fn.when(fn.year(instant).between(1900, 2199), instant),
    )
    is_date = value.rlike(_ISO_DATE) & fn.substring(value, 1, 4).between("1900", "2199")
    midnight = fn.try_to_timestamp(fn.concat(value, fn.lit("T00:00:00Z")))
    return fn.when(is_date, midnight).when(value.isNotNull(), careful)


def _month_number(name: Column) -> Column:
    place = fn.position(fn.substring(name, 1, 3), fn.lit(_MONTH_STARTS))
    return ((place + 2) / 3).cast("int").cast("string")


def _iso(*parts: Column) -> Column:
    return fn.concat_ws(
        "-", *(fn.lpad(part, 4 if index == 0 else 2, "0") for index, part in enumerate(parts))
    )
