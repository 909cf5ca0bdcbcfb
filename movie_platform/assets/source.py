"""The external source, so that lineage begins where the data does."""

import dagster as dg

from movie_platform.graph import asset_keys, column_metadata


def source_spec(owner: str) -> dg.AssetSpec:
    """The database, API or files that the profile of a run describes; the platform only reads it."""
    return dg.AssetSpec(
        asset_keys.SOURCE,
        description="The external source of movies: the database, API or files that a source profile describes.",
        group_name="source",
        kinds={"table"},
        owners=[owner],
        metadata={"dagster/column_schema": column_metadata.bundle_schema()},
    )
