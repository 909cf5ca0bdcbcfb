"""Tasks of the local Snowflake.

What is tested is what Snowflake documents: "Introduction to tasks" (docs.snowflake.com/en/user-guide/tasks-intro),
"Create a sequence of tasks with a task graph" (docs.snowflake.com/en/user-guide/tasks-graphs), "CREATE TASK"
(docs.snowflake.com/en/sql-reference/sql/create-task) and its neighbours, "TASK_HISTORY"
(docs.snowflake.com/en/sql-reference/functions/task_history).
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, dicts, rows, wait_for

pytestmark = pytest.mark.cloud

# A query that takes minutes: whoever waits for its end has not been cancelled.
SLOW = "SELECT count(*) FROM many a, many b, many c WHERE a.id + b.id + c.id = 7"
HISTORY = (
    "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY()) WHERE schema_name = CURRENT_SCHEMA()"
    " ORDER BY query_start_time"
)


class Place:
    """A schema with tables FILMS and SEEN, and the stream NEWS on FILMS."""

    def __init__(self, cloud: SnowflakeCloud) -> None:
        self.cloud = cloud
        self.schema = f"S{uuid.uuid4().hex[:10]}".upper()
        self.connection = self.connect()
        self.run("CREATE WAREHOUSE IF NOT EXISTS small")
        self.run("CREATE DATABASE IF NOT EXISTS TASKS")
        self.run(f"CREATE SCHEMA TASKS.{self.schema}")
        self.run(f"USE SCHEMA TASKS.{self.schema}")
        self.run("CREATE TABLE films (id INTEGER, title VARCHAR)")
        self.run("CREATE TABLE seen (id INTEGER, title VARCHAR)")
        self.run("CREATE STREAM news ON TABLE films APPEND_ONLY = TRUE")

    def connect(self) -> SnowflakeConnection:
        connection = self.cloud.connect()
        if hasattr(self, "connection"):
            rows(connection, f"USE SCHEMA TASKS.{self.schema}")
        return connection

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.connection, sql)

    def seen(self) -> list[int]:
        return [row[0] for row in self.run("SELECT id FROM seen ORDER BY id")]

    def history(self) -> list[dict[str, Any]]:
        return dicts(self.connection, HISTORY)

    def states(self) -> list[tuple[str, str]]:
        return [(row["NAME"], row["STATE"]) for row in self.history()]

    def ended(self, count: int) -> list[dict[str, Any]]:
        """The history, as soon as it has this many runs that are over."""
        return wait_for(
            lambda: (
                found
                if len(found := self.history()) >= count and all(row["STATE"] != "EXECUTING" for row in found)
                else None
            )
        )

    def make_many(self) -> None:
        self.run("CREATE TABLE many AS SELECT seq4() AS id FROM TABLE(GENERATOR(ROWCOUNT => 5000))")


@pytest.fixture
def place(snowflake_cloud: SnowflakeCloud) -> Iterator[Place]:
    made = Place(snowflake_cloud)
    yield made
    made.connection.close()


@pytest.fixture(scope="module", autouse=True)
def scheduled(snowflake_cloud: SnowflakeCloud) -> Place:
    """Tasks with the shortest schedule, made first, so that nobody has to wait for them."""
    place = Place(snowflake_cloud)
    place.run("CREATE TASK due SCHEDULE = '10 SECONDS' AS INSERT INTO seen VALUES (1, 'due')")
    place.run(
        "CREATE TASK idle SCHEDULE = '10 SECONDS' WHEN SYSTEM$STREAM_HAS_DATA('news')"
        " AS INSERT INTO seen VALUES (2, 'never')"
    )
    place.run("CREATE TASK asleep SCHEDULE = '10 SECONDS' AS INSERT INTO seen VALUES (3, 'never')")
    for name in ("due", "idle"):
        place.run(f"ALTER TASK {name} RESUME")
    return place


def test_a_task_that_is_executed_runs_its_statement_and_keeps_its_history(place: Place) -> None:
    """EXECUTE TASK: a single run, asynchronous; TASK_HISTORY: its columns."""
    place.run("CREATE TASK once WAREHOUSE = small AS INSERT INTO seen VALUES (1, 'a')")
    assert place.run("EXECUTE TASK once") == [("Task ONCE is scheduled to run immediately.",)]
    [run] = place.ended(1)
    assert place.seen() == [1]
    assert (run["NAME"], run["DATABASE_NAME"], run["STATE"]) == ("ONCE", "TASKS", "SUCCEEDED")
    assert run["QUERY_TEXT"] == "INSERT INTO seen VALUES (1, 'a')"
    assert (run["ERROR_CODE"], run["ERROR_MESSAGE"], run["SCHEDULED_FROM"]) == (None, None, "EXECUTE TASK")
    assert run["SCHEDULED_TIME"] <= run["QUERY_START_TIME"] <= run["COMPLETED_TIME"]


def test_a_new_task_is_suspended_and_runs_by_no_schedule(place: Place) -> None:
    """create-task: newly created tasks are suspended; execute-task: a suspended root is run without resuming it."""
    place.run("CREATE TASK once SCHEDULE = '1 MINUTE' AS INSERT INTO seen VALUES (1, 'a')")
    assert dicts(place.connection, "SHOW TASKS")[0]["state"] == "suspended"
    place.run("EXECUTE TASK once")
    place.ended(1)
    assert dicts(place.connection, "DESCRIBE TASK once")[0]["state"] == "suspended"


def test_a_graph_runs_its_resumed_tasks_in_order(place: Place) -> None:
    """tasks-graphs: children run after their predecessors; execute-task: suspended children are passed over."""
    place.run("CREATE TASK one AS INSERT INTO seen VALUES (1, '')")
    place.run("CREATE TASK two AFTER one AS INSERT INTO seen SELECT max(id) + 1, '' FROM seen")
    place.run("CREATE TASK three AFTER one, two AS INSERT INTO seen SELECT max(id) * 10, '' FROM seen")
    place.run("CREATE TASK out AFTER one AS INSERT INTO seen VALUES (99, '')")
    for name in ("two", "three"):
        place.run(f"ALTER TASK {name} RESUME")
    place.run("EXECUTE TASK one")
    runs = place.ended(3)
    assert [(run["NAME"], run["STATE"]) for run in runs] == [
        ("ONE", "SUCCEEDED"),
        ("TWO", "SUCCEEDED"),
        ("THREE", "SUCCEEDED"),
    ]
    assert place.seen() == [1, 2, 20]
    assert len({(run["GRAPH_RUN_GROUP_ID"], run["RUN_ID"], run["ROOT_TASK_ID"]) for run in runs}) == 1


def test_a_task_that_fails_keeps_its_error_undoes_its_transaction_and_stops_the_graph(place: Place) -> None:
    """tasks-graphs: a child runs only when its predecessors completed successfully; task_history: ERROR_MESSAGE."""
    place.run("INSERT INTO films VALUES (1, 'a')")
    place.run(
        "CREATE TASK one AS BEGIN INSERT INTO seen VALUES (100, 'committed by itself'); BEGIN TRANSACTION;"
        " INSERT INTO seen SELECT id, title FROM news; INSERT INTO seen SELECT 1 / 0, ''; COMMIT; END"
    )
    place.run("CREATE TASK two AFTER one AS INSERT INTO seen VALUES (2, '')")
    place.run("ALTER TASK two RESUME")
    place.run("EXECUTE TASK one")
    [run] = place.ended(1)
    assert (run["NAME"], run["STATE"], run["ERROR_CODE"]) == ("ONE", "FAILED", "100051")
    assert run["ERROR_MESSAGE"] == "Division by zero"
    assert place.seen() == [100]
    assert place.run("SELECT id FROM news") == [(1,)]
    place.run("ALTER TASK one MODIFY AS INSERT INTO seen SELECT id, title FROM news")
    place.run("EXECUTE TASK one")
    assert place.ended(3)[-1]["NAME"] == "TWO"
    assert place.seen() == [1, 2, 100]
    assert place.run("SELECT * FROM news") == []
    failed = rows(
        place.connection,
        "SELECT name FROM TABLE(TASKS.INFORMATION_SCHEMA.TASK_HISTORY(ERROR_ONLY => TRUE, TASK_NAME => 'one',"
        " SCHEDULED_TIME_RANGE_START => DATEADD(hour, -1, CURRENT_TIMESTAMP()), RESULT_LIMIT => 10))"
        " WHERE schema_name = CURRENT_SCHEMA()",
    )
    assert failed == [("ONE",)]


def test_a_transaction_that_a_task_leaves_open_is_rolled_back_and_the_task_fails(place: Place) -> None:
    """transactions, "Scoped transactions": what a block begins it must end."""
    place.run("CREATE TASK one AS BEGIN BEGIN TRANSACTION; INSERT INTO seen VALUES (1, ''); END")
    place.run("EXECUTE TASK one")
    [run] = place.ended(1)
    assert (run["STATE"], run["ERROR_CODE"]) == ("FAILED", "090232")
    assert place.seen() == []


def test_a_body_may_hold_many_statements_of_all_kinds_in_one_transaction(place: Place) -> None:
    """create-task, <sql>: a block; introduction to transactions: explicit transactions in it."""
    statements = [
        "INSERT INTO films VALUES (1, 'b'), (1, 'a'), (2, 'c')",
        "INSERT INTO seen SELECT id, title FROM films QUALIFY row_number() OVER (PARTITION BY id ORDER BY title) = 1",
        (
            "MERGE INTO seen USING (SELECT 2 AS id, 'two' AS title UNION ALL SELECT 3, 'three') n ON seen.id = n.id"
            " WHEN MATCHED THEN UPDATE SET title = n.title"
            " WHEN NOT MATCHED THEN INSERT (id, title) VALUES (n.id, n.title)"
        ),
        (
            "UPDATE seen SET title = f.title FROM (SELECT id, listagg(title, '|') WITHIN GROUP (ORDER BY title)"
            " AS title FROM films GROUP BY id) f WHERE seen.id = f.id AND seen.id = 1"
        ),
        "DELETE FROM seen USING films f WHERE seen.id = f.id AND f.title = 'c'",
        "INSERT INTO seen SELECT 4, sha2('x', 256)",
        *(f"INSERT INTO seen VALUES ({number}, 'more')" for number in range(100, 140)),
    ]
    place.run(f"CREATE TASK many AS BEGIN BEGIN TRANSACTION; {'; '.join(statements)}; COMMIT; END")
    place.run("EXECUTE TASK many")
    [run] = place.ended(1)
    assert (run["STATE"], run["ERROR_MESSAGE"]) == ("SUCCEEDED", None)
    found = dict(place.run("SELECT id, title FROM seen"))
    assert len(found) == 43
    assert (found[1], found[3]) == ("a|b", "three")
    assert found[4] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def test_a_task_whose_condition_is_false_is_skipped_and_its_children_do_not_run(place: Place) -> None:
    """create-task, WHEN; task_history: SKIPPED. EXECUTE TASK says nothing of WHEN: the condition holds for it too."""
    place.run("CREATE TASK one WHEN SYSTEM$STREAM_HAS_DATA('news') AS INSERT INTO seen SELECT * EXCLUDE ("
              "METADATA$ACTION, METADATA$ISUPDATE, METADATA$ROW_ID) FROM news")  # fmt: skip
    place.run("CREATE TASK two AFTER one AS INSERT INTO seen VALUES (2, '')")
    place.run("ALTER TASK two RESUME")
    place.run("EXECUTE TASK one")
    [run] = place.ended(1)
    assert (run["NAME"], run["STATE"]) == ("ONE", "SKIPPED")
    assert run["ERROR_MESSAGE"] == "Conditional expression for task evaluated to false."
    place.run("INSERT INTO films VALUES (1, '')")
    place.run("EXECUTE TASK one")
    place.ended(3)
    assert place.seen() == [1, 2]


def test_a_task_without_a_schedule_is_triggered_by_its_stream(place: Place) -> None:
    """tasks-triggered: a task with WHEN SYSTEM$STREAM_HAS_DATA and no SCHEDULE runs when the stream has data."""
    place.run(
        "CREATE TASK triggered WHEN SYSTEM$STREAM_HAS_DATA('news') AS INSERT INTO seen SELECT id, title FROM news"
    )
    place.run("ALTER TASK triggered RESUME")
    place.run("INSERT INTO films VALUES (1, '')")
    [run] = place.ended(1)
    assert (run["STATE"], place.seen()) == ("SUCCEEDED", [1])
    place.run("ALTER TASK triggered SUSPEND")


def test_a_run_that_takes_too_long_is_cancelled_and_has_failed(place: Place) -> None:
    """create-task, USER_TASK_TIMEOUT_MS; task_history: timed-out tasks are FAILED."""
    place.make_many()
    place.run(
        "CREATE TASK slow USER_TASK_TIMEOUT_MS = 300 AS"
        f" BEGIN BEGIN TRANSACTION; INSERT INTO seen VALUES (1, ''); {SLOW}; COMMIT; END"
    )
    place.run("EXECUTE TASK slow")
    [run] = place.ended(1)
    assert (run["STATE"], run["ERROR_CODE"], place.seen()) == ("FAILED", "000630", [])


def test_a_run_can_be_cancelled_and_leaves_nothing_behind(place: Place) -> None:
    """system_user_task_cancel_ongoing_executions: cancels a run that is EXECUTING."""
    place.make_many()
    place.run("INSERT INTO films VALUES (1, '')")
    place.run(
        "CREATE TASK slow AS BEGIN BEGIN TRANSACTION; INSERT INTO seen SELECT id, title FROM news;"
        f" {SLOW}; COMMIT; END"
    )
    place.run("CREATE TASK after_slow AFTER slow AS INSERT INTO seen VALUES (2, '')")
    place.run("ALTER TASK after_slow RESUME")
    place.run("EXECUTE TASK slow")
    wait_for(lambda: place.states() == [("SLOW", "EXECUTING")])
    place.run("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('slow')")
    [run] = place.ended(1)
    assert (run["STATE"], run["ERROR_CODE"]) == ("CANCELLED", "000604")
    assert (place.seen(), place.run("SELECT id FROM news")) == ([], [(1,)])
    place.run("ALTER TASK slow MODIFY AS INSERT INTO seen SELECT id, title FROM news")
    place.run("EXECUTE TASK slow")
    place.ended(3)
    assert place.seen() == [1, 2]


def test_two_graphs_run_beside_each_other_and_one_never_beside_itself(place: Place) -> None:
    """execute-task: where the root is running, another run begins after it; create-task: no overlap by default."""
    place.make_many()
    place.run(f"CREATE TASK slow AS {SLOW}")
    place.run("CREATE TASK quick AS INSERT INTO seen VALUES (1, '')")
    place.run("EXECUTE TASK slow")
    wait_for(lambda: place.states() == [("SLOW", "EXECUTING")])
    place.run("EXECUTE TASK slow")
    place.run("EXECUTE TASK quick")
    wait_for(lambda: place.states() == [("SLOW", "EXECUTING"), ("QUICK", "SUCCEEDED")])
    for count in (3, 3):
        place.run("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('slow')")
        wait_for(lambda count=count: len(place.states()) == count)
    place.ended(3)
    assert [state for name, state in place.states() if name == "SLOW"] == ["CANCELLED", "CANCELLED"]


def test_a_root_that_fails_too_often_is_suspended(place: Place) -> None:
    """create-task, SUSPEND_TASK_AFTER_NUM_FAILURES; bcr-990: the state FAILED_AND_AUTO_SUSPENDED."""
    place.run(
        "CREATE TASK failing SCHEDULE = '1 HOUR' SUSPEND_TASK_AFTER_NUM_FAILURES = 2"
        " AS INSERT INTO seen SELECT 1 / 0, ''"
    )
    place.run("ALTER TASK failing RESUME")
    for count in (1, 2):
        place.run("EXECUTE TASK failing")
        place.ended(count)
    wait_for(lambda: dicts(place.connection, "SHOW TASKS")[0]["state"] == "suspended")
    assert place.states() == [("FAILING", "FAILED"), ("FAILING", "FAILED_AND_AUTO_SUSPENDED")]


def test_ten_failures_in_a_row_suspend_a_root_that_says_nothing_of_it(place: Place) -> None:
    """create-task: SUSPEND_TASK_AFTER_NUM_FAILURES is 10 by default; show-tasks: last_suspended_reason."""
    place.run("CREATE TASK failing SCHEDULE = '1 HOUR' AS INSERT INTO seen SELECT 1 / 0, ''")
    place.run("CREATE TASK after_it AFTER failing AS SELECT 1")
    place.run("ALTER TASK after_it RESUME")
    place.run("ALTER TASK failing RESUME")
    for count in range(1, 11):
        assert dicts(place.connection, "SHOW TASKS LIKE 'failing'")[0]["state"] == "started"
        place.run("EXECUTE TASK failing")
        place.ended(count)
    shown = wait_for(
        lambda: [
            row
            for row in dicts(place.connection, "SHOW TASKS LIKE 'failing'")
            if row["state"] == "suspended" and row["last_suspended_reason"] == "SUSPENDED_DUE_TO_ERRORS"
        ]
    )
    assert shown[0]["last_suspended_on"] is not None
    assert [state for _, state in place.states()] == ["FAILED"] * 9 + ["FAILED_AND_AUTO_SUSPENDED"]
    # A suspended root runs when it is executed; that does not resume it.
    place.run("ALTER TASK failing MODIFY AS INSERT INTO seen VALUES (1, '')")
    place.run("EXECUTE TASK failing")
    runs = place.ended(12)
    assert [(run["NAME"], run["STATE"]) for run in runs[-2:]] == [
        ("FAILING", "SUCCEEDED"),
        ("AFTER_IT", "SUCCEEDED"),
    ]
    assert dicts(place.connection, "SHOW TASKS LIKE 'failing'")[0]["state"] == "suspended"
    place.run("ALTER TASK failing RESUME")
    place.run("ALTER TASK failing SUSPEND")
    assert dicts(place.connection, "DESCRIBE TASK failing")[0]["last_suspended_reason"] == "USER_SUSPENDED"


def test_a_success_in_between_begins_the_count_anew(place: Place) -> None:
    """create-task, SUSPEND_TASK_AFTER_NUM_FAILURES: consecutive failed runs."""
    place.run(
        "CREATE TASK at_times SCHEDULE = '1 HOUR' SUSPEND_TASK_AFTER_NUM_FAILURES = 2"
        " AS INSERT INTO seen SELECT 1 / id, '' FROM films"
    )
    place.run("ALTER TASK at_times RESUME")
    for count, number in enumerate((0, 1, 0), 1):
        place.run(f"INSERT OVERWRITE INTO films VALUES ({number}, '')")
        place.run("EXECUTE TASK at_times")
        place.ended(count)
    assert [state for _, state in place.states()] == ["FAILED", "SUCCEEDED", "FAILED"]
    assert dicts(place.connection, "SHOW TASKS")[0]["state"] == "started"


def test_a_schedule_that_falls_into_a_run_is_passed_over(place: Place) -> None:
    """create-task, ALLOW_OVERLAPPING_EXECUTION = FALSE: the next run is at the next time of the schedule."""
    place.run(f"CREATE TASK slow SCHEDULE = '10 SECONDS' USER_TASK_TIMEOUT_MS = 13000 AS {SLOW}")
    place.make_many()
    place.run("ALTER TASK slow RESUME")
    first, second = wait_for(
        lambda: (
            found if len(found := [run for run in place.history() if run["NAME"] == "SLOW"]) == 2 else None
        ),
        seconds=60,
    )
    place.run("ALTER TASK slow SUSPEND")
    place.run("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('slow')")
    apart = (second["SCHEDULED_TIME"] - first["SCHEDULED_TIME"]).total_seconds()
    assert apart > 19, "it began as soon as the run before it had ended"


RUNTIME = (
    "CURRENT_TASK_NAME",
    "CURRENT_ROOT_TASK_NAME",
    "CURRENT_ROOT_TASK_UUID",
    "CURRENT_TASK_GRAPH_RUN_GROUP_ID",
    "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP",
    "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID",
    "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP",
)


def test_a_run_is_told_its_graph_run_and_the_last_one_that_succeeded(place: Place) -> None:
    """system_task_runtime_info."""
    place.run("CREATE TABLE told (task VARCHAR, key VARCHAR, value VARCHAR)")
    each = " UNION ALL ".join(f"SELECT '{key}', SYSTEM$TASK_RUNTIME_INFO('{key}')" for key in RUNTIME)
    place.run(f"CREATE TASK one AS INSERT INTO told SELECT 'one', * FROM ({each})")
    place.run(f"CREATE TASK two AFTER one AS INSERT INTO told SELECT 'two', * FROM ({each})")
    place.run("ALTER TASK two RESUME")
    place.run("EXECUTE TASK one")
    runs = place.ended(2)
    told = {(task, key): value for task, key, value in place.run("SELECT * FROM told")}
    assert (told["one", "CURRENT_TASK_NAME"], told["two", "CURRENT_TASK_NAME"]) == ("ONE", "TWO")
    for task in ("one", "two"):
        assert told[task, "CURRENT_ROOT_TASK_NAME"] == "ONE"
        assert told[task, "CURRENT_ROOT_TASK_UUID"] == runs[0]["ROOT_TASK_ID"]
        assert told[task, "CURRENT_TASK_GRAPH_RUN_GROUP_ID"] == runs[0]["GRAPH_RUN_GROUP_ID"]
        assert told[task, "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID"] is None
    place.run("DELETE FROM told")
    place.run("EXECUTE TASK one")
    again = place.ended(4)
    second = {(task, key): value for task, key, value in place.run("SELECT * FROM told")}
    assert second["two", "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID"] == runs[0]["GRAPH_RUN_GROUP_ID"]
    assert second["two", "CURRENT_TASK_GRAPH_RUN_GROUP_ID"] == again[-1]["GRAPH_RUN_GROUP_ID"]
    last = "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP"
    assert second["two", last] == told["two", "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP"]


def test_runtime_info_fails_outside_of_a_task(place: Place) -> None:
    """system_task_runtime_info: outside of a task's run it fails."""
    with pytest.raises(snowflake.connector.ProgrammingError, match="within a run of a task"):
        place.run("SELECT SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME')")


