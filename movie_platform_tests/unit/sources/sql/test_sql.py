"""Databases: SQLite through ADBC and through SQLAlchemy, with what SQLite lets people store."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.raw_rows import RejectedRow
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.protocol import Source
from movie_platform.sources.source_errors import ProfileError, SourceNotFound, SourceUnavailable
from movie_platform.sources.sql.statement import bound_names, for_sqlalchemy, with_placeholder
from movie_platform.sources.sql.target import Target

DAY = date(2026, 11, 18)
Open = Callable[..., Source]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "films.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE films (id INTEGER, title, score REAL, note TEXT, valid_from TEXT)")
        connection.executemany(
            "INSERT INTO films VALUES (?, ?, ?, ?, ?)",
            [
                (1, "Alien", 103.0, None, "2026-11-01"),
                (2, 1776, 7.2, "", "2026-11-18"),
                (3, 0.1, None, "x", "2026-11-19"),
                (4, b"\x00\xff", 1e300, None, "2026-11-20"),
                (2**62, None, -0.5, "ünï", "2026-11-21"),
            ],
        )
        connection.commit()
    return path


# ADBC reads sqlite://; naming a driver asks for SQLAlchemy. Both must give the same text.
@pytest.fixture(params=["sqlite", "sqlite+pysqlite"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    def opened(database: Path, what: str = 'table = "films"', columns: str = 'title = "title"') -> Source:
        settings = Settings(home=tmp_path / "home")
        profile = tmp_path / "profile.toml"
        profile.write_text(
            f'[source]\nkind = "sql"\nurl = "{request.param}:///{database}"\n{what}\nkey = "id"\n'
            f"[columns]\n{columns}\n",
            "utf-8",
        )
        return open_source(load_profile(str(profile), settings=settings), settings=settings)

    return opened


def rows_of(source: Source, dt: date = DAY) -> list[dict[str, str | None]]:
    batches = list(source.batches(dt, None))
    assert all(batch.rows.schema.names == list(source.columns()) for batch in batches)
    return pa.Table.from_batches([batch.rows for batch in batches]).to_pylist()


def test_values_of_mixed_types_come_as_the_text_they_are(database: Path, open_database: Open) -> None:
    rows = rows_of(
        open_database(database, columns='title = "title"\npopularity = "score"\noverview = "note"')
    )
    assert [(row["movie_id"], row["title"], row["popularity"], row["overview"]) for row in rows] == [
        ("1", "Alien", "103.0", None),
        ("2", "1776", "7.2", ""),
        ("3", "0.1", None, "x"),
        ("4", "00ff", rows[3]["popularity"], None),
        (str(2**62), None, "-0.5", "ünï"),
    ]
    assert float(str(rows[3]["popularity"])) == 1e300


def test_what_is_not_named_is_kept_as_extra(database: Path, open_database: Open) -> None:
    first, second, *_ = rows_of(open_database(database))
    assert first["extra"] == '{"note":null,"score":"103.0","valid_from":"2026-11-01"}'
    assert second["extra"] == '{"note":"","score":"7.2","valid_from":"2026-11-18"}'


def test_a_column_that_begins_with_thousands_of_nulls_loses_nothing(
    tmp_path: Path, open_database: Open
) -> None:
    path = tmp_path / "late.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE films (id, title)")
        connection.executemany("INSERT INTO films VALUES (?, NULL)", ((n,) for n in range(25_000)))
        connection.execute("INSERT INTO films VALUES ('last', 'text')")
        connection.commit()
    rows = rows_of(open_database(path))
    assert len(rows) == 25_001
    assert rows[-1] == {"movie_id": "last", "title": "text", "extra": None}


def test_a_query_that_binds_the_date_answers_as_of_it(database: Path, open_database: Open) -> None:
    query = "query = \"SELECT *, ':dt' AS lit FROM films WHERE valid_from <= :dt AND :dt < '9999' -- :dt;\""
    source = open_database(database, query)
    assert source.answers_as_of()
    assert [row["movie_id"] for row in rows_of(source, date(2026, 11, 19))] == ["1", "2", "3"]
    assert [row["movie_id"] for row in rows_of(source, date(2026, 11, 1))] == ["1"]
    assert '"lit":":dt"' in str(rows_of(source)[0]["extra"])


def test_a_table_knows_only_its_present_state(database: Path, open_database: Open) -> None:
    assert not open_database(database).answers_as_of()


def test_a_url_with_the_date_answers_as_of_it(database: Path, open_database: Open, tmp_path: Path) -> None:
    source = open_database(Path(str(database).replace("films", "films-{dt}")))
    database.rename(tmp_path / "films-2026-11-18.db")
    assert source.answers_as_of()
    assert len(rows_of(source)) == 5
    with pytest.raises(SourceNotFound, match=r"films-2026-11-19\.db"):
        source.batches(date(2026, 11, 19), None)


def test_an_empty_table_gives_one_empty_batch(tmp_path: Path, open_database: Open) -> None:
    path = tmp_path / "empty.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE films (id, title)")
    assert [batch.rows.num_rows for batch in open_database(path).batches(DAY, None)] == [0]


def test_text_that_no_later_hop_could_carry_rejects_its_row(tmp_path: Path, open_database: Open) -> None:
    path = tmp_path / "hostile.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE films (id, title)")
        connection.execute("INSERT INTO films VALUES (1, 'good'), (2, 'a' || char(0) || 'b'), (3, 'fine')")
        connection.commit()
    batches = list(open_database(path).batches(DAY, None))
    rejected: list[RejectedRow] = [row for batch in batches for row in batch.rejected]
    assert [row["movie_id"] for batch in batches for row in batch.rows.to_pylist()] == ["1", "3"]
    assert [row.code for row in rejected] == ["nul_byte"]


def test_text_that_is_not_utf_8_rejects_its_row(tmp_path: Path) -> None:
    path = tmp_path / "latin.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE films (id, title)")
        connection.execute("INSERT INTO films VALUES (1, CAST(x'416dff' AS TEXT)), (2, 'fine')")
        connection.commit()
    settings = Settings(home=tmp_path)
    profile = tmp_path / "p.toml"
    profile.write_text(
        f'[source]\nkind = "sql"\nurl = "sqlite:///{path}"\ntable = "films"\nkey = "id"\n[columns]\ntitle = "title"',
        "utf-8",
    )
    [batch] = open_source(load_profile(str(profile), settings=settings), settings=settings).batches(DAY, None)
    assert batch.rows.column("movie_id").to_pylist() == ["2"]
    assert [row.code for row in batch.rejected] == ["undecodable_row"]


def test_a_column_that_does_not_exist_stops_before_anything_is_read(
    database: Path, open_database: Open
) -> None:
    with pytest.raises(ProfileError, match=r"no column 'Titel'.*for title\. Did you mean 'title'"):
        open_database(database, columns='title = "Titel"').batches(DAY, None)


def test_a_table_that_does_not_exist_is_missed_by_name(database: Path, open_database: Open) -> None:
    with pytest.raises(SourceNotFound, match=r"flims.*Did you mean 'films'"):
        open_database(database, 'table = "flims"').batches(DAY, None)


def test_a_query_that_is_wrong_says_so(database: Path, open_database: Open) -> None:
    with pytest.raises((ProfileError, SourceUnavailable), match="nope"):
        open_database(database, 'query = "SELECT nope FROM films"').batches(DAY, None)


def test_a_database_that_does_not_exist_is_not_made(tmp_path: Path, open_database: Open) -> None:
    with pytest.raises(SourceNotFound, match="no SQLite database"):
        open_database(tmp_path / "nope.db").batches(DAY, None)
    assert not (tmp_path / "nope.db").exists()


def test_a_query_cannot_write(database: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    profile = tmp_path / "p.toml"
    profile.write_text(
        f'[source]\nkind = "sql"\nurl = "sqlite:///{database}"\nquery = "DELETE FROM films RETURNING *"\n'
        'key = "id"\n[columns]\ntitle = "title"',
        "utf-8",
    )
    with pytest.raises(ProfileError):
        open_source(load_profile(str(profile), settings=settings), settings=settings).batches(DAY, None)


def test_only_the_date_can_be_bound(database: Path, open_database: Open) -> None:
    with pytest.raises(ProfileError, match="binds :date, which nothing sets"):
        open_database(database, 'query = "SELECT * FROM films WHERE valid_from = :date"')


def test_an_unknown_database_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    profile = tmp_path / "p.toml"
    text = '[source]\nkind = "sql"\nurl = "mysqll://db/x"\ntable = "t"\nkey = "id"\n[columns]\ntitle = "t"'
    profile.write_text(text, "utf-8")
    with pytest.raises(ProfileError, match=r"knows no database 'mysqll'\. Did you mean 'mysql'"):
        open_source(load_profile(str(profile), settings=settings), settings=settings).batches(DAY, None)


def test_a_server_that_does_not_answer_is_unavailable_and_the_password_stays_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILMS_URL", "postgresql://me:hunter2@127.0.0.1:1/films")
    settings = Settings(home=tmp_path)
    profile = tmp_path / "p.toml"
    text = (
        '[source]\nkind = "sql"\nurl = { env = "FILMS_URL" }\ntable = "t"\nkey = "id"\n[columns]\ntitle = "t"'
    )
    profile.write_text(text, "utf-8")
    source = open_source(load_profile(str(profile), settings=settings), settings=settings)
    with pytest.raises(SourceUnavailable) as caught:
        source.batches(DAY, None)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(source.describe())


def test_what_a_reader_is_told_never_shows_secrets() -> None:
    target = Target(
        url="postgresql://me:p%40ss@h/d",
        user="me",
        password="p@ss",
        table="t",
        query=None,
        dt=None,
        folder=Path(),
        secrets=("p@ss",),
        shown="the database",
    )
    assert "p@ss" not in repr(target)
    assert "p%40ss" not in repr(target)
    assert target.scrub("bad p%40ss or p@ss") == "bad *** or ***"


@pytest.mark.parametrize(
    "text",
    [
        "':dt'",
        '":dt"',
        "`:dt`",
        "-- :dt\n",
        "/* :dt */",
        "$$ :dt $$",
        "$tag$ :dt $tag$",
        r"E'\' :dt'",
        "a::dt",
    ],
)
def test_a_date_in_strings_names_comments_and_casts_is_not_bound(text: str) -> None:
    assert bound_names(f"SELECT {text} FROM x") == set()
    assert with_placeholder(f"SELECT {text}, :dt", "?1") == f"SELECT {text}, ?1"


@given(st.text(st.sampled_from("':\"-/*$dt\n\\ e"), max_size=30))
def test_a_query_without_binds_is_left_as_it_is(query: str) -> None:
    if not bound_names(query):
        assert with_placeholder(query, "?1") == query
        assert for_sqlalchemy(query).replace("\\:", ":") == query
