"""Reads the tables of CORE in the reference's terms, through their keys: a key that leads nowhere is a missing row."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import rows
from movie_platform_tests.warehouse_history.reference import Star


def read(connection: SnowflakeConnection, sources: Collection[str], tag: str) -> Star:
    """What CORE shows of some sources, and of the genres and people whose names begin with a tag."""
    marks = ", ".join(["%s"] * len(sources))
    names = list(sources)

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return rows(connection, sql.format(sources=marks), names)

    found = Star()
    found.versions = _unique(
        ask(
            "SELECT source, movie_id, valid_from, valid_to, is_current, is_deleted, title, year, genres, directors"
            " FROM CORE.DIM_MOVIE WHERE source IN ({sources})"
        )
    )
    found.movie_genres = _unique(
        ask(
            "SELECT m.source, m.movie_id, m.valid_from, LOWER(g.genre_name), b.position, b.named_as"
            " FROM CORE.BRIDGE_MOVIE_GENRE b JOIN CORE.DIM_MOVIE m ON m.movie_key = b.movie_key"
            " JOIN CORE.DIM_GENRE g ON g.genre_key = b.genre_key WHERE m.source IN ({sources})"
        )
    )
    found.movie_people = _unique(
        ask(
            "SELECT m.source, m.movie_id, m.valid_from, b.role, LOWER(p.person_name), b.position, b.credited_as"
            " FROM CORE.BRIDGE_MOVIE_PERSON b JOIN CORE.DIM_MOVIE m ON m.movie_key = b.movie_key"
            " JOIN CORE.DIM_PERSON p ON p.person_key = b.person_key WHERE m.source IN ({sources})"
        )
    )
    found.snapshots = {
        (*row[:4], _decimal(row[4]))
        for row in _unique(
            ask(
                "SELECT f.source, f.movie_id, f.dt, m.valid_from, f.popularity FROM CORE.FACT_MOVIE_SNAPSHOT f"
                " JOIN CORE.DIM_MOVIE m ON m.movie_key = f.movie_key AND m.source = f.source"
                " AND m.movie_id = f.movie_id JOIN CORE.DIM_DATE d ON d.date_key = f.date_key AND d.date = f.dt"
                " WHERE f.source IN ({sources})"
            )
        )
    }
    found.ratings = {
        (*row[:5], Decimal(row[5]), int(row[6]))
        for row in _unique(
            ask(
                "SELECT f.source, f.movie_id, f.dt, m.valid_from, p.provider, f.rating, f.votes"
                " FROM CORE.FACT_MOVIE_RATING f JOIN CORE.DIM_MOVIE m ON m.movie_key = f.movie_key"
                " JOIN CORE.DIM_RATING_PROVIDER p ON p.provider_key = f.provider_key"
                " JOIN CORE.DIM_DATE d ON d.date_key = f.date_key AND d.date = f.dt WHERE f.source IN ({sources})"
            )
        )
    }
    found.days = _unique(
        ask("SELECT source, dt, batch_id, transform_id FROM CORE.APPLIED_DAYS WHERE source IN ({sources})")
    )
    found.genres, found.people = (
        {
            name
            for (name,) in _unique(
                rows(
                    connection,
                    f"SELECT {dimension}_name FROM CORE.DIM_{dimension} WHERE LOWER({dimension}_name) LIKE %s",
                    [f"{tag}%"],
                )
            )
        }
        for dimension in ("genre", "person")
    )
    return found


def _unique(found: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    unique = set(found)
    assert len(unique) == len(found), "a row appears twice"
    return unique


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
