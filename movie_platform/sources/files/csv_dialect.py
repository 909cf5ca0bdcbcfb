r"""One CSV record, parsed strictly: which fields it has, or why it is none.

Two ways of writing a quote inside a quoted field are known: doubled (RFC 4180) and after a backslash. Everything
here looks at text that is already in memory and decides; nothing is read.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache


class Escape(Enum):
    """How a quote is written inside a quoted field."""

    DOUBLE = "double"
    BACKSLASH = "backslash"


class Fault(Enum):
    """Why a text is not a record."""

    UNTERMINATED = "unterminated"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Dialect:
    """Delimiter and quote, one character each; `quote` None: no quoting, every character is data."""

    delimiter: str
    quote: str | None


@cache
def _field_pattern(dialect: Dialect, escape: Escape) -> re.Pattern[str]:
    delimiter = re.escape(dialect.delimiter)
    plain = f"(?P<plain>[^{delimiter}]*)"
    if dialect.quote is None:
        return re.compile(plain)
    quote = re.escape(dialect.quote)
    inside = f"[^{quote}]++|{quote}{quote}"
    if escape is Escape.BACKSLASH:
        inside = rf"[^{quote}\\]++|\\.|{quote}{quote}"
    # A quote opens a quoted field only as its first character; later it is data.
    return re.compile(f"{quote}(?P<quoted>(?:{inside})*+){quote}|(?!{quote}){plain}", re.DOTALL)


def parse_record(text: str, dialect: Dialect, escape: Escape) -> list[str] | Fault:
    """The fields of a record without its line end, or what is wrong with it."""
    pattern = _field_pattern(dialect, escape)
    fields: list[str] = []
    position = 0
    while True:
        match = pattern.match(text, position)
        if match is None:
            return Fault.UNTERMINATED
        fields.append(_value(match, dialect, escape))
        position = match.end()
        if position == len(text):
            return fields
        if text[position] != dialect.delimiter:
            return Fault.MALFORMED
        position += 1


def _value(match: re.Match[str], dialect: Dialect, escape: Escape) -> str:
    if match.lastgroup == "plain" or dialect.quote is None:
        return match["plain"]
    doubled = dialect.quote * 2
    if escape is Escape.BACKSLASH:
        # One pass, so that what an escape leaves is not taken for another escape.
        escaped = rf"\\([\\{re.escape(dialect.quote)}])|{re.escape(doubled)}"
        return re.sub(escaped, lambda found: found[1] or str(dialect.quote), match["quoted"])
    return match["quoted"].replace(doubled, dialect.quote)


def without_line_end(line: str) -> str:
    r"""A line without the one `\n`, `\r\n` or `\r` that ends it."""
    if line.endswith("\r\n"):
        return line[:-2]
    if line.endswith(("\n", "\r")):
        return line[:-1]
    return line
