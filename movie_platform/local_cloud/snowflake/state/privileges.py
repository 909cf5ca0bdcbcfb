"""What grants allow: a pure function of the grants, the roles that ask, and what is asked for.

Sources: Snowflake documentation, "Overview of access control" (docs.snowflake.com/en/user-guide/
security-access-control-overview: role hierarchy, ownership, PUBLIC), "Access control privileges"
(…/security-access-control-privileges: an object in a schema asks for at least one privilege on its database and on its
schema as well).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import Enum, auto

from movie_platform.local_cloud.snowflake.text.names import FullName, shown

OWNERSHIP = "OWNERSHIP"
PUBLIC = "PUBLIC"


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
    created_on: object = None


@dataclass(frozen=True, slots=True)
class Securable:
    """Something that privileges are granted on; `name` as grants write it, `containers` from the outermost inwards."""

    kind: str
    name: str
    containers: tuple["Securable", ...] = ()

    @staticmethod
    def database(name: str) -> "Securable":
        """A database."""
        return Securable("DATABASE", shown(name))

    @staticmethod
    def schema(database: str, schema: str) -> "Securable":
        """A schema."""
        return Securable("SCHEMA", f"{shown(database)}.{shown(schema)}", (Securable.database(database),))

    @staticmethod
    def in_schema(kind: str, name: FullName) -> "Securable":
        """An object in a schema."""
        schema = Securable.schema(name.database, name.schema)
        return Securable(kind, str(name), (*schema.containers, schema))


@dataclass(frozen=True, slots=True)
class Access:
    """What a statement does with a table, view or stream: SELECT, INSERT, UPDATE, DELETE, TRUNCATE."""

    privilege: str
    name: FullName


# The account has no name here: it is the only one.
ACCOUNT = Securable("ACCOUNT", "")


class Verdict(Enum):
    """What becomes of an access. HIDDEN: the roles may not even know that the object exists."""

    ALLOWED = auto()
    INSUFFICIENT = auto()
    HIDDEN = auto()


class Privileges:
    """The grants of an account at one moment, indexed. It never changes: other grants make another one."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        on: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        options: set[tuple[str, str, str, str]] = set()
        roles: dict[tuple[str, str], set[str]] = defaultdict(set)
        for grant in grants:
            if grant.future_of is not None:
                continue
            if grant.granted_on == "ROLE" and grant.privilege == "USAGE":
                roles[grant.granted_to, grant.grantee].add(grant.name)
            elif grant.granted_to == "ROLE":
                key = _key(grant.granted_on, grant.name)
                on[key][grant.grantee].add(grant.privilege)
                if grant.grant_option:
                    options.add((*key, grant.grantee, grant.privilege))
        self._on: Mapping[tuple[str, str], Mapping[str, Set[str]]] = {
            key: dict(found) for key, found in on.items()
        }
        self._options = frozenset(options)
        self._roles: Mapping[tuple[str, str], Set[str]] = dict(roles)
        self._closures: dict[frozenset[str], frozenset[str]] = {}

    def roles_of_user(self, user: str) -> frozenset[str]:
        """The roles that a user was given, and PUBLIC; not those that come with them."""
        return frozenset(self._roles.get(("USER", user), ())) | {PUBLIC}

    def with_inherited(self, roles: Iterable[str]) -> frozenset[str]:
        """The roles, those granted to them and so on, and PUBLIC, which everybody has."""
        start = frozenset(roles)
        known = self._closures.get(start)
        if known is None:
            found: set[str] = {PUBLIC}
            waiting = list(start)
            while waiting:
                role = waiting.pop()
                if role not in found:
                    found.add(role)
                    waiting += self._roles.get(("ROLE", role), ())
            known = self._closures[start] = frozenset(found)
        return known

    def held(self, roles: Set[str], securable: Securable) -> frozenset[str]:
        """The privileges that the roles (inherited ones included) have on an object itself."""
        given = self._on.get(_key(securable.kind, securable.name), {})
        return frozenset().union(*(given[role] for role in given if role in roles))

    def owner(self, securable: Securable) -> str | None:
        """The role that owns an object."""
        given = self._on.get(_key(securable.kind, securable.name), {})
        return next((role for role, privileges in given.items() if OWNERSHIP in privileges), None)

    def may_grant(self, roles: Set[str], securable: Securable, privileges: Iterable[str]) -> bool:
        """Whether one of the roles has each of the privileges WITH GRANT OPTION."""
        key = _key(securable.kind, securable.name)
        return all(
            any((*key, role, privilege) in self._options for role in roles) for privilege in privileges
        )

    def decide(
        self, roles: Set[str], securable: Securable, any_of: Iterable[str]
    ) -> tuple[Verdict, Securable]:
        """Whether the roles may do what one of the privileges allows; with what is in the way, or the object itself.

        OWNERSHIP allows everything.
        """
        for container in securable.containers:
            if not self.held(roles, container):
                return Verdict.HIDDEN, container
        held = self.held(roles, securable)
        if OWNERSHIP in held or not held.isdisjoint(any_of):
            return Verdict.ALLOWED, securable
        seen = held or securable.kind == ACCOUNT.kind
        return (Verdict.INSUFFICIENT if seen else Verdict.HIDDEN), securable

    def sees(self, roles: Set[str], securable: Securable) -> bool:
        """Whether the roles may know that an object exists: SHOW lists it."""
        return all(self.held(roles, each) for each in (*securable.containers, securable))


def _key(kind: str, name: str) -> tuple[str, str]:
    return kind, "" if kind == ACCOUNT.kind else name
