"""The benchmark of IMDb's files: generated files are as announced, and all ways of reading them give every title."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from movie_platform.bench.imdb import join_bare, join_narrow, profile_text, read_with_source
from movie_platform.bench.imdb_files import ImdbFiles, identifier, write_imdb_files
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, parse_profile

TITLES = 400


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ImdbFiles:
    return write_imdb_files(tmp_path_factory.mktemp("imdb"), TITLES)


def test_identifiers_have_seven_digits_or_more() -> None:
    assert identifier("tt", np.array([1, 9_999_999, 12_000_000])).to_pylist() == [
        "tt0000001",
        "tt9999999",
        "tt12000000",
    ]


def test_the_same_files_are_generated_each_time(files: ImdbFiles, tmp_path: Path) -> None:
    again = write_imdb_files(tmp_path, TITLES, compressed=False)
    for name in ("basics", "ratings", "crew", "names"):
        assert getattr(again, name).read_bytes() == gzip.decompress(getattr(files, name).read_bytes())
    assert again.bytes > files.bytes


def test_generated_titles_hold_nulls_and_quotes_that_nobody_closes(files: ImdbFiles) -> None:
    header, *lines = gzip.decompress(files.basics.read_bytes()).decode().splitlines()
    rows = [line.split("\t") for line in lines]
    assert len(rows) == TITLES
    assert {len(row) for row in rows} == {len(header.split("\t"))}
    assert any(row[2].count('"') == 1 for row in rows)
    assert any(row[5] == r"\N" for row in rows)


def test_every_way_of_reading_gives_every_title(files: ImdbFiles, tmp_path: Path) -> None:
    assert [way(files, tmp_path) for way in (read_with_source, join_bare, join_narrow)] == [TITLES] * 3


def test_the_measured_profile_asks_for_the_columns_of_the_built_in_one(
    files: ImdbFiles, tmp_path: Path
) -> None:
    measured = parse_profile(profile_text(files), default_name="imdb", folder=tmp_path, where="test")
    built_in = load_profile("imdb", settings=Settings(home=tmp_path))
    assert measured.columns == built_in.columns
