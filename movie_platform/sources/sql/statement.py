"""The SQL that is sent: the query of a profile with `:dt` bound in the driver's way, and quoted names.

Pure text; no driver is known here.
"""

import re
from collections.abc import Callable

from movie_platform.sources.source_errors import ProfileError
from movie_platform.sources.suggestions import did_you_mean

DT = "dt"

# What is not to be searched for bind variables: strings, quoted names, comments and PostgreSQL's casts.
_TOKEN = re.compile(
    r"""
      [eE]'(?:[^'\\]|\\.|'')*'          # PostgreSQL string with backslash escapes
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | `(?:[^`]|``)*`
    | --[^\n]*
    | /\*.*?\*/
    | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)   # PostgreSQL dollar quoting
    | ::
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def bound_names(query: str) -> set[str]:
    """Names of the bind variables of a query."""
    return {match["name"] for match in _TOKEN.finditer(query) if match["name"] is not None}


def check_bound_names(query: str, where: str) -> None:
    """Raise ProfileError for a bind variable other than `:dt`."""
    for name in sorted(bound_names(query) - {DT}):
        raise ProfileError(
            f"{where}: the query binds :{name}, which nothing sets; the date of the extract is :dt."
            f"{did_you_mean(name, (DT,))}"
        )


def with_placeholder(query: str, placeholder: str) -> str:
    """The query with `:dt` written as a driver's placeholder or expression; everything else as it is."""
    return _rewrite(query, lambda: placeholder, lambda token: token)


def for_sqlalchemy(query: str) -> str:
    """The query as SQLAlchemy's `text` wants it: `:dt` stays, colons anywhere else are escaped."""
    return _rewrite(query, lambda: f":{DT}", lambda token: token.replace(":", "\\:"))


def _rewrite(query: str, bind: Callable[[], str], other: Callable[[str], str]) -> str:
    pieces: list[str] = []
    end = 0
    for match in _TOKEN.finditer(query):
        pieces.append(other(query[end : match.start()]))
        pieces.append(bind() if match["name"] == DT else other(match[0]))
        end = match.end()
    pieces.append(other(query[end:]))
    return "".join(pieces)


def as_subquery(query: str) -> str:
    """The query so that it can stand in parentheses: no closing semicolon, and no comment that eats the bracket."""
    stripped = query.strip()
    while stripped.endswith(";"):
        stripped = stripped[:-1].rstrip()
    return f"{stripped}\n"


def quote_name(name: str) -> str:
    """A name in double quotes, as standard SQL, SQLite and PostgreSQL write it."""
    return '"' + name.replace('"', '""') + '"'


def table_query(table: str, quote: Callable[[str], str] = quote_name) -> str:
    """The query that reads a table; dots separate its schema from its name."""
    return "SELECT * FROM " + ".".join(map(quote, table.split(".")))  # noqa: S608 - each part is quoted
