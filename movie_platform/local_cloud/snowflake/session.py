"""One client's session: identity, current database and schema, variables, its transaction, its last results.

A session runs one statement at a time. `Session.execute` is the only way in; it gives a `Result` or raises a
SnowflakeError, never anything else.
"""

import logging
import random
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import duckdb
import pyarrow as pa

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, WriteConflictError, from_exception
from movie_platform.local_cloud.snowflake.state import value_macros
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.stream_store import Stream
from movie_platform.local_cloud.snowflake.state.translate import Translator
from movie_platform.local_cloud.snowflake.text import tokens
from movie_platform.local_cloud.snowflake.text.bindings import Bindings
from movie_platform.local_cloud.snowflake.text.names import FullName, Name
from movie_platform.local_cloud.snowflake.text.result_set import Result
from movie_platform.local_cloud.snowflake.text.session_parameters import PARAMETERS

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

_CONFLICT_SECONDS = 60.0
_KEPT_RESULTS = 20
_KEPT_RESULT_BYTES = 16 * 1024 * 1024


@dataclass
class Statement:
    """A statement on its way through the router."""

    sql: str
    bindings: Bindings
    query_id: str
    describe_only: bool = False


class Router(Protocol):
    """What runs a session's statements: who opens a session hands it one."""

    def run(self, session: "Session", statement: Statement) -> Result:
        """Runs one statement.

        Raises SnowflakeError for a statement that the local Snowflake does not have.
        """
        ...

    def check(self, sql: str) -> None:
        """Raises SnowflakeError where `run` would not know what to do with a statement; runs nothing."""
        ...


