"""Whole runs against the local cloud: the same tables as Dagster makes, and each failure where it belongs.

The tests stand in the order in which they run: later ones break on purpose what earlier ones compared.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from harness import DAGS, ROOT, Cloud
from whole_runs import Outcome, events_of, execute, newest_event, processed_dags, watcher_event

GRAPH = json.loads((DAGS / "graph.json").read_text("utf-8"))
DAY = "2026-11-18"
MOMENT = datetime(2026, 11, 18, 3, tzinfo=UTC)
LANDING = "landing/zipped_bundle"
LOADED = [asset["key"] for asset in GRAPH["assets"] if asset["group"] in ("snowflake_raw", "snowflake_ops")]
BEHIND = [
    asset["key"] for asset in GRAPH["assets"] if asset["group"] in ("snowflake_core", "snowflake_marts")
]
# What says which source, batch and file a row is of and when it was made, and keys that are hashes of it: all else
# must be equal.
IDENTITY = {
    "source",
    "batch_id",
    "transform_id",
    "file_name",
    "loaded_at",
    "content_id",
    "extracted_at",
    "transformed_at",
    "measured_at",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one source, carried by the three DAGs in order."""

    extract: Outcome
    landed: list[Any]
    transform: Outcome
    archived: list[Any]
    load: Outcome
    alerts: list[dict[str, Any]]

    @property
    def record(self) -> str:
        """Address of the transform's record."""
        return self.archived[0].extra["record"]

    @property
    def bundle(self) -> str:
        """Address of the bundle."""
        return f"s3://{self.landed[0].extra['bucket']}/{self.landed[0].extra['key']}"


def write_profile(folder: Path, name: str) -> Path:
    """The sample's 200 real films as a source of a name."""
    columns = (
        (ROOT / "sample_data" / "raw_movie_data.csv")
        .read_text("utf-8")
        .splitlines()[0]
        .replace('"', "")
        .split(",")
    )
    named = "".join(f'{column} = "{column}"\n' for column in columns if column not in ("movie_id", "extra"))
    path = folder / f"{name}.toml"
    path.write_text(
        f'[source]\nkind = "files"\nname = "{name}"\nformat = "csv"\nkey = ["movie_id"]\n'
        f'path = "{ROOT}/sample_data/raw_movie_data.csv"\n[columns]\n{named}',
        "utf-8",
    )
    return path


@pytest.fixture(scope="module")
def dags(cloud: Cloud) -> dict[str, Any]:
    return processed_dags()


