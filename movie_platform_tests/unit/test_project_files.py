"""The project's files agree: the lock file with pyproject.toml, workspace.yaml with both tool tables."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from movie_platform_tests.paths import ROOT

LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<extras>[^\]]+)\])?==(?P<version>[^\s;\\]+)", re.MULTILINE
)


def locked_versions() -> dict[str, Version]:
    return {canonicalize_name(match["name"]): Version(match["version"]) for match in PINNED.finditer(LOCK)}


def direct_requirements() -> list[Requirement]:
    project = PYPROJECT["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_every_direct_dependency_is_locked_at_a_version_that_it_allows(requirement: Requirement) -> None:
    version = locked_versions().get(canonicalize_name(requirement.name))
    assert version is not None, f"{requirement.name} is not in requirements.lock: run `make lock`"
    assert version in requirement.specifier, f"{requirement} excludes {version}: run `make lock`"


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-i|--(extra-)?index-url|--find-links|--trusted-host)\b", LOCK, re.MULTILINE)


def test_every_locked_package_has_a_hash() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK)
    assert len(entries) == len(locked_versions())
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_workspace_and_both_tool_tables_name_the_same_code_location() -> None:
    module = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))["load_from"][0]["python_module"]
    dagster = PYPROJECT["tool"]["dagster"]
    dg = PYPROJECT["tool"]["dg"]["project"]
    assert module["module_name"] == dagster["module_name"] == dg["code_location_target_module"]
    assert module["location_name"] == dagster["code_location_name"] == dg["code_location_name"]


def test_the_build_backend_is_pinned() -> None:
    for line in PYPROJECT["build-system"]["requires"]:
        assert [clause.operator for clause in Requirement(line).specifier] == ["=="]