@dataclass
class Session:
    """See the module. `role` and `warehouse` are names; `roles` are what the session's rights come from."""

    account: Account
    router: Router
    user: str
    role: str
    warehouse: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    # A task without a warehouse computes with Snowflake's own: it needs none.
    serverless: bool = False
    # Whether the user's other roles give their rights as well (secondary roles ALL), or the primary role alone.
    secondary_roles: bool = False
    session_id: int = field(default_factory=lambda: random.SystemRandom().randrange(1 << 48))

    def __post_init__(self) -> None:
        self.duck: duckdb.DuckDBPyConnection = self.account.engine.cursor()
        self.translator = Translator(self.account.engine, self.duck)
        self.variables: dict[str, str] = {}
        self.in_transaction = False
        # What SYSTEM$TASK_RUNTIME_INFO says in a task's run; None in every other session.
        self.task_info: Mapping[str, str | None] | None = None
        # Streams that DML of the open transaction read, and where each ends for it.
        self.consumed: dict[FullName, tuple[Stream, int]] = {}
        # Tables of which the open transaction changed or removed rows.
        self.changing: set[FullName] = set()
        self._snapshot = False
        self.last_query_id: str | None = None
        self.used_at = time.monotonic()
        self._lock = threading.Lock()
        self._parameters_of: int | None = None
        self.use_parameters()
        self._results: OrderedDict[str, pa.Table] = OrderedDict()

    def use_parameters(self) -> None:
        """Has the session do as its parameters say now: its own, its user's, the account's."""
        self._parameters_of = self.account.parameters.generation
        known = {name: value for name, value in self.parameters.items() if name in PARAMETERS}
        self.effective = self.account.parameters.effective(self.user, known)
        self.autocommit = bool(self.effective["AUTOCOMMIT"][0])
        self.translator.timestamp_mapping = str(self.effective["TIMESTAMP_TYPE_MAPPING"][0])
        value_macros.apply(self.duck, {name: value for name, (value, _) in self.effective.items()})

    @property
    def database(self) -> str | None:
        """The current database."""
        return self.translator.database if self.translator.database_set else None

    @property
    def schema(self) -> str | None:
        """The current schema."""
        return self.translator.schema if self.translator.schema_set else None

    def roles(self) -> frozenset[str]:
        """The primary role, the secondary ones, and what was granted to them, as the grants are now."""
        privileges = self.account.access.privileges
        others = privileges.roles_of_user(self.user) if self.secondary_roles else ()
        return privileges.with_inherited({self.role, *others})

    def resolve(self, name: Name) -> FullName:
        """The full name of an object in a schema."""
        return name.resolve(self.database, self.schema)

    def execute(self, statement: Statement, consume: Callable[[Result], _T]) -> _T:
        """Runs one statement and hands its result to `consume` before the session takes another.

        Raises SnowflakeError for anything that goes wrong.
        """
        with self._lock:
            self.used_at = time.monotonic()
            try:
                if self._parameters_of != self.account.parameters.generation:
                    self.use_parameters()
                statement.sql = self._with_variables(statement.sql)
                result = self.router.run(self, statement)
                answer = consume(result)
            except Exception as error:
                failure = from_exception(error)
                if failure.number == 603:
                    logger.exception("Internal error in %s", statement.sql[:2000])
                raise failure from error
            finally:
                self._release_snapshot()
            self.last_query_id = statement.query_id
            return answer

    def begin(self) -> None:
        """Begins a transaction; does nothing inside one, as Snowflake does."""
        self._release_snapshot()
        if not self.in_transaction:
            self.duck.execute("BEGIN")
            self.in_transaction = True

    def hold_snapshot(self) -> None:
        """Has all that the statement reads until its end, or until a transaction begins, be of one moment."""
        if not self.in_transaction and not self._snapshot:
            self.duck.execute("BEGIN")
            self._snapshot = True

    def _release_snapshot(self) -> None:
        if self._snapshot:
            self._snapshot = False
            self._abandon()

    def commit(self) -> None:
        """Commits the transaction, if there is one.

        Raises WriteConflictError where another transaction was faster; then nothing of this one is kept.
        """
        if not self.in_transaction:
            return
        self.in_transaction = False
        try:
            for stream, end in self.consumed.values():
                self.account.streams.advance(self.duck, stream, end)
            self.duck.execute("COMMIT")
        except duckdb.Error:
            self._abandon()
            raise
        finally:
            self.consumed.clear()
            self.account.streams.end_changes(self.changing)

    def rollback(self) -> None:
        """Ends the transaction, if there is one, without a trace."""
        if self.in_transaction:
            self.in_transaction = False
            self.consumed.clear()
            self._abandon()
            self.account.streams.end_changes(self.changing)

    def _abandon(self) -> None:
        try:
            self.duck.execute("ROLLBACK")
        except duckdb.TransactionException as error:
            # A failed COMMIT has ended the transaction already.
            logger.debug("Nothing to roll back: %s", error)

    def atomically(self, work: Callable[[], _T]) -> _T:
        """Runs DML: within the session's transaction, or as one of its own that is tried again after a conflict."""
        if not self.in_transaction and not self.autocommit:
            self.begin()
        if self.in_transaction:
            return work()
        deadline = time.monotonic() + _CONFLICT_SECONDS
        pause = 0.01
        while True:
            self.begin()
            try:
                answer = work()
                self.commit()
            except Exception as error:
                self.rollback()
                failure = from_exception(error)
                if not isinstance(failure, WriteConflictError) or time.monotonic() > deadline:
                    raise
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries, protects nothing
                pause = min(pause * 2, 1.0)
            else:
                return answer

    def outside_transaction(self) -> None:
        """DDL commits the open transaction first, as on Snowflake."""
        self.commit()

    def interrupt(self) -> None:
        """Cancels what the session is running."""
        self.duck.interrupt()

    def close(self) -> None:
        """Rolls back and frees the connection."""
        with self._lock:
            self.rollback()
            self.duck.close()

    def keep_result(self, query_id: str, table: pa.Table) -> None:
        """Keeps a small result for RESULT_SCAN; the oldest make room."""
        if table.nbytes > _KEPT_RESULT_BYTES:
            return
        self._results[query_id] = table
        while len(self._results) > _KEPT_RESULTS:
            self._results.popitem(last=False)

    def kept_result(self, query_id: str) -> pa.Table:
        """A result kept for RESULT_SCAN.

        Raises SnowflakeError 000709 where it is not there.
        """
        if query_id not in self._results:
            raise SnowflakeError(
                709, "02000", f"Statement {query_id} not found (the local Snowflake keeps small results)"
            )
        return self._results[query_id]

    def _with_variables(self, sql: str) -> str:
        # `$name` outside strings and quoted identifiers is a session variable; `$1` is a column of a staged file.
        if "$" not in sql:
            return sql
        parts: list[str] = []
        position = 0
        previous: tokens.Token | None = None
        for token in tokens.tokenize(sql):
            if (
                previous is not None
                and previous.text == "$"
                and previous.kind is tokens.Kind.SYMBOL
                and token.kind is tokens.Kind.WORD
                and token.start == previous.end
            ):
                value = self.variables.get(token.text.upper())
                if value is None:
                    raise SnowflakeError(
                        2211,
                        "02000",
                        f"SQL compilation error: error line 1\nSession variable '${token.text.upper()}' does not exist",
                    )
                parts += [sql[position : previous.start], value]
                position = token.end
            previous = token
        return "".join([*parts, sql[position:]])


def new_query_id() -> str:
    """An identifier for a statement, in Snowflake's form."""
    return str(uuid.uuid4())
