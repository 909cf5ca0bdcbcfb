"""The files of deploy/airflow: the lock, the image, the containers and what they are told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from movie_platform.export.airflow import airflow_variables
from movie_platform.settings import Settings
from movie_platform_tests.paths import ROOT

FOLDER = ROOT / "deploy" / "airflow"
LOCK = (ROOT / "requirements-airflow.lock").read_text("utf-8")
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]+\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
VERSIONS = {canonicalize_name(match["name"]): Version(match["version"]) for match in _PINNED.finditer(LOCK)}
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))


class _Override(yaml.SafeLoader):
    """Knows Compose's own tag."""


_Override.add_constructor("!reset", lambda loader, node: None)


def wanted() -> list[Requirement]:
    lines = (ROOT / "deploy/airflow/requirements.in").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("requirement", wanted(), ids=lambda requirement: requirement.name)
def test_what_is_asked_for_is_locked_at_a_version_that_it_allows(requirement: Requirement):
    version = VERSIONS.get(canonicalize_name(requirement.name))
    assert version is not None, "run `make lock-airflow`"
    assert version in requirement.specifier


def test_the_lock_has_a_hash_for_everything_and_names_no_host():
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK)
    assert len(entries) == len(VERSIONS)
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK


def test_deferrable_operators_have_what_they_import_when_they_run():
    assert "aiobotocore" in VERSIONS


def test_the_image_is_of_the_version_that_is_locked_and_tested():
    version = str(VERSIONS[canonicalize_name("apache-airflow")])
    assert f"apache/airflow:{version}-python3.11" in (FOLDER / "Dockerfile").read_text("utf-8")
    assert COMPOSE["x-airflow"]["image"].endswith(f":{version}")


def test_every_file_that_the_image_copies_is_there():
    for line in (FOLDER / "Dockerfile").read_text("utf-8").splitlines():
        if line.startswith("COPY"):
            *sources, _ = [word for word in line.split()[1:] if not word.startswith("--")]
            assert [source for source in sources if not (ROOT / source).exists()] == []


def test_every_part_of_airflow_runs_and_nothing_listens_beyond_this_machine():
    services: dict[str, Any] = COMPOSE["services"]
    commands = {
        service["command"] for service in services.values() if isinstance(service.get("command"), str)
    }
    assert commands == {"api-server", "scheduler", "dag-processor", "triggerer"}
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_local_variant_changes_services_that_exist_and_listens_on_loopback_alone():
    local = yaml.load((FOLDER / "compose.local.yaml").read_text("utf-8"), Loader=_Override)
    assert set(local["services"]) == set(COMPOSE["services"])
    assert local["x-host"]["environment"]["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "listen_addresses=127.0.0.1" in local["services"]["postgres"]["command"]


def test_the_example_names_all_that_the_export_writes_and_no_secret():
    text = (FOLDER / "airflow.env.example").read_text("utf-8")
    values = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    variable = json.loads(values["AIRFLOW_VAR_MOVIE_PLATFORM"])
    exported = json.loads(airflow_variables(Settings(home=Path("never-started"))))["movie_platform"]
    assert set(variable) - {"command"} == set(exported)
    for name in ("AIRFLOW_CONN_AWS_DEFAULT", "AIRFLOW_CONN_SNOWFLAKE_DEFAULT"):
        assert "password" not in json.loads(values[name])
    assert values["AIRFLOW__CORE__FERNET_KEY"] == values["AIRFLOW__API_AUTH__JWT_SECRET"] == ""
