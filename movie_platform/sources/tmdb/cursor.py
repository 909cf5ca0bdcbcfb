"""Where the next extract begins, as text in the manifest of the last one."""

import json
from dataclasses import dataclass
from datetime import date

from movie_platform.sources.source_errors import MalformedSource


@dataclass(frozen=True, slots=True)
class Cursor:
    """`since`: changes up to that day have been read. `full`: the day of the last full load. `due`: the next is one."""

    since: date
    full: date
    due: bool = False

    def text(self) -> str:
        """The cursor as JSON, which a manifest keeps and `parse_cursor` reads."""
        kept = {"full": self.full.isoformat(), "since": self.since.isoformat()}
        return json.dumps({**kept, "due": "full"} if self.due else kept, sort_keys=True)


def parse_cursor(text: str) -> Cursor:
    """The cursor that `Cursor.text` wrote. Raises MalformedSource for any other text."""
    try:
        value = json.loads(text)
        return Cursor(
            date.fromisoformat(value["since"]), date.fromisoformat(value["full"]), value.get("due") == "full"
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MalformedSource(
            f"{text[:200]!r} is not where an extract of TMDB ended. Give the profile another name to begin with a full "
            "load."
        ) from None


def following(previous: Cursor | None, dt: date, full_load_days: int | None) -> Cursor:
    """Where the extract after that of `dt` begins, which itself began at `previous` (None: it was a full load)."""
    if previous is None or previous.due:
        return Cursor(dt, dt)
    due = full_load_days is not None and (dt - previous.full).days + 1 >= full_load_days
    return Cursor(max(dt, previous.since), previous.full, due)
