"""The one exception that reading and verifying a bundle raises for a fault of the bundle."""

from movie_platform.bundles.reasons import ReasonCode

_LONGEST_ENTRY = 300


def printable(text: str, limit: int = _LONGEST_ENTRY) -> str:
    """`text` for a message or log line: control characters escaped, no longer than `limit` characters."""
    shown = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:limit]
    )
    return shown if len(text) <= limit and len(shown) <= limit else f"{shown[: limit - 1]}…"


class BundleError(Exception):
    """A bundle breaks a rule of the format.

    Attributes:
        code: The kind of fault.
        message: A sentence that says what is wrong and what was expected.
        entry: The offending entry's path, made printable, where the fault lies in one entry.
    """

    def __init__(self, code: ReasonCode, message: str, entry: str | None = None) -> None:
        self.code = code
        self.message = message
        self.entry = None if entry is None else printable(entry)
        where = f" (entry {self.entry})" if self.entry is not None else ""
        super().__init__(f"{code.value}: {message}{where}")

    def to_dict(self) -> dict[str, str | None]:
        """The reason as it stands in `reason.json` and in the Lambda's answer."""
        return {"code": self.code.value, "message": self.message, "entry": self.entry}
