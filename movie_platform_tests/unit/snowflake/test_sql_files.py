"""The SQL files say what the contracts say, can be repeated, and are Snowflake's."""

import itertools
import logging
import re

import pytest
import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from movie_platform.checks.core_rules import core_rules
from movie_platform.contracts import ARCHIVE_TABLES, Column, Table, warehouse_columns
from movie_platform.contracts.marts import (
    COMPARED_ATTRIBUTES,
    DIRECTOR_MINIMUM_FILMS,
    MART_VIEWS,
    NO_GENRE,
    TOP_MOVIES_VOTES_QUANTILE,
)
from movie_platform.contracts.rules import ROW_RULES
from movie_platform.contracts.tables import TRACKED_COLUMNS
from movie_platform.contracts.warehouse import CORE_TABLES, FOREIGN_KEYS, OPS_TABLES, RELIABLE_KEYS
from movie_platform.local_cloud.snowflake.text.task_body import split_body
from movie_platform.provision.contract_sql import snowflake_type as snowflake_type_of
from movie_platform.provision.declared import declared_tables, spelled
from movie_platform.provision.files import PROJECT, SQL_FOLDER
from movie_platform.provision.sql import Pass, SqlFile, load_sql_files, rendered
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.resources.graph_state import TASKS
from movie_platform.settings import Settings

TABLES = (*ARCHIVE_TABLES, *CORE_TABLES, *OPS_TABLES)
ROLE = "arn:aws:iam::000000000000:role/archive"
SNOWFLAKE_TYPES = {
    "string": "VARCHAR",
    "int": "DECIMAL(10, 0)",
    "bigint": "DECIMAL(19, 0)",
    "date": "DATE",
    "timestamp": "TIMESTAMPNTZ(6)",
    "boolean": "BOOLEAN",
}
# METADATA$START_SCAN_TIME is an instant: in a column without a time zone it would depend on the account's.
OWN_TYPES = {"loaded_at": "TIMESTAMPLTZ(6)"}
# What sqlglot does not take apart; sqlfluff does.
COMMANDS_OF_SQLGLOT = (
    "CREATE SCHEMA",
    "CREATE RESOURCE MONITOR",
    "CREATE ROLE",
    "CREATE USER",
    "CREATE PIPE",
    "CREATE STREAM",
    "CREATE OR ALTER TASK",
    "CREATE OR ALTER ROLE",
    "CREATE OR ALTER SCHEMA",
    "DROP STREAM",
    "ALTER TASK",
    "ALTER WAREHOUSE",
    "ALTER USER",
    "ALTER STORAGE INTEGRATION",
    "GRANT",
)


@pytest.fixture(scope="module")
def files() -> tuple[SqlFile, ...]:
    return load_sql_files(SQL_FOLDER, sql_parameters(Settings(), ROLE))


def parse(statement: str) -> exp.Expr:
    logging.getLogger("sqlglot").setLevel(
        logging.ERROR
    )  # it warns of each statement that it keeps as a command
    # It knows what stands behind CREATE OR ALTER, and not that.
    return sqlglot.parse_one(statement.replace("CREATE OR ALTER ", "CREATE ", 1), dialect="snowflake")


def created_tables(files: tuple[SqlFile, ...]) -> dict[str, exp.Create]:
    found = {}
    for file in files:
        for statement in file.statements:
            parsed = parse(statement)
            if isinstance(parsed, exp.Create) and parsed.kind == "TABLE":
                table = parsed.find(exp.Table)
                assert table is not None
                found[f"{table.db}.{table.name}".upper()] = parsed
    return found


def created_views(files: tuple[SqlFile, ...]) -> dict[str, exp.Create]:
    found = {}
    for file in files:
        for statement in file.statements:
            parsed = parse(statement)
            if isinstance(parsed, exp.Create) and parsed.kind == "VIEW":
                view = parsed.find(exp.Table)
                assert view is not None
                found[f"{view.db}.{view.name}".upper()] = parsed
    return found