def test_a_task_runs_with_the_role_of_its_owner(place: Place) -> None:
    """execute-task: tasks always run with the privileges of the owner, whoever executes them."""
    for statement in (
        "CREATE ROLE IF NOT EXISTS keeper",
        "GRANT ROLE keeper TO ROLE SYSADMIN",
        "GRANT USAGE ON DATABASE TASKS TO ROLE keeper",
        f"GRANT USAGE, CREATE TASK ON SCHEMA TASKS.{place.schema} TO ROLE keeper",
        "GRANT INSERT ON TABLE seen TO ROLE keeper",
        "GRANT USAGE ON WAREHOUSE small TO ROLE keeper",
        "GRANT EXECUTE TASK ON ACCOUNT TO ROLE keeper",
        "USE ROLE keeper",
        "CREATE TASK mine WAREHOUSE = small AS INSERT INTO seen SELECT 1, CURRENT_ROLE()",
        "CREATE TASK reads WAREHOUSE = small AS INSERT INTO seen SELECT id, title FROM films",
        "USE ROLE ACCOUNTADMIN",
    ):
        place.run(statement)
    place.run("EXECUTE TASK mine")
    place.ended(1)
    assert place.run("SELECT title FROM seen") == [("KEEPER",)]
    place.run("EXECUTE TASK reads")
    place.ended(2)
    (failed,) = [row for row in place.history() if row["NAME"] == "READS"]
    assert (failed["STATE"], failed["ERROR_CODE"]) == ("FAILED", "002003")


