"""SHOW and DESCRIBE of roles, users, warehouses, storage integrations and resource monitors.

Sources: Snowflake documentation, "DESCRIBE INTEGRATION" and the SHOW command of each kind.
"""

from typing import Any

from movie_platform.local_cloud.snowflake.errors import unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.access_store import AccountObject
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.storage_access import IAM_USER_ARN
from movie_platform.local_cloud.snowflake.state.user_keys import fingerprint, read_public_key
from movie_platform.local_cloud.snowflake.statements.account_kinds import (
    INTEGRATION,
    KINDS,
    KINDS_AS_WRITTEN,
    SIZES,
    USER,
    WAREHOUSE,
)
from movie_platform.local_cloud.snowflake.statements.authorizing import require, sees
from movie_platform.local_cloud.snowflake.statements.named_objects import read_describe
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import matches_like
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


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
        if (pattern is None or matches_like(pattern, item.name))
        # Roles and users are no secret; of the rest one sees what one has a privilege on.
        and (kind.name in {"ROLE", "USER"} or sees(session, Securable(kind.name, item.name)))
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
        "size": SIZES[str(properties.get("WAREHOUSE_SIZE", "XSMALL")).upper()],
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


# What describing an object takes, beside owning it.
_DESCRIBING = {"INTEGRATION": ("USAGE",), "WAREHOUSE": ("USAGE", "MONITOR", "OPERATE", "MODIFY")}


def describe(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE INTEGRATION, WAREHOUSE and USER."""
    stream = TokenStream(statement.sql)
    kind = KINDS_AS_WRITTEN[read_describe(stream, *KINDS_AS_WRITTEN)]
    name = stream.identifier()
    stream.end()
    found = session.account.access.require(kind.name, name)
    if kind is not USER or name != session.user:
        require(session, Securable(kind.name, name), *_DESCRIBING.get(kind.name, ("MONITOR",)))
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
        rows += [
            (f"{option}_FP", fingerprint(key), None, None)
            for option in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
            if (key := read_public_key(str(found.properties.get(option, "")))) is not None
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
