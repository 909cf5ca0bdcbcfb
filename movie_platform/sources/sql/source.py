"""Databases: a table or a query, read in record batches of raw strings.

SQLite and PostgreSQL are read through ADBC (`adbc_reader`), any other URL through SQLAlchemy (`sqlalchemy_reader`).
This module knows what they share: which statement is asked, and what the source says of itself.
"""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

import pyarrow as pa

from movie_platform.raw_rows import RowBatch
from movie_platform.settings import Settings
from movie_platform.sources import placeholders
from movie_platform.sources.column_mapping import ColumnMapper, check_columns
from movie_platform.sources.profile import Profile
from movie_platform.sources.secrets import SecretReference, resolve
from movie_platform.sources.secrets_in_urls import holds_secret, passwords_in
from movie_platform.sources.source_errors import ProfileError
from movie_platform.sources.sql.parameters import SqlParameters
from movie_platform.sources.sql.statement import DT, bound_names, check_bound_names
from movie_platform.sources.sql.target import Target
from movie_platform.sources.suggestions import listing


class Reader(Protocol):
    """One way to a database, connected."""

    def columns(self) -> list[str]:
        """Names of the columns of the table or query, in its order."""
        ...

    def batches(self) -> Iterator[dict[str, pa.Array]]:
        """Its rows in bounded batches, as columns of strings."""
        ...

    def restrict(self, column: str, since: str) -> None:
        """Read only rows whose column is at least `since`, in the database's order, or null."""
        ...

    def greatest(self, column: str) -> str | None:
        """The greatest value of a column among the rows, as text; None where there is none."""
        ...

    def close(self) -> None:
        """Free the connection, however much was read."""
        ...


class SqlSource:
    """A table or query of a database, read whole by each extract."""

    def __init__(self, profile: Profile, parameters: SqlParameters, settings: Settings) -> None:
        self._profile = profile
        self._parameters = parameters
        self._settings = settings
        if parameters.query is not None:
            check_bound_names(parameters.query, f"profile {profile.name!r}")

    def columns(self) -> tuple[str, ...]:
        """Columns of the bundle; they follow from the profile alone."""
        return self._profile.output_columns

    def answers_as_of(self) -> bool:
        """True when the query binds `:dt` or the URL holds `{dt}`."""
        url = self._parameters.url
        return self._binds_date() or (isinstance(url, str) and placeholders.names_date(url))

    def batches(self, dt: date, cursor: str | None) -> Iterator[RowBatch]:  # noqa: ARG002 - full reads keep no cursor
        """The rows as of `dt`. The connection and the columns are checked before this returns.

        Raises ProfileError, SourceNotFound, SourceAuthenticationError, SourceUnavailable or MalformedSource.
        """
        return self._read(self._open(dt))

    def next_cursor(self) -> str | None:
        """None: every extract reads the whole table or query."""
        return None

    def describe(self) -> dict[str, str]:
        """URL without secrets, and the table or query."""
        parameters = self._parameters
        url = parameters.url
        described = {"url": url.describe() if isinstance(url, SecretReference) else url}
        for name in ("user", "table", "query"):
            value = getattr(parameters, name)
            if value is not None:
                described[name] = value
        return described

    def _open(self, dt: date) -> Reader:
        """A reader whose columns fit the profile."""
        reader = self._connect(dt)
        try:
            names = reader.columns()
            if len(set(names)) != len(names):
                raise ProfileError(
                    f"{self._where()} gives one name to several columns: {listing(names)}. Use AS."
                )
            check_columns(self._profile, names, where=self._where())
        except BaseException:
            reader.close()
            raise
        return reader

    def _binds_date(self) -> bool:
        return self._parameters.query is not None and DT in bound_names(self._parameters.query)

    def _where(self) -> str:
        return "the query" if self._parameters.table is None else f"the table {self._parameters.table!r}"

    def _read(self, reader: Reader) -> Iterator[RowBatch]:
        mapper = ColumnMapper(self._profile)
        nothing = True
        try:
            for columns in reader.batches():
                rows = len(next(iter(columns.values())))
                for batch in mapper.map_columns(columns, rows, where=self._where()):
                    nothing = False
                    yield batch
        finally:
            reader.close()
        if nothing:
            yield mapper.empty()

    def _connect(self, dt: date) -> Reader:
        parameters = self._parameters
        secrets: list[str] = []
        if isinstance(parameters.url, SecretReference):
            url = resolve(parameters.url, self._settings).get_secret_value()
            secrets += [url, *passwords_in(url)]
        else:
            url = parameters.url
        url = placeholders.fill(url, home=self._settings.home, dt=dt)
        password = None
        if parameters.password is not None:
            password = resolve(parameters.password, self._settings).get_secret_value()
            secrets.append(password)
        target = Target(
            url=url,
            user=parameters.user,
            password=password,
            table=parameters.table,
            query=parameters.query,
            dt=dt if self._binds_date() else None,
            folder=self._profile.folder,
            secrets=tuple(secrets),
            shown="the database of the profile" if holds_secret(url) or secrets else url,
        )
        scheme = url.split("://", 1)[0]
        # ADBC and SQLAlchemy are imported where they are needed: each costs part of a second, and a source needs one.
        if scheme == "sqlite":
            from movie_platform.sources.sql.adbc_reader import SqliteReader

            return SqliteReader(target)
        if scheme in ("postgresql", "postgres"):
            from movie_platform.sources.sql.adbc_reader import PostgresReader

            return PostgresReader(target)
        from movie_platform.sources.sql.sqlalchemy_reader import SqlAlchemyReader

        return SqlAlchemyReader(target)
