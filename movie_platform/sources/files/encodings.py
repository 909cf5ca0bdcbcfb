"""Which encoding a file is written in, guessed from a bounded sample.

The rule, in order: a byte order mark; NULs in every second place (UTF-16 without a mark); valid UTF-8, or mostly
so; then, of Windows-1252, Mac Roman and Latin-1, the one that makes the most plausible words of the bytes above 127.
A file whose sample is plain ASCII is taken for UTF-8.
"""

import codecs
import re
from collections.abc import Iterable

SAMPLE_BYTES = 16 * 1024 * 1024
# Once this many bytes above 127 are known, more would not change the answer.
_ENOUGH = 4096
_NOT_ASCII = re.compile(rb"[\x80-\xff]")

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(chunks: Iterable[bytes]) -> str:
    """The encoding of a file that begins with these chunks; no more of them are taken than needed."""
    seen = 0
    telling: list[bytes] = []
    count = 0
    for number, chunk in enumerate(chunks):
        if number == 0:
            by_shape = _by_mark_or_nuls(chunk)
            if by_shape is not None:
                return by_shape
        seen += len(chunk)
        found = len(_NOT_ASCII.findall(chunk))
        if found:
            telling.append(chunk)
            count += found
        if count >= _ENOUGH or seen >= SAMPLE_BYTES:
            break
    return _by_bytes(telling)


def _by_mark_or_nuls(start: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    head = start[:4096]
    half = len(head) // 2
    if half >= 2:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > half * 0.4 and even < half * 0.1:
            return "utf-16-le"
        if even > half * 0.4 and odd < half * 0.1:
            return "utf-16-be"
    return None


def _by_bytes(chunks: list[bytes]) -> str:
    if not chunks:
        return "utf-8"
    valid = broken = 0
    for chunk in chunks:
        good, bad = _utf8_sequences(chunk)
        valid += good
        broken += bad
    # A file of UTF-8 with a few broken rows stays UTF-8: the rows are rejected. By chance bytes of another
    # encoding rarely form a valid sequence.
    if broken == 0 or valid > 4 * broken:
        return "utf-8"
    data = b"".join(chunks)
    candidates = ("cp1252", "mac_roman", "latin-1")
    return max(candidates, key=lambda encoding: (_plausibility(data, encoding), -candidates.index(encoding)))


_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


def _utf8_sequences(chunk: bytes) -> tuple[int, int]:
    """How many valid sequences of several bytes, and how many bytes above 127 outside of them.

    A sequence that the chunk's ends cut through counts for neither.
    """
    good = len(_UTF8_SEQUENCE.findall(chunk))
    rest = _UTF8_SEQUENCE.sub(b"", chunk)
    rest = re.sub(rb"\A[\x80-\xbf]{1,3}|[\xc2-\xf4][\x80-\xbf]{0,2}\Z", b"", rest)
    return good, len(_NOT_ASCII.findall(rest))


_SCORES = (
    # Inside a word a small letter is what is expected, and a capital or a sign is not.
    (re.compile(r"[a-z][à-öø-ÿœšžßıł]|[à-öø-ÿœšžß][a-z]"), 2),
    (re.compile(r"\b[À-ÖØ-ÞŒŠŽ][a-zà-öø-ÿ]"), 2),
    (
        re.compile(
            "[A-Za-z]['’‘][A-Za-z]|[A-Za-z.,] ?[–—…”’]|[“‘„«¿¡][A-Za-zÀ-ÿ]|[0-9] ?[°½²³€£–]|\\s[–—•]\\s|©|®|™"
        ),
        1,
    ),
    (re.compile(r"[a-zà-öø-ÿ][À-ÖØ-ÞŒŠŽŸ][a-z]"), -3),
    (re.compile(r"[A-Za-z][^\x00-\x7f\w\s’‘'–—-][a-z]"), -3),
    (re.compile("[\x80-\x9f]"), -4),
    (re.compile("[∂∆∏∑√∞∫≈≠≤≥◊Ωπˆ˜¯˘˙˚¸˝˛ˇ‰‡†\uf8ff]"), -2),
)


def _plausibility(data: bytes, encoding: str) -> int:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # A byte that the encoding does not have speaks against it, but a single stray one decides nothing.
        text = data.decode(encoding, "replace")
    score = -4 * text.count("\ufffd")
    return score + sum(weight * len(pattern.findall(text)) for pattern, weight in _SCORES)
