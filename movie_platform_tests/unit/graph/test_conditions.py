"""When CORE and MARTS are materialized by themselves, asked of Dagster's own evaluation on assets like them."""

from collections.abc import Iterator

import dagster as dg
import pytest

from movie_platform.graph.conditions import follows_any_partition, follows_its_partition

DAY = "2026-11-18"
PARTITIONS = dg.DailyPartitionsDefinition("2026-11-18", end_date="2026-11-21")
RAW, CORE, MART = (dg.AssetKey([layer]) for layer in ("raw", "core", "mart"))


@dg.asset(key=RAW, partitions_def=PARTITIONS)
def raw() -> None: ...


@dg.asset(key=CORE, deps=[RAW], partitions_def=PARTITIONS, automation_condition=follows_its_partition())
def core(context: dg.AssetExecutionContext) -> None:
    if context.run.tags.get("fails"):
        raise ValueError("the task failed")


@dg.asset(key=MART, deps=[CORE], automation_condition=follows_any_partition())
def mart() -> None: ...


@dg.asset_check(asset=RAW, blocking=True)
def raw_is_sound(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=not context.run.tags.get("unsound"))


DEFS = dg.Definitions(assets=[raw, core, mart], asset_checks=[raw_is_sound])


class Ticks:
    """The sensor's ticks over one instance; each says what it would materialize."""

    def __init__(self, instance: dg.DagsterInstance, definitions: dg.Definitions = DEFS) -> None:
        self._instance = instance
        self._definitions = definitions
        self._cursor = None

    def run(self, *assets: dg.AssetKey, partition: str | None = DAY, **tags: str) -> None:
        """A run of these assets, the check of RAW with RAW."""
        selection = dg.AssetSelection.assets(*assets)
        job = dg.define_asset_job("run_them", selection=selection)
        definitions = dg.Definitions(
            assets=self._definitions.assets, asset_checks=self._definitions.asset_checks, jobs=[job]
        )
        definitions.resolve_job_def("run_them").execute_in_process(
            instance=self._instance, partition_key=partition, tags=tags, raise_on_error=False
        )

    def next(self) -> set[tuple[str, str | None]]:
        found = dg.evaluate_automation_conditions(
            self._definitions, instance=self._instance, cursor=self._cursor
        )
        self._cursor = found.cursor
        return {
            (result.key.to_user_string(), subset.partition_key)
            for result in found.results
            for subset in result.true_subset.expensively_compute_asset_partitions()
        }


@pytest.fixture
def ticks() -> Iterator[Ticks]:
    with dg.DagsterInstance.ephemeral() as instance:
        made = Ticks(instance)
        made.next()
        yield made


def test_nothing_happens_by_itself_where_nothing_was_loaded(ticks: Ticks):
    assert ticks.next() == set()


def test_core_follows_raw_of_the_same_day_even_if_it_is_not_the_latest_day(ticks: Ticks):
    ticks.run(RAW)
    assert ("core", DAY) in ticks.next()
    assert ticks.next() == set(), "once is enough"


def test_marts_follow_any_day_of_core(ticks: Ticks):
    ticks.run(RAW, CORE)
    assert ticks.next() == {("mart", None)}


def test_a_run_that_carries_a_day_to_the_marts_sets_off_nothing(ticks: Ticks):
    ticks.run(RAW, CORE, MART)
    assert ticks.next() == set()


def test_core_does_not_follow_raw_that_a_blocking_check_refused_until_it_is_sound(ticks: Ticks):
    ticks.run(RAW, unsound="yes")
    assert ticks.next() == set()
    ticks.run(RAW)
    assert ("core", DAY) in ticks.next()


def test_what_failed_is_not_tried_again_by_itself(ticks: Ticks):
    ticks.run(RAW, CORE, fails="yes")
    assert [key for key, _ in ticks.next() if key == "core"] == []
    assert [key for key, _ in ticks.next() if key == "core"] == []


CHART = dg.AssetKey(["chart"])


@dg.asset(key=CHART, deps=[CORE, MART], automation_condition=follows_any_partition())
def chart() -> None: ...


@dg.asset_check(asset=MART, blocking=True)
def mart_adds_up(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=not context.run.tags.get("wrong"))


WITH_CHART = dg.Definitions(assets=[raw, core, mart, chart], asset_checks=[raw_is_sound, mart_adds_up])


@pytest.fixture
def ticks_with_chart() -> Iterator[Ticks]:
    with dg.DagsterInstance.ephemeral() as instance:
        made = Ticks(instance, WITH_CHART)
        made.next()
        yield made


def test_a_mart_that_builds_on_another_follows_once_that_one_was_checked(ticks_with_chart: Ticks):
    ticks_with_chart.run(RAW, CORE)
    assert ticks_with_chart.next() == {("mart", None)}
    ticks_with_chart.run(MART, partition=None)
    assert ticks_with_chart.next() == {("chart", None)}
    ticks_with_chart.run(CHART, partition=None)
    assert ticks_with_chart.next() == set()


def test_a_mart_does_not_follow_one_that_does_not_add_up(ticks_with_chart: Ticks):
    ticks_with_chart.run(RAW, CORE)
    ticks_with_chart.next()
    ticks_with_chart.run(MART, partition=None, wrong="yes")
    assert ticks_with_chart.next() == set()
