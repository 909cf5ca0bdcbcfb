"""Reading from where the last extract ended: no row is lost, and a rerun asks the same question."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.settings import Settings
from movie_platform.sources.load_types import PREVIOUS_CURSOR, keeps_cursor, load_type_of, parameters_of
from movie_platform.sources.profile import Profile
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.protocol import Source
from movie_platform.sources.source_errors import ProfileError
from movie_platform.sources.sql.watermark import earlier, not_after

DAY = date(2026, 11, 18)
Open = Callable[..., Source]
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def write_table(path: Path, times: list[Any], declared: str = "TEXT") -> Path:
    """Films numbered from 1, changed at these times."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE IF EXISTS films")
        connection.execute(f"CREATE TABLE films (id INTEGER, title TEXT, changed {declared})")
        connection.executemany(
            "INSERT INTO films VALUES (?, ?, ?)", [(n, f"T{n}", time) for n, time in enumerate(times, 1)]
        )
        connection.commit()
    return path


def profile_of(tmp_path: Path, scheme: str, database: Path, more: str) -> Profile:
    file = tmp_path / "films.toml"
    file.write_text(
        f'[source]\nkind = "sql"\nurl = "{scheme}:///{database}"\nkey = "id"\n{more}\n[columns]\ntitle = "title"\n',
        "utf-8",
    )
    return load_profile(str(file), settings=Settings(home=tmp_path))


