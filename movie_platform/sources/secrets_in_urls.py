"""Secrets that stand in URLs, where they would end up in manifests and messages."""

from urllib.parse import parse_qsl, unquote, urlsplit

_SECRET_IN_QUERY = frozenset({"password", "passwd", "pwd", "token", "api_key", "apikey", "secret"})


def passwords_in(url: str) -> list[str]:
    """The passwords and the like that are written into a URL, as written and decoded."""
    parts = urlsplit(url)
    found = [parts.password] if parts.password else []
    found += [
        value for name, value in parse_qsl(parts.query) if name.casefold() in _SECRET_IN_QUERY and value
    ]
    return found + [decoded for value in found if (decoded := unquote(value)) != value]


def holds_secret(url: str) -> bool:
    """Whether a password or the like is written into a URL."""
    try:
        return bool(passwords_in(url))
    except ValueError:
        # A URL that cannot be taken apart is refused where it is opened; here, rather safe than printed.
        return "@" in url
