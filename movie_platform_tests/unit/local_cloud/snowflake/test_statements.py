"""Reading of statements, messages, bind variables and errors by the local Snowflake, without a server."""

import contextlib
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movie_platform.local_cloud.snowflake.background.s3_events import (
    CreatedObject,
    MalformedMessageError,
    created_objects,
)
from movie_platform.local_cloud.snowflake.errors import SnowflakeError, WriteConflictError, from_exception
from movie_platform.local_cloud.snowflake.state.copy_plan import parse_copy
from movie_platform.local_cloud.snowflake.state.stage_lookup import StageLocation, check_pattern, parse_url
from movie_platform.local_cloud.snowflake.state.translate import parse
from movie_platform.local_cloud.snowflake.statements.router import ROUTES, find_handler
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.bindings import parse_bindings
from movie_platform.local_cloud.snowflake.text.names import FullName, Name, literal, matches_like, quoted
from movie_platform.local_cloud.snowflake.text.tokens import (
    Kind,
    TokenStream,
    leading_words,
    parse_name,
    tokenize,
)

COPY = """
COPY INTO MOVIES.RAW.movies -- the target
FROM @MOVIES.RAW.archive_stage/movies/source=demo/
FILE_FORMAT = (FORMAT_NAME = 'MOVIES.RAW.parquet_format')
PATTERN = '.*[.]parquet' /* not csv */
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
INCLUDE_METADATA = (file_name = METADATA$FILENAME, "Row" = METADATA$FILE_ROW_NUMBER);
"""


def test_a_copy_statement_is_read_in_full() -> None:
    """COPY INTO <table>: syntax."""
    copy = parse_copy(TokenStream(COPY))
    assert copy.table == Name("MOVIES", "RAW", "MOVIES")
    assert (copy.stage, copy.path) == (Name("MOVIES", "RAW", "ARCHIVE_STAGE"), "movies/source=demo/")
    assert copy.file_format == {"FORMAT_NAME": "MOVIES.RAW.parquet_format"}
    assert copy.pattern == ".*[.]parquet"
    assert copy.match_by_column_name == "CASE_INSENSITIVE"
    assert copy.include_metadata == {"FILE_NAME": "METADATA$FILENAME", "Row": "METADATA$FILE_ROW_NUMBER"}


@pytest.mark.parametrize(
    ("location", "stage", "path"),
    [
        ("@s", Name(None, None, "S"), ""),
        ("@s/", Name(None, None, "S"), ""),
        ("@a.s/x-1/y.z/", Name(None, "A", "S"), "x-1/y.z/"),
        ('@"My Stage"/Case', Name(None, None, "My Stage"), "Case"),
        ("'@a.b.s/with space/x'", Name("A", "B", "S"), "with space/x"),
        ("'@s'", Name(None, None, "S"), ""),
    ],
)
def test_stage_references_are_taken_apart(location: str, stage: Name, path: str) -> None:
    """CREATE STAGE; COPY INTO <table>: internal and external stage references."""
    copy = parse_copy(TokenStream(f"COPY INTO t FROM {location} FORCE = TRUE"))
    assert (copy.stage, copy.path, copy.force) == (stage, path, True)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY INTO t",
        "COPY INTO t FROM @s FORCE = 1",
        "COPY INTO t FROM @s FORCE = TRUE FORCE = TRUE",
        "COPY INTO t FROM @s INCLUDE_METADATA = (a = METADATA$FILENAME)",
        "COPY INTO t FROM @s MATCH_BY_COLUMN_NAME = SOMETIMES",
        "COPY INTO t FROM @s MATCH_BY_COLUMN_NAME = NONE INCLUDE_METADATA = (a = METADATA$NONSENSE)",
        "COPY INTO t (a) FROM @s MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE",
        "COPY INTO t FROM @s PATTERN = '['",
        "COPY INTO t FROM @~/x",
        "COPY INTO t FROM 's3://bucket/x'",
        "COPY INTO t FROM @s SIZE_LIMIT = 1",
        "COPY INTO t FROM @s ON_ERROR = 'SKIP_FILE_5%'",
        "COPY INTO t FROM @s FILE_FORMAT = (TYPE = PARQUET",
        "COPY INTO t FROM @s and more",
    ],
)
def test_a_copy_statement_that_is_not_understood_is_refused(sql: str) -> None:
    with pytest.raises(SnowflakeError):
        parse_copy(TokenStream(sql))


