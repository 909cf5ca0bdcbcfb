"""Cleansing of text: null markers, mojibake, HTML entities, spaces and control characters, as column expressions.

Values that are printable ASCII without '&' (nearly all) take a short path; the rest is
repaired step by step (`bind`), so that neither the plan nor the generated code grows with the number of steps.
"""

from collections.abc import Callable
from html.entities import html5

from pyspark.sql import Column
from pyspark.sql import functions as fn

# Patterns of one or two ranges that match whole values: Java runs through them several times as fast as it searches
# for one of many characters. They end in \z, because $ lets a line end follow.
_PLAIN = r"^[ -~]*\z"
_TIDY = r"^[ -~\u00A1-\u167F]*\z"
_NULL_MARKERS = ("", "n/a", "\\n")

_SPACES = r"[\s\u00A0\u0085\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+"
_HORIZONTAL_SPACES = r"[ \t\u000B\u000C\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]+"
_LINE_ENDS = r"\r\n?|[\u0085\u2028\u2029]"
# Control characters but the white space among them, the byte order mark and the zero-width space.
_INVISIBLE = r"[\u0000-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F\u200B\uFEFF]"

_ENTITY = r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"

# Where Windows-1252 differs from Latin-1: its characters for the bytes 0x80 to 0x9F. Five of those bytes have none;
# readers keep them as the control characters of the same number.
_WINDOWS_BYTES = "".join(
    chr(byte) for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
)
_WINDOWS_CHARACTERS = bytes(ord(character) for character in _WINDOWS_BYTES).decode("cp1252")
# What a UTF-8 continuation byte (0x80 to 0xBF) looks like after the wrong decoding.
_CONTINUATION = rf"\u0080-\u00BF{_WINDOWS_CHARACTERS}"
# Of those, what may as well follow a word in text that is right: 'MANHÃ…', 'CAFÉ»', 'ÉTÉ' and a hard space.
_PUNCTUATION = "\u00a0«»‹›‘’“”‚„…–—•·™®©°ª²³¹º¡¿§†‡"

_MOJIBAKE_HINT = rf"[\u00C2-\u00F4][{_CONTINUATION}]"
# Sequences that no right text holds; at least one of them must be there before anything is repaired.
_MOJIBAKE_EVIDENCE = "|".join(
    (
        r"\u00C2[\u00A0-\u00BF]",
        rf"[\u00E0-\u00F4][{_CONTINUATION}]{{2}}",
        rf"(?<=\p{{Ll}})[\u00C3-\u00DE][{_CONTINUATION}]",
        rf"(?<!\p{{Lu}})[\u00C3-\u00DE][{_CONTINUATION}](?=[\p{{L}}\p{{N}}])",
        rf"[\u00C3-\u00DE][{_CONTINUATION}&&[^{_PUNCTUATION}]]",
        r"[\u00C3-\u00DE][©®ª²³¹º¡¿§](?=\p{Ll})",
    )
)
# Letters beyond Latin: believable as words, not singly, nor inside a word of Latin letters ('caf酻').
_OTHER_LETTERS = r"\u0180-\u0217\u021C-\u1DFF\u2E80-\uD7FF\uF900-\uFAFF\uFB07-\uFEFE\uFF00-\uFFEF"
_IMPLAUSIBLE = (
    r"[\u0080-\u009F\uE000-\uF8FF\uFFFD]"
    rf"|[\p{{IsLatin}}0-9][{_OTHER_LETTERS}]|[{_OTHER_LETTERS}]\p{{IsLatin}}"
)


def bind(value: Column, function: Callable[[Column], Column]) -> Column:
    """`function(value)`, with `value` evaluated once however often the function uses it."""
    return fn.get(fn.transform(fn.array(value), function), 0)


def clean_line(value: Column) -> Column:
    """Text on one line: repaired, runs of white space made one space; null for a null marker (N/A, \\N, empty)."""
    return _clean(value, lambda text: fn.trim(fn.regexp_replace(text, _SPACES, " ")))


def is_plain(value: Column) -> Column:
    """Whether trimming is all that a text needs."""
    return value.rlike(_PLAIN) & ~value.contains("&") & ~value.contains("  ")


def clean_lines(value: Column) -> Column:
    """Text that may have several lines: as `clean_line`, but line ends stay, as \\n, at most two in a row."""

    def tidy(text: Column) -> Column:
        text = fn.regexp_replace(text, _LINE_ENDS, "\n")
        text = fn.regexp_replace(text, _HORIZONTAL_SPACES, " ")
        text = fn.regexp_replace(text, " ?\n ?", "\n")
        return fn.regexp_replace(fn.regexp_replace(text, "\n{3,}", "\n\n"), r"^\s+|(?<!\s)\s+$", "")

    return _clean(value, tidy)


