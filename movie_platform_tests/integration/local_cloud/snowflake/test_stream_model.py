"""Streams against a model: whatever is done to a table, in and beside a transaction, its streams give what they should.

The engine runs in the test's own process, without the server. Source of the rules: Snowflake documentation,
"Introduction to Streams" (docs.snowflake.com/en/user-guide/streams-intro).
"""

import itertools
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform_tests.local_engine import local_account, open_session, run

pytestmark = pytest.mark.cloud

_TABLES = itertools.count()
Rows = dict[int, int]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with local_account(tmp_path_factory.mktemp("engine")) as made:
        run(open_session(made), "CREATE DATABASE MODEL")
        yield made


@dataclass
class Model:
    """What is committed: the table, the table at the standard stream's offset, what was added since the other's."""

    rows: Rows = field(default_factory=dict)
    at_offset: Rows = field(default_factory=dict)
    added: Rows = field(default_factory=dict)

    def commit(self, before: Rows, after: Rows) -> None:
        """Applies what a transaction made of the table, which began with `before`."""
        for key in before.keys() - after.keys():
            del self.rows[key]
        for key, value in after.items():
            if key not in before:
                self.added[key] = value
            if before.get(key) != value:
                self.rows[key] = value

    def difference(self) -> set[tuple[Any, ...]]:
        """What the standard stream gives."""
        old, new = self.at_offset, self.rows
        found = {(key, new[key], "INSERT", False) for key in new.keys() - old.keys()}
        found |= {(key, old[key], "DELETE", False) for key in old.keys() - new.keys()}
        for key in old.keys() & new.keys():
            if old[key] != new[key]:
                found |= {(key, old[key], "DELETE", True), (key, new[key], "INSERT", True)}
        return found


SOME = st.tuples(st.integers(1, 3), st.integers(0, 2))
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["insert", "other insert"]), st.integers(1, 4)),
    st.tuples(st.sampled_from(["update", "delete", "other update", "other delete", "merge"]), SOME),
    st.tuples(
        st.sampled_from(
            ["begin", "commit", "rollback", "consume", "consume added", "truncate", "checkpoint"]
        ),
        st.none(),
    ),
)