@given(st.text())
def test_strings_and_identifiers_survive_quoting(text: str) -> None:
    (token, end) = list(tokenize("'" + text.replace("\\", "\\\\").replace("'", "''") + "'"))
    assert (token.kind, token.text, end.kind) == (Kind.STRING, text, Kind.END)
    assert duckdb.execute(f"SELECT {literal(text)}").fetchone() == (text,) or "\0" in text
    if text:
        (token, _) = list(tokenize(quoted(text)))
        assert (token.kind, token.text) == (Kind.QUOTED, text)


@given(st.text())
def test_no_text_does_more_than_raise_a_snowflake_error(text: str) -> None:
    with pytest.raises(SnowflakeError):
        parse_copy(TokenStream(text))
    with contextlib.suppress(SnowflakeError):
        find_handler(leading_words(text), text)


def test_comments_and_dollar_quotes_are_no_words() -> None:
    assert leading_words("-- CREATE TASK\n/* x */ // y\n SELECT $$a'b$$") == ("SELECT",)
    assert next(token.text for token in tokenize("$$it's$$")) == "it's"


def test_a_syntax_error_says_where() -> None:
    stream = TokenStream("COPY INTO t\nFROM @s BLAH = 1")
    with pytest.raises(SnowflakeError, match="copy option BLAH"):
        parse_copy(stream)
    stream = TokenStream("SHOW PIPES\n  NOW")
    stream.expect("SHOW", "PIPES")
    with pytest.raises(SnowflakeError, match="line 2 at position 2 unexpected 'NOW'"):
        stream.end()


@pytest.mark.parametrize(
    ("text", "name"),
    [("a", Name(None, None, "A")), ("a.B.c", Name("A", "B", "C")), ('"a".b', Name(None, "a", "B"))],
)
def test_names_follow_the_rules_of_identifiers(text: str, name: Name) -> None:
    """Identifier requirements: without double quotes an identifier is stored in upper case."""
    assert parse_name(text) == name
    assert parse_name(str(name)) == name


def test_names_need_a_database_and_a_schema() -> None:
    assert Name(None, None, "T").resolve("D", "S") == FullName("D", "S", "T")
    for database, schema, number in ((None, "S", 90105), ("D", None, 90106)):
        with pytest.raises(SnowflakeError) as caught:
            Name(None, None, "T").resolve(database, schema)
        assert caught.value.number == number


@pytest.mark.parametrize(
    ("sql", "route"),
    [
        ("create or replace pipe p as copy into t from @s", "CREATE PIPE"),
        ("CREATE  TABLE pipe (n NUMBER)", "CREATE TABLE"),
        ("desc integration i", "DESCRIBE INTEGRATION"),
        ("show terse tables in account", "SHOW TERSE TABLES"),
        ("(select 1)", ""),
        ("with a as (select 1) select * from a", "WITH"),
    ],
)
def test_statements_go_to_the_longest_route_that_fits(sql: str, route: str) -> None:
    assert find_handler(leading_words(sql), sql) is ROUTES[route]


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("CREATE DYNAMIC TABLE t AS SELECT 1", 2),
        ("CREATE HYBRID TABLE t (n NUMBER)", 2),
        ("CREATE OR REPLACE ALERT t AS SELECT 1", 2),
        ("INSTALL httpfs", 1003),
        ("COPY (SELECT 1) TO 'x'", 2),
        ("", 900),
        (";", 900),
        ("'text'", 1003),
    ],
)
def test_statements_without_a_route_are_refused(sql: str, number: int) -> None:
    with pytest.raises(SnowflakeError) as caught:
        find_handler(leading_words(sql), sql)
    assert caught.value.number == number


