"""CREATE, ALTER, DROP, SHOW and DESCRIBE of roles, users, warehouses, storage integrations and resource monitors.

Sources: Snowflake documentation, "CREATE ROLE", "CREATE USER", "CREATE WAREHOUSE", "CREATE STORAGE INTEGRATION",
"DESCRIBE INTEGRATION", "CREATE RESOURCE MONITOR" and the SHOW command of each.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    compilation_error,
    does_not_exist,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.access_store import SYSTEM_ROLES, AccountObject
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import matches_like
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value

_DONE = "Statement executed successfully."
_SIZES = {
    "XSMALL": "X-Small", "X-SMALL": "X-Small", "SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large",
    "XLARGE": "X-Large", "X-LARGE": "X-Large", "XXLARGE": "2X-Large", "X2LARGE": "2X-Large", "2X-LARGE": "2X-Large",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a kind of object is called in statements and which properties it takes."""

    name: str
    words: tuple[str, ...]
    plural: tuple[str, ...]
    properties: frozenset[str]


ROLE = _Kind("ROLE", ("ROLE",), ("ROLES",), frozenset({"COMMENT"}))
USER = _Kind(
    "USER",
    ("USER",),
    ("USERS",),
    frozenset(
        {
            "COMMENT", "PASSWORD", "LOGIN_NAME", "DISPLAY_NAME", "FIRST_NAME", "LAST_NAME", "EMAIL", "DISABLED",
            "MUST_CHANGE_PASSWORD", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "DEFAULT_ROLE", "DEFAULT_SECONDARY_ROLES",
            "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2", "TYPE",
        }
    ),
)  # fmt: skip
WAREHOUSE = _Kind(
    "WAREHOUSE",
    ("WAREHOUSE",),
    ("WAREHOUSES",),
    frozenset(
        {
            "COMMENT", "WAREHOUSE_TYPE", "WAREHOUSE_SIZE", "MIN_CLUSTER_COUNT", "MAX_CLUSTER_COUNT", "SCALING_POLICY",
            "AUTO_SUSPEND", "AUTO_RESUME", "INITIALLY_SUSPENDED", "RESOURCE_MONITOR", "ENABLE_QUERY_ACCELERATION",
            "QUERY_ACCELERATION_MAX_SCALE_FACTOR", "MAX_CONCURRENCY_LEVEL", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS",
            "STATEMENT_TIMEOUT_IN_SECONDS",
        }
    ),
)  # fmt: skip
INTEGRATION = _Kind(
    "INTEGRATION",
    ("STORAGE", "INTEGRATION"),
    ("INTEGRATIONS",),
    frozenset(
        {
            "COMMENT", "TYPE", "ENABLED", "STORAGE_PROVIDER", "STORAGE_AWS_ROLE_ARN", "STORAGE_AWS_EXTERNAL_ID",
            "STORAGE_AWS_OBJECT_ACL", "STORAGE_ALLOWED_LOCATIONS", "STORAGE_BLOCKED_LOCATIONS",
        }
    ),
)  # fmt: skip
MONITOR = _Kind(
    "RESOURCE MONITOR",
    ("RESOURCE", "MONITOR"),
    ("RESOURCE", "MONITORS"),
    frozenset({"CREDIT_QUOTA", "FREQUENCY", "START_TIMESTAMP", "END_TIMESTAMP", "NOTIFY_USERS", "COMMENT"}),
)
KINDS = (ROLE, USER, WAREHOUSE, INTEGRATION, MONITOR)


def _kind(stream: TokenStream) -> _Kind:
    for kind in KINDS:
        if stream.accept(*kind.words) or (kind is INTEGRATION and stream.accept("INTEGRATION")):
            return kind
    raise stream.unexpected()


def _properties(stream: TokenStream, kind: _Kind) -> dict[str, Value]:
    stream.accept("WITH")
    stop = frozenset({"TRIGGERS", "WITH"})
    properties = stream.properties(kind.properties, stop=stop)
    if kind is MONITOR and stream.accept("TRIGGERS"):
        triggers: list[str] = []
        while stream.accept("ON"):
            percent = stream.integer()
            stream.expect("PERCENT", "DO")
            action = stream.word()
            if action not in {"SUSPEND", "SUSPEND_IMMEDIATE", "NOTIFY"}:
                raise invalid_value(action, "TRIGGERS")
            triggers.append(f"{percent}%:{action}")
        properties["TRIGGERS"] = tuple(triggers)
    return properties


