"""The addresses of all assets, in one place: whoever names an asset imports it from here."""

import dagster as dg

from movie_platform.contracts import ARCHIVE_TABLES, Table
from movie_platform.contracts.marts import MART_VIEWS
from movie_platform.contracts.warehouse import CORE_TABLES

SOURCE = dg.AssetKey(["source", "movies"])
RAW_EXTRACT = dg.AssetKey(["extract", "raw_extract"])
ZIPPED_BUNDLE = dg.AssetKey(["landing", "zipped_bundle"])
UNZIPPED_FILES = dg.AssetKey(["processed", "unzipped_files"])


def archive_key(table: Table) -> dg.AssetKey:
    """Address of a table that the transform writes to the archive bucket."""
    return dg.AssetKey(["archive", table.name])


def warehouse_key(table: Table) -> dg.AssetKey:
    """Address of a table or view in Snowflake, named as there."""
    return dg.AssetKey(["snowflake", table.snowflake_schema.lower(), table.name])


ARCHIVE = tuple(archive_key(table) for table in ARCHIVE_TABLES)
WAREHOUSE = tuple(warehouse_key(table) for table in ARCHIVE_TABLES)
CORE = tuple(warehouse_key(table) for table in CORE_TABLES)
MARTS = tuple(warehouse_key(view) for view in MART_VIEWS)
