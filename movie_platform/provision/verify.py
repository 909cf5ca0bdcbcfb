"""Whether what was deployed to Snowflake is as it should be: pipes run, tasks are started, streams are fresh."""

from collections.abc import Iterable, Mapping
from json import loads
from typing import TYPE_CHECKING, Any

from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.errors import PlatformError
from movie_platform.provision.render import Parameter
from movie_platform.resources.graph_state import TASKS
from movie_platform.resources.snowflake_connection import query_rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

Row = Mapping[str, Any]


class NotAsDescribedError(PlatformError):
    """Something was deployed without an error and is not as it should be."""


def require_as_described(connection: "SnowflakeConnection", database: str) -> None:
    """Looks at pipes, tasks and streams of the database. Raises NotAsDescribedError, which names all that is wrong."""
    name = Parameter("identifier", database).sql("database")
    found = [
        *faults_of_pipes(_pipe_states(connection, name)),
        *faults_of_tasks(query_rows(connection, f"SHOW TASKS IN SCHEMA {name}.CORE")),
        *faults_of_streams(query_rows(connection, f"SHOW STREAMS IN DATABASE {name}")),
    ]
    if found:
        raise NotAsDescribedError(
            "not_as_described",
            f"What was deployed to {name} is not as it should be: {'; '.join(found)}.",
            "docs/operations.md says how each of these is mended; then provision again.",
        )


def faults_of_pipes(states: Mapping[str, str]) -> list[str]:
    """What is wrong with the pipes; `states` are the execution states of SYSTEM$PIPE_STATUS by SCHEMA.PIPE."""
    expected = [f"{table.snowflake_schema}.{table.name}_PIPE".upper() for table in ARCHIVE_TABLES]
    missing = [f"pipe {name} is missing" for name in expected if name not in states]
    return missing + [
        f"pipe {name} is {state}"
        for name, state in sorted(states.items())
        if name in expected and state != "RUNNING"
    ]


def faults_of_tasks(tasks: Iterable[Row]) -> list[str]:
    """What is wrong with the tasks, as SHOW TASKS shows them."""
    states = {str(row["name"]).upper(): str(row["state"]).lower() for row in tasks}
    return [
        f"task CORE.{name} is {states.get(name, 'missing')}"
        for name in TASKS
        if states.get(name) != "started"
    ]


def faults_of_streams(streams: Iterable[Row]) -> list[str]:
    """Streams that went stale, as SHOW STREAMS shows them: what they had not given is lost to them."""
    return [
        f"stream {row['schema_name']}.{row['name']} is stale"
        for row in streams
        if str(row["stale"]).lower() == "true"
    ]


def _pipe_states(connection: "SnowflakeConnection", database: str) -> dict[str, str]:
    states: dict[str, str] = {}
    for pipe in query_rows(connection, f"SHOW PIPES IN DATABASE {database}"):
        name = f"{pipe['schema_name']}.{pipe['name']}".upper()
        [row] = query_rows(connection, "SELECT SYSTEM$PIPE_STATUS(%s) AS status", (f"{database}.{name}",))
        states[name] = str(loads(row["status"])["executionState"])
    return states