def made_by(files: tuple[SqlFile, ...], table: Table) -> str:
    name = f"TABLE MOVIES.{table.snowflake_schema}.{table.name} ("
    [statement] = [text for file in files for text in file.statements if name in text]
    return " ".join(statement.split())


def statement_of(files: tuple[SqlFile, ...], name: str) -> str:
    [file] = [file for file in files if file.name.endswith(f"_marts_{name}.sql")]
    return " ".join(file.statements[-1].split())


def snowflake_type(column: Column) -> str:
    if column.name in OWN_TYPES:
        return OWN_TYPES[column.name]
    return SNOWFLAKE_TYPES.get(column.type) or column.type.upper().replace(",", ", ")


@pytest.mark.parametrize("contract", TABLES, ids=lambda table: table.name)
def test_a_table_has_the_columns_types_comments_and_nulls_of_its_contract(files, contract):
    table = created_tables(files)[f"{contract.snowflake_schema}.{contract.name}".upper()]
    columns = []
    for definition in table.this.find_all(exp.ColumnDef):
        constraints = [constraint.kind for constraint in definition.constraints]
        comments = [
            str(kind.this.this) for kind in constraints if isinstance(kind, exp.CommentColumnConstraint)
        ]
        nullable = not any(isinstance(kind, exp.NotNullColumnConstraint) for kind in constraints)
        kind = definition.args["kind"].sql()
        columns.append((definition.name, kind, *comments, nullable))
    assert columns == [
        (column.name, snowflake_type(column), column.description, column.nullable)
        for column in warehouse_columns(contract)
    ]
    comment = table.find(exp.SchemaCommentProperty)
    assert comment is not None
    assert comment.this.this == contract.description


def test_the_deployment_reads_every_table_of_the_files_as_snowflake_will(files):
    read = {
        table.name: [(column.name, column.type, column.nullable, column.comment) for column in table.columns]
        for file in files
        for table in declared_tables(file.name, file.statements)
    }
    made = created_tables(files)
    assert read.keys() == made.keys()
    for contract in TABLES:
        assert read[f"{contract.snowflake_schema}.{contract.name}".upper()] == [
            (column.name.upper(), spelled(snowflake_type_of(column)), column.nullable, column.description)
            for column in warehouse_columns(contract)
        ]
    assert all(column[3] for name in read if name.startswith(("RAW.", "OPS.")) for column in read[name])


@pytest.mark.parametrize("contract", TABLES, ids=lambda table: table.name)
def test_a_table_declares_its_contracts_keys_and_relies_on_those_alone_that_a_check_holds(files, contract):
    text = made_by(files, contract)
    rely = "RELY" if contract.name in RELIABLE_KEYS else "NORELY"
    assert (f"PRIMARY KEY ({', '.join(contract.primary_key)}) NOT ENFORCED {rely}" in text) == bool(
        contract.primary_key
    )
    declared = set(
        re.findall(r"FOREIGN KEY \((\w+)\) REFERENCES MOVIES\.CORE\.(\w+) \((\w+)\) NOT ENFORCED RELY", text)
    )
    assert declared == {
        (key.column, key.references, key.key) for key in FOREIGN_KEYS if key.table == contract.name
    }


def test_every_key_that_snowflake_relies_on_has_a_blocking_check():
    held = {
        rule.table.name
        for rule in core_rules()
        if rule.blocking and rule.name in {"fact_grain_is_unique", "versions_have_no_gap_or_overlap"}
    }
    assert held >= RELIABLE_KEYS
    resolved = {
        rule.table.name for rule in core_rules() if rule.blocking and rule.name == "foreign_keys_resolve"
    }
    assert {key.table for key in FOREIGN_KEYS} <= resolved


def test_a_table_that_a_stream_reads_says_that_its_changes_are_tracked(files):
    read = {
        match[1].upper()
        for file in files
        for statement in file.statements
        for match in re.finditer(
            r"CREATE STREAM IF NOT EXISTS [\s\S]+?ON TABLE MOVIES\.(\w+\.\w+)", statement
        )
    }
    assert len(read) == 7
    tracked = {
        table.name
        for file in files
        for table in declared_tables(file.name, file.statements)
        if table.names_property("CHANGE_TRACKING = TRUE")
    }
    assert tracked == read


