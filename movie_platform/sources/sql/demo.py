"""The demo's database: real films with a history, made once in a platform's home.

Its base is the CC0 data set in the package `bokeh-sampledata`, its later days are `sample_data/changes`. Each table
keeps versions of rows, valid from a date up to another, so that a query can ask for the state as of any date.
"""

import hashlib
import importlib.util
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from movie_platform.raw_rows import RowBatch
from movie_platform.settings import Settings
from movie_platform.sources.profile import Profile
from movie_platform.sources.source_errors import MalformedSource, SourceNotFound
from movie_platform.sources.sql.parameters import SqlParameters
from movie_platform.sources.sql.source import SqlSource
from movie_platform.sources.sql.statement import quote_name

TABLES = ("omdb", "tomatoes")
BEGINNING = "0001-01-01"
OPEN_END = "9999-12-31"
_KEY = "ID"
_LAST_UPDATED = "lastUpdated"
# Raise it when the tables or the way they are filled change: databases of before are then made anew.
_LAYOUT = 1
_CHANGES_FOLDER = Path(__file__).parents[3] / "sample_data" / "changes"


class DemoSource(SqlSource):
    """The demo's database, made before it is first read."""

    def __init__(self, profile: Profile, parameters: SqlParameters, settings: Settings) -> None:
        super().__init__(profile, parameters, settings)
        self._home = settings.home

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:
        """The films as of `dt`; before the first change that is the base, after the last one the last state."""
        ensure_demo_database(self._home)
        return super().batches(dt, cursor)


def ensure_demo_database(home: Path) -> Path:
    """The path of the demo's database in a home, made or made anew where it is missing or out of date.

    It appears whole or not at all, also when two processes make it at once. Raises SourceNotFound when the data set
    or the changes are not installed, MalformedSource when a change does not fit.
    """
    base = _base_database()
    changes = _change_files()
    fingerprint = _fingerprint([base, *changes])
    path = home / "demo" / "movies.db"
    if _built_from(path) == fingerprint:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".movies-", suffix=".db", dir=path.parent)
    os.close(descriptor)
    try:
        _build(Path(temporary), base, changes, fingerprint)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _base_database() -> Path:
    # The package is found, not imported: it would read its metadata and, in some versions, load pandas.
    spec = importlib.util.find_spec("bokeh_sampledata")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / "_data" / "movies.db"
        if path.is_file():
            return path
    raise SourceNotFound(
        "the demo's films are in the package bokeh-sampledata (movies.db), which is not installed; install "
        "movie-platform[local], or name another profile."
    )


def _change_files() -> list[Path]:
    files = sorted(_CHANGES_FOLDER.glob("*.jsonl"))
    if not files:
        raise SourceNotFound(
            f"there are no changes for the demo in {_CHANGES_FOLDER}; run from a clone of the project."
        )
    return files


def _fingerprint(files: list[Path]) -> str:
    digest = hashlib.sha256(str(_LAYOUT).encode())
    for path in files:
        with path.open("rb") as file:
            digest.update(path.name.encode())
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _built_from(path: Path) -> str | None:
    """The fingerprint of what an existing database was made from; None where there is none that can be read."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT fingerprint FROM demo_build").fetchone()
    except sqlite3.DatabaseError:
        # Whatever lies there is not a database of ours, and is replaced by one.
        return None
    return None if row is None else str(row[0])


def _build(path: Path, base: Path, changes: list[Path], fingerprint: str) -> None:
    with closing(sqlite3.connect(path.as_uri(), uri=True)) as connection:
        # A file that is thrown away unless it is finished needs no journal.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH DATABASE ? AS base", (f"{base.as_uri()}?mode=ro&immutable=1",))
        for table in TABLES:
            _copy_table(connection, table)
        connection.commit()
        connection.execute("DETACH DATABASE base")
        for file in changes:
            _apply(connection, file)
        connection.execute("CREATE TABLE demo_build (fingerprint TEXT NOT NULL)")
        connection.execute("INSERT INTO demo_build VALUES (?)", (fingerprint,))
        connection.commit()


def _copy_table(connection: sqlite3.Connection, table: str) -> None:
    columns = connection.execute("SELECT name, type FROM pragma_table_info(?, 'base')", (table,)).fetchall()
    defined = ", ".join(f"{quote_name(name)} {kind}" for name, kind in columns)
    connection.execute(
        f"CREATE TABLE main.{table} ({defined}, valid_from TEXT NOT NULL, valid_to TEXT NOT NULL)"
    )
    connection.execute(
        f"INSERT INTO main.{table} SELECT *, ?, ? FROM base.{table}",  # noqa: S608 - a constant
        (BEGINNING, OPEN_END),
    )
    connection.execute(f"CREATE INDEX main.{table}_history ON {table} ({quote_name(_KEY)}, valid_from)")


def _apply(connection: sqlite3.Connection, file: Path) -> None:
    day = date.fromisoformat(file.stem).isoformat()
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                _apply_change(connection, json.loads(line), day)
            except (KeyError, ValueError, TypeError, sqlite3.Error) as error:
                raise MalformedSource(f"{file}, line {number}: the change does not fit: {error}") from error


def _apply_change(connection: sqlite3.Connection, change: dict[str, Any], day: str) -> None:
    kind, key = change["change"], change["ID"]
    for table in TABLES:
        match kind:
            case "add":
                if _latest(connection, table, key) is not None:
                    raise ValueError(f"film {key} is there already")
                _insert(connection, table, {_KEY: key, **change[table]}, day)
            case "update" if table in change:
                row = _close(connection, table, key, day)
                _insert(connection, table, {**row, **change[table]}, day)
            case "update":
                continue
            case "remove":
                _close(connection, table, key, day)
            case "restore":
                row = _latest(connection, table, key)
                if row is None or row["valid_to"] == OPEN_END:
                    raise ValueError(f"film {key} was not removed")
                _insert(connection, table, row, day)
            case _:
                raise ValueError(f"unknown change {kind!r}")


def _latest(connection: sqlite3.Connection, table: str, key: int) -> dict[str, Any] | None:
    cursor = connection.execute(
        f"SELECT * FROM {table} WHERE {quote_name(_KEY)} = ? ORDER BY valid_to DESC LIMIT 1",  # noqa: S608 - a constant
        (key,),
    )
    row = cursor.fetchone()
    return None if row is None else dict(zip((item[0] for item in cursor.description), row, strict=True))


def _close(connection: sqlite3.Connection, table: str, key: int, day: str) -> dict[str, Any]:
    """End the open version of a film's row on that day; the row."""
    row = _latest(connection, table, key)
    if row is None or row["valid_to"] != OPEN_END:
        raise ValueError(f"film {key} is not in {table}")
    connection.execute(
        f"UPDATE {table} SET valid_to = ? WHERE {quote_name(_KEY)} = ? AND valid_to = ?",  # noqa: S608 - a constant
        (day, key, OPEN_END),
    )
    return row


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any], day: str) -> None:
    row = {**row, "valid_from": day, "valid_to": OPEN_END, _LAST_UPDATED: day}
    names = ", ".join(map(quote_name, row))
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - names from files of ours
