"""Where the columns of the marts come from, compared with what their SQL reads."""

import pytest
import sqlglot
from sqlglot import exp

from movie_platform.assets.mart_lineage import mart_deps, mart_lineage, origins
from movie_platform.contracts import Table
from movie_platform.contracts.marts import MART_VIEWS
from movie_platform.contracts.warehouse import DATA_QUALITY_RESULTS
from movie_platform.graph import asset_keys
from movie_platform.provision.files import SQL_FOLDER
from movie_platform.provision.sql import load_sql_files
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.settings import Settings


def tables_read_by(mart: Table) -> set[str]:
    """SCHEMA.TABLE of everything that a mart's view reads."""
    files = load_sql_files(SQL_FOLDER, sql_parameters(Settings(), "arn:aws:iam::000000000000:role/archive"))
    [file] = [file for file in files if file.name.endswith(f"_marts_{mart.name}.sql")]
    query = sqlglot.parse_one(file.statements[-1], dialect="snowflake").expression
    return {f"{table.db}.{table.name}".upper() for table in query.find_all(exp.Table) if table.catalog}


@pytest.mark.parametrize("mart", MART_VIEWS, ids=lambda mart: mart.name)
def test_a_marts_dependencies_are_the_assets_that_its_sql_reads(mart: Table):
    read = {tuple(name.lower().split(".")) for name in tables_read_by(mart)}
    noted = {tuple(key.path[1:]) for key in mart_deps(mart)}
    assert read - {("ops", DATA_QUALITY_RESULTS.name)} == noted


@pytest.mark.parametrize("mart", MART_VIEWS, ids=lambda mart: mart.name)
def test_every_column_of_a_mart_has_an_origin_that_its_sql_reads(mart: Table):
    found = origins(mart)
    assert tuple(found) == mart.column_names
    read = tables_read_by(mart)
    for column, sources in found.items():
        assert sources, column
        for table, name in sources:
            assert name in table.column_names, (column, name)
            assert f"{table.snowflake_schema}.{table.name}".upper() in read, (column, table.name)


def test_lineage_leaves_out_only_what_comes_from_notes_that_are_no_assets():
    missing = {
        column
        for mart in MART_VIEWS
        for column in mart.column_names
        if column not in mart_lineage(mart).deps_by_column
    }
    assert missing == {"rules_measured", "rules_failed", "failed_rules", "measured_at"}


def test_every_mart_is_an_asset_by_its_address():
    assert [key.to_user_string() for key in asset_keys.MARTS] == [
        f"snowflake/marts/{mart.name}" for mart in MART_VIEWS
    ]