def test_no_table_is_made_that_no_contract_describes(files):
    expected = {f"{table.snowflake_schema}.{table.name}".upper() for table in TABLES}
    made = {name for name in created_tables(files) if not name.startswith("CORE.WORK_")}
    assert made == expected | {"OPS.SCHEMA_HISTORY"}


def test_the_graph_empties_each_work_table_before_it_fills_it(files):
    """What a run left behind, or one that failed, is no part of the next."""
    work = {name for name in created_tables(files) if name.startswith("CORE.WORK_")}
    [body] = [
        statement
        for file in files
        for statement in file.statements
        if "TASK MOVIES.CORE.apply_batches" in statement and "BEGIN" in statement
    ]
    first = {name: body.upper().index(f"MOVIES.{name}") for name in work}
    emptied = {name: body.upper().index(f"DELETE FROM MOVIES.{name};") for name in work}
    assert {name: position - emptied[name] for name, position in first.items()} == dict.fromkeys(
        work, len("DELETE FROM ")
    )


@pytest.mark.parametrize("contract", MART_VIEWS, ids=lambda view: view.name)
def test_a_mart_has_the_columns_of_its_contract_and_each_has_its_comment(files, contract):
    view = created_views(files)[f"MARTS.{contract.name}".upper()]
    columns = []
    for definition in view.this.expressions:
        [comment] = [constraint.kind.this.this for constraint in definition.constraints]
        columns.append((definition.name, comment))
    assert columns == [(column.name, column.description) for column in contract.columns]
    assert all(len(comment) > 3 for _, comment in columns)
    selected = view.expression.named_selects
    assert tuple(selected) == contract.column_names
    comment = view.find(exp.SchemaCommentProperty)
    assert comment is not None
    assert comment.this.this == contract.description
    assert set(contract.primary_key) <= set(contract.column_names)


def test_no_mart_is_made_that_no_contract_describes(files):
    made = {name for name in created_views(files) if name.startswith("MARTS.")}
    assert made == {f"MARTS.{view.name}".upper() for view in MART_VIEWS}


def test_a_mart_names_everything_in_full_so_that_any_session_may_make_it(files):
    for view in created_views(files).values():
        own = {cte.alias for cte in view.find_all(exp.CTE)}
        for table in view.find_all(exp.Table):
            assert table.catalog == "MOVIES" or table.name in own, table.sql()


def test_the_transformer_makes_and_owns_the_marts_with_one_grant_beside_what_it_may_read(files):
    for file in files:
        if any(statement.startswith("CREATE OR REPLACE VIEW MOVIES.MARTS.") for statement in file.statements):
            assert file.statements[0] == "USE ROLE MOVIES_TRANSFORMER"
            assert len(file.statements) == 2, "one view a file"
    on_marts = [
        " ".join(statement.split())
        for file in files
        for statement in file.statements
        if "MARTS" in statement and statement.endswith("TO ROLE MOVIES_TRANSFORMER")
    ]
    assert on_marts == [
        "GRANT SELECT ON FUTURE VIEWS IN SCHEMA MOVIES.MARTS TO ROLE MOVIES_TRANSFORMER",
        "GRANT CREATE VIEW ON SCHEMA MOVIES.MARTS TO ROLE MOVIES_TRANSFORMER",
    ]


def test_constants_of_the_marts_are_those_of_their_contract(files):
    assert f"PERCENTILE_DISC({TOP_MOVIES_VOTES_QUANTILE}) WITHIN GROUP" in statement_of(files, "top_movies")
    assert f"HAVING COUNT(average_rating) >= {DIRECTOR_MINIMUM_FILMS} " in statement_of(
        files, "director_leaderboard"
    )
    assert f"COALESCE(genre.genre_name, '{NO_GENRE}')" in statement_of(files, "genre_performance")


