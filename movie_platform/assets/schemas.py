"""Metadata that follows from the contracts: column schemas, column lineage, and the names of the numbers we report."""

from collections.abc import Iterable

import dagster as dg

from movie_platform.assets import keys
from movie_platform.contracts import RAW_COLUMNS, RAW_METADATA_COLUMNS, Column, Table

# One name a number, wherever it is reported: the command reads its results back by these names.
ROW_COUNT = "dagster/row_count"
ROWS_IN = "movie_platform/rows_in"
ROWS_OUT = "movie_platform/rows_out"
REJECTED = "movie_platform/rejected"
BYTES = "movie_platform/bytes"
SECONDS = "movie_platform/seconds"
PEAK_RSS_BYTES = "movie_platform/peak_rss_bytes"
BATCH_ID = "movie_platform/batch_id"
SOURCE_NAME = "movie_platform/source"
TRANSFORM_ID = "movie_platform/transform_id"
COUNTS = "movie_platform/counts"
NULLED = "movie_platform/nulled"
UNCHANGED = "movie_platform/unchanged"
ROWS_INSERTED = "movie_platform/rows_inserted"
ROWS_UPDATED = "movie_platform/rows_updated"
ROWS_CLOSED = "movie_platform/rows_closed"
ROWS_DELETED = "movie_platform/rows_deleted"


def bundle_schema() -> dg.TableSchema:
    """Columns of a bundle: all strings, as the source gave them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, "string", description=column.description) for column in RAW_COLUMNS
        ]
    )


def bundle_lineage(upstream: dg.AssetKey) -> dg.TableColumnLineage:
    """Each column of a bundle comes from the same column one hop earlier, unchanged."""
    return dg.TableColumnLineage(
        {column.name: [dg.TableColumnDep(upstream, column.name)] for column in RAW_COLUMNS}
    )


def table_schema(table: Table, *, loaded: bool = False) -> dg.TableSchema:
    """Columns of a table; with `loaded`, those that the load adds as well."""
    columns: Iterable[Column] = (*table.columns, *(RAW_METADATA_COLUMNS if loaded else ()))
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in columns
        ]
    )


def archive_lineage(table: Table) -> dg.TableColumnLineage:
    """Which bundle columns each column of an archive table is made of."""
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(keys.UNZIPPED_FILES, raw) for raw in column.raw]
            for column in table.columns
            if column.raw
        }
    )


def warehouse_lineage(table: Table) -> dg.TableColumnLineage:
    """Each loaded column comes from the archive's column of the same name."""
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(keys.archive_key(table), name)] for name in table.column_names}
    )
