"""The export to Airflow without Airflow: the graph as a form, what is refused, and files that are of this graph."""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from movie_platform.assets.core import build_core_tables
from movie_platform.build import build_defs
from movie_platform.checks.core import build_core_checks
from movie_platform.cli import app
from movie_platform.contracts.warehouse import CORE_TABLES
from movie_platform.export.airflow import (
    ExtractWorker,
    GraphForm,
    UnsupportedDefinitionError,
    airflow_variables,
    read_graph,
    render_files,
)
from movie_platform.export.airflow.embedded import embedded
from movie_platform.export.airflow.literals import literal, text_block
from movie_platform.export.airflow.plan import DAG_IDS, plan_tasks
from movie_platform.export.airflow.rendering import POOL_SLOTS, RUN_TIMEOUT_SECONDS
from movie_platform.graph.partitions import daily_partitions
from movie_platform.settings import Settings
from movie_platform_tests.paths import ROOT

COMMITTED = ROOT / "deploy" / "airflow" / "dags"
SETTINGS = Settings(home=Path("never-started"))


def with_core(defs: dg.Definitions) -> dg.Definitions:
    """The definitions with CORE's assets and checks, whether or not the graph has them already."""
    made = {
        key for asset in defs.assets or () if isinstance(asset, dg.AssetsDefinition) for key in asset.keys
    }
    if any(key.path[:2] == ["snowflake", "core"] for key in made):
        return defs
    partitions = daily_partitions(SETTINGS.first_date)
    return dg.Definitions(
        assets=[*(defs.assets or ()), build_core_tables(SETTINGS, partitions, "demo")],
        asset_checks=[*(defs.asset_checks or ()), *build_core_checks("demo")],
        jobs=defs.jobs,
        schedules=defs.schedules,
        sensors=defs.sensors,
        resources=defs.resources,
    )


@cache
def form() -> GraphForm:
    return read_graph(build_defs(SETTINGS))


@cache
def core_form() -> GraphForm:
    return read_graph(with_core(build_defs(SETTINGS)))


@cache
def files() -> dict[str, str]:
    return render_files(form(), SETTINGS)


def names_in(node: ast.expr) -> set[str]:
    """Addresses of assets in an `inlets=` or `outlets=` argument: the strings inside."""
    return {
        found.value
        for found in ast.walk(node)
        if isinstance(found, ast.Constant) and isinstance(found.value, str)
    }


def stated(text: str, argument: str) -> dict[str, set[str]]:
    """What each task of a file states for an argument, by task id; `text` is the file."""
    found: dict[str, set[str]] = {}
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        arguments = {keyword.arg: keyword.value for keyword in call.keywords}
        task_id = arguments.get("task_id")
        if isinstance(task_id, ast.Constant) and argument in arguments:
            found[str(task_id.value)] = names_in(arguments[argument])
    return found


def test_the_adapter_reads_what_dagster_keeps_where_it_expects_it():
    """The contract with Dagster's internals: a new version that keeps these elsewhere fails here first."""
    policy = dg.RetryPolicy(max_retries=3, delay=7, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
    days = dg.DailyPartitionsDefinition("2026-01-02")

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["a", "one"],
                deps=[["z", "source"]],
                group_name="raw",
                kinds={"s3"},
                owners=["team:x"],
                tags={"layer": "l"},
                freshness_policy=dg.FreshnessPolicy.time_window(
                    fail_window=_hours(36), warn_window=_hours(26)
                ),
            ),
            dg.AssetSpec(["a", "two"], deps=[["a", "one"]], group_name="raw"),
        ],
        name="both",
        retry_policy=policy,
        pool="glue",
        partitions_def=days,
    )
    def both():
        raise NotImplementedError

    @dg.asset_check(asset=["a", "one"], name="holds", blocking=True, description="It holds.")
    def holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    job = dg.define_asset_job("day", selection=dg.AssetSelection.assets(["a", "one"], ["a", "two"]))
    schedule = dg.ScheduleDefinition(
        name="daily", job=job, cron_schedule="5 4 * * *", execution_timezone="Europe/Paris"
    )
    found = read_graph(
        dg.Definitions(
            assets=[dg.AssetSpec(["z", "source"]), both], asset_checks=[holds], schedules=[schedule]
        )
    )
    [step] = found.steps
    assert (step.name, step.assets, step.pool, step.partitioned) == ("both", ("a/one", "a/two"), "glue", True)
    assert step.retries is not None
    assert (step.retries.max_retries, step.retries.delay_seconds) == (3, 7.0)
    assert (step.retries.backoff, step.retries.jitter) == ("exponential", True)
    one = found.asset("a/one")
    assert (one.group, one.kinds, one.owners, one.tags) == ("raw", ("s3",), ("team:x",), (("layer", "l"),))
    assert one.freshness is not None
    assert (one.freshness.fail_seconds, one.freshness.warn_seconds) == (36 * 3600, 26 * 3600)
    assert found.asset("z/source").step is None
    assert found.edges() == {("z/source", "a/one"), ("a/one", "a/two")}
    [check] = found.checks
    assert (check.asset, check.name, check.blocking, check.step) == ("a/one", "holds", True, "a__one_holds")
    assert (found.schedule.cron, found.schedule.timezone) == ("5 4 * * *", "Europe/Paris")
    assert (found.schedule.first_day, found.schedule.steps) == ("2026-01-02", ("both",))


