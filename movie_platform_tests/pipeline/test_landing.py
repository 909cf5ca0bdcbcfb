"""Bundles of every bad kind, landed and processed whole: each ends in quarantine, and only there."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.settings import Settings
from movie_platform_tests import hostile_bundles
from movie_platform_tests.hostile_bundles import FAULTS
from movie_platform_tests.plain_bundles import plain_bundle

# Not the source of other tests' bundles: what is in the warehouse of it came from here.
SOURCE, DT = "by-hand", "2026-11-18"
# Those that a producer's mistakes or somebody's malice bring most; all of them are tested where they are refused.
KINDS = (
    *(
        "empty_file",
        "not_a_zip",
        "truncated",
        "encrypted",
        "bomb_by_ratio",
        "bomb_by_size",
        "duplicate_entry",
    ),
    *("path_with_dots", "absolute_path", "symlink", "extra_file", "missing_file", "missing_manifest"),
    *("manifest_is_not_json", "unknown_format_version", "columns_that_no_contract_knows"),
    *("wrong_size", "wrong_sha256", "wrong_row_count", "invalid_utf8", "nul_byte"),
)

pytestmark = [pytest.mark.cloud, pytest.mark.spark, pytest.mark.long, pytest.mark.timeout(900)]


def land(settings: Settings, folder: Path, body: bytes) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of `movie-platform land --wait --json`."""
    path, result = folder / "bundle.zip", folder / "result.json"
    path.write_bytes(body)
    arguments = ["land", str(path), "--source", SOURCE, "--date", DT, "--wait", "--json", str(result)]
    done = CliRunner().invoke(app, ["--home", str(settings.home), *arguments])
    assert result.exists(), done.output
    return done.exit_code, json.loads(result.read_text("utf-8"))


def objects(settings: Settings, bucket: str, of: str) -> list[str]:
    pages = aws_client(settings, "s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [
        key for page in pages for found in page.get("Contents", []) if of in (key := found.get("Key", ""))
    ]


def films(settings: Settings) -> int:
    with closing(connect(settings)) as connection:
        [row] = query_rows(
            connection, "SELECT COUNT(*) AS films FROM RAW.MOVIES WHERE source = %s", (SOURCE,)
        )
    return int(row["films"])


def alerts_about(settings: Settings, text: str) -> list[dict[str, Any]]:
    """Alerts in the queue that name `text`; all others are dropped with them."""
    sqs = aws_client(settings, "sqs")
    queue = sqs.get_queue_url(QueueName=settings.queue_name("alerts"))["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
        "Messages"
    ):
        for message in messages:
            body = json.loads(message.get("Body", ""))
            found.append(json.loads(body["Message"]) if "Message" in body else body)
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message.get("ReceiptHandle", ""))
    return [alert for alert in found if text in json.dumps(alert)]


def test_each_bad_bundle_is_quarantined_and_told_once_and_the_next_good_one_is_processed(
    provisioned_cloud: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = provisioned_cloud
    monkeypatch.setattr(hostile_bundles, "plain_bundle", partial(plain_bundle, source=SOURCE))
    faults = {fault.name: fault for fault in FAULTS}
    alerts_about(settings, "")
    for name in KINDS:
        exit_code, result = land(settings, tmp_path, faults[name].make())
        expected = faults[name].expected.value
        assert (exit_code, result["status"], result["error"]["code"]) == (1, "quarantined", expected), name
        assert (result["source"], result["date"]) == (SOURCE, DT), name
        assert result["rows"]["loaded"] == {}, name
        assert result["run_id"], name
    quarantined = objects(settings, settings.bucket("processed"), f"source={SOURCE}/")
    assert {key.rpartition("/")[2] for key in quarantined} == {"bundle.zip", "reason.json"}
    assert all(key.startswith("quarantine/") for key in quarantined)
    assert len(quarantined) == 2 * len(KINDS)
    assert objects(settings, settings.bucket("archive"), f"source={SOURCE}/") == []
    assert films(settings) == 0
    told = alerts_about(settings, SOURCE)
    assert [alert["kind"] for alert in told] == ["quarantined_bundle"] * len(KINDS)

    exit_code, result = land(settings, tmp_path, plain_bundle(source=SOURCE, dt=DT).zipped())
    assert (exit_code, result["status"], result["error"]) == (0, "success", None)
    assert result["rows"]["loaded"]["movies"] == films(settings) == 4
    assert alerts_about(settings, SOURCE) == []
