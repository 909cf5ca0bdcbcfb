"""The result object of a run: made of what the assets report, complete also where a run stopped half way."""

import json
from datetime import date
from typing import Any

import dagster as dg
import pytest

from movie_platform.commands.demo import DAYS, unaccounted
from movie_platform.commands.run import result_as_json, stage_rows
from movie_platform.errors import ConfigurationError
from movie_platform.runs.pipeline import absolute_profile, dates_between, require_partitions
from movie_platform.runs.result import AssetReport, CheckReport, ErrorReport, RunReport, build_report

DT = date(2026, 11, 18)
COUNTS = {
    "rows_in": 103,
    "rejected": 3,
    "movies": 95,
    "quarantined": 6,
    "quarantined_by_rule": {"missing_title": 3, "ragged_row": 3},
    "exact_duplicates": 2,
}


def asset(*key: str, step: str | None = None, **metadata: Any) -> AssetReport:
    named = {f"movie_platform/{name}": value for name, value in metadata.items()}
    return AssetReport(key, step or key[-1], named, step_seconds=9.0)


def assets_of_a_whole_run() -> list[AssetReport]:
    loaded = {"movies": 95, "movie_ratings": 60, "movie_genres": 200, "movie_people": 500, "batches": 1}
    common = {"batch_id": "20261118T050000Z-0123456789ab", "source": "demo"}
    return [
        asset(
            "extract", "raw_extract", rows_in=103, rows_out=100, rejected=3, bytes=5000, seconds=1.5, **common
        ),
        asset(
            "landing",
            "zipped_bundle",
            rows_in=100,
            rows_out=100,
            bytes=3000,
            seconds=0.5,
            unchanged=False,
            **common,
        ),
        asset("processed", "unzipped_files", rows_in=100, rows_out=100, bytes=5000, seconds=2.0, **common),
        *(
            asset(
                "archive",
                table,
                step="transform",
                rows_in=103,
                rows_out=rows,
                bytes=10,
                seconds=8.0,
                counts=COUNTS,
                nulled={"runtime": 4},
                peak_rss_bytes=500,
            )
            for table, rows in loaded.items()
        ),
        *(
            asset("snowflake", "raw", table, rows_in=rows, rows_out=rows, bytes=10, seconds=1.0)
            for table, rows in loaded.items()
        ),
        asset("snowflake", "ops", "quarantined_rows", rows_in=6, rows_out=6, bytes=10, seconds=1.0),
        asset("snowflake", "core", "dim_movie", step="core_tables", rows_inserted=7, seconds=3.0),
        asset(
            "snowflake",
            "core",
            "fact_movie_snapshot",
            step="core_tables",
            rows_in=95,
            rows_out=95,
            seconds=3.0,
        ),
        asset("snowflake", "marts", "movie_history", step="marts", rows_out=120, seconds=0.5),
    ]


def whole_run() -> RunReport:
    check = CheckReport("rows_reconcile", "archive/movies", passed=True, severity="ERROR")
    return build_report(
        status="success", dt=DT, run_id="r1", assets=assets_of_a_whole_run(), checks=[check], error=None
    )


def test_the_object_has_the_keys_that_scripts_rely_on() -> None:
    result = json.loads(json.dumps(whole_run().as_json()))
    assert {*result} >= {
        *(
            "status",
            "date",
            "batch_id",
            "source",
            "run_id",
            "stages",
            "rows",
            "quarantine",
            "nulled",
            "checks",
            "error",
        )
    }
    assert {*result["stages"][0]} == {"name", "seconds", "rows_in", "rows_out", "bytes", "peak_rss_bytes"}
    assert {*result["checks"][0]} == {"name", "asset", "passed", "severity"}
    assert result["date"] == "2026-11-18"
    assert result["error"] is None


def test_rows_add_up_over_the_hops() -> None:
    rows = whole_run().rows
    assert (rows.extracted, rows.rejected, rows.bundled, rows.unpacked) == (100, 3, 100, 100)
    assert rows.extracted + rows.rejected == rows.transformed + rows.quarantined + rows.duplicates_removed
    assert rows.loaded == {
        "movies": 95,
        "movie_ratings": 60,
        "movie_genres": 200,
        "movie_people": 500,
        "batches": 1,
        "quarantined_rows": 6,
    }


def test_a_step_that_makes_several_tables_counts_its_time_once_and_films_not_rows_of_tables() -> None:
    stages = {stage.name: stage for stage in whole_run().stages}
    assert [*stages] == ["extract", "bundle", "unpack", "transform", "load", "core", "marts"]
    assert (stages["transform"].seconds, stages["transform"].rows_in, stages["transform"].rows_out) == (
        8.0,
        103,
        95,
    )
    assert stages["transform"].peak_rss_bytes == 500
    assert (stages["load"].seconds, stages["load"].rows_out) == (6.0, 862)


