"""What applying a file would change in the account, and what it must not: pure comparisons.

CREATE OR ALTER makes an object what its file says: a column that the file does not name is dropped with its data, a
property that it does not name is unset (https://docs.snowflake.com/en/sql-reference/sql/create-or-alter). Both may be
somebody else's work, so a deployment that would lose something stops and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from movie_platform.errors import PlatformError
from movie_platform.provision.declared import DeclaredColumn, DeclaredTable

# Types that ALTER TABLE makes wider; Snowflake refuses all others itself.
_FORMER_LENGTHS = frozenset({"VARCHAR(16777216)", "VARCHAR(134217728)"})


class WouldLoseError(PlatformError):
    """Applying a file would drop or unset something that is there and that the file does not name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a file and the account; `loses` where applying the file would take something away."""

    object: str
    what: str
    loses: bool = False

    def __str__(self) -> str:
        return f"{self.object}: {self.what}"


@dataclass(frozen=True, slots=True)
class ActualTable:
    """A table as the account has it. `parameters` are those that are set on the table itself."""

    columns: tuple[DeclaredColumn, ...]
    parameters: frozenset[str] = frozenset()
    clustering: str = ""


def differences_of_table(declared: DeclaredTable, actual: ActualTable | None) -> list[Difference]:
    """What making a table as declared changes; `actual` is None where it is not there."""
    name = f"table {declared.name}"
    if actual is None:
        return [Difference(name, "is made")]
    wanted = {column.name: column for column in declared.columns}
    present = {column.name: column for column in actual.columns}
    found = [
        Difference(name, f"column {column} is dropped, with its data", loses=True)
        for column in present
        if column not in wanted
    ]
    found += [
        Difference(name, f"column {column.name} {column.type} is added")
        for column in declared.columns
        if column.name not in present
    ]
    for column in declared.columns:
        if column.name in present:
            found += _of_column(name, column, present[column.name])
    found += [
        Difference(name, f"{parameter}, which is set on it, is unset", loses=True)
        for parameter in sorted(actual.parameters)
        if not declared.names_property(parameter)
    ]
    if actual.clustering and not declared.names_property("CLUSTER BY"):
        found.append(Difference(name, f"its clustering by {actual.clustering} is dropped", loses=True))
    return found


def require_nothing_lost(file: str, differences: Iterable[Difference]) -> None:
    """Raises WouldLoseError, which names all that applying a file would take away."""
    losses = [str(difference) for difference in differences if difference.loses]
    if losses:
        raise WouldLoseError(
            "would_lose",
            f"{file} was not applied, because something is there that it does not name: {'; '.join(losses)}.",
            "Take it over into the contract or the file, or take it away yourself with ALTER; then provision again.",
        )


def _of_column(table: str, wanted: DeclaredColumn, present: DeclaredColumn) -> list[Difference]:
    found = []
    if wanted.type != present.type and not {wanted.type, present.type} <= _FORMER_LENGTHS:
        found.append(Difference(table, f"column {wanted.name} becomes {wanted.type}; it is {present.type}"))
    if wanted.nullable != present.nullable:
        null = "may be null" if wanted.nullable else "may not be null any more"
        found.append(Difference(table, f"column {wanted.name} {null}"))
    if wanted.comment != present.comment:
        found.append(Difference(table, f"the comment of column {wanted.name} changes"))
    return found


# What SHOW WAREHOUSES shows of a warehouse that nobody changed beside what the platform's files name.
_DEFAULTS_OF_WAREHOUSES: Mapping[str, str] = {
    "type": "STANDARD",
    "min_cluster_count": "1",
    "max_cluster_count": "1",
    "scaling_policy": "STANDARD",
}
_MARK = "Movie Platform"


def own_warehouses(shown: Sequence[Mapping[str, object]]) -> set[str]:
    """The warehouses among those that SHOW WAREHOUSES shows that this platform made: their comment says so."""
    return {str(row["name"]) for row in shown if str(row["comment"] or "").startswith(_MARK)}


def own_monitors(shown: Sequence[Mapping[str, object]]) -> set[str]:
    """The resource monitors that watch warehouses of this platform's and no others."""
    ours = own_warehouses(shown)
    watched: dict[str, set[str]] = {}
    for row in shown:
        watched.setdefault(str(row["resource_monitor"] or "null"), set()).add(str(row["name"]))
    return {name for name, warehouses in watched.items() if name != "null" and warehouses <= ours}


def losses_of_warehouse(
    statement: str, shown: Mapping[str, object], parameters: Sequence[str]
) -> list[Difference]:
    """What others set on a warehouse of this platform's that its statement does not name; `parameters` are its own."""
    name = f"warehouse {shown['name']}"
    found = [
        Difference(name, f"{column.upper()} is {shown[column]}, and would be {default} again", loses=True)
        for column, default in _DEFAULTS_OF_WAREHOUSES.items()
        if column in shown and str(shown[column]).upper() != default and column.upper() not in statement
    ]
    return found + [
        Difference(name, f"{parameter}, which is set on it, is unset", loses=True)
        for parameter in parameters
        if parameter not in statement
    ]
