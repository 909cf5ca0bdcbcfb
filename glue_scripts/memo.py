"""A memory of what parsers made of texts that come again and again: years, genres, ratings."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_ENTRIES = 10_000
_LONGEST_TEXT = 100


class Memo(dict[str | None, T], Generic[T]):
    """`memo[text]` is `parse(text)`, parsed once while it is remembered. Holds few texts, and none that is long."""

    def __init__(self, parse: Callable[[str | None], T]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str | None) -> T:
        value = self._parse(text)
        if text is None or len(text) <= _LONGEST_TEXT:
            if len(self) >= _MOST_ENTRIES:
                self.clear()
            self[text] = value
        return value
