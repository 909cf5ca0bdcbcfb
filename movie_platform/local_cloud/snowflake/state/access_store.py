# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""Records of the account's objects and of grants, in the account's file.

The system roles exist from the start, as on a new account. Grants name their object as text; a dropped object takes its
grants with it, a new one gets OWNERSHIP and what future grants say. Objects and grants are asked for with each
statement and changed rarely: both are kept in memory, and read again after a change.
"""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from movie_platform.local_cloud.snowflake.errors import already_exists, does_not_exist
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, PUBLIC_SCHEMA, Engine
from movie_platform.local_cloud.snowflake.state.privileges import (
    ACCOUNT,
    OWNERSHIP,
    Grant,
    Privileges,
    Securable,
)
from movie_platform.local_cloud.snowflake.text.names import FullName

SYSTEM_ROLES = ("ACCOUNTADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN")
# "Access control privileges": what a new account's administrators may do, beside what they own.
_OF_THE_ACCOUNT = {
    "ACCOUNTADMIN": (
        "APPLY TAG", "CREATE INTEGRATION", "CREATE SHARE", "EXECUTE MANAGED TASK", "EXECUTE TASK", "IMPORT SHARE",
        "MONITOR", "MONITOR EXECUTION", "MONITOR USAGE",
    ),
    "SECURITYADMIN": ("MANAGE GRANTS",),
    "SYSADMIN": ("CREATE DATABASE", "CREATE WAREHOUSE"),
    "USERADMIN": ("CREATE ROLE", "CREATE USER"),
}  # fmt: skip
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


class AccessStore:
    """Reads and writes the records."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._objects: dict[str, list[AccountObject]] = {}
        self._privileges: Privileges | None = None
        self._views: dict[FullName, list[FullName]] | None = None
        self._managed: frozenset[str] | None = None
        for role in SYSTEM_ROLES:
            if self.find("ROLE", role) is None:
                self.create("ROLE", role, "", "", {})
        for role, parent in _INHERITED:
            grant = Grant("USAGE", "ROLE", role, "ROLE", parent)
            if not self._exists(grant):
                self.grant([grant])
        if not self.grants({"granted_on": ACCOUNT.kind, "grantee_name": "ACCOUNTADMIN"}):
            self.grant(
                [
                    Grant(privilege, ACCOUNT.kind, ACCOUNT.name, "ROLE", role, grant_option=True)
                    for role, privileges in _OF_THE_ACCOUNT.items()
                    for privilege in privileges
                ]
            )
        for database in engine.databases():
            self._own_public_schema(database)

    @property
    def privileges(self) -> Privileges:
        """What the grants allow at this moment."""
        with self._lock:
            if self._privileges is None:
                self._privileges = Privileges(self.grants({}))
            return self._privileges

    def _own_public_schema(self, database: str) -> None:
        # It comes with its database, and belongs to whom that belongs to.
        schema = Securable.schema(database, PUBLIC_SCHEMA)
        owner = self.privileges.owner(schema.containers[0])
        if owner is not None and self.privileges.owner(schema) is None:
            self.grant(
                [Grant(OWNERSHIP, "SCHEMA", schema.name, "ROLE", owner, grant_option=True, granted_by=owner)]
            )

    def created_database(self, database: str, role: str) -> None:
        """A new database belongs to the role that made it, and so does its PUBLIC schema."""
        self.created("DATABASE", Securable.database(database).name, role)
        self.created("SCHEMA", Securable.schema(database, PUBLIC_SCHEMA).name, role)

    def ensure_administrator(self, name: str, public_key: str) -> None:
        """The user with whom an account begins: holds ACCOUNTADMIN, and signs in with this key (RSA_PUBLIC_KEY)."""
        found = self.find("USER", name)
        if found is None:
            properties = {"RSA_PUBLIC_KEY": public_key, "DEFAULT_ROLE": "ACCOUNTADMIN"}
            self.create("USER", name, "ACCOUNTADMIN", "", properties)
            self.created("USER", name, "ACCOUNTADMIN")
        else:
            self.alter(found, properties={"RSA_PUBLIC_KEY": public_key})
        grant = Grant("USAGE", "ROLE", "ACCOUNTADMIN", "USER", name)
        if not self._exists(grant):
            self.grant([grant])

    def view_sources(self, view: FullName) -> list[FullName]:
        """What a view reads."""
        with self._lock:
            if self._views is None:
                rows = self._engine.query(
                    "SELECT database_name, schema_name, name, source_database, source_schema, source_name "
                    f"FROM {ACCOUNT_STATE}._fs_view_sources"
                )
                self._views = {}
                for row in rows:
                    self._views.setdefault(FullName(*row[:3]), []).append(FullName(*row[3:]))
            return self._views.get(view, [])

    def note_view_sources(self, view: FullName, sources: Iterable[FullName]) -> None:
        """Notes what a view reads: it is read with the view's owner's rights."""
        with self._lock:
            with self._engine.transaction() as connection:
                connection.execute(
                    f"DELETE FROM {ACCOUNT_STATE}._fs_view_sources "
                    "WHERE database_name = ? AND schema_name = ? AND name = ?",
                    [view.database, view.schema, view.name],
                )
                for source in sources:
                    connection.execute(
                        f"INSERT INTO {ACCOUNT_STATE}._fs_view_sources VALUES (?, ?, ?, ?, ?, ?)",
                        [view.database, view.schema, view.name, source.database, source.schema, source.name],
                    )
            self._views = None

    def has_managed_access(self, schema: str) -> bool:
        """Whether a schema was made WITH MANAGED ACCESS."""
        with self._lock:
            if self._managed is None:
                rows = self._engine.query(f"SELECT name FROM {ACCOUNT_STATE}._fs_managed_schemas")
                self._managed = frozenset(row[0] for row in rows)
            return schema in self._managed

    def set_managed_access(self, schema: str, *, managed: bool) -> None:
        """Notes whether a schema's owner alone grants rights on what it holds."""
        with self._lock:
            self._engine.write(f"DELETE FROM {ACCOUNT_STATE}._fs_managed_schemas WHERE name = ?", [schema])
            if managed:
                self._engine.write(f"INSERT INTO {ACCOUNT_STATE}._fs_managed_schemas VALUES (?)", [schema])
            self._managed = None

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

    def drop(self, kind: str, name: str, role: str) -> None:
        """Drops an object, the grants on it and, for roles and users, those to it.

        What a dropped role owned belongs to the role that drops it: "DROP ROLE".
        """
        with self._lock:
            self._engine.write(
                f"DELETE FROM {ACCOUNT_STATE}._fs_objects WHERE kind = ? AND name = ?", [kind, name]
            )
            self._objects.pop(kind, None)
            self.dropped(kind, name)
            if kind == "ROLE":
                self._engine.write(
                    f"UPDATE {ACCOUNT_STATE}._fs_grants SET grantee_name = ? "
                    "WHERE privilege = 'OWNERSHIP' AND granted_to = 'ROLE' AND grantee_name = ?",
                    [role, name],
                )
            if kind in {"ROLE", "USER"}:
                self._engine.write(
                    f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE granted_to = ? AND grantee_name = ?",
                    [kind, name],
                )
            self._privileges = None

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
        with self._lock:
            with self._engine.transaction() as connection:
                for grant in grants:
                    connection.execute(
                        f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE {_SAME}", _identity(grant)
                    )
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
            self._privileges = None

    def revoke(self, grants: list[Grant]) -> None:
        """Removes grants; one that is not there is no error, as on Snowflake."""
        with self._lock:
            with self._engine.transaction() as connection:
                for grant in grants:
                    connection.execute(
                        f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE {_SAME}", _identity(grant)
                    )
            self._privileges = None

    def renamed(self, kind: str, old: str, new: str) -> None:
        """A renamed object keeps its grants."""
        with self._lock:
            self._engine.write(
                f"UPDATE {ACCOUNT_STATE}._fs_grants SET name = ? "
                "WHERE granted_on = ? AND name = ? AND future_of IS NULL",
                [new, kind, old],
            )
            self._privileges = None

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
        with self._lock:
            self._privileges = None

    def dropped_container(self, name: str) -> None:
        """A dropped schema or database takes the grants on everything in it along."""
        self._engine.write(
            f"DELETE FROM {ACCOUNT_STATE}._fs_grants WHERE starts_with(name, ? || '.') "
            "OR (name = ? AND granted_on IN ('SCHEMA', 'DATABASE')) "
            "OR future_of = ? OR starts_with(future_of, ? || '.')",
            [name, name, name, name],
        )
        self._engine.write(
            f"DELETE FROM {ACCOUNT_STATE}._fs_managed_schemas WHERE name = ? OR starts_with(name, ? || '.')",
            [name, name],
        )
        with self._lock:
            self._privileges = None
            self._managed = None


_SAME = (
    "privilege = ? AND granted_on = ? AND name = ? AND granted_to = ? AND grantee_name = ? "
    "AND future_of IS NOT DISTINCT FROM ?"
)


def _identity(grant: Grant) -> list[Any]:
    return [grant.privilege, grant.granted_on, grant.name, grant.granted_to, grant.grantee, grant.future_of]
