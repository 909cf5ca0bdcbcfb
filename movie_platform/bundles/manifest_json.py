"""JSON as the bundle format reads and writes it: strict on input, one form on output."""

import json
from typing import Any, Never


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"an object names {name[:100]!r} twice")
        result[name] = value
    return result


def load_json(data: bytes) -> Any:
    """The value of a JSON text in UTF-8; ValueError for anything else.

    Stricter than `json.loads`: no NaN or Infinity, no name twice in one object, no byte-order mark, and
    nesting that is too deep for the parser is an error of the text like any other.
    """
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object_without_repeats)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def dump_json(value: Any) -> bytes:
    """The one form in which documents of the format are written: UTF-8, two spaces of indent, a final line
    end.
    """
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")
