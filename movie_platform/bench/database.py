"""The source of a benchmark: generated films in an SQLite database, and the profile that describes it."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from movie_platform.bench import films

SOURCE = "bench"
TABLE = "films"
# Contract column = column of the source; the others are kept under `extra`.
_MAPPING: dict[str, str] = {
    "imdb_id": "imdb_id",
    "title": "title",
    "original_title": "original_title",
    "type": "kind",
    "year": "year",
    "release_date": "released",
    "runtime": "runtime",
    "genres": "genres",
    "directors": "directors",
    "writers": "writers",
    "cast": "actors",
    "languages": "languages",
    "countries": "countries",
    "production_companies": "studios",
    "certification": "certification",
    "overview": "plot",
    "awards": "awards",
    "budget": "budget",
    "box_office": "box_office",
    "imdb_rating": "imdb_rating",
    "imdb_votes": "imdb_votes",
    "metascore": "metascore",
    "rotten_tomatoes": "tomato_meter",
    "rotten_tomatoes_reviews": "tomato_reviews",
    "critic_rating": "critic_rating",
    "popularity": "popularity",
    "homepage": "website",
    "poster_url": "poster",
    "updated_at": "last_updated",
}


@dataclass(frozen=True, slots=True)
class FilmDatabase:
    """A database that was written: its file, the profile that reads it, and its number of films."""

    path: Path
    profile: Path
    rows: int


def write_database(
    folder: Path, rows: int, *, progress: Callable[[int], object] = lambda _rows: None
) -> FilmDatabase:
    """Writes `films.db` and `bench.toml` into an empty folder; `progress` gets the films written so far.

    Raises sqlite3.Error and OSError.
    """
    database = FilmDatabase(folder / "films.db", folder / f"{SOURCE}.toml", rows)
    columns = ", ".join(f'"{name}" TEXT' for name in films.COLUMNS)
    marks = ", ".join("?" for _ in films.COLUMNS)
    connection = sqlite3.connect(database.path)
    try:
        # Nobody else reads the file yet, and a crash while it is written costs a repetition, not data.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE {TABLE} ({columns})")
        written = 0
        for batch in films.film_batches(rows):
            values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            connection.executemany(f"INSERT INTO {TABLE} VALUES ({marks})", values)  # noqa: S608 - constants of this module
            written += batch.num_rows
            progress(written)
        connection.commit()
    finally:
        connection.close()
    database.profile.write_text(profile_text(database.path), "utf-8")
    return database


def profile_text(path: Path) -> str:
    """The profile of a database of films, as TOML."""
    mapping = "\n".join(f'{column} = "{source}"' for column, source in _MAPPING.items())
    return (
        f'[source]\nname = "{SOURCE}"\nkind = "sql"\nurl = "sqlite:///{path.absolute()}"\ntable = "{TABLE}"\n'
        f'key = ["{films.KEY}"]\nload_type = "full"\n\n[columns]\n{mapping}\n'
    )
