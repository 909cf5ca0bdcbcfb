"""The rules of CORE as SQL: each has a query of what it looks at and a query of the rows that break it.

They bind `source` and `dt`, and look only at what applying that day can have touched: a late day moves versions and
facts after it, so what lies behind a day is looked at too, what lies before it is not.
"""

from collections.abc import Sequence
from string import Template

from movie_platform.checks.sql_rules import SqlRule
from movie_platform.contracts import Table
from movie_platform.contracts.warehouse import (
    BRIDGE_MOVIE_GENRE,
    BRIDGE_MOVIE_PERSON,
    CORE_TABLES,
    DIM_MOVIE,
    FACT_MOVIE_RATING,
    FACT_MOVIE_SNAPSHOT,
    FOREIGN_KEYS,
    OPEN_END,
    ForeignKey,
)

# Films with a version that begins or ends on the day or later: all others are as they were before it.
_VERSIONS = """
    SELECT movie_id, valid_from, valid_to, is_current
    FROM CORE.DIM_MOVIE
    WHERE source = %(source)s AND movie_id IN (
        SELECT movie_id FROM CORE.DIM_MOVIE
        WHERE source = %(source)s AND (
            valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
            OR (valid_to >= TO_DATE(%(dt)s, 'YYYY-MM-DD') AND NOT is_current)
        )
    )
"""
_FILMS_OF_THE_WINNER = """
    SELECT films.movie_id
    FROM RAW.MOVIES AS films
    JOIN CORE.APPLIED_DAYS AS applied
        ON applied.source = films.source AND applied.dt = films.dt
        AND applied.batch_id = films.batch_id AND applied.transform_id = films.transform_id
    WHERE films.source = %(source)s AND films.dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
"""
_FILMS_OF_THE_SNAPSHOT = """
    SELECT movie_id FROM CORE.FACT_MOVIE_SNAPSHOT WHERE source = %(source)s AND dt = TO_DATE(%(dt)s, 'YYYY-MM-DD')
"""
_WHOLE_TABLE = "SELECT * FROM CORE.$table"
_FROM_THE_DAY_ON = (
    "SELECT * FROM CORE.$table WHERE source = %(source)s AND dt >= TO_DATE(%(dt)s, 'YYYY-MM-DD')"
)
_BRIDGE = """
    FROM CORE.$table AS bridge
    JOIN CORE.DIM_MOVIE AS movie ON movie.movie_key = bridge.movie_key
    WHERE movie.source = %(source)s AND movie.valid_from >= TO_DATE(%(dt)s, 'YYYY-MM-DD')
"""
_VERSIONS_ARE_MADE_AGAIN = (
    "find the run of the task graph in OPS.core_changes; a film's versions are made again when a batch of the day is"
    " transformed again"
)
_FACTS_ARE_MADE_AGAIN = (
    "find the run of the task graph in OPS.core_changes; the day's facts are made again when its batch is"
    " transformed again"
)


def _sql(text: str, **parts: str) -> str:
    """A statement with names of the contracts, and other statements of this module, filled in."""
    return Template(text).substitute(parts)


def _count(rows: str) -> str:
    return _sql("SELECT COUNT(*) AS checked FROM ($rows)", rows=rows)


def _current_version() -> SqlRule:
    return SqlRule(
        "one_current_version_per_key",
        DIM_MOVIE,
        "Each film that the day touched has exactly one current version.",
        _sql("SELECT COUNT(DISTINCT movie_id) AS checked FROM ($versions)", versions=_VERSIONS),
        _sql(
            """
            SELECT movie_id, COUNT_IF(is_current) AS current_versions
            FROM ($versions)
            GROUP BY movie_id
            HAVING COUNT_IF(is_current) <> 1
            """,
            versions=_VERSIONS,
        ),
        _VERSIONS_ARE_MADE_AGAIN,
    )


def _unbroken_history() -> SqlRule:
    return SqlRule(
        "versions_have_no_gap_or_overlap",
        DIM_MOVIE,
        "Versions of a film follow each other: each ends where the next begins, and the last is open.",
        _count(_VERSIONS),
        _sql(
            """
            SELECT movie_id, valid_from, valid_to, next_valid_from, is_current
            FROM (
                SELECT
                    movie_id, valid_from, valid_to, is_current,
                    LEAD(valid_from) OVER (PARTITION BY movie_id ORDER BY valid_from) AS next_valid_from
                FROM ($versions)
            )
            WHERE valid_from >= valid_to
                OR valid_to <> COALESCE(next_valid_from, TO_DATE('$open_end', 'YYYY-MM-DD'))
                OR is_current <> (valid_to = TO_DATE('$open_end', 'YYYY-MM-DD'))
            """,
            versions=_VERSIONS,
            open_end=OPEN_END,
        ),
        _VERSIONS_ARE_MADE_AGAIN,
    )


