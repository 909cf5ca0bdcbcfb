"""Results as the connector reads them: row types, Arrow columns in Snowflake's physical forms, JSON for DML counts."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movie_platform.local_cloud.snowflake.errors import unsupported

# Statement types that the connector tells apart; see STATEMENT_TYPE_ID_* in snowflake-connector-python.
SELECT, INSERT, UPDATE, DELETE, MERGE, COPY = 0x1000, 0x3100, 0x3200, 0x3300, 0x3400, 0x3600
SHOW, DESCRIBE, USE, TRANSACTION, DDL, UNKNOWN = 0x4400, 0x4500, 0x4300, 0x5000, 0x6000, 0x0000
DML_TYPES = frozenset({INSERT, UPDATE, DELETE, MERGE})

MAXIMUM_TEXT = 16_777_216
_MICROSECONDS = 1_000_000

_TYPES = {
    '"NULL"': "text", "VARCHAR": "text", "UUID": "text", "BOOLEAN": "boolean", "DATE": "date", "TIME": "time",
    "TINYINT": "fixed", "SMALLINT": "fixed", "INTEGER": "fixed", "BIGINT": "fixed", "HUGEINT": "fixed",
    "UTINYINT": "fixed", "USMALLINT": "fixed", "UINTEGER": "fixed", "UBIGINT": "fixed", "UHUGEINT": "fixed",
    "FLOAT": "real", "DOUBLE": "real", "BLOB": "binary", "JSON": "variant",
    "TIMESTAMP": "timestamp_ntz", "TIMESTAMP_NS": "timestamp_ntz", "TIMESTAMP_MS": "timestamp_ntz",
    "TIMESTAMP_S": "timestamp_ntz", "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result: `type` is Snowflake's name of it in the protocol (text, fixed, timestamp_ntz, …)."""

    name: str
    type: str
    precision: int | None = None
    scale: int | None = None

    def rowtype(self) -> dict[str, Any]:
        """The column as the protocol describes it."""
        length = MAXIMUM_TEXT if self.type == "text" else 8_388_608 if self.type == "binary" else None
        return {
            "name": self.name, "database": "", "schema": "", "table": "", "nullable": True, "type": self.type,
            "byteLength": length, "length": length, "scale": self.scale, "precision": self.precision,
            "collation": None,
        }  # fmt: skip


@dataclass
class Result:
    """What a statement gave: columns and their rows as Arrow batches, which may be read once."""

    columns: tuple[ResultColumn, ...]
    batches: Iterator[pa.RecordBatch]
    statement_type: int = UNKNOWN
    session_parameters: dict[str, Any] = field(default_factory=dict)


def column_of(name: str, duck_type: str) -> ResultColumn:
    """The result column for a type that DuckDB names.

    Raises SnowflakeError for a type that Snowflake has nothing like.
    """
    if match := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duck_type):
        return ResultColumn(name, "fixed", int(match[1]), int(match[2]))
    if duck_type.endswith("]"):
        return ResultColumn(name, "array")
    if duck_type.startswith(("STRUCT(", "MAP(")):
        return ResultColumn(name, "object")
    if duck_type.startswith("ENUM("):
        return ResultColumn(name, "text")
    kind = _TYPES.get(duck_type)
    if kind is None:
        raise unsupported(f"a result column of type {duck_type} ({name})")
    if kind == "fixed":
        return ResultColumn(name, kind, 38, 0)
    return ResultColumn(name, kind, 0, 9) if kind.startswith("time") else ResultColumn(name, kind)


_PYTHON_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(), "fixed": pa.int64(), "boolean": pa.bool_(), "real": pa.float64(),
    "timestamp_ltz": pa.timestamp("us", tz="UTC"), "timestamp_tz": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


def rows_result(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], statement_type: int = SHOW
) -> Result:
    """A result made of Python rows. `columns` are (name, protocol type) pairs."""
    described = tuple(
        ResultColumn(name, kind, 38, 0)
        if kind == "fixed"
        else ResultColumn(name, kind, 0, 9)
        if kind.startswith("time")
        else ResultColumn(name, kind)
        for name, kind in columns
    )
    arrays = [
        pa.array([row[position] for row in rows], type=_PYTHON_TYPES[kind])
        for position, (_, kind) in enumerate(columns)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in columns])
    return Result(described, iter([batch]), statement_type)


def message(text: str, statement_type: int = DDL) -> Result:
    """The one-row answer of statements that give no rows."""
    return rows_result([("status", "text")], [(text,)], statement_type)


def done(statement_type: int = DDL) -> Result:
    """The result of a statement that did what it says and has no more to tell."""
    return message("Statement executed successfully.", statement_type)


