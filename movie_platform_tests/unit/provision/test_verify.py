"""What is not as it should be after a deployment is found in what Snowflake shows."""

from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.provision.verify import faults_of_pipes, faults_of_streams, faults_of_tasks
from movie_platform.resources.graph_state import TASKS

RUNNING = {f"{table.snowflake_schema}.{table.name}_PIPE".upper(): "RUNNING" for table in ARCHIVE_TABLES}


def test_pipes_that_run_are_no_fault():
    assert faults_of_pipes(RUNNING) == []


def test_a_pipe_that_is_missing_or_does_not_run_is_named():
    states = {**RUNNING, "RAW.MOVIES_PIPE": "PAUSED"}
    del states["RAW.BATCHES_PIPE"]
    assert faults_of_pipes(states) == ["pipe RAW.BATCHES_PIPE is missing", "pipe RAW.MOVIES_PIPE is PAUSED"]


def test_a_task_that_is_suspended_or_missing_is_named():
    tasks = [{"name": name, "state": "started"} for name in TASKS[1:]]
    assert faults_of_tasks(tasks) == [f"task CORE.{TASKS[0]} is missing"]
    assert faults_of_tasks([*tasks, {"name": TASKS[0], "state": "suspended"}]) == [
        f"task CORE.{TASKS[0]} is suspended"
    ]
    assert faults_of_tasks([*tasks, {"name": TASKS[0], "state": "started"}]) == []


def test_a_stream_that_went_stale_is_named():
    streams = [
        {"schema_name": "RAW", "name": "MOVIES_STREAM", "stale": "true"},
        {"schema_name": "RAW", "name": "BATCHES_STREAM", "stale": "false"},
    ]
    assert faults_of_streams(streams) == ["stream RAW.MOVIES_STREAM is stale"]
