"""CORE where each statement of a task sees what others committed since the last, as on Snowflake."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows
from movie_platform_tests.warehouse_history import core, graph, raw
from movie_platform_tests.warehouse_history.drawn import batches_of, complete
from movie_platform_tests.warehouse_history.history import Part
from movie_platform_tests.warehouse_history.read_committed import ReadCommittedGraph
from movie_platform_tests.warehouse_history.reference import star
from movie_platform_tests.warehouse_history.samples import batch, film, parts

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(900)]

_TAGS = itertools.count()
# Runs that find nothing to do end it; a graph that never comes to rest is a fault.
_MOST_RUNS = 8


@pytest.fixture(scope="module")
def connections(snowflake_cloud: SnowflakeCloud) -> Iterator[tuple[SnowflakeConnection, SnowflakeConnection]]:
    """The graph's session and that of everybody else."""
    with snowflake_cloud.connect() as graphs, snowflake_cloud.connect() as others:
        graph.deploy(snowflake_cloud, graphs)
        rows(others, f"USE DATABASE {snowflake_cloud.settings.snowflake_database}")
        yield graphs, others


def run_until_rest(connection: SnowflakeConnection, running: ReadCommittedGraph) -> None:
    for _ in range(_MOST_RUNS):
        running.run()
        if rows(connection, "SELECT COUNT(*) FROM OPS.PENDING_DAYS") == [(0,)]:
            return
    raise AssertionError(f"the graph has work left after {_MOST_RUNS} runs")


def test_rows_that_come_twice_between_any_two_statements_change_nothing(
    connections: tuple[SnowflakeConnection, SnowflakeConnection],
):
    graphs, others = connections
    tag = f"rc{next(_TAGS):04}"
    first = batch(tag, 0, film(tag), film(tag, "2"))
    again = itertools.cycle(parts(first))
    raw.load(others, parts(first))
    running = ReadCommittedGraph(graphs, lambda _statement: raw.load(others, [next(again)]))
    running.run()
    running.between = lambda _statement: None
    run_until_rest(graphs, running)
    assert core.read(graphs, [tag], tag) == star([first])


@settings(
    max_examples=6,
    suppress_health_check=(
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ),
)
@given(data=st.data())
def test_whatever_others_commit_between_two_statements_the_tables_are_those_of_one_clean_pass(
    connections: tuple[SnowflakeConnection, SnowflakeConnection], data: st.DataObject
):
    graphs, others = connections
    tag = f"rc{next(_TAGS):04}"
    batches = data.draw(batches_of(tag))
    pieces = [piece for part in parts(*batches) for piece in part.split(data.draw(st.sampled_from((1, 2))))]
    again = data.draw(st.lists(st.sampled_from(pieces), max_size=4))
    order: list[Part] = data.draw(st.permutations(pieces + again))
    # How many statements of the graph pass before each of them.
    gaps = iter(data.draw(st.lists(st.integers(0, 12), min_size=len(order), max_size=len(order))))
    waiting = iter(order)
    left = next(gaps)

    def between(_statement: str) -> None:
        nonlocal left
        while left == 0:
            part = next(waiting, None)
            if part is None:
                return
            raw.load(others, [part])
            left = next(gaps, -1)
        left -= 1

    running = ReadCommittedGraph(graphs, between)
    running.run()
    raw.load(others, waiting)
    running.between = lambda _statement: None
    run_until_rest(graphs, running)
    assert core.read(graphs, [f"{tag}a", f"{tag}b"], tag) == star(complete(order))