def test_show_and_describe_tasks_have_snowflakes_columns(place: Place) -> None:
    """show-tasks: name, warehouse, schedule, predecessors, state, definition, condition."""
    place.run("CREATE TASK one WAREHOUSE = small SCHEDULE = '5 MINUTE' COMMENT = 'first' AS SELECT 1")
    place.run("CREATE TASK two AFTER one WHEN 1 = 1 AS BEGIN SELECT 2; END")
    one, two = dicts(place.connection, "SHOW TASKS")
    assert (one["name"], one["warehouse"], one["schedule"], one["comment"]) == (
        "ONE",
        "SMALL",
        "5 MINUTE",
        "first",
    )
    assert two["predecessors"] == f'["TASKS.{place.schema}.ONE"]'
    assert (two["definition"], two["condition"], two["state"]) == (
        "BEGIN SELECT 2; END",
        "1 = 1",
        "suspended",
    )
    assert dicts(place.connection, "DESCRIBE TASK two") == [two]
    assert [row["name"] for row in dicts(place.connection, "SHOW TASKS LIKE 'o%'")] == ["ONE"]


def test_a_task_is_altered_replaced_and_dropped(place: Place) -> None:
    """alter-task: SET, UNSET, ADD AFTER, REMOVE AFTER, MODIFY AS, MODIFY WHEN, REMOVE WHEN."""
    place.run("CREATE TASK one AS SELECT 1")
    place.run("CREATE TASK two AS SELECT 2")
    for change in (
        "two ADD AFTER one",
        "two SET COMMENT = 'x' USER_TASK_TIMEOUT_MS = 1000",
        "two MODIFY WHEN 1 = 1",
        "two MODIFY AS SELECT 3",
    ):
        place.run(f"ALTER TASK {change}")
    two = dicts(place.connection, "DESCRIBE TASK two")[0]
    assert (two["comment"], two["condition"], two["definition"]) == ("x", "1 = 1", "SELECT 3")
    assert "ONE" in two["predecessors"]
    for change in ("two REMOVE WHEN", "two REMOVE AFTER one", "two UNSET COMMENT"):
        place.run(f"ALTER TASK {change}")
    two = dicts(place.connection, "DESCRIBE TASK two")[0]
    assert (two["comment"], two["condition"], two["predecessors"]) == ("", None, "[]")
    with pytest.raises(snowflake.connector.ProgrammingError, match="already exists"):
        place.run("CREATE TASK two AS SELECT 2")
    place.run("CREATE TASK IF NOT EXISTS two AS SELECT 4")
    place.run("CREATE OR REPLACE TASK two AFTER one AS SELECT 5")
    place.run("DROP TASK one")
    assert [(row["name"], row["predecessors"]) for row in dicts(place.connection, "SHOW TASKS")] == [
        ("TWO", "[]")
    ]
    place.run("DROP TASK IF EXISTS one")
    place.run(f"DROP SCHEMA TASKS.{place.schema}")
    assert not [
        row for row in dicts(place.connection, "SHOW TASKS IN ACCOUNT") if row["schema_name"] == place.schema
    ]


