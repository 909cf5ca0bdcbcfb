"""`movie-platform sql`: a query on the warehouse, written row by row as it arrives."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
from typing import Annotated, Any, TextIO

import typer

from movie_platform.commands import console
from movie_platform.commands.base import Command, global_options
from movie_platform.commands.local_platform import require_running
from movie_platform.errors import ConfigurationError
from movie_platform.resources.snowflake_connection import connect

# A table is laid out as a whole, so it is made a page at a time: the result may have any number of rows.
_ROWS_PER_TABLE = 1000


class Format(StrEnum):
    """How rows are written on stdout."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add `movie-platform sql` to the command line."""
    app.command(
        cls=Command,
        epilog='Example: movie-platform sql "SELECT title, year FROM RAW.MOVIES LIMIT 5" --format csv',
    )(sql)


def sql(
    context: typer.Context,
    statement: Annotated[
        str, typer.Argument(help="The statement; `-` reads it from stdin.", metavar="SELECT…")
    ],
    format: Annotated[  # noqa: A002 - the option's name is part of the command's contract
        Format, typer.Option("--format", help="table; csv with a header; json: an array of objects.")
    ] = Format.TABLE,
) -> None:
    """Query the warehouse that the settings point at."""
    text = sys.stdin.read() if statement == "-" else statement
    if not text.strip():
        raise ConfigurationError("no_statement", "the statement is empty", 'For example: sql "SELECT 1"')
    settings = global_options(context).settings()
    require_running(settings)
    with connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        names = [column.name for column in cursor.description or ()]
        rows = iter(cursor.fetchone, None)
        write_rows(format, names, (tuple(row) for row in rows if not isinstance(row, dict)), sys.stdout)


def write_rows(form: Format, names: Sequence[str], rows: Iterator[Sequence[Any]], target: TextIO) -> int:
    """Write rows as they come and answer how many there were."""
    match form:
        case Format.TABLE:
            return _write_tables(names, rows)
        case Format.CSV:
            return _write_csv(names, rows, target)
        case Format.JSON:
            return _write_json(names, rows, target)


def _write_csv(names: Sequence[str], rows: Iterator[Sequence[Any]], target: TextIO) -> int:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    return count


def _write_json(names: Sequence[str], rows: Iterator[Sequence[Any]], target: TextIO) -> int:
    count = 0
    target.write("[")
    for count, row in enumerate(rows, start=1):
        text = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_json_value)
        target.write(f"{',' if count > 1 else ''}\n  {text}")
    target.write("\n]\n" if count else "]\n")
    return count


def _json_value(value: Any) -> Any:
    """Values that JSON has no type for: an exact number where a double holds it, text otherwise."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return str(value)


def _write_tables(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
    count = 0
    first = list(islice(rows, _ROWS_PER_TABLE))
    pages = chain([first], iter(lambda: list(islice(rows, _ROWS_PER_TABLE)), []))
    for page in pages:
        console.show_table("", names, [[_cell(value) for value in row] for row in page])
        count += len(page)
    console.show(f"{count:,} row{'' if count == 1 else 's'}")
    return count


def _cell(value: Any) -> Any:
    """Years and keys are integers too: no separators in what a query answers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return console.Numeral(value)
    return value
