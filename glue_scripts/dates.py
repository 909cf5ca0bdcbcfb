"""Dates and timestamps as sources write them.

A date carries its precision: `release_date` is first brought to ISO form, cut to what is known (`1994-10-14`,
`1994-10`, `1994`), so that its length says the precision. Dates that could be read in two ways (`04/05/1994`) are
not read at all.
"""

import re
from datetime import UTC, date, datetime, timedelta

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_MONTH_STARTS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ][0-9]{1,2}:[0-9]{2}.*)?")
_ISO_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_YEAR = re.compile(r"([0-9]{4})(?:\.0+)?")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})")
_COMPACT = re.compile(r"((?:1[89]|20)[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_DAY_FIRST = re.compile(rf"([0-9]{{1,2}})(?:st|nd|rd|th)?[ -](?:of )?({_MONTHS})\.?,?[ -]([0-9]{{4}})")
_MONTH_FIRST = re.compile(rf"({_MONTHS})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}})")
_MONTH_AND_YEAR = re.compile(rf"({_MONTHS})\.?,?[ -]([0-9]{{4}})")
_NUMBERS = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})")
_WEEKDAY = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? ")
_PLACE = re.compile(r" ?\([^()]*\)\Z")
_UNKNOWN_PARTS = re.compile(r"(?:-00){1,2}\Z")

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r" ?(?:(?:Z|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2})?)?"
)
_FIRST_TIMESTAMP = datetime(1900, 1, 1, tzinfo=UTC)
_AFTER_LAST_TIMESTAMP = datetime(2200, 1, 1, tzinfo=UTC)
# No place on Earth is further from UTC.
_FURTHEST_ZONE = timedelta(hours=18)


def partial_date(text: str | None) -> str | None:
    """ISO text of a date, as far as it is known: `yyyy-MM-dd`, `yyyy-MM` or `yyyy`; None where it is none.

    The text may still be no day of the calendar (30 February): `first_day` tells.
    """
    if text is None:
        return None
    if found := _ISO_DAY.fullmatch(text):
        iso = found[1]
    elif _ISO_MONTH.fullmatch(text):
        iso = text
    else:
        iso = _written_date(_WEEKDAY.sub("", _PLACE.sub("", text.lower())))
    # Databases write the parts that they do not know as zeros.
    return iso if iso is None or not iso.endswith("-00") else _UNKNOWN_PARTS.sub("", iso)


def first_day(iso: str | None) -> date | None:
    """The date of a `partial_date`: the first day of what is known; None where the calendar has none."""
    if iso is None:
        return None
    try:
        return date.fromisoformat(iso + "-01-01"[len(iso) - 4 :])
    except ValueError:
        return None


def precision(iso: str) -> str:
    """How much a `partial_date` says: day, month or year."""
    return {4: "year", 7: "month", 10: "day"}[len(iso)]


def timestamp(text: str | None) -> datetime | None:
    """A point in time, UTC where no offset is given; a date alone means its midnight. Years 1900 to 2199 only."""
    if text is None:
        return None
    try:
        instant = _instant(text)
    except ValueError:
        return None
    return instant if instant is not None and _FIRST_TIMESTAMP <= instant < _AFTER_LAST_TIMESTAMP else None


def _written_date(text: str) -> str | None:
    if found := _DAY_FIRST.fullmatch(text):
        return _iso(found[3], _month(found[2]), found[1])
    if found := _MONTH_FIRST.fullmatch(text):
        return _iso(found[3], _month(found[1]), found[2])
    if found := _MONTH_AND_YEAR.fullmatch(text):
        return _iso(found[2], _month(found[1]))
    if found := _YEAR_FIRST.fullmatch(text):
        return _iso(found[1], found[2], found[3])
    if found := _NUMBERS.fullmatch(text):
        # Which number is the month is certain only where the other one cannot be.
        if int(found[1]) > 12:
            return _iso(found[3], found[2], found[1])
        return _iso(found[3], found[1], found[2]) if int(found[2]) > 12 else None
    if found := _COMPACT.fullmatch(text):
        return _iso(found[1], found[2], found[3])
    found = _YEAR.fullmatch(text)
    return found[1] if found else None


def _instant(text: str) -> datetime | None:
    """Raises ValueError where the text has the form of a timestamp, but is none."""
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        iso = partial_date(text)
        return datetime.fromisoformat(f"{iso}T00:00:00+00:00") if iso is not None and len(iso) == 10 else None
    day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    moment = datetime.fromisoformat(f"{day}T{hour:0>2}:{minute}:{second or '00'}+00:00")
    zone = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
    if zone > _FURTHEST_ZONE or int(zone_minutes or 0) > 59:
        raise ValueError(f"no time zone: {text}")
    offset = -zone if sign == "-" else zone
    try:
        return moment - offset + timedelta(microseconds=int(f"{fraction or '':0<6}"[:6]))
    except OverflowError as error:
        raise ValueError(f"beyond the calendar: {text}") from error


def _month(name: str) -> str:
    return str(_MONTH_STARTS.index(name[:3]) + 1)


def _iso(*parts: str) -> str:
    return "-".join(part.rjust(2, "0") for part in parts)
