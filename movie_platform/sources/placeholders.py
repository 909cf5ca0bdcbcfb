"""The placeholders `{home}` and `{dt}` in a profile's paths and URLs."""

import re
from datetime import date
from pathlib import Path

from movie_platform.sources.source_errors import ProfileError
from movie_platform.sources.suggestions import did_you_mean

HOME = "home"
DT = "dt"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def check(text: str, where: str) -> None:
    """Raise ProfileError for a placeholder that does not exist."""
    for name in _PLACEHOLDER.findall(text):
        if name not in (HOME, DT):
            raise ProfileError(
                f"{where} holds the unknown placeholder {{{name}}}; there are {{home}} and {{dt}}."
                f"{did_you_mean(name, (HOME, DT))}"
            )


def names_date(text: str) -> bool:
    """Whether the text holds `{dt}`."""
    return DT in _PLACEHOLDER.findall(text)


def fill(text: str, *, home: Path, dt: date) -> str:
    """The text with `{home}` and `{dt}` (as YYYY-MM-DD) replaced."""
    values = {HOME: str(home), DT: dt.isoformat()}
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
