"""Runs the task graph as Snowflake's READ COMMITTED would: each statement sees what others committed since the last.

The local Snowflake gives a transaction one snapshot, so here each statement is a transaction of its own, and a caller
commits what it likes between any two. A stream is not like a table: within a transaction it shows the rows that it had
at its beginning, and it moves at the commit. So the rows of a stream are those that were loaded after the one that it
moved to last and until the transaction began, by the numbers that the loads of a test have (`loaded_at` rises).
Source: docs.snowflake.com/en/sql-reference/transactions and docs.snowflake.com/en/user-guide/streams-intro.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from snowflake.connector import SnowflakeConnection

from movie_platform.local_cloud.snowflake.text.task_body import split_body
from movie_platform.resources.graph_state import TASKS
from movie_platform_tests.snowflake_cloud import dicts, rows

_STREAM = re.compile(r"\b(?P<name>\w+\.(?:RAW|OPS)\.(?P<table>\w+))_stream\b", re.IGNORECASE)
# What it shows is never looked at, only that it is consumed.
_WAKE_UPS = "graph_wake_ups"

Between = Callable[[str], None]


@dataclass
class ReadCommittedGraph:
    """The graph of one database. `between` is called after each statement, with its text."""

    connection: SnowflakeConnection
    between: Between
    _moved_to: dict[str, datetime] = field(default_factory=dict)

    def run(self) -> None:
        """Runs all tasks once, one after the other."""
        bodies = {
            row["name"]: row["definition"] for row in dicts(self.connection, "SHOW TASKS IN SCHEMA CORE")
        }
        for task in TASKS:
            self._run_task(split_body(bodies[task]))

    def _run_task(self, statements: Sequence[str]) -> None:
        began = self._now()
        read: set[str] = set()
        for statement in statements:
            if statement == "BEGIN TRANSACTION":
                began, read = self._now(), set()
            elif statement == "COMMIT":
                self._moved_to |= dict.fromkeys(read, began)
            else:
                read |= {match["table"].lower() for match in _STREAM.finditer(statement)}
                rows(self.connection, self._with_pinned_streams(statement, began))
                self.between(statement)

    def _with_pinned_streams(self, statement: str, began: datetime) -> str:
        def pinned(match: re.Match[str]) -> str:
            table = match["table"].lower()
            if table == _WAKE_UPS:
                return match["name"]
            after = self._moved_to.get(table, datetime(2000, 1, 1, tzinfo=UTC))
            return (
                f"(SELECT * FROM {match['name']} WHERE loaded_at > '{after.isoformat()}'::TIMESTAMP_LTZ"
                f" AND loaded_at <= '{began.isoformat()}'::TIMESTAMP_LTZ)"
            )

        return _STREAM.sub(pinned, statement)

    def _now(self) -> datetime:
        return datetime.now(UTC)
