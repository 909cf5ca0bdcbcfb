"""Streams of the local Snowflake.

What is tested is what Snowflake documents: "Introduction to Streams" (docs.snowflake.com/en/user-guide/streams-intro),
"CREATE STREAM" (docs.snowflake.com/en/sql-reference/sql/create-stream) and its neighbours, and
"SYSTEM$STREAM_HAS_DATA" (docs.snowflake.com/en/sql-reference/functions/system_stream_has_data).
"""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import DictCursor, SnowflakeConnection

from movie_platform_tests.snowflake_cloud import SnowflakeCloud

pytestmark = pytest.mark.cloud


class Place:
    """A schema with a table FILMS and a stream NEWS on it."""

    def __init__(self, cloud: SnowflakeCloud) -> None:
        self.cloud = cloud
        self.schema = f"S{uuid.uuid4().hex[:10]}".upper()
        self.connection = self.connect()
        self.run("CREATE DATABASE IF NOT EXISTS STREAMS")
        self.run(f"CREATE SCHEMA STREAMS.{self.schema}")
        self.run(f"USE SCHEMA STREAMS.{self.schema}")
        self.run("CREATE TABLE films (id INTEGER, title VARCHAR)")
        self.run("CREATE TABLE seen (id INTEGER, title VARCHAR)")
        self.run("CREATE STREAM news ON TABLE films APPEND_ONLY = TRUE COMMENT = 'New films'")

    def connect(self) -> SnowflakeConnection:
        connection = self.cloud.connect()
        if hasattr(self, "connection"):
            connection.cursor().execute(f"USE SCHEMA STREAMS.{self.schema}")
        return connection

    def run(self, sql: str, connection: SnowflakeConnection | None = None) -> list[Any]:
        return (connection or self.connection).cursor().execute(sql).fetchall()  # pyright: ignore[reportOptionalMemberAccess]

    def add(self, *ids: int) -> None:
        for number in ids:
            self.run(f"INSERT INTO films VALUES ({number}, 'film {number}')")

    def new(self) -> list[int]:
        return [row[0] for row in self.run("SELECT id FROM news ORDER BY id")]

    def seen(self) -> list[int]:
        return [row[0] for row in self.run("SELECT id FROM seen ORDER BY id")]


CONSUME = "INSERT INTO seen SELECT id, title FROM news"


@pytest.fixture
def place(snowflake_cloud: SnowflakeCloud) -> Iterator[Place]:
    made = Place(snowflake_cloud)
    yield made
    made.connection.close()


def test_a_stream_gives_what_was_inserted_since_it_was_made(snowflake_cloud: SnowflakeCloud) -> None:
    """streams-intro: a stream takes an initial snapshot, and records what changes after it."""
    place = Place(snowflake_cloud)
    place.add(1)
    place.run("CREATE STREAM later ON TABLE films APPEND_ONLY = TRUE")
    place.add(2)
    assert place.new() == [1, 2]
    assert place.run("SELECT id FROM later") == [(2,)]


def test_show_initial_rows_gives_the_rows_that_are_there_already(place: Place) -> None:
    """create-stream: SHOW_INITIAL_ROWS = TRUE returns the rows that existed when the stream was created, once."""
    place.add(1)
    place.run("CREATE STREAM everything ON TABLE films APPEND_ONLY = TRUE SHOW_INITIAL_ROWS = TRUE")
    assert place.run("SELECT id FROM everything") == [(1,)]
    place.run("INSERT INTO seen SELECT id, title FROM everything")
    assert place.run("SELECT id FROM everything") == []


def test_rows_of_a_stream_carry_its_metadata_after_the_tables_columns(place: Place) -> None:
    """streams-intro, "Stream Columns": METADATA$ACTION, METADATA$ISUPDATE, METADATA$ROW_ID."""
    place.add(1, 2)
    cursor = place.connection.cursor(DictCursor)
    found = cursor.execute("SELECT * FROM news ORDER BY id").fetchall()  # pyright: ignore[reportOptionalMemberAccess]
    assert [list(row) for row in found] == [
        ["ID", "TITLE", "METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID"]
    ] * 2
    assert {(row["METADATA$ACTION"], row["METADATA$ISUPDATE"]) for row in found} == {("INSERT", False)}  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert len({row["METADATA$ROW_ID"] for row in found}) == 2  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert place.run(
        "SELECT count(*) FROM news WHERE METADATA$ACTION = 'INSERT' AND NOT METADATA$ISUPDATE"
    ) == [(2,)]


