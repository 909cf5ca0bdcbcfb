# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""GRANT, REVOKE and SHOW GRANTS.

Sources: Snowflake documentation, "GRANT <privileges> … TO ROLE", "GRANT ROLE", "GRANT OWNERSHIP",
"REVOKE <privileges> … FROM ROLE", "SHOW GRANTS", "Access control privileges".
"""

from dataclasses import dataclass, replace

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    compilation_error,
    does_not_exist,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, state_of
from movie_platform.local_cloud.snowflake.state.privileges import ACCOUNT, OWNERSHIP, PUBLIC, Grant, Securable
from movie_platform.local_cloud.snowflake.statements.authorizing import insufficient, may, sees
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

# Privileges by kind of object; from "Access control privileges", for the objects that exist here.
_PRIVILEGES: dict[str, frozenset[str]] = {
    "ACCOUNT": frozenset(
        {
            "CREATE DATABASE", "CREATE ROLE", "CREATE USER", "CREATE WAREHOUSE", "CREATE INTEGRATION", "EXECUTE TASK",
            "EXECUTE MANAGED TASK", "MANAGE GRANTS", "MONITOR USAGE", "MONITOR EXECUTION", "APPLY TAG",
            "IMPORT SHARE", "CREATE SHARE", "MONITOR",
        }
    ),
    "DATABASE": frozenset({"CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE", "IMPORTED PRIVILEGES"}),
    "SCHEMA": frozenset(
        {
            "ADD SEARCH OPTIMIZATION", "CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE FILE FORMAT",
            "CREATE SEQUENCE", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE PIPE", "CREATE STREAM", "CREATE TASK",
            "CREATE TAG", "CREATE TEMPORARY TABLE", "CREATE EXTERNAL TABLE", "CREATE MATERIALIZED VIEW",
            "CREATE DYNAMIC TABLE", "MODIFY", "MONITOR", "USAGE",
        }
    ),
    "TABLE": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "EVOLVE SCHEMA"}),
    "VIEW": frozenset({"SELECT", "REFERENCES"}),
    "STAGE": frozenset({"USAGE", "READ", "WRITE"}),
    "FILE FORMAT": frozenset({"USAGE"}),
    "SEQUENCE": frozenset({"USAGE"}),
    "PIPE": frozenset({"MONITOR", "OPERATE"}),
    "STREAM": frozenset({"SELECT"}),
    "TASK": frozenset({"MONITOR", "OPERATE"}),
    "WAREHOUSE": frozenset({"MODIFY", "MONITOR", "OPERATE", "USAGE", "APPLYBUDGET"}),
    "INTEGRATION": frozenset({"USAGE", "USE_ANY_ROLE"}),
    "RESOURCE MONITOR": frozenset({"MODIFY", "MONITOR"}),
    "USER": frozenset({"MONITOR"}),
    "ROLE": frozenset(),
}  # fmt: skip
_IN_SCHEMA = frozenset({"TABLE", "VIEW", "STAGE", "FILE FORMAT", "SEQUENCE", "PIPE", "STREAM", "TASK"})
_STATE_TABLES = {"PIPE": "_fs_pipes", "STREAM": "_fs_streams", "TASK": "_fs_tasks"}


def _plural(kind: str) -> tuple[str, ...]:
    *first, last = kind.split()
    return (*first, f"{last}S")


@dataclass(frozen=True, slots=True)
class _Target:
    """What a grant is on: an object, all objects of a kind in a container, or the future ones."""

    kind: str
    name: str
    reach: str = "ONE"


def _privileges(stream: TokenStream) -> list[str]:
    found: list[str] = []
    words: list[str] = []
    while True:
        if stream.at("ON"):
            found.append(" ".join(words))
            return found
        if stream.accept_symbol(","):
            found.append(" ".join(words))
            words = []
            continue
        words.append(stream.word())


def _target(session: Session, stream: TokenStream) -> _Target:
    stream.expect("ON")
    if stream.accept("ACCOUNT"):
        return _Target("ACCOUNT", session.account.name)
    for reach in ("ALL", "FUTURE"):
        if stream.accept(reach):
            for kind in (*sorted(_IN_SCHEMA), "SCHEMA"):
                if stream.accept(*_plural(kind)):
                    break
            else:
                raise stream.unexpected()
            stream.expect("IN")
            if stream.accept("DATABASE"):
                return _Target(kind, shown(stream.identifier()), reach)
            stream.expect("SCHEMA")
            if kind == "SCHEMA":
                raise stream.unexpected()
            return _Target(kind, _schema(session, stream), reach)
    for kind in sorted(_PRIVILEGES, key=len, reverse=True):
        if kind != "ACCOUNT" and stream.accept(*kind.split()):
            return _Target(kind, _object_name(session, stream, kind))
    raise stream.unexpected()


def _schema(session: Session, stream: TokenStream) -> str:
    name = stream.name()
    if name.database is not None:
        raise stream.unexpected()
    database = name.schema or session.database
    if database is None:
        raise compilation_error(90105, "22000", "This session does not have a current database.")
    return f"{shown(database)}.{shown(name.name)}"


def _object_name(session: Session, stream: TokenStream, kind: str) -> str:
    if kind == "SCHEMA":
        return _schema(session, stream)
    return str(session.resolve(stream.name())) if kind in _IN_SCHEMA else shown(stream.identifier())


def _securable(kind: str, name: str) -> Securable:
    if kind == ACCOUNT.kind:
        return ACCOUNT
    parts = TokenStream(name).name()
    if kind in _IN_SCHEMA and parts.database is not None and parts.schema is not None:
        return Securable.in_schema(kind, FullName(parts.database, parts.schema, parts.name))
    if kind == "SCHEMA" and parts.schema is not None:
        return Securable.schema(parts.schema, parts.name)
    return Securable(kind, name)


def require_to_grant_role(session: Session, role: str) -> None:
    """ "GRANT ROLE": for the role's owner, and for those who manage grants."""
    if not may(session, Securable("ROLE", role), OWNERSHIP) and not _manages_grants(session):
        raise insufficient(session, Securable("ROLE", role))


