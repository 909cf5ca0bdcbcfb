"""CORE against a plain Python reference: the task graph keeps it right whatever arrives in whatever order."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snowflake.connector import SnowflakeConnection

from movie_platform.contracts.warehouse import DAYS_A_RUN
from movie_platform_tests.snowflake_cloud import SnowflakeCloud, rows
from movie_platform_tests.warehouse_history import core, graph, raw
from movie_platform_tests.warehouse_history.drawn import batches_of, complete
from movie_platform_tests.warehouse_history.history import PARTS, Batch, Part
from movie_platform_tests.warehouse_history.reference import Star, star
from movie_platform_tests.warehouse_history.samples import FIRST, batch, day, film, parts

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(900)]

_TAGS = itertools.count()


@pytest.fixture(scope="module")
def warehouse(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as connection:
        graph.deploy(snowflake_cloud, connection)
        yield connection


@pytest.fixture
def tag() -> str:
    """Begins the names of sources, genres and people of a test, which nobody else's names begin with."""
    return f"t{next(_TAGS):04}"


def arrive(connection: SnowflakeConnection, *batches: Batch) -> None:
    """Everything of these batches arrives, then the graph runs."""
    raw.load(connection, parts(*batches))
    graph.run(connection)


def shown(connection: SnowflakeConnection, tag: str, *batches: Batch) -> Star:
    return core.read(connection, sorted({found.source for found in batches}), tag)


def check(connection: SnowflakeConnection, tag: str, *batches: Batch) -> Star:
    """CORE shows what the reference says of these batches."""
    found = shown(connection, tag, *batches)
    assert found == star(batches)
    return found


def spans(found: Star) -> list[tuple[str, int, int | None, bool]]:
    """(film, first day, day of the next version or None, removed) by film and day."""
    return sorted(
        (version[1], (version[2] - FIRST).days, None if version[4] else (version[3] - FIRST).days, version[5])
        for version in found.versions
    )


def test_a_change_in_a_tracked_attribute_opens_a_version_and_a_measure_does_not(
    warehouse: SnowflakeConnection, tag: str
):
    days = [
        batch(tag, 0, film(tag, popularity=Decimal("1.5000"))),
        batch(tag, 1, film(tag, popularity=Decimal("2.5000"))),
        batch(tag, 2, film(tag, title="Film, corrected")),
    ]
    for one in days:
        arrive(warehouse, one)
    found = check(warehouse, tag, *days)
    assert spans(found) == [("1", 0, 2, False), ("1", 2, None, False)]
    assert {snapshot[2]: snapshot[4] for snapshot in found.snapshots} == {
        day(0): Decimal("1.5000"),
        day(1): Decimal("2.5000"),
        day(2): None,
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), None], ids=["in order", "late", "together"])
def test_a_removal_and_a_return_open_versions(
    warehouse: SnowflakeConnection, tag: str, order: tuple[int, ...] | None
):
    # It returns as it was: what CORE keeps of a removed film must not pass for what the day says.
    other = film(tag, "2")
    days = [batch(tag, 0, film(tag), other), batch(tag, 1, other), batch(tag, 3, film(tag), other)]
    for arrived in [days] if order is None else [[days[place]] for place in order]:
        arrive(warehouse, *arrived)
    found = check(warehouse, tag, *days)
    assert spans(found) == [
        ("1", 0, 1, False),
        ("1", 1, 3, True),
        ("1", 3, None, False),
        ("2", 0, None, False),
    ]


@pytest.mark.parametrize(
    "second_day",
    [{"load_type": "delta"}, {"quarantined": ("1",)}, {"quarantined": (None,)}],
    ids=["a delta", "a quarantined film", "a quarantined row without a key"],
)
def test_what_is_not_there_is_not_always_removed(
    warehouse: SnowflakeConnection, tag: str, second_day: dict[str, Any]
):
    days = [batch(tag, 0, film(tag), film(tag, "2")), batch(tag, 1, film(tag, "2"), **second_day)]
    arrive(warehouse, *days)
    assert spans(check(warehouse, tag, *days)) == [("1", 0, None, False), ("2", 0, None, False)]


def test_a_day_without_films_removes_all(warehouse: SnowflakeConnection, tag: str):
    days = [batch(tag, 0, film(tag)), batch(tag, 1)]
    arrive(warehouse, *days)
    assert spans(check(warehouse, tag, *days)) == [("1", 0, 1, False), ("1", 1, None, True)]


def test_a_film_that_was_never_there_cannot_be_removed(warehouse: SnowflakeConnection, tag: str):
    days = [batch(tag, 0), batch(tag, 1, film(tag))]
    arrive(warehouse, *days)
    assert spans(check(warehouse, tag, *days)) == [("1", 1, None, False)]