def test_the_history_compares_everything_that_opens_a_version(files):
    statement = statement_of(files, "movie_history")
    for attribute in COMPARED_ATTRIBUTES:
        assert statement.count(f"IFF(new.{attribute} IS DISTINCT FROM old.{attribute}, ") == 2, attribute
    assert statement.count(" IS DISTINCT FROM ") == 2 * len(COMPARED_ATTRIBUTES)
    assert set(COMPARED_ATTRIBUTES) == {*TRACKED_COLUMNS, "genres", "directors", "writers", "cast_members"}


def test_daily_quality_counts_every_rule_by_itself(files):
    statement = statement_of(files, "data_quality_daily")
    for code in ROW_RULES:
        assert f"rule_code = '{code}') AS {code}," in statement
    assert f"rule_code NOT IN ({', '.join(repr(code) for code in ROW_RULES)})" in statement


def test_every_table_of_the_archive_has_one_pipe_that_loads_it_by_name(files):
    pipes = {}
    for file in files:
        for statement in file.statements:
            match = re.match(r"CREATE PIPE IF NOT EXISTS MOVIES\.(\S+)_pipe\s", statement)
            if match:
                pipes[match[1].upper()] = " ".join(statement.split())
    assert pipes.keys() == {f"{table.snowflake_schema}.{table.name}".upper() for table in ARCHIVE_TABLES}
    for table in ARCHIVE_TABLES:
        pipe = pipes[f"{table.snowflake_schema}.{table.name}".upper()]
        assert "AUTO_INGEST = TRUE" in pipe
        assert (
            f"COPY INTO MOVIES.{table.snowflake_schema}.{table.name} FROM @MOVIES.RAW.archive_stage/{table.name}/"
            in pipe
        )
        assert "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE" in pipe
        assert "PATTERN = '.*[.]parquet'" in pipe
        assert (
            "INCLUDE_METADATA = ( file_name = METADATA$FILENAME, file_row = METADATA$FILE_ROW_NUMBER,"
            " loaded_at = METADATA$START_SCAN_TIME )"
        ) in pipe


def test_every_statement_can_be_repeated(files):
    repeatable = re.compile(
        r"(?:CREATE (?:\w+ ){1,2}?IF NOT EXISTS|CREATE OR ALTER|CREATE OR REPLACE VIEW|ALTER TASK|ALTER USER|GRANT"
        r"|USE ROLE"
        r"|ALTER STORAGE INTEGRATION \w+ SET|ALTER WAREHOUSE \w+ SET"
        # What is there is passed over, or gets the values that it has to have.
        r"|MERGE INTO|INSERT INTO [\s\S]+ NOT IN \(|INSERT INTO [\s\S]+\sLEFT JOIN [\s\S]+ IS NULL$"
        # A request that is made twice is met once; what is gone is not missed.
        r"|INSERT INTO MOVIES\.OPS\.graph_wake_ups|DROP (?:STREAM|TABLE) IF EXISTS)\s?"
    )
    for file in files:
        for statement in file.statements:
            assert repeatable.match(statement), f"{file.name}: {statement[:60]}"
            # A view holds nothing that could be lost, and the grants of its schema are given to new ones.
            rest = re.sub(r"^CREATE OR REPLACE VIEW", "", statement)
            assert "OR REPLACE" not in rest.upper(), file.name


def test_sqlglot_parses_every_statement_and_knows_all_but_the_listed_ones(files):
    for file in files:
        for statement in file.statements:
            if isinstance(parse(statement), exp.Command):
                assert statement.startswith(COMMANDS_OF_SQLGLOT), f"{file.name}: {statement[:60]}"


