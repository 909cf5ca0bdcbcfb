"""CORE after the server or the task ended in the middle of a run: nothing half done, and the next run completes."""

from collections.abc import Callable

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.resources.graph_state import ROOT_TASK
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows, wait_for
from movie_platform_tests.warehouse_history import core, graph, raw
from movie_platform_tests.warehouse_history.reference import star
from movie_platform_tests.warehouse_history.samples import batch, film, parts

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(600)]

TAG = "k"


def states(connection: SnowflakeConnection, task: str) -> list[str]:
    """States of a task's runs, the newest first."""
    found = rows(
        connection,
        "SELECT state FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => %s)) ORDER BY query_start_time DESC",
        [task],
    )
    return [state for (state,) in found]


def kill_the_server(cloud: SnowflakeCloud, connection: SnowflakeConnection, task: str) -> None:
    cloud.kill()
    cloud.up()


def cancel_the_task(cloud: SnowflakeCloud, connection: SnowflakeConnection, task: str) -> None:
    rows(connection, f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('CORE.{task}')")


@pytest.mark.parametrize("end", [kill_the_server, cancel_the_task])
@pytest.mark.parametrize("task", ["COLLECT_ARRIVALS", "APPLY_BATCHES"])
def test_a_run_that_is_cut_off_leaves_core_as_it_was_and_the_next_one_completes(
    snowflake_cloud: SnowflakeCloud,
    task: str,
    end: Callable[[SnowflakeCloud, SnowflakeConnection, str], None],
):
    tag = f"{TAG}{task[0].lower()}{end.__name__[0]}"
    before = batch(tag, 0, *(film(tag, str(number)) for number in range(30)))
    after = batch(tag, 1, *(film(tag, str(number), title="Changed") for number in range(5, 40)))
    with snowflake_cloud.connect() as connection:
        graph.deploy(snowflake_cloud, connection)
        raw.load(connection, parts(before))
        graph.run(connection)
        raw.load(connection, parts(after))
        # An object that changes has the server translate the tasks' statements anew: the run takes long enough.
        rows(connection, "CREATE OR REPLACE TABLE CORE.INTERRUPTED (number INT)")
        rows(connection, f"EXECUTE TASK CORE.{ROOT_TASK}")
        wait_for(lambda: states(connection, task)[:1] == ["EXECUTING"], seconds=60)
        end(snowflake_cloud, connection, task)
    with snowflake_cloud.connect() as connection:
        rows(connection, f"USE DATABASE {snowflake_cloud.settings.snowflake_database}")
        wait_for(lambda: states(connection, task)[0] in ("FAILED", "CANCELLED"), seconds=60)
        assert core.read(connection, [tag], tag) == star([before])
        graph.run(connection)
        assert core.read(connection, [tag], tag) == star([before, after])
        errors = rows(
            connection,
            "SELECT state, error_code IS NOT NULL FROM OPS.TASK_ERRORS WHERE task_name = %s",
            [task],
        )
        assert set(errors) == {(state, True) for state in states(connection, task) if state != "SUCCEEDED"}
