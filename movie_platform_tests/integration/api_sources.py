"""What the tests of API sources share: profiles that point at a fake, and what comes out of them."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from movie_platform.bundle_writing.write import write_extract
from movie_platform.bundles.manifest import Manifest, SourceInfo
from movie_platform.raw_rows import RejectedRow
from movie_platform.settings import Settings
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.protocol import Source
from movie_platform_tests.fakes import omdb, tmdb

DAY = date(2026, 11, 18)
TOKEN_VARIABLE, KEY_VARIABLE = "FAKE_TMDB_TOKEN", "FAKE_OMDB_KEY"
_TMDB = """
[source]
kind = "tmdb"
base_url = "{base_url}"
access_token = {{ env = "{variable}" }}
key = ["id"]
{keys}

[columns]
imdb_id = "imdb_id"
title = "title"
release_date = "release_date"
genres = "genres"
directors = "directors"
writers = "writers"
cast = "cast"
certification = "certification"
budget = "budget"
"""
_OMDB = """
[source]
kind = "omdb"
base_url = "{base_url}"
api_key = {{ env = "{variable}" }}
key = ["imdbID"]
{keys}

[columns]
imdb_id = "imdbID"
title = "Title"
year = "Year"
rotten_tomatoes = "RottenTomatoes"
"""
QUICK = {"requests_per_second": 1000, "backoff_seconds": 0.01, "attempts": 3}


@dataclass(slots=True)
class Extracted:
    """Everything that a source gave."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rejected: list[RejectedRow] = field(default_factory=list[RejectedRow])
    cursor: str | None = None

    @property
    def ids(self) -> list[str]:
        return sorted(row["movie_id"] for row in self.rows)

    @property
    def codes(self) -> list[str]:
        return [row.code for row in self.rejected]


def write_profile(folder: Path, kind: str, base_url: str, **keys: Any) -> Path:
    """A profile file; `keys` come after `QUICK`."""
    given = {**QUICK, **({"daily_budget": 1000} if kind == "omdb" else {}), **keys}
    lines = "\n".join(f"{name} = {_toml(value)}" for name, value in given.items())
    text = _TMDB if kind == "tmdb" else _OMDB
    variable = TOKEN_VARIABLE if kind == "tmdb" else KEY_VARIABLE
    path = folder / f"{kind}-films.toml"
    path.write_text(text.format(base_url=base_url, keys=lines, variable=variable), "utf-8")
    return path


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def opened(profile: Path, settings: Settings) -> Source:
    return open_source(load_profile(str(profile), settings=settings), settings=settings)


def extracted(
    profile: Path,
    settings: Settings,
    cursor: str | None = None,
    *,
    dt: date = DAY,
    after_rows: Callable[[int], object] = lambda _rows: None,
) -> Extracted:
    """All that the source of a profile gives for a date."""
    source = opened(profile, settings)
    found = Extracted()
    for batch in source.batches(dt, cursor):
        found.rows += batch.rows.to_pylist()
        found.rejected += batch.rejected
        after_rows(len(found.rows))
    found.cursor = source.next_cursor()
    return found


def written(profile: Path, settings: Settings, folder: Path) -> Manifest:
    """The extract of a profile's source, written down as the platform does."""
    described = load_profile(str(profile), settings=settings)
    source = open_source(described, settings=settings)
    return write_extract(
        source.batches(DAY, None),
        folder,
        dt=DAY,
        source=SourceInfo(described.name, described.kind, source.describe()),
        load_type=described.load_type,
        extracted_at=datetime.now(UTC),
        columns=source.columns(),
        next_cursor=source.next_cursor,
    )


_CHILD = """
import sys
from pathlib import Path
from movie_platform.settings import Settings
from movie_platform_tests.integration.api_sources import written
written(Path(sys.argv[1]), Settings(home=Path(sys.argv[2])), Path(sys.argv[3]))
"""


def killed_extract(
    profile: Path, settings: Settings, folder: Path, half_way: Callable[[], bool], environment: dict[str, str]
) -> None:
    """An extract in a process of its own that is killed, as by the machine, once `half_way` is true."""
    arguments = [sys.executable, "-c", _CHILD, str(profile), str(settings.home), str(folder)]
    process = subprocess.Popen(arguments, env=environment)
    try:
        while not half_way():
            if process.poll() is not None:
                raise AssertionError(f"the extract ended by itself: {process.returncode}")
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()


SECRETS = (tmdb.TOKEN, omdb.KEY)
