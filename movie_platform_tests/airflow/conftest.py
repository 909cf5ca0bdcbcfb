"""Airflow with the committed DAGs, and one local cloud for all whole runs.

These tests run in an environment of their own, without movie_platform: the platform is only called as a command.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import HOME, Cloud


def pytest_sessionfinish() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def metadata_database() -> None:
    """Airflow's own database, in SQLite."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A provisioned local cloud; its servers end with the session, whatever becomes of the tests."""
    found = Cloud(Path(tempfile.mkdtemp(prefix="movie-platform-cloud-")) / "home")
    try:
        found.command("cloud", "up")
        found.command("provision")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in found.airflow_environment().items():
                patch.setenv(name, value)
            yield found
    finally:
        found.command("cloud", "down", check=False)
        shutil.rmtree(found.home.parent, ignore_errors=True)
