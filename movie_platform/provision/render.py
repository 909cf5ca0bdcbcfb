"""How the SQL files' `{{ placeholders }}` are filled: every value is checked against its kind before it is
written.

An identifier is written as it stands, so it may be nothing but an identifier; a literal is quoted here.
`{{ include FOLDER }}` stands for the files of a folder beside the file, one after the other. There is no other syntax:
no expressions, no conditions.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from movie_platform.errors import ConfigurationError

Kind = Literal["identifier", "number", "url", "arn"]

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_INCLUDE = re.compile(r"^(?P<indent> *)\{\{ include (?P<folder>[a-z_]+(?:/[a-z_]+)*) \}\}$", re.MULTILINE)
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
_PATTERNS: dict[Kind, re.Pattern[str]] = {
    # Unquoted identifiers of Snowflake, in the case in which it stores them.
    "identifier": re.compile(r"[A-Z_][A-Z0-9_$]{0,199}"),
    "number": re.compile(r"[0-9]{1,9}"),
    "url": re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[A-Za-z0-9._=-]+/)*"),
    "arn": re.compile(r"arn:aws(?:-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:[A-Za-z0-9+=,.@_/:-]{1,512}"),
}
_QUOTED: frozenset[Kind] = frozenset({"url", "arn"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value for a placeholder and what it has to be."""

    kind: Kind
    value: str

    def sql(self, name: str) -> str:
        """The value as SQL text. Raises ConfigurationError for a value that is not of its kind."""
        if _PATTERNS[self.kind].fullmatch(self.value) is None:
            raise ConfigurationError(
                "invalid_sql_parameter",
                f"The value {self.value!r} of {name} is not a valid {self.kind}.",
                f"Change the setting that {name} comes from; expected is {_PATTERNS[self.kind].pattern}",
            )
        return f"'{self.value}'" if self.kind in _QUOTED else self.value


def identifier(name: str) -> str:
    """A name as Snowflake stores it, in capitals, for SQL. Raises ConfigurationError for one that is none."""
    return Parameter("identifier", name.upper()).sql("the name")


def render(text: str, parameters: Mapping[str, Parameter], *, where: str) -> str:
    """The SQL text with its placeholders filled; `where` names the file in errors.

    Raises ConfigurationError for a value that is not of its kind, ValueError for a placeholder without a
    parameter and for braces that are no placeholder.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name not in parameters:
            raise ValueError(f"{where}: there is no parameter {name!r}")
        return parameters[name].sql(name)

    stray = _BRACES.search(_PLACEHOLDER.sub("", text))
    if stray is not None:
        raise ValueError(f"{where}: {stray[0]} is no placeholder; write {{{{ name }}}}")
    return _PLACEHOLDER.sub(fill, text)


def with_includes(path: Path) -> str:
    """The text of an SQL file with its includes in place, each file indented as its placeholder is.

    Raises ValueError for an include of a folder that is not there or has no SQL file.
    """

    def insert(match: re.Match[str]) -> str:
        folder = path.parent / match["folder"]
        parts = [part.read_text("utf-8").strip() for part in sorted(folder.glob("*.sql"))]
        if not parts:
            raise ValueError(f"{path.name}: there are no SQL files in {match['folder']}")
        return textwrap.indent("\n\n".join(parts), match["indent"])

    return _INCLUDE.sub(insert, path.read_text("utf-8"))
