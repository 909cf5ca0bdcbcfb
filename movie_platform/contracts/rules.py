"""Codes of the row rules that the transform applies: the `rule_code` of quarantined rows.

Codes of rows that a reader rejected are its own (see `movie_platform.sources`) and are carried through unchanged.
"""

MISSING_KEY = "missing_key"
MISSING_TITLE = "missing_title"
IMPOSSIBLE_YEAR = "impossible_year"
IMPOSSIBLE_RUNTIME = "impossible_runtime"
DUPLICATE_KEY = "duplicate_key"

ROW_RULES: tuple[str, ...] = (MISSING_KEY, MISSING_TITLE, IMPOSSIBLE_YEAR, IMPOSSIBLE_RUNTIME, DUPLICATE_KEY)
