"""Rules that are asked of the warehouse: a claim, a query of what it looks at, a query of the rows that break it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from movie_platform.checks.results import SAMPLE_ROWS, Finding
from movie_platform.contracts import Table
from movie_platform.resources.snowflake_connection import query_rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


@dataclass(frozen=True, slots=True)
class SqlRule:
    """A claim about a table. `checked` gives one number; `offenders` a row for each fault.

    `blocking`: what is made of the table would be wrong where the claim does not hold.
    """

    name: str
    table: Table
    claim: str
    checked: str
    offenders: str
    next_step: str
    blocking: bool = True


def examine(
    connection: "SnowflakeConnection", rule: SqlRule, values: dict[str, Any] | None = None
) -> Finding:
    """What a rule finds: how many rows it looked at, and which break it; `values` are what its queries bind.

    A rule whose queries Snowflake refuses does not hold: that something of it is missing is a finding, too.
    """
    import snowflake.connector

    try:
        [checked] = query_rows(connection, rule.checked, values)
        [rows_checked] = checked.values()
        faults = list(
            query_rows(
                connection,
                f"SELECT offenders.*, COUNT(*) OVER () AS offender_total FROM ({rule.offenders}) AS offenders"  # noqa: S608 - constants
                f" LIMIT {SAMPLE_ROWS}",
                values,
            )
        )
    except snowflake.connector.errors.ProgrammingError as error:
        return Finding(
            passed=False,
            summary=f"could not be evaluated: {error} ({rule.claim})",
            next_step="`movie-platform provision` makes what is missing; see whether the role may read it",
        )
    total = int(faults[0]["offender_total"]) if faults else 0
    return Finding(
        passed=total == 0,
        summary=f"{int(rows_checked)} looked at, {total} break the rule: {rule.claim}",
        counts={"checked": int(rows_checked), "offenders": total},
        offenders=[
            {name: _shown(value) for name, value in fault.items() if name != "offender_total"}
            for fault in faults
        ],
        next_step=rule.next_step,
    )


def _shown(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
