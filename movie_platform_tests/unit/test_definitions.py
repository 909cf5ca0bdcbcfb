"""The definitions as a whole: they load, follow the rules of the house, and change only on purpose.

After a change on purpose: `python -m movie_platform_tests.unit.test_definitions` writes the snapshot again.
"""

import json
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_shared.utils.warnings import PreviewWarning, SupersessionWarning
from pydantic import SecretStr

from movie_platform.build import build_defs
from movie_platform.settings import Settings

SNAPSHOT = Path(__file__).with_name("asset_specs.json")
# Step processes pay for each of these at start; whoever needs one imports it when it is used.
HEAVY = (
    "boto3",
    "botocore",
    "dagster_aws",
    "dagster_snowflake",
    "pandas",
    "pyarrow",
    "pyspark",
    "snowflake.connector",
)


@cache
def definitions() -> dg.Definitions:
    return build_defs(Settings(home=Path("never-started")))


def described(spec: dg.AssetSpec) -> dict[str, Any]:
    schema = spec.metadata.get("dagster/column_schema")
    lineage = spec.metadata.get("dagster/column_lineage")
    return {
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "owners": list(spec.owners),
        "partitioned": spec.partitions_def is not None,
        "freshness": spec.freshness_policy is not None,
        "columns": [column.name for column in schema.columns] if isinstance(schema, dg.TableSchema) else [],
        "lineage": sorted(lineage.deps_by_column) if isinstance(lineage, dg.TableColumnLineage) else [],
    }


def snapshot() -> dict[str, Any]:
    defs = definitions()
    graph = defs.resolve_asset_graph()
    return {
        "assets": {spec.key.to_user_string(): described(spec) for spec in defs.resolve_all_asset_specs()},
        "checks": sorted(
            f"{key.asset_key.to_user_string()}:{key.name}{' blocking' if graph.get_check_spec(key).blocking else ''}"
            for key in graph.asset_check_keys
        ),
        "jobs": {
            name: sorted(
                key.to_user_string() for key in defs.resolve_job_def(name).asset_layer.selected_asset_keys
            )
            for name in ("extract_day", "materialize_day", "process_landed_bundle")
        },
        "sensors": sorted(sensor.name for sensor in defs.sensors or []),
        "schedules": sorted(schedule.name for schedule in defs.schedules or []),
    }


def test_the_definitions_are_those_of_the_snapshot():
    assert snapshot() == json.loads(SNAPSHOT.read_text("utf-8"))


def test_the_definitions_use_nothing_that_is_deprecated_superseded_or_a_preview():
    with warnings.catch_warnings():
        for category in (DeprecationWarning, PreviewWarning, SupersessionWarning):
            warnings.simplefilter("error", category)
        dg.Definitions.validate_loadable(build_defs(Settings(home=Path("never-started"))))


@pytest.mark.parametrize("asset", sorted(json.loads(SNAPSHOT.read_text("utf-8"))["assets"]))
def test_every_asset_says_whose_it_is_and_what(asset: str):
    [spec] = [one for one in definitions().resolve_all_asset_specs() if one.key.to_user_string() == asset]
    assert spec.owners
    assert spec.description
    assert spec.kinds
    assert spec.group_name not in {None, "default"}
    assert isinstance(spec.metadata.get("dagster/column_schema"), dg.TableSchema)
    if spec.key != dg.AssetKey(["source", "movies"]):
        assert spec.code_version
        assert isinstance(spec.metadata.get("dagster/column_lineage"), dg.TableColumnLineage)


def test_column_lineage_names_columns_that_exist():
    specs = {spec.key: spec for spec in definitions().resolve_all_asset_specs()}
    for spec in specs.values():
        lineage = spec.metadata.get("dagster/column_lineage")
        if not isinstance(lineage, dg.TableColumnLineage):
            continue
        own = {column.name for column in spec.metadata["dagster/column_schema"].columns}
        for column, deps in lineage.deps_by_column.items():
            assert column in own
            for dep in deps:
                upstream = specs[dep.asset_key].metadata["dagster/column_schema"]
                assert dep.column_name in {found.name for found in upstream.columns}


def test_importing_the_definitions_imports_nothing_heavy():
    code = f"import sys, movie_platform.definitions; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_a_secret_of_the_settings_is_not_in_their_representation():
    settings = Settings(
        home=Path("never-started"), aws_access_key_id="a", aws_secret_access_key=SecretStr("not-to-be-seen")
    )
    assert "not-to-be-seen" not in repr(settings) + str(settings.model_dump())


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(snapshot(), indent=2, sort_keys=True) + "\n", "utf-8")
