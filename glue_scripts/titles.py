"""What titles are sorted by: lower case, without a leading English article and without accents."""

import re
import unicodedata

_ARTICLE = re.compile(r"(?:the|an?) +(?=\S)")
# Letters that Unicode does not take apart into a letter and an accent.
_LETTERS_BY_NAME = {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ﬁ": "fi", "ﬂ": "fl"}
_LETTERS_WITH_STROKES = {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i"}
_ACCENTS = re.compile(r"[\u0300-\u036F]")


def _unaccented() -> dict[int, str]:
    letters = {**_LETTERS_BY_NAME, **_LETTERS_WITH_STROKES}
    for code in (*range(0xC0, 0x590), *range(0x1E00, 0x2000)):
        base = unicodedata.normalize("NFD", chr(code))
        if len(base) > 1 and all(unicodedata.combining(mark) for mark in base[1:]):
            letters[chr(code)] = base[0]
    return str.maketrans(letters)


_UNACCENTED = _unaccented()


def title_sort_key(title: str | None) -> str | None:
    """A title in lower case without a leading English article and without accents.

    Articles of other languages stay: 'die' begins 'Die Hard' as well as German titles.
    """
    if title is None:
        return None
    lowered = title.lower()
    if article := _ARTICLE.match(lowered):
        lowered = lowered[article.end() :]
    return lowered if title.isascii() else _ACCENTS.sub("", lowered.translate(_UNACCENTED))
