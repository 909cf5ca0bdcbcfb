"""The project's files agree: lock file and pyproject.toml, workspace.yaml and tool tables, changelog and version."""

import re
import tomllib
from datetime import date

import pytest
import yaml
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from movie_platform import __version__
from movie_platform_tests.paths import ROOT

LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
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


def test_the_version_stands_in_the_package_alone() -> None:
    assert "version" not in PYPROJECT["project"]
    assert ProjectMetadata(str(ROOT), PluginManager()).version == __version__


def releases() -> list[tuple[Version, date]]:
    """The releases that the changelog names, in its order."""
    found = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", CHANGELOG, re.MULTILINE)
    return [(Version(number), date.fromisoformat(day)) for number, day in found]


def test_the_newest_release_of_the_changelog_is_the_version() -> None:
    assert releases()[0][0] == Version(__version__)


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert len(headings) == 1 + len(releases())
    assert releases() == sorted(releases(), reverse=True)
    groups = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert groups <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("package", PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
def test_each_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
