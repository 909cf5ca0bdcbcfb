"""Writes parts of batches into RAW, as the pipes do: a part is one file, loaded by one statement."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from snowflake.connector import SnowflakeConnection

from movie_platform.contracts import ARCHIVE_TABLES, RAW_METADATA_COLUMNS
from movie_platform_tests.warehouse_history.history import PARTS, Batch, Part

_TABLES = {table.name: table for table in ARCHIVE_TABLES}
_Row = dict[str, Any]


def load(connection: SnowflakeConnection, parts: Iterable[Part]) -> None:
    """Loads the parts, one after the other, each as a transaction of its own with its own time of scanning."""
    for part in parts:
        insert(connection, part.table, part_rows(part), piece=part.piece, pieces=part.pieces)


def part_rows(part: Part) -> list[_Row]:
    """The rows of a part; none where the batch has no file for the table."""
    batch = part.batch
    version = {
        "source": batch.source,
        "dt": batch.dt,
        "batch_id": batch.batch_id,
        "transform_id": batch.transform_id,
    }
    return [{**version, **row} for row in _OWN_ROWS[part.table](batch)]


def _movies(batch: Batch) -> list[_Row]:
    return [
        {
            "movie_id": film.movie_id,
            "title": film.title,
            "year": film.year,
            "primary_genre": film.genres[0] if film.genres else None,
            "popularity": film.popularity,
            "row_hash": "row",
            "tracked_hash": film.tracked_hash,
        }
        for film in batch.films
    ]


def _ratings(batch: Batch) -> list[_Row]:
    return [
        {"movie_id": film.movie_id, "provider": provider, "rating": rating, "votes": votes, "row_hash": "row"}
        for film in batch.films
        for provider, rating, votes in film.ratings
    ]


def _genres(batch: Batch) -> list[_Row]:
    return [
        {"movie_id": film.movie_id, "genre": genre, "position": position, "row_hash": "row"}
        for film in batch.films
        for position, genre in enumerate(film.genres, start=1)
    ]


def _people(batch: Batch) -> list[_Row]:
    return [
        {"movie_id": film.movie_id, "role": role, "person": name, "position": position, "row_hash": "row"}
        for film in batch.films
        for role in ("director", "writer", "cast")
        for position, name in enumerate(film.names(role), start=1)
    ]


def _quarantined(batch: Batch) -> list[_Row]:
    return [
        {
            "movie_id": movie_id,
            "rule_code": "no_title",
            "message": "The row has no title.",
            "origin": "transform",
            "raw_row": "{}",
            "occurrence": occurrence,
            "row_hash": f"row {occurrence}",
        }
        for occurrence, movie_id in enumerate(batch.quarantined, start=1)
    ]


def _announcement(batch: Batch) -> list[_Row]:
    row: _Row = {
        "announcement": batch.announcement,
        "transformed_at": batch.transformed_at,
        "load_type": batch.load_type,
        "extracted_at": batch.extracted_at,
        "content_id": batch.batch_id,
        "rows_in": len(batch.films) + len(batch.quarantined),
        "exact_duplicates": 0,
        "keyless_quarantined_rows": batch.quarantined.count(None),
    }
    for table in PARTS[:-1]:
        count = len(_OWN_ROWS[table](batch))
        row[f"{table}_rows"] = count
        row[f"{table}_files"] = min(count, 1)
    return [row]


_OWN_ROWS = {
    "movies": _movies,
    "movie_ratings": _ratings,
    "movie_genres": _genres,
    "movie_people": _people,
    "quarantined_rows": _quarantined,
    "batches": _announcement,
}


def insert(
    connection: SnowflakeConnection, name: str, rows: Sequence[_Row], *, piece: int = 0, pieces: int = 1
) -> None:
    """One INSERT of a file's rows, or of every `pieces`th of them, with the metadata that a pipe adds."""
    if not rows[piece::pieces]:
        return
    table = _TABLES[name]
    columns = [*table.column_names, *(column.name for column in RAW_METADATA_COLUMNS)]
    first = rows[0]
    file = (
        f"{name}/source={first['source']}/dt={first['dt']}/{name}-{first['batch_id']}-{first['transform_id']}"
    )
    if name == "batches":
        file += f"-{first['announcement']}"
    loaded_at = datetime.now(UTC)
    values = [
        {**row, "file_name": f"{file}-00000.parquet", "file_row": number, "loaded_at": loaded_at}
        for number, row in list(enumerate(rows, start=1))[piece::pieces]
    ]
    marks = ", ".join(f"({', '.join(['%s'] * len(columns))})" for _ in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table.snowflake_schema}.{name} ({', '.join(columns)}) VALUES {marks}",
            [row.get(column) for row in values for column in columns],
        )
