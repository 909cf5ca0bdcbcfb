"""Names near a wrong one, for error messages."""

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name` regardless of case, or None when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A sentence to append to an error message, with a leading space; empty when no candidate is near."""
    match = nearest(name, candidates)
    return f" Did you mean {match!r}?" if match is not None else ""


def listing(names: Iterable[str], limit: int = 40) -> str:
    """Names as a comma-separated list that ends in a count when there are more than `limit`."""
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