def require_to_grant(session: Session, target: _Target, privileges: list[str]) -> None:
    """Raises SnowflakeError unless the session may grant or revoke these privileges.

    "GRANT <privileges> … TO ROLE": those who manage grants; else the schema's owner for what a managed schema holds;
    else the object's owner, and who has the privilege WITH GRANT OPTION. Future grants: those who manage grants, and
    the owner of a managed schema.
    """
    if _manages_grants(session):
        return
    for one in _granted_on(session, target):
        if not _may_grant(session, one, target, privileges):
            if one != ACCOUNT and not sees(session, one):
                raise does_not_exist(one.kind.capitalize(), one.name)
            raise insufficient(session, one)


def _granted_on(session: Session, target: _Target) -> list[Securable]:
    if target.reach == "FUTURE":
        return [_securable("SCHEMA" if "." in target.name else "DATABASE", target.name)]
    return [_securable(one.kind, one.name) for one in _expand(session, target)]


def _may_grant(session: Session, securable: Securable, target: _Target, privileges: list[str]) -> bool:
    access = session.account.access
    if target.reach == "FUTURE":
        managed = securable.kind == "SCHEMA" and access.has_managed_access(securable.name)
        return managed and may(session, securable, OWNERSHIP)
    schema = securable.containers[-1] if securable.kind in _IN_SCHEMA else None
    if schema is not None and access.has_managed_access(schema.name):
        return may(session, schema, OWNERSHIP)
    if may(session, securable, OWNERSHIP):
        return True
    return access.privileges.may_grant(session.roles(), securable, _checked(privileges, target))


def _manages_grants(session: Session) -> bool:
    return may(session, ACCOUNT, "MANAGE GRANTS")


def _existing(session: Session, kind: str) -> list[str]:
    # Names of all objects of a kind, as grants write them.
    engine = session.account.engine
    if kind == "ACCOUNT":
        return [session.account.name]
    if kind == "DATABASE":
        return [shown(name) for name in engine.databases()]
    queries = {
        "SCHEMA": "SELECT database_name, schema_name FROM duckdb_schemas() WHERE NOT internal",
        "TABLE": "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT internal",
        "VIEW": "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal",
        "SEQUENCE": "SELECT database_name, schema_name, sequence_name FROM duckdb_sequences()",
        "STAGE": f"SELECT database_name, schema_name, name FROM {ACCOUNT_STATE}._fs_stages",
        "FILE FORMAT": f"SELECT database_name, schema_name, name FROM {ACCOUNT_STATE}._fs_file_formats",
    }
    if kind in _STATE_TABLES:
        rows = [
            (database, *row)
            for database in engine.databases()
            for row in engine.query(
                f"SELECT schema_name, name FROM {state_of(database)}.{_STATE_TABLES[kind]}"
            )
        ]
    elif kind in queries:
        rows = engine.query(queries[kind])
    else:
        rows = [(item.name,) for item in session.account.access.objects(kind)]
    return [".".join(shown(part) for part in row) for row in rows]


