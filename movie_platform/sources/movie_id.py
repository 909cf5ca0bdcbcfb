r"""How several key columns become one `movie_id`: joined by '|', with '|' and backslash escaped by a backslash.

Different keys never give the same movie_id. A key of one column is its value, unchanged.
"""

import pyarrow as pa

from movie_platform.sources.arrow_compute import pc

SEPARATOR = "|"


def join_key(values: tuple[str | None, ...]) -> str | None:
    """The movie_id of one row. Missing parts of a longer key count as empty; None where all parts are missing."""
    if len(values) == 1:
        return values[0]
    if not any(values):
        return None
    return SEPARATOR.join(
        "" if value is None else value.replace("\\", "\\\\").replace(SEPARATOR, "\\" + SEPARATOR)
        for value in values
    )


def join_key_columns(columns: list[pa.Array]) -> pa.Array:
    """`join_key` for whole columns of strings."""
    if len(columns) == 1:
        return columns[0]
    parts = []
    missing = None
    for column in columns:
        filled = pc.fill_null(column, "")
        empty = pc.equal(filled, "")
        missing = empty if missing is None else pc.and_(missing, empty)
        escaped = pc.replace_substring(filled, "\\", "\\\\")
        parts.append(pc.replace_substring(escaped, SEPARATOR, "\\" + SEPARATOR))
    joined = pc.binary_join_element_wise(*parts, SEPARATOR)
    return pc.if_else(missing, pa.scalar(None, pa.string()), joined)
