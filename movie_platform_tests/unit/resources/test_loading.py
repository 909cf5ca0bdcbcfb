"""What the load history proves about the files that should be in a table."""

from datetime import UTC, datetime, timedelta

import pytest

from movie_platform.checks.warehouse import compare
from movie_platform.resources.loading import HistoryEntry, assess, can_be_refreshed
from movie_platform.resources.transform import ArchiveFile

A = "movies/source=demo/dt=2026-11-18/version=v/movies-v-00000.parquet"
B = "movies/source=demo/dt=2026-11-18/version=v/movies-v-00001.parquet"


def test_rows_in_the_table_prove_a_load_that_the_history_has_forgotten():
    evidence = assess({A: 3}, [], {A: 3})
    assert evidence.loaded == {A: 3}
    assert evidence.complete


def test_a_file_of_which_some_rows_are_there_is_not_loaded_whatever_the_history_says():
    """Snowpipe may load a file in several transactions."""
    assert assess({A: 3}, [], {A: 2}).missing == (A,)
    assert assess({A: 3}, [HistoryEntry(A, "Loaded", 2, None)], {A: 2}).missing == (A,)


@pytest.mark.parametrize("shown", [A, A.removeprefix("movies/"), A.rsplit("/", 1)[-1], f"s3://archive/{A}"])
def test_a_file_is_recognised_however_much_of_its_path_the_history_shows(shown: str):
    assert assess({A: 3}, [HistoryEntry(shown, "Load failed", 0, "x")], {}).failed == {A: "x"}


def test_an_empty_file_is_loaded_by_the_history_alone():
    assert assess({A: 0}, [HistoryEntry(A, "Loaded", 0, None)], {}).complete
    assert not assess({A: 0}, [], {}).complete


@pytest.mark.parametrize("status", ["Load failed", "Partially loaded"])
def test_a_failed_file_is_reported_with_its_own_error(status: str):
    evidence = assess({A: 3, B: 1}, [HistoryEntry(A, status, 0, "bad decimal")], {B: 1})
    assert evidence.failed == {A: "bad decimal"}
    assert not evidence.complete


def test_a_file_that_failed_and_was_loaded_later_is_loaded():
    history = [HistoryEntry(A, "Load failed", 0, "x"), HistoryEntry(A, "Loaded", 2, None)]
    assert assess({A: 2}, history, {}).failed == {}
    evidence = assess({A: 2}, history, {A: 2})
    assert evidence.failed == {}
    assert evidence.loaded == {A: 2}


def test_a_file_that_nothing_is_known_of_is_missing():
    assert assess({A: 1, B: 1}, [HistoryEntry(A, "Load in progress", 0, None)], {}).missing == (A, B)


def test_a_pipe_is_refreshed_for_files_of_the_last_seven_days_only():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert can_be_refreshed(now - timedelta(days=6, hours=23), now)
    assert not can_be_refreshed(now - timedelta(days=7), now)


@pytest.mark.parametrize(
    ("loaded", "passed"), [({A: 3}, True), ({A: 2}, False), ({A: 4}, False), ({}, False)]
)
def test_a_file_must_be_in_the_table_with_all_its_rows_and_no_others(loaded: dict[str, int], passed: bool):
    assert compare((ArchiveFile(A, 3, 10),), loaded).passed is passed
