"""Values of any type as raw text: what the source said, without loss, as strings. Null stays null, empty stays empty.

Arrow arrays (Parquet) and Python values (SQLAlchemy) follow the same rules:

- text as it is; integers and decimals in plain digits, the decimals' scale kept (1.10, never 1.1 or 11E-1)
- floats: the shortest digits that read back to the same number, as Python writes them (103.0, 7.2, 1e+16)
- booleans: true, false; bytes: hexadecimal digits
- dates: YYYY-MM-DD; times of day: HH:MM:SS.ffffff; timestamps: YYYY-MM-DD HH:MM:SS.ffffff with the digits that
  the type has, and with a zone as UTC with a final Z
- lists, maps and records: JSON
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from movie_platform.sources.arrow_compute import pc


def text_of(value: Any) -> str | None:
    """A value as a database driver or Arrow gives it, as raw text; None for null."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return _timestamp_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple | dict | set | frozenset):
        return json_text(value)
    return str(value)


def json_text(value: Any) -> str:
    """A list, map or record as JSON; what JSON lacks a type for appears as its raw text. Keys keep their order."""
    return json.dumps(_jsonable(value), ensure_ascii=False, separators=(",", ":"))


def value_like(example: Any, text: str) -> Any:
    """The value of the example's type whose raw text is `text`, for comparing with others of its kind.

    Raises ValueError for a text that is no such value, and for a type whose order is not that of its values.
    """
    if isinstance(example, str):
        return text
    if isinstance(example, datetime):
        moment = datetime.fromisoformat(text)
        if (moment.tzinfo is None) != (example.tzinfo is None):
            raise ValueError(f"{text!r} and {text_of(example)!r} do not both have, or both lack, a time zone")
        return moment
    if isinstance(example, date):
        return date.fromisoformat(text)
    if isinstance(example, int | float | Decimal) and not isinstance(example, bool):
        try:
            return (
                int(text)
                if text.lstrip("-").isdigit()
                else Decimal(text)
                if isinstance(example, Decimal)
                else float(text)
            )
        except ArithmeticError:
            raise ValueError(f"{text!r} is no number") from None
    raise ValueError(f"values of the type {type(example).__name__} have no order that follows time")


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        # NaN and the infinities are not JSON.
        return value if value - value == 0 else text_of(value)
    if isinstance(value, dict):
        return {str(text_of(key)): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_jsonable(item) for item in value), key=str)
    return text_of(value)


def _timestamp_text(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(sep=" ")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ") + "Z"


def text_array(array: pa.Array) -> pa.StringArray:
    """An Arrow array of any type as strings: raw text for each value, null for null."""
    kind = array.type
    if kind == pa.string():
        return array
    if isinstance(kind, pa.BaseExtensionType):
        return text_array(array.storage)
    if pat.is_dictionary(kind):
        return text_array(array.dictionary_decode())
    for applies, convert in _CONVERSIONS:
        if applies(kind):
            return convert(array)
    return _each(array)


def _each(array: pa.Array) -> pa.StringArray:
    return pa.array([text_of(value) for value in array.to_pylist()], pa.string())


def _cast(array: pa.Array) -> pa.StringArray:
    return array.cast(pa.string())


def _float(array: pa.Array) -> pa.StringArray:
    return pa.array(
        [None if value is None else float.__repr__(value) for value in array.to_pylist()], pa.string()
    )


def _narrow_float(array: pa.Array) -> pa.StringArray:
    # 7.2 as a 32-bit float is 7.199999809265137 as a 64-bit one: take the digits while it is still narrow.
    return _float(pa.array([None if text is None else float(text) for text in _cast(array).to_pylist()]))


def _decimal(array: pa.Array) -> pa.StringArray:
    text = _cast(array)
    return _each(array) if pc.any(pc.match_substring(text, "E")).as_py() else text


def _timestamp(array: pa.Array) -> pa.StringArray:
    kind = array.type
    return _cast(array if kind.tz is None else array.cast(pa.timestamp(kind.unit, "UTC")))


def _binary(array: pa.Array) -> pa.StringArray:
    return pa.array([None if value is None else value.hex() for value in array.to_pylist()], pa.string())


_CONVERSIONS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.StringArray]], ...] = (
    (pat.is_large_string, _cast),
    (pat.is_string_view, _cast),
    (pat.is_integer, _cast),
    (pat.is_null, _cast),
    (pat.is_boolean, _cast),
    (pat.is_date, _cast),
    (pat.is_time, _cast),
    (pat.is_float64, _float),
    (pat.is_floating, _narrow_float),
    (pat.is_decimal, _decimal),
    (pat.is_timestamp, _timestamp),
    (pat.is_binary, _binary),
    (pat.is_large_binary, _binary),
    (pat.is_fixed_size_binary, _binary),
    (pat.is_binary_view, _binary),
)