def test_a_query_does_not_move_the_offset_and_dml_does(place: Place) -> None:
    """streams-intro: querying a stream alone does not advance its offset; using it in DML does."""
    place.add(1)
    assert place.new() == place.new() == [1]
    place.run(CONSUME)
    assert (place.new(), place.seen()) == ([], [1])
    place.add(2)
    place.run(CONSUME)
    assert (place.new(), place.seen()) == ([], [1, 2])


def test_dml_that_filters_the_rows_away_moves_the_offset_all_the_same(place: Place) -> None:
    """streams-intro: the offset advances whenever the stream is used in a DML transaction, whatever it filters."""
    place.add(1)
    place.run(f"{CONSUME} WHERE 0 = 1")
    assert (place.new(), place.seen()) == ([], [])


def test_merge_consumes_a_stream(place: Place) -> None:
    place.add(1, 2)
    place.run(
        "MERGE INTO seen USING news ON seen.id = news.id WHEN NOT MATCHED THEN INSERT (id, title)"
        " VALUES (news.id, news.title)"
    )
    assert (place.new(), place.seen()) == ([], [1, 2])


def test_a_stream_can_be_joined_aliased_and_named_in_full(place: Place) -> None:
    place.add(1, 2)
    place.run("INSERT INTO seen VALUES (2, 'two')")
    assert place.run(
        f"SELECT n.id, s.title FROM STREAMS.{place.schema}.news AS n JOIN seen AS s ON n.id = s.id"
    ) == [(2, "two")]
    assert place.run("WITH found AS (SELECT news.id FROM news) SELECT count(*) FROM found") == [(2,)]


def test_a_transaction_sees_the_same_rows_until_it_ends(place: Place) -> None:
    """streams-intro, "Repeatable Read Isolation": all reads of a transaction give the same set of rows."""
    place.add(1)
    place.run("BEGIN")
    place.run(CONSUME)
    other = place.connect()
    place.run("INSERT INTO films VALUES (2, 'film 2')", other)
    place.run("INSERT INTO films VALUES (3, 'its own')")
    assert place.new() == [1]
    place.run(CONSUME)
    place.run("COMMIT")
    assert place.seen() == [1, 1]
    assert place.new() == [2, 3]


def test_a_rollback_leaves_the_offset_where_it_was(place: Place) -> None:
    """streams-intro: the offset advances only when the transaction commits."""
    place.add(1)
    place.run("BEGIN")
    place.run(CONSUME)
    place.run("ROLLBACK")
    assert (place.new(), place.seen()) == ([1], [])


def test_a_statement_that_fails_leaves_the_offset_where_it_was(place: Place) -> None:
    place.add(1)
    with pytest.raises(snowflake.connector.ProgrammingError):
        place.run("INSERT INTO seen SELECT CAST(title AS INTEGER), title FROM news")
    assert (place.new(), place.seen()) == ([1], [])


def test_two_streams_on_a_table_have_offsets_of_their_own(place: Place) -> None:
    """streams-intro: create a stream for each consumer of a table."""
    place.run("CREATE STREAM others ON TABLE films APPEND_ONLY = TRUE")
    place.add(1)
    place.run(CONSUME)
    assert place.new() == []
    assert place.run("SELECT id FROM others") == [(1,)]


