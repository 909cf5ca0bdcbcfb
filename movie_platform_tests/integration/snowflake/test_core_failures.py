"""One day that cannot be applied: it stops no other, its error is kept with it, and it waits until it is mended."""

import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.contracts.warehouse import ATTEMPTS_A_DAY
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows
from movie_platform_tests.warehouse_history import core, graph, raw
from movie_platform_tests.warehouse_history.reference import Star, star
from movie_platform_tests.warehouse_history.samples import batch, film, parts

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(900)]

_MOST_RUNS = 12
TOO_MANY_VOTES = 10**6
# As the contract has it, but for votes that take six digits at the most.
NARROW = (
    "CREATE OR REPLACE TABLE CORE.FACT_MOVIE_RATING (movie_key VARCHAR NOT NULL, provider_key VARCHAR NOT NULL,"
    " date_key NUMBER(10, 0) NOT NULL, source VARCHAR NOT NULL, movie_id VARCHAR NOT NULL, dt DATE NOT NULL,"
    " rating NUMBER(5, 2), votes NUMBER({digits}, 0))"
)


@pytest.fixture(scope="module")
def warehouse(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as connection:
        graph.deploy(snowflake_cloud, connection)
        yield connection


def wants_to_run(connection: SnowflakeConnection) -> bool:
    return rows(connection, "SELECT SYSTEM$STREAM_HAS_DATA('OPS.GRAPH_WAKE_UPS_STREAM')") == [(True,)]


def run_while_it_asks(connection: SnowflakeConnection) -> list[bool]:
    """Runs the graph as its schedule would, while its wake-ups have data; whether each run succeeded."""
    succeeded: list[bool] = []
    while wants_to_run(connection):
        succeeded.append(graph.execute(connection).failure is None)
        assert len(succeeded) <= _MOST_RUNS, "the graph never comes to rest"
    return succeeded


def test_a_day_that_fails_waits_with_its_error_while_all_others_are_applied(warehouse: SnowflakeConnection):
    tag = "fails"
    good = [
        batch(tag, number, film(tag, title=f"Title {number}"), source=f"{tag}{source}")
        for number, source in itertools.product(range(4), "ab")
    ]
    many_votes = (("imdb", Decimal("50.00"), TOO_MANY_VOTES),)
    bad = batch(tag, 2, film(tag, ratings=many_votes), source=f"{tag}a", hour=1)
    sources = [f"{tag}a", f"{tag}b"]
    rows(warehouse, NARROW.format(digits=6))
    raw.load(warehouse, parts(*good, bad))
    assert graph.execute(warehouse).failure is not None
    assert core.read(warehouse, sources, tag) == Star()
    succeeded = run_while_it_asks(warehouse)

    # The day that failed took the others with it once; then in a smaller group, and then alone.
    assert succeeded.count(False) == ATTEMPTS_A_DAY - 1
    others = [one for one in good if (one.source, one.dt) != (bad.source, bad.dt)]
    assert core.read(warehouse, sources, tag) == star(others)
    [(source, dt, attempts, code, message)] = rows(
        warehouse, "SELECT source, dt, attempts, error_code, error_message FROM OPS.PENDING_DAYS"
    )
    assert (source, dt, attempts) == (bad.source, bad.dt, ATTEMPTS_A_DAY)
    assert code
    assert str(TOO_MANY_VOTES) in message

    # Later days go on, also of the same source.
    later = batch(tag, 5, film(tag, title="Later"), source=f"{tag}a")
    raw.load(warehouse, parts(later))
    assert graph.execute(warehouse).failure is None
    assert core.read(warehouse, sources, tag) == star([*others, later])

    # Mended: something that arrives for the day has it tried again.
    rows(warehouse, NARROW.format(digits=19))
    raw.load(warehouse, [part for part in parts(bad) if part.table == "batches"])
    assert graph.execute(warehouse).failure is None
    run_while_it_asks(warehouse)
    assert rows(warehouse, "SELECT COUNT(*) FROM OPS.PENDING_DAYS") == [(0,)]
    assert core.read(warehouse, sources, tag) == star([*good, bad, later])
