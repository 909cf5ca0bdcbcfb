"""JSON objects as records of raw texts: numbers keep their literal text, so nothing is rounded."""

import json
import re
from typing import Any

Record = dict[str, Any]


class Number(str):
    """The literal text of a JSON number, a class of its own so that it is told from a JSON string."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


# What may decode to a NUL or to half a surrogate pair, neither of which is text that can be kept.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|\0")


def decode_object(text: str) -> Record:
    """A whole text that is one JSON object, numbers as their literal text.

    Raises ValueError for any other text, and for an object that holds what is no text (half a surrogate pair).
    """
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("it is JSON, but not an object")  # noqa: TRY004 - one kind of error for one kind of fault
    if _SUSPECT.search(text):
        try:
            _all_strings(value).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("it holds half of a surrogate pair, which is no character") from error
    return value


def value_text(value: Any) -> str | None:
    """A decoded value as raw text: lists and objects as JSON in which numbers keep their literal text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _nested_text(value)


def extra_text(record: Record, named: set[str]) -> str | None:
    """What a record holds beside the named keys, as one JSON object of strings and nulls with sorted keys."""
    rest = {key: value_text(record[key]) for key in sorted(record.keys() - named)}
    return json.dumps(rest, ensure_ascii=False, separators=(",", ":")) if rest else None


def _nested_text(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(key, ensure_ascii=False)}:{_nested_text(item)}" for key, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_nested_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _all_strings(value: Any) -> str:
    """All strings of a decoded value, keys included, one after another."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(key + _all_strings(item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(map(_all_strings, value))
    return ""