def _hours(number: int) -> Any:
    from datetime import timedelta

    return timedelta(hours=number)


def test_the_form_has_the_edges_of_dagsters_own_graph():
    graph = build_defs(SETTINGS).resolve_asset_graph()
    edges = {
        ("/".join(parent.path), "/".join(key.path))
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
    }
    assert form().edges() == edges


@pytest.mark.parametrize("which", [form, core_form], ids=["graph", "with core"])
def test_the_tasks_state_the_edges_of_the_graph(which: Callable[[], GraphForm]):
    found = which()
    assert plan_tasks(found).edges() == found.step_edges()


def test_the_files_read_and_tell_of_the_assets_that_the_graph_says():
    told: dict[str, str] = {}
    for dag_id in DAG_IDS:
        text = files()[f"{dag_id}.py"]
        for task_id, assets in stated(text, "outlets").items():
            for asset in assets:
                assert told.setdefault(asset, task_id) == task_id, f"{asset} is told of twice"
        for task_id, assets in stated(text, "inlets").items():
            if task_id in {step.name for step in form().steps}:
                assert assets == set(form().upstream(form().step(task_id)))
    assert set(told) == {asset.key for asset in form().assets if asset.step}
    gates = {
        check.asset: check.step
        for check in form().checks
        if check.step not in ("raw_extract_checks", "zipped_bundle_checks")
    }
    assert {asset: told[asset] for asset in gates} == gates, "what a check is about is told of by its gate"


def test_the_same_graph_gives_the_same_bytes():
    assert render_files(read_graph(build_defs(SETTINGS)), SETTINGS) == files()


def test_the_order_of_the_definitions_does_not_matter():
    defs = build_defs(SETTINGS)
    turned = dg.Definitions(
        assets=list(reversed(list(defs.assets or ()))),
        asset_checks=list(reversed(list(defs.asset_checks or ()))),
        jobs=defs.jobs,
        schedules=defs.schedules,
        sensors=defs.sensors,
        resources=defs.resources,
    )
    assert read_graph(turned).to_json() == form().to_json()


def test_the_committed_dags_are_a_fresh_export_byte_for_byte():
    committed = {path.name: path.read_bytes() for path in COMMITTED.iterdir() if path.is_file()}
    fresh = {name: text.encode() for name, text in files().items()}
    assert committed == fresh, "run `make airflow-dags` and commit what changed"


def test_a_changed_graph_changes_the_files_and_their_hash():
    [first, *rest] = form().steps
    assert first.retries is not None
    changed = replace(form(), steps=(replace(first, retries=replace(first.retries, max_retries=9)), *rest))
    other = render_files(changed, SETTINGS)
    hashes = {
        re.findall(r"Form and templates: ([0-9a-f]{64})", text)[0]
        for text in (other["movie_load.py"], files()["movie_load.py"])
    }
    assert len(hashes) == 2
    assert "retries=9" in "".join(other.values())


