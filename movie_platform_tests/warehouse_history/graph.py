"""A warehouse of a test's own, and its task graph, run when the test says so and at no other time."""

from snowflake.connector import SnowflakeConnection

from movie_platform.provision.account import prepare_account
from movie_platform.provision.files import SQL_FOLDER
from movie_platform.provision.sql import Pass, SchemaHistory, SqlDeployment, load_sql_files
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.resources.graph_state import ROOT_TASK, GraphRun, TaskRun, graph_runs
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows, wait_for

ROLE = "arn:aws:iam::000000000000:role/archive"
SECONDS = 180
# Rows of the history that are asked for: those of a run that was just executed are among so many.
LATEST = 12


def deploy(cloud: SnowflakeCloud, connection: SnowflakeConnection) -> None:
    """Applies all SQL files and leaves the graph's root suspended: it runs when it is executed only."""
    files = load_sql_files(SQL_FOLDER, sql_parameters(cloud.settings, ROLE))
    database = cloud.settings.snowflake_database
    warehouse = cloud.settings.snowflake_warehouse
    history = SchemaHistory(connection, database)
    prepare_account(cloud.settings, files, query_tag="tests", progress=lambda _line: None)
    deployment = SqlDeployment(
        connection,
        files,
        history,
        role=cloud.settings.snowflake_owner_role,
        warehouse=warehouse,
        progress=lambda _line: None,
    )
    # Without pipes, which need a stack: a test writes into RAW itself, as an administrator.
    deployment.apply(Pass.STORAGE, Pass.WAREHOUSE_OBJECTS)
    rows(connection, f"USE ROLE {cloud.settings.snowflake_admin_role}")
    rows(connection, f"USE DATABASE {database}")
    rows(connection, f"ALTER TASK CORE.{ROOT_TASK} SUSPEND")


def history(connection: SnowflakeConnection) -> dict[str, GraphRun]:
    """The graph's latest runs by their identifier."""
    found = rows(
        connection,
        "SELECT graph_run_group_id, name, state, error_code, error_message, query_id"
        f" FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => {LATEST}))"
        " ORDER BY scheduled_time, query_start_time",
    )
    return graph_runs(TaskRun(*row) for row in found)


def execute(connection: SnowflakeConnection) -> GraphRun:
    """Executes the graph and waits until it is over."""
    before = history(connection).keys()
    rows(connection, f"EXECUTE TASK CORE.{ROOT_TASK}")

    def over() -> GraphRun | None:
        new = [run for name, run in history(connection).items() if name not in before]
        return next((run for run in new if run.over), None)

    return wait_for(over, seconds=SECONDS)


def run(connection: SnowflakeConnection) -> None:
    """Executes the graph, which must not fail."""
    failure = execute(connection).failure
    assert failure is None, f"{failure.task}: {failure.error_code} {failure.error_message}" if failure else ""
