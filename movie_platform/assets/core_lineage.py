"""Which RAW columns each column of CORE is made of.

Columns that a film has in RAW keep their names in CORE; what is derived is written down here.
"""

from collections.abc import Mapping

import dagster as dg

from movie_platform.contracts import Table
from movie_platform.contracts.tables import (
    BATCHES,
    MOVIE_GENRES,
    MOVIE_PEOPLE,
    MOVIE_RATINGS,
    MOVIES,
    QUARANTINED_ROWS,
)
from movie_platform.graph import asset_keys

_Origins = Mapping[str, tuple[tuple[Table, str], ...]]

_FILM = ((MOVIES, "source"), (MOVIES, "movie_id"))
_VERSION_OF_FILM = (*_FILM, (MOVIES, "dt"))
# A film that a full batch neither holds nor quarantines is removed.
_REMOVAL = (*_VERSION_OF_FILM, (QUARANTINED_ROWS, "movie_id"), (BATCHES, "load_type"))
_PEOPLE = ((MOVIE_PEOPLE, "person"), (MOVIE_PEOPLE, "role"))
_GENRES = ((MOVIE_GENRES, "genre"),)

_DERIVED: Mapping[str, _Origins] = {
    "dim_movie": {
        "movie_key": _VERSION_OF_FILM,
        "valid_from": ((MOVIES, "dt"),),
        "valid_to": _REMOVAL,
        "is_current": _REMOVAL,
        "is_deleted": _REMOVAL,
        "row_hash": ((MOVIES, "tracked_hash"),),
        "genres": (*_GENRES, (MOVIE_GENRES, "position")),
        "directors": (*_PEOPLE, (MOVIE_PEOPLE, "position")),
    },
    "dim_person": {
        "person_key": ((MOVIE_PEOPLE, "person"),),
        "person_name": ((MOVIE_PEOPLE, "person"),),
    },
    "dim_genre": {"genre_key": _GENRES, "genre_name": _GENRES},
    "dim_rating_provider": dict.fromkeys(
        ("provider_key", "provider", "provider_name", "original_scale"), ((MOVIE_RATINGS, "provider"),)
    ),
    "dim_date": {},
    "bridge_movie_genre": {
        "movie_key": _VERSION_OF_FILM,
        "genre_key": _GENRES,
        "position": ((MOVIE_GENRES, "position"),),
        "weight": ((MOVIE_GENRES, "position"),),
        "named_as": _GENRES,
    },
    "bridge_movie_person": {
        "movie_key": _VERSION_OF_FILM,
        "role": ((MOVIE_PEOPLE, "role"),),
        "person_key": ((MOVIE_PEOPLE, "person"),),
        "position": ((MOVIE_PEOPLE, "position"),),
        "weight": ((MOVIE_PEOPLE, "position"),),
        "credited_as": ((MOVIE_PEOPLE, "person"),),
    },
    "fact_movie_snapshot": {"movie_key": _VERSION_OF_FILM, "date_key": ((MOVIES, "dt"),)},
    "fact_movie_rating": {
        "movie_key": _VERSION_OF_FILM,
        "provider_key": ((MOVIE_RATINGS, "provider"),),
        "date_key": ((MOVIE_RATINGS, "dt"),),
    },
    "applied_days": {
        "removes": ((BATCHES, "load_type"), (BATCHES, "keyless_quarantined_rows")),
    },
}
# Where a column comes from that keeps its name.
_SAME_NAME: Mapping[str, Table] = {
    "dim_movie": MOVIES,
    "fact_movie_snapshot": MOVIES,
    "fact_movie_rating": MOVIE_RATINGS,
    "applied_days": BATCHES,
}


def _origins(table: Table) -> dict[str, tuple[tuple[Table, str], ...]]:
    derived = dict(_DERIVED[table.name])
    same = _SAME_NAME.get(table.name)
    if same is not None:
        for column in table.column_names:
            if column not in derived and column in same.column_names:
                derived[column] = ((same, column),)
    return derived


def core_lineage(table: Table) -> dg.TableColumnLineage:
    """Column lineage of a table of CORE; a calendar has none."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_keys.warehouse_key(raw), name) for raw, name in origins]
            for column, origins in _origins(table).items()
        }
    )


def core_deps(table: Table) -> list[dg.AssetKey]:
    """The RAW tables that a table of CORE is made of: those of its columns, and `batches`, which says what is whole."""
    origins = _origins(table)
    if not origins:
        return []
    used = {asset_keys.warehouse_key(raw) for found in origins.values() for raw, _ in found}
    return sorted(used | {asset_keys.warehouse_key(BATCHES)})
