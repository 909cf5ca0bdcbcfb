"""A small CORE, filled by hand, with the marts over it: three days of one full source, two of a delta."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from snowflake.connector import SnowflakeConnection

from movie_platform.contracts import Table
from movie_platform.contracts.tables import BATCHES, QUARANTINED_ROWS
from movie_platform.contracts.warehouse import CORE_TABLES, DATA_QUALITY_RESULTS
from movie_platform.provision.account import prepare_account
from movie_platform.provision.files import SQL_FOLDER
from movie_platform.provision.sql import SqlFile, load_sql_files, run_file
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.settings import Settings
from movie_platform_tests.snowflake_cloud import rows

SETTINGS = Settings(snowflake_database="MART_TESTS")
# Database, schemas, warehouse and roles, and then the marts' own files.
ACCOUNT_FILES = ("003", "005", "010", "015", "020")
FILES = ("055", "060", "071", "072")
TYPES = {"string": "VARCHAR", "int": "NUMBER(10, 0)", "bigint": "NUMBER(19, 0)", "timestamp": "TIMESTAMP_NTZ"}

D18, D19, D20, OPEN = (
    date.fromisoformat(day) for day in ("2026-11-18", "2026-11-19", "2026-11-20", "9999-12-31")
)


def prepare(connection: SnowflakeConnection) -> None:
    """The database with its tables filled and its views; the session uses it."""
    files = load_sql_files(SQL_FOLDER, sql_parameters(SETTINGS, "arn:aws:iam::000000000000:role/archive"))
    apply(connection, files, ACCOUNT_FILES)
    rows(connection, f"USE ROLE {SETTINGS.snowflake_owner_role}")
    apply(connection, files, FILES)
    rows(connection, f"USE DATABASE {SETTINGS.snowflake_database}")
    for table in (*CORE_TABLES, BATCHES, QUARANTINED_ROWS, DATA_QUALITY_RESULTS):
        rows(connection, create_table(table))
    apply(connection, files, ("5",))
    rows(connection, "USE ROLE SYSADMIN")
    fill(connection)


def let_the_platform_in(settings: Settings) -> None:
    """The platform's users, with their keys: for tests in which it signs in itself."""
    files = load_sql_files(SQL_FOLDER, sql_parameters(settings, "arn:aws:iam::000000000000:role/archive"))
    prepare_account(settings, files, query_tag="tests", progress=lambda _line: None)


def apply(connection: SnowflakeConnection, files: Iterable[SqlFile], numbers: tuple[str, ...]) -> None:
    """Runs the files whose names begin so."""
    for file in files:
        if file.name.startswith(numbers):
            run_file(connection, file)


def definition(mart: str) -> str:
    """The statement that makes a mart's view, from its file."""
    files = load_sql_files(SQL_FOLDER, sql_parameters(SETTINGS, "arn:aws:iam::000000000000:role/archive"))
    [file] = [file for file in files if file.name.endswith(f"_marts_{mart}.sql")]
    return file.statements[-1]


def create_table(table: Table) -> str:
    """DDL of a contract's table, without its constraints, so that a test may break any rule."""
    columns = ", ".join(
        f"{column.name} {TYPES.get(column.type, column.type.upper().replace('DECIMAL', 'NUMBER'))}"
        for column in table.columns
    )
    return f"CREATE OR REPLACE TABLE {table.snowflake_schema}.{table.name} ({columns})"


def insert(connection: SnowflakeConnection, table: Table, records: Sequence[Mapping[str, Any]]) -> None:
    """Rows by column name; what a row does not name is null."""
    names = [name for name in table.column_names if any(name in record for record in records)]
    row = f"({', '.join('%s' for _ in names)})"
    rows(
        connection,
        f"INSERT INTO {table.snowflake_schema}.{table.name} ({', '.join(names)})"
        f" VALUES {', '.join(row for _ in records)}",
        tuple(record.get(name) for record in records for name in names),
    )


def table(name: str) -> Table:
    """A table of CORE by its name."""
    return next(found for found in CORE_TABLES if found.name == name)


def version(
    movie_id: str,
    since: date,
    until: date = OPEN,
    *,
    source: str = "s",
    deleted: bool = False,
    **attributes: Any,
) -> dict[str, Any]:
    """A row of dim_movie."""
    return {
        "movie_key": f"{source}-{movie_id}-{since.day}",
        "source": source,
        "movie_id": movie_id,
        "valid_from": since,
        "valid_to": until,
        "is_current": until == OPEN,
        "is_deleted": deleted,
        "row_hash": "h",
        "title": f"Film {movie_id}",
    } | attributes