def test_core_is_told_in_films_of_the_day_and_marts_in_the_rows_that_they_show() -> None:
    stages = {stage.name: stage for stage in whole_run().stages}
    core, marts = stages["core"], stages["marts"]
    assert (core.seconds, core.rows_in, core.rows_out) == (3.0, 95, 95)
    assert (marts.seconds, marts.rows_out) == (0.5, 120)


def test_quarantine_and_nulled_values_are_given_by_rule_and_column() -> None:
    report = whole_run()
    assert report.quarantine == {"missing_title": 3, "ragged_row": 3}
    assert report.nulled == {"runtime": 4}


def test_of_an_asset_that_was_materialized_twice_the_last_counts() -> None:
    first = asset("extract", "raw_extract", rows_out=1)
    second = asset("extract", "raw_extract", rows_out=2)
    report = build_report(status="success", dt=DT, run_id="r", assets=[first, second], checks=[], error=None)
    assert report.rows.extracted == 2
    assert [stage.rows_out for stage in report.stages] == [2]


def test_a_run_that_stopped_half_way_reports_zeros_for_what_did_not_run() -> None:
    report = build_report(
        status="failed",
        dt=DT,
        run_id="r",
        assets=assets_of_a_whole_run()[:2],
        checks=[],
        error=ErrorReport("x", "y"),
    )
    assert [stage.name for stage in report.stages] == ["extract", "bundle"]
    assert (report.rows.bundled, report.rows.unpacked, report.rows.transformed, report.rows.loaded) == (
        100,
        0,
        0,
        {},
    )
    assert report.as_json()["error"] == {"code": "x", "message": "y"}


def test_a_bundle_from_outside_holds_what_was_unpacked_of_it() -> None:
    unpacked = asset("processed", "unzipped_files", rows_in=100, rows_out=100, rejected=3)
    report = build_report(status="success", dt=DT, run_id="r", assets=[unpacked], checks=[], error=None)
    assert (report.rows.extracted, report.rows.rejected, report.rows.bundled) == (0, 3, 100)


def test_a_step_that_reports_no_seconds_takes_those_that_dagster_measured() -> None:
    report = build_report(
        status="success", dt=DT, run_id="r", assets=[asset("extract", "raw_extract")], checks=[], error=None
    )
    assert report.stages[0].seconds == 9.0


def test_unchanged_content_is_said_so() -> None:
    bundle = asset("landing", "zipped_bundle", rows_out=100, unchanged=True)
    report = build_report(status="success", dt=DT, run_id="r", assets=[bundle], checks=[], error=None)
    assert report.unchanged is True


def test_a_range_is_one_object_with_a_run_a_date() -> None:
    good = whole_run()
    bad = build_report(
        status="failed", dt=date(2026, 11, 19), run_id="r2", assets=[], checks=[], error=ErrorReport("x", "y")
    )
    result = result_as_json([good, bad], [DT, date(2026, 11, 19)], is_range=True)
    assert (result["status"], result["from"], result["to"]) == ("failed", "2026-11-18", "2026-11-19")
    assert [run["run_id"] for run in result["runs"]] == ["r1", "r2"]
    assert result_as_json([good], [DT], is_range=False) == good.as_json()


def test_the_table_has_a_row_a_stage_and_day() -> None:
    rows = stage_rows([whole_run()])
    assert len(rows) == 7
    assert rows[3][:5] == ("2026-11-18", "transform", 103, 95, 6)


def test_dates_of_a_range_include_both_ends() -> None:
    assert dates_between(DT, date(2026, 11, 20)) == (DT, date(2026, 11, 19), date(2026, 11, 20))
    assert dates_between(DT, DT) == (DT,)
    with pytest.raises(ConfigurationError):
        dates_between(DT, date(2026, 11, 17))


def test_a_date_that_is_no_partition_is_refused_before_anything_runs() -> None:
    partitions = dg.DailyPartitionsDefinition("2026-11-01", end_date="2026-11-20")
    require_partitions(partitions, [DT], date(2026, 11, 1))
    with pytest.raises(ConfigurationError, match="2026-10-31 is not a date of this platform"):
        require_partitions(partitions, [date(2026, 10, 31)], date(2026, 11, 1))


def test_a_profile_file_is_recorded_as_an_absolute_path_and_a_name_as_it_is() -> None:
    assert absolute_profile("demo") == "demo"
    assert absolute_profile("profiles/my.toml").startswith("/")


def day(dt: date, rows_in: int, unaccounted_rows: int) -> dict[str, Any]:
    return {"dt": dt, "rows_in": rows_in, "unaccounted": unaccounted_rows}


def test_the_demo_notices_rows_that_are_missing_in_the_warehouse() -> None:
    report = whole_run()
    assert unaccounted([report], [day(DT, 103, 0)]) == []
    assert unaccounted([report], []) == ["2026-11-18: no complete batch in the warehouse"]
    assert "unaccounted" in unaccounted([report], [day(DT, 103, 1)])[0]
    assert "announced" in unaccounted([report], [day(DT, 102, 0)])[0]


def test_the_demo_days_are_three_in_a_row() -> None:
    assert dates_between(DAYS[0], DAYS[-1]) == DAYS
    assert len(DAYS) == 3
