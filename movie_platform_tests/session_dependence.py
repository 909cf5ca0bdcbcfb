"""Finds SQL whose meaning depends on the parameters of an account, a user or a session.

What is found: text that becomes a date or a time without a format, dates and times that become text without one,
moments that become clocks or days without a time zone, TIMESTAMP without its kind, and weeks that begin where
WEEK_START says.
Types are known by the names that columns have in the contracts, so that fragments of statements can be looked at too.

Source: Snowflake documentation, "Parameters" (DATE_INPUT_FORMAT, DATE_OUTPUT_FORMAT, TIMESTAMP_…_FORMAT, TIMEZONE,
TIMESTAMP_TYPE_MAPPING, WEEK_START, WEEK_OF_YEAR_POLICY), "Data type conversion", "Calendar weeks and weekdays".
"""

import ast
import re
from collections.abc import Iterator, Sequence

from movie_platform.contracts import ARCHIVE_TABLES, RAW_METADATA_COLUMNS
from movie_platform.contracts.marts import MART_VIEWS
from movie_platform.contracts.warehouse import CORE_TABLES, OPS_TABLES

# The only column with a time zone, and what Snowflake's own views have.
INSTANTS = frozenset(
    {"LOADED_AT", "SCHEDULED_TIME", "COMPLETED_TIME", "QUERY_START_TIME", "LAST_LOAD_TIME", "CREATED_ON"}
)
DATES_AND_TIMES = INSTANTS | {
    column.name.upper()
    for table in (*ARCHIVE_TABLES, *CORE_TABLES, *OPS_TABLES, *MART_VIEWS)
    for column in (*table.columns, *RAW_METADATA_COLUMNS)
    if column.type in ("date", "timestamp")
}
_BOUND = "'bound'"

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^']|'')*')|(?P<quoted>"[^"]*")|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<word>[A-Za-z_][\w$]*)|(?P<symbol>::|\|\||<=|>=|<>|!=|=>|[^\s])""",
    re.DOTALL,
)
_TIMESTAMPS = {
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "TIMESTAMP_LTZ",
    "TIMESTAMP_TZ",
    "TIMESTAMPNTZ",
    "TIMESTAMPLTZ",
    "DATETIME",
}
_TYPES = {"DATE", "TIME", *_TIMESTAMPS}
_TEXT_TYPES = {"VARCHAR", "STRING", "TEXT", "CHAR", "NVARCHAR"}
_FROM_TEXT = {
    f"{prefix}{name}"
    for prefix in ("", "TRY_")
    for name in (
        "TO_DATE",
        "TO_TIME",
        "TO_TIMESTAMP",
        "TO_TIMESTAMP_NTZ",
        "TO_TIMESTAMP_LTZ",
        "TO_TIMESTAMP_TZ",
    )
}
_TO_TEXT = {"TO_CHAR", "TO_VARCHAR"}
_MAKERS = _FROM_TEXT | {
    "DATEADD", "DATE_FROM_PARTS", "DATE_TRUNC", "LAST_DAY", "SYSDATE", "CONVERT_TIMEZONE", "CURRENT_TIMESTAMP",
}  # fmt: skip
_PASSING = {
    "MAX",
    "MIN",
    "COALESCE",
    "NULLIF",
    "IFF",
    "LAG",
    "LEAD",
    "GREATEST",
    "LEAST",
    "FIRST_VALUE",
    "LAST_VALUE",
}
_CLOCKS = {"CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP", "GETDATE", "SYSTIMESTAMP"}
_WEEKS = {"DAYOFWEEK", "WEEKOFYEAR", "YEAROFWEEK", "WEEK"}
_WEEK_PARTS = {"'WEEK'", "'DAYOFWEEK'", "WEEK", "DAYOFWEEK"}
_COMPARISONS = {"=", "<>", "!=", "<", "<=", ">", ">="}

Tokens = Sequence[str]


def findings(sql: str) -> list[str]:
    """What in a statement, or a part of one, depends on parameters: each with the words that it is about."""
    tokens = _tokens(sql)
    return [found for place in range(len(tokens)) for found in _found_at(tokens, place)]


def strings_of(python: str) -> Iterator[str]:
    """The texts of a module that are no docstrings; what an f-string puts in is a word."""
    tree = ast.parse(python)
    apart = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            apart.update(id(part) for part in node.values)
    for node in ast.walk(tree):
        if id(node) in apart:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "put_in" for part in node.values
            )