def test_of_two_consumers_at_the_same_moment_each_row_is_given_to_one(place: Place) -> None:
    place.add(*range(20))
    connections = [place.connect() for _ in range(4)]
    barrier = threading.Barrier(len(connections))

    def consume(connection: SnowflakeConnection) -> None:
        barrier.wait()
        place.run(CONSUME, connection)

    threads = [threading.Thread(target=consume, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (place.new(), place.seen()) == ([], list(range(20)))


def test_nothing_is_lost_or_given_twice_while_others_insert(place: Place) -> None:
    other = place.connect()

    def insert() -> None:
        for number in range(40):
            place.run(f"INSERT INTO films VALUES ({number}, 'x')", other)

    thread = threading.Thread(target=insert)
    thread.start()
    while thread.is_alive():
        place.run(CONSUME)
    thread.join()
    place.run(CONSUME)
    assert place.seen() == list(range(40))


def test_has_data_says_whether_there_are_rows(place: Place) -> None:
    """system_stream_has_data: TRUE where the stream has change records, by a literal name."""
    assert place.run("SELECT SYSTEM$STREAM_HAS_DATA('news')") == [(False,)]
    place.add(1)
    assert place.run(f"SELECT SYSTEM$STREAM_HAS_DATA('STREAMS.{place.schema}.NEWS')") == [(True,)]
    place.run(CONSUME)
    assert place.run("SELECT SYSTEM$STREAM_HAS_DATA('news') OR SYSTEM$STREAM_HAS_DATA('news')") == [(False,)]


def test_show_and_describe_streams_have_snowflakes_columns(place: Place) -> None:
    """show-streams: name, table_name, type DELTA, mode APPEND_ONLY, stale."""
    cursor = place.connection.cursor(DictCursor)
    for sql in ("SHOW STREAMS", "DESCRIBE STREAM news", "SHOW STREAMS LIKE 'ne%' IN DATABASE STREAMS"):
        rows: list[Any] = cursor.execute(sql).fetchall()  # pyright: ignore[reportOptionalMemberAccess]
        row = next(row for row in rows if row["schema_name"] == place.schema)
        assert (row["name"], row["comment"], row["type"], row["mode"], row["stale"]) == (
            "NEWS", "New films", "DELTA", "APPEND_ONLY", "false",
        )  # fmt: skip
        assert row["table_name"] == f"STREAMS.{place.schema}.FILMS"


def test_a_stream_is_altered_replaced_and_dropped(place: Place) -> None:
    place.add(1)
    place.run("ALTER STREAM news SET COMMENT = 'changed'")
    assert place.run("SHOW STREAMS")[0][5] == "changed"
    with pytest.raises(snowflake.connector.ProgrammingError, match="already exists"):
        place.run("CREATE STREAM news ON TABLE films APPEND_ONLY = TRUE")
    place.run("CREATE STREAM IF NOT EXISTS news ON TABLE films APPEND_ONLY = TRUE")
    assert place.new() == [1]
    place.run("CREATE OR REPLACE STREAM news ON TABLE films APPEND_ONLY = TRUE")
    assert place.new() == []
    place.run("DROP STREAM news")
    with pytest.raises(snowflake.connector.ProgrammingError, match="does not exist"):
        place.run("SELECT * FROM news")
    place.run("DROP STREAM IF EXISTS news")


def test_a_stream_whose_table_was_dropped_or_replaced_says_so(place: Place) -> None:
    """streams-intro: recreating a table drops its history, and the streams on it become stale."""
    place.run("CREATE OR REPLACE TABLE films (id INTEGER, title VARCHAR)")
    for sql in ("SELECT * FROM news", "SELECT SYSTEM$STREAM_HAS_DATA('news')"):
        with pytest.raises(snowflake.connector.ProgrammingError, match="dropped, cannot read from stream"):
            place.run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE STREAM other ON VIEW films APPEND_ONLY = TRUE",
        "CREATE STREAM other ON TABLE films AT (OFFSET => -60) APPEND_ONLY = TRUE",
        "CREATE VIEW other AS SELECT * FROM news",
        "INSERT OVERWRITE INTO seen SELECT id, title FROM news",
    ],
)
def test_what_the_local_snowflake_cannot_do_with_streams_is_refused(place: Place, sql: str) -> None:
    with pytest.raises(snowflake.connector.ProgrammingError, match=r"(?i)not supported|unsupported"):
        place.run(sql)
    assert len(place.run("SHOW STREAMS")) == 1


def test_select_on_a_stream_can_be_granted(place: Place) -> None:
    """access-control-privileges: SELECT on STREAM."""
    place.run("CREATE ROLE IF NOT EXISTS stream_reader")
    place.run("GRANT SELECT ON STREAM news TO ROLE stream_reader")
    granted = place.run("SHOW GRANTS TO ROLE stream_reader")
    assert any(row[1] == "SELECT" and row[2] == "STREAM" and row[3].endswith(".NEWS") for row in granted)


CHANGES = (
    "SELECT id, title, METADATA$ACTION, METADATA$ISUPDATE FROM changes ORDER BY id, METADATA$ACTION, title"
)