def test_a_late_day_splits_versions_and_moves_the_facts_after_it(warehouse: SnowflakeConnection, tag: str):
    ratings = (("imdb", Decimal("90.00"), 10),)
    first, last = (batch(tag, number, film(tag, ratings=ratings)) for number in (0, 3))
    late = batch(tag, 1, film(tag, title="For two days", ratings=ratings))
    arrive(warehouse, first)
    arrive(warehouse, last)
    assert spans(check(warehouse, tag, first, last)) == [("1", 0, None, False)]
    arrive(warehouse, late)
    assert spans(check(warehouse, tag, first, late, last)) == [
        ("1", 0, 1, False),
        ("1", 1, 3, False),
        ("1", 3, None, False),
    ]


def test_content_that_changes_and_changes_back_wins_again(warehouse: SnowflakeConnection, tag: str):
    first, changed = batch(tag, 0, film(tag)), batch(tag, 0, film(tag, title="Changed"), hour=1)
    back = batch(tag, 0, film(tag), hour=2)
    for arrived in ([first], [first, changed], [first, changed, back]):
        arrive(warehouse, arrived[-1])
        check(warehouse, tag, *arrived)


@pytest.mark.parametrize("was_there", [True, False], ids=["changed", "removed"])
def test_what_a_days_former_winner_said_is_taken_back_where_the_new_one_is_silent(
    warehouse: SnowflakeConnection, tag: str, was_there: bool
):
    first = batch(tag, 0, film(tag))
    former = batch(tag, 1, *([film(tag, title="Changed")] if was_there else []))
    silent = batch(tag, 1, load_type="delta", hour=2)
    arrive(warehouse, first)
    arrive(warehouse, former)
    assert len(check(warehouse, tag, first, former).versions) == 2
    arrive(warehouse, silent)
    found = check(warehouse, tag, first, former, silent)
    assert spans(found) == [("1", 0, None, False)]


def test_an_earlier_extract_that_arrives_later_changes_nothing(warehouse: SnowflakeConnection, tag: str):
    winner, loser = batch(tag, 0, film(tag), hour=2), batch(tag, 0, film(tag, title="Old"), hour=1)
    arrive(warehouse, winner)
    arrive(warehouse, loser)
    found = check(warehouse, tag, winner, loser)
    assert {version[6] for version in found.versions} == {"Film"}


def test_a_batch_that_newer_code_transforms_again_is_shown_as_the_newer_code_has_it(
    warehouse: SnowflakeConnection, tag: str
):
    old = batch(tag, 0, film(tag, title="Mojibake Ã©"))
    new = replace(
        old,
        transform_id="t2",
        transformed_at=old.transformed_at + timedelta(hours=5),
        films=(film(tag, title="Mojibake é"),),
    )
    again = replace(old, announcement=1, transformed_at=old.transformed_at + timedelta(hours=9))
    arrive(warehouse, old)
    arrive(warehouse, new)
    check(warehouse, tag, old, new)
    raw.load(warehouse, [Part(again, "batches")])
    graph.run(warehouse)
    check(warehouse, tag, new, again)


def test_two_sources_do_not_touch_each_other(warehouse: SnowflakeConnection, tag: str):
    mine = [batch(tag, 0, film(tag)), batch(tag, 1)]
    others = [batch(tag, 0, film(tag, title="Other"), source=f"{tag}b")]
    arrive(warehouse, mine[0], *others)
    arrive(warehouse, mine[1])
    check(warehouse, tag, *mine, *others)


def test_names_are_one_whatever_their_case_and_the_newest_version_spells_them(
    warehouse: SnowflakeConnection, tag: str
):
    days = [
        batch(tag, 0, film(tag, genres="Drama,Sci-Fi,drama", people=(("director", "Ann"), ("cast", "Bob")))),
        batch(tag, 1, film(tag, genres="DRAMA", people=(("director", "ANN"), ("director", "Ann")))),
    ]
    arrive(warehouse, days[1])
    arrive(warehouse, days[0])
    found = check(warehouse, tag, *days)
    assert found.genres == {f"{tag} DRAMA", f"{tag} Sci-Fi"}
    assert found.people == {f"{tag} ANN", f"{tag} Bob"}


