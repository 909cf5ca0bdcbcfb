"""The committed DAGs in Airflow itself: they load, survive serialization, and say what the asset graph says."""

import copy
import json
import os
import subprocess
import sys
import warnings
from datetime import timedelta
from typing import Any

import pytest
from harness import DAGS, QUEUE, ROOT, TOPIC

GRAPH = json.loads((DAGS / "graph.json").read_text("utf-8"))
PIPELINE = ("movie_extract", "movie_transform", "movie_load")
# The steps that one command does, and where its assets are told of.
EXTRACT_TASK, LANDED_TASK = "extract_and_land", "landed"


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    ours = [str(one.message) for one in caught if str(DAGS) in one.filename]
    assert ours == [], "a DAG file uses what is deprecated"
    return dict(bag.dags)


def named(task_id: str) -> str:
    """A task's id without its group's."""
    return task_id.rsplit(".", 1)[-1]


def emitters(dags: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Which task, in which DAG, tells of each asset."""
    found: dict[str, tuple[str, Any]] = {}
    for dag in dags.values():
        for task in dag.tasks:
            for asset in task.outlets:
                assert asset.name not in found, f"{asset.name} is told of twice"
                found[asset.name] = (dag.dag_id, task)
    return found


def step_task(dags: dict[str, Any], step: str) -> tuple[str, Any]:
    """The task that does a step."""
    wanted = EXTRACT_TASK if step in GRAPH["schedule"]["steps"] else step
    [found] = [
        (dag.dag_id, task) for dag in dags.values() for task in dag.tasks if named(task.task_id) == wanted
    ]
    return found


def schedule_assets(dag: Any) -> set[str]:
    """Assets that trigger a DAG."""
    return {asset.name for asset in dag.timetable.asset_condition.objects}


def test_the_folder_holds_the_four_dags(dags: dict[str, Any]):
    assert set(dags) == {*PIPELINE, "movie_watchdog"}


def test_the_files_stand_alone_without_the_platform_and_without_a_variable():
    environment = {name: value for name, value in os.environ.items() if name != "AIRFLOW_VAR_MOVIE_PLATFORM"}
    code = (
        "import runpy, sys; sys.path = [p for p in sys.path if p];"
        "[runpy.run_path(file) for file in sys.argv[1:]];"
        "loaded = [m for m in sys.modules if m.partition('.')[0] in ('movie_platform', 'dagster', 'pyarrow')];"
        "assert not loaded, loaded"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(DAGS.glob("*.py")))],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("dag_id", [*PIPELINE, "movie_watchdog"])
def test_a_dag_comes_out_of_serialization_as_it_went_in(dags: dict[str, Any], dag_id: str):
    from airflow.serialization.serialized_objects import DagSerialization

    dag = dags[dag_id]
    document = json.loads(json.dumps(DagSerialization.serialize_dag(dag)))
    read = DagSerialization.deserialize_dag(document)
    assert set(read.task_dict) == set(dag.task_dict)
    for task_id, task in dag.task_dict.items():
        other = read.task_dict[task_id]
        assert other.downstream_task_ids == task.downstream_task_ids
        assert {asset.name for asset in other.outlets} == {asset.name for asset in task.outlets}
        assert (other.retries, other.retry_delay, other.pool) == (task.retries, task.retry_delay, task.pool)
    assert bool(read.deadline) == bool(dag.deadline)
    assert set(read.params) == set(dag.params)


@pytest.mark.parametrize("dag_id", PIPELINE)
def test_the_deadline_is_what_the_freshness_policies_leave_of_a_day(dags: dict[str, Any], dag_id: str):
    fails = [asset["freshness"]["fail_seconds"] for asset in GRAPH["assets"] if asset["freshness"]]
    [deadline] = dags[dag_id].deadline
    assert deadline.reference.reference_name == "DagRunQueuedAtDeadline"
    assert deadline.interval == timedelta(seconds=min(fails) - GRAPH["schedule"]["period_seconds"])
    assert deadline.callback.path == "airflow.providers.amazon.aws.notifications.sns.SnsNotifier"
    assert deadline.callback.kwargs["target_arn"] == TOPIC


def test_each_step_is_tried_again_as_its_policy_says_and_waits_in_its_pool(dags: dict[str, Any]):
    for step in GRAPH["steps"]:
        _, task = step_task(dags, step["name"])
        policy = step["retries"]
        assert task.retries == policy["max_retries"], step["name"]
        assert task.retry_delay == timedelta(seconds=policy["delay_seconds"])
        assert task.retry_exponential_backoff == (2.0 if policy["backoff"] == "exponential" else 0)
        assert task.pool == (step["pool"] or "default_pool")


def test_each_pool_of_the_tasks_is_in_the_file_of_pools(dags: dict[str, Any]):
    pools = json.loads((DAGS / "pools.json").read_text("utf-8"))
    used = {task.pool for dag in dags.values() for task in dag.tasks} - {"default_pool"}
    assert used == set(pools)
    assert all(pool["include_deferred"] for pool in pools.values())


def test_every_asset_that_the_graph_makes_is_told_of_by_one_task(dags: dict[str, Any]):
    made = {asset["key"] for asset in GRAPH["assets"] if asset["step"]}
    assert set(emitters(dags)) == made


def test_the_edges_of_the_dags_are_the_edges_of_the_graph(dags: dict[str, Any]):
    """What a step reads, its task reads; what tells of that comes before it, in the DAG or as its trigger."""
    told = emitters(dags)
    for asset in GRAPH["assets"]:
        if asset["step"] is None:
            continue
        dag_id, task = step_task(dags, asset["step"])
        teller_dag, teller = told[asset["key"]]
        assert teller_dag == dag_id
        assert teller is task or teller.task_id in task.get_flat_relative_ids(upstream=False)
        step = next(step for step in GRAPH["steps"] if step["name"] == asset["step"])
        reads = {
            dep
            for key in step["assets"]
            for dep in next(a for a in GRAPH["assets"] if a["key"] == key)["deps"]
        }
        if named(task.task_id) != EXTRACT_TASK:
            assert {inlet.name for inlet in task.inlets} == reads - set(step["assets"])
        # What a multi-asset makes of its own assets is inside its one task.
        for dep in set(asset["deps"]) - set(step["assets"]):
            if dep not in told:
                assert dep in {inlet.name for inlet in task.inlets}
                continue
            upstream_dag, upstream = told[dep]
            if upstream_dag != dag_id:
                assert dep in schedule_assets(dags[dag_id])
            elif named(upstream.task_id) != LANDED_TASK:
                assert upstream.task_id in task.get_flat_relative_ids(upstream=True)


def test_nothing_triggers_a_dag_that_the_graph_does_not_know(dags: dict[str, Any]):
    told = emitters(dags)
    for dag_id in ("movie_transform", "movie_load"):
        for asset in schedule_assets(dags[dag_id]):
            assert told[asset][0] != dag_id


def test_an_asset_has_one_name_and_one_address_wherever_it_stands(dags: dict[str, Any]):
    pairs = {
        (asset.name, asset.uri)
        for dag in dags.values()
        for task in dag.tasks
        for asset in (*task.inlets, *task.outlets)
    }
    assert len({name for name, _ in pairs}) == len({uri for _, uri in pairs}) == len(pairs)


def test_the_landing_asset_is_watched_alike_in_every_file_that_names_it(dags: dict[str, Any]):
    watchers = [
        [watcher.trigger.serialize() for watcher in asset.watchers]
        for dag_id in ("movie_extract", "movie_transform")
        for task in dags[dag_id].tasks
        for asset in (*task.inlets, *task.outlets)
        if asset.name == "landing/zipped_bundle"
    ]
    assert len(watchers) >= 2
    for [(classpath, arguments)] in watchers:
        assert classpath == "airflow.providers.amazon.aws.triggers.sqs.SqsSensorTrigger"
        assert (arguments["sqs_queue"], arguments["aws_conn_id"]) == (QUEUE, "aws_default")


def test_what_waits_for_long_does_not_keep_a_worker(dags: dict[str, Any]):
    by_name = {named(task.task_id): task for dag in dags.values() for task in dag.tasks}
    assert by_name["archive_tables"].deferrable
    assert by_name["bundle_is_there"].deferrable
    sensors = [
        task for task in by_name.values() if getattr(task, "mode", None) and task.task_id.startswith("batch.")
    ]
    assert len(sensors) == sum(
        asset["group"] in ("snowflake_raw", "snowflake_ops") for asset in GRAPH["assets"]
    )
    assert {sensor.mode for sensor in sensors} == {"reschedule"}


def test_a_failed_task_and_a_failed_run_are_both_told_of(dags: dict[str, Any]):
    for dag in dags.values():
        assert dag.on_failure_callback
        assert all(task.on_failure_callback for task in dag.tasks), dag.dag_id


def test_the_extract_runs_when_the_schedule_says_and_catches_up_only_when_asked(dags: dict[str, Any]):
    dag = dags["movie_extract"]
    assert dag.timetable.expression == GRAPH["schedule"]["cron"]
    assert dag.start_date.date().isoformat() == GRAPH["schedule"]["first_day"]
    assert dag.catchup is False
    assert {"date", "profile", "label_present"} <= set(dag.params)


@pytest.mark.parametrize("value", ["2026-11-18; rm -rf /", "yesterday"])
def test_a_date_that_is_none_is_refused_before_any_task_runs(dags: dict[str, Any], value: str):
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(dags["movie_extract"].params)
    params.suppress_exception = False
    with pytest.raises(ParamValidationError):
        params["date"] = value


def test_no_file_holds_an_address_of_this_machine_or_a_secret():
    for file in sorted(DAGS.iterdir()):
        text = file.read_text("utf-8")
        for word in (str(ROOT), "/home/", "127.0.0.1", "000000000000", "AKIA", "PRIVATE KEY", "password"):
            assert word not in text, f"{word} in {file.name}"
