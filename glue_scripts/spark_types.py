"""The contracts' types as Spark and Arrow types: the only place that maps one to the other."""

import re

import pyarrow as pa
from pyspark.sql import types

from movie_platform.contracts.tables import Column, Table

_SIMPLE: dict[str, types.DataType] = {
    "string": types.StringType(),
    "int": types.IntegerType(),
    "bigint": types.LongType(),
    "date": types.DateType(),
    "timestamp": types.TimestampType(),
    "boolean": types.BooleanType(),
}
_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "boolean": pa.bool_(),
}
_DECIMAL = re.compile(r"decimal\(([0-9]+),([0-9]+)\)")


def spark_type(name: str) -> types.DataType:
    """The Spark type of a contract type; ValueError for a type that the contracts do not have."""
    if decimal := _DECIMAL.fullmatch(name):
        return types.DecimalType(int(decimal[1]), int(decimal[2]))
    try:
        return _SIMPLE[name]
    except KeyError:
        raise ValueError(
            f"the contracts know no type {name!r}; add it to glue_scripts/spark_types.py"
        ) from None


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type that Spark reads as `spark_type` of the same name; KeyError for a type that has none."""
    if decimal := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _ARROW[name]


def table_schema(table: Table) -> types.StructType:
    """The schema of a table's files, in contract order."""
    return types.StructType([_field(column) for column in table.columns])


def text_schema(names: tuple[str, ...]) -> types.StructType:
    """The schema of a bundle's data files: every column a string that may be null."""
    return types.StructType([types.StructField(name, types.StringType()) for name in names])


def _field(column: Column) -> types.StructField:
    return types.StructField(column.name, spark_type(column.type), column.nullable)
