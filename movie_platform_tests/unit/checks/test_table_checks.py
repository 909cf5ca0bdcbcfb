"""The checks of Parquet tables find what is wrong, and nothing where nothing is."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.checks.archive import reconcile
from movie_platform.checks.tables import keys_are_unique, quarantine_rate, values_in_range
from movie_platform.contracts import Column, Table
from movie_platform.resources.transform import TransformRecord

TABLE = Table(
    "films",
    "",
    (
        Column("movie_id", "string", "", nullable=False),
        Column("dt", "string", ""),
        Column("rating", "decimal(5,2)", "", minimum=Decimal(0), maximum=Decimal(100)),
        Column("year", "int", "", minimum=Decimal(1870)),
    ),
    ("movie_id", "dt"),
)


def write(folder: Path, *parts: list[tuple[str | None, str, str | None, int | None]]) -> list[Path]:
    paths = []
    for number, rows in enumerate(parts):
        ids, days, ratings, years = zip(*rows, strict=True) if rows else ((), (), (), ())
        table = pa.table(
            {
                "movie_id": pa.array(ids, pa.string()),
                "dt": pa.array(days, pa.string()),
                "rating": pa.array([None if r is None else Decimal(r) for r in ratings], pa.decimal128(5, 2)),
                "year": pa.array(years, pa.int32()),
            }
        )
        path = folder / f"{number}.parquet"
        pq.write_table(table, path)
        paths.append(path)
    return paths


def test_good_rows_pass(tmp_path: Path):
    files = write(tmp_path, [("a", "1", "0", 1870)], [("b", "1", "100", None), ("a", "2", None, 2000)])
    assert keys_are_unique(TABLE, files).passed
    assert values_in_range(TABLE, files).passed


def test_a_key_that_two_files_share_is_found(tmp_path: Path):
    files = write(tmp_path, [("a", "1", None, None)], [("b", "1", None, None), ("a", "1", None, None)])
    found = keys_are_unique(TABLE, files)
    assert not found.passed
    assert found.offenders == [{"movie_id": "a", "dt": "1", "times": 2}]


def test_values_out_of_range_and_missing_ones_are_counted_by_column(tmp_path: Path):
    files = write(tmp_path, [("a", "1", "100.01", 1869), (None, "1", "-0.01", 1870)])
    found = values_in_range(TABLE, files)
    assert not found.passed
    assert found.counts == {"rows": 2, "broken_movie_id": 1, "broken_rating": 2, "broken_year": 1}


def test_an_empty_table_passes():
    assert keys_are_unique(TABLE, []).passed
    assert values_in_range(TABLE, []).passed


def record(rows_in: int, duplicates: int, rows: dict[str, int]) -> TransformRecord:
    from datetime import date

    return TransformRecord(
        source="demo",
        dt=date(2026, 11, 18),
        batch_id="b",
        transform_id="t",
        transformed_at="2026-11-18T00:00:00Z",
        job_run_id="jr",
        counts={"rows_in": rows_in, "exact_duplicates": duplicates},
        nulled={},
        files={},
        rows=rows,
        seconds=1.0,
    )


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(-3, 3))
def test_rows_reconcile_exactly_or_not_at_all(movies: int, quarantined: int, duplicates: int, lost: int):
    rows = {"movies": movies, "quarantined_rows": quarantined}
    found = reconcile(record(movies + quarantined + duplicates + lost, duplicates, rows), rows)
    assert found.passed is (lost == 0)
    assert found.counts["unaccounted"] == lost


def test_files_that_hold_other_numbers_of_rows_than_recorded_do_not_reconcile():
    recorded = {"movies": 3, "quarantined_rows": 0}
    assert not reconcile(record(2, 0, recorded), {"movies": 2, "quarantined_rows": 0}).passed


def test_a_quarantine_rate_is_compared_with_the_days_before():
    assert quarantine_rate(1000, 10, []).passed
    assert not quarantine_rate(1000, 11, []).passed
    assert quarantine_rate(1000, 50, [(1000, 20), (1000, 20)]).passed
    assert not quarantine_rate(1000, 80, [(1000, 20), (1000, 20)]).passed
    assert quarantine_rate(0, 0, []).passed
