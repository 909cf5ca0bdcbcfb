"""CSV and Parquet of a part are compared value by value, but for what CSV cannot carry."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from movie_platform.bundle_writing.compare import Comparison, Difference, compare_csv_with_parquet
from movie_platform.bundle_writing.stats import DistinctCounter


def compare(tmp_path: Path, csv_text: str, rows: dict[str, list[str | None]]) -> Comparison:
    (tmp_path / "a.csv").write_bytes(csv_text.encode())
    pq.write_table(
        pa.table({name: pa.array(column, pa.string()) for name, column in rows.items()}),
        tmp_path / "a.parquet",
    )
    return compare_csv_with_parquet(tmp_path / "a.csv", tmp_path / "a.parquet")


def test_null_and_empty_are_one_and_line_ends_count_as_lf(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        'a,b\n"x\r\ny",\n"x\ny",""\n"x\ry",z\n',
        {"a": ["x\ny", "x\ry", "x\r\ny"], "b": ["", None, "z"]},
    )
    assert found.agree
    assert found.csv_rows == 3


def test_a_value_that_differs_is_shown_with_its_place(tmp_path: Path) -> None:
    found = compare(tmp_path, "a,b\n1,2\n3,4\n", {"a": ["1", "3"], "b": ["2", "5"]})
    assert not found.agree
    assert found.differing_values == 1
    assert found.sample == (Difference(1, "b", "4", "5"),)


@pytest.mark.parametrize("value", ["NA", "null", "1.0", "001", "true", "NaN", " x "])
def test_no_text_is_taken_for_something_else(tmp_path: Path, value: str) -> None:
    assert compare(tmp_path, f"a,b\n{value},1\n", {"a": [value], "b": ["1"]}).agree


def test_rows_that_only_one_file_has_are_counted(tmp_path: Path) -> None:
    found = compare(tmp_path, "a,b\n1,2\n3,4\n", {"a": ["1"], "b": ["2"]})
    assert not found.agree
    assert (found.csv_rows, found.parquet_rows) == (2, 1)


def test_other_columns_do_not_agree(tmp_path: Path) -> None:
    found = compare(tmp_path, "a,c\n1,2\n", {"a": ["1"], "b": ["2"]})
    assert not found.agree
    assert (found.csv_columns, found.parquet_columns) == (("a", "c"), ("a", "b"))


def test_a_row_longer_than_a_block_is_compared(tmp_path: Path) -> None:
    long = "x" * 20_000_000
    assert compare(tmp_path, f"a,b\n{long},1\n2,3\n", {"a": [long, "2"], "b": ["1", "3"]}).agree


def test_distinct_values_are_counted_across_spilled_runs() -> None:
    counter = DistinctCounter(run_hashes=1000)
    for start in range(0, 20_000, 500):
        counter.add(pa.array([str(n % 7000) for n in range(start, start + 500)] + [None]))
    assert counter.count() == 7000
    counter.close()


def test_distinct_values_are_counted_without_spilling() -> None:
    counter = DistinctCounter()
    assert counter.count() == 0
    counter.add(pa.array(["a", "b", "a", None]))
    assert counter.count() == 2
    counter.close()
