"""Lists in one value: separated by commas or pipes, or a JSON array."""

import ast
import json
import re
from collections.abc import Iterable
from typing import Any

from glue_scripts.text import clean_line

# A comma inside parentheses, or before what follows a name ('Sammy Davis, Jr.', 'Acme, Inc.'), separates nothing.
_SUFFIXES = (
    *("Jr", "Sr", "II", "III", "IV", "PhD", "Ph.D", "MD", "M.D", "Esq"),
    *("Inc", "Ltd", "LLC", "L.L.C", "LLP", "Corp", "GmbH", "S.A", "S.L", "B.V"),
)
_SUFFIX = rf"(?:{'|'.join(map(re.escape, _SUFFIXES))})\.?"
_SEPARATING_COMMA = re.compile(rf" ?,(?! ?{_SUFFIX} ?(?:,|\Z))(?![^()]{{0,200}}\)) ?")
_NOTHING = frozenset({"", "N/A"})
# Pieces between commas that are no items of their own.
_NO_ITEMS = _NOTHING.union(_SUFFIXES, (f"{suffix}." for suffix in _SUFFIXES))
# What a writer did, as '(screenplay)', but not the Roman numeral that tells two people of one name apart.
_CREDIT = re.compile(r"(?: ?\((?![IVXLC]+\))[^()]*\)){1,10}\Z")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_JSON_CONSTANTS = {True: "true", False: "false"}


def items(raw: str | None, cleaned: str | None) -> list[str] | None:
    """The list's items, cleansed, each once, in the source's order; None for a null value.

    `cleaned` is `clean_line(raw)`. A JSON array is read before its items are cleansed, because an entity may stand for
    a quotation mark. Its items may be objects, of which `name` is taken.
    """
    if raw is None or cleaned is None:
        return None
    if not (cleaned.startswith("[") or "(" in cleaned or "|" in cleaned or " ," in cleaned):
        pieces = cleaned.replace(", ", ",").split(",")
        if _NO_ITEMS.isdisjoint(pieces):
            return list(dict.fromkeys(pieces))
    if cleaned.startswith("[") and cleaned.endswith("]"):
        found = _array(raw)
        if found is not None:
            return _distinct(name for name in map(clean_line, map(_item, found)) if name is not None)
    if "|" in cleaned:
        pieces = cleaned.replace(" |", "|").replace("| ", "|").split("|")
    else:
        pieces = _SEPARATING_COMMA.sub("\u0001", cleaned).split("\u0001")
    return _distinct(piece for piece in pieces if piece not in _NOTHING)


def without_credits(names: list[str], cleaned: str) -> list[str]:
    """The names without the credits in parentheses that may follow them, each once; `cleaned` is the whole list."""
    if "(" not in cleaned:
        return names
    return _distinct(bare for bare in (_CREDIT.sub("", name) for name in names) if bare)


def joined(names: list[str], cleaned: str) -> str | None:
    """The items in one value, joined by '|'; None for no items. A '|' inside an item becomes '/'."""
    # Only an item of a JSON array can hold what separates items elsewhere.
    if cleaned.startswith("["):
        names = [name.replace("|", "/") for name in names]
    return "|".join(names) if names else None


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _array(text: str) -> list[Any] | None:
    """A JSON array, or one as Python writes it (`['Crime', 'Drama']`); None where it is neither."""
    try:
        # Numbers as they are written: nobody computes with them.
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    return found if isinstance(found, list) else None


def _item(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("name")
    if value is None:
        return None
    if isinstance(value, bool):
        return _JSON_CONSTANTS[value]
    text = (
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)
    )
    # JSON can spell half a character, which no UTF-8 text can hold.
    return _SURROGATE.sub("\ufffd", text)