def test_a_graph_is_changed_only_while_its_root_is_suspended(place: Place) -> None:
    """alter-task: the root must be suspended before any task of its graph is changed."""
    place.run("CREATE TASK one SCHEDULE = '1 HOUR' AS SELECT 1")
    place.run("CREATE TASK two AFTER one AS SELECT 2")
    place.run("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('one')")
    assert {row["state"] for row in dicts(place.connection, "SHOW TASKS")} == {"started"}
    for sql in (
        "ALTER TASK two SUSPEND",
        "ALTER TASK two MODIFY AS SELECT 3",
        "CREATE TASK new AFTER two AS SELECT 1",
    ):
        with pytest.raises(snowflake.connector.ProgrammingError, match="Unable to update graph"):
            place.run(sql)
    place.run("ALTER TASK one SUSPEND")
    place.run("ALTER TASK two SUSPEND")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE TASK bad SCHEDULE = '5 SECONDS' AS SELECT 1", "invalid value"),
        ("CREATE TASK bad SCHEDULE = 'USING CRON 0 0 * * * UTC' AS SELECT 1", "USING CRON"),
        ("CREATE TASK bad AFTER nobody AS SELECT 1", "does not exist"),
        ("CREATE TASK bad WAREHOUSE = nowhere AS SELECT 1", "does not exist"),
        ("CREATE TASK bad SCHEDULE = '1 MINUTE' AFTER base AS SELECT 1", "SCHEDULE"),
        ("CREATE TASK bad AS BEGIN LET x := 1; END", "Scripting"),
        ("CREATE TASK bad AS CALL something()", "Unsupported feature"),
        ("CREATE TASK bad FINALIZE = base AS SELECT 1", "unexpected 'FINALIZE'"),
        ("ALTER TASK base RESUME", "SCHEDULE"),
        ("ALTER TASK base ADD AFTER base", "cycle"),
        ("EXECUTE TASK nobody", "does not exist"),
        ("EXECUTE TASK child", "root"),
        ("EXECUTE TASK base RETRY LAST", "RETRY LAST"),
    ],
)
def test_what_is_wrong_or_missing_is_refused_at_once(place: Place, sql: str, message: str) -> None:
    """create-task, alter-task, execute-task: usage notes."""
    place.run("CREATE TASK base AS SELECT 1")
    place.run("CREATE TASK child AFTER base AS SELECT 1")
    with pytest.raises(snowflake.connector.ProgrammingError, match=message):
        place.run(sql)
    assert len(place.run("SHOW TASKS")) == 2