@pytest.fixture(params=["sqlite", "sqlite+pysqlite"])
def open_films(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    def opened(
        database: Path, more: str = 'table = "films"\nupdated_at = "changed"\nincremental = true'
    ) -> Source:
        profile = profile_of(tmp_path, request.param, database, more)
        return open_source(profile, settings=Settings(home=tmp_path))

    return opened


def read(source: Source, cursor: str | None) -> tuple[list[str], str | None]:
    """Keys of the rows, sorted, and where the extract ended."""
    keys = [str(key) for batch in source.batches(DAY, cursor) for key in batch.rows["movie_id"].to_pylist()]
    return sorted(keys), source.next_cursor()


def test_the_first_extract_is_everything_and_ends_at_the_greatest_time(
    tmp_path: Path, open_films: Open
) -> None:
    source = open_films(write_table(tmp_path / "f.db", ["2026-11-03", "2026-11-01", None]))
    assert read(source, None) == (["1", "2", "3"], "2026-11-03")


def test_the_next_gives_what_is_not_older_and_rows_without_a_time(tmp_path: Path, open_films: Open) -> None:
    times = ["2026-11-01", "2026-11-03", "2026-11-03", "2026-11-05", None]
    source = open_films(write_table(tmp_path / "f.db", times))
    assert read(source, "2026-11-03") == (["2", "3", "4", "5"], "2026-11-05")


def test_an_extract_without_news_ends_where_it_began(tmp_path: Path, open_films: Open) -> None:
    source = open_films(write_table(tmp_path / "f.db", ["2026-11-01"]))
    assert read(source, "2026-11-03") == ([], "2026-11-03")
    empty = open_films(write_table(tmp_path / "f.db", []))
    assert read(empty, "2026-11-03") == ([], "2026-11-03")
    assert read(empty, None) == ([], None)


@pytest.mark.parametrize("declared", ["INTEGER", "", "TIMESTAMP"])
def test_numbers_compare_as_numbers(tmp_path: Path, open_films: Open, declared: str) -> None:
    source = open_films(write_table(tmp_path / "f.db", [9, 10, 1000, None], declared))
    assert read(source, "10") == (["2", "3", "4"], "1000")


def test_fractions_of_seconds_are_not_rounded_away(tmp_path: Path, open_films: Open) -> None:
    source = open_films(write_table(tmp_path / "f.db", [1763496900.1234567, 1763496900.1234565], "REAL"))
    assert read(source, None)[1] == "1763496900.1234567"
    assert read(source, "1763496900.1234567")[0] == ["1"]


def test_times_of_several_kinds_in_one_column_are_refused(tmp_path: Path, open_films: Open) -> None:
    source = open_films(write_table(tmp_path / "f.db", [5, "2026-11-18"], ""))
    with pytest.raises(ProfileError, match=r"the last extract ended at '2026-11-01'.*incremental = false"):
        source.batches(DAY, "2026-11-01")


def test_a_time_in_the_future_does_not_hide_later_changes(tmp_path: Path, open_films: Open) -> None:
    source = open_films(write_table(tmp_path / "f.db", ["9999-12-31 00:00:00", "2026-11-01 00:00:00"]))
    _, ended = read(source, None)
    assert ended is not None
    assert datetime.fromisoformat(ended).replace(tzinfo=UTC) <= datetime.now(UTC)
    assert read(source, ended)[0] == ["1"]


def test_an_overlap_reads_again_what_lies_shortly_before(tmp_path: Path, open_films: Open) -> None:
    times = ["2026-11-18 10:00:00", "2026-11-18 10:54:59", "2026-11-18 10:55:00", "2026-11-18 11:00:00"]
    more = 'table = "films"\nupdated_at = "changed"\nincremental = true\noverlap = 300'
    source = open_films(write_table(tmp_path / "f.db", times), more)
    assert read(source, "2026-11-18 11:00:00") == (["3", "4"], "2026-11-18 11:00:00")
    numbers = open_films(write_table(tmp_path / "f.db", [1, 2], "INTEGER"), more)
    with pytest.raises(ProfileError, match="`overlap` needs timestamps"):
        numbers.batches(DAY, "2")


def test_a_query_may_bind_the_date_beside_the_watermark(tmp_path: Path, open_films: Open) -> None:
    more = 'query = "SELECT * FROM films WHERE changed <= :dt"\nupdated_at = "changed"\nincremental = true'
    source = open_films(write_table(tmp_path / "f.db", ["2026-11-17", "2026-11-18", "2026-11-19"]), more)
    assert read(source, None) == (["1", "2"], "2026-11-18")
    assert read(source, "2026-11-18") == (["2"], "2026-11-18")


def test_the_watermark_is_bound_and_never_part_of_the_statement(tmp_path: Path, open_films: Open) -> None:
    source = open_films(write_table(tmp_path / "f.db", ["2026-11-01"]))
    assert read(source, "x' OR '1'='1") == ([], "x' OR '1'='1")


def test_only_an_incremental_source_keeps_a_cursor(tmp_path: Path) -> None:
    database = write_table(tmp_path / "f.db", ["2026-11-01"])
    settings = Settings(home=tmp_path)
    plain = profile_of(tmp_path, "sqlite", database, 'table = "films"\nload_type = "delta"')
    source = open_source(plain, settings=settings)
    assert not keeps_cursor(source)
    assert load_type_of(source, plain, None) == "delta"
    more = 'table = "films"\nupdated_at = "changed"\nincremental = true'
    incremental = profile_of(tmp_path, "sqlite", database, more)
    source = open_source(incremental, settings=settings)
    assert keeps_cursor(source)
    assert [load_type_of(source, incremental, cursor) for cursor in (None, "2026")] == ["full", "delta"]
    assert PREVIOUS_CURSOR not in parameters_of(source, None)
    assert parameters_of(source, "2026")[PREVIOUS_CURSOR] == "2026"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("incremental = true", "needs updated_at"),
        ('incremental = true\nupdated_at = "changed"\noptional = ["updated_at"]', "may not be optional"),
        ('incremental = true\nupdated_at = "changed"\nload_type = "full"', "decides load_type by itself"),
        ("overlap = 5", "`overlap` needs incremental"),
        ('incremental = true\nupdated_at = "changed"\noverlap = -1', "overlap"),
    ],
)
def test_a_profile_that_cannot_be_meant_is_refused(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        profile_of(tmp_path, "sqlite", tmp_path / "f.db", f'table = "films"\n{more}')


@pytest.mark.parametrize(
    ("watermark", "seconds", "expected"),
    [
        ("2026-11-18 20:15:00", 60, "2026-11-18 20:14:00"),
        ("2026-11-18T20:15:00.125Z", 1, "2026-11-18T20:14:59.125Z"),
        ("2026-11-18 00:00:00.123456+00", 1, "2026-11-17 23:59:59.123456+00"),
        ("2026-11-18 00:10+05:30", 3600, "2026-11-17 23:10+05:30"),
        ("2026-11-18", 1, "2026-11-17"),
        ("0001-01-01", 86_400, "0001-01-01"),
        ("1763496900", 1, None),
        ("2026-13-40", 1, None),
        ("infinity", 1, None),
    ],
)
def test_a_watermark_is_moved_back_in_the_form_that_it_has(
    watermark: str, seconds: int, expected: str | None
) -> None:
    assert earlier(watermark, seconds) == expected


@given(st.datetimes(min_value=datetime(1900, 1, 1)), st.integers(0, 10**7))  # noqa: DTZ001 - the strategy adds no zone
def test_moving_back_takes_that_many_seconds_off(moment: datetime, seconds: int) -> None:
    text = moment.isoformat(sep=" ", timespec="microseconds")
    assert earlier(text, seconds) == (moment - timedelta(seconds=seconds)).isoformat(
        sep=" ", timespec="microseconds"
    )


@pytest.mark.parametrize(
    ("watermark", "expected"),
    [
        ("2026-11-18 11:59:59", "2026-11-18 11:59:59"),
        ("2026-11-18 12:00:01", "2026-11-18 12:00:00"),
        ("2026-11-18 13:30:00+02", "2026-11-18 13:30:00+02"),
        ("2026-11-18 15:30:00+02", "2026-11-18 14:00:00+02"),
        ("9999-12-31", "2026-11-18"),
        ("infinity", "2026-11-18 12:00:00+00"),
        ("9999999999", "9999999999"),
    ],
)
def test_a_watermark_is_never_in_the_future(watermark: str, expected: str) -> None:
    assert not_after(watermark, NOON) == expected