def counts(names: Sequence[str], values: Sequence[int], statement_type: int) -> Result:
    """The one-row answer of DML: numbers of rows."""
    return rows_result([(name, "fixed") for name in names], [tuple(values)], statement_type)


def encode(batch: pa.RecordBatch, columns: Sequence[ResultColumn]) -> pa.RecordBatch:
    """A batch with each column in the physical form, and with the field metadata, that the connector decodes."""
    arrays = [_encode_column(array, column) for array, column in zip(batch.columns, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=encoded_schema(arrays, columns))


def encoded_schema(arrays: Sequence[pa.Array], columns: Sequence[ResultColumn]) -> pa.Schema:
    """The Arrow schema of encoded columns."""
    return pa.schema(
        [
            pa.field(
                column.name,
                array.type,
                metadata={
                    "logicalType": column.type.upper(),
                    "precision": str(column.precision or 38),
                    "scale": str(column.scale or 0),
                    "charLength": str(MAXIMUM_TEXT if column.type == "text" else 0),
                },
            )
            for array, column in zip(arrays, columns, strict=True)
        ]
    )


def to_ipc(batches: Sequence[pa.RecordBatch]) -> bytes:
    """An Arrow stream of encoded batches of one schema."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            # The connector's decoder ends its process on a batch without rows.
            if batch.num_rows:
                writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def empty_batch(columns: Sequence[ResultColumn]) -> pa.RecordBatch:
    """An encoded batch without rows: tells the client the columns of an empty result."""
    return encode(
        pa.RecordBatch.from_arrays(
            [pa.array([], type=_EMPTY_TYPES.get(column.type, pa.string())) for column in columns],
            names=[str(position) for position in range(len(columns))],
        ),
        columns,
    )


_EMPTY_TYPES: dict[str, pa.DataType] = {
    "fixed": pa.int64(), "real": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "time": pa.time64("us"),
    "binary": pa.binary(), "timestamp_ntz": pa.timestamp("us"), "timestamp_tz": pa.timestamp("us", tz="UTC"),
    "timestamp_ltz": pa.timestamp("us", tz="UTC"),
}  # fmt: skip


def json_rows(batches: Iterator[pa.RecordBatch]) -> list[list[str | None]]:
    """Rows as text, the form in which the connector expects DML counts."""
    return [
        [None if value is None else str(value) for value in row.values()]
        for batch in batches
        for row in batch.to_pylist()
    ]


def _encode_column(array: pa.Array, column: ResultColumn) -> pa.Array:
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _timestamps(array, with_zone=column.type == "timestamp_tz")
    if pa.types.is_time(kind):
        return array.cast(pa.time64("ns")).cast(pa.int64())
    if pa.types.is_unsigned_integer(kind):
        return array.cast(pa.decimal128(38, 0) if pa.types.is_uint64(kind) else pa.int64())
    if pa.types.is_float32(kind):
        return array.cast(pa.float64())
    if pa.types.is_null(kind) or pa.types.is_dictionary(kind):
        return array.cast(pa.string())
    if column.type in {"array", "object"}:
        return pa.array(
            [None if value is None else json.dumps(value, default=str) for value in array.to_pylist()],
            pa.string(),
        )
    return array


def _timestamps(array: pa.Array, *, with_zone: bool) -> pa.Array:
    # Snowflake's form is a struct of whole seconds and nanoseconds. A null must be null in the struct itself:
    # nulls in its fields alone arrive as 1970-01-01.
    nulls = array.is_null()
    microseconds = array.cast(pa.timestamp("us", tz=array.type.tz), safe=False).cast(pa.int64())
    values = np.asarray(microseconds.fill_null(0))
    seconds = np.floor_divide(values, _MICROSECONDS)
    nanoseconds = ((values - seconds * _MICROSECONDS) * 1000).astype(np.int32)
    arrays = [pa.array(seconds, pa.int64()), pa.array(nanoseconds, pa.int32())]
    names = ["epoch", "fraction"]
    if with_zone:
        arrays.append(pa.array(_minutes_from_utc(array, seconds) + 1440, pa.int32()))
        names.append("timezone")
    return pa.StructArray.from_arrays(arrays, names=names, mask=nulls)


def _minutes_from_utc(array: pa.Array, seconds: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    # The offset of each moment in the zone of its column, which is the session's.
    moments = pa.array(seconds, pa.int64()).cast(pa.timestamp("s", tz=array.type.tz))
    local = np.asarray(pc.call_function("local_timestamp", [moments]).cast(pa.int64()))
    return ((local - seconds) // 60).astype(np.int32)
