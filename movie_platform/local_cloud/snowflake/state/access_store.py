# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""Records of the account's objects and of grants, in the account's file.

The system roles exist from the start, as on a new account. Grants name their object as text; a dropped object takes its
grants with it, a new one gets OWNERSHIP and what future grants say.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from movie_platform.local_cloud.snowflake.errors import already_exists, does_not_exist
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, Engine

SYSTEM_ROLES = ("ACCOUNTADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN")
_INHERITED = (("SECURITYADMIN", "ACCOUNTADMIN"), ("SYSADMIN", "ACCOUNTADMIN"), ("USERADMIN", "SECURITYADMIN"))


@dataclass(frozen=True, slots=True)
class AccountObject:
    """A role, user, warehouse, integration or resource monitor."""

    kind: str
    name: str
    created_on: datetime
    owner: str
    comment: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on an object, or a role (privilege USAGE on ROLE), given to a role or user.

    `future_of` is the schema or database whose future objects it is about, for future grants.
    """

    privilege: str
    granted_on: str
    name: str
    granted_to: str
    grantee: str
    grant_option: bool = False
    granted_by: str = ""
    future_of: str | None = None
    created_on: datetime | None = None


class AccessStore:
    """Reads and writes the records."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        # Asked for with each statement, changed rarely.
        self._objects: dict[str, list[AccountObject]] = {}
        for role in SYSTEM_ROLES:
            if self.find("ROLE", role) is None:
                self.create("ROLE", role, "", "", {})
        for role, parent in _INHERITED:
            grant = Grant("USAGE", "ROLE", role, "ROLE", parent)
            if not self._exists(grant):
                self.grant([grant])

    def find(self, kind: str, name: str) -> AccountObject | None:
        """One object."""
        return next((found for found in self.objects(kind) if found.name == name), None)

    def objects(self, kind: str) -> list[AccountObject]:
        """All objects of a kind, by name."""
        with self._lock:
            if kind not in self._objects:
                self._objects[kind] = self._read_objects(kind)
            return self._objects[kind]

    def _read_objects(self, kind: str) -> list[AccountObject]:
        rows = self._engine.query(
            f"SELECT kind, name, created_on, owner, comment, properties FROM {ACCOUNT_STATE}._fs_objects "
            "WHERE kind = ? ORDER BY name",
            [kind],
        )
        return [
            AccountObject(kind, name, created_on, owner, comment, json.loads(properties))
            for kind, name, created_on, owner, comment, properties in rows
        ]

    def require(self, kind: str, name: str) -> AccountObject:
        """One object.

        Raises SnowflakeError where it does not exist.
        """
        found = self.find(kind, name)
        if found is None:
            raise does_not_exist(kind.capitalize(), name)
        return found

    def create(
        self,
        kind: str,
        name: str,
        owner: str,
        comment: str,
        properties: Mapping[str, Any],
        *,
        replace: bool = False,
    ) -> None:
        """Creates an object.

        Raises SnowflakeError where it exists and is not to be replaced.
        """
        with self._lock:
            if not replace and self.find(kind, name) is not None:
                raise already_exists(name)
            self._engine.write(
                f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_objects VALUES (?, ?, ?, ?, ?, ?)",
                [kind, name, datetime.now(UTC), owner, comment, json.dumps(properties)],
            )
            self._objects.pop(kind, None)

    def alter(
        self, found: AccountObject, *, comment: str | None = None, properties: Mapping[str, Any]
    ) -> None:
        """Changes an object: properties are added to those it has, None takes one away."""
        merged = {
            name: value for name, value in {**found.properties, **properties}.items() if value is not None
        }
        with self._lock:
            self._engine.write(
                f"UPDATE {ACCOUNT_STATE}._fs_objects SET comment = coalesce(?, comment), properties = ? "
                "WHERE kind = ? AND name = ?",
                [comment, json.dumps(merged), found.kind, found.name],
            )
            self._objects.pop(found.kind, None)

    def drop(self, kind: str, name: str) -> None:
        """Drops an object, the grants on it and, for roles and users, those to it."""
        with self._lock:
            self._engine.write(
                f"DELETE FROM {ACCOUNT_STATE}._fs_objects WHERE kind = ? AND name = ?", [kind, name]
            )
            self._objects.pop(kind, None)
            self.dropped(kind, name)
            if kind in {"ROLE", "USER"}:
                self._engine.write(
                    f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE granted_to = ? AND grantee_name = ?",
                    [kind, name],
                )

    def grants(self, where: Mapping[str, str], *, future: bool = False) -> list[Grant]:
        """Grants whose columns have the given values, oldest first; future grants or the others."""
        conditions = "".join(f" AND {column} = ?" for column in where)
        rows = self._engine.query(
            "SELECT privilege, granted_on, name, granted_to, grantee_name, grant_option, granted_by, future_of, "
            f"created_on FROM {ACCOUNT_STATE}._fs_grants WHERE future_of IS {'NOT ' if future else ''}NULL{conditions} "
            "ORDER BY created_on, privilege, granted_on, name, grantee_name",
            list(where.values()),
        )
        return [Grant(*row) for row in rows]

    def _exists(self, grant: Grant) -> bool:
        return bool(
            self._engine.query(f"SELECT 1 FROM {ACCOUNT_STATE}._fs_grants WHERE {_SAME}", _identity(grant))
        )

    def grant(self, grants: list[Grant]) -> None:
        """Records grants; one that is there already only changes its grant option. OWNERSHIP has one holder."""
        with self._lock, self._engine.transaction() as connection:
            for grant in grants:
                connection.execute(f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE {_SAME}", _identity(grant))
                if grant.privilege == "OWNERSHIP":
                    connection.execute(
                        f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE privilege = 'OWNERSHIP' AND granted_on = ? "
                        "AND name = ? AND future_of IS NOT DISTINCT FROM ?",
                        [grant.granted_on, grant.name, grant.future_of],
                    )
                connection.execute(
                    f"INSERT INTO {ACCOUNT_STATE}._fs_grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        datetime.now(UTC), grant.privilege, grant.granted_on, grant.name, grant.granted_to,
                        grant.grantee, grant.grant_option, grant.granted_by, grant.future_of,
                    ],
                )  # fmt: skip

    def revoke(self, grants: list[Grant]) -> None:
        """Removes grants; one that is not there is no error, as on Snowflake."""
        with self._lock, self._engine.transaction() as connection:
            for grant in grants:
                connection.execute(f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE {_SAME}", _identity(grant))

    def created(self, kind: str, name: str, role: str) -> None:
        """A new object belongs to the role that made it, and future grants apply to it.

        Grants on future objects of a schema come before those on the database's, as on Snowflake.
        """
        self.dropped(kind, name)
        grants = [Grant("OWNERSHIP", kind, name, "ROLE", role, grant_option=True, granted_by=role)]
        parts = name.split(".")
        for container in (".".join(parts[:2]), parts[0]) if len(parts) == 3 else parts[:1]:
            future = self.grants({"granted_on": kind, "future_of": container}, future=True)
            if future:
                grants += [
                    Grant(
                        item.privilege,
                        kind,
                        name,
                        item.granted_to,
                        item.grantee,
                        item.grant_option,
                        item.granted_by,
                    )
                    for item in future
                ]
                break
        self.grant(grants)

    def dropped(self, kind: str, name: str) -> None:
        """A dropped object's grants go with it."""
        self._engine.write(
            f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE granted_on = ? AND name = ? AND future_of IS NULL",
            [kind, name],
        )

    def dropped_container(self, name: str) -> None:
        """A dropped schema or database takes the grants on everything in it along."""
        self._engine.write(
            f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE starts_with(name, ? || '.') "
            "OR (name = ? AND granted_on IN ('SCHEMA', 'DATABASE')) "
            "OR future_of = ? OR starts_with(future_of, ? || '.')",
            [name, name, name, name],
        )


_SAME = (
    "privilege = ? AND granted_on = ? AND name = ? AND granted_to = ? AND grantee_name = ? "
    "AND future_of IS NOT DISTINCT FROM ?"
)


def _identity(grant: Grant) -> list[Any]:
    return [grant.privilege, grant.granted_on, grant.name, grant.granted_to, grant.grantee, grant.future_of]
