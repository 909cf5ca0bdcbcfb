"""The figures of a benchmark: ratios, sums, tables, choices."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from movie_platform.bench.report import (
    BARE,
    NAIVE,
    PLATFORM,
    STAGES,
    BenchReport,
    Machine,
    StageFigures,
    parse_days,
    parse_stages,
    parse_tools,
)
from movie_platform.bench.usage import Usage
from movie_platform.errors import ConfigurationError

MACHINE = Machine(2, 24_000_000_000, "Linux", "3.11.9", 0.5, 1.25)
EXTRACT = StageFigures(
    "extract",
    1000,
    5_000_000,
    {
        PLATFORM: Usage(2.0, 1.5, 200_000_000),
        BARE: Usage(1.0, 0.9, 100_000_000),
        NAIVE: Usage(12.0, 11.0, 900_000_000),
    },
)
BUNDLE = StageFigures(
    "bundle",
    1000,
    5_000_000,
    {
        PLATFORM: Usage(1.0, 1.0, 250_000_000),
        BARE: Usage(0.5, 0.5, 50_000_000),
        NAIVE: Usage(9.0, 8.0, 500_000_000),
    },
)


def test_ratios_compare_seconds() -> None:
    assert EXTRACT.ratio(PLATFORM, BARE) == 2.0
    assert EXTRACT.ratio(NAIVE, PLATFORM) == 6.0


def test_a_tool_that_was_not_measured_has_no_ratio() -> None:
    alone = StageFigures("extract", 1000, 1, {PLATFORM: Usage(2.0, 1.5, 1)})

    assert alone.ratio(PLATFORM, BARE) is None
    assert alone.as_json()["platform_to_bare"] is None


def test_no_time_at_all_gives_no_ratio_and_no_speed() -> None:
    instant = StageFigures("extract", 1000, 1, {PLATFORM: Usage(1.0, 0, 1), BARE: Usage(0.0, 0, 1)})

    assert instant.ratio(PLATFORM, BARE) is None
    assert instant.as_json()["tools"][BARE]["rows_per_second"] == 0


def test_end_to_end_adds_seconds_and_takes_the_largest_memory() -> None:
    total = BenchReport(1000, MACHINE, [EXTRACT, BUNDLE]).end_to_end()

    assert total is not None
    assert total.used[PLATFORM] == Usage(3.0, 2.5, 250_000_000)
    assert total.ratio(PLATFORM, BARE) == 2.0
    assert total.ratio(NAIVE, PLATFORM) == 7.0


def test_end_to_end_leaves_out_a_tool_that_missed_a_stage() -> None:
    without_naive = StageFigures("bundle", 1000, 1, {PLATFORM: Usage(1, 1, 1), BARE: Usage(1, 1, 1)})
    total = BenchReport(1000, MACHINE, [EXTRACT, without_naive]).end_to_end()

    assert total is not None
    assert set(total.used) == {PLATFORM, BARE}


def test_one_stage_is_no_way_from_end_to_end() -> None:
    assert BenchReport(1000, MACHINE, [EXTRACT]).end_to_end() is None


def test_the_json_object_has_figures_ratios_and_the_machine() -> None:
    found = json.loads(json.dumps(BenchReport(1000, MACHINE, [EXTRACT, BUNDLE], {"movies": 998}).as_json()))

    assert found["rows"] == 1000
    assert found["tables"] == {"movies": 998}
    assert found["machine"]["processors"] == 2
    assert [stage["stage"] for stage in found["stages"]] == ["extract", "bundle"]
    assert found["stages"][0]["tools"][PLATFORM] == {
        "seconds": 2.0,
        "cpu_seconds": 1.5,
        "rows_per_second": 500,
        "mb_per_second": 2.5,
        "peak_rss_bytes": 200_000_000,
    }
    assert found["end_to_end"]["platform_to_bare"] == 2.0
    assert found["end_to_end"]["naive_to_platform"] == 7.0
    assert found["end_to_end"]["platform_to_bare_cpu"] == 1.79
    assert found["end_to_end"]["naive_to_platform_cpu"] == 7.6


def test_the_table_has_a_line_a_stage_and_tool() -> None:
    shown: list[tuple[Any, ...]] = []

    def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        shown.append((title, columns, list(rows)))

    BenchReport(1000, MACHINE, [EXTRACT, BUNDLE]).show(show)

    title, columns, rows = shown[0]
    assert "1,000 films" in title
    assert "load average 0.5 before" in title
    assert all(len(row) == len(columns) for row in rows)
    assert [row[:2] for row in rows] == [
        (stage, tool) for stage in ("extract", "bundle", "end to end") for tool in (PLATFORM, BARE, NAIVE)
    ]
    assert rows[0][2:] == (2.0, 1.5, 500, 2.5, 200, None, None)
    assert rows[1][7:] == (2.0, None)
    assert rows[2][7:] == (None, 6.0)


def test_stages_are_the_first_ones_in_their_order() -> None:
    assert parse_stages("unpack, extract,bundle") == ("extract", "bundle", "unpack")
    assert parse_stages("") == STAGES


def test_days_are_named_with_commas_between():
    assert parse_days("50, 1,10,1") == (1, 10, 50)


@pytest.mark.parametrize("text", ["", "1,", "-1", "one", "1.5", "1001"])
def test_what_is_no_number_of_days_is_refused_with_an_example(text: str):
    with pytest.raises(ConfigurationError) as caught:
        parse_days(text)
    assert "1,10,50" in (caught.value.next_step or "")


@pytest.mark.parametrize("text", ["bundle", "extract,unpack", "extract,zip"])
def test_stages_with_a_gap_or_unknown_ones_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not the first stages"):
        parse_stages(text)


def test_the_platform_is_measured_whatever_stands_beside_it() -> None:
    assert parse_tools("none") == {PLATFORM}
    assert parse_tools("bare") == {PLATFORM, BARE}
    assert parse_tools("all") == {PLATFORM, BARE, NAIVE}
    with pytest.raises(ConfigurationError, match="not a choice"):
        parse_tools("everything")
