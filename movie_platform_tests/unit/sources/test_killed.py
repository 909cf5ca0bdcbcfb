"""An extract that is killed half way leaves nothing that counts: run again, it says what it would have said at once."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundles.manifest import Manifest, SourceInfo
from movie_platform.bundles.read import read_manifest
from movie_platform.settings import Settings
from movie_platform.sources.load_types import load_type_of, parameters_of
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform_tests.paths import ROOT

FILMS = 60_000
CURSOR = "2026-11-18 00:00:00"
DAY = date(2026, 11, 19)
MOMENT = datetime(2026, 11, 19, 6, tzinfo=UTC)
PROGRAM = (
    "import sys; from movie_platform_tests.unit.sources import test_killed as t; t.extract(*sys.argv[1:])"
)


def extract(profile_file: str, folder: str, die_after: str = "0") -> Manifest:
    """Reads the source; kills this process, as a power cut would, once so many rows are written."""
    settings = Settings(home=Path(folder).parent)
    profile = load_profile(profile_file, settings=settings)
    source = open_source(profile, settings=settings)

    def progress(rows: int) -> None:
        if int(die_after) and rows >= int(die_after):
            os.kill(os.getpid(), signal.SIGKILL)

    return write_extract(
        source.batches(DAY, CURSOR),
        Path(folder),
        dt=DAY,
        source=SourceInfo(profile.name, profile.kind, parameters_of(source, CURSOR)),
        load_type=load_type_of(source, profile, CURSOR),
        extracted_at=MOMENT,
        columns=source.columns(),
        next_cursor=source.next_cursor,
        progress=progress,
    )


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "films.db")) as connection:
        connection.execute("CREATE TABLE films (id INTEGER, title TEXT, changed TEXT)")
        connection.executemany(
            "INSERT INTO films VALUES (?, ?, ?)",
            ((n, f"T{n * 7919}", f"2026-11-{17 + n % 3} 10:00:00") for n in range(FILMS)),
        )
        connection.commit()
    profile = tmp_path / "films.toml"
    profile.write_text(
        '[source]\nkind = "sql"\nurl = "sqlite:///films.db"\ntable = "films"\nkey = "id"\nincremental = true\n'
        'updated_at = "changed"\n[columns]\ntitle = "title"\n',
        "utf-8",
    )
    return profile


def test_an_extract_that_was_killed_half_way_gives_the_same_content_when_it_is_run_again(
    profile_file: Path, tmp_path: Path
) -> None:
    whole = extract(str(profile_file), str(tmp_path / "uninterrupted"))
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", PROGRAM, str(profile_file), str(killed), "20000"]
    assert subprocess.run(command, check=False, timeout=240, cwd=ROOT).returncode == -signal.SIGKILL
    assert not killed.exists()
    assert list(tmp_path.glob(".killed.*.partial"))
    again = extract(str(profile_file), str(killed))
    assert again == read_manifest(killed)
    assert (again.content_id, again.batch_id) == (whole.content_id, whole.batch_id)
    assert (again.row_count, again.load_type) == (FILMS * 2 // 3, "delta")
    assert again.source.cursor == "2026-11-19 10:00:00"
