"""The external source, so that lineage begins where the data does."""

import dagster as dg

from movie_platform.assets import keys, schemas


def source_spec(owner: str) -> dg.AssetSpec:
    """The database, API or files that the profile of a run describes; the platform only reads it."""
    return dg.AssetSpec(
        keys.SOURCE,
        description="The external source of movies: the database, API or files that a source profile describes.",
        group_name="source",
        kinds={"table"},
        owners=[owner],
        metadata={"dagster/column_schema": schemas.bundle_schema()},
    )