def _tokens(sql: str) -> list[str]:
    # Words in upper case. What is bound stands as a text: clients bind days as text.
    bound = re.sub(r"%s|%\(\w+\)s", _BOUND, sql)
    named = re.sub(r"'[{$]\w+}?'", _BOUND, re.sub(r"\{\{ *(\w+) *\}\}|\$(?=[a-z])", r"\1", bound))
    return [
        found[0] if found["string"] else found[0].strip('"').upper()
        for found in _TOKEN.finditer(named)
        if not found["comment"]
    ]


def _found_at(tokens: Tokens, place: int) -> Iterator[str]:
    word = tokens[place]
    following = tokens[place + 1] if place + 1 < len(tokens) else ""
    if following == "(":
        yield from _found_in_call(tokens, place)
    if word == "::" and following:
        yield from _found_in_cast(_operand_before(tokens, place), following)
    if word == "INSERT":
        yield from _found_in_insert(tokens, place)
    if word in _TYPES and following.startswith("'"):
        yield f"{word} {following}: written by the input format"
    # By itself it is a contract's word.
    if word == "TIMESTAMP" and len(tokens) > 1 and not following.startswith("'"):
        yield "TIMESTAMP: its kind is that of TIMESTAMP_TYPE_MAPPING"
    if word in _CLOCKS:
        yield f"{word}: by the time zone"
    if word in _COMPARISONS and following:
        sides = (_operand_before(tokens, place), _operand_after(tokens, place + 1))
        for side, other in (sides, sides[::-1]):
            if _is_text(side) and _is_date_or_time(other):
                yield f"{_shown(other)} {word} {_shown(side)}: text that is compared with a date or a time"
    if word == "BETWEEN" and _is_date_or_time(_operand_before(tokens, place, through=("NOT",))):
        low = _operand_after(tokens, place + 1)
        high = _operand_after(tokens, place + 2 + len(low))
        yield from (
            f"BETWEEN {_shown(text)}: text that is compared with a date or a time"
            for text in (low, high)
            if _is_text(text)
        )
    if word == "||" and following:
        for side in (_operand_before(tokens, place), _operand_after(tokens, place + 1)):
            if _is_date_or_time(side):
                yield f"{_shown(side)} beside ||: written by the output format"


def _found_in_call(tokens: Tokens, place: int) -> Iterator[str]:
    word = tokens[place]
    inside = tokens[place + 2 : _closing(tokens, place + 1)]
    arguments = _arguments(inside)
    if word in _FROM_TEXT or word in ("DATE", "TIME"):
        if len(arguments) < 2:
            yield f"{word}({_shown(inside)}): without a format"
    elif word in _TO_TEXT:
        if len(arguments) < 2 and _is_date_or_time(inside):
            yield f"{word}({_shown(inside)}): without a format"
        if arguments and _is_instant(arguments[0]):
            yield f"{word}({_shown(inside)}): by the time zone"
    elif word in ("CAST", "TRY_CAST") and "AS" in inside:
        split = len(inside) - 1 - list(inside[::-1]).index("AS")
        if split + 1 < len(inside):
            yield from _found_in_cast(inside[:split], inside[split + 1])
    elif word == "CURRENT_TIMESTAMP":
        yield from _found_in_now(tokens, place)
    elif word == "IN":
        if _is_date_or_time(_operand_before(tokens, place, through=("NOT",))):
            yield from (
                f"IN ({_shown(text)}): text that is compared with a date or a time"
                for text in arguments
                if _is_text(text)
            )
    elif word == "CONCAT":
        yield from (
            f"CONCAT({_shown(part)}): written by the output format"
            for part in arguments
            if _is_date_or_time(part)
        )
    elif word in _WEEKS:
        yield f"{word}: by WEEK_START and WEEK_OF_YEAR_POLICY"
    elif word in ("DATE_TRUNC", "DATEDIFF", "DATE_PART", "LAST_DAY", "EXTRACT") and any(
        part.upper() in _WEEK_PARTS for part in inside
    ):
        yield f"{word}({_shown(inside)}): by WEEK_START"


def _found_in_cast(operand: Tokens, target: str) -> Iterator[str]:
    if target in _TEXT_TYPES and _is_date_or_time(operand):
        yield f"{_shown(operand)} as {target}: written by the output format"
    if target in _TYPES and not _is_clock(operand):
        yield f"{_shown(operand)} as {target}: by the input format or the time zone"


