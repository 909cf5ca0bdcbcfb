"""Databases that ADBC has no driver for here, through SQLAlchemy, with a cursor on the server's side where it has one.

The driver's own package (for example `pymysql`) is installed by whoever needs it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy
import sqlalchemy.exc

from movie_platform.sources.source_errors import (
    MalformedSource,
    ProfileError,
    SourceAuthenticationError,
    SourceError,
    SourceNotFound,
    SourceUnavailable,
)
from movie_platform.sources.sql.statement import as_subquery, for_sqlalchemy, table_query
from movie_platform.sources.sql.target import BATCH_ROWS, CONNECT_TIMEOUT_SECONDS, Target
from movie_platform.sources.suggestions import did_you_mean
from movie_platform.sources.text_values import text_of, value_like

READ_TIMEOUT_SECONDS = 300
# What each driver calls the seconds that connecting, and waiting for an answer, may take.
_TIMEOUTS: dict[str, dict[str, int]] = {
    "pymysql": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "read_timeout": READ_TIMEOUT_SECONDS},
    "mysqldb": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "read_timeout": READ_TIMEOUT_SECONDS},
    "mysqlconnector": {"connection_timeout": CONNECT_TIMEOUT_SECONDS},
    "mariadbconnector": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "read_timeout": READ_TIMEOUT_SECONDS},
    "psycopg": {"connect_timeout": CONNECT_TIMEOUT_SECONDS},
    "psycopg2": {"connect_timeout": CONNECT_TIMEOUT_SECONDS},
    "pyodbc": {"timeout": CONNECT_TIMEOUT_SECONDS},
    "pymssql": {"login_timeout": CONNECT_TIMEOUT_SECONDS, "timeout": READ_TIMEOUT_SECONDS},
    "oracledb": {"tcp_connect_timeout": CONNECT_TIMEOUT_SECONDS},
    "pysqlite": {"timeout": CONNECT_TIMEOUT_SECONDS},
}
_SINCE = "since"
_REFUSED = ("access denied", "authentication failed", "login failed", "invalid username", "permission denied")


class SqlAlchemyReader:
    """One table or query of a database with an SQLAlchemy URL."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._since: Any = None
        self._engine = self._make_engine()
        try:
            self._connection = self._engine.connect()
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            self._engine.dispose()
            raise self._error(error) from self._cause(error)
        try:
            self._query = self._source_query()
            self._names = self._probe()
        except BaseException:
            self.close()
            raise

    def columns(self) -> list[str]:
        """Names of the columns, in the order of the table or query."""
        return list(self._names)

    def batches(self) -> Iterator[dict[str, pa.Array]]:
        """Rows as columns of strings, in bounded batches."""
        streaming = self._connection.execution_options(stream_results=True, yield_per=BATCH_ROWS)
        try:
            with streaming.execute(sqlalchemy.text(self._query), self._parameters()) as result:
                for rows in result.partitions(BATCH_ROWS):
                    yield self._columns_of(rows)
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise self._error(error) from self._cause(error)

    def restrict(self, column: str, since: str) -> None:
        """Read only rows whose column is at least `since`, in the database's order, or null."""
        name = self._quoted(column)
        least, greatest = self._one_row(f"min({name}), max({name})")
        condition = f"{name} IS NULL"
        if greatest is not None:
            try:
                self._since = value_like(greatest, since)
                value_like(least, since)
            except ValueError as error:
                raise ProfileError(f"{self._target.shown}: the column {column!r}: {error}") from error
            condition = f"{name} >= :{_SINCE} OR {condition}"
        self._query = f"SELECT * FROM (\n{self._query}) all_rows WHERE {condition}\n"  # noqa: S608 - the profile's own query

    def greatest(self, column: str) -> str | None:
        """The greatest value of a column among the rows, as text; None where there is none."""
        [value] = self._one_row(f"max({self._quoted(column)})")
        return text_of(value)

    def close(self) -> None:
        """Free the connection and its pool."""
        self._connection.close()
        self._engine.dispose()

    def _columns_of(self, rows: Any) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        for name, values in zip(self._names, zip(*rows, strict=True), strict=True):
            texts = [text_of(value) for value in values]
            try:
                columns[name] = pa.array(texts, pa.string())
            except UnicodeEncodeError:
                # Lone surrogates are no text; as the bytes they stand for they are refused row by row later.
                data = [None if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
                columns[name] = pa.array(data, pa.binary()).view(pa.string())
        return columns

    def _make_engine(self) -> sqlalchemy.Engine:
        target = self._target
        try:
            url = sqlalchemy.engine.make_url(target.url)
            if target.user is not None:
                url = url.set(username=target.user, password=target.password)
            driver = url.get_driver_name()
            if url.get_backend_name() == "sqlite":
                url = url.set(database=str(self._sqlite_file(url.database)))
            engine = sqlalchemy.create_engine(
                url, connect_args=_TIMEOUTS.get(driver, {}), hide_parameters=True
            )
        except sqlalchemy.exc.NoSuchModuleError as error:
            known = ("sqlite", "postgresql", "mysql", "mariadb", "mssql", "oracle")
            scheme = target.url.split("://", 1)[0]
            raise ProfileError(
                f"{target.shown}: SQLAlchemy knows no database {scheme!r}.{did_you_mean(scheme, known)}"
            ) from self._cause(error)
        except ImportError as error:
            raise ProfileError(
                f"{target.shown} needs the Python package {error.name!r}, which is not installed; install it "
                "where Dagster runs."
            ) from error
        except sqlalchemy.exc.ArgumentError as error:
            raise ProfileError(f"{target.shown} is not an SQLAlchemy URL.") from self._cause(error)
        return engine

    def _sqlite_file(self, database: str | None) -> Path:
        # SQLite makes the file that it does not find, and takes relative paths from wherever the process runs.
        path = self._target.folder / (database or "")
        if not path.is_file():
            raise SourceNotFound(f"there is no SQLite database {database!r} ({self._target.shown}).")
        return path

    def _source_query(self) -> str:
        if self._target.table is not None:
            quote = self._connection.dialect.identifier_preparer.quote_identifier
            return table_query(self._target.table, quote).replace(":", "\\:")
        return for_sqlalchemy(as_subquery(str(self._target.query)))

    def _parameters(self) -> dict[str, Any]:
        parameters = {} if self._since is None else {_SINCE: self._since}
        dt = self._target.dt
        if dt is None:
            return parameters
        # SQLite has no dates; its texts compare with ISO's form.
        return {**parameters, "dt": dt.isoformat() if self._connection.dialect.name == "sqlite" else dt}

    def _quoted(self, column: str) -> str:
        quote = self._connection.dialect.identifier_preparer.quote_identifier
        return quote(column).replace(":", "\\:")

    def _one_row(self, expressions: str) -> tuple[Any, ...]:
        """The one row of aggregates over the rows to read."""
        statement = f"SELECT {expressions} FROM (\n{self._query}) summary"  # noqa: S608 - the profile's own query
        try:
            with self._connection.execute(sqlalchemy.text(statement), self._parameters()) as result:
                return tuple(result.one())
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise self._error(error) from self._cause(error)

    def _probe(self) -> list[str]:
        statement = f"SELECT * FROM (\n{self._query}) probe WHERE 1 = 0"  # noqa: S608 - the profile's own query
        try:
            with self._connection.execute(sqlalchemy.text(statement), self._parameters()) as result:
                return list(result.keys())
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise self._error(error) from self._cause(error)

    def _cause(self, error: Exception) -> Exception | None:
        """The error itself as cause, unless it quotes a secret."""
        return error if self._target.scrub(str(error)) == str(error) else None

    def _error(self, error: Exception) -> SourceError:
        original = getattr(error, "orig", None) or error
        text = self._target.scrub(str(original)).strip()
        shown = self._target.shown
        if any(word in text.casefold() for word in _REFUSED):
            return SourceAuthenticationError(
                f"{shown} refused the credentials: {text}. Check `user` and `password`."
            )
        if isinstance(error, sqlalchemy.exc.ProgrammingError) or "no such table" in text:
            return self._wrong_question(text)
        if isinstance(error, sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError | OSError):
            return SourceUnavailable(f"{shown} does not answer, or stopped answering: {text}")
        return MalformedSource(f"{shown} gave what cannot be read: {text}")

    def _wrong_question(self, text: str) -> SourceError:
        table = self._target.table
        if table is None:
            return ProfileError(f"{self._target.shown} does not understand the query: {text}")
        try:
            names = sqlalchemy.inspect(self._engine).get_table_names()
        except sqlalchemy.exc.SQLAlchemyError:
            # The suggestion is a courtesy; the error that it belongs to is raised either way.
            names = []
        return SourceNotFound(f"{self._target.shown} has no table {table!r}.{did_you_mean(table, names)}")
