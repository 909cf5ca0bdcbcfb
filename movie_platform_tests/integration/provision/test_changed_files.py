"""Objects follow their files, with what is in them; what others made stays, and stops what would take it away."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from snowflake.connector import SnowflakeConnection

from movie_platform.contracts import Column
from movie_platform.provision import contract_sql, provision, run, warehouse
from movie_platform.provision.differences import WouldLoseError
from movie_platform.provision.files import SQL_FOLDER
from movie_platform.provision.sql import SqlFileError
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.settings import Settings
from movie_platform_tests.another_platform import another

NEW = Column("tagline", "string", "What the poster says.", later=True)


@pytest.fixture(scope="module")
def settings(provisioned_cloud: Settings) -> Settings:
    """A platform of the module's own, with a warehouse of its own."""
    found = another(provisioned_cloud, "changing")
    provision(found)
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the SQL files that the deployment takes instead."""
    copy = tmp_path / "snowflake"
    shutil.copytree(SQL_FOLDER, copy)
    monkeypatch.setattr(run, "SQL_FOLDER", copy)
    return copy


@pytest.fixture
def deployer(settings: Settings) -> Iterator[SnowflakeConnection]:
    with connect(settings, login="deployer") as session:
        execute(session, f"USE DATABASE {settings.snowflake_database}")
        yield session


def execute(session: SnowflakeConnection, *statements: str) -> None:
    with session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def add_a_film(session: SnowflakeConnection) -> None:
    columns = [row for row in query_rows(session, "DESCRIBE TABLE RAW.MOVIES") if row["null?"] == "N"]
    values = {
        "DATE": "TO_DATE('2026-11-18', 'YYYY-MM-DD')",
        "NUMBER(19,0)": "1",
        "TIMESTAMP_LTZ(6)": "CURRENT_TIMESTAMP()",
    }
    execute(
        session,
        f"INSERT INTO RAW.MOVIES ({', '.join(row['name'] for row in columns)})"
        f" SELECT {', '.join(values.get(row['type'], repr('x')) for row in columns)}",
    )


@pytest.fixture
def before_the_column(provisioned_cloud: Settings) -> Settings:
    """A platform whose contract will have another column."""
    found = another(provisioned_cloud, "column")
    provision(found)
    return found


def test_a_new_column_of_the_contract_reaches_raw_core_and_mart_and_the_rows_that_are_there_stay(
    before_the_column: Settings, monkeypatch: pytest.MonkeyPatch
):
    with connect(before_the_column, login="deployer") as session:
        execute(session, f"USE DATABASE {before_the_column.snowflake_database}")
        add_a_column(before_the_column, session, monkeypatch)


def add_a_column(settings: Settings, deployer: SnowflakeConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    add_a_film(deployer)
    before = list(query_rows(deployer, "SELECT COUNT(*) AS films FROM RAW.MOVIES"))
    tables = dict(contract_sql._TABLES)
    for name in ("RAW.movies", "CORE.dim_movie", "MARTS.current_movies"):
        tables[name] = replace(tables[name], columns=(*tables[name].columns, NEW))
    # The column list of the mart ends with its measures; the new attribute stands before them.
    mart = [column for column in tables["MARTS.current_movies"].columns if column != NEW]
    at = [column.name for column in mart].index("popularity")
    tables["MARTS.current_movies"] = replace(
        tables["MARTS.current_movies"], columns=(*mart[:at], NEW, *mart[at:])
    )
    monkeypatch.setattr(contract_sql, "_TABLES", tables)
    lists = dict(contract_sql._LISTS)
    for name in ("tracked", "current_attributes"):
        lists[name] = (*lists[name], NEW.name)
    lists["compared"] = (*lists["compared"], NEW.name)
    monkeypatch.setattr(contract_sql, "_LISTS", lists)

    planned = provision(settings, dry_run=True)
    assert "table RAW.MOVIES: column TAGLINE VARCHAR(16777216) is added" in planned.differences
    assert "table CORE.DIM_MOVIE: column TAGLINE VARCHAR(16777216) is added" in planned.differences
    assert planned.drift == ()
    provision(settings)

    described = [str(row["name"]) for row in query_rows(deployer, "DESCRIBE TABLE RAW.MOVIES")]
    assert described[-2:] == ["LOADED_AT", "TAGLINE"]
    assert (
        list(query_rows(deployer, "SELECT COUNT(*) AS films FROM RAW.MOVIES WHERE tagline IS NULL")) == before
    )
    assert list(query_rows(deployer, "SELECT tagline FROM MARTS.CURRENT_MOVIES")) == []
    [task] = query_rows(deployer, "SHOW TASKS LIKE 'APPLY_BATCHES' IN SCHEMA CORE")
    assert "films.tagline" in str(task["definition"])
    # What the stream had not given yet it still gives.
    assert list(query_rows(deployer, "SELECT COUNT(*) AS films FROM RAW.MOVIES_STREAM")) == before
    assert not provision(settings).changed


def test_a_column_of_somebody_elses_is_drift_and_stops_what_would_drop_it(
    settings: Settings, deployer: SnowflakeConnection, folder: Path
):
    execute(deployer, "ALTER TABLE CORE.DIM_GENRE ADD COLUMN note VARCHAR COMMENT 'Ours'")
    looked = provision(settings, dry_run=True)
    assert "table CORE.DIM_GENRE: column NOTE is dropped, with its data" in looked.drift
    assert "Not as the files say, and left as it is:" in str(looked)

    path = folder / "310_core_dim_genre.sql"
    path.write_text(path.read_text("utf-8") + "-- another text\nSELECT 1;\n", "utf-8")
    with pytest.raises(WouldLoseError, match="column NOTE is dropped") as caught:
        provision(settings)
    assert "310_core_dim_genre.sql was not applied" in caught.value.message
    assert "NOTE" in {row["name"] for row in query_rows(deployer, "DESCRIBE TABLE CORE.DIM_GENRE")}
    execute(deployer, "ALTER TABLE CORE.DIM_GENRE DROP COLUMN note")
    provision(settings)


def test_what_somebody_set_on_a_table_stops_what_would_unset_it(
    settings: Settings, deployer: SnowflakeConnection, folder: Path
):
    execute(
        deployer,
        "ALTER TABLE CORE.DIM_PERSON SET DATA_RETENTION_TIME_IN_DAYS = 7",
        "ALTER TABLE CORE.DIM_PERSON CLUSTER BY (person_key)",
    )
    path = folder / "305_core_dim_person.sql"
    path.write_text(path.read_text("utf-8") + "-- another text\nSELECT 1;\n", "utf-8")
    with pytest.raises(WouldLoseError, match="DATA_RETENTION_TIME_IN_DAYS") as caught:
        provision(settings)
    assert "clustering" in caught.value.message
    execute(
        deployer,
        "ALTER TABLE CORE.DIM_PERSON UNSET DATA_RETENTION_TIME_IN_DAYS",
        "ALTER TABLE CORE.DIM_PERSON DROP CLUSTERING KEY",
    )
    provision(settings)


def test_a_change_that_alter_table_cannot_make_is_refused_by_the_account(settings: Settings, folder: Path):
    path = folder / "315_core_dim_rating_provider.sql"
    text = path.read_text("utf-8").replace(
        "{{ columns CORE.dim_rating_provider }}",
        "provider_name VARCHAR NOT NULL,\n    provider_key VARCHAR NOT NULL,\n    provider VARCHAR NOT NULL,\n"
        "    original_scale VARCHAR NOT NULL",
    )
    path.write_text(text, "utf-8")
    with pytest.raises(SqlFileError, match=r"315_core_dim_rating_provider\.sql, statement 1"):
        provision(settings)


def test_what_was_dropped_by_hand_is_made_again_with_its_rights(
    settings: Settings, deployer: SnowflakeConnection
):
    execute(
        deployer,
        "DROP VIEW MARTS.TOP_MOVIES",
        "DROP TABLE OPS.PENDING_DAYS",
        "ALTER TASK CORE.COLLECT_ARRIVALS SUSPEND",
        "DROP TASK CORE.MEASURE_QUALITY",
    )
    planned = provision(settings, dry_run=True)
    database = settings.snowflake_database
    assert {
        f"table {database}.OPS.PENDING_DAYS, which is gone",
        f"view {database}.MARTS.TOP_MOVIES, which is gone",
    } <= set(planned.sql_files)
    provision(settings)
    with connect(settings, role=settings.snowflake_transformer_role) as session:
        execute(session, f"DELETE FROM {database}.OPS.PENDING_DAYS WHERE FALSE")
        assert list(query_rows(session, f"SELECT movie_id FROM {database}.MARTS.TOP_MOVIES")) == []
    assert not provision(settings).changed


def test_a_changed_quota_is_given_to_our_monitor_and_to_nobody_elses(
    settings: Settings, provisioned_cloud: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse, "CREDIT_QUOTA", "5")
    provision(settings)
    with connect(settings, login="administrator") as session:
        quotas = {
            row["name"]: float(row["credit_quota"]) for row in query_rows(session, "SHOW RESOURCE MONITORS")
        }
    assert quotas[f"{settings.snowflake_warehouse}_MONITOR"] == 5
    assert quotas[f"{provisioned_cloud.snowflake_warehouse}_MONITOR"] == 50


def test_a_warehouse_of_somebody_elses_is_used_and_never_altered(provisioned_cloud: Settings):
    theirs = another(provisioned_cloud, "theirs")
    with connect(provisioned_cloud, login="administrator") as session:
        execute(
            session,
            f"CREATE WAREHOUSE {theirs.snowflake_warehouse} WAREHOUSE_SIZE = LARGE COMMENT = 'The house warehouse'",
        )
        provision(theirs)
        shown = {row["name"]: row for row in query_rows(session, "SHOW WAREHOUSES")}
    found = shown[theirs.snowflake_warehouse]
    assert (str(found["size"]).upper(), found["comment"], found["resource_monitor"]) == (
        "LARGE",
        "The house warehouse",
        "null",
    )


def test_a_pipe_whose_file_changed_is_replaced_and_no_row_is_lost_or_counted_twice(
    settings: Settings, deployer: SnowflakeConnection, folder: Path
):
    [before] = query_rows(deployer, "SHOW PIPES LIKE 'MOVIE_GENRES_PIPE' IN SCHEMA RAW")
    path = folder / "200_pipes.sql"
    path.write_text(
        path.read_text("utf-8").replace(
            "archive_stage/movie_genres/\nFILE_FORMAT",
            "archive_stage/movie_genres/\nON_ERROR = SKIP_FILE\nFILE_FORMAT",
        ),
        "utf-8",
    )
    planned = provision(settings, dry_run=True)
    assert f"pipe {settings.snowflake_database}.RAW.MOVIE_GENRES_PIPE" in planned.sql_files
    report = provision(settings)
    assert f"pipe {settings.snowflake_database}.RAW.MOVIE_GENRES_PIPE" in report.sql_files
    [after] = query_rows(deployer, "SHOW PIPES LIKE 'MOVIE_GENRES_PIPE' IN SCHEMA RAW")
    assert "ON_ERROR" in str(after["definition"])
    assert (after["owner"], after["comment"], after["notification_channel"]) == (
        before["owner"],
        before["comment"],
        before["notification_channel"],
    )
    assert not provision(settings).changed
    assert aws_client(settings, "s3").list_objects_v2(Bucket=settings.bucket("archive")).get("KeyCount") == 0
