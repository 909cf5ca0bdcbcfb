"""The naive way: the same pipeline as a script of a page, with pandas, zipfile and everything in memory.

It is meant as people write it: `read_sql` of the whole table, whole files in `writestr`, a Python function a row,
`to_sql`. It makes the tables of films, ratings, genres, people and refused rows; it verifies nothing.
"""

import hashlib
import json
import re
import sqlite3
import zipfile
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from movie_platform.bench.database import TABLE
from movie_platform.bench.usage import Meter, Usage

_DATE_FORMS = ("%d %b %Y", "%Y-%m-%d", "%B %d, %Y", "%b %Y", "%Y")
_NOTHING = frozenset({"", "N/A", r"\N"})
_PROVIDERS = {
    "imdb": ("imdb_rating", "imdb_votes", 10),
    "metacritic": ("metascore", None, 100),
    "rotten_tomatoes": ("tomato_meter", "tomato_reviews", 100),
    "critics": ("critic_rating", None, 10),
}
_TABLES = ("movies", "movie_ratings", "movie_genres", "movie_people", "quarantined_rows")


def run(database: Path, folder: Path, stages: Collection[str]) -> dict[str, Usage]:
    """The pipeline from a database of films to tables in an SQLite file; what each of the first stages used."""
    meter = Meter()
    used: dict[str, Usage] = {}

    connection = sqlite3.connect(database)
    frame = pd.read_sql(f"SELECT * FROM {TABLE}", connection)  # noqa: S608 - a constant
    connection.close()
    frame.to_csv(folder / "films.csv", index=False)
    frame.to_parquet(folder / "films.parquet")
    used["extract"] = meter.lap()
    if "bundle" not in stages:
        return used

    with zipfile.ZipFile(folder / "films.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("films.csv", "films.parquet"):
            archive.writestr(name, (folder / name).read_bytes())
    used["bundle"] = meter.lap()
    if "unpack" not in stages:
        return used

    unpacked = folder / "unpacked"
    unpacked.mkdir()
    with zipfile.ZipFile(folder / "films.zip") as archive:
        for name in archive.namelist():
            (unpacked / name).write_bytes(archive.read(name))
    used["unpack"] = meter.lap()
    if "transform" not in stages:
        return used

    tables = transform(pd.read_parquet(unpacked / "films.parquet"))
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    del frame, tables
    used["transform"] = meter.lap()
    if "load" not in stages:
        return used

    connection = sqlite3.connect(folder / "warehouse.db")
    for name in _TABLES:
        pd.read_parquet(folder / f"{name}.parquet").to_sql(name, connection, index=False)
    connection.close()
    used["load"] = meter.lap()
    return used


def transform(frame: Any) -> dict[str, Any]:
    """Films, ratings, genres, people and refused rows, by a Python function a row."""
    frame = frame.drop_duplicates()
    fault = frame.apply(fault_of, axis=1)
    good = frame[fault.isna()].drop_duplicates("film_id", keep="last")
    refused = frame[fault.notna()]
    ratings: list[dict[str, Any]] = []
    genres: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for _, row in good.iterrows():
        ratings.extend(ratings_of(row))
        genres.extend(listed(row["film_id"], "genre", row["genres"]))
        for role in ("directors", "writers", "actors"):
            people.extend({**item, "role": role} for item in listed(row["film_id"], "person", row[role]))
    return {
        "movies": good.apply(film_of, axis=1, result_type="expand"),
        "movie_ratings": pd.DataFrame(ratings),
        "movie_genres": pd.DataFrame(genres),
        "movie_people": pd.DataFrame(people),
        "quarantined_rows": refused.assign(rule_code=fault[fault.notna()]),
    }


def fault_of(row: Any) -> str | None:
    """The code of the rule that a row breaks, None where it breaks none."""
    if text(row["film_id"]) is None:
        return "missing_key"
    if text(row["title"]) is None:
        return "missing_title"
    year = number(row["year"])
    if year is not None and not 1870 <= year <= 2100:
        return "impossible_year"
    runtime = minutes(row["runtime"])
    if runtime is not None and not 1 <= runtime <= 60_000:
        return "impossible_runtime"
    return None


def film_of(row: Any) -> dict[str, Any]:
    """A row of the source as one of the table of films: parsed, with what follows from it."""
    released = date_of(row["released"])
    budget, box_office = money(row["budget"]), money(row["box_office"])
    known = [rating["rating"] for rating in ratings_of(row)]
    film: dict[str, Any] = {
        **{name: text(row[name]) for name in ("film_id", "imdb_id", "title", "original_title", "kind")},
        **{name: text(row[name]) for name in ("plot", "awards", "certification", "website", "poster")},
        "year": number(row["year"]),
        "release_date": released,
        "decade": None if released is None else released.year // 10 * 10,
        "runtime_minutes": minutes(row["runtime"]),
        "languages": "|".join(items(row["languages"])),
        "countries": "|".join(items(row["countries"])),
        "studios": "|".join(items(row["studios"])),
        "budget": budget,
        "box_office": box_office,
        "profit": None if budget is None or box_office is None else box_office - budget,
        "average_rating": sum(known) / len(known) if known else None,
        "popularity": number(row["popularity"]),
    }
    film["row_hash"] = hashlib.sha256(json.dumps(film, default=str).encode()).hexdigest()
    return film


def ratings_of(row: Any) -> list[dict[str, Any]]:
    """A row for each provider whose rating of the film is known."""
    found: list[dict[str, Any]] = []
    for provider, (column, votes, out_of) in _PROVIDERS.items():
        value = number(row[column])
        if value is not None:
            count = None if votes is None else number(row[votes])
            found.append(
                {
                    "film_id": row["film_id"],
                    "provider": provider,
                    "rating": value * 100 / out_of,
                    "votes": count,
                }
            )
    return found


def listed(film_id: str, name: str, value: Any) -> Iterator[dict[str, Any]]:
    """A row for each item of a list, such as a film's genres, with its position from 1."""
    for position, item in enumerate(dict.fromkeys(items(value)), start=1):
        yield {"film_id": film_id, name: item, "position": position}


def text(value: Any) -> str | None:
    """A value without blanks around it, None where it says nothing."""
    if not isinstance(value, str) or value.strip() in _NOTHING:
        return None
    return value.strip()


def items(value: Any) -> list[str]:
    """The items of a list in one of its three forms."""
    found = text(value)
    if found is None:
        return []
    if found.startswith("["):
        return [str(item) for item in json.loads(found)]
    return [item.strip() for item in re.split(r"[,|]", found) if item.strip()]


def number(value: Any) -> float | None:
    """The first number in a text, None where there is none."""
    found = re.search(r"[\d,]+(\.\d+)?", text(value) or "")
    digits = found.group().replace(",", "") if found else ""
    return float(digits) if digits else None


def minutes(value: Any) -> float | None:
    """A running time in minutes, also from hours and minutes; None where it says none."""
    found = re.fullmatch(r"(\d+)h (\d+)m", text(value) or "")
    return int(found[1]) * 60 + int(found[2]) if found else number(value)


def money(value: Any) -> float | None:
    """An amount in dollars, None where it says none."""
    amount = number(value)
    return amount * 1_000_000 if amount is not None and str(value).endswith("M") else amount


def date_of(value: Any) -> datetime | None:
    """A date in one of the forms that sources write, None where it has none of them."""
    found = text(value)
    if found is None:
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(found, form)  # noqa: DTZ007 - films are released on dates, not at moments
        except ValueError:
            continue
    return None
