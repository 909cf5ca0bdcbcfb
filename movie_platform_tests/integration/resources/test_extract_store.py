"""Extracts are kept in a folder or in S3, and come back as they were."""

from datetime import date
from pathlib import Path

import pytest

from movie_platform.build import build_resources
from movie_platform.resources.extracts import ExtractNotFoundError, ExtractStore
from movie_platform.settings import Settings

DAY = date(2026, 11, 18)
BATCH = "20261118T000000Z-0123456789ab"

pytestmark = pytest.mark.cloud


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, provisioned_cloud: Settings, tmp_path: Path) -> ExtractStore:
    bucket = provisioned_cloud.bucket("artifacts")
    location = f"s3://{bucket}/extracts-of-tests" if request.param == "s3" else str(tmp_path / "extracts")
    return build_resources(provisioned_cloud.model_copy(update={"extract_location": location}))["extracts"]


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_extract_comes_back_as_it_was_kept(store: ExtractStore):
    with store.workspace() as workspace:
        folder = workspace / "extract"
        write(folder, **{"manifest.json": "{}", "csv__movies-00000.csv": "a\n1\n"})
        where = store.keep(folder, "store", DAY, BATCH)
    assert where == store.uri("store", DAY, BATCH)
    with store.fetch("store", DAY, BATCH) as found:
        assert contents(found) == {"manifest.json": "{}", "csv/movies-00000.csv": "a\n1\n"}


def test_an_extract_without_a_manifest_is_not_one(store: ExtractStore):
    other = "20261118T000000Z-ffffffffffff"
    with store.workspace() as workspace:
        folder = workspace / "extract"
        write(folder, **{"csv__movies-00000.csv": "a\n1\n"})
        store.keep(folder, "store", DAY, other)
    with pytest.raises(ExtractNotFoundError) as caught, store.fetch("store", DAY, other):
        pytest.fail("it was found")
    assert other in caught.value.message


def test_a_workspace_leaves_nothing_behind_when_writing_fails(store: ExtractStore):
    used: list[Path] = []

    def fail() -> None:
        with store.workspace() as workspace:
            used.append(workspace)
            write(workspace, half="written")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert not used[0].exists()