def test_genres_and_people_of_films_that_a_later_extract_does_not_know_are_gone(
    warehouse: SnowflakeConnection, tag: str
):
    wrong = batch(tag, 0, film(tag, genres="Wrong", people=(("cast", "Nobody"),)))
    right = batch(tag, 0, film(tag), hour=1)
    arrive(warehouse, wrong)
    arrive(warehouse, right)
    found = check(warehouse, tag, wrong, right)
    assert (found.genres, found.people) == ({f"{tag} Drama"}, {f"{tag} Ann"})


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_weights_of_a_film_sum_to_exactly_one(warehouse: SnowflakeConnection, tag: str, count: int):
    genres = ",".join(f"Genre {number}" for number in range(count))
    people = tuple((role, f"Person {number}") for role in ("director", "cast") for number in range(count))
    arrive(warehouse, batch(tag, 0, film(tag, genres=genres, people=people)))
    for table, scope in (("genre", "b.movie_key"), ("person", "b.movie_key, b.role")):
        weights = rows(
            warehouse,
            f"SELECT SUM(b.weight), COUNT(*) FROM CORE.BRIDGE_MOVIE_{table} b"
            f" JOIN CORE.DIM_MOVIE m ON m.movie_key = b.movie_key WHERE m.source = %s GROUP BY {scope}",
            [tag],
        )
        assert weights == [(1, count)] * (1 if table == "genre" else 2)


@pytest.mark.parametrize("missing", PARTS)
def test_a_batch_with_a_part_missing_is_not_applied_by_halves(
    warehouse: SnowflakeConnection, tag: str, missing: str
):
    ratings = (("imdb", Decimal("90.00"), 10),)
    before = batch(tag, 0, film(tag), film(tag, "2"))
    arrive(warehouse, before)
    after = batch(tag, 1, film(tag, title="Changed", ratings=ratings), film(tag, "3"), quarantined=("2",))
    for part in parts(after):
        if part.table != missing:
            raw.load(warehouse, [part])
            graph.run(warehouse)
            check(warehouse, tag, before)
    raw.load(warehouse, [Part(after, missing)])
    graph.run(warehouse)
    check(warehouse, tag, before, after)


def test_parts_may_arrive_in_any_order_with_the_tasks_running_between_them(
    warehouse: SnowflakeConnection, tag: str
):
    ratings = (("imdb", Decimal("90.00"), 10),)
    for number, order in enumerate(itertools.islice(itertools.permutations(PARTS), 0, 720, 239)):
        source = f"{tag}o{number}"
        before = batch(tag, 0, film(tag), film(tag, "2"), source=source)
        after = batch(tag, 1, film(tag, ratings=ratings), quarantined=("2",), source=source)
        arrive(warehouse, before)
        for place, table in enumerate(order, start=1):
            raw.load(warehouse, [Part(after, table)])
            graph.run(warehouse)
            complete = [before, after] if place == len(order) else [before]
            assert core.read(warehouse, [source], tag).versions == star(complete).versions, order[:place]


@pytest.mark.parametrize("table", PARTS)
def test_a_file_that_is_loaded_twice_counts_once(warehouse: SnowflakeConnection, tag: str, table: str):
    ratings = (("imdb", Decimal("90.00"), 10),)
    first = batch(tag, 0, film(tag, ratings=ratings), film(tag, "2"), quarantined=("3",))
    raw.load(warehouse, [Part(first, table), *parts(first)])
    graph.run(warehouse)
    check(warehouse, tag, first)
    # And again after it was applied, with a change on the next day.
    raw.load(warehouse, [Part(first, table)])
    graph.run(warehouse)
    second = batch(tag, 1, film(tag, title="Changed", ratings=ratings), film(tag, "2"))
    arrive(warehouse, second)
    check(warehouse, tag, first, second)


@pytest.mark.parametrize("table", PARTS[:-1])
def test_a_file_that_is_loaded_in_pieces_with_the_graph_between_them_is_complete_with_the_last(
    warehouse: SnowflakeConnection, tag: str, table: str
):
    ratings = (("imdb", Decimal("90.00"), 10),)
    films = [film(tag, str(number), ratings=ratings) for number in range(3)]
    first = batch(tag, 0, *films, quarantined=("7", "8", "9"))
    raw.load(warehouse, [part for part in parts(first) if part.table != table])
    for piece in Part(first, table).split(3):
        graph.run(warehouse)
        assert shown(warehouse, tag, first) == Star()
        raw.load(warehouse, [piece])
    graph.run(warehouse)
    check(warehouse, tag, first)