@pytest.fixture
def changing(place: Place) -> Place:
    """Films 1 to 4, and behind them the standard stream CHANGES and the append-only stream NEWS."""
    place.add(1, 2, 3, 4)
    place.run("CREATE STREAM changes ON TABLE films")
    place.run("CREATE OR REPLACE STREAM news ON TABLE films APPEND_ONLY = TRUE")
    return place


def test_a_standard_stream_gives_inserts_updates_and_deletes(changing: Place) -> None:
    """streams-intro, "Stream columns": an update is a DELETE and an INSERT with METADATA$ISUPDATE TRUE."""
    changing.add(5)
    changing.run("UPDATE films SET title = 'two' WHERE id = 2")
    changing.run("DELETE FROM films WHERE id = 3")
    assert changing.run(CHANGES) == [
        (2, "film 2", "DELETE", True),
        (2, "two", "INSERT", True),
        (3, "film 3", "DELETE", False),
        (5, "film 5", "INSERT", False),
    ]
    assert changing.run("SELECT SYSTEM$STREAM_HAS_DATA('changes')") == [(True,)]
    changing.run("INSERT INTO seen SELECT id, title FROM changes")
    assert changing.run(CHANGES) == []
    assert changing.run("SELECT SYSTEM$STREAM_HAS_DATA('changes')") == [(False,)]
    changing.run("UPDATE films SET title = 'zwei' WHERE id = 2")
    assert changing.run(CHANGES) == [(2, "two", "DELETE", True), (2, "zwei", "INSERT", True)]


def test_a_standard_stream_gives_the_difference_between_offset_and_now(changing: Place) -> None:
    """streams-intro: the net effect; a row that is inserted and deleted in between does not appear, a new row that is
    updated is an INSERT, a row that is updated twice is one update."""
    changing.add(5, 6)
    changing.run("DELETE FROM films WHERE id = 5")
    changing.run("UPDATE films SET title = 'six' WHERE id = 6")
    for title in ("zwei", "deux"):
        changing.run(f"UPDATE films SET title = '{title}' WHERE id = 2")
    changing.run("UPDATE films SET title = 'gone' WHERE id = 3")
    changing.run("DELETE FROM films WHERE id = 3")
    assert changing.run(CHANGES) == [
        (2, "film 2", "DELETE", True),
        (2, "deux", "INSERT", True),
        (3, "film 3", "DELETE", False),
        (6, "six", "INSERT", False),
    ]


def test_an_append_only_stream_gives_rows_as_they_were_inserted(changing: Place) -> None:
    """create-stream, APPEND_ONLY: of 10 rows inserted and 5 of them deleted before the offset moves, it records 10."""
    changing.add(*range(10, 20))
    changing.run("DELETE FROM films WHERE id IN (1, 2) OR id >= 15")
    changing.run("UPDATE films SET title = 'changed'")
    assert changing.run("SELECT id, title, METADATA$ACTION, METADATA$ISUPDATE FROM news ORDER BY id") == [
        (number, f"film {number}", "INSERT", False) for number in range(10, 20)
    ]
    changing.run(CONSUME)
    changing.run("DELETE FROM films")
    changing.add(20)
    assert changing.new() == [20]
    assert changing.seen() == list(range(10, 20))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("TRUNCATE TABLE films", [(number, "DELETE", False) for number in (1, 2, 3, 4)]),
        (
            "INSERT OVERWRITE INTO films SELECT id, title FROM films WHERE id = 1",
            [
                (1, "DELETE", False),
                (1, "INSERT", False),
                *((number, "DELETE", False) for number in (2, 3, 4)),
            ],
        ),
        (
            (
                "MERGE INTO films USING (SELECT 1 AS id UNION ALL SELECT 2 UNION ALL SELECT 9) n ON films.id = n.id"
                " WHEN MATCHED AND n.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET title = 'merged'"
                " WHEN NOT MATCHED THEN INSERT (id, title) VALUES (n.id, 'new')"
            ),
            [(1, "DELETE", False), (2, "DELETE", True), (2, "INSERT", True), (9, "INSERT", False)],
        ),
        (
            "DELETE FROM films USING films other WHERE films.id = other.id AND other.id = 4",
            [(4, "DELETE", False)],
        ),
        (
            "UPDATE films SET title = n.title FROM (SELECT 3 AS id, 'three' AS title) n WHERE films.id = n.id",
            [(3, "DELETE", True), (3, "INSERT", True)],
        ),
    ],
)
def test_every_kind_of_dml_is_seen(changing: Place, sql: str, expected: list[Any]) -> None:
    """streams-intro: a stream records DML changes: inserts, updates, deletes (truncates and merges included)."""
    changing.run(sql)
    assert (
        changing.run(
            "SELECT id, METADATA$ACTION, METADATA$ISUPDATE FROM changes ORDER BY id, METADATA$ACTION"
        )
        == expected
    )


