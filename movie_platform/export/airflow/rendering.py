"""A graph as files: what the templates are given, and the templates filled in. The same graph gives the same bytes."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import resources
from typing import Any

import jinja2

from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.contracts.tables import ANNOUNCED_TABLES
from movie_platform.export.airflow import coverage
from movie_platform.export.airflow.embedded import embedded
from movie_platform.export.airflow.export_error import UnsupportedDefinitionError
from movie_platform.export.airflow.form import Asset, Freshness, GraphForm, Retries
from movie_platform.export.airflow.literals import filled, literal, number, text_block
from movie_platform.export.airflow.loading import load_context
from movie_platform.export.airflow.plan import (
    DAG_IDS,
    EXTRACT_DAG,
    EXTRACT_TASK,
    LANDED_TASK,
    LOAD_DAG,
    TRANSFORM_DAG,
    WATCHDOG_DAG,
    Layer,
    Plan,
    StepTask,
    plan_tasks,
)
from movie_platform.settings import Settings

_TEMPLATES = "templates"
# What fits on a line behind the indentation and the argument's name.
_LIST_WIDTH = 80
# What a run may take before Airflow gives it up, as `max_runtime_seconds` of Dagster's own deployment.
RUN_TIMEOUT_SECONDS = 14_400
# What each pool lets run at once, as `default_limit` of the pools in Dagster's own deployment.
POOL_SLOTS = 4
TRANSFORM_POLL_SECONDS = 10
LOAD_POLL_SECONDS = 10
WATCHDOG_CRON = "0 * * * *"
_RAW_AGE = "SELECT MAX(loaded_at) AS newest FROM RAW.BATCHES"
_CORE_AGE = "SELECT MAX(recorded_at) AS newest FROM OPS.LOAD_RUNS"


class ExtractWorker(StrEnum):
    """How Airflow reaches the machine that extracts."""

    BASH = "bash"
    SSM = "ssm"
    SSH = "ssh"


def render_files(
    form: GraphForm, settings: Settings, worker: ExtractWorker = ExtractWorker.BASH
) -> dict[str, str]:
    """Text by file name: the four DAGs, the graph that they are of, and the pools that they need.

    Of the settings only timeouts are used: names, addresses and secrets are the deployment's, and stand in Airflow's
    Variable and connections. Raises UnsupportedDefinitionError.
    """
    plan = plan_tasks(form)
    environment = _environment()
    context = _context(plan, settings, worker)
    files = {
        f"{dag_id}.py": _tidy(environment.get_template(f"{dag_id}.py.j2").render(context))
        for dag_id in DAG_IDS
    }
    files["graph.json"] = form.to_json()
    files["pools.json"] = _pools(form)
    return files


def digest(form: GraphForm) -> str:
    """SHA-256 of a form and the templates: two exports with the same one give the same files."""
    sums = hashlib.sha256(form.to_json().encode())
    folder = resources.files("movie_platform.export.airflow") / _TEMPLATES
    for template in sorted(folder.iterdir(), key=lambda entry: entry.name):
        sums.update(f"\0{template.name}\0".encode() + template.read_bytes())
    return sums.hexdigest()


def _environment() -> jinja2.Environment:
    # Delimiters of its own: the DAGs hold Airflow's `{{ … }}`.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("movie_platform.export.airflow", _TEMPLATES),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is Python, and every value passes `literal`
    )
    environment.filters.update(
        literal=literal,
        sql=text_block,
        number=number,
        fill=filled,
        date_arguments=lambda day: ", ".join(str(int(part)) for part in day.split("-")),
        assets=lambda keys: _name_list([f"ASSETS[{literal(key)}]" for key in keys]),
        names=_name_list,
        list_of=lambda keys: literal(list(keys), _LIST_WIDTH),
        column_rules=_column_rules,
        without_parse_time=_without_parse_time,
    )
    return environment


def _context(plan: Plan, settings: Settings, worker: ExtractWorker) -> dict[str, Any]:
    form = plan.form
    unpack, unpack_gate = plan.only(Layer.UNPACK)
    transform, transform_gate = plan.only(Layer.TRANSFORM)
    landing_keys = plan.external_inlets(TRANSFORM_DAG)
    if len(landing_keys) != 1:
        raise UnsupportedDefinitionError(
            f"the transform reads {', '.join(landing_keys) or 'nothing'}",
            "It is triggered by one asset: the bundle that landed.",
        )
    limits = [asset.freshness for asset in form.assets if asset.freshness is not None]
    if not limits:
        raise UnsupportedDefinitionError(
            "no asset has a freshness policy",
            "Deadlines and the watchdog follow from them: give the marts one.",
        )
    slack = _slack_seconds(min(limits), form.schedule.period_seconds)
    checks_of_unpacked = _sorted_checks(unpack_gate.checks)
    coverage.require_covered(unpack_gate.checks, tuple(coverage.UNPACK_EXPRESSIONS))
    coverage.require_covered(transform_gate.checks, (*coverage.FILE_CHECKS, *coverage.TRANSFORM_EXPRESSIONS))
    extract_inlets = sorted(
        {dep for step in plan.extract_steps for dep in form.upstream(step)}
        - {key for step in plan.extract_steps for key in step.assets}
    )
    extract_outlets = [key for step in plan.extract_steps for key in step.assets]
    return {
        "embedded": embedded,
        "digest": digest(form),
        "not_carried": lambda dag_id: _not_carried(plan, dag_id),
        "worker": worker.value,
        "schedule": form.schedule,
        "owner": _owner(form),
        "dag_tags": lambda dag_id: _tags(plan, dag_id),
        "doc_table": lambda dag_id: _doc_table(plan, dag_id),
        "step_doc": lambda task: _step_doc(form, task),
        "run_timeout_seconds": RUN_TIMEOUT_SECONDS,
        "fail_hours": number(min(limits).fail_seconds / 3600),
        "deadline_seconds": slack,
        "deadline_hours": number(slack / 3600),
        "extract_task": EXTRACT_TASK,
        "landed_task": LANDED_TASK,
        "extract_policy": {"retries": _largest_retries(plan), "pool": None},
        "extract_doc": _extract_doc(plan),
        "extract_inlets": extract_inlets,
        "extract_outlets": extract_outlets,
        "extract_assets": [*extract_inlets, *extract_outlets],
        "landing_key": landing_keys[0],
        "transform_assets": sorted(
            {
                *landing_keys,
                *unpack_gate.outlets,
                *transform_gate.outlets,
                *unpack.outlets,
                *transform.outlets,
            }
        ),
        "unpack": unpack,
        "unpack_gate": unpack_gate,
        "unpack_findings": checks_of_unpacked,
        "unpack_expressions": coverage.UNPACK_EXPRESSIONS,
        "transform": transform,
        "transform_gate": transform_gate,
        "transform_findings": [
            found
            for found in _sorted_checks(transform_gate.checks)
            if found[1] in coverage.TRANSFORM_EXPRESSIONS
        ],
        "transform_expressions": coverage.TRANSFORM_EXPRESSIONS,
        "transform_file_checks": _file_checks(transform_gate.checks),
        "transform_timeout_minutes": settings.glue_job_timeout_minutes,
        "transform_poll_seconds": TRANSFORM_POLL_SECONDS,
        # Glue ends the run at its timeout; ten minutes more for the wait for capacity and Glue's own clock.
        "transform_attempts": (settings.glue_job_timeout_minutes + 10) * 60 // TRANSFORM_POLL_SECONDS,
        "archive_contracts": ARCHIVE_TABLES,
        "announced_tables": ANNOUNCED_TABLES,
        "load_schedule": list(plan.external_inlets(LOAD_DAG)),
        "load_poll_seconds": LOAD_POLL_SECONDS,
        "load_timeout_seconds": settings.load_timeout_seconds,
        "core_timeout_seconds": settings.core_timeout_seconds,
        "watchdog_cron": WATCHDOG_CRON,
        "policies": [
            (asset.key, _age_query(asset), asset.freshness.fail_seconds)
            for asset in form.assets
            if asset.freshness is not None
        ],
        **load_context(plan),
    }


def _slack_seconds(limit: Freshness, period_seconds: int) -> int:
    slack = limit.fail_seconds - period_seconds
    if slack <= 0:
        raise UnsupportedDefinitionError(
            f"a freshness policy fails after {limit.fail_seconds} s, and a run starts every {period_seconds} s",
            "Allow an age of more than the time between two runs.",
        )
    return slack


def _sorted_checks(checks: Any) -> list[tuple[str, str, bool]]:
    return sorted((check.asset, check.name, check.blocking) for check in checks)


def _file_checks(checks: Any) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for asset, name, blocking in _sorted_checks(checks):
        if name in coverage.FILE_CHECKS:
            found.setdefault(asset, {})[name] = blocking
    return found


def _age_query(asset: Asset) -> str:
    """Where the age of an asset is read. A day without rows for a table still has its row in `batches`."""
    if asset.group in {"snowflake_raw", "snowflake_ops"}:
        return _RAW_AGE
    if asset.group in {"snowflake_core", "snowflake_marts"}:
        return _CORE_AGE
    raise UnsupportedDefinitionError(
        f"{asset.key} has a freshness policy, and nothing in Snowflake says how old it is",
        "Give the policy to a table or view of the warehouse.",
    )


def _owner(form: GraphForm) -> str:
    return ", ".join(sorted({owner for asset in form.assets for owner in asset.owners})) or "airflow"


def _members(plan: Plan, dag_id: str) -> list[Asset]:
    return [asset for asset in plan.form.assets if plan.dag_of_asset.get(asset.key) == dag_id]


def _tags(plan: Plan, dag_id: str) -> list[str]:
    members = _members(plan, dag_id)
    tags = {asset.group for asset in members} | {f"{k}:{v}" for asset in members for k, v in asset.tags}
    return ["movies", *sorted(tags)]


def _doc_table(plan: Plan, dag_id: str) -> str:
    rows = [
        f"| {asset.key} | {' '.join(asset.description.split())} | {', '.join(asset.kinds)} |"
        f" {', '.join(asset.owners)} |"
        for asset in _members(plan, dag_id)
    ]
    return "\n".join(["", "| asset | what it is | made with | owners |", "|---|---|---|---|", *rows])


def _step_doc(form: GraphForm, task: StepTask) -> str:
    return " ".join(f"{key}: {' '.join(form.asset(key).description.split())}" for key in task.step.assets)


def _extract_doc(plan: Plan) -> str:
    checks = ", ".join(f"{check.asset}:{check.name}" for check in plan.extract_checks)
    assets = ", ".join(key for step in plan.extract_steps for key in step.assets)
    return f"One command makes {assets}, and evaluates their checks: {checks}."


def _largest_retries(plan: Plan) -> Retries | None:
    found = [step.retries for step in plan.extract_steps if step.retries is not None]
    return max(found, default=None)


def _not_carried(plan: Plan, dag_id: str) -> list[str]:
    lines = list(plan.form.not_carried) if dag_id != WATCHDOG_DAG else []
    lines += _NOTES[dag_id]
    return lines


_NOTES: Mapping[str, tuple[str, ...]] = {
    EXTRACT_DAG: (
        "the checks of the extract and of its bundle are evaluated by the command, which fails with them",
        "jitter of retries: Airflow's back-off has its own",
    ),
    TRANSFORM_DAG: (
        (
            "manifest_is_valid, row_counts_match_manifest and columns_match_contract of unzipped_files rest on the"
            " answer of the function, which verifies by the same rules before it publishes; so do the checks of a"
            " bundle that somebody else landed"
        ),
        "partitions: a run is about the bundles that its events name, whatever their dates",
        "jitter of retries: Airflow's back-off has its own",
    ),
    LOAD_DAG: (
        "files that no event has brought are asked for at once instead of after a minute",
        "partitions: a run is about the batches that its events name, whatever their dates",
        "jitter of retries: Airflow's back-off has its own",
    ),
    WATCHDOG_DAG: ("the warning window of a freshness policy: Airflow has no state between good and failed",),
}


def _pools(form: GraphForm) -> str:
    names = sorted({step.pool for step in form.steps if step.pool})
    pools = {
        name: {
            "slots": POOL_SLOTS,
            "description": "Of the asset graph.",
            # A deferred task waits for a run that still goes: it keeps its place.
            "include_deferred": True,
        }
        for name in names
    }
    return json.dumps(pools, indent=2, sort_keys=True) + "\n"


def _name_list(names: Sequence[str]) -> str:
    """Python text of a list of variables (no strings) that the rendered file defines."""
    flat = f"[{', '.join(names)}]"
    return flat if len(flat) <= _LIST_WIDTH else "[\n" + "".join(f"    {name},\n" for name in names) + "]"


def _column_rules(column: Any) -> str:
    rules = [] if column.nullable else ["nullable=False"]
    for name in ("minimum", "maximum"):
        bound = getattr(column, name)
        if bound is not None:
            rules.append(f'{name}=Decimal("{bound}")')
    return "".join(f", {rule}" for rule in rules)


def _without_parse_time(text: str) -> str:
    """The settings without what is read while the file is parsed, for a DAG that has no trigger and no deadline."""
    return re.sub(r"# A trigger's and a deadline's.*?\n\n\n", "\n\n", text, flags=re.DOTALL)


def _tidy(text: str) -> str:
    """No blanks at line ends, two empty lines above a definition and no more anywhere, one line end at the end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    spaced = re.sub(r"(\n# [^\n]*\n)\n(?=def |class |@)", r"\1\n\n", lines)
    return re.sub(r"\n{4,}", "\n\n\n", spaced).strip() + "\n"