def create(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR REPLACE] <kind> [IF NOT EXISTS] name properties."""
    stream = TokenStream(statement.sql)
    stream.expect("CREATE")
    replace = stream.accept("OR", "REPLACE")
    kind = _kind(stream)
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    name = stream.identifier()
    properties: dict[str, Any] = _properties(stream, kind)
    stream.end()
    access = session.account.access
    if access.find(kind.name, name) is not None and if_not_exists:
        return result_set.message(f"{name} already exists, statement succeeded.")
    comment = str(properties.pop("COMMENT", ""))
    _check(session, kind, properties)
    if kind is INTEGRATION:
        # Snowflake makes a new external ID with each CREATE: the role's trust must be told of it.
        token = base64.b64encode(secrets.token_bytes(24)).decode()
        properties.setdefault("STORAGE_AWS_EXTERNAL_ID", f"{session.account.name}_SFCRole=2_{token}")
    session.outside_transaction()
    access.create(kind.name, name, session.role, comment, properties, replace=replace)
    if kind is WAREHOUSE:
        # A new warehouse becomes the session's, as on Snowflake.
        session.warehouse = name
    access.created(kind.name, name, session.role)
    return result_set.message(f"{kind.name.capitalize()} {name} successfully created.")


def _check(session: Session, kind: _Kind, properties: Mapping[str, Any]) -> None:
    if kind is INTEGRATION:
        if str(properties.get("TYPE", "")).upper() != "EXTERNAL_STAGE":
            raise unsupported(f"a storage integration of TYPE = {properties.get('TYPE')}")
        if str(properties.get("STORAGE_PROVIDER", "")).upper() not in {"S3", "S3GOV", "S3CHINA"}:
            raise unsupported(f"STORAGE_PROVIDER = {properties.get('STORAGE_PROVIDER')}")
        for required in ("ENABLED", "STORAGE_AWS_ROLE_ARN", "STORAGE_ALLOWED_LOCATIONS"):
            if required not in properties:
                raise compilation_error(2029, "42601", f"Missing option(s): [{required}]")
        for location in properties["STORAGE_ALLOWED_LOCATIONS"]:
            if location != "*" and not str(location).startswith("s3://"):
                raise compilation_error(1011, "42601", f"invalid URL prefix found in: '{location}'")
    size = properties.get("WAREHOUSE_SIZE")
    if size is not None and str(size).upper() not in _SIZES:
        raise invalid_value(str(size), "WAREHOUSE_SIZE")
    monitor = properties.get("RESOURCE_MONITOR")
    if monitor is not None and str(monitor).upper() != "NULL":
        session.account.access.require("RESOURCE MONITOR", str(monitor).upper())


def alter(session: Session, statement: Statement) -> result_set.Result:
    """ALTER <kind> [IF EXISTS] name SET … / UNSET …, and SUSPEND / RESUME of warehouses."""
    stream = TokenStream(statement.sql)
    stream.expect("ALTER")
    kind = _kind(stream)
    if_exists = stream.accept("IF", "EXISTS")
    name = stream.identifier()
    access = session.account.access
    found = access.find(kind.name, name)
    changes: dict[str, Any] = {}
    if kind is WAREHOUSE and (stream.at("SUSPEND") or stream.at("RESUME")):
        changes["STATE"] = "SUSPENDED" if stream.word() == "SUSPEND" else "STARTED"
        stream.accept("IF", "SUSPENDED")
    elif stream.accept("UNSET"):
        while True:
            option = stream.word()
            if option not in kind.properties:
                raise unsupported(f"ALTER {kind.name} … UNSET {option}")
            changes[option] = "" if option == "COMMENT" else None
            if not stream.accept_symbol(","):
                break
    else:
        stream.expect("SET")
        changes = dict(_properties(stream, kind))
        if not changes:
            raise stream.unexpected()
    stream.end()
    if found is None:
        if if_exists:
            return result_set.message(_DONE)
        raise does_not_exist(kind.name.capitalize(), name)
    comment = changes.pop("COMMENT", None)
    _check(session, kind, {**found.properties, **changes})
    session.outside_transaction()
    access.alter(found, comment=None if comment is None else str(comment), properties=changes)
    return result_set.message(_DONE)


def drop(session: Session, statement: Statement) -> result_set.Result:
    """DROP <kind> [IF EXISTS] name."""
    stream = TokenStream(statement.sql)
    stream.expect("DROP")
    kind = _kind(stream)
    if_exists = stream.accept("IF", "EXISTS")
    name = stream.identifier()
    stream.end()
    access = session.account.access
    if kind is ROLE and name in SYSTEM_ROLES:
        raise SnowflakeError(
            3001, "42501", f"SQL access control error:\nThe system role {name} cannot be dropped."
        )
    if access.find(kind.name, name) is None:
        if not if_exists:
            raise does_not_exist(kind.name.capitalize(), name)
        return result_set.message(f"Drop statement executed successfully ({name} already dropped).")
    session.outside_transaction()
    access.drop(kind.name, name)
    return result_set.message(f"{name} successfully dropped.")


def show(session: Session, statement: Statement) -> result_set.Result:
    """SHOW ROLES / USERS / WAREHOUSES / [STORAGE] INTEGRATIONS / RESOURCE MONITORS [LIKE '…']."""
    stream = TokenStream(statement.sql)
    stream.expect("SHOW")
    stream.accept("TERSE")
    kind = next(
        (
            kind
            for kind in KINDS
            if stream.accept(*kind.plural)
            or (kind is INTEGRATION and stream.accept("STORAGE", "INTEGRATIONS"))
        ),
        None,
    )
    if kind is None:
        raise stream.unexpected()
    pattern = stream.string() if stream.accept("LIKE") else None
    stream.end()
    found = [
        item
        for item in session.account.access.objects(kind.name)
        if pattern is None or matches_like(pattern, item.name)
    ]
    columns = _SHOWN[kind.name]
    rows = [tuple(_cell(session, item, column) for column, _ in columns) for item in found]
    return result_set.rows_result(columns, rows)


_SHOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "ROLE": (
        ("created_on", "timestamp_ltz"), ("name", "text"), ("is_default", "text"), ("is_current", "text"),
        ("is_inherited", "text"), ("assigned_to_users", "fixed"), ("granted_to_roles", "fixed"),
        ("granted_roles", "fixed"), ("owner", "text"), ("comment", "text"),
    ),
    "USER": (
        ("name", "text"), ("created_on", "timestamp_ltz"), ("login_name", "text"), ("display_name", "text"),
        ("email", "text"), ("comment", "text"), ("disabled", "text"), ("default_warehouse", "text"),
        ("default_namespace", "text"), ("default_role", "text"), ("owner", "text"), ("has_rsa_public_key", "text"),
    ),
    "WAREHOUSE": (
        ("name", "text"), ("state", "text"), ("type", "text"), ("size", "text"), ("min_cluster_count", "fixed"),
        ("max_cluster_count", "fixed"), ("is_default", "text"), ("is_current", "text"), ("auto_suspend", "fixed"),
        ("auto_resume", "text"), ("created_on", "timestamp_ltz"), ("owner", "text"), ("comment", "text"),
        ("resource_monitor", "text"), ("scaling_policy", "text"), ("owner_role_type", "text"),
    ),
    "INTEGRATION": (
        ("name", "text"), ("type", "text"), ("category", "text"), ("enabled", "text"), ("comment", "text"),
        ("created_on", "timestamp_ltz"),
    ),
    "RESOURCE MONITOR": (
        ("name", "text"), ("credit_quota", "text"), ("frequency", "text"), ("start_time", "text"),
        ("end_time", "text"), ("notify_at", "text"), ("suspend_at", "text"), ("suspend_immediately_at", "text"),
        ("created_on", "timestamp_ltz"), ("owner", "text"), ("comment", "text"),
    ),
}  # fmt: skip


def _cell(session: Session, item: AccountObject, column: str) -> Any:
    if column in {"created_on", "name", "owner", "comment"}:
        return getattr(item, column)
    properties = item.properties
    computed = {
        "ROLE": _role_cell, "WAREHOUSE": _warehouse_cell, "INTEGRATION": _integration_cell,
        "RESOURCE MONITOR": _monitor_cell, "USER": _user_cell,
    }[item.kind](session, item, column)  # fmt: skip
    if computed is not None:
        return computed
    value = properties.get(column.upper())
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)


def _role_cell(session: Session, item: AccountObject, column: str) -> Any:
    access = session.account.access
    if column in {"is_current", "is_default"}:
        return "Y" if item.name == session.role else "N"
    if column == "is_inherited":
        return "N"
    if column == "granted_roles":
        return len(
            access.grants(
                {"granted_on": "ROLE", "privilege": "USAGE", "granted_to": "ROLE", "grantee_name": item.name}
            )
        )
    receiver = "USER" if column == "assigned_to_users" else "ROLE"
    return len(
        access.grants({"granted_on": "ROLE", "privilege": "USAGE", "name": item.name, "granted_to": receiver})
    )


def _warehouse_cell(session: Session, item: AccountObject, column: str) -> Any:
    properties = item.properties
    return {
        "state": properties.get("STATE", "SUSPENDED" if properties.get("INITIALLY_SUSPENDED") else "STARTED"),
        "type": str(properties.get("WAREHOUSE_TYPE", "STANDARD")).upper(),
        "size": _SIZES[str(properties.get("WAREHOUSE_SIZE", "XSMALL")).upper()],
        "min_cluster_count": int(properties.get("MIN_CLUSTER_COUNT", 1)),
        "max_cluster_count": int(properties.get("MAX_CLUSTER_COUNT", 1)),
        "is_default": "N",
        "is_current": "Y" if item.name == session.warehouse else "N",
        "auto_suspend": properties.get("AUTO_SUSPEND", 600),
        "auto_resume": _text(properties.get("AUTO_RESUME", True)),
        "resource_monitor": _text(properties.get("RESOURCE_MONITOR", "null")),
        "scaling_policy": _text(properties.get("SCALING_POLICY", "STANDARD")),
        "owner_role_type": "ROLE",
    }.get(column)


def _integration_cell(_session: Session, item: AccountObject, column: str) -> Any:
    return {
        "type": "EXTERNAL_STAGE", "category": "STORAGE", "enabled": _text(item.properties.get("ENABLED", False)),
    }.get(column)  # fmt: skip


def _monitor_cell(_session: Session, item: AccountObject, column: str) -> Any:
    triggers = [str(trigger).partition(":") for trigger in item.properties.get("TRIGGERS", ())]
    action = {
        "notify_at": "NOTIFY",
        "suspend_at": "SUSPEND",
        "suspend_immediately_at": "SUSPEND_IMMEDIATE",
    }.get(column)
    if action is None:
        return None
    return ",".join(percent for percent, _, what in triggers if what == action)


def _user_cell(_session: Session, item: AccountObject, column: str) -> Any:
    if column == "has_rsa_public_key":
        return _text("RSA_PUBLIC_KEY" in item.properties)
    return (
        item.name
        if column in {"login_name", "display_name"} and column.upper() not in item.properties
        else None
    )


def describe(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE INTEGRATION, WAREHOUSE and USER."""
    stream = TokenStream(statement.sql)
    stream.take()
    kind = _kind(stream)
    name = stream.identifier()
    stream.end()
    found = session.account.access.require(kind.name, name)
    if kind is INTEGRATION:
        columns = ("property", "property_type", "property_value", "property_default")
        return result_set.rows_result(
            [(column, "text") for column in columns], _integration_rows(found), result_set.DESCRIBE
        )
    if kind is WAREHOUSE:
        return result_set.rows_result(
            (("created_on", "timestamp_ltz"), ("name", "text"), ("kind", "text")),
            [(found.created_on, found.name, "WAREHOUSE")],
            result_set.DESCRIBE,
        )
    if kind is USER:
        columns = ("property", "value", "default", "description")
        rows = [("NAME", found.name, None, None), ("COMMENT", found.comment, None, None)]
        rows += [
            (option, _text(value), None, None)
            for option, value in found.properties.items()
            if option not in {"PASSWORD", "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"}
        ]
        return result_set.rows_result([(column, "text") for column in columns], rows, result_set.DESCRIBE)
    raise unsupported(f"DESCRIBE {kind.name}")


