"""Values as Python source, the way people write it: double quotes, one item a line where a line is not enough."""

import textwrap
from collections.abc import Mapping
from typing import Any

WIDTH = 110


def literal(value: Any, width: int = WIDTH) -> str:
    """Source of a value of plain types; longer ones over several lines, to be indented where they stand."""
    flat = _flat(value)
    if len(flat) <= width or not isinstance(value, Mapping | list | tuple):
        return flat
    if isinstance(value, Mapping):
        items = [f"{_flat(key)}: {literal(item, width - 4)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        items = [literal(item, width - 4) for item in value]
        opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")")
    body = textwrap.indent("".join(f"{item},\n" for item in items), "    ")
    return f"{opening}\n{body}{closing}"


def _flat(value: Any) -> str:
    match value:
        case str():
            return _quoted(value)
        case Mapping():
            return "{" + ", ".join(f"{_flat(key)}: {_flat(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flat, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(_flat, value)) + ("," if len(value) == 1 else "") + ")"
        case bool() | int() | float() | None:
            return repr(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no literal here")


def _quoted(text: str) -> str:
    if '"' in text and "'" not in text:
        return repr(text)
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in inner) + '"'


def text_block(text: str) -> str:
    """A statement as a string of several lines, its indentation taken off."""
    lines = textwrap.dedent(text.strip("\n").replace("\t", "    ")).strip()
    if "\\" in lines or '"""' in lines:
        return _quoted(lines)
    return f'"""\n{textwrap.indent(lines, "    ")}\n"""' if "\n" in lines else _quoted(lines)


def number(value: float) -> str:
    """A number without a fraction that is none."""
    return str(int(value)) if float(value).is_integer() else str(value)


def filled(text: str, width: int = WIDTH) -> str:
    """A paragraph in lines of a width; those after the first are indented."""
    return textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
