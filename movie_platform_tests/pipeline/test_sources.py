"""Whole runs of sources that people bring along: IMDb's files, a file of another's making, a database that changes."""

import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from movie_platform.build import build_resources
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.runs.pipeline import run_dates
from movie_platform.runs.result import RunReport
from movie_platform.settings import Settings
from movie_platform.sources.load_types import PREVIOUS_CURSOR

FIRST, SECOND = date(2026, 11, 19), date(2026, 11, 20)

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.long, pytest.mark.timeout(1800)]


def run(settings: Settings, dt: date, profile: Path) -> RunReport:
    """One day of a source; a live one's present state stands for it."""
    [report] = run_dates(settings, [dt], profile=str(profile), label_present=True)
    return report


def rows(settings: Settings, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as connection:
        return [tuple(row.values()) for row in query_rows(connection, sql, values)]


def test_imdb_files_reach_the_warehouse_with_ratings_and_names(provisioned_cloud: Settings, tmp_path: Path):
    files = {
        "basics": "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\t"
        "genres\n"
        'tt0078748\tmovie\t"Alien\tAlien\t0\t1979\t\\N\t117\tHorror,Sci-Fi\n'
        "tt10000001\tmovie\tUnrated\tUnrated\t0\t\\N\t\\N\t\\N\t\\N\n"
        "tt0000003\tshort\tShort\tShort\t0\t1894\t\\N\t1\t\\N\n",
        "ratings": "tconst\taverageRating\tnumVotes\ntt0078748\t8.5\t1012345\n",
        "crew": "tconst\tdirectors\twriters\ntt0078748\tnm0000631\tnm0639321,nm0795953\n",
        "names": "nconst\tprimaryName\nnm0000631\tRidley Scott\nnm0639321\tDan O'Bannon\n"
        "nm0795953\tRonald Shusett, Jr.\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.tsv").write_text(text, "utf-8")
    profile = tmp_path / "imdb-sample.toml"
    profile.write_text(
        '[source]\nkind = "imdb"\nkey = "tconst"\n'
        + "".join(f'{name} = "{name}.tsv"\n' for name in files)
        + '[columns]\nimdb_id = "tconst"\ntitle = "primaryTitle"\nyear = "startYear"\nruntime = "runtimeMinutes"\n'
        'genres = "genres"\ndirectors = "directors"\nwriters = "writers"\nimdb_rating = "averageRating"\n'
        'imdb_votes = "numVotes"\n',
        "utf-8",
    )
    report = run(provisioned_cloud, SECOND, profile)
    assert (report.status, report.error, report.rows.extracted) == ("success", None, 2)
    found = rows(
        provisioned_cloud,
        "SELECT m.movie_id, m.title, r.rating, r.votes FROM RAW.MOVIES m LEFT JOIN RAW.MOVIE_RATINGS r"
        " ON r.source = m.source AND r.movie_id = m.movie_id WHERE m.source = %s ORDER BY m.movie_id",
        "imdb-sample",
    )
    assert found == [("tt0078748", '"Alien', 85, 1012345), ("tt10000001", "Unrated", None, None)]
    people = rows(
        provisioned_cloud,
        "SELECT role, person FROM RAW.MOVIE_PEOPLE WHERE source = %s ORDER BY role, position",
        "imdb-sample",
    )
    assert people == [
        ("director", "Ridley Scott"),
        ("writer", "Dan O'Bannon"),
        ("writer", "Ronald Shusett, Jr."),
    ]


def test_a_json_array_in_a_zip_reaches_the_warehouse_with_its_lists(
    provisioned_cloud: Settings, tmp_path: Path
):
    films = [
        {
            "title": "Rope",
            "year": 1948,
            "cast": ["James Stewart", "John Dall"],
            "genres": ["Drama"],
            "href": "Rope",
        },
        {"title": "1776", "year": 1972, "cast": [], "genres": []},
    ]
    with zipfile.ZipFile(tmp_path / "movies.json.zip", "w") as archive:
        archive.writestr("movies.json", json.dumps(films))
    profile = tmp_path / "wikipedia.toml"
    profile.write_text(
        '[source]\nkind = "files"\npath = "movies.json.zip"\nkey = ["title", "year"]\n[columns]\ntitle = "title"\n'
        'year = "year"\ncast = "cast"\ngenres = "genres"\n',
        "utf-8",
    )
    report = run(provisioned_cloud, SECOND, profile)
    assert (report.status, report.error, report.rows.extracted) == ("success", None, 2)
    people = rows(
        provisioned_cloud,
        "SELECT movie_id, person FROM RAW.MOVIE_PEOPLE WHERE source = %s ORDER BY position",
        "wikipedia",
    )
    assert people == [("Rope|1948", "James Stewart"), ("Rope|1948", "John Dall")]
    titles = rows(
        provisioned_cloud, "SELECT title FROM RAW.MOVIES WHERE source = %s ORDER BY title", "wikipedia"
    )
    assert titles == [("1776",), ("Rope",)]


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_database_is_loaded_in_full_once_and_then_by_what_changed(
    provisioned_cloud: Settings, tmp_path: Path
):
    source, database = "changing", tmp_path / "films.db"
    change(
        database,
        "CREATE TABLE films (id INTEGER, title TEXT, year INTEGER, changed TEXT)",
        "INSERT INTO films VALUES (1, 'One', 1990, '2026-11-18 10:00:00'), (2, 'Two', 1991, '2026-11-18 11:00:00'),"
        " (3, 'Three', 1992, '2026-11-17 09:00:00')",
    )
    profile = tmp_path / f"{source}.toml"
    profile.write_text(
        '[source]\nkind = "sql"\nurl = "sqlite:///films.db"\ntable = "films"\nkey = "id"\nincremental = true\n'
        'updated_at = "changed"\n[columns]\ntitle = "title"\nyear = "year"\n',
        "utf-8",
    )
    landing: LandingZone = build_resources(provisioned_cloud)["landing"]

    def manifest(dt: date) -> Any:
        winner = landing.winner(source, dt)
        return None if winner is None else landing.manifest(winner)

    first = run(provisioned_cloud, FIRST, profile)
    assert (first.status, first.error, first.rows.extracted) == ("success", None, 3)
    assert (manifest(FIRST).load_type, manifest(FIRST).source.cursor) == ("full", "2026-11-18 11:00:00")
    assert PREVIOUS_CURSOR not in manifest(FIRST).source.parameters

    change(
        database,
        "UPDATE films SET title = 'Three!', changed = '2026-11-19 08:00:00' WHERE id = 3",
        "INSERT INTO films VALUES (4, 'Four', 1993, '2026-11-18 11:00:00'), (5, 'Five', 1994, NULL)",
        "DELETE FROM films WHERE id = 1",
    )
    database.rename(tmp_path / "away.db")
    failed = run(provisioned_cloud, SECOND, profile)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "source_not_found"
    assert manifest(SECOND) is None
    (tmp_path / "away.db").rename(database)

    second = run(provisioned_cloud, SECOND, profile)
    assert (second.status, second.error) == ("success", None)
    # The film with the watermark's own time is among them again, and so is the new one that has it too.
    assert second.rows.extracted == 4
    delta = manifest(SECOND)
    assert (delta.load_type, delta.source.cursor) == ("delta", "2026-11-19 08:00:00")
    assert delta.source.parameters[PREVIOUS_CURSOR] == "2026-11-18 11:00:00"

    again = run(provisioned_cloud, SECOND, profile)
    assert (again.status, again.unchanged, again.batch_id) == ("success", True, second.batch_id)
    assert manifest(SECOND) == delta

    batches = rows(
        provisioned_cloud, "SELECT dt, load_type FROM RAW.BATCHES WHERE source = %s ORDER BY dt", source
    )
    assert batches == [(FIRST, "full"), (SECOND, "delta")]
    films = rows(
        provisioned_cloud,
        "SELECT movie_id, title FROM RAW.MOVIES WHERE source = %s AND dt = %s ORDER BY 1",
        source,
        SECOND,
    )
    assert films == [("2", "Two"), ("3", "Three!"), ("4", "Four"), ("5", "Five")]
