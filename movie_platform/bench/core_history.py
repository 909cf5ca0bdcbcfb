# ruff: noqa: S608 - names of the contracts and whole numbers
"""How long the task graph takes for one more day, with one, ten or fifty days before it.

The rows of RAW are made by SQL in the warehouse itself: what is measured begins where the pipes end. Of the films one
in a hundred changes each day, a different one each time; each film has a genre, two people and a rating.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psutil

from movie_platform.bench.home import running_cloud, temporary_folder
from movie_platform.bench.report import ShowTable
from movie_platform.errors import PlatformError
from movie_platform.resources.graph_state import ROOT_TASK, TASKS
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_for

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

CHANGED_IN = 100
FIRST_DAY = date(2026, 1, 1)
_SECONDS = 3600
_METADATA = "'bench-' || '{dt}', ROW_NUMBER() OVER (ORDER BY movie_id), CURRENT_TIMESTAMP() AS loaded_at"
# A film's number of changes up to a day: its turn comes once in CHANGED_IN days.
_FILMS = """
    SELECT number, movie_id, FLOOR(({day} + {changed_in} - MOD(number, {changed_in})) / {changed_in}) AS edition
    FROM (
        SELECT number, 'film-' || number AS movie_id
        FROM (SELECT ROW_NUMBER() OVER (ORDER BY NULL) - 1 AS number FROM TABLE(GENERATOR(ROWCOUNT => {films})))
    )
"""
_VERSION = "'bench', TO_DATE('{dt}', 'YYYY-MM-DD'), '{batch_id}', 'transform'"
_KEYS = "source, dt, batch_id, transform_id"
_ROWS: dict[str, tuple[str, str, str]] = {
    "movies": (
        "movie_id, title, year, primary_genre, average_rating, row_hash, tracked_hash",
        (
            "movie_id, 'Film ' || number || ' edition ' || edition, 1900 + MOD(number, 126),"
            " 'Genre ' || MOD(number, 20), MOD(number, 100),"
            " SHA2(movie_id || '{dt}', 256), SHA2(movie_id || '/' || edition, 256)"
        ),
        "",
    ),
    "movie_ratings": (
        "movie_id, provider, rating, votes, row_hash",
        "movie_id, 'imdb', MOD(number, 100), number + {day}, 'row'",
        "",
    ),
    "movie_genres": (
        "movie_id, genre, position, row_hash",
        "movie_id, 'Genre ' || MOD(number, 20), 1, 'row'",
        "",
    ),
    "movie_people": (
        "movie_id, role, person, position, row_hash",
        "movie_id, role, 'Person ' || MOD(number * factor, 50021), 1, 'row'",
        " CROSS JOIN (SELECT 'director' AS role, 7 AS factor UNION ALL SELECT 'cast' AS role, 11 AS factor)",
    ),
}


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day: how many days CORE held before it, films that changed, seconds, processor seconds of the server."""

    days_before: int
    changed: int
    seconds: float
    cpu_seconds: float
    seconds_by_task: dict[str, float]


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """What one more day took after each number of days that was asked for, with so many films."""

    films: int
    days: Sequence[DayFigures]

    def as_json(self) -> dict[str, Any]:
        """The figures of each day, seconds of each task included, as JSON values."""
        return {
            "films": self.films,
            "days": [
                {
                    "days_before": day.days_before,
                    "films_changed": day.changed,
                    "seconds": round(day.seconds, 3),
                    "cpu_seconds": round(day.cpu_seconds, 3),
                    "seconds_by_task": {name: round(took, 3) for name, took in day.seconds_by_task.items()},
                }
                for day in self.days
            ],
        }

    def show(self, show_table: ShowTable) -> None:
        """The figures as a table with a line for each day."""
        show_table(
            f"One more day of {self.films:,} films",
            ("days before", "films changed", "seconds", "CPU s", *(name.lower() for name in TASKS)),
            [
                (
                    str(day.days_before),
                    f"{day.changed:,}",
                    f"{day.seconds:.1f}",
                    f"{day.cpu_seconds:.1f}",
                    *(f"{day.seconds_by_task.get(name, 0):.1f}" for name in TASKS),
                )
                for day in self.days
            ],
        )