def test_a_kill_in_the_middle_of_a_run_leaves_nothing_half_done(place: Place) -> None:
    """tasks-intro: a run that fails changes nothing that it did not commit; the next run completes."""
    place.make_many()
    place.run("INSERT INTO films VALUES (1, 'a')")
    place.run(
        "CREATE TASK one AS BEGIN BEGIN TRANSACTION; INSERT INTO seen SELECT id, title FROM news;"
        f" {SLOW}; COMMIT; END"
    )
    place.run("CREATE TASK two AFTER one AS INSERT INTO seen VALUES (2, '')")
    place.run("ALTER TASK two RESUME")
    place.run("EXECUTE TASK one")
    wait_for(lambda: place.states() == [("ONE", "EXECUTING")])
    place.cloud.kill()
    place.cloud.up()
    place.connection = place.connect()
    [run] = place.history()
    assert (run["NAME"], run["STATE"], run["ERROR_CODE"]) == ("ONE", "FAILED", "000604")
    assert "rolled back" in run["ERROR_MESSAGE"]
    assert (place.seen(), place.run("SELECT id FROM news")) == ([], [(1,)])
    place.run("ALTER TASK one MODIFY AS INSERT INTO seen SELECT id, title FROM news")
    place.run("EXECUTE TASK one")
    place.ended(3)
    assert (place.seen(), place.run("SELECT id FROM news")) == ([1, 2], [])


