"""The demo's films: three days that differ, the same on whatever day they are asked for."""

import functools
import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.source_errors import MalformedSource
from movie_platform.sources.sql import demo

BASE, SECOND, THIRD = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)
Films = dict[str, dict[str, str | None]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@functools.cache
def films(home: Path, dt: date) -> Films:
    settings = Settings(home=home)
    source = open_source(load_profile("demo", settings=settings), settings=settings)
    batches = list(source.batches(dt, None))
    assert not any(batch.rejected for batch in batches)
    rows = pa.Table.from_batches([batch.rows for batch in batches]).to_pylist()
    by_id = {str(row["movie_id"]): row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def test_the_base_day_has_all_films(home: Path) -> None:
    base = films(home, BASE)
    assert len(base) == 17_472
    assert films(home, date(2000, 1, 1)) == base
    interstellar = base["13417189"]
    assert interstellar["title"] == "Interstellar"
    assert interstellar["rotten_tomatoes_reviews"] == interstellar["critic_reviews"] == "375"
    assert interstellar["box_office"] == "701729206.0"
    assert json.loads(str(interstellar["extra"])) == {"Fresh": "274", "Oscars": "1", "Rotten": "101"}


def test_the_three_days_differ_in_every_way_that_matters(home: Path) -> None:
    base, second, third = films(home, BASE), films(home, SECOND), films(home, THIRD)
    assert len(second.keys() - base.keys()) == 20
    assert len(base.keys() - second.keys()) == 3
    assert len(third.keys() - second.keys()) == 11
    assert len(second.keys() - third.keys()) == 1
    assert second["190908"]["title"] == "Se7en"
    assert third["190908"]["title"] == base["190908"]["title"] == "Seven"
    for before, after in ((base, second), (second, third)):
        common = before.keys() & after.keys()
        changed = {
            column: sum(before[key][column] != after[key][column] for key in common)
            for column in (
                "title",
                "genres",
                "certification",
                "release_date",
                "rotten_tomatoes_reviews",
                "box_office",
            )
        }
        assert changed["title"] >= 4
        assert changed["genres"] >= 5
        assert changed["certification"] >= 10
        assert changed["release_date"] >= 5
        assert changed["rotten_tomatoes_reviews"] >= 150
        assert changed["box_office"] >= 10


def test_a_film_that_was_removed_comes_back_as_it_was(home: Path) -> None:
    base, second, third = films(home, BASE), films(home, SECOND), films(home, THIRD)
    assert "16960967" not in second
    assert third["16960967"] == {**base["16960967"], "updated_at": "2026-11-20"}


def test_what_changed_says_when(home: Path) -> None:
    second, third = films(home, SECOND), films(home, THIRD)
    for key, film in third.items():
        if key in second and film != second[key]:
            assert film["updated_at"] == "2026-11-20"


def test_review_counts_add_up(home: Path) -> None:
    for film in films(home, THIRD).values():
        extra = json.loads(str(film["extra"]))
        if film["updated_at"] != "2026-10-18" and extra["Fresh"] is not None:
            assert int(extra["Fresh"]) + int(extra["Rotten"]) == int(str(film["rotten_tomatoes_reviews"]))


def test_days_after_the_last_change_keep_its_state(home: Path) -> None:
    assert films(home, date(2030, 1, 1)) == films(home, THIRD)


def test_the_database_is_made_once_and_anew_when_it_is_damaged(tmp_path: Path) -> None:
    path = demo.ensure_demo_database(tmp_path)
    made = path.stat().st_mtime_ns
    assert demo.ensure_demo_database(tmp_path).stat().st_mtime_ns == made
    path.write_bytes(b"not a database")
    assert demo.ensure_demo_database(tmp_path) == path
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM omdb").fetchone()[0] > 17_472
    assert [file.name for file in path.parent.iterdir()] == ["movies.db"]


def test_versions_of_a_film_neither_overlap_nor_leave_a_gap_but_for_removals(home: Path) -> None:
    path = demo.ensure_demo_database(home)
    with closing(sqlite3.connect(path)) as connection:
        for table in demo.TABLES:
            overlaps = connection.execute(
                f"SELECT count(*) FROM {table} a JOIN {table} b ON a.ID = b.ID AND a.rowid < b.rowid "
                "WHERE a.valid_from < b.valid_to AND b.valid_from < a.valid_to"
            ).fetchone()
            backwards = connection.execute(
                f"SELECT count(*) FROM {table} WHERE valid_from >= valid_to"
            ).fetchone()
            assert (overlaps, backwards) == ((0,), (0,))


@pytest.mark.parametrize(
    "change",
    [
        '{"change": "update", "ID": -1, "omdb": {"Title": "x"}}',
        '{"change": "add", "ID": 372, "omdb": {}, "tomatoes": {}}',
        '{"change": "restore", "ID": 372}',
        '{"change": "rename", "ID": 372}',
        '{"change": "update", "ID": 372, "omdb": {"Titel": "x"}}',
        "nonsense",
    ],
)
def test_a_change_that_does_not_fit_is_named_and_leaves_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    changes = tmp_path / "changes"
    changes.mkdir()
    (changes / "2026-11-19.jsonl").write_text(change + "\n", "utf-8")
    monkeypatch.setattr(demo, "_CHANGES_FOLDER", changes)
    with pytest.raises(MalformedSource, match=r"2026-11-19\.jsonl, line 1"):
        demo.ensure_demo_database(tmp_path)
    assert list((tmp_path / "demo").iterdir()) == []
