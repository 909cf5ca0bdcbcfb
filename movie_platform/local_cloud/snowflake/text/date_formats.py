"""Snowflake's formats of dates and times, as DuckDB's strftime and strptime take them. No state.

Source: Snowflake documentation, "Date and time input and output formats" (elements, AUTO detection) and "TO_CHAR".
"""

import re

AUTO = "AUTO"

# What strftime has no word for stands in its format as a character that the caller replaces in the text that it gives.
HOURS_FROM_UTC, MINUTES_FROM_UTC = "\x01", "\x02"
# Characters for the first digits of the second's fraction, by their number.
FRACTIONS = {1: "\x03", 2: "\x04", 4: "\x05", 5: "\x06"}

_ELEMENT = re.compile(
    r'"(?P<literal>[^"]*)"|(?P<element>YYYY|YY|MMMM|MON|MM|DD|DY|HH24|HH12|AM|PM|MI|SS|FF[0-9]?|TZH|TZM)|(?P<other>.)',
    re.IGNORECASE | re.DOTALL,
)
_NAMED = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a", "HH24": "%H",
    "HH12": "%I", "AM": "%p", "PM": "%p", "MI": "%M", "SS": "%S",
}  # fmt: skip
_FRACTION_DIGITS = {0: "", 3: "%g", 6: "%f", 7: "%f0", 8: "%f00", 9: "%f000"}
_ZONE = re.compile(r"\s*TZH:?(?:TZM)?", re.IGNORECASE)

# A format that no text has: strptime takes no empty list.
_NOTHING = "\x00%Y"

_TIMES = (" %H:%M:%S.%n", " %H:%M:%S", " %H:%M", "T%H:%M:%S.%n", "T%H:%M:%S", "T%H:%M", "T%H")
AUTO_DATES = ("%Y-%m-%d", "%d-%b-%Y", "%m/%d/%Y")
AUTO_TIMESTAMPS = (
    *(f"%Y-%m-%d{time}" for time in _TIMES),
    "%Y-%m-%d",
    *(f"{date} %H:%M:%S{fraction}" for date in ("%m/%d/%Y", "%d-%b-%Y") for fraction in ("", ".%n")),
    "%a, %d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S.%n",
)
AUTO_ZONED_TIMESTAMPS = (
    *(f"{timestamp}{blank}%z" for timestamp in AUTO_TIMESTAMPS if "%H" in timestamp for blank in ("", " ")),
    "%a %b %d %H:%M:%S %z %Y",
)
AUTO_TIMES = ("%H:%M:%S.%n", "%H:%M:%S", "%H:%M")


def strftime_format(text: str) -> str:
    """A format for output; it may hold the characters that this module names."""
    parts: list[str] = []
    for found in _ELEMENT.finditer(text):
        element = (found["element"] or "").upper()
        if element.startswith("FF"):
            digits = int(element[2:] or 9)
            parts.append(FRACTIONS.get(digits) or _FRACTION_DIGITS[digits])
        elif element in ("TZH", "TZM"):
            parts.append(HOURS_FROM_UTC if element == "TZH" else MINUTES_FROM_UTC)
        elif element:
            parts.append(_NAMED[element])
        else:
            parts.append((found["literal"] if found["other"] is None else found["other"]).replace("%", "%%"))
    return "".join(parts)


def has_zone(text: str) -> bool:
    """Whether an input format tells the distance from UTC; AUTO may."""
    return text.upper() == AUTO or bool(_ZONE.search(text))


def date_formats(text: str) -> tuple[str, ...]:
    """What strptime is to try for a date."""
    return AUTO_DATES if text.upper() == AUTO else _strptime(text)


def time_formats(text: str) -> tuple[str, ...]:
    """What strptime is to try for a time of the day."""
    return AUTO_TIMES if text.upper() == AUTO else _strptime(text)


def timestamp_formats(text: str) -> tuple[str, ...]:
    """What strptime is to try for a timestamp whose distance from UTC was taken away."""
    return AUTO_TIMESTAMPS if text.upper() == AUTO else _strptime(_ZONE.sub("", text))


def zoned_timestamp_formats(text: str) -> tuple[str, ...]:
    """What strptime is to try for a timestamp with its distance from UTC."""
    if text.upper() == AUTO:
        return AUTO_ZONED_TIMESTAMPS
    return _strptime(text) if has_zone(text) else (f"{_NOTHING}%z",)


def _strptime(text: str) -> tuple[str, ...]:
    parts: list[str] = []
    for found in _ELEMENT.finditer(text):
        element = (found["element"] or "").upper()
        if element.startswith("FF"):
            parts.append("%n")
        elif element == "TZH":
            parts.append("%z")
        elif element == "TZM":
            # %z takes hours and minutes, with a colon or without one.
            if parts and parts[-1] == ":":
                parts.pop()
        elif element:
            parts.append(_NAMED[element])
        else:
            parts.append((found["literal"] if found["other"] is None else found["other"]).replace("%", "%%"))
    joined = "".join(parts)
    # MON takes whole names too.
    return (joined, joined.replace("%b", "%B")) if "%b" in joined else (joined,)


def check_input_format(text: str) -> None:
    """Raises ValueError for a text without any element of a format."""
    if text.upper() != AUTO:
        check_output_format(text)


def check_output_format(text: str) -> None:
    """Raises ValueError for a text without any element of a format."""
    if not any(found["element"] for found in _ELEMENT.finditer(text)):
        raise ValueError(text)
