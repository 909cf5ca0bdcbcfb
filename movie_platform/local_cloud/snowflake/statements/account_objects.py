"""CREATE, ALTER and DROP of roles, users, warehouses, storage integrations and resource monitors.

Sources: Snowflake documentation, "CREATE ROLE", "CREATE USER", "CREATE WAREHOUSE", "CREATE STORAGE INTEGRATION",
"CREATE RESOURCE MONITOR".
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    compilation_error,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.access_store import SYSTEM_ROLES
from movie_platform.local_cloud.snowflake.state.privileges import ACCOUNT, OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.state.user_keys import read_public_key
from movie_platform.local_cloud.snowflake.statements.account_kinds import (
    INTEGRATION,
    KINDS_AS_WRITTEN,
    MONITOR,
    ROLE,
    SIZES,
    USER,
    WAREHOUSE,
    AccountKind,
)
from movie_platform.local_cloud.snowflake.statements.altering_account_objects import alter_to
from movie_platform.local_cloud.snowflake.statements.authorizing import (
    require,
    require_administrator,
    require_to_create,
)
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    created,
    dropped,
    read_alter,
    read_create,
    read_drop,
    stays,
)
from movie_platform.local_cloud.snowflake.statements.parameters import set_for_user
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.session_parameters import PARAMETERS
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value


def _properties(stream: TokenStream, kind: AccountKind) -> dict[str, Value]:
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
    """CREATE [OR REPLACE] <kind> [IF NOT EXISTS] name properties; CREATE OR ALTER WAREHOUSE and ROLE."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, *KINDS_AS_WRITTEN)
    kind = KINDS_AS_WRITTEN[creation.kind]
    name = stream.identifier()
    properties: dict[str, Any] = _properties(stream, kind)
    stream.end()
    access = session.account.access
    # "CREATE OR ALTER <object>": who alters needs to own, not to create.
    if not creation.alter or access.find(kind.name, name) is None:
        _require_to_create(session, kind)
    if access.find(kind.name, name) is not None and creation.if_not_exists:
        return stays(name)
    if access.find(kind.name, name) is not None and (creation.replace or creation.alter):
        require(session, Securable(kind.name, name), OWNERSHIP)
    comment = str(properties.pop("COMMENT", ""))
    _check(session, kind, properties)
    found = access.find(kind.name, name) if creation.alter else None
    if found is not None:
        return alter_to(session, found, comment, properties)
    if kind is INTEGRATION:
        # Snowflake makes a new external ID with each CREATE: the role's trust must be told of it.
        token = base64.b64encode(secrets.token_bytes(24)).decode()
        properties.setdefault("STORAGE_AWS_EXTERNAL_ID", f"{session.account.name}_SFCRole=2_{token}")
    session.outside_transaction()
    parameters = _take_parameters(kind, properties)
    if kind is USER:
        session.account.parameters.forget_user(name)
        set_for_user(session, name, parameters)
    access.create(kind.name, name, session.role, comment, properties, replace=creation.replace)
    if kind is WAREHOUSE:
        # A new warehouse becomes the session's, as on Snowflake.
        session.warehouse = name
    access.created(kind.name, name, session.role)
    return created(kind.name, name)


def _take_parameters(kind: AccountKind, properties: dict[str, Any]) -> dict[str, Any]:
    # A user's session parameters are kept with the account's, not with what describes the user.
    if kind is not USER:
        return {}
    return {name: properties.pop(name) for name in list(properties) if name in PARAMETERS}


def _require_to_create(session: Session, kind: AccountKind) -> None:
    if kind is MONITOR:
        # "CREATE RESOURCE MONITOR": account administrators alone.
        require_administrator(session)
    else:
        require_to_create(session, ACCOUNT, f"CREATE {kind.name}")


def _check(session: Session, kind: AccountKind, properties: Mapping[str, Any]) -> None:
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
    if size is not None and str(size).upper() not in SIZES:
        raise invalid_value(str(size), "WAREHOUSE_SIZE")
    for option in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        if properties.get(option) is not None and read_public_key(str(properties[option])) is None:
            raise invalid_value(str(properties[option])[:40], option)
    monitor = properties.get("RESOURCE_MONITOR")
    if monitor is not None and str(monitor).upper() != "NULL":
        # "Working with resource monitors": account administrators alone give one to a warehouse.
        require_administrator(session)
        session.account.access.require("RESOURCE MONITOR", str(monitor).upper())


def alter(session: Session, statement: Statement) -> result_set.Result:
    """ALTER <kind> [IF EXISTS] name SET … / UNSET …, and SUSPEND / RESUME of warehouses."""
    stream = TokenStream(statement.sql)
    reference = read_alter(stream, *KINDS_AS_WRITTEN)
    kind = KINDS_AS_WRITTEN[reference.kind]
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
        return replace(reference, kind=kind.name).alter_missing(name)
    _require_to_alter(session, kind, name, changes)
    comment = changes.pop("COMMENT", None)
    _check(session, kind, changes if kind is not INTEGRATION else {**found.properties, **changes})
    session.outside_transaction()
    parameters = _take_parameters(kind, changes)
    if kind is USER:
        set_for_user(session, name, parameters)
    access.alter(found, comment=None if comment is None else str(comment), properties=changes)
    return result_set.done()


def _require_to_alter(session: Session, kind: AccountKind, name: str, changes: Mapping[str, Any]) -> None:
    # "Access control privileges": what of each kind may be changed without owning it.
    if kind is WAREHOUSE:
        privilege = "OPERATE" if "STATE" in changes else "MODIFY"
    else:
        privilege = "MODIFY" if kind is MONITOR else OWNERSHIP
    require(session, Securable(kind.name, name), privilege)


def drop(session: Session, statement: Statement) -> result_set.Result:
    """DROP <kind> [IF EXISTS] name."""
    stream = TokenStream(statement.sql)
    reference = read_drop(stream, *KINDS_AS_WRITTEN)
    kind = KINDS_AS_WRITTEN[reference.kind]
    name = stream.identifier()
    stream.end()
    access = session.account.access
    if kind is ROLE and name in SYSTEM_ROLES:
        raise SnowflakeError(
            3001, "42501", f"SQL access control error:\nThe system role {name} cannot be dropped."
        )
    if access.find(kind.name, name) is None:
        return replace(reference, kind=kind.name).drop_missing(name, name)
    require(session, Securable(kind.name, name), OWNERSHIP)
    session.outside_transaction()
    access.drop(kind.name, name, session.role)
    if kind is USER:
        session.account.parameters.forget_user(name)
    return dropped(name)
