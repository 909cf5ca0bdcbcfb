"""Translations that are kept: what a task runs every minute is not translated every minute.

A statement's translation depends on its text, the current database and schema, and the objects that there are. So what
reads a stream or asks for something of the session is not kept, and everything is forgotten when an object is made,
altered or dropped.
"""

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass

from movie_platform.local_cloud.snowflake.state.privileges import Access
from movie_platform.local_cloud.snowflake.state.translate import Prepared
from movie_platform.local_cloud.snowflake.text.names import FullName

_KEPT = 500
# Replaced in the text by what they are for the session or the moment.
_OF_THE_SESSION = re.compile(
    r"\$|\b(?:CURRENT_\w+|LAST_QUERY_ID|RESULT_SCAN|INFORMATION_SCHEMA|ACCOUNT_USAGE|TABLE\s*\()",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PlanKey:
    """What a translation depends on: the text of a statement without bindings, and where it is run."""

    sql: str
    database: str | None
    schema: str | None
    timestamp_mapping: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How DML is executed. `target` is the table that it changes, None where it only adds rows."""

    prepared: tuple[Prepared, ...]
    target: FullName | None
    updates: bool
    names: tuple[str, ...]
    kind: int
    # What the session must be allowed to do: asked again each time.
    accesses: tuple[Access, ...]


class PlanCache:
    """The plans of an account, the ones that were used last."""

    def __init__(self) -> None:
        self._plans: OrderedDict[PlanKey, Plan] = OrderedDict()
        self._lock = threading.Lock()
        self._generation = 0

    @property
    def generation(self) -> int:
        """Counts how often everything was forgotten: a plan made before belongs to another."""
        return self._generation

    def find(self, key: PlanKey) -> Plan | None:
        """The plan of a statement, if it is kept."""
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
            return plan

    def keep(self, key: PlanKey, plan: Plan, generation: int) -> None:
        """Keeps a plan that was begun in a generation, unless it depends on more than its key."""
        if _OF_THE_SESSION.search(key.sql):
            return
        with self._lock:
            if generation != self._generation:
                return
            self._plans[key] = plan
            while len(self._plans) > _KEPT:
                self._plans.popitem(last=False)

    def forget(self) -> None:
        """After objects changed."""
        with self._lock:
            self._plans.clear()
            self._generation += 1