def test_one_request_holds_one_statement() -> None:
    with pytest.raises(SnowflakeError) as caught:
        parse("SELECT 1; SELECT 2")
    assert caught.value.number == 8
    assert parse("SELECT 1;").sql() == "SELECT 1"


LOCATION = StageLocation(FullName("D", "S", "STAGE"), "bucket", "load/", "movies/")


@pytest.mark.parametrize(
    ("key", "pattern", "matches"),
    [
        ("load/movies/a.parquet", None, True),
        ("load/movies/a.parquet", "movies/.*[.]parquet", True),
        ("load/movies/a.parquet", ".*[.]parq", False),
        ("load/movies/a.parquet", "load/.*", False),
        ("load/movies/", None, False),
        ("movies/a.parquet", None, False),
    ],
)
def test_the_pattern_is_matched_below_the_stages_own_path(
    key: str, pattern: str | None, matches: bool
) -> None:
    """CREATE PIPE: path segments of the stage's definition are trimmed before the pattern is applied."""
    assert LOCATION.matches("bucket", key, pattern) is matches
    assert not LOCATION.matches("other", key, pattern)


@pytest.mark.parametrize("url", ["file:///x", "s3:/bucket", "gcs://bucket/", "s3://UPPER/", "https://x", ""])
def test_stages_are_on_s3_only(url: str) -> None:
    with pytest.raises(SnowflakeError, match="invalid URL prefix"):
        parse_url(url)


def test_patterns_must_be_regular_expressions() -> None:
    assert check_pattern(".*") == ".*"
    with pytest.raises(SnowflakeError, match="Invalid regular expression"):
        check_pattern("*")


def _message(key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    described = {"key": quote_plus(key), "size": 5, "eTag": "abc"}
    return {"Records": [{"eventName": name, "s3": {"bucket": {"name": "b"}, "object": described}}]}


@given(st.text(min_size=1))
def test_keys_of_any_text_are_read_from_notifications(key: str) -> None:
    """Amazon S3, "Event message structure": the key is URL-encoded."""
    created = [CreatedObject("b", key, 5, "abc")]
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert created_objects(json.dumps(_message(key))) == created
    wrapped = {"Type": "Notification", "Message": json.dumps(_message(key))}
    assert created_objects(json.dumps(wrapped)) == created


def test_test_events_and_other_events_announce_nothing() -> None:
    assert created_objects('{"Event": "s3:TestEvent", "Service": "Amazon S3"}') == []
    assert created_objects(json.dumps(_message("a", "ObjectRemoved:Delete"))) == []


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "{}", '{"Records": [1]}', '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}'],
)
def test_what_is_no_notification_is_malformed(body: str) -> None:
    with pytest.raises(MalformedMessageError):
        created_objects(body)


def test_bind_variables_become_values() -> None:
    """Python connector, "Binding data": types of server-side bind variables."""
    raw = {
        "1": {"type": "FIXED", "value": "-12"},
        "2": {"type": "FIXED", "value": "1.50"},
        "3": {"type": "REAL", "value": "0.5"},
        "4": {"type": "BOOLEAN", "value": "TRUE"},
        "5": {"type": "DATE", "value": "-2398291200000"},
        "6": {"type": "TIME", "value": "86399000001000"},
        "7": {"type": "TIMESTAMP_NTZ", "value": "-1000"},
        "8": {"type": "TIMESTAMP_TZ", "value": "0 1500"},
        "9": {"type": "BINARY", "value": "00ff"},
        "10": {"type": "TEXT", "value": None},
        "11": {"type": "TEXT", "value": "x"},
    }
    (values,) = parse_bindings(raw).rows
    assert values[:6] == (-12, Decimal("1.50"), 0.5, True, date(1894, 1, 1), time(23, 59, 59, 1))
    assert values[6] == datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC).replace(tzinfo=None)
    assert values[7] == datetime(1970, 1, 1, tzinfo=UTC)
    assert values[7].utcoffset().total_seconds() == 3600
    assert values[8:] == (b"\x00\xff", None, "x")


