"""Checks of Parquet tables against their contracts, file by file and in bounded memory.

Plain functions on local files: the asset checks fetch the files and report what these find.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movie_platform.checks.results import SAMPLE_ROWS, Finding
from movie_platform.contracts import Column, Table

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 65_536


def count_rows(files: Sequence[Path]) -> int:
    """Rows of all files, from their footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in files)


def keys_are_unique(table: Table, files: Sequence[Path]) -> Finding:
    """Whether the primary key appears once in all files together.

    Holds a 64-bit hash a row (8 MB a million rows); only keys whose hashes meet are compared themselves.
    """
    import numpy as np
    import pandas.util

    # Found at run time by the module's own __getattr__, so that no type checker knows it.
    hash_pandas_object: Any = pandas.util.hash_pandas_object

    columns = list(table.primary_key)
    hashes: list[np.ndarray] = [
        hash_pandas_object(batch.to_pandas(), index=False).to_numpy() for batch in _batches(files, columns)
    ]
    every = np.concatenate(hashes) if hashes else np.empty(0, dtype="uint64")
    ordered = np.sort(every)
    suspects = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    repeated: dict[tuple[object, ...], int] = {}
    if len(suspects):
        for batch in _batches(files, columns):
            frame = batch.to_pandas()
            mine = frame[np.isin(hash_pandas_object(frame, index=False).to_numpy(), suspects)]
            for row in mine.itertuples(index=False, name=None):
                repeated[row] = repeated.get(row, 0) + 1
    offenders: list[dict[str, str | int | float | bool | None]] = [
        {**{name: str(value) for name, value in zip(columns, key, strict=True)}, "times": times}
        for key, times in repeated.items()
        if times > 1
    ]
    return Finding(
        passed=not offenders,
        summary=f"{len(every)} rows, {len(offenders)} keys more than once",
        counts={"rows": len(every), "repeated_keys": len(offenders)},
        offenders=offenders,
        next_step="the transform lets duplicates through: see glue_scripts, and run it again for the day",
    )


def values_in_range(table: Table, files: Sequence[Path]) -> Finding:
    """Whether required values are there and numbers lie between their columns' minimum and maximum."""
    import pyarrow as pa
    import pyarrow.compute

    # Its functions are made when it is imported, so that no type checker knows them.
    pc: Any = pyarrow.compute

    ruled = [c for c in table.columns if not c.nullable or c.minimum is not None or c.maximum is not None]
    rows = 0
    broken: dict[str, int] = {}
    offenders: list[dict[str, str | int | float | bool | None]] = []
    for batch in _batches(files, [column.name for column in ruled]):
        rows += batch.num_rows
        for column in ruled:
            values = batch.column(column.name)
            bad = pa.array([False] * batch.num_rows) if column.nullable else pc.is_null(values)
            for bound, outside in ((column.minimum, pc.less), (column.maximum, pc.greater)):
                if bound is not None:
                    compared = outside(
                        values.cast(pa.decimal128(38, 10), safe=False),
                        pa.scalar(bound, pa.decimal128(38, 10)),
                    )
                    bad = pc.or_(bad, pc.fill_null(compared, False))  # noqa: FBT003 - Arrow's own positional value
            found = pc.sum(bad).as_py() or 0
            if found:
                broken[column.name] = broken.get(column.name, 0) + found
                sample = pc.filter(values, bad).slice(0, SAMPLE_ROWS)
                offenders.extend(
                    {"column": column.name, "value": str(value.as_py()), "rule": _rule(column)}
                    for value in sample
                )
    total = sum(broken.values())
    return Finding(
        passed=total == 0,
        summary=f"{rows} rows, {total} values out of range or missing",
        counts={"rows": rows, **{f"broken_{name}": count for name, count in broken.items()}},
        offenders=offenders[:SAMPLE_ROWS],
        next_step="a parsing rule of glue_scripts is wrong, or the contract's range is; mend it and transform again",
    )


def _rule(column: Column) -> str:
    parts = [] if column.nullable else ["not null"]
    if column.minimum is not None:
        parts.append(f">= {column.minimum}")
    if column.maximum is not None:
        parts.append(f"<= {column.maximum}")
    return ", ".join(parts)


def quarantine_rate(rows_in: int, quarantined: int, earlier: Sequence[tuple[int, int]]) -> Finding:
    """Whether the share of quarantined rows is normal, compared with earlier days (rows in, quarantined).

    Normal is at most three times the earlier days' share plus one row in a hundred: a share that is small and grows
    by a row or two is no news. Without earlier days, one row in a hundred is normal.
    """
    share = Decimal(quarantined) / rows_in if rows_in else Decimal(0)
    before_in = sum(rows for rows, _ in earlier)
    before = Decimal(sum(count for _, count in earlier)) / before_in if before_in else Decimal(0)
    limit = before * 3 + Decimal("0.01")
    return Finding(
        passed=share <= limit,
        summary=f"{quarantined} of {rows_in} rows are in quarantine ({share:.3%}); up to {limit:.3%} is normal",
        counts={
            "rows_in": rows_in,
            "quarantined": quarantined,
            "share": float(share),
            "earlier_share": float(before),
            "earlier_days": len(earlier),
        },
        next_step="look at archive/quarantined_rows by rule_code: one rule may have begun to refuse good rows",
    )


def _batches(files: Sequence[Path], columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    import pyarrow.parquet as pq

    for file in files:
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches(batch_size=BATCH_ROWS, columns=list(columns))