def snapshot(key: str, dt: date, **measures: Any) -> dict[str, Any]:
    """A row of fact_movie_snapshot, for the film of a version's key."""
    source, movie_id, _ = key.split("-")
    return {
        "movie_key": key,
        "date_key": int(dt.strftime("%Y%m%d")),
        "source": source,
        "movie_id": movie_id,
        "dt": dt,
        **measures,
    }


def rating(key: str, dt: date, provider: str, value: str | None, votes: int | None) -> dict[str, Any]:
    """A row of fact_movie_rating, for the film of a version's key."""
    return snapshot(
        key, dt, provider_key=provider, rating=None if value is None else Decimal(value), votes=votes
    )


def fill(connection: SnowflakeConnection) -> None:
    """The rows. Film 1 changes on the 19th, 4 is removed then and returns changed, 5 is removed on the 20th, 3 is in
    quarantine then; d1 to d5 are by the same director, d5 by two. The delta source `t` mentions its film 2 once.
    """
    third, two_thirds = Decimal("0.333333333333"), Decimal("0.666666666667")
    insert(
        connection,
        table("dim_movie"),
        [
            version(
                "1", D18, D19, title="Alfa", year=2000, decade=2000, runtime_minutes=100, genres="Drama|Crime"
            ),
            version(
                "1", D19, title="Alpha", year=2000, decade=2000, runtime_minutes=101, genres="Drama|Crime"
            ),
            version("2", D18, title="Beta; the second", year=2001, decade=2000, genres="Drama"),
            version("3", D18, title="Gamma"),
            version("4", D18, D19, title="Delta", year=2001, decade=2000, certification="PG"),
            version("4", D19, D20, deleted=True, title="Delta", year=2001, decade=2000, certification="PG"),
            version("4", D20, title="Delta", year=2001, decade=2000, certification="R"),
            version("5", D18, D20, title="Epsilon", year=2001, decade=2000),
            version("5", D20, deleted=True, title="Epsilon", year=2001, decade=2000),
            *(version(f"d{n}", D18, year=2010 + n, decade=2010) for n in range(1, 6)),
            version("1", D18, source="t", year=1999, decade=1990),
            version("2", D18, source="t", year=1998, decade=1990),
        ],
    )
    insert(
        connection,
        table("dim_genre"),
        [{"genre_key": n, "genre_name": n.title()} for n in ("drama", "crime")],
    )
    insert(
        connection,
        table("bridge_movie_genre"),
        [
            {"movie_key": key, "genre_key": genre, "position": place, "weight": weight}
            for key, genre, place, weight in (
                ("s-1-18", "drama", 1, Decimal(1)),
                ("s-1-19", "drama", 1, two_thirds),
                ("s-1-19", "crime", 2, third),
                ("s-2-18", "drama", 1, Decimal(1)),
                ("s-5-18", "drama", 1, Decimal(1)),
            )
        ],
    )
    insert(
        connection, table("dim_person"), [{"person_key": n, "person_name": n.title()} for n in ("ann", "bob")]
    )
    directed = [(f"s-d{n}-18", "ann", 1, Decimal("0.5") if n == 5 else Decimal(1)) for n in range(1, 6)]
    credited = [
        *(("director", *row) for row in [*directed, ("s-d5-18", "bob", 2, Decimal("0.5"))]),
        ("writer", "s-1-18", "ann", 1, Decimal(1)),
        ("writer", "s-1-19", "bob", 1, Decimal("0.5")),
        ("writer", "s-1-19", "ann", 2, Decimal("0.5")),
        ("cast", "s-1-18", "bob", 1, Decimal(1)),
        ("cast", "s-1-19", "bob", 1, Decimal(1)),
    ]
    insert(
        connection,
        table("bridge_movie_person"),
        [
            {
                "movie_key": key,
                "role": role,
                "person_key": person,
                "position": place,
                "weight": weight,
                "credited_as": person.title(),
            }
            for role, key, person, place, weight in credited
        ],
    )
    money = {"box_office": Decimal("100.00"), "budget": Decimal("40.00"), "profit": Decimal("60.00")}
    averages = {f"s-d{n}-18": Decimal(50 + 10 * n) for n in range(1, 6)}
    takings = {"s-d4-18": Decimal("10.00"), "s-d5-18": Decimal("5.00")}
    insert(
        connection,
        table("fact_movie_snapshot"),
        [
            snapshot("s-1-18", D18, box_office=Decimal("90.00")),
            snapshot("s-1-19", D19, **money),
            snapshot("s-1-19", D20, **money, average_rating=Decimal("80.00")),
            *(snapshot("s-2-18", dt) for dt in (D18, D19, D20)),
            *(snapshot("s-3-18", dt, box_office=Decimal("50.05")) for dt in (D18, D19)),
            snapshot("s-4-18", D18, box_office=Decimal("1.00")),
            snapshot("s-4-20", D20, box_office=Decimal("2.00")),
            *(snapshot("s-5-18", dt, box_office=Decimal("999.00")) for dt in (D18, D19)),
            *(
                snapshot(key, dt, average_rating=average, box_office=takings.get(key))
                for key, average in averages.items()
                for dt in (D18, D19, D20)
            ),
            snapshot("t-1-18", D18, box_office=Decimal("7.00")),
            snapshot("t-2-18", D18, box_office=Decimal("8.00")),
            snapshot("t-1-18", D19, box_office=Decimal("9.00")),
        ],
    )
    insert(
        connection,
        table("dim_rating_provider"),
        [
            {"provider_key": n, "provider": n, "provider_name": n.upper(), "original_scale": scale}
            for n, scale in (("imdb", "0 to 10"), ("critics", "0 to 10"))
        ],
    )
    insert(
        connection,
        table("fact_movie_rating"),
        [
            rating("s-1-18", D18, "imdb", "70.00", 1000),
            rating("s-1-19", D19, "imdb", "74.00", 1100),
            rating("s-1-19", D20, "imdb", "74.00", 1200),
            *(rating("s-2-18", dt, "imdb", "50.00", 100) for dt in (D18, D19)),
            rating("s-2-18", D20, "imdb", "48.00", 100),
            *(rating("s-3-18", dt, "imdb", None, 5) for dt in (D18, D19)),
            rating("s-4-20", D20, "imdb", "90.00", 300),
            rating("s-1-19", D20, "critics", "60.00", None),
            rating("t-1-18", D18, "imdb", "61.00", 10),
            rating("t-1-18", D19, "imdb", "62.00", 10),
        ],
    )
    _fill_notes(connection)


