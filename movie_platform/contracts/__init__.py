"""The data contracts: which columns and tables exist, their types, keys and rules.

Standard library only, because the Lambda and the Glue job ship this package. Dagster schemas, Spark schemas,
catalog tables, SQL tests and documents are all derived from it; nothing here knows any of them.
"""

from movie_platform.contracts.raw import RAW_COLUMNS, RawColumn, raw_column_names
from movie_platform.contracts.tables import (
    ARCHIVE_TABLES,
    RAW_METADATA_COLUMNS,
    Column,
    Table,
    warehouse_columns,
)

__all__ = [
    "ARCHIVE_TABLES",
    "RAW_COLUMNS",
    "RAW_METADATA_COLUMNS",
    "Column",
    "RawColumn",
    "Table",
    "raw_column_names",
    "warehouse_columns",
]