@pytest.mark.parametrize("which", [form, core_form], ids=["graph", "with core"])
@pytest.mark.parametrize("worker", list(ExtractWorker))
def test_every_variant_is_python_that_imports_nothing_of_the_platform(
    which: Callable[[], GraphForm], worker: ExtractWorker
):
    for name, text in render_files(which(), SETTINGS, worker).items():
        if name.endswith(".py"):
            modules = {
                module.partition(".")[0]
                for node in ast.walk(ast.parse(text))
                for module in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert not modules & {"movie_platform", "glue_scripts", "dagster"}
            assert "airflow" in modules


def test_core_becomes_one_task_and_one_gate_with_the_rules_of_the_checks():
    text = render_files(core_form(), SETTINGS)["movie_load.py"]
    outlets = stated(text, "outlets")
    assert "core_tables" not in outlets, "the gate tells of CORE"
    assert outlets["core_checks"] == {f"snowflake/core/{table.name}" for table in CORE_TABLES}
    assert "one_current_version_per_key" in text
    assert "def until_applied" in text


def test_a_group_without_a_template_is_an_error():
    asset = replace(form().asset("archive/movies"), group="elsewhere")
    rest = tuple(a for a in form().assets if a.key != asset.key)
    with pytest.raises(UnsupportedDefinitionError, match="elsewhere"):
        plan_tasks(replace(form(), assets=tuple(sorted((*rest, asset), key=lambda a: a.key))))


def test_a_check_that_nothing_evaluates_is_an_error():
    check = replace(next(c for c in form().checks if c.step == "archive_checks"), name="films_are_good")
    with pytest.raises(UnsupportedDefinitionError, match="films_are_good"):
        render_files(replace(form(), checks=(*form().checks, check)), SETTINGS)


def test_an_unknown_sensor_is_an_error():
    @dg.sensor(name="stranger", job_name="extract_day")
    def stranger() -> None: ...

    defs = build_defs(SETTINGS)
    more = dg.Definitions(
        assets=defs.assets,
        asset_checks=defs.asset_checks,
        jobs=defs.jobs,
        schedules=defs.schedules,
        sensors=[*(defs.sensors or ()), stranger],
        resources=defs.resources,
    )
    with pytest.raises(UnsupportedDefinitionError, match="stranger"):
        read_graph(more)


def test_limits_are_those_of_dagsters_own_deployment():
    instance = yaml.safe_load((ROOT / "deploy" / "dagster" / "dagster.yaml").read_text("utf-8"))
    assert instance["concurrency"]["pools"]["default_limit"] == POOL_SLOTS
    assert instance["run_monitoring"]["max_runtime_seconds"] == RUN_TIMEOUT_SECONDS


def test_the_variable_holds_names_and_no_secret():
    found = json.loads(airflow_variables(SETTINGS))["movie_platform"]
    assert found["processed_bucket"] == SETTINGS.bucket("processed")
    assert found["arrivals_queue_url"].endswith("/movie-platform-arrivals")
    secret = SETTINGS.aws_secret_access_key
    assert secret is not None
    assert secret.get_secret_value() not in found.values()


def test_the_command_writes_the_files_and_the_variable(tmp_path: Path):
    out, variables = tmp_path / "dags", tmp_path / "variables.json"
    result = CliRunner().invoke(
        app,
        ["--home", str(tmp_path), "export", "airflow", "--out", str(out), "--variables", str(variables)],
    )
    assert result.exit_code == 0, result.output
    assert {path.name: path.read_text("utf-8") for path in out.iterdir()} == files()
    assert list(json.loads(variables.read_text("utf-8"))) == ["movie_platform"]


def test_a_name_that_moved_cannot_be_embedded():
    with pytest.raises(UnsupportedDefinitionError, match="nobody"):
        embedded("movie_platform.resources.loading", "assess", "nobody")


def test_embedded_code_is_the_modules_own():
    text = embedded("movie_platform.resources.loading", "REFRESHABLE", "can_be_refreshed")
    assert text.startswith("# `ALTER PIPE … REFRESH` takes files")
    assert "def can_be_refreshed" in text
    assert "class Evidence" not in text


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        'with "quotes"',
        "both \" and '",
        "a\nb\\c",
        ("one",),
        ["a", ("b", 1)],
        {"a": {"b": None}},
        True,
    ],
)
def test_a_literal_reads_back_as_its_value(value: Any):
    assert ast.literal_eval(literal(value)) == value


def test_a_long_literal_reads_back_as_its_value():
    value = {f"key {number}": ["word " * 5] * 4 for number in range(6)}
    assert ast.literal_eval(literal(value)) == value


def test_a_statement_keeps_its_words():
    statement = "\n    SELECT a\n    FROM b\n      WHERE c = 'x'\n"
    assert ast.literal_eval(text_block(statement)).split() == statement.split()
