"""The form of every check's result: a claim that holds or does not, with evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

SAMPLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `counts` are named numbers; `offenders` a sample, all with the same keys."""

    passed: bool
    summary: str
    counts: Mapping[str, int | float] = field(default_factory=dict)
    offenders: Sequence[Mapping[str, str | int | float | bool | None]] = ()
    next_step: str = ""


def check_result(
    key: dg.AssetKey,
    name: str,
    finding: Finding,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """A finding as the result of a check: counts, offenders as a table, and what to do where it did not pass."""
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.float(value) if isinstance(value, float) else dg.MetadataValue.int(value)
        for name, value in finding.counts.items()
    }
    if finding.offenders:
        records = [dg.TableRecord(dict(offender)) for offender in finding.offenders[:SAMPLE_ROWS]]
        columns = [dg.TableColumn(column, "string") for column in finding.offenders[0]]
        metadata["offenders"] = dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))
    if not finding.passed and finding.next_step:
        metadata["next_step"] = dg.MetadataValue.text(finding.next_step)
    return dg.AssetCheckResult(
        passed=finding.passed,
        asset_key=key,
        check_name=name,
        severity=severity,
        description=finding.summary,
        metadata=metadata,
    )
