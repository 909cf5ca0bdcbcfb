"""Bind variables of the wire protocol as Python values that DuckDB binds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from movie_platform.local_cloud.snowflake.errors import SnowflakeError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bindings:
    """`rows` holds one set of positional values, or one a row where the client bound arrays (executemany)."""

    rows: tuple[tuple[Any, ...], ...] = ()
    is_array: bool = False

    @property
    def values(self) -> list[Any]:
        """The values of a statement that runs once; of arrays, the first value of each that is not null."""
        return [
            next((value for value in bound if value is not None), None)
            for bound in zip(*self.rows, strict=True)
        ]


def parse_bindings(raw: Mapping[str, Mapping[str, Any]] | None) -> Bindings:
    """Bindings from a request: `{"1": {"type": "FIXED", "value": "10"}, …}`.

    Raises SnowflakeError for a value that does not fit its type, and for named bindings.
    """
    if not raw:
        return Bindings()
    try:
        ordered = [raw[str(position)] for position in range(1, len(raw) + 1)]
    except KeyError:
        raise SnowflakeError(
            2049, "42601", "SQL compilation error: error in bind variables: they must be numbered from 1"
        ) from None
    if any(isinstance(binding.get("value"), list) for binding in ordered):
        lists = [[_value(binding["type"], item) for item in binding["value"]] for binding in ordered]
        return Bindings(tuple(zip(*lists, strict=True)), is_array=True)
    return Bindings((tuple(_value(binding["type"], binding.get("value")) for binding in ordered),))


def _value(kind: str, text: Any) -> Any:
    if text is None:
        return None
    try:
        return _convert(kind.upper(), str(text))
    except (ValueError, InvalidOperation, OverflowError):
        raise SnowflakeError(2263, "22000", f"Invalid bind value '{text}' of type {kind}") from None


def _convert(kind: str, text: str) -> Any:
    if kind == "FIXED":
        return int(text) if text.lstrip("+-").isdigit() else Decimal(text)
    if kind == "REAL":
        return float(text)
    if kind == "BOOLEAN":
        return text.lower() == "true"
    if kind == "BINARY":
        return bytes.fromhex(text)
    if kind == "DATE":
        return _date(text)
    if kind == "TIME":
        return _time(text)
    if kind == "TIMESTAMP_NTZ":
        return _instant(text).replace(tzinfo=None)
    if kind == "TIMESTAMP_LTZ":
        return _instant(text)
    if kind == "TIMESTAMP_TZ":
        nanoseconds, _, offset = text.partition(" ")
        zone = timezone(timedelta(minutes=int(offset) - 1440)) if offset else UTC
        return _instant(nanoseconds).astimezone(zone)
    return text


def _instant(nanoseconds: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)


def _date(milliseconds: str) -> date:
    return (_EPOCH + timedelta(milliseconds=int(milliseconds))).date()


def _time(nanoseconds: str) -> time:
    return (_EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)).time()


def positions(values: Sequence[Any]) -> list[Any]:
    """A list of its own for a statement: rewriting a statement may take values out of it."""
    return list(values)