class Place:
    """A table, its two streams, and a session with a transaction beside another session."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.mine, self.other = (open_session(account) for _ in range(2))
        self.table = f"T{next(_TABLES)}"
        for session in (self.mine, self.other):
            run(session, "USE DATABASE MODEL")
        run(self.mine, f"CREATE TABLE {self.table} (id INTEGER, value INTEGER)")
        run(self.mine, f"CREATE TABLE {self.table}_SEEN (id INTEGER)")
        run(self.mine, f"INSERT INTO {self.table} VALUES (-2, 0), (-1, 0)")
        run(self.mine, f"DELETE FROM {self.table} WHERE id = -2")
        run(self.mine, f"CREATE STREAM {self.table}_ALL ON TABLE {self.table}")
        run(self.mine, f"CREATE STREAM {self.table}_ADDED ON TABLE {self.table} APPEND_ONLY = TRUE")
        # Both streams have kept an image once: two sessions may not make their tables at the same moment.
        run(self.mine, f"INSERT INTO {self.table} VALUES (-3, 0)")
        run(self.mine, f"UPDATE {self.table} SET value = 1")
        self.model = Model({-1: 1, -3: 1}, {-1: 0}, {-3: 0})
        self.seen = self.model
        self.before: Rows | None = None
        self.after: Rows = {}
        self.consumed: set[str] = set()
        self.ids = itertools.count()
        self.values = itertools.count(100)

    def apply(self, name: str, argument: Any) -> None:
        """Does one operation to the table and to the model, and compares."""
        word = name.removeprefix("other ")
        session, parity = (self.other, 1) if name.startswith("other ") else (self.mine, 0)
        if word in {"insert", "update", "delete", "merge", "truncate"}:
            if word == "truncate" and self.before is not None:
                return  # the other session may have changed the same rows
            self._change(
                session, word, argument, parity, in_transaction=self.before is not None and not parity
            )
        elif word == "begin" and self.before is None:
            run(self.mine, "BEGIN")
            run(self.mine, f"SELECT count(*) FROM {self.table}")
            self.before, self.after = dict(self.model.rows), dict(self.model.rows)
            self.seen = deepcopy(self.model)
        elif word in {"commit", "rollback"} and self.before is not None:
            run(self.mine, word.upper())
            if word == "commit":
                self._consume(self.seen, self.consumed)
                self.model.commit(self.before, self.after)
            self.before, self.seen = None, self.model
            self.consumed.clear()
        elif word.startswith("consume"):
            stream = "ADDED" if word.endswith("added") else "ALL"
            run(self.mine, f"INSERT INTO {self.table}_SEEN SELECT id FROM {self.table}_{stream}")
            self.consumed.add(stream)
            if self.before is None:
                self._consume(self.model, self.consumed)
                self.consumed.clear()
        elif word == "checkpoint" and self.before is None:
            self.account.engine.query("CHECKPOINT MODEL")
        self.compare()

    def _consume(self, state: Model, streams: set[str]) -> None:
        if "ALL" in streams:
            self.model.at_offset = dict(state.rows)
        if "ADDED" in streams:
            self.model.added = {
                key: value for key, value in self.model.added.items() if key not in state.added
            }

    def _change(
        self, session: Session, word: str, argument: Any, parity: int, *, in_transaction: bool
    ) -> None:
        before = self.after if in_transaction else dict(self.model.rows)
        after, table = dict(before), self.table
        value = next(self.values)
        if word == "insert":
            new = [next(self.ids) * 2 + parity for _ in range(argument)]
            after |= dict.fromkeys(new, value)
            run(session, f"INSERT INTO {table} VALUES {', '.join(f'({key}, {value})' for key in new)}")
        elif word == "truncate":
            after.clear()
            run(session, f"TRUNCATE TABLE {table}")
        else:
            modulus, rest = argument
            mine = [key for key in before if key >= 0 and key % 2 == parity and key // 2 % modulus == rest]
            where = f"id >= 0 AND id % 2 = {parity} AND FLOOR(id / 2) % {modulus} = {rest}"
            if word == "update":
                after |= dict.fromkeys(mine, value)
                run(session, f"UPDATE {table} SET value = {value} WHERE {where}")
            elif word == "delete":
                after = {key: kept for key, kept in before.items() if key not in mine}
                run(session, f"DELETE FROM {table} WHERE {where}")
            else:
                new = next(self.ids) * 2
                gone = set(mine[::2])
                after = {
                    key: value if key in mine else kept for key, kept in before.items() if key not in gone
                }
                after[new] = value
                source = " UNION ALL ".join(
                    f"SELECT {key} AS id, {str(key in gone).upper()} AS gone" for key in [*mine, new]
                )
                run(
                    session,
                    f"MERGE INTO {table} USING ({source}) s ON {table}.id = s.id WHEN MATCHED AND s.gone THEN DELETE"
                    f" WHEN MATCHED THEN UPDATE SET value = {value}"
                    f" WHEN NOT MATCHED THEN INSERT (id, value) VALUES (s.id, {value})",
                )
        if in_transaction:
            self.after = after
        else:
            self.model.commit(before, after)

    def compare(self) -> None:
        """Both sessions see of both streams what the model says."""
        for session, state in ((self.mine, self.seen), (self.other, self.model)):
            changes = run(
                session, f"SELECT id, value, METADATA$ACTION, METADATA$ISUPDATE FROM {self.table}_ALL"
            )
            assert len(changes) == len(set(changes))
            assert set(changes) == state.difference()
            added = run(session, f"SELECT id, value FROM {self.table}_ADDED")
            assert sorted(added) == sorted(state.added.items())
            ids = run(session, f"SELECT id, METADATA$ROW_ID FROM {self.table}_ALL")
            assert len(dict(ids)) == len({row_id for _, row_id in ids})

    def close(self) -> None:
        """Frees the sessions."""
        self.mine.close()
        self.other.close()


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=st.lists(OPERATIONS, min_size=1, max_size=25))
def test_streams_give_what_the_model_says(account: Account, operations: list[tuple[str, Any]]) -> None:
    place = Place(account)
    try:
        place.compare()
        for name, argument in operations:
            place.apply(name, argument)
    finally:
        place.close()
