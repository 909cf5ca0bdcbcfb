"""The pure parts of tasks: a body's statements, when a task is due, the order of a graph."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.state.task_requests import TaskRequests
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.task_body import split_body
from movie_platform.local_cloud.snowflake.text.task_graph import check_graph, may_run, roots_of, run_order
from movie_platform.local_cloud.snowflake.text.task_schedule import next_due, parse_schedule

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


def task(name: str) -> FullName:
    return FullName("D", "S", name)


A, B, C, D = (task(name) for name in "ABCD")
DIAMOND = {A: (), B: (A,), C: (A,), D: (B, C)}


@pytest.mark.parametrize(
    ("body", "statements"),
    [
        ("SELECT 1", ("SELECT 1",)),
        ("INSERT INTO t VALUES (';')  ; ", ("INSERT INTO t VALUES (';')",)),
        ("BEGIN SELECT 1; END", ("SELECT 1",)),
        ("begin\n -- first; of all\n SELECT 'a;b'; ;SELECT 2 ;\nend;", ("SELECT 'a;b'", "SELECT 2")),
        (
            "BEGIN BEGIN TRANSACTION; DELETE FROM t; COMMIT; END",
            ("BEGIN TRANSACTION", "DELETE FROM t", "COMMIT"),
        ),
        ("BEGIN BEGIN; DELETE FROM t; ROLLBACK; END", ("BEGIN", "DELETE FROM t", "ROLLBACK")),
        ("BEGIN SELECT CASE WHEN a THEN 1 END FROM t; END", ("SELECT CASE WHEN a THEN 1 END FROM t",)),
        ('BEGIN SELECT "end; x" FROM t; END', ('SELECT "end; x" FROM t',)),
    ],
)
def test_a_body_is_cut_into_its_statements(body: str, statements: tuple[str, ...]) -> None:
    """CREATE TASK, <sql>: one statement, or a block of them."""
    assert split_body(body) == statements


@pytest.mark.parametrize(
    "body",
    [
        "",
        "-- nothing",
        "BEGIN END",
        "BEGIN ; END",
        "BEGIN SELECT 1 END",
        "BEGIN SELECT 1;",
        "BEGIN LET x := 1; END",
        "BEGIN IF (1 = 1) THEN SELECT 1; END IF; END",
        "BEGIN BEGIN SELECT 1; END; END",
        "BEGIN RETURN 1; END",
        "BEGIN SELECT 'open; END",
    ],
)
def test_scripting_and_blocks_that_are_not_closed_are_refused(body: str) -> None:
    with pytest.raises(SnowflakeError):
        split_body(body)


@given(
    st.lists(st.sampled_from(["SELECT 1", "DELETE FROM t WHERE a = ';'", "BEGIN TRANSACTION"]), min_size=1)
)
def test_a_block_gives_back_the_statements_that_it_was_made_of(statements: list[str]) -> None:
    assert split_body("BEGIN\n" + "".join(f"{statement};\n" for statement in statements) + "END") == tuple(
        statements
    )


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("10 SECONDS", timedelta(seconds=10)),
        ("1 MINUTE", timedelta(minutes=1)),
        ("5 m", timedelta(minutes=5)),
        (" 2 hours ", timedelta(hours=2)),
        ("11520 MINUTES", timedelta(days=8)),
    ],
)
def test_a_schedule_is_an_interval(text: str, interval: timedelta) -> None:
    """CREATE TASK, SCHEDULE: a number of seconds, minutes or hours, from 10 seconds to 8 days."""
    assert parse_schedule(text) == interval


@pytest.mark.parametrize(
    "text", ["9 SECONDS", "0 MINUTE", "11521 MINUTE", "1 DAY", "MINUTE", "USING CRON * * * * * UTC", ""]
)
def test_another_schedule_is_refused(text: str) -> None:
    with pytest.raises(SnowflakeError):
        parse_schedule(text)


def test_a_task_is_due_an_interval_after_it_was_resumed_and_after_each_run() -> None:
    """CREATE TASK, SCHEDULE: the interval begins when the task is resumed."""
    minute = timedelta(minutes=1)
    assert next_due(NOW, None, minute) == NOW + minute
    assert next_due(NOW, NOW - minute, minute) == NOW + minute
    assert next_due(NOW, NOW + minute, minute) == NOW + 2 * minute


def test_a_graph_runs_in_the_order_of_its_dependencies() -> None:
    """tasks-graphs: a task with several predecessors runs after all of them."""
    assert run_order(A, {D: (B, C), C: (A,), B: (A,), A: (), task("OTHER"): ()}) == [A, B, C, D]
    assert roots_of(D, DIAMOND) == {A}


def test_a_circle_and_a_task_of_two_graphs_are_refused() -> None:
    """tasks-graphs: dependencies run in one direction, and a graph has one root."""
    with pytest.raises(SnowflakeError, match="cycle"):
        check_graph({A: (B,), B: (A,)})
    with pytest.raises(SnowflakeError, match="more than one graph"):
        check_graph({A: (), B: (), C: (A, B)})
    check_graph(DIAMOND)


def test_a_child_runs_when_all_predecessors_that_are_not_suspended_succeeded() -> None:
    """tasks-graphs, "Skip or suspend a child task": at least one predecessor must be resumed."""
    assert may_run((B, C), {A, B, C}, {B, C})
    assert not may_run((B, C), {A, B, C}, {B})
    assert may_run((B, C), {A, B}, {B})
    assert not may_run((B, C), {A}, set())


@given(st.data())
def test_whatever_the_graph_each_task_comes_after_its_predecessors(data: st.DataObject) -> None:
    names = [task(f"T{number}") for number in range(data.draw(st.integers(1, 8)))]
    graph = {
        name: tuple(data.draw(st.sets(st.sampled_from(names[:index]), min_size=1))) if index else ()
        for index, name in enumerate(names)
    }
    order = run_order(names[0], graph)
    assert sorted(order, key=str) == sorted(names, key=str)
    assert all(order.index(before) < order.index(name) for name in names for before in graph[name])


def test_a_request_to_run_a_graph_stands_until_it_is_fulfilled_however_often_it_is_made() -> None:
    requests = TaskRequests()
    requests.execute(A)
    requests.execute(B)
    requests.execute(A)
    assert requests.wake.is_set()
    assert requests.asked() == requests.asked() == [A, B]
    requests.fulfil(A)
    assert requests.asked() == [B]
    requests.execute(A)
    assert requests.asked() == [B, A]


def test_cancelling_reaches_what_a_task_runs_and_says_whether_there_was_anything() -> None:
    requests = TaskRequests()
    cancelled: list[str] = []
    with (
        requests.running(A, lambda: cancelled.append("in one graph")),
        requests.running(A, lambda: cancelled.append("in another")),
        requests.running(B, lambda: cancelled.append("another task")),
    ):
        assert requests.cancel(A)
        assert not requests.cancel(C)
    assert cancelled == ["in one graph", "in another"]
    assert not requests.cancel(A)