def _integration_rows(found: AccountObject) -> list[tuple[str, str, str, str]]:
    properties = found.properties
    return [
        ("ENABLED", "Boolean", _text(properties.get("ENABLED", False)), "false"),
        ("STORAGE_PROVIDER", "String", _text(properties["STORAGE_PROVIDER"]).upper(), ""),
        ("STORAGE_ALLOWED_LOCATIONS", "List", _text(properties["STORAGE_ALLOWED_LOCATIONS"]), "[]"),
        ("STORAGE_BLOCKED_LOCATIONS", "List", _text(properties.get("STORAGE_BLOCKED_LOCATIONS", ())), "[]"),
        ("STORAGE_AWS_IAM_USER_ARN", "String", IAM_USER_ARN, ""),
        ("STORAGE_AWS_ROLE_ARN", "String", _text(properties["STORAGE_AWS_ROLE_ARN"]), ""),
        ("STORAGE_AWS_EXTERNAL_ID", "String", _text(properties["STORAGE_AWS_EXTERNAL_ID"]), ""),
        ("COMMENT", "String", found.comment, ""),
    ]


# The IAM user as which Snowflake would assume the integration's role; it exists nowhere, the local lake asks nobody.
IAM_USER_ARN = "arn:aws:iam::000000000000:user/local-snowflake"