def _fill_notes(connection: SnowflakeConnection) -> None:
    """What was applied and announced, quarantined and measured. The batch `lost` of the 20th is not the winner."""
    days = [("s", D18, "b18", "full"), ("s", D19, "b19", "full"), ("s", D20, "b20", "full")]
    days += [("t", D18, "b18", "delta"), ("t", D19, "b19", "delta")]
    films = {("s", D18): 10, ("s", D19): 9, ("s", D20): 8, ("t", D18): 2, ("t", D19): 1}
    refused = {("s", D20): 4}
    insert(
        connection,
        table("applied_days"),
        [
            {
                "source": source,
                "dt": dt,
                "batch_id": batch,
                "transform_id": "x",
                "load_type": load_type,
                "extracted_at": f"{dt} 03:00:00",
            }
            for source, dt, batch, load_type in days
        ],
    )
    announcements = [
        {
            "source": source,
            "dt": dt,
            "batch_id": batch,
            "transform_id": "x",
            "announcement": 0,
            "transformed_at": f"{dt} 05:00:00",
            "rows_in": films[source, dt] + refused.get((source, dt), 0) + 1,
            "exact_duplicates": 1,
        }
        for source, dt, batch, _ in days
    ]
    # A version that became the newest again is announced twice.
    again = {**announcements[2], "announcement": 1, "transformed_at": "2026-11-21 05:00:00"}
    insert(
        connection, BATCHES, [*announcements, again, {**announcements[2], "batch_id": "lost", "rows_in": 999}]
    )
    insert(
        connection,
        QUARANTINED_ROWS,
        [
            {
                "source": "s",
                "dt": D20,
                "batch_id": batch,
                "transform_id": "x",
                "movie_id": movie_id,
                "rule_code": code,
                "origin": origin,
            }
            for batch, movie_id, code, origin in (
                ("b20", "3", "impossible_year", "transform"),
                ("b20", "9", "missing_title", "transform"),
                ("b20", None, "wrong_field_count", "reader"),
                ("b20", "8", "a_rule_of_tomorrow", "transform"),
                ("lost", "7", "missing_title", "transform"),
            )
        ],
    )
    insert(
        connection,
        DATA_QUALITY_RESULTS,
        [
            {
                "rule": rule,
                "source": "s",
                "dt": D20,
                "checked_rows": 8,
                "offending_rows": bad,
                "measured_at": at,
            }
            for rule, bad, at in (
                ("keys_are_unique", 3, "2026-11-20 01:00:00"),
                ("keys_are_unique", 0, "2026-11-20 02:00:00"),
                ("weights_sum_to_one", 2, "2026-11-20 01:00:00"),
                ("versions_follow", 1, "2026-11-20 01:00:00"),
            )
        ],
    )