def _expand(session: Session, target: _Target) -> list[_Target]:
    if target.reach == "FUTURE":
        container = "SCHEMA" if "." in target.name else "DATABASE"
        if target.name not in _existing(session, container):
            raise does_not_exist(container.capitalize(), target.name)
        return [target]
    existing = _existing(session, target.kind)
    if target.reach == "ALL":
        return [_Target(target.kind, name) for name in existing if name.startswith(f"{target.name}.")]
    if target.name not in existing:
        raise does_not_exist(target.kind.capitalize(), target.name)
    return [target]


def _checked(privileges: list[str], target: _Target) -> list[str]:
    known = _PRIVILEGES[target.kind]
    if privileges in (["ALL"], ["ALL PRIVILEGES"]):
        return sorted(known)
    for privilege in privileges:
        if privilege not in known and privilege != "OWNERSHIP":
            raise compilation_error(
                3008, "42601", f"Invalid object type '{target.kind}' for privilege '{privilege}'"
            )
    return privileges


def _grantee(session: Session, stream: TokenStream) -> tuple[str, str]:
    kind = "USER" if stream.accept("USER") else "ROLE"
    if kind == "ROLE" and not stream.accept("ROLE") and (stream.at("SHARE") or stream.at("DATABASE")):
        raise unsupported(f"a grant to a {stream.word()}")
    name = stream.identifier()
    if kind == "ROLE":
        session.account.access.require("ROLE", name)
    elif name != session.user:
        session.account.access.require("USER", name)
    return kind, name


def grant(session: Session, statement: Statement) -> result_set.Result:
    """GRANT of privileges, ownership, or a role."""
    stream = TokenStream(statement.sql)
    stream.expect("GRANT")
    access = session.account.access
    session.outside_transaction()
    if stream.accept("ROLE"):
        role = stream.identifier()
        access.require("ROLE", role)
        stream.expect("TO")
        kind, grantee = _grantee(session, stream)
        stream.end()
        require_to_grant_role(session, role)
        _refuse_circle(session, role, kind, grantee)
        access.grant([Grant("USAGE", "ROLE", role, kind, grantee, granted_by=session.role)])
        return result_set.done()
    privileges = _privileges(stream)
    target = _target(session, stream)
    stream.expect("TO")
    kind, grantee = _grantee(session, stream)
    option = stream.accept("WITH", "GRANT", "OPTION")
    if privileges == ["OWNERSHIP"]:
        keeps = stream.accept("COPY", "CURRENT", "GRANTS")
        revokes = not keeps and stream.accept("REVOKE", "CURRENT", "GRANTS")
        stream.end()
        require_to_grant(session, target, [OWNERSHIP])
        _grant_ownership(session, target, grantee, keeps=keeps, drop_others=revokes)
        return result_set.done()
    stream.end()
    if kind == "USER":
        raise unsupported("a grant of privileges to a user")
    require_to_grant(session, target, privileges)
    access.grant(_grants(session, privileges, target, kind, grantee, option=option))
    return result_set.done()


def _grants(
    session: Session, privileges: list[str], target: _Target, kind: str, grantee: str, *, option: bool = False
) -> list[Grant]:
    checked = _checked(privileges, target)
    grants: list[Grant] = []
    for one in _expand(session, target):
        future = one.name if one.reach == "FUTURE" else None
        name = f"{one.name}.<{one.kind}>" if future else one.name
        grants += [
            Grant(privilege, one.kind, name, kind, grantee, option, session.role, future)
            for privilege in checked
        ]
    return grants


def _grant_ownership(
    session: Session, target: _Target, grantee: str, *, keeps: bool, drop_others: bool
) -> None:
    access = session.account.access
    grants = _grants(session, ["OWNERSHIP"], target, "ROLE", grantee, option=True)
    if not keeps and not drop_others:
        _refuse_dependent_grants(session, grants)
    if drop_others:
        for item in grants:
            access.revoke(access.grants({"granted_on": item.granted_on, "name": item.name}))
    access.grant(grants)


def _refuse_dependent_grants(session: Session, grants: list[Grant]) -> None:
    """ "GRANT OWNERSHIP": without COPY or REVOKE CURRENT GRANTS there may be none but the owner's."""
    for item in grants:
        others = session.account.access.grants({"granted_on": item.granted_on, "name": item.name})
        dependent = next((found for found in others if found.privilege != OWNERSHIP), None)
        if item.future_of is None and dependent is not None:
            raise SnowflakeError(
                3036,
                "42501",
                f"SQL execution error:\nDependent grant of privilege '{dependent.privilege}' on securable "
                f"'{item.name}' to role '{dependent.grantee}' exists. It must be revoked first. "
                "More than one dependent grant may exist; use 'SHOW GRANTS' command to view them.",
            )