def test_more_days_than_a_run_takes_are_applied_in_several_runs(warehouse: SnowflakeConnection, tag: str):
    days = [batch(tag, number, film(tag, title=f"Title {number % 5}")) for number in range(DAYS_A_RUN + 5)]
    raw.load(warehouse, parts(*days))
    graph.run(warehouse)
    check(warehouse, tag, *days[:DAYS_A_RUN])
    assert rows(warehouse, "SELECT SYSTEM$STREAM_HAS_DATA('OPS.GRAPH_WAKE_UPS_STREAM')") == [(True,)]
    graph.run(warehouse)
    check(warehouse, tag, *days)
    assert rows(warehouse, "SELECT COUNT(*) FROM OPS.PENDING_DAYS") == [(0,)]
    assert rows(warehouse, "SELECT SYSTEM$STREAM_HAS_DATA('OPS.GRAPH_WAKE_UPS_STREAM')") == [(False,)]


def test_streams_that_are_made_again_count_nothing_twice(warehouse: SnowflakeConnection, tag: str):
    first, second = batch(tag, 0, film(tag)), batch(tag, 1, film(tag, title="Changed"))
    arrive(warehouse, first)
    raw.load(warehouse, [Part(second, "movies")])
    rows(
        warehouse,
        "CREATE OR REPLACE STREAM RAW.MOVIES_STREAM ON TABLE RAW.MOVIES APPEND_ONLY = TRUE SHOW_INITIAL_ROWS = TRUE",
    )
    raw.load(warehouse, [part for part in parts(second) if part.table != "movies"])
    graph.run(warehouse)
    check(warehouse, tag, first, second)


def test_what_was_done_is_noted_table_by_table(warehouse: SnowflakeConnection, tag: str):
    first = batch(tag, 0, film(tag), film(tag, "2"))
    second = batch(tag, 1, film(tag, title="Changed"), film(tag, "3", genres="Drama,Crime"))
    arrive(warehouse, first)
    arrive(warehouse, second)
    changes = rows(
        warehouse,
        "SELECT table_name, rows_inserted, rows_updated, rows_closed, rows_deleted FROM OPS.CORE_CHANGES"
        " WHERE source = %s AND dt = %s ORDER BY table_name",
        [tag, day(1)],
    )
    # One film changed, one was removed (a version each), one is new.
    assert changes == [
        ("applied_days", 1, 0, 0, 0),
        ("bridge_movie_genre", 3, 0, 0, 0),
        ("bridge_movie_person", 2, 0, 0, 0),
        ("dim_genre", 1, 0, 0, 0),
        ("dim_movie", 3, 2, 2, 0),
        ("fact_movie_snapshot", 2, 0, 0, 0),
    ]
    quality = rows(
        warehouse,
        "SELECT checked_rows, offending_rows FROM OPS.DATA_QUALITY_RESULTS WHERE source = %s AND dt = %s"
        " AND rule IN ('facts_have_their_version', 'films_have_a_release_date') ORDER BY rule",
        [tag, day(1)],
    )
    assert quality == [(2, 0), (2, 2)]


def test_each_table_of_a_batch_can_be_traced_to_its_file(warehouse: SnowflakeConnection, tag: str):
    first = batch(tag, 0, film(tag), film(tag, "2"), quarantined=("3",))
    arrive(warehouse, first)
    audit = rows(
        warehouse,
        "SELECT table_name, rows_loaded, rows_announced, file_name IS NOT NULL, content_id, is_applied"
        " FROM OPS.LOAD_AUDIT WHERE source = %s ORDER BY table_name",
        [tag],
    )
    assert audit == [
        ("movie_genres", 2, 2, True, first.batch_id, True),
        ("movie_people", 2, 2, True, first.batch_id, True),
        ("movie_ratings", 0, 0, False, first.batch_id, True),
        ("movies", 2, 2, True, first.batch_id, True),
        ("quarantined_rows", 1, 1, True, first.batch_id, True),
    ]


@settings(
    max_examples=8,
    suppress_health_check=(
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ),
)
@given(data=st.data())
def test_any_history_in_any_order_gives_the_tables_of_one_clean_pass(
    warehouse: SnowflakeConnection, data: st.DataObject
):
    tag = f"t{next(_TAGS):04}"
    batches = data.draw(batches_of(tag))
    whole = parts(*batches)
    pieces = [piece for part in whole for piece in part.split(data.draw(st.sampled_from((1, 1, 2))))]
    again = data.draw(st.lists(st.sampled_from(pieces), max_size=3)) if pieces else []
    order = data.draw(st.permutations(pieces + again))
    cuts = data.draw(st.sets(st.integers(1, max(len(order) - 1, 1)), max_size=3))
    begin = 0
    for end in [*sorted(cuts), len(order)]:
        raw.load(warehouse, order[begin:end])
        begin = end
        graph.run(warehouse)
        found = core.read(warehouse, [f"{tag}a", f"{tag}b"], tag)
        assert found == star(complete(order[:end])), f"after {end} of {len(order)} parts"