def test_rows_of_every_type_are_compared(place: Place) -> None:
    """streams-intro: the columns of the stream are those of the table."""
    place.run(
        "CREATE TABLE mixed (id INTEGER PRIMARY KEY, tags ARRAY, doc VARIANT, price NUMBER(10, 2), at TIMESTAMP_NTZ,"
        " raw BINARY, share FLOAT)"
    )
    place.run(
        "INSERT INTO mixed SELECT 1, ARRAY_CONSTRUCT(1, 2), PARSE_JSON('{}'), 1.5, '2020-01-02', NULL, 0.5"
    )
    place.run("CREATE STREAM mixed_changes ON TABLE mixed")
    sets = (
        "id = 2",
        "tags = ARRAY_CONSTRUCT(3)",
        "doc = NULL",
        "price = 1.51",
        "at = NULL",
        "raw = '00'",
        "share = 1",
    )
    for change in sets:
        place.run(f"UPDATE mixed SET {change}")
        rows = place.run("SELECT METADATA$ACTION, METADATA$ISUPDATE FROM mixed_changes ORDER BY 1")
        assert rows == [("DELETE", True), ("INSERT", True)], change
        place.run("INSERT INTO seen SELECT id, NULL FROM mixed_changes")
        assert place.run("SELECT * FROM mixed_changes") == []


def test_the_row_id_of_a_row_lasts(changing: Place) -> None:
    """streams-intro, "Stream columns": METADATA$ROW_ID is the unique and immutable ID of the row."""
    row_id = "SELECT DISTINCT METADATA$ROW_ID FROM changes WHERE id = {}"
    changing.add(5)
    changing.run("UPDATE films SET title = 'x' WHERE id = 4")
    [four], [five] = changing.run(row_id.format(4)), changing.run(row_id.format(5))
    changing.run("DELETE FROM films WHERE id < 4")
    assert (changing.run(row_id.format(4)), changing.run(row_id.format(5))) == ([four], [five])
    changing.run("INSERT INTO seen SELECT id, title FROM changes")
    changing.run("DELETE FROM films")
    assert (changing.run(row_id.format(4)), changing.run(row_id.format(5))) == ([four], [five])
    assert four != five


def test_a_transaction_sees_a_standard_stream_without_its_own_changes(changing: Place) -> None:
    """streams-intro, "Repeatable Read Isolation": the records up to the beginning of the transaction."""
    changing.run("UPDATE films SET title = 'two' WHERE id = 2")
    before = changing.run(CHANGES)
    changing.run("BEGIN")
    changing.run("INSERT INTO seen SELECT id, title FROM changes")
    changing.run("UPDATE films SET title = 'own' WHERE id IN (1, 2)")
    changing.run("DELETE FROM films WHERE id = 3")
    changing.add(9)
    changing.run("DELETE FROM films WHERE id = 9")
    assert changing.run(CHANGES) == before
    changing.run("COMMIT")
    assert changing.run(CHANGES) == [
        (1, "film 1", "DELETE", True),
        (1, "own", "INSERT", True),
        (2, "two", "DELETE", True),
        (2, "own", "INSERT", True),
        (3, "film 3", "DELETE", False),
    ]


def test_changes_that_are_rolled_back_are_not_seen(changing: Place) -> None:
    """streams-intro: a stream gives what transactions committed."""
    changing.run("BEGIN")
    changing.run("UPDATE films SET title = 'two' WHERE id = 2")
    changing.run("DELETE FROM films WHERE id = 3")
    changing.run("ROLLBACK")
    assert changing.run(CHANGES) == []
    changing.add(5)
    assert changing.new() == [5]


