"""Codes of rows that a reader rejects: the `code` of a `RejectedRow`, later the `rule_code` in quarantine."""

from movie_platform.raw_rows import RejectedRow

RAGGED_ROW = "ragged_row"
MALFORMED_QUOTING = "malformed_quoting"
UNTERMINATED_QUOTE = "unterminated_quote"
UNDECODABLE_ROW = "undecodable_row"
NUL_BYTE = "nul_byte"
REPEATED_HEADER = "repeated_header"
ROW_TOO_LONG = "row_too_long"
MALFORMED_JSON = "malformed_json"
NOT_AN_OBJECT = "not_an_object"
EMPTY_FILE = "empty_file"
REMOVED_AT_SOURCE = "removed_at_source"
INCOMPLETE_LISTING = "incomplete_listing"
NOT_FOUND_AT_SOURCE = "not_found_at_source"
UNCERTAIN_MATCH = "uncertain_match"
NOT_AN_IMDB_ID = "not_an_imdb_id"

READER_CODES: tuple[str, ...] = (
    RAGGED_ROW,
    MALFORMED_QUOTING,
    UNTERMINATED_QUOTE,
    UNDECODABLE_ROW,
    NUL_BYTE,
    REPEATED_HEADER,
    ROW_TOO_LONG,
    MALFORMED_JSON,
    NOT_AN_OBJECT,
    EMPTY_FILE,
    REMOVED_AT_SOURCE,
    INCOMPLETE_LISTING,
    NOT_FOUND_AT_SOURCE,
    UNCERTAIN_MATCH,
    NOT_AN_IMDB_ID,
)

# Long enough to see and repair a row by hand, short enough that a file of garbage stays small in quarantine.
MAXIMUM_RAW_TEXT = 64 * 1024


def printable(text: str) -> str:
    r"""Text that is valid UTF-8 and holds no NUL: bytes that did not decode and NULs appear as `\xNN`."""
    if text.isascii() and "\0" not in text:
        return text
    return "".join(
        f"\\x{ord(c) & 0xFF:02x}"
        if c == "\0" or 0xDC00 <= ord(c) <= 0xDCFF
        else f"\\u{ord(c):04x}"
        if 0xD800 <= ord(c) <= 0xDFFF
        else c
        for c in text
    )


def reject(line_number: int | None, raw_text: str, code: str, message: str) -> RejectedRow:
    """A rejected row whose text is cut at a bound, free of what no later hop could carry, without its line end."""
    text = printable(raw_text[:MAXIMUM_RAW_TEXT].rstrip("\r\n"))
    return RejectedRow(line_number, text, code, printable(message))