def _is_fact(table: Table) -> bool:
    return "dt" in table.column_names


def _rows(table: Table) -> str:
    """Of a fact the rows from the day on. A bridge as a whole: what refers to a version that is gone cannot be found
    from the versions.
    """
    return _sql(_FROM_THE_DAY_ON if _is_fact(table) else _WHOLE_TABLE, table=table.name.upper())


def _unresolved(table: Table, key: ForeignKey) -> str:
    """Values without a row in the dimension; a version of a film must also be the one of the fact's day."""
    match = "dimension.$key = referring.$column"
    if key.references == DIM_MOVIE.name:
        match += " AND NOT dimension.is_deleted"
        if _is_fact(table):
            match += (
                " AND dimension.source = referring.source AND dimension.movie_id = referring.movie_id"
                " AND dimension.valid_from <= referring.dt AND referring.dt < dimension.valid_to"
            )
    return _sql(
        """
        SELECT
            '$column' AS foreign_key, CAST(referring.$column AS VARCHAR) AS unresolved, COUNT(*) AS row_total
        FROM ($rows) AS referring
        LEFT JOIN CORE.$dimension AS dimension ON $match
        WHERE dimension.$key IS NULL
        GROUP BY referring.$column
        """,
        rows=_rows(table),
        match=_sql(match, key=key.key, column=key.column),
        dimension=key.references.upper(),
        key=key.key,
        column=key.column,
    )


def _foreign_keys(table: Table) -> SqlRule:
    own = [key for key in FOREIGN_KEYS if key.table == table.name]
    return SqlRule(
        "foreign_keys_resolve",
        table,
        f"{', '.join(key.column for key in own)}: each has its row in the dimension, as of the row's day.",
        _count(_rows(table)),
        " UNION ALL ".join(_unresolved(table, key) for key in own),
        _FACTS_ARE_MADE_AGAIN if _is_fact(table) else _VERSIONS_ARE_MADE_AGAIN,
    )


def _grain(table: Table) -> SqlRule:
    grain = ", ".join(table.primary_key)
    return SqlRule(
        "fact_grain_is_unique",
        table,
        f"({grain}) appears once.",
        _count(_rows(table)),
        _sql(
            "SELECT $grain, COUNT(*) AS row_total FROM ($rows) GROUP BY $grain HAVING COUNT(*) > 1",
            grain=grain,
            rows=_rows(table),
        ),
        _FACTS_ARE_MADE_AGAIN,
    )


def _snapshot_rows() -> SqlRule:
    return SqlRule(
        "snapshot_rows_match_raw",
        FACT_MOVIE_SNAPSHOT,
        "The films of the day's snapshot are those of its winning batch in RAW, no fewer and no more.",
        _count(_FILMS_OF_THE_WINNER),
        _sql(
            """
            SELECT movie_id, 'only in RAW' AS fault FROM ($raw)
            WHERE movie_id NOT IN ($snapshot)
            UNION ALL
            SELECT movie_id, 'only in the snapshot' AS fault FROM ($snapshot)
            WHERE movie_id NOT IN ($raw)
            """,
            raw=_FILMS_OF_THE_WINNER,
            snapshot=_FILMS_OF_THE_SNAPSHOT,
        ),
        _FACTS_ARE_MADE_AGAIN,
    )


def _weights(table: Table) -> SqlRule:
    scope = table.primary_key[:-1]
    parts = {"table": table.name.upper(), "scope": ", ".join(f"bridge.{column}" for column in scope)}
    return SqlRule(
        "bridge_weights_sum_to_one",
        table,
        f"The weights of each ({', '.join(scope)}) sum to exactly 1.",
        _sql("SELECT COUNT(*) AS checked" + _BRIDGE, **parts),
        _sql(
            "SELECT $scope, SUM(bridge.weight) AS weights"
            + _BRIDGE
            + "GROUP BY $scope HAVING SUM(bridge.weight) <> 1",
            **parts,
        ),
        _VERSIONS_ARE_MADE_AGAIN,
    )


def core_rules() -> Sequence[SqlRule]:
    """All rules, a table's together, in the order of the tables."""
    facts = (FACT_MOVIE_SNAPSHOT, FACT_MOVIE_RATING)
    bridges = (BRIDGE_MOVIE_GENRE, BRIDGE_MOVIE_PERSON)
    rules = (
        _current_version(),
        _unbroken_history(),
        *map(_weights, bridges),
        *map(_foreign_keys, (*bridges, *facts)),
        *map(_grain, facts),
        _snapshot_rows(),
    )
    return sorted(rules, key=lambda rule: CORE_TABLES.index(rule.table))
