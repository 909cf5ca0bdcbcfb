"""What calls the function is understood, whatever way it comes; what does not call it is refused."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from movie_platform.bundles.limits import Limits
from movie_platform.lambdas.config import UnpackConfigError, read_config
from movie_platform.lambdas.events import IgnoredEvent, LandedObject, UnknownEventError, parse_event
from movie_platform.provision.lambda_package import build_package

KEY = "movies/source=demo/dt=2026-11-18/a+b.zip"
ENCODED = "movies/source%3Ddemo/dt%3D2026-11-18/a%2Bb.zip"


def s3_record(name: str = "ObjectCreated:Put", **changes: Any) -> dict[str, Any]:
    found = {"key": ENCODED, "size": 1, "eTag": '"abc"', "sequencer": "1", **changes}
    return {
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": "landing"}, "object": found},
    }


def in_sns(message: object) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(message)}}]}


LANDED = LandedObject("landing", KEY, "abc")


@pytest.mark.parametrize("wrap", [lambda event: event, in_sns, lambda event: in_sns(event)])
def test_a_notification_is_understood_raw_and_inside_sns(wrap: Any) -> None:
    assert parse_event(wrap({"Records": [s3_record()]})) == [LANDED]


def test_several_records_keep_their_order() -> None:
    event = {
        "Records": [s3_record(), s3_record(key="b"), *in_sns({"Records": [s3_record(key="c")]})["Records"]]
    }
    assert [item.key for item in parse_event(event)] == [KEY, "b", "c"]


def test_a_versioned_object_keeps_its_version() -> None:
    assert parse_event({"Records": [s3_record(versionId="v1")]}) == [
        LandedObject("landing", KEY, "abc", "v1")
    ]


def test_the_key_of_a_notification_is_url_decoded_and_that_of_a_call_is_not() -> None:
    assert parse_event({"bucket": "landing", "key": "a%2Bb"}) == [LandedObject("landing", "a%2Bb")]
    assert parse_event({"Records": [s3_record(key="a+b%C3%A9")]}) == [LandedObject("landing", "a bé", "abc")]


def test_a_direct_call_may_name_etag_and_version() -> None:
    event = {"bucket": "b", "key": "k", "etag": '"e"', "version_id": "v", "DAGSTER_PIPES_CONTEXT": "x"}
    assert parse_event(event) == [LandedObject("b", "k", "e", "v")]


@pytest.mark.parametrize("wrap", [lambda event: event, in_sns])
def test_the_test_event_of_s3_asks_for_nothing(wrap: Any) -> None:
    [found] = parse_event(wrap({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "landing"}))
    assert isinstance(found, IgnoredEvent)
    assert found.code == "test_event"


def test_a_removal_asks_for_nothing() -> None:
    [found] = parse_event({"Records": [s3_record("ObjectRemoved:Delete")]})
    assert isinstance(found, IgnoredEvent)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "x",
        {},
        {"Records": 1},
        {"Records": [1]},
        {"Records": [{}]},
        {"Records": [{"Sns": {}}]},
        {"Records": [{"Sns": {"Message": "not json"}}]},
        {"bucket": "b"},
        {"bucket": 1, "key": "k"},
        {"key": ""},
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]},
    ],
)
def test_an_event_of_another_form_is_refused(event: object) -> None:
    with pytest.raises(UnknownEventError):
        parse_event(event)


def test_the_configuration_comes_from_the_environment() -> None:
    config = read_config(
        {
            "PROCESSED_BUCKET": "p",
            "ALERT_TOPIC_ARN": "t",
            "BUNDLE_LIMIT_BUNDLE_BYTES": "5",
            "BUNDLE_LIMIT_RATIO": "7",
        }
    )
    assert (config.processed_bucket, config.alert_topic_arn) == ("p", "t")
    assert config.limits == Limits(bundle_bytes=5, ratio=7)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PROCESSED_BUCKET": "p"},
        {"PROCESSED_BUCKET": "", "ALERT_TOPIC_ARN": "t"},
        *[
            {"PROCESSED_BUCKET": "p", "ALERT_TOPIC_ARN": "t", "BUNDLE_LIMIT_RATIO": text}
            for text in ("0", "-1", "x", "1.5", "²")
        ],
    ],
)
def test_a_missing_or_malformed_variable_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(UnpackConfigError):
        read_config(environment)


def test_the_package_is_the_same_bytes_each_time() -> None:
    assert build_package() == build_package()


def test_the_package_holds_all_that_the_function_imports_and_is_small(tmp_path: Path) -> None:
    data = build_package()
    assert len(data) < 150_000
    (tmp_path / "unpack.zip").write_bytes(data)
    # What Lambda's runtime has: the standard library and boto3. Anything else must come from the package.
    code = """
import sys
sys.path.insert(0, sys.argv[1])
class OnlyTheRuntime:
    allowed = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six"}
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in self.allowed:
            return None
        if top in ("movie_platform", "dagster_pipes"):
            import zipimport
            archive = sys.argv[1] if path is None else list(path)[0]
            found = zipimport.zipimporter(archive).find_spec(name)
            if found is None:
                raise ImportError(f"the package lacks {name}")
            return found
        raise ImportError(f"the runtime has no {name}")
sys.meta_path.insert(0, OnlyTheRuntime())
import movie_platform.lambdas.unpack as unpack
import dagster_pipes
assert unpack.__file__.startswith(sys.argv[1]), unpack.__file__
print(unpack.handler.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "unpack.zip")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "handler"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [name for name in archive.namelist() if "write" in name or "__pycache__" in name]