def test_a_server_that_is_stopped_ends_its_runs(place: Place) -> None:
    place.make_many()
    place.run(
        f"CREATE TASK slow AS BEGIN BEGIN TRANSACTION; INSERT INTO seen VALUES (1, ''); {SLOW}; COMMIT; END"
    )
    place.run("EXECUTE TASK slow")
    wait_for(lambda: place.states() == [("SLOW", "EXECUTING")])
    server = place.cloud.server()
    server.terminate()
    server.wait(90)
    place.cloud.up()
    place.connection = place.connect()
    assert (place.states(), place.seen()) == ([("SLOW", "FAILED")], [])


def test_a_task_with_a_schedule_runs_by_itself_and_is_skipped_while_its_condition_is_false(
    scheduled: Place,
) -> None:
    """create-task: SCHEDULE in seconds, WHEN; a suspended task does not run."""
    scheduled.connection = scheduled.connect()
    wait_for(lambda: {("DUE", "SUCCEEDED"), ("IDLE", "SKIPPED")} <= set(scheduled.states()))
    assert {row["SCHEDULED_FROM"] for row in scheduled.history()} == {"SCHEDULE"}
    assert set(scheduled.seen()) == {1}
    for name in ("due", "idle"):
        scheduled.run(f"ALTER TASK {name} SUSPEND")
