"""OMDb against a fake of it: ids and titles, the daily budget, and what it says instead of a film."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from movie_platform.settings import Settings
from movie_platform.sources.rejections import NOT_AN_IMDB_ID, NOT_FOUND_AT_SOURCE, UNCERTAIN_MATCH
from movie_platform.sources.source_errors import (
    MalformedSource,
    ProfileError,
    SourceAuthenticationError,
    SourceNotFound,
    SourceQuotaExceeded,
    SourceUnavailable,
)
from movie_platform_tests.fakes.omdb import KEY, FakeOmdb, Film, films
from movie_platform_tests.fakes.server import Fault, malformed, status, truncated
from movie_platform_tests.integration.api_sources import (
    DAY,
    KEY_VARIABLE,
    extracted,
    killed_extract,
    opened,
    write_profile,
    written,
)
from movie_platform_tests.paths import ROOT


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def id_file(tmp_path: Path, count: int) -> str:
    (tmp_path / "ids.txt").write_text("".join(f"{film.imdb_id}\n" for film in films(count)), "utf-8")
    return "ids.txt"


def ids(first: int, last: int) -> list[str]:
    return [f"tt{number:07d}" for number in range(first, last + 1)]


def test_films_are_asked_for_by_the_ids_of_a_file(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "ids.txt").write_text("# mine\ntt0000001\r\n\ntt0000003\ntt0000001\nMatrix\n", "utf-8")
    with FakeOmdb(films(3)) as fake:
        found = extracted(write_profile(tmp_path, "omdb", fake.base_url, ids="ids.txt"), settings)
        asked = [request.parameters["i"] for request in fake.requests]
    assert found.ids == sorted(asked) == ["tt0000001", "tt0000003"]
    row = found.rows[0]
    assert (row["title"], row["rotten_tomatoes"]) == ("Film 1", "91%")
    extra = json.loads(row["extra"])
    assert (extra["lookup"], extra["match_confidence"]) == ("id", "1.00")
    assert extra["BoxOffice"] == "$172,076,928"
    assert "Response" not in extra
    assert found.codes == [NOT_AN_IMDB_ID]
    assert (found.rejected[0].line_number, found.rejected[0].raw_text) == (6, "Matrix")


def test_titles_of_a_table_are_asked_for_and_the_match_says_how_sure_it_is(
    tmp_path: Path, settings: Settings
) -> None:
    with closing(sqlite3.connect(tmp_path / "films.db")) as database:
        database.execute("CREATE TABLE films (id, imdb, name, year, kind)")
        database.executemany(
            "INSERT INTO films VALUES (?, ?, ?, ?, ?)",
            [
                (1, "tt0000002", "Whatever", None, None),
                (2, None, "Birdman", "2014", "movie"),
                (3, None, "Matrix", "1999", "movie"),
                (4, None, "Nobody Knows It", "2001", None),
                (5, None, None, None, None),
            ],
        )
        database.commit()
    (tmp_path / "table.toml").write_text(
        '[source]\nkind = "sql"\nurl = "sqlite:///films.db"\ntable = "films"\nkey = "id"\n'
        '[columns]\nimdb_id = "imdb"\ntitle = "name"\nyear = "year"\ntype = "kind"\n',
        "utf-8",
    )
    some = [
        Film("tt0000002", "By Id"),
        Film("tt0000005", "Birdman", "1967–1969"),
        Film("tt0133093", "Matrix", "2000"),
    ]
    with FakeOmdb(some) as fake:
        profile = write_profile(
            tmp_path, "omdb", fake.base_url, titles_from="table.toml", minimum_confidence=0.75
        )
        found = extracted(profile, settings)
    sure = {row["movie_id"]: json.loads(row["extra"])["match_confidence"] for row in found.rows}
    assert sure == {"tt0000002": "1.00", "tt0133093": "0.85"}
    codes = {row.code: row for row in found.rejected}
    assert set(codes) == {UNCERTAIN_MATCH, NOT_FOUND_AT_SOURCE, NOT_AN_IMDB_ID}
    assert "confidence 0.70" in codes[UNCERTAIN_MATCH].message
    assert json.loads(codes[UNCERTAIN_MATCH].raw_text) == {"t": "Birdman", "y": "2014", "type": "movie"}


def test_response_false_is_no_film_and_keeps_its_text(tmp_path: Path, settings: Settings) -> None:
    with FakeOmdb(films(2)) as fake:
        found = extracted(write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 3)), settings)
    assert found.ids == ids(1, 2)
    assert found.codes == [NOT_FOUND_AT_SOURCE]
    assert found.rejected[0].message == "OMDb: Incorrect IMDb ID."


def test_a_run_stops_at_its_budget_and_the_next_days_go_on_until_all_were_asked_for(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = None
    seen: list[list[str]] = []
    with FakeOmdb(films(25)) as fake:
        profile = write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 25), daily_budget=10)
        for day in range(4):
            monkeypatch.setattr(
                "movie_platform.sources.http.quota._today", lambda day=day: f"2026-11-{18 + day}"
            )
            found = extracted(profile, settings, cursor, dt=DAY + timedelta(days=day))
            seen.append(found.ids)
            cursor = found.cursor
            assert opened(profile, settings).load_type(cursor) == "delta"  # pyright: ignore[reportAttributeAccessIssue] - beside the protocol
        assert len(fake.requests) == 35
    assert seen == [ids(1, 10), ids(11, 20), ids(21, 25), ids(1, 10)]


def test_a_second_run_of_a_day_asks_the_same_costs_nothing_and_gives_the_same(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeOmdb(films(25)) as fake:
        profile = write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 25), daily_budget=10)
        first = extracted(profile, settings)
        second = extracted(profile, settings)
        assert len(fake.requests) == 10
        with pytest.raises(SourceQuotaExceeded, match="daily_budget"):
            extracted(profile, settings, first.cursor, dt=DAY + timedelta(days=1))
        assert len(fake.requests) == 10
    assert first == second


def test_requests_that_are_sent_again_count_in_the_budget(tmp_path: Path, settings: Settings) -> None:
    with FakeOmdb(films(25)) as fake:
        fake.faults = [Fault(status(503), parameters={"i": "tt0000002"}, times=2)]
        profile = write_profile(
            tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 25), daily_budget=10, concurrency=1
        )
        found = extracted(profile, settings)
        assert len(fake.requests) == 10
    assert len(found.rows) < 10
    assert found.ids == ids(1, len(found.rows))
    assert json.loads(json.loads(found.cursor or "")["after"]) == [found.ids[-1]]


def test_a_quota_that_others_have_used_ends_the_day_with_what_was_fetched(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeOmdb(films(25), quota=7) as fake:
        profile = write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 25))
        found = extracted(profile, settings)
        refused = fake.refused
        again = extracted(profile, settings)
        assert fake.refused == refused
    assert found.ids == ids(1, 7)
    assert again == found
    assert json.loads(json.loads(found.cursor or "")["after"]) == ["tt0000007"]


def test_a_quota_that_is_used_up_from_the_start_is_an_error(tmp_path: Path, settings: Settings) -> None:
    with FakeOmdb(films(5), quota=0) as fake:
        with pytest.raises(SourceQuotaExceeded, match="Request limit reached"):
            extracted(write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 5)), settings)
        assert fake.refused >= 1


def test_a_key_that_is_revoked_in_the_middle_fails_the_run_and_costs_nothing_twice(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeOmdb(films(30)) as fake:
        profile = write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 30))
        fake.revoked_after = 12
        with pytest.raises(SourceAuthenticationError, match="Invalid API key"):
            extracted(profile, settings)
        fake.revoked_after = None
        authorized = sum(request.authorized for request in fake.requests)
        before = len(fake.requests)
        found = extracted(profile, settings)
        assert len(fake.requests) - before == 30 - authorized
    assert found.ids == ids(1, 30)


def test_a_wrong_key_with_status_200_is_no_missing_film(tmp_path: Path, settings: Settings) -> None:
    with FakeOmdb(films(3)) as fake:
        fake.refuse = lambda: (
            type(fake).refuse(fake).__class__(200, '{"Response": "False", "Error": "Invalid API key!"}')
        )
        fake.revoked_after = 0
        with pytest.raises(SourceAuthenticationError, match="api_key"):
            extracted(write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 3)), settings)


@pytest.mark.parametrize("reply", [status(429, Retry_After="0"), status(522), truncated, malformed])
def test_what_heals_costs_a_second_request_and_no_film(
    tmp_path: Path, settings: Settings, reply: object
) -> None:
    with FakeOmdb(films(5)) as fake:
        fake.faults = [Fault(reply, parameters={"i": "tt0000003"})]  # pyright: ignore[reportArgumentType] - as Fault takes it
        found = extracted(write_profile(tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 5)), settings)
        assert len(fake.requests) == 6
    assert found.ids == ids(1, 5)


def test_a_host_that_does_not_answer_is_unavailable(tmp_path: Path, settings: Settings) -> None:
    with FakeOmdb() as fake:
        base_url = fake.base_url
    with pytest.raises(SourceUnavailable, match="ConnectError"):
        extracted(write_profile(tmp_path, "omdb", base_url, ids=id_file(tmp_path, 1)), settings)


def test_a_list_that_is_not_there_or_none_is_said_before_anything_is_asked(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeOmdb() as fake:
        with pytest.raises(SourceNotFound, match=r"idss\.txt"):
            opened(write_profile(tmp_path, "omdb", fake.base_url, ids="idss.txt"), settings).batches(
                DAY, None
            )
        (tmp_path / "ids.txt").write_text("no id\n" * 10_001, "utf-8")
        with pytest.raises(MalformedSource, match="not the list"):
            opened(write_profile(tmp_path, "omdb", fake.base_url, ids="ids.txt"), settings).batches(DAY, None)
        profile = write_profile(tmp_path, "omdb", fake.base_url, titles_from="omdb-films.toml")
        with pytest.raises(ProfileError, match="an API itself"):
            opened(profile, settings).batches(DAY, None)
        assert fake.requests == []


def test_an_extract_that_is_killed_and_run_again_pays_for_nothing_twice_and_gives_the_same(
    tmp_path: Path, settings: Settings
) -> None:
    with FakeOmdb(films(200)) as fake:
        profile = write_profile(
            tmp_path, "omdb", fake.base_url, ids=id_file(tmp_path, 200), requests_per_second=100
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        killed_extract(profile, settings, tmp_path / "extract", lambda: len(fake.requests) >= 80, environment)
        before = {request.parameters["i"] for request in fake.requests}
        sent = len(fake.requests)
        resumed = written(profile, settings, tmp_path / "extract")
        later = [request.parameters["i"] for request in fake.requests[sent:]]
        whole = written(profile, Settings(home=tmp_path / "other"), tmp_path / "whole")
    assert resumed.content_id == whole.content_id
    assert resumed.row_count == 200
    # Four requests are under way at most when the process dies.
    assert len(before.intersection(later)) <= 4
    assert len(later) >= 100
