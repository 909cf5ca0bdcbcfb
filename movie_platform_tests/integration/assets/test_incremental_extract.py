"""A database that is read incrementally, up to landing: full once, then what changed; a rerun asks the same again."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from movie_platform.automation.jobs import EXTRACT_DAY
from movie_platform.build import build_defs, build_resources
from movie_platform.bundles.manifest import Manifest
from movie_platform.graph import asset_keys
from movie_platform.resources.landing_bucket import LandingZone
from movie_platform.runs.execute import execute_job
from movie_platform.runs.instance import open_instance
from movie_platform.settings import Settings
from movie_platform.sources.load_types import PREVIOUS_CURSOR

FIRST, SECOND = date(2026, 11, 19), date(2026, 11, 20)
SOURCE = "read-by-changes"

pytestmark = pytest.mark.cloud


class Days:
    """The job that extracts and lands a day of the source, and what has landed."""

    def __init__(self, settings: Settings, profile: Path) -> None:
        self._settings = settings
        self._profile = profile
        self._job = build_defs(settings).resolve_job_def(EXTRACT_DAY)
        self._landing: LandingZone = build_resources(settings)["landing"]

    def extract(self, dt: date) -> dict[str, Any]:
        """Metadata of the day's extract; raises AssertionError where the run failed."""
        config = {"profile": str(self._profile), "label_present": True}
        run_config = {"ops": {asset_keys.RAW_EXTRACT.to_python_identifier(): {"config": config}}}
        with open_instance(self._settings.home) as instance:
            run = execute_job(
                self._job, instance, partition_key=dt.isoformat(), run_config=run_config, tags={}
            )
            assert run.status == dg.DagsterRunStatus.SUCCESS
            event = instance.get_latest_materialization_event(asset_keys.RAW_EXTRACT)
        assert event is not None
        assert event.asset_materialization is not None
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}

    def landed(self, dt: date) -> Manifest | None:
        """The manifest of the day's bundle."""
        winner = self._landing.winner(SOURCE, dt)
        return None if winner is None else self._landing.manifest(winner)

    def bundles(self, dt: date) -> int:
        """How many bundles landed for the day."""
        return len(list(self._landing.bundles(SOURCE, dt)))


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_each_day_begins_where_the_one_before_ended_and_a_failed_run_moves_nothing(
    provisioned_cloud: Settings, tmp_path: Path
) -> None:
    database, away = tmp_path / "films.db", tmp_path / "away.db"
    change(
        database,
        "CREATE TABLE films (id INTEGER, title TEXT, changed TEXT)",
        "INSERT INTO films VALUES (1, 'One', '2026-11-18 10:00:00'), (2, 'Two', '2026-11-18 11:00:00')",
    )
    profile = tmp_path / f"{SOURCE}.toml"
    profile.write_text(
        '[source]\nkind = "sql"\nurl = "sqlite:///films.db"\ntable = "films"\nkey = "id"\nincremental = true\n'
        'updated_at = "changed"\n[columns]\ntitle = "title"\n',
        "utf-8",
    )
    days = Days(provisioned_cloud, profile)

    metadata = days.extract(FIRST)
    assert metadata["movie_platform/load_type"] == "full"
    assert "movie_platform/cursor_from" not in metadata
    full = days.landed(FIRST)
    assert full is not None
    assert (full.load_type, full.row_count, full.source.cursor) == ("full", 2, "2026-11-18 11:00:00")
    assert PREVIOUS_CURSOR not in full.source.parameters

    change(
        database,
        "UPDATE films SET title = 'One!', changed = '2026-11-19 08:00:00' WHERE id = 1",
        "INSERT INTO films VALUES (3, 'Three', '2026-11-18 11:00:00'), (4, 'Four', NULL)",
    )
    database.rename(away)
    with pytest.raises(AssertionError):
        days.extract(SECOND)
    assert days.landed(SECOND) is None
    away.rename(database)

    metadata = days.extract(SECOND)
    assert metadata["movie_platform/load_type"] == "delta"
    assert metadata["movie_platform/cursor_from"] == "2026-11-18 11:00:00"
    assert metadata["movie_platform/cursor_to"] == "2026-11-19 08:00:00"
    delta = days.landed(SECOND)
    assert delta is not None
    # The films with the watermark's own time are read once more: one of them is new.
    assert (delta.load_type, delta.row_count) == ("delta", 4)
    assert delta.source.parameters[PREVIOUS_CURSOR] == full.source.cursor

    again = days.extract(SECOND)
    assert again["movie_platform/cursor_from"] == "2026-11-18 11:00:00"
    assert again["movie_platform/content_id"] == delta.content_id
    assert days.bundles(SECOND) == 1
    assert days.landed(SECOND) == delta