def test_arrays_of_bind_variables_become_rows() -> None:
    bindings = parse_bindings(
        {"1": {"type": "FIXED", "value": ["1", None]}, "2": {"type": "TEXT", "value": ["a", "b"]}}
    )
    assert (bindings.rows, bindings.is_array) == (((1, "a"), (None, "b")), True)


@pytest.mark.parametrize(
    "raw",
    [
        {"a": {"type": "TEXT", "value": "x"}},
        {"1": {"type": "FIXED", "value": "x"}},
        {"1": {"type": "DATE", "value": ""}},
    ],
)
def test_bind_variables_that_do_not_fit_are_errors(raw: dict[str, Any]) -> None:
    with pytest.raises(SnowflakeError):
        parse_bindings(raw)


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (duckdb.ConstraintException("Constraint Error: NOT NULL constraint failed: t.x"), 100072),
        (duckdb.TransactionException("TransactionContext Error: Conflict on update!"), 625),
        (duckdb.CatalogException("Catalog Error: Table with name X does not exist!"), 2003),
        (duckdb.ParserException("Parser Error: syntax error"), 1003),
        (duckdb.InterruptException("INTERRUPT Error"), 604),
        (NotImplementedError("LIST with PATTERN"), 2),
        (ZeroDivisionError("bug"), 603),
    ],
)
def test_every_failure_has_a_number(error: Exception, number: int) -> None:
    failure = from_exception(error)
    assert failure.number == number
    assert len(failure.sqlstate) == 5
    assert len(failure.code) == 6


def test_only_conflicts_are_tried_again() -> None:
    conflict = duckdb.TransactionException("TransactionContext Error: Conflict on update!")
    aborted = duckdb.TransactionException(
        "TransactionContext Error: Current transaction is aborted (please ROLLBACK)"
    )
    assert isinstance(from_exception(conflict), WriteConflictError)
    assert not isinstance(from_exception(aborted), WriteConflictError)


def test_a_null_timestamp_is_null_on_the_wire() -> None:
    moments = pa.array(
        [None, datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)], pa.timestamp("us", tz="UTC")
    )
    for kind in ("timestamp_ntz", "timestamp_ltz", "timestamp_tz"):
        column = result_set.ResultColumn("AT", kind, 0, 9)
        encoded = result_set.encode(pa.record_batch([moments], names=["AT"]), [column]).column(0)
        assert encoded.null_count == 1
        second = encoded[1].as_py()
        assert (second["epoch"], second["fraction"]) == (-1, 999_999_000)
        assert ("timezone" in second) == (kind == "timestamp_tz")


def test_an_empty_result_has_a_schema_and_no_batch() -> None:
    columns = [
        result_set.ResultColumn("N", "fixed", 38, 0),
        result_set.ResultColumn("AT", "timestamp_ntz", 0, 9),
    ]
    reader = pa.ipc.open_stream(result_set.to_ipc([result_set.empty_batch(columns)]))
    assert reader.schema.names == ["N", "AT"]
    assert list(reader) == []


def test_types_that_snowflake_has_not_are_refused() -> None:
    assert result_set.column_of("X", "DECIMAL(18,2)") == result_set.ResultColumn("X", "fixed", 18, 2)
    with pytest.raises(SnowflakeError):
        result_set.column_of("X", "INTERVAL")


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [("mov%", "MOVIES", True), ("m_vies", "movies", True), ("a.c", "abc", False), ("%", "", True)],
)
def test_like_knows_percent_and_underscore_only(pattern: str, text: str, matches: bool) -> None:
    assert matches_like(pattern, text) is matches
