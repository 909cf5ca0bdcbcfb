"""Cleansing of text: null markers, mojibake, HTML entities, spaces and control characters.

Values that are printable ASCII without '&' (nearly all) take a short path; the rest is repaired step by step.
"""

import re
import unicodedata
from collections.abc import Callable
from html.entities import html5

_TIDY = re.compile(r"[ -~\u00A1-\u167F]*")
_NULL_MARKERS = frozenset({"", "n/a", "\\n"})
_LONGEST_MARKER = max(map(len, _NULL_MARKERS))

_ASCII_SPACES = " \t\n\v\f\r"
_SPACES = re.compile(r"[ \t\n\v\f\r\u00A0\u0085\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+")
_HORIZONTAL_SPACES = re.compile(r"[ \t\v\f\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]+")
_LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_SPACES_AT_LINE_ENDS = re.compile(" ?\n ?")
_EMPTY_LINES = re.compile("\n{3,}")
# Control characters but the white space among them, the byte order mark and the zero-width space.
_INVISIBLE = re.compile(r"[\u0000-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F\u200B\uFEFF]")

_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# Where Windows-1252 differs from Latin-1: its characters for the bytes 0x80 to 0x9F. Five of those bytes have none;
# readers keep them as the control characters of the same number.
_WINDOWS_BYTES = "".join(
    chr(byte) for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
)
_WINDOWS_CHARACTERS = bytes(ord(character) for character in _WINDOWS_BYTES).decode("cp1252")
_TO_BYTES = str.maketrans(_WINDOWS_CHARACTERS, _WINDOWS_BYTES)
_TO_CHARACTERS = str.maketrans(_WINDOWS_BYTES, _WINDOWS_CHARACTERS)


def _characters(belongs: Callable[[str], bool]) -> str:
    """The characters of the basic plane for which `belongs` is true, as the inside of a regular expression's class."""
    ranges: list[list[int]] = []
    for code in range(0x10000):
        if belongs(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(rf"\u{first:04x}-\u{last:04x}" for first, last in ranges)


_LOWER_CASE = _characters(lambda character: unicodedata.category(character) == "Ll")
_UPPER_CASE = _characters(lambda character: unicodedata.category(character) == "Lu")
_LATIN = _characters(lambda character: "LATIN " in unicodedata.name(character, "") or character in "ªº")

# What a UTF-8 continuation byte (0x80 to 0xBF) looks like after the wrong decoding.
_CONTINUATION = rf"\u0080-\u00BF{_WINDOWS_CHARACTERS}"
# Of those, what may as well follow a word in text that is right: 'MANHÃ…', 'CAFÉ»', 'ÉTÉ' and a hard space.
_PUNCTUATION = "\u00a0«»‹›‘’“”‚„…–—•·™®©°ª²³¹º¡¿§†‡"
_NO_PUNCTUATION = "".join(
    character
    for character in (*map(chr, range(0x80, 0xC0)), *_WINDOWS_CHARACTERS)
    if character not in _PUNCTUATION
)

_MOJIBAKE_HINT = re.compile(rf"[\u00C2-\u00F4][{_CONTINUATION}]")
# Sequences that no right text holds; at least one of them must be there before anything is repaired.
_MOJIBAKE_EVIDENCE = re.compile(
    "|".join(
        (
            r"\u00C2[\u00A0-\u00BF]",
            rf"[\u00E0-\u00F4][{_CONTINUATION}]{{2}}",
            rf"(?<=[{_LOWER_CASE}])[\u00C3-\u00DE][{_CONTINUATION}]",
            rf"(?<![{_UPPER_CASE}])[\u00C3-\u00DE][{_CONTINUATION}](?=[^\W_])",
            rf"[\u00C3-\u00DE][{_NO_PUNCTUATION}]",
            rf"[\u00C3-\u00DE][©®ª²³¹º¡¿§](?=[{_LOWER_CASE}])",
        )
    )
)
# Letters beyond Latin: believable as words, not singly, nor inside a word of Latin letters ('caf酻').
_OTHER_LETTERS = r"\u0180-\u0217\u021C-\u1DFF\u2E80-\uD7FF\uF900-\uFAFF\uFB07-\uFEFE\uFF00-\uFFEF"
_IMPLAUSIBLE = re.compile(
    r"[\u0080-\u009F\uE000-\uF8FF\uFFFD]"
    rf"|[{_LATIN}0-9][{_OTHER_LETTERS}]|[{_OTHER_LETTERS}][{_LATIN}]"
)


def clean_line(value: str | None) -> str | None:
    """Text on one line: repaired, runs of white space made one space; None for a null marker (N/A, \\N, empty)."""
    return _clean(value, _one_line)


def clean_lines(value: str | None) -> str | None:
    """Text that may have several lines: as `clean_line`, but line ends stay, as \\n, at most two in a row."""
    return _clean(value, _several_lines)


def clean_key(value: str | None) -> str | None:
    """A key: without white space around it and control characters, otherwise as it is; None for a null marker."""
    if value is None:
        return None
    if not (value.isascii() and value.isprintable()):
        value = _INVISIBLE.sub("", value)
    return without_markers(value.strip(_ASCII_SPACES + "\u00a0"))


def without_markers(value: str) -> str | None:
    """The text, None where it is a null marker."""
    return None if len(value) <= _LONGEST_MARKER and value.lower() in _NULL_MARKERS else value


def _clean(text: str | None, tidy: Callable[[str], str]) -> str | None:
    if text is None:
        return None
    # Nearly all values of a film need nothing but trimming.
    if text.isascii() and text.isprintable() and "&" not in text and "  " not in text:
        return without_markers(text.strip(" "))
    if not text.isascii():
        text = _repair_mojibake(text)
    if "&" in text:
        text = _ENTITY.sub(_decode_entity, text)
    is_tidy = _TIDY.fullmatch(text) and "  " not in text
    return without_markers(text.strip(" ") if is_tidy else tidy(_INVISIBLE.sub("", text)))


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" ")


def _several_lines(text: str) -> str:
    text = _HORIZONTAL_SPACES.sub(" ", _LINE_ENDS.sub("\n", text))
    return _EMPTY_LINES.sub("\n\n", _SPACES_AT_LINE_ENDS.sub("\n", text)).strip(_ASCII_SPACES)


def _repair_mojibake(text: str) -> str:
    """UTF-8 that was read as Latin-1 or Windows-1252, read aright; anything less than certain is left as it is."""
    if not (_MOJIBAKE_HINT.search(text) and _MOJIBAKE_EVIDENCE.search(text)):
        return text
    try:
        decoded = text.translate(_TO_BYTES).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
    return text if _IMPLAUSIBLE.search(decoded) else decoded


def _decode_entity(found: re.Match[str]) -> str:
    """The character that a reference ('eacute', '#233', '#xE9') stands for; itself where there is none."""
    reference = found[1]
    if not reference.startswith("#"):
        return html5.get(f"{reference};", found[0])
    number = int(reference[2:], 16) if reference[1] in "xX" else int(reference[1:])
    if not (1 <= number <= 0xD7FF or 0xE000 <= number <= 0x10FFFF):
        return found[0]
    # As browsers do: the numbers of control characters mean Windows-1252.
    return chr(number).translate(_TO_CHARACTERS)
