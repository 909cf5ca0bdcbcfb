"""What a reader of a database is told: where it is and what to ask. Its representation shows no secret."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import quote, quote_plus

BATCH_ROWS = 10_000
CONNECT_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Target:
    """One table or query of one database. `dt` is set when the query binds it; `shown` is the URL for messages."""

    url: str = field(repr=False)
    user: str | None
    password: str | None = field(repr=False)
    table: str | None
    query: str | None
    dt: date | None
    folder: Path
    secrets: tuple[str, ...] = field(repr=False)
    shown: str

    def scrub(self, text: str) -> str:
        """A driver's message without the secrets that it may quote, in any of the forms that a URL gives them."""
        for secret in self.secrets:
            for form in {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}:
                text = text.replace(form, "***")
        return text
