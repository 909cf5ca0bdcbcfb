"""Bundles that land from outside are carried to the warehouse by the real sensor daemon."""

import json
import time
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from movie_platform.graph import tag_names
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.runs.bundle_claim import landing_key, read_claim
from movie_platform.runs.bundle_upload import put_bundle
from movie_platform.runs.instance import open_instance
from movie_platform.settings import Settings
from movie_platform_tests.dev_process import dev
from movie_platform_tests.plain_bundles import SOURCE, plain_bundle

RUN_SECONDS = 1500
DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.timeout(2100)]


def land(settings: Settings, folder: Path, body: bytes) -> str:
    path = folder / "bundle.zip"
    path.write_bytes(body)
    with path.open("rb") as file:
        key = landing_key(read_claim(file), path.name, source=None, dt=None)
    return put_bundle(settings, path, key).key


def ended_runs(settings: Settings, number: int) -> dict[str, dg.DagsterRunStatus]:
    """Status by bundle of the runs that the daemon made, once `number` of them have ended."""
    deadline = time.monotonic() + RUN_SECONDS
    final = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    with open_instance(settings.home) as instance:
        while True:
            runs = instance.get_runs(dg.RunsFilter(job_name="process_landed_bundle"))
            ended = {run.tags[tag_names.BUNDLE_KEY]: run.status for run in runs if run.status in final}
            if len(ended) >= number:
                assert len(runs) == number, "a bundle has more than one run"
                return ended
            assert time.monotonic() < deadline, [(run.status, run.tags) for run in runs]
            time.sleep(1)


def test_bundles_that_land_by_hand_are_processed_and_a_bad_one_does_not_stop_the_next(tmp_path: Path):
    home = tmp_path / "home"
    with dev(home):
        settings = Settings(home=home)
        corrupt = plain_bundle(dt=DAYS[0], extracted_at=f"{DAYS[0]}T05:00:00Z")
        [path] = corrupt.files
        corrupt.files[path] = corrupt.files[path].replace(b"1927", b"1928")
        bad = land(settings, tmp_path, corrupt.zipped())
        good = [land(settings, tmp_path, plain_bundle(dt=dt).zipped()) for dt in DAYS]
        assert ended_runs(settings, 4) == {
            bad: dg.DagsterRunStatus.FAILURE,
            **dict.fromkeys(good, dg.DagsterRunStatus.SUCCESS),
        }
        with closing(connect(settings)) as connection:
            loaded = {
                str(row["dt"]): row["films"]
                for row in query_rows(
                    connection,
                    "SELECT dt, COUNT(*) AS films FROM RAW.MOVIES WHERE source = %s GROUP BY dt",
                    (SOURCE,),
                )
            }
        assert loaded == dict.fromkeys(DAYS, 4)
        sqs = aws_client(settings, "sqs")
        queue = sqs.get_queue_url(QueueName=settings.queue_name("alerts"))["QueueUrl"]
        told = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5).get(
            "Messages", []
        )
        assert [bad in json.dumps(message.get("Body")) for message in told] == [True]