def measure_history(
    films: int, days_before: Sequence[int], *, progress: Callable[[str], None]
) -> HistoryReport:
    """Applies day after day in a local cloud of its own and reports those that have so many days before them.

    Raises PlatformError where a task fails or a day takes more than an hour.
    """
    wanted = sorted(set(days_before))
    figures = []
    with temporary_folder() as folder, running_cloud(folder / "home", progress=progress) as cloud:
        server = psutil.Process(cloud.pids["snowflake"])
        with connect(cloud.settings, login="administrator", query_tag="movie-platform bench") as connection:
            _execute(connection, f"ALTER TASK CORE.{ROOT_TASK} SUSPEND")
            for day in range(wanted[-1] + 1):
                _load(connection, films, day)
                cpu = sum(server.cpu_times()[:2])
                took = _apply(connection)
                used = sum(server.cpu_times()[:2]) - cpu
                progress(f"Day {day + 1} of {wanted[-1] + 1}: {sum(took.values()):.1f} s")
                if day in wanted:
                    changed = len(range(day % CHANGED_IN, films, CHANGED_IN))
                    figures.append(DayFigures(day, changed, sum(took.values()), used, took))
    return HistoryReport(films, figures)


def _load(connection: "SnowflakeConnection", films: int, day: int) -> None:
    dt = FIRST_DAY + timedelta(days=day)
    values = {"dt": dt, "batch_id": f"{dt:%Y%m%d}T000000Z-bench", "day": day, "films": films}
    source = _FILMS.format(**values, changed_in=CHANGED_IN)
    version = _VERSION.format(**values)
    for table, (columns, expressions, more) in _ROWS.items():
        _execute(
            connection,
            f"INSERT INTO RAW.{table} ({_KEYS}, {columns}, file_name, file_row, loaded_at)"
            f" SELECT {version}, {expressions.format(**values)}, {_METADATA.format(**values)} FROM ({source}){more}",
        )
    counts = {"movies": films, "movie_ratings": films, "movie_genres": films, "movie_people": 2 * films}
    counted = ", ".join(f"{name}_rows, {name}_files" for name in (*counts, "quarantined_rows"))
    numbers = ", ".join(
        f"{counts.get(name, 0)}, {int(name in counts)}" for name in (*counts, "quarantined_rows")
    )
    moment = f"TO_TIMESTAMP_NTZ('{dt}', 'YYYY-MM-DD')"
    _execute(
        connection,
        f"INSERT INTO RAW.batches ({_KEYS}, announcement, transformed_at, load_type, extracted_at, content_id, rows_in,"
        f" exact_duplicates, keyless_quarantined_rows, {counted}, file_name, file_row, loaded_at)"
        f" SELECT {version}, 0, {moment}, 'full', {moment}, 'bench', {films}, 0, 0, {numbers},"
        f" 'bench-{dt}', 1, CURRENT_TIMESTAMP() AS loaded_at",
    )


def _apply(connection: "SnowflakeConnection") -> dict[str, float]:
    """Executes the graph and waits for its end; seconds of each task."""
    [(before,)] = (
        row.values()
        for row in query_rows(
            connection,
            "SELECT COUNT(*) AS runs FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10000))",
        )
    )
    _execute(connection, f"EXECUTE TASK CORE.{ROOT_TASK}")

    def seconds_of_tasks() -> dict[str, float] | None:
        runs = list(
            query_rows(
                connection,
                "SELECT name, state, error_message,"
                " DATEDIFF(MILLISECOND, query_start_time, completed_time) / 1000 AS seconds"
                " FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 10000))"
                " ORDER BY query_start_time DESC",
            )
        )
        new = runs[: len(runs) - int(before)]
        failed = next((run for run in new if run["state"] in ("FAILED", "CANCELLED")), None)
        if failed is not None:
            raise PlatformError("task_failed", f"task CORE.{failed['name']}: {failed['error_message']}", "")
        if len(new) == len(TASKS) and all(run["state"] == "SUCCEEDED" for run in new):
            return {str(run["name"]): float(run["seconds"]) for run in new}
        return None

    try:
        return wait_for(
            seconds_of_tasks, "the task graph", deadline=Deadline(_SECONDS), pauses=Pauses.steady(0.2)
        )
    except WaitTimeoutError as late:
        raise PlatformError(
            "bench_timeout", f"the task graph took more than {_SECONDS} s", "Try fewer --rows."
        ) from late


def _execute(connection: "SnowflakeConnection", statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
