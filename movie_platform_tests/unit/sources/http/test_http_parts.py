"""What API sources share, part by part: no request is sent here."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from movie_platform.sources.http.cache import AnswerCache, StoredAnswer
from movie_platform.sources.http.client import usable_secret
from movie_platform.sources.http.parallel import ordered_map
from movie_platform.sources.http.parameters import checked_base_url
from movie_platform.sources.http.quota import DailyQuota, QuotaExhausted
from movie_platform.sources.http.retries import Backoff, may_heal, retry_after
from movie_platform.sources.json_records import decode_object
from movie_platform.sources.progress import Progress, listening, report
from movie_platform.sources.source_errors import SourceAuthenticationError

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Wed, 18 Nov 2026 12:00:30", 30.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_nothing_else(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_header_breaks_the_client(header: str) -> None:
    found = retry_after(header, NOW)
    assert found is None or found >= 0


@given(st.integers(min_value=0, max_value=10**6))
def test_a_date_asks_for_as_many_seconds_as_it_lies_ahead(seconds: int) -> None:
    assert retry_after(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW) == seconds


@given(st.integers(min_value=1, max_value=2000), st.floats(min_value=0.01, max_value=5))
def test_pauses_grow_and_stay_bounded(attempt: int, first: float) -> None:
    backoff = Backoff(first, longest=10)
    ceiling = min(10, first * 2.0 ** min(attempt - 1, 30))
    assert ceiling / 2 <= backoff.pause(attempt, None) <= ceiling
    assert 60 <= backoff.pause(attempt, 60.0) <= 60 + first


@pytest.mark.parametrize(
    ("status", "heals"), [(429, True), (500, True), (503, True), (400, False), (401, False), (404, False)]
)
def test_only_what_may_heal_is_asked_again(status: int, heals: bool) -> None:
    assert may_heal(status) is heals


@pytest.mark.parametrize(
    ("address", "checked"),
    [
        ("https://api.themoviedb.org/3/", "https://api.themoviedb.org/3"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost/api", "http://localhost/api"),
    ],
)
def test_addresses_are_https_or_on_this_machine(address: str, checked: str) -> None:
    assert checked_base_url(address) == checked


@pytest.mark.parametrize(
    "address",
    [
        "http://api.themoviedb.org/3",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "api.themoviedb.org",
        "https://me:hunter2@host",
        "https://host/?apikey=hunter2",
        "https://host/#x",
        "https://",
    ],
)
def test_addresses_that_would_give_a_credential_away_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        checked_base_url(address)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("secret", ["", "  ", "two words", "line\nbreak", "nül"])
def test_secrets_that_no_request_can_carry_are_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SourceAuthenticationError, match="api_key") as caught:
        usable_secret(SecretStr(secret), "api_key")
    assert not secret.strip() or secret not in str(caught.value)


def test_the_line_end_of_a_file_is_no_part_of_a_secret() -> None:
    assert usable_secret(SecretStr("k3y\n"), "api_key").get_secret_value() == "k3y"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[AnswerCache]:
    opened = AnswerCache(tmp_path / "c.sqlite", dt=DAY, hours=1, gigabytes=1)
    yield opened
    opened.close()


def test_an_answer_is_kept_for_its_request_date_and_reading(cache: AnswerCache, tmp_path: Path) -> None:
    answer = StoredAnswer(404, '{"title": "Amélie"}')
    cache.put("https://api/x", {"a": "1", "b": "2"}, 0, answer)
    assert cache.get("https://api/x", {"b": "2", "a": "1"}, 0) == answer
    assert cache.holds("https://api/x", {"a": "1", "b": "2"}, 0)
    assert cache.get("https://api/x", {"a": "1"}, 0) is None
    assert cache.get("https://api/y", {"a": "1", "b": "2"}, 0) is None
    assert cache.get("https://api/x", {"a": "1", "b": "2"}, 1) is None
    other_day = AnswerCache(tmp_path / "c.sqlite", dt=date(2026, 11, 19), hours=1, gigabytes=1)
    assert other_day.get("https://api/x", {"a": "1", "b": "2"}, 0) is None
    other_day.close()
    again = AnswerCache(tmp_path / "c.sqlite", dt=DAY, hours=1, gigabytes=1)
    assert again.get("https://api/x", {"a": "1", "b": "2"}, 0) == answer
    again.close()


def test_an_answer_is_forgotten_after_its_hours(tmp_path: Path) -> None:
    opened = AnswerCache(tmp_path / "c.sqlite", dt=DAY, hours=1e-9, gigabytes=1)
    opened.put("https://api/x", {}, 0, StoredAnswer(200, "{}"))
    assert opened.get("https://api/x", {}, 0) is None
    opened.close()


def test_nothing_is_kept_for_no_hours(tmp_path: Path) -> None:
    opened = AnswerCache(tmp_path / "c.sqlite", dt=DAY, hours=0, gigabytes=1)
    opened.put("https://api/x", {}, 0, StoredAnswer(200, "{}"))
    assert opened.get("https://api/x", {}, 0) is None
    assert not (tmp_path / "c.sqlite").exists()


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"not a database, but longer than the header of one" * 100)
    opened = AnswerCache(path, dt=DAY, hours=1, gigabytes=1)
    opened.put("https://api/x", {}, 0, StoredAnswer(200, "{}"))
    assert opened.get("https://api/x", {}, 0) == StoredAnswer(200, "{}")
    opened.close()


def test_a_cache_that_cannot_be_written_says_so_once_and_fails_no_extract(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "folder").write_bytes(b"no folder")
    opened = AnswerCache(tmp_path / "folder" / "c.sqlite", dt=DAY, hours=1, gigabytes=1)
    for _ in range(3):
        opened.put("https://api/x", {}, 0, StoredAnswer(200, "{}"))
        assert opened.get("https://api/x", {}, 0) is None
        assert not opened.holds("https://api/x", {}, 0)
    opened.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(tmp_path / "folder" / "c.sqlite") in caplog.text


def test_a_quota_is_shared_counted_before_and_never_exceeded(tmp_path: Path) -> None:
    path = tmp_path / "budgets.sqlite"
    outcomes: list[bool] = []

    def consume() -> None:
        quota = DailyQuota(path, "api env:KEY", 5)
        for _ in range(4):
            try:
                quota.consume()
            except QuotaExhausted:
                outcomes.append(False)
            else:
                outcomes.append(True)

    threads = [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True] * 5
    assert DailyQuota(path, "api env:KEY", 5).used() == 5
    DailyQuota(path, "api env:OTHER", 5).consume()


def test_a_day_that_the_api_closed_allows_nothing_more(tmp_path: Path) -> None:
    quota = DailyQuota(tmp_path / "budgets.sqlite", "a", 100)
    quota.consume()
    quota.close_day()
    with pytest.raises(QuotaExhausted, match="next run goes on"):
        quota.consume()


def test_results_keep_the_order_of_the_items_and_items_are_taken_as_needed() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(10**9):
            taken = number
            yield number

    results = ordered_map(lambda number: number * 2, items(), workers=3, abandon=lambda: None)
    assert [next(results) for _ in range(50)] == list(range(0, 100, 2))
    results.close()
    assert taken < 100


def test_an_error_comes_in_its_place_and_ends_what_waits() -> None:
    abandoned = threading.Event()

    def work(number: int) -> int:
        if number == 2:
            raise LookupError("two")
        if number > 2:
            abandoned.wait()
        return number

    results = ordered_map(work, range(10), workers=4, abandon=abandoned.set)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(LookupError, match="two"):
        next(results)
    assert abandoned.is_set()


def test_only_objects_of_proper_text_are_answers() -> None:
    assert decode_object('{"a": 7.10, "b": "\\ud83d\\ude00"}') == {"a": "7.10", "b": "😀"}
    for text in ("[1]", "null", "{", '{"a": "\\ud83d"}', "", "{} {}", "[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            decode_object(text)


def test_reports_reach_those_who_listen_and_nobody_else() -> None:
    heard: list[Progress] = []
    with listening(heard.append):
        report(Progress("films", 1, 10))
    report(Progress("films", 2, 10))
    assert heard == [Progress("films", 1, 10)]