def clean_key(value: Column) -> Column:
    """A key: without white space around it and control characters, otherwise as it is; null for a null marker."""
    stripped = fn.when(
        value.rlike(r"[^!-~]"),
        fn.regexp_replace(
            fn.regexp_replace(value, _INVISIBLE, ""), r"^[\s\u00A0]+|(?<![\s\u00A0])[\s\u00A0]+$", ""
        ),
    ).otherwise(value)
    return without_markers(stripped)


def _clean(value: Column, tidy: Callable[[Column], Column]) -> Column:
    def decode(text: Column) -> Column:
        return fn.when(text.contains("&"), bind(text, _decode_entities)).otherwise(text)

    def tidy_rest(text: Column) -> Column:
        is_tidy = text.rlike(_TIDY) & ~text.contains("  ")
        return fn.when(is_tidy, fn.trim(text)).otherwise(tidy(fn.regexp_replace(text, _INVISIBLE, "")))

    thorough = bind(bind(bind(bind(value, _repair_mojibake), decode), tidy_rest), without_markers)
    return fn.when(is_plain(value), without_markers(fn.trim(value))).when(value.isNotNull(), thorough)


def without_markers(value: Column) -> Column:
    """The text, null where it is a null marker."""
    # Markers are short: the length spares nearly all values the comparison.
    marker = (fn.length(value) <= 3) & fn.lower(value).isin(*_NULL_MARKERS)
    return fn.when(~marker, value)


def _repair_mojibake(text: Column) -> Column:
    """UTF-8 that was read as Latin-1 or Windows-1252, read aright; anything less than certain is left as it is."""
    return fn.when(
        (fn.octet_length(text) != fn.length(text))
        & text.rlike(_MOJIBAKE_HINT)
        & text.rlike(_MOJIBAKE_EVIDENCE),
        bind(text, _decode_again),
    ).otherwise(text)


def _decode_again(text: Column) -> Column:
    as_latin = fn.translate(text, _WINDOWS_CHARACTERS, _WINDOWS_BYTES)
    is_latin = ~as_latin.rlike(r"[^\u0000-\u00FF]")
    octets = fn.encode(as_latin, "ISO-8859-1")
    # Bytes that are not UTF-8 decode to U+FFFD, and so do not come back the same.
    return bind(
        fn.decode(octets, "UTF-8"),
        lambda decoded: fn.when(
            is_latin & (fn.encode(decoded, "UTF-8") == octets) & ~decoded.rlike(_IMPLAUSIBLE), decoded
        ).otherwise(text),
    )


_ENTRY, _PAIR = "\u0001", "\u0002"
_NAMED_ENTITIES = _ENTRY.join(
    f"{name.removesuffix(';')}{_PAIR}{characters}"
    for name, characters in sorted(html5.items())
    if name.endswith(";")
)


def _decode_entities(text: Column) -> Column:
    """HTML entities that end in ';' as the characters that they stand for, once; unknown ones stay."""
    decoded = fn.array_join(fn.transform(fn.split(text, "(?=&)"), _decode_leading_entity), "")
    return fn.when(text.rlike(_ENTITY), decoded).otherwise(text)


def _decode_leading_entity(piece: Column) -> Column:
    def decode(reference: Column) -> Column:
        character = fn.coalesce(_character(reference), fn.concat(fn.lit("&"), reference, fn.lit(";")))
        return fn.when(reference == "", piece).otherwise(
            fn.concat(character, fn.regexp_replace(piece, "^&[^;]*;", ""))
        )

    return bind(fn.regexp_extract(piece, f"^{_ENTITY}", 1), decode)


def _character(reference: Column) -> Column:
    """What a reference ('eacute', '#233', '#xE9') stands for; null for none."""
    names = fn.str_to_map(fn.lit(_NAMED_ENTITIES), fn.lit(_ENTRY), fn.lit(_PAIR))
    digits = (
        fn.when(reference.rlike("^#[xX]"), fn.conv(fn.substring(reference, 3, 6), 16, 10))
        .when(reference.startswith("#"), fn.substring(reference, 2, 7))
        .cast("int")
    )
    return fn.coalesce(bind(digits, _code_point), fn.try_element_at(names, reference))


def _code_point(number: Column) -> Column:
    valid = number.between(1, 0xD7FF) | number.between(0xE000, 0x10FFFF)
    character = fn.decode(fn.unhex(fn.lpad(fn.hex(number), 8, "0")), "UTF-32BE")
    # As browsers do: the numbers of control characters mean Windows-1252.
    return fn.when(valid, fn.translate(character, _WINDOWS_BYTES, _WINDOWS_CHARACTERS))