def _found_in_insert(tokens: Tokens, place: int) -> Iterator[str]:
    # Text at the place of a column of dates or times, in the first SELECT or the first row of VALUES.
    opening = place + 2 + len(_operand_after(_without_calls(tokens), place + 2))
    if tokens[opening : opening + 1] != ["("]:
        return
    closing = _closing(tokens, opening)
    columns = [part[-1] for part in _arguments(tokens[opening + 1 : closing])]
    begin = closing + 1
    if tokens[begin : begin + 1] == ["VALUES"]:
        values = tokens[begin + 2 : _closing(tokens, begin + 1)]
    elif tokens[begin : begin + 1] == ["SELECT"]:
        values = _until(tokens[begin + 1 :], ("FROM", "WHERE", "UNION", "QUALIFY"))
    else:
        return
    for column, value in zip(columns, _arguments(values), strict=False):
        if column in DATES_AND_TIMES and value[0].startswith("'"):
            yield f"{_shown(value)} for {column}: text that becomes a date or a time"


def _without_calls(tokens: Tokens) -> Tokens:
    # A table's name is no function, though brackets follow.
    return [";" if token == "(" else token for token in tokens]


def _until(tokens: Tokens, words: Sequence[str]) -> Tokens:
    depth = 0
    for position, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token in words:
            return tokens[:position]
    return tokens


def _found_in_now(tokens: Tokens, place: int) -> Iterator[str]:
    # A moment may be converted, be one end of a table function's range, or be kept in a column with a time zone.
    before = _before_call(tokens, place)
    around = _before_call(tokens, before) if before is not None else None
    in_range = any(
        position is not None and tokens[position - 1] == "=>"
        for position in (place, before, around)
        if position
    )
    is_kept = tokens[place + 3 : place + 5] == ["AS", "LOADED_AT"]
    if not (in_range or is_kept or (before is not None and tokens[before] == "CONVERT_TIMEZONE")):
        yield "CURRENT_TIMESTAMP(): a clock by the time zone; SYSDATE() is in UTC"


def _before_call(tokens: Tokens, place: int) -> int | None:
    # The function in whose arguments a place is.
    depth = 0
    for position in range(place - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[position], 0)
        if depth < 0:
            return position - 1
    return None


def _closing(tokens: Tokens, opening: int) -> int:
    depth = 0
    for position in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[position], 0)
        if depth == 0:
            return position
    return len(tokens)


def _arguments(inside: Tokens) -> list[Tokens]:
    parts: list[list[str]] = [[]]
    depth = 0
    for token in inside:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _operand_before(tokens: Tokens, place: int, *, through: Sequence[str] = ()) -> Tokens:
    end = place
    while end > 0 and tokens[end - 1] in through:
        end -= 1
    start = end - 1
    if start >= 0 and tokens[start] == ")":
        depth = 0
        while start >= 0:
            depth += {")": 1, "(": -1}.get(tokens[start], 0)
            if depth == 0:
                break
            start -= 1
        if start > 0 and re.match(r"\w", tokens[start - 1]):
            start -= 1
    while start > 1 and tokens[start - 1] == ".":
        start -= 2
    return tokens[max(start, 0) : end]


def _operand_after(tokens: Tokens, place: int) -> Tokens:
    end = place
    while end + 2 < len(tokens) and tokens[end + 1] == ".":
        end += 2
    if end + 1 < len(tokens) and tokens[end + 1] == "(" and re.match(r"\w", tokens[end]):
        end = _closing(tokens, end + 1)
    elif end < len(tokens) and tokens[end] == "(":
        end = _closing(tokens, end)
    return tokens[place : end + 1]


def _is_text(operand: Tokens) -> bool:
    return len(operand) == 1 and operand[0].startswith("'")


def _is_name(operand: Tokens) -> bool:
    return bool(operand) and all(token == "." for token in operand[1::2]) and len(operand) % 2 == 1


def _is_instant(operand: Tokens) -> bool:
    return (_is_name(operand) and operand[-1] in INSTANTS) or operand[0] == "CURRENT_TIMESTAMP"


def _is_clock(operand: Tokens) -> bool:
    # A date or a time without a zone.
    if not operand:
        return False
    return operand[0] in ("CONVERT_TIMEZONE", "SYSDATE") or (
        _is_date_or_time(operand) and not _is_instant(operand)
    )


def _is_date_or_time(operand: Tokens) -> bool:
    if not operand:
        return False
    if _is_name(operand):
        return operand[-1] in DATES_AND_TIMES
    if operand[0] in _MAKERS:
        return True
    return operand[0] in _PASSING and any(_is_date_or_time(part) for part in _arguments(operand[2:-1]))


def _shown(tokens: Tokens) -> str:
    return re.sub(r" ?([.(),]) ?", r"\1", " ".join(tokens))
