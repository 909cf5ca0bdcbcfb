"""The production instance file is one that Dagster accepts."""

import shutil

import pytest
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.instance.config import dagster_instance_config
from dagster._core.instance.ref import InstanceRef
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager

from movie_platform.provision.files import PROJECT

DAGSTER_YAML = PROJECT / "deploy" / "dagster" / "dagster.yaml"


@pytest.fixture
def folder(tmp_path):
    shutil.copy(DAGSTER_YAML, tmp_path / "dagster.yaml")
    return tmp_path


def test_the_production_instance_file_is_valid(folder):
    config, _class = dagster_instance_config(str(folder))
    assert config["freshness"] == {"enabled": True}
    assert config["run_monitoring"]["enabled"] is True
    assert config["run_retries"]["enabled"] is False


def test_a_misspelt_option_would_be_refused(folder):
    text = (folder / "dagster.yaml").read_text("utf-8")
    (folder / "dagster.yaml").write_text(text.replace("poll_interval_seconds", "poll_intervall_seconds"))
    with pytest.raises(DagsterInvalidConfigError):
        dagster_instance_config(str(folder))


def test_compute_logs_go_to_the_bucket_that_the_environment_names(folder, monkeypatch):
    monkeypatch.setenv("DAGSTER_COMPUTE_LOGS_BUCKET", "movie-platform-artifacts-000000000000-us-east-1")
    monkeypatch.setenv("MOVIE_PLATFORM_AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    manager = InstanceRef.from_dir(str(folder)).compute_log_manager
    assert isinstance(manager, S3ComputeLogManager)


def test_no_secret_is_written_into_the_file():
    text = DAGSTER_YAML.read_text("utf-8")
    settings = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in settings if "password" in line or "postgresql://" in line]
