"""What the command prints: results on stdout, everything said on the way on stderr, one JSON object where
asked.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from movie_platform.errors import ConfigurationError

_WIDTH_ELSEWHERE = 240


def stdout() -> Console:
    """The console of results. Made anew each time: a test or a step may have replaced the stream."""
    # What is not read on a terminal must not be folded to the width of one.
    width = None if sys.stdout.isatty() else _WIDTH_ELSEWHERE
    return Console(highlight=False, width=width, soft_wrap=width is not None)


def stderr() -> Console:
    """The console of errors and of what happens meanwhile."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def progress() -> Console:
    """A console on the terminal itself, made before stderr is redirected while runs are executed."""
    return _progress(sys.stderr)


@lru_cache(maxsize=1)
def _progress(stream: TextIO) -> Console:
    return Console(file=_duplicate(stream), highlight=False, soft_wrap=not stream.isatty())


def _duplicate(stream: TextIO) -> TextIO:
    try:
        return os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8", errors="replace", buffering=1)
    except (OSError, ValueError):  # no file behind it: nothing can be redirected either
        return stream


def say(text: str) -> None:
    """A plain line about what happens, on stderr."""
    # The terminal may be gone (a closed window): what is being done, a shutdown perhaps, goes on all the
    # same.
    with suppress(OSError):
        progress().print(text, markup=False)


def show(text: str) -> None:
    """A plain line of the result, on stdout."""
    stdout().print(text, markup=False)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table on stdout; columns that hold numbers only are set to the right."""
    rendered = list(rows)
    table = Table(title=title, title_justify="left", title_style="bold")
    for index, name in enumerate(columns):
        numbers = all(isinstance(row[index], int | float | Numeral | None) for row in rendered)
        table.add_column(name, justify="right" if numbers and rendered else "left", overflow="fold")
    for row in rendered:
        table.add_row(*(Text(format_value(value)) for value in row))
    stdout().print(table)


class Numeral(str):
    """A number that is formatted already, such as `1.5 MB`."""

    __slots__ = ()


def format_value(value: Any) -> str:
    """A value as people read it: thousands apart, None as nothing, control characters made visible."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in str(value)
    )


def format_bytes(size: int) -> Numeral:
    """A size in decimal units, three digits or so."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return Numeral(f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}")
        amount /= 1000
    raise AssertionError("unreachable: the last unit takes every size")


def write_json(value: Any, target: str = "-") -> None:
    """One JSON value to a file, or to stdout for `-`. Raises ConfigurationError where the file cannot be
    written.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        Path(target).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationError(
            "cannot_write_json", f"{target} cannot be written: {error.strerror}", "Name another file."
        ) from error
