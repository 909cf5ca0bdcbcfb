"""Which rows a bundle can carry: those that it cannot are rejected one by one, so that they never stop the
rest.
"""

import json

import numpy as np
import pyarrow as pa

from movie_platform.raw_rows import RejectedRow

# The longest field that Python's csv module reads unless told otherwise.
LONGEST_VALUE = 131_072
_LONGEST_SHOWN = 2_000

NUL_IN_VALUE = "nul_in_value"
NOT_UTF8_VALUE = "not_utf8_value"
VALUE_TOO_LONG = "value_too_long"


def split_unwritable(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, tuple[RejectedRow, ...]]:
    """The rows that a bundle can carry, and the others as rejected rows.

    A value may hold no NUL (CSV readers disagree on it), must be UTF-8, and has at most 131,072 characters.
    """
    if _all_writable(batch):
        return batch, ()
    faults: dict[int, tuple[str, str]] = {}
    columns = {name: batch.column(name).cast(pa.binary()).to_pylist() for name in batch.schema.names}
    for name, values in columns.items():
        for index, value in enumerate(values):
            if index not in faults and value is not None and (fault := _fault(name, value)) is not None:
                faults[index] = fault
    keep = np.ones(batch.num_rows, bool)
    keep[list(faults)] = False
    rejected = tuple(
        RejectedRow(None, _row_as_json(columns, index), code, message)
        for index, (code, message) in sorted(faults.items())
    )
    return batch.filter(pa.array(keep)), rejected


def _all_writable(batch: pa.RecordBatch) -> bool:
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return False
    for column in batch.columns:
        if len(column) == column.null_count:
            continue
        _, offsets_buffer, data_buffer = column.buffers()
        offsets = np.frombuffer(offsets_buffer, np.int32)[column.offset : column.offset + len(column) + 1]
        if offsets[-1] == offsets[0]:
            continue
        data = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
        # Bytes bound characters from above: rows in doubt are looked at one by one.
        if data.min() == 0 or np.diff(offsets).max() > LONGEST_VALUE:
            return False
    return True


def _fault(column: str, value: bytes) -> tuple[str, str] | None:
    if b"\0" in value:
        return NUL_IN_VALUE, f"The value of {column} holds a NUL character, on which CSV readers disagree."
    try:
        length = len(value.decode("utf-8"))
    except UnicodeDecodeError:
        return NOT_UTF8_VALUE, f"The value of {column} is not UTF-8."
    if length > LONGEST_VALUE:
        return VALUE_TOO_LONG, f"The value of {column} has {length} characters; {LONGEST_VALUE} are allowed."
    return None


def _row_as_json(columns: dict[str, list[bytes | None]], index: int) -> str:
    row: dict[str, str] = {}
    for name, values in columns.items():
        value = values[index]
        if value is not None:
            text = value.decode("utf-8", "backslashreplace")
            row[name] = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return json.dumps(row, ensure_ascii=False)