def test_a_stream_follows_its_table_through_changes_of_columns_and_names(changing: Place) -> None:
    """streams-intro: a stream uses the current table schema; renaming a table does not break its streams."""
    changing.run("UPDATE films SET title = 'two' WHERE id = 2")
    changing.run("ALTER TABLE films RENAME COLUMN title TO name")
    changing.run("ALTER TABLE films ADD COLUMN year INTEGER")
    changing.run("ALTER TABLE films RENAME TO movies")
    changing.run("UPDATE movies SET year = 1972 WHERE id = 1")
    assert changing.run(
        "SELECT id, name, year, METADATA$ACTION FROM changes ORDER BY id, METADATA$ACTION"
    ) == [
        (1, "film 1", None, "DELETE"),
        (1, "film 1", 1972, "INSERT"),
        (2, "film 2", None, "DELETE"),
        (2, "two", None, "INSERT"),
    ]
    changing.run("ALTER TABLE movies DROP COLUMN name")
    assert changing.run("SELECT id, year, METADATA$ACTION FROM changes ORDER BY id, METADATA$ACTION") == [
        (1, None, "DELETE"),
        (1, 1972, "INSERT"),
    ]


def test_initial_rows_of_a_standard_stream_are_inserts(changing: Place) -> None:
    """create-stream, SHOW_INITIAL_ROWS: the rows that are there come once, as inserts."""
    changing.run("DELETE FROM films WHERE id = 1")
    changing.run("CREATE OR REPLACE STREAM changes ON TABLE films SHOW_INITIAL_ROWS = TRUE")
    changing.run("UPDATE films SET title = 'two' WHERE id = 2")
    assert [row[:3] for row in changing.run(CHANGES)] == [
        (2, "two", "INSERT"), (3, "film 3", "INSERT"), (4, "film 4", "INSERT"),
    ]  # fmt: skip


def test_create_table_as_select_consumes_a_stream(place: Place) -> None:
    """streams-intro: the offset advances when the stream is used in a DML statement, CTAS among them."""
    place.add(1)
    place.run("CREATE TABLE kept AS SELECT id FROM news")
    assert (place.run("SELECT id FROM kept"), place.new()) == ([(1,)], [])


def test_numbers_of_rows_last_when_the_gaps_of_removed_rows_are_closed(place: Place) -> None:
    """DuckDB renumbers rows at a checkpoint after large deletes: no stream may notice."""
    place.run("CREATE TABLE big AS SELECT seq4() AS id FROM TABLE(GENERATOR(ROWCOUNT => 400000))")
    place.run("DELETE FROM big WHERE id < 250000")
    place.run("CREATE STREAM rest ON TABLE big")
    place.run("CREATE STREAM added ON TABLE big APPEND_ONLY = TRUE")
    place.run("DELETE FROM big WHERE id < 399990")
    place.run("INSERT INTO big VALUES (-1)")
    server = place.cloud.server()
    server.terminate()
    server.wait(90)
    place.cloud.up()
    place.connection = place.connect()
    place.run("DELETE FROM big WHERE id = 399995")
    place.run("INSERT INTO big VALUES (-2)")
    assert place.run("SELECT id FROM added ORDER BY id") == [(-2,), (-1,)]
    assert place.run(
        "SELECT METADATA$ACTION, count(*), min(id), max(id) FROM rest GROUP BY 1 ORDER BY 1"
    ) == [("DELETE", 149991, 250000, 399995), ("INSERT", 2, -2, -1)]


def test_a_stream_is_not_made_beside_an_open_change_of_its_table(changing: Place) -> None:
    """A change that began before the stream was there must not be half seen by it."""
    other = changing.connect()
    changing.run("BEGIN", other)
    changing.run("SELECT count(*) FROM films", other)
    changing.run("CREATE STREAM late ON TABLE films")
    with pytest.raises(snowflake.connector.ProgrammingError, match="000625"):
        changing.run("DELETE FROM films WHERE id = 1", other)
    changing.run("ROLLBACK", other)
    changing.run("DELETE FROM films WHERE id = 1", other)
    assert changing.run("SELECT id FROM late") == [(1,)]


def test_offsets_survive_a_kill_of_the_server(snowflake_cloud: SnowflakeCloud) -> None:
    place = Place(snowflake_cloud)
    place.add(1)
    place.run(CONSUME)
    place.add(2)
    place.run("BEGIN")
    place.run(CONSUME)
    snowflake_cloud.kill()
    snowflake_cloud.up()
    place.connection = place.connect()
    assert (place.new(), place.seen()) == ([2], [1])
