"""Column schemas and column lineage as Dagster shows them; both follow from the contracts."""

from collections.abc import Iterable

import dagster as dg

from movie_platform.contracts import RAW_COLUMNS, RAW_METADATA_COLUMNS, Column, Table
from movie_platform.graph import asset_keys


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
            column.name: [dg.TableColumnDep(asset_keys.UNZIPPED_FILES, raw) for raw in column.raw]
            for column in table.columns
            if column.raw
        }
    )


def warehouse_lineage(table: Table) -> dg.TableColumnLineage:
    """Each loaded column comes from the archive's column of the same name."""
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(asset_keys.archive_key(table), name)] for name in table.column_names}
    )
