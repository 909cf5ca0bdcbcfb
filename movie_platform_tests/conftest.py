"""What all tests share: an environment that is nobody's, and one local cloud a test session."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from movie_platform.local_cloud import supervisor
from movie_platform.settings import Settings
from movie_platform_tests.snowflake_cloud import set_options

# Tests of the exported DAGs need Airflow's own environment: `make test-airflow`.
collect_ignore = ["airflow"]

# How long one example takes says more of the machine than of the code.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# A developer's profile, endpoints or home must neither reach a test nor be reached by one.
_FOREIGN = ("AWS_", "MOVIE_PLATFORM_", "SNOWFLAKE_", "SPARK_", "TMDB_", "OMDB_", "DAGSTER_HOME")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest come first, so that at the end no worker waits for another: whole runs, then Spark, then
    what needs servers. Within a file nothing changes.
    """

    def rank(item: pytest.Item) -> int:
        if item.path.parent.name == "pipeline":
            return 0
        marks = {mark for mark in ("spark", "cloud") if item.get_closest_marker(mark)}
        return {2: 1, 1: 2, 0: 3}[len(marks)]

    ranks: dict[Path, int] = {}
    for item in items:
        ranks[item.path] = min(rank(item), ranks.get(item.path, 3))
    items.sort(key=lambda item: ranks[item.path])


PIECE_ROWS = 7
MOST_PIECES = 25


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Variables that would redirect the platform or its clients are unset while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory, clean_environment: None) -> Iterator[Settings]:
    """A running local cloud in a home of its own; its servers end with the session, whatever becomes of the tests."""
    home = tmp_path_factory.mktemp("cloud") / "home"
    try:
        # Every file of the samples then comes in several transactions, other files and the task graph in between.
        set_options(home, f"--pipe-piece-rows={PIECE_ROWS}", f"--pipe-most-pieces={MOST_PIECES}")
        supervisor.up(home)
        yield Settings(home=home)
    finally:
        supervisor.down(home)


@pytest.fixture(scope="session")
def provisioned_cloud(local_cloud: Settings) -> Settings:
    """The local cloud with everything deployed to it."""
    from movie_platform.provision import provision

    provision(local_cloud)
    return local_cloud
