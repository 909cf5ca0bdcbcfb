"""What evaluates each check of the graph in Airflow.

A check that is not named here, and is no SQL rule, cannot be exported: an asset's event must not say less there than
a materialization says here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from movie_platform.checks.core_rules import core_rules
from movie_platform.checks.mart_rules import mart_rules
from movie_platform.export.airflow.export_error import UnsupportedDefinitionError
from movie_platform.export.airflow.form import Check

# The function verifies by the same rules before it publishes: its answer is the evidence. The expressions stand in
# the transform's gate and use its names.
_VERIFIED = "verified_by_function(answer)"
UNPACK_EXPRESSIONS: Mapping[str, str] = {
    "manifest_is_valid": _VERIFIED,
    "row_counts_match_manifest": _VERIFIED,
    "columns_match_contract": _VERIFIED,
    "files_match_manifest": "missing_files(answer, bucket)",
    "csv_and_parquet_agree": "csv_and_parquet(answer, bucket)",
}
FILE_CHECKS = frozenset({"keys_are_unique", "values_in_range"})
TRANSFORM_EXPRESSIONS: Mapping[str, str] = {
    "rows_reconcile": "reconcile(record, rows)",
    "quarantine_rate_is_normal": "quarantine_rate(rows_in, quarantined, earlier_counts(bucket, record))",
}
LOADED_ROWS = "loaded_rows_match_archive"


@dataclass(frozen=True, slots=True)
class ExportedRule:
    """A check whose evaluation is two statements, as Dagster's check asks them; `binds` a batch's source and day."""

    asset: str
    name: str
    blocking: bool
    binds: bool
    claim: str
    checked: str
    offenders: str
    next_step: str


def rules_of(checks: Sequence[Check]) -> tuple[ExportedRule, ...]:
    """The rules of these checks, in the order of assets and names. Raises where a check is no SQL rule."""
    known = {
        (f"snowflake/{rule.table.snowflake_schema.lower()}/{rule.table.name}", rule.name): rule
        for rule in (*core_rules(), *mart_rules())
    }
    found = []
    for check in checks:
        rule = known.get((check.asset, check.name))
        if rule is None:
            raise uncovered(check)
        found.append(
            ExportedRule(
                check.asset,
                check.name,
                check.blocking,
                "%(" in rule.checked + rule.offenders,
                rule.claim,
                rule.checked,
                rule.offenders,
                rule.next_step,
            )
        )
    return tuple(found)


def require_covered(checks: Sequence[Check], known: Sequence[str]) -> None:
    """Raises UnsupportedDefinitionError where a check is not among those that a gate evaluates."""
    for check in checks:
        if check.name not in known:
            raise uncovered(check)


def uncovered(check: Check) -> UnsupportedDefinitionError:
    """The error about a check that nothing evaluates in Airflow."""
    return UnsupportedDefinitionError(
        f"nothing in the Airflow DAGs evaluates the check {check.name} of {check.asset}",
        "Give it an expression or a rule in the export's coverage.",
    )