def test_sqlglot_parses_every_statement_of_the_tasks(files):
    tasks = {
        name[1]: split_body(statement[statement.index("BEGIN") :])
        for file in files
        for statement in file.statements
        if (name := re.match(r"CREATE OR ALTER TASK MOVIES\.CORE\.(\w+)", statement))
    }
    assert tuple(name.upper() for name in tasks) == TASKS
    for name, statements in tasks.items():
        assert statements[0] == "BEGIN TRANSACTION"
        assert statements[-1] == "COMMIT"
        # One transaction after the other: nothing is done outside of one.
        for ended, begun in itertools.pairwise(statements):
            assert (ended == "COMMIT") == (begun == "BEGIN TRANSACTION"), f"{name}: {begun[:60]}"
        for statement in [text for text in statements if text not in {"BEGIN TRANSACTION", "COMMIT"}]:
            parsed = parse(statement)
            assert isinstance(parsed, exp.Insert | exp.Update | exp.Delete | exp.Merge), (
                f"{name}: {statement[:60]}"
            )


def test_sqlfluff_finds_nothing():
    """In what Snowflake is given: the files with their includes in place and their parameters filled."""
    linter = Linter(config=FluffConfig.from_path(str(PROJECT), overrides={"templater": "raw"}))
    paths = sorted(SQL_FOLDER.glob("*.sql"))
    parameters = sql_parameters(Settings(), ROLE)
    assert [
        (path.name, violation.rule_code(), violation.line_no, violation.desc())
        for path in paths
        for violation in linter.lint_string(rendered(path, parameters), fname=path.name).get_violations()
    ] == []
    assert paths


def test_files_are_numbered_and_say_what_they_are_for():
    for path in SQL_FOLDER.rglob("*.sql"):
        assert re.fullmatch(r"[0-9]{2,3}_[a-z0-9_]+\.sql", path.name), path.name
        assert path.read_text("utf-8").startswith("-- "), path.name


def test_the_reader_is_granted_nothing_but_reading_the_marts(files):
    granted = [
        " ".join(statement.split())
        for file in files
        for statement in file.statements
        if statement.endswith("TO ROLE MOVIES_READER")
    ]
    assert granted == [
        "GRANT USAGE ON WAREHOUSE MOVIES_WH_READERS TO ROLE MOVIES_READER",
        "GRANT USAGE ON DATABASE MOVIES TO ROLE MOVIES_READER",
        "GRANT USAGE ON SCHEMA MOVIES.MARTS TO ROLE MOVIES_READER",
        "GRANT SELECT ON FUTURE VIEWS IN SCHEMA MOVIES.MARTS TO ROLE MOVIES_READER",
    ]


def test_the_loader_may_neither_change_nor_delete_nor_see_the_marts(files):
    for file in files:
        for statement in file.statements:
            if statement.endswith("TO ROLE MOVIES_LOADER"):
                assert not re.search(
                    r"\b(?:UPDATE|DELETE|TRUNCATE|OWNERSHIP|ALL PRIVILEGES|MARTS)\b", statement
                )


def test_what_belongs_to_the_account_stands_in_files_of_its_own(files):
    """An administrator runs those below 50; the deployer, who has no such rights, runs the rest."""
    of_the_account = re.compile(
        r"(?:CREATE|ALTER) (?:ROLE|USER|WAREHOUSE|DATABASE|RESOURCE MONITOR|STORAGE INTEGRATION)\b|GRANT ROLE\b"
        r"|GRANT .* ON (?:ACCOUNT|WAREHOUSE|INTEGRATION)\b"
    )
    for file in files:
        for statement in file.statements:
            if file.belongs_to is not Pass.ACCOUNT:
                assert not of_the_account.match(" ".join(statement.split())), f"{file.name}: {statement[:60]}"


def test_no_user_of_the_platform_holds_a_role_of_administrators(files):
    granted = {
        match.groups()
        for file in files
        for statement in file.statements
        if (match := re.fullmatch(r"GRANT ROLE (\w+) TO USER (\w+)", " ".join(statement.split())))
    }
    assert granted == {
        ("MOVIES_DEPLOYER", "MOVIE_PLATFORM_DEPLOYER"),
        ("MOVIES_LOADER", "MOVIE_PLATFORM"),
        ("MOVIES_TRANSFORMER", "MOVIE_PLATFORM"),
        ("MOVIES_ANALYST", "MOVIE_PLATFORM"),
        ("MOVIES_READER", "MOVIE_PLATFORM_READER"),
    }
