"""Where a handed-over bundle belongs, whatever its bytes; and what is said of errors that libraries raise."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import botocore.exceptions
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.commands.explain import explain
from movie_platform.contracts.locations import parse_landing_key
from movie_platform.errors import ConfigurationError
from movie_platform.runs.bundle_claim import Claim, landing_key, read_claim
from movie_platform.sources.source_errors import NotAvailableAsOf, ProfileError

DT = date(2026, 11, 18)
BATCH = "20261118T050000Z-0123456789ab"


def bundle(manifest: Any) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", manifest if isinstance(manifest, bytes) else json.dumps(manifest))
    return file


def test_a_manifest_says_where_its_bundle_belongs() -> None:
    claim = read_claim(bundle({"source": {"name": "demo"}, "dt": "2026-11-18", "batch_id": BATCH}))
    assert claim == Claim("demo", DT, BATCH)
    key = landing_key(claim, "x.zip", source=None, dt=None)
    assert str(key) == f"movies/source=demo/dt=2026-11-18/{BATCH}.zip"


@pytest.mark.parametrize(
    "manifest",
    [
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        "text",
        {},
        {"source": "demo", "dt": 20261118, "batch_id": 7},
        {"source": {"name": "../../etc"}, "dt": "2026-02-30", "batch_id": "../x"},
        {"source": {"name": ["demo"]}, "dt": None},
    ],
    ids=range(9),
)
def test_a_manifest_that_says_nothing_usable_claims_nothing(manifest: Any) -> None:
    assert read_claim(bundle(manifest)) == Claim()


def test_what_is_no_zip_and_a_zip_without_manifest_claim_nothing() -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    truncated = io.BytesIO(bundle({"dt": "2026-11-18"}).getvalue()[:-10])
    for file in (io.BytesIO(b""), io.BytesIO(b"PK\x03\x04 not a zip"), empty, truncated):
        assert read_claim(file) == Claim()


@given(st.binary(max_size=400))
def test_no_bytes_make_reading_a_claim_fail(data: bytes) -> None:
    read_claim(io.BytesIO(data))
    read_claim(bundle(data))


def test_what_is_given_goes_before_what_the_manifest_claims() -> None:
    key = landing_key(Claim("demo", DT, BATCH), "x.zip", source="other", dt=date(2026, 11, 19))
    assert (key.source, key.dt, key.name) == ("other", date(2026, 11, 19), BATCH)


def test_without_a_readable_manifest_both_source_and_date_are_asked_for() -> None:
    with pytest.raises(ConfigurationError) as caught:
        landing_key(Claim(), "x.zip", source=None, dt=None)
    assert caught.value.next_step == "Name it: --source and --date."
    with pytest.raises(ConfigurationError) as caught:
        landing_key(Claim(), "x.zip", source="demo", dt=None)
    assert caught.value.next_step == "Name it: --date."


def test_a_source_that_no_key_may_hold_is_wrong_usage() -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a source"):
        landing_key(Claim(), "x.zip", source="../up", dt=DT)


@given(st.text(max_size=300))
def test_any_file_name_gives_a_landing_key(name: str) -> None:
    key = landing_key(Claim(), name, source="demo", dt=DT)
    assert parse_landing_key(str(key)) == key


def test_a_file_without_a_batch_id_keeps_its_name() -> None:
    assert landing_key(Claim(), "my bundle (2).ZIP", source="demo", dt=DT).name == "my-bundle-2-"


def test_handing_a_bundle_over_gets_to_the_question_whether_the_platform_runs_without_dagster(
    tmp_path: Path,
) -> None:
    path = tmp_path / "films.zip"
    path.write_bytes(bundle({"source": {"name": "demo"}, "dt": "2026-11-18", "batch_id": BATCH}).getvalue())
    code = (
        "import sys; from movie_platform.cli import app; from typer.testing import CliRunner;"
        "done = CliRunner().invoke(app, ['--home', sys.argv[1], 'land', sys.argv[2]]);"
        "print('is not running' in done.output, 'dagster' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "home"), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["True", "False"]


class Model(pydantic.BaseModel):
    size: int


def validation_error() -> pydantic.ValidationError:
    with pytest.raises(pydantic.ValidationError) as caught:
        Model.model_validate({"size": "a-secret"})
    return caught.value


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (botocore.exceptions.NoCredentialsError(), 2, "no_aws_credentials"),
        (botocore.exceptions.ProfileNotFound(profile="x"), 2, "no_aws_profile"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            1,
            "aws_unreachable",
        ),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"), 1, "aws_unreachable"),
        (botocore.exceptions.ClientError({"Error": {"Code": "NoSuchBucket"}}, "PutObject"), 1, "aws_error"),
        (BundleError(ReasonCode.TOO_LARGE, "too large", "x"), 1, ReasonCode.TOO_LARGE.value),
        (ProfileError("no kind"), 2, "profile_error"),
        (NotAvailableAsOf("the present only"), 1, "not_available_as_of"),
        (validation_error(), 2, "invalid_configuration"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors_of_other_parts_have_a_code_and_an_exit_code(
    error: Exception, exit_code: int, code: str
) -> None:
    explanation = explain(error)
    assert (explanation.exit_code, explanation.code) == (exit_code, code)
    assert explanation.message


def test_what_fails_validation_is_not_shown_because_it_may_be_a_secret() -> None:
    assert "a-secret" not in explain(validation_error()).message


def test_snowflake_errors_are_told_apart() -> None:
    from snowflake.connector.errors import OperationalError, ProgrammingError

    assert explain(ProgrammingError("no such table")).code == "snowflake_statement_failed"
    assert explain(OperationalError("no answer")).code == "snowflake_unreachable"
