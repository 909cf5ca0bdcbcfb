"""SQLite and PostgreSQL through ADBC: Arrow all the way, rows streamed, every column turned into text by the database.

The database knows its types best: SQLite keeps a type a value, which ADBC would guess from the first rows, and
PostgreSQL has types that Arrow lacks. So the statement that is sent wraps the profile's and casts each column.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import adbc_driver_manager.dbapi
import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa

from movie_platform.sources.source_errors import (
    MalformedSource,
    ProfileError,
    SourceAuthenticationError,
    SourceError,
    SourceNotFound,
    SourceUnavailable,
)
from movie_platform.sources.sql.statement import as_subquery, quote_name, table_query, with_placeholder
from movie_platform.sources.sql.target import BATCH_ROWS, CONNECT_TIMEOUT_SECONDS, Target
from movie_platform.sources.suggestions import did_you_mean

_AUTHENTICATION = re.compile(
    r"password authentication failed|no password supplied|authentication failed|role \S+ does not exist"
    r"|no pg_hba.conf entry|permission denied",
    re.IGNORECASE,
)
_NO_TABLE = re.compile(r"no such table|relation \S+ does not exist|schema \S+ does not exist", re.IGNORECASE)
_LOST = re.compile(
    r"server closed the connection|terminating connection|could not receive data|could not send data"
    r"|connection (?:reset|timed out)|timeout expired|no connection to the server",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database \S+ does not exist", re.IGNORECASE)

# What fails while rows stream comes as an error of Arrow's, not of the driver's.
_DRIVER_ERRORS = (adbc_driver_manager.dbapi.Error, pa.ArrowException, OSError)


class _AdbcReader(ABC):
    """What the two databases share: probing the columns, then streaming one statement."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection = self._connect()
        try:
            self._inner = as_subquery(self._query())
            self._schema = self._probe()
        except BaseException:
            self.close()
            raise

    def columns(self) -> list[str]:
        """Names of the columns, in the order of the table or query."""
        return list(self._schema.names)

    def batches(self) -> Iterator[dict[str, pa.Array]]:
        """Rows as columns of strings, in bounded batches."""
        names = list(self._schema.names)
        try:
            with self._connection.cursor() as cursor:
                self._bound_batches(cursor)
                cursor.execute(self._statement(), self._parameters())
                for batch in self._rows(cursor.fetch_record_batch()):
                    if batch.num_rows:
                        yield dict(zip(names, batch.columns, strict=True))
        except _DRIVER_ERRORS as error:
            raise self._error(error) from self._cause(error)

    def restrict(self, column: str, since: str) -> None:
        """Read only rows whose column is at least `since`, in the database's order, or null."""
        name = quote_name(column)
        try:
            bound = self._bind_since(name, since)
        except _DRIVER_ERRORS as error:
            raise self._error(error) from self._cause(error)
        condition = f"{name} >= {bound} OR {name} IS NULL" if bound else f"{name} IS NULL"
        self._inner = f"SELECT * FROM (\n{self._inner}) AS all_rows WHERE {condition}\n"  # noqa: S608 - the profile's own query

    def greatest(self, column: str) -> str | None:
        """The greatest value of a column among the rows, as text; None where there is none."""
        [text] = self._one_row(f"CAST(max({quote_name(column)}) AS TEXT)")
        return text

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @abstractmethod
    def _connect(self) -> Any: ...

    @abstractmethod
    def _query(self) -> str:
        """The profile's table or query in the database's own SQL, `:dt` replaced."""

    @abstractmethod
    def _parameters(self) -> tuple[str, ...] | None:
        """Values of the placeholders of the statement."""

    @abstractmethod
    def _bind_since(self, name: str, since: str) -> str | None:
        """The expression that compares with a column as its own type does; None where the column is all null."""

    @abstractmethod
    def _statement(self) -> str:
        """The statement that gives every column as text."""

    @abstractmethod
    def _bound_batches(self, cursor: Any) -> None:
        """Tell the driver how many rows or bytes to hold at a time."""

    def _rows(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        yield from reader

    def _one_row(self, expressions: str) -> tuple[Any, ...]:
        """The one row of aggregates over the rows to read."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT {expressions} FROM (\n{self._inner}) AS summary", self._parameters())  # noqa: S608 - the profile's own query
                [row] = cursor.fetchall()
                return row
        except _DRIVER_ERRORS as error:
            raise self._error(error) from self._cause(error)

    def _probe(self) -> pa.Schema:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM (\n{self._inner}) AS probe LIMIT 0", self._parameters())  # noqa: S608 - the profile's own query
                return cursor.fetch_record_batch().schema
        except _DRIVER_ERRORS as error:
            raise self._error(error) from self._cause(error)

    def _cause(self, error: Exception) -> Exception | None:
        """The error itself as cause, unless it quotes a secret."""
        return error if self._target.scrub(str(error)) == str(error) else None

    def _error(self, error: Exception) -> SourceError:
        text = self._target.scrub(str(error)).strip()
        shown = self._target.shown
        if _AUTHENTICATION.search(text):
            return SourceAuthenticationError(
                f"{shown} refused the user or what it asked for: {text}. Check `user`, `password` and its grants."
            )
        if _LOST.search(text):
            return SourceUnavailable(f"{shown} stopped answering: {text}")
        if _NO_DATABASE.search(text):
            return SourceNotFound(f"{shown}: {text}. Check the database's name in `url`.")
        if _NO_TABLE.search(text):
            return SourceNotFound(self._no_table(text))
        if isinstance(
            error, adbc_driver_manager.dbapi.ProgrammingError | adbc_driver_manager.dbapi.NotSupportedError
        ):
            return ProfileError(f"{shown} does not understand the query: {text}")
        if isinstance(error, adbc_driver_manager.dbapi.OperationalError):
            return SourceUnavailable(f"{shown} does not answer, or stopped answering: {text}")
        return MalformedSource(f"{shown} gave what cannot be read: {text}")

    def _no_table(self, text: str) -> str:
        target = self._target
        if target.table is None:
            return f"{target.shown} lacks a table that the query reads: {text}"
        names: list[str] = []
        try:
            # PostgreSQL answers nothing more in a transaction that an error ended.
            self._connection.rollback()
            for catalog in self._connection.adbc_get_objects(depth="tables").read_all().to_pylist():
                for schema in catalog["catalog_db_schemas"] or ():
                    for table in schema["db_schema_tables"] or ():
                        names += [table["table_name"], f"{schema['db_schema_name']}.{table['table_name']}"]
        except adbc_driver_manager.dbapi.Error:
            # The suggestion is a courtesy; the error that it belongs to is raised either way.
            names = []
        return f"{target.shown} has no table {target.table!r}.{did_you_mean(target.table, names)}"


class SqliteReader(_AdbcReader):
    """An SQLite file, opened read-only."""

    _since: str | None = None

    def _connect(self) -> Any:
        path = _sqlite_path(self._target)
        try:
            return adbc_driver_sqlite.dbapi.connect(f"file:{quote(str(path))}?mode=ro")
        except _DRIVER_ERRORS as error:
            raise SourceUnavailable(f"the SQLite database {path} cannot be opened: {error}") from error

    def _query(self) -> str:
        if self._target.table is not None:
            return table_query(self._target.table)
        return with_placeholder(str(self._target.query), "?1")

    def _parameters(self) -> tuple[str, ...] | None:
        dt = None if self._target.dt is None else self._target.dt.isoformat()
        if self._since is not None:
            return (dt or "", self._since)
        return None if dt is None else (dt,)

    def _bind_since(self, name: str, since: str) -> str | None:
        # Every number comes before every text here, so a bound value of the other class would find all rows or none.
        kinds = {
            _CLASSES.get(str(kind), str(kind))
            for kind in self._one_row(f"typeof(min({name})), typeof(max({name}))")
        }
        if kinds == {"null"}:
            return None
        if kinds not in ({"number"}, {"text"}):
            raise ProfileError(
                f"{self._target.shown}: the column {name} holds {' and '.join(sorted(kinds))} values, whose order does "
                "not follow time. Store timestamps of one kind, or convert them in `query`."
            )
        self._since = since
        return "CAST(?2 AS NUMERIC)" if kinds == {"number"} else "?2"

    def _bound_batches(self, cursor: Any) -> None:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})

    def _statement(self) -> str:
        # The driver fixes each column's type by what the first batch holds, and takes a column that begins with
        # nulls for numbers: a first row of text, taken off again in _rows, makes all columns text.
        names = [quote_name(name) for name in self._schema.names]
        marks = ", ".join(f"'{_MARK}' AS {name}" for name in names)
        texts = ", ".join(
            f"CASE typeof({name}) WHEN 'blob' THEN lower(hex({name})) ELSE CAST({name} AS TEXT) END"
            for name in names
        )
        return f"SELECT {marks} UNION ALL SELECT {texts} FROM (\n{self._inner}) AS rows_of_source"  # noqa: S608 - the profile's own query

    def _rows(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        first = True
        for batch in reader:
            if first:
                if any(column[0].as_py() != _MARK for column in batch.columns):
                    raise MalformedSource(
                        f"{self._target.shown}: SQLite returned rows in an unforeseen order; nothing was read."
                    )
                batch = batch.slice(1)
                first = False
            yield batch


_CLASSES = {"integer": "number", "real": "number"}
_MARK = "first row: makes every column text"


def _sqlite_path(target: Target) -> Path:
    text = target.url.removeprefix("sqlite://").split("?", 1)[0]
    if not text.startswith("/") or len(text) < 2:
        raise ProfileError(
            f"{target.shown} names no file: sqlite:///relative/path.db or sqlite:////absolute/path.db."
        )
    path = target.folder / Path(text[1:]).expanduser()
    if not path.is_file():
        near = did_you_mean(path.name, (other.name for other in path.parent.glob("*") if other.is_file()))
        raise SourceNotFound(f"there is no SQLite database {path}.{near}")
    return path


class PostgresReader(_AdbcReader):
    """A PostgreSQL database. Rows come by COPY, which streams; the session reads only, in UTC."""

    def _connect(self) -> Any:
        try:
            connection = adbc_driver_postgresql.dbapi.connect(_postgres_uri(self._target))
        except _DRIVER_ERRORS as error:
            raise self._error(error) from self._cause(error)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute(
                    "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false)"
                )
                cursor.fetchall()
                if self._target.dt is not None:
                    _set(cursor, _DT_SETTING, self._target.dt.isoformat())
        except BaseException:
            connection.close()
            raise
        return connection

    def _query(self) -> str:
        if self._target.table is not None:
            return table_query(self._target.table)
        return with_placeholder(str(self._target.query), f"current_setting('{_DT_SETTING}')::date")

    def _parameters(self) -> tuple[str, ...] | None:
        return None

    def _bind_since(self, name: str, since: str) -> str | None:
        [kind] = self._one_row(f"pg_typeof(max({name}))::text")
        with self._connection.cursor() as cursor:
            _set(cursor, _SINCE_SETTING, since)
        # PostgreSQL's own name of the column's type, so that values compare as the type does and an index serves.
        return f"current_setting('{_SINCE_SETTING}')::{kind}"

    def _bound_batches(self, cursor: Any) -> None:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(4 * 1024 * 1024)})

    def _statement(self) -> str:
        texts = ", ".join(_postgres_text(field) for field in self._schema)
        return f"SELECT {texts} FROM (\n{self._inner}) AS rows_of_source"  # noqa: S608 - the profile's own query


_DT_SETTING = "movie_platform.dt"
_SINCE_SETTING = "movie_platform.since"


def _set(cursor: Any, setting: str, value: str) -> None:
    # With parameters of its own a statement would not go by COPY, and would be held in memory whole.
    cursor.execute(f"SELECT set_config('{setting}', $1, false)", (value,))
    cursor.fetchall()


def _postgres_text(field: pa.Field) -> str:
    name = quote_name(field.name)
    kind = field.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_struct(kind):
        return f"to_json({name})::text"
    # Types unknown to the driver come as binary too, and mean their text.
    if (field.metadata or {}).get(b"POSTGRESQL:type") == b"bytea":
        return f"encode({name}, 'hex')"
    return f"{name}::text"


def _postgres_uri(target: Target) -> str:
    parts = urlsplit(target.url)
    netloc = parts.netloc
    if target.user is not None:
        login = quote(target.user, safe="")
        if target.password is not None:
            login += ":" + quote(target.password, safe="")
        netloc = f"{login}@{netloc.rsplit('@', 1)[-1]}"
    options = {
        "connect_timeout": str(CONNECT_TIMEOUT_SECONDS),
        "application_name": "movie-platform",
        "keepalives_idle": "30",
        # Milliseconds that sent data may stay unanswered: a server that vanished does not hold the extract.
        "tcp_user_timeout": "60000",
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
    }
    query = urlencode(options, quote_via=quote)
    return f"postgresql://{netloc}{parts.path}?{query}"
