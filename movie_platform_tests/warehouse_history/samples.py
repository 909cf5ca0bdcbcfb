"""Films and batches for tests: what a test does not name is as plain as can be."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from movie_platform_tests.warehouse_history.history import PARTS, Batch, Film, Part

FIRST = date(2026, 11, 18)
NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 - RAW keeps UTC without a zone


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def film(
    tag: str,
    movie_id: str = "1",
    title: str = "Film",
    genres: str = "Drama",
    people: Sequence[tuple[str, str]] = (("director", "Ann"),),
    **more: Any,
) -> Film:
    """A film with one director, whose genres and people bear the tag."""
    tagged = tuple((role, f"{tag} {name}") for role, name in people)
    names = tuple(f"{tag} {name}" for name in genres.split(",") if name)
    return Film(movie_id, title, genres=names, people=tagged, **more)


def batch(tag: str, number: int, *films: Film, hour: int = 0, **more: Any) -> Batch:
    """A full batch of a day, extracted at an hour after noon of it."""
    extracted_at = NOON + timedelta(days=number, hours=hour)
    defaults: dict[str, Any] = {
        "source": tag,
        "dt": day(number),
        "batch_id": f"{extracted_at:%Y%m%dT%H%M%SZ}-{len(films):012}",
        "transform_id": "t1",
        "extracted_at": extracted_at,
        "transformed_at": extracted_at + timedelta(minutes=10),
        "films": films,
    }
    return Batch(**{**defaults, **more})


def parts(*batches: Batch) -> list[Part]:
    return [Part(found, table) for found in batches for table in PARTS]