@pytest.fixture(scope="module")
def profile(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_profile(tmp_path_factory.mktemp("source"), "by_airflow")


@pytest.fixture(scope="module")
def day(cloud: Cloud, dags: dict[str, Any], profile: Path) -> Day:
    """The three DAGs in order, each triggered by the events of the one before."""
    extract = execute(dags["movie_extract"], logical_date=MOMENT, conf={"profile": str(profile)})
    landed = events_of(LANDING)
    transform = execute(dags["movie_transform"], events=landed)
    archived = [event for key in trigger_of(dags["movie_load"]) for event in events_of(key)]
    load = execute(dags["movie_load"], events=archived)
    return Day(extract, landed, transform, archived, load, cloud.alerts())


@pytest.fixture
def quiet(cloud: Cloud) -> None:
    """Alerts of before are taken away."""
    cloud.alerts()


def trigger_of(dag: Any) -> list[str]:
    """Names of the assets that trigger a DAG."""
    return sorted(asset.name for asset in dag.timetable.asset_condition.objects)


def compared(cloud: Cloud, key: str, source: str) -> list[tuple[Any, ...]] | None:
    """Rows of a table that are of a source, without what says so; None for a table that is not told by source."""
    _, schema, table = key.split("/")
    rows = cloud.sql(f"SELECT * FROM {schema}.{table}")
    if not rows or "source" not in rows[0]:
        return None
    return sorted(
        (
            tuple(value for name, value in row.items() if name not in IDENTITY and not name.endswith("_key"))
            for row in rows
            if row["source"] == source
        ),
        key=repr,
    )


def ran(outcome: Outcome) -> set[str]:
    return outcome.of("success")


def test_the_three_dags_in_order_carry_a_day_and_hand_on_what_they_know(day: Day):
    for outcome in (day.extract, day.transform, day.load):
        assert (outcome.state, set(outcome.tasks.values())) == ("success", {"success"}), outcome
    [landed] = day.landed
    assert landed.extra["rows"] == 201
    assert landed.extra["key"] == f"movies/source=by_airflow/dt={DAY}/{landed.extra['batch_id']}.zip"
    assert {event.extra["batch_id"] for event in day.archived} == {landed.extra["batch_id"]}
    assert day.alerts == []


def test_each_asset_of_the_graph_has_an_event(day: Day):
    made = {asset["key"] for asset in GRAPH["assets"] if asset["step"]}
    assert {key for key in made if len(events_of(key)) == 1} == made


def test_the_tables_are_those_of_a_dagster_run_of_the_same_day_row_for_row(
    day: Day, cloud: Cloud, tmp_path: Path
):
    cloud.command("run", "--date", DAY, "--profile", str(write_profile(tmp_path, "by_dagster")))
    seen = 0
    for key in (*LOADED, *BEHIND):
        ours, theirs = compared(cloud, key, "by_airflow"), compared(cloud, key, "by_dagster")
        assert ours == theirs, key
        seen += len(ours or ())
    assert seen > 1000
    cloud.alerts()


def test_s3s_own_message_about_the_extracts_bundle_starts_nothing_new(
    day: Day, cloud: Cloud, dags: dict[str, Any]
):
    bodies = [body for body in cloud.messages("arrivals") if "by_airflow" in body]
    assert any("source%3Dby_airflow" in body for body in bodies), "S3 encodes keys in its events"
    outcome = execute(dags["movie_transform"], events=[watcher_event(LANDING, bodies)])
    assert outcome.tasks["collect_bundles"] == "skipped"
    assert ran(outcome) == set()


def test_a_source_that_says_nothing_new_is_no_event(day: Day, dags: dict[str, Any], profile: Path):
    before = newest_event(LANDING)
    outcome = execute(dags["movie_extract"], conf={"profile": str(profile), "date": DAY})
    assert outcome.tasks == {"extract_and_land": "success", "landed": "skipped"}
    assert events_of(LANDING, after=before) == []


def test_a_corrupt_bundle_fails_at_its_gate_and_the_function_alone_tells(
    quiet: None, day: Day, cloud: Cloud, dags: dict[str, Any]
):
    corrupt = ROOT / "sample_data" / "bundles" / "row_count_mismatch.wrong_row_count.zip"
    cloud.messages("arrivals")
    cloud.command("land", str(corrupt), "--source", "stranger", "--date", DAY)
    bodies = cloud.messages("arrivals")
    outcome = execute(dags["movie_transform"], events=[watcher_event(LANDING, bodies)])
    assert outcome.state == "failed"
    assert outcome.of("failed") == {"bundle.unzipped_files_checks[0]"}
    assert ran(outcome) == {
        "collect_bundles",
        "bundle.bundle_is_there[0]",
        "bundle.processed__unzipped_files[0]",
    }
    [alert] = cloud.alerts()
    assert alert["kind"] == "quarantined_bundle"


def test_a_glue_job_that_fails_is_not_tried_again_and_one_message_has_its_error(
    quiet: None, day: Day, cloud: Cloud, dags: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    artifacts = "movie-platform-artifacts-000000000000-us-east-1"
    cloud.client("s3").put_object(
        Bucket=artifacts, Key="tests/raises.py", Body=b"raise ValueError('the films are upside down')\n"
    )
    cloud.client("glue").create_job(
        Name="raises",
        Role="arn:aws:iam::000000000000:role/test",
        Command={
            "Name": "glueetl",
            "ScriptLocation": f"s3://{artifacts}/tests/raises.py",
            "PythonVersion": "3",
        },
        GlueVersion="5.1",
        DefaultArguments={"--output_uri": f"s3://{cloud.variable['archive_bucket']}"},
    )
    monkeypatch.setenv(
        "AIRFLOW_VAR_MOVIE_PLATFORM", json.dumps({**cloud.variable, "transform_job": "raises"})
    )
    outcome = execute(dags["movie_transform"], conf={"bundle": day.bundle})
    assert outcome.of("failed") == {"bundle.archive_tables[0]"}
    assert not ran(outcome) & {"bundle.transform_record[0]", "bundle.catalog[0]", "bundle.archive_checks[0]"}
    runs = cloud.client("glue").get_job_runs(JobName="raises")["JobRuns"]
    assert [run["JobRunState"] for run in runs] == ["FAILED"]
    [alert] = cloud.alerts()
    assert alert["kind"] == "run_failed"
    assert "the films are upside down" in alert["why"]


def test_a_pipe_that_cannot_load_a_file_fails_its_table_with_the_pipes_own_error(
    quiet: None, day: Day, cloud: Cloud, dags: dict[str, Any]
):
    s3, bucket = cloud.client("s3"), cloud.variable["archive_bucket"]
    record = json.loads(s3.get_object(Bucket=bucket, Key=day.record.split("/", 3)[3])["Body"].read())
    key = f"movies/source=by_airflow/dt={DAY}/version=broken/movies-broken-00000.parquet"
    s3.put_object(Bucket=bucket, Key=key, Body=b"these are no films")
    record["tables"] = {name: {**table, "files": [], "rows": 0} for name, table in record["tables"].items()}
    record["tables"]["movies"] = {"rows": 1, "files": [{"key": key, "rows": 1, "bytes": 18}]}
    s3.put_object(Bucket=bucket, Key="_runs/broken/_RUN.json", Body=json.dumps(record).encode())
    outcome = execute(dags["movie_load"], conf={"record": f"s3://{bucket}/_runs/broken/_RUN.json"})
    assert outcome.of("failed") == {"batch.snowflake__raw__movies[0]"}
    assert "batch.movies_loaded_rows_match_archive[0]" not in ran(outcome)
    assert "batch.core_tables[0]" not in ran(outcome)
    [alert] = cloud.alerts()
    assert alert["kind"] == "run_failed"
    assert key in alert["why"]


def test_a_gate_that_fails_stops_what_is_behind_it_and_tells_once(
    quiet: None, day: Day, cloud: Cloud, dags: dict[str, Any]
):
    before = newest_event("snowflake/raw/movies")
    cloud.change(
        # One row more than the file has: of fewer the wait for Snowpipe would wait for the rest.
        "INSERT INTO RAW.MOVIES (source, dt, batch_id, transform_id, movie_id, title, row_hash, tracked_hash,"
        " file_name, file_row, loaded_at) SELECT source, dt, batch_id, transform_id, 'extra', title, row_hash,"
        " tracked_hash, file_name, 999999, loaded_at FROM RAW.MOVIES WHERE source = %s LIMIT 1",
        "by_airflow",
    )
    outcome = execute(dags["movie_load"], conf={"record": day.record})
    assert outcome.of("failed") == {"batch.movies_loaded_rows_match_archive[0]"}
    assert "batch.snowflake__raw__movies[0]" in ran(outcome)
    assert "batch.core_tables[0]" not in ran(outcome)
    assert events_of("snowflake/raw/movies", after=before) == [], "a refused table is no event"
    [alert] = cloud.alerts()
    assert alert["kind"] == "check_failed"
    assert "loaded_rows_match_archive" in alert["why"]


def test_the_watchdog_passes_over_fresh_tables_and_tells_once_when_they_turn_stale(
    quiet: None, day: Day, cloud: Cloud, dags: dict[str, Any]
):
    watchdog = dags["movie_watchdog"]
    assert execute(watchdog, logical_date=datetime(2026, 11, 18, 4, tzinfo=UTC)).state == "success"
    cloud.change("UPDATE RAW.BATCHES SET loaded_at = DATEADD(day, -3, loaded_at)")
    if BEHIND:
        cloud.change("UPDATE OPS.LOAD_RUNS SET recorded_at = DATEADD(day, -3, recorded_at)")
    assert execute(watchdog, logical_date=datetime(2026, 11, 18, 5, tzinfo=UTC)).state == "failed"
    [alert] = cloud.alerts()
    assert alert["kind"] == "freshness_failed"
    assert "snowflake/raw/movies" in alert["why"]
    assert execute(watchdog, logical_date=datetime(2026, 11, 18, 6, tzinfo=UTC)).state == "failed"
    assert cloud.alerts() == []
