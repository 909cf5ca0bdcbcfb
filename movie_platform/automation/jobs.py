"""The jobs: which assets and checks are materialized together.

All assets but the marts have a partition a day. Dagster lets a job have one partitions definition and assets without
partitions beside it: they are materialized, as a whole, in the run of whichever day, and their materialization has no
partition. So a run carries its day to the marts, and a late day refreshes them as well. The marts' deps reach over all
partitions (the default for an asset without partitions), and nothing loads them, so that no run waits for a day that
is missing.
"""

import dagster as dg

from movie_platform.graph import asset_keys

EXTRACT_DAY = "extract_day"
MATERIALIZE_DAY = "materialize_day"
PROCESS_LANDED_BUNDLE = "process_landed_bundle"


# Quoted: Dagster exports the name to type checkers alone.
def build_jobs() -> list["dg.UnresolvedAssetJobDefinition"]:
    """The three ways a day is carried: up to landing, from landing on, and from source to marts."""
    extracted = dg.AssetSelection.assets(asset_keys.RAW_EXTRACT, asset_keys.ZIPPED_BUNDLE)
    after_landing = dg.AssetSelection.assets(
        asset_keys.UNZIPPED_FILES,
        *asset_keys.ARCHIVE,
        *asset_keys.WAREHOUSE,
        *asset_keys.CORE,
        *asset_keys.MARTS,
    )
    return [
        dg.define_asset_job(
            EXTRACT_DAY,
            selection=extracted,
            description="Extracts a day and lands its bundle. It ends there: landing is the hand-over.",
        ),
        dg.define_asset_job(
            PROCESS_LANDED_BUNDLE,
            selection=after_landing | dg.AssetSelection.checks_for_assets(asset_keys.ZIPPED_BUNDLE),
            description="Checks a bundle that landed, whoever put it there, and carries it to the marts.",
        ),
        dg.define_asset_job(
            MATERIALIZE_DAY,
            selection=extracted | after_landing,
            description="Carries a day from the source to the marts in one run.",
        ),
    ]