def _refuse_circle(session: Session, role: str, kind: str, grantee: str) -> None:
    if kind == "ROLE" and grantee in session.account.access.privileges.with_inherited([role]) - {PUBLIC}:
        raise SnowflakeError(
            3010,
            "42501",
            f"SQL execution error:\nGrant of role '{role}' to role '{grantee}' would make a circle.",
        )


def revoke(session: Session, statement: Statement) -> result_set.Result:
    """REVOKE of privileges or a role."""
    stream = TokenStream(statement.sql)
    stream.expect("REVOKE")
    only_option = stream.accept("GRANT", "OPTION", "FOR")
    access = session.account.access
    session.outside_transaction()
    if stream.accept("ROLE"):
        role = stream.identifier()
        access.require("ROLE", role)
        stream.expect("FROM")
        kind, grantee = _grantee(session, stream)
        stream.end()
        require_to_grant_role(session, role)
        access.revoke([Grant("USAGE", "ROLE", role, kind, grantee)])
        return result_set.done()
    privileges = _privileges(stream)
    target = _target(session, stream)
    stream.expect("FROM")
    kind, grantee = _grantee(session, stream)
    if not stream.accept("CASCADE"):
        stream.accept("RESTRICT")
    stream.end()
    require_to_grant(session, target, privileges)
    grants = _grants(session, privileges, target, kind, grantee)
    if only_option:
        held = [
            item
            for item in grants
            if access.grants(
                {
                    "privilege": item.privilege,
                    "granted_on": item.granted_on,
                    "name": item.name,
                    "grantee_name": grantee,
                }
            )
        ]
        access.grant([replace(item, grant_option=False) for item in held])
    else:
        access.revoke(grants)
    return result_set.done()


_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("privilege", "text"), ("granted_on", "text"), ("name", "text"),
    ("granted_to", "text"), ("grantee_name", "text"), ("grant_option", "text"), ("granted_by", "text"),
)  # fmt: skip
_FUTURE_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("privilege", "text"), ("grant_on", "text"), ("name", "text"),
    ("grant_to", "text"), ("grantee_name", "text"), ("grant_option", "text"),
)  # fmt: skip
_OF_COLUMNS = (
    ("created_on", "timestamp_ltz"), ("role", "text"), ("granted_to", "text"), ("grantee_name", "text"),
    ("granted_by", "text"),
)  # fmt: skip


def show_grants(session: Session, statement: Statement) -> result_set.Result:
    """SHOW GRANTS [ON … | TO … | OF ROLE …] and SHOW FUTURE GRANTS [IN … | TO ROLE …]."""
    stream = TokenStream(statement.sql)
    stream.expect("SHOW")
    future = stream.accept("FUTURE")
    stream.expect("GRANTS")
    access = session.account.access
    if future:
        if stream.accept("IN", "DATABASE"):
            where = {"future_of": shown(stream.identifier())}
        elif stream.accept("IN", "SCHEMA"):
            where = {"future_of": _schema(session, stream)}
        else:
            stream.expect("TO", "ROLE")
            where = {"granted_to": "ROLE", "grantee_name": stream.identifier()}
        stream.end()
        rows = [
            (
                g.created_on,
                g.privilege,
                g.granted_on,
                g.name,
                g.granted_to,
                g.grantee,
                str(g.grant_option).lower(),
            )
            for g in access.grants(where, future=True)
        ]
        return result_set.rows_result(_FUTURE_COLUMNS, rows)
    if stream.accept("OF", "ROLE"):
        role = stream.identifier()
        stream.end()
        access.require("ROLE", role)
        found = access.grants({"granted_on": "ROLE", "privilege": "USAGE", "name": role})
        return result_set.rows_result(
            _OF_COLUMNS, [(g.created_on, role, g.granted_to, g.grantee, g.granted_by) for g in found]
        )
    if stream.at("ON"):
        target = _target(session, stream)
        stream.end()
        _expand(session, target)
        where = {"granted_on": target.kind, "name": target.name}
    elif stream.accept("TO"):
        kind, grantee = _grantee(session, stream)
        stream.end()
        where = {"granted_to": kind, "grantee_name": grantee}
    else:
        stream.end()
        where = {"granted_to": "USER", "grantee_name": session.user}
    rows = [
        (
            g.created_on, g.privilege, g.granted_on, g.name, g.granted_to, g.grantee, str(g.grant_option).lower(),
            g.granted_by,
        )
        for g in access.grants(where)
    ]  # fmt: skip
    return result_set.rows_result(_COLUMNS, rows)
