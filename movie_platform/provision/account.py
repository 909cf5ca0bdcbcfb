"""What belongs to the Snowflake account: warehouses, roles, the database, the integration, users and their keys.

An administrator makes it, once: `provision` where it is given one, or somebody else with the statements that it prints.
Whoever did, `provision` looks whether it is there.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from movie_platform.errors import PlatformError
from movie_platform.provision.actual import own_parameters
from movie_platform.provision.differences import (
    losses_of_warehouse,
    own_monitors,
    own_warehouses,
    require_nothing_lost,
)
from movie_platform.provision.present import gone, objects_of_account
from movie_platform.provision.render import identifier
from movie_platform.provision.sql import (
    AppliedFile,
    Pass,
    SchemaHistory,
    SqlFile,
    execute,
    pending_files,
    run_file,
    use_warehouse,
    warehouse_exists,
)
from movie_platform.provision.user_keys import PLACES, PublicKey, place_for, public_key
from movie_platform.resources.snowflake_connection import WarehouseUnavailableError, connect, query_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr
    from snowflake.connector import SnowflakeConnection

    from movie_platform.settings import Settings

Row = Mapping[str, Any]
_WAREHOUSE = re.compile(r"CREATE WAREHOUSE IF NOT EXISTS (?P<name>\w+)")
_MONITOR = re.compile(
    r"CREATE RESOURCE MONITOR IF NOT EXISTS (?P<name>\w+)\s.*?CREDIT_QUOTA = (?P<quota>[0-9]+)", re.DOTALL
)
# Of a warehouse that is there it says nothing.
_FIRST_STATE = re.compile(r"INITIALLY_SUSPENDED = TRUE\n")
PRINT_COMMAND = "movie-platform provision --print-account-sql"


class AccountNotPreparedError(PlatformError):
    """Something that an administrator makes is not there."""


def account_files(files: Iterable[SqlFile]) -> tuple[SqlFile, ...]:
    """Those of the SQL files that are an administrator's."""
    return tuple(file for file in files if file.belongs_to is Pass.ACCOUNT)


def prepare_account(
    settings: "Settings", files: Iterable[SqlFile], *, query_tag: str, progress: Callable[[str], None]
) -> tuple[AppliedFile, ...]:
    """Applies the pending files of the account as the configured administrator, and gives the users their keys.

    Gives what was applied, to be noted by who may write the history. Does nothing without an administrator.
    """
    if settings.snowflake_admin_user is None:
        return ()
    applied: list[AppliedFile] = []
    with connect(settings, login="administrator", query_tag=query_tag) as session:
        known: Mapping[str, str] = {}
        if warehouse_exists(session, settings.snowflake_warehouse):
            use_warehouse(session, settings.snowflake_warehouse)
            known = SchemaHistory(session, settings.snowflake_database).applied()
        ours = account_files(files)
        pending = pending_files(ours, known)
        lost = gone(
            (text for file in ours if file not in pending for text in file.statements),
            objects_of_account(session),
        )
        if lost:
            progress(f"snowflake: gone since it was made: {', '.join(lost)}; it is made again")
            pending = ours
        for file in pending:
            progress(f"snowflake: {file.name}")
            began = time.monotonic()
            follow = list(_following(session, file))
            run_file(session, file)
            for statement in follow:
                execute(session, statement)
            applied.append(AppliedFile(file, time.monotonic() - began))
        for user, key in _keys(settings):
            place = place_for(user, key, _fingerprints(session, user))
            if place is not None:
                progress(f"snowflake: {place} of {user}")
                execute(session, _key_statement(user, place, key))
    return tuple(applied)


def _following(session: "SnowflakeConnection", file: SqlFile) -> Iterator[str]:
    """The statements that make this platform's own warehouses and monitors what the file says, where they are there.

    Others of such names stay as they are: the file itself makes only what is missing. Raises WouldLoseError where a
    warehouse has something that the file does not name.
    """
    shown = list(query_rows(session, "SHOW WAREHOUSES"))
    warehouses, monitors = own_warehouses(shown), own_monitors(shown)
    for statement in file.statements:
        warehouse = _WAREHOUSE.match(statement)
        if warehouse is not None and warehouse["name"] in warehouses:
            name = warehouse["name"]
            row = next(row for row in shown if row["name"] == name)
            losses = losses_of_warehouse(statement, row, sorted(own_parameters(session, "WAREHOUSE", name)))
            require_nothing_lost(file.name, losses)
            yield _FIRST_STATE.sub(
                "", statement.replace("CREATE WAREHOUSE IF NOT EXISTS", "CREATE OR ALTER WAREHOUSE")
            )
        monitor = _MONITOR.match(statement)
        if monitor is not None and monitor["name"] in monitors:
            yield f"ALTER RESOURCE MONITOR {monitor['name']} SET CREDIT_QUOTA = {monitor['quota']}"


def account_sql(settings: "Settings", files: Iterable[SqlFile]) -> str:
    """The statements for an administrator: idempotent, as a script."""
    parts = [
        f"-- {file.name}\n" + "\n\n".join(f"{text};" for text in file.statements)
        for file in account_files(files)
    ]
    known = dict(_keys(settings))
    keys = [f"{_key_statement(user, PLACES[0], key)};" for user, key in known.items()]
    keys += [
        f"-- ALTER USER {user} SET RSA_PUBLIC_KEY = '…';  the key of this user is not known here"
        for user in _users(settings)
        if user not in known
    ]
    return "\n\n".join([*parts, "-- keys\n" + "\n\n".join(keys)]) + "\n"


def connect_deployer(settings: "Settings", *, query_tag: str) -> "SnowflakeConnection":
    """A session of the deployer.

    Raises AccountNotPreparedError where there is no such user or role yet and nobody here who makes them.
    """
    try:
        return connect(settings, login="deployer", query_tag=query_tag)
    except WarehouseUnavailableError as error:
        if settings.snowflake_admin_user is not None:
            raise
        raise AccountNotPreparedError(
            "account_not_prepared",
            f"The deployer cannot sign in, and no administrator is configured: {error.message}",
            f"Have an administrator of the account run what `{PRINT_COMMAND}` prints; then provision again.",
        ) from error


def require_prepared(connection: "SnowflakeConnection", settings: "Settings") -> None:
    """Looks whether the account is as its files make it.

    Raises AccountNotPreparedError, which names what is missing.
    """
    database, warehouse = identifier(settings.snowflake_database), identifier(settings.snowflake_warehouse)
    found = [
        *missing(
            "warehouse",
            (warehouse, f"{warehouse}_READERS"),
            query_rows(connection, f"SHOW WAREHOUSES LIKE '{warehouse}%'"),
        ),
        *missing("database", (database,), query_rows(connection, f"SHOW DATABASES LIKE '{database}'")),
        *missing(
            "storage integration",
            (f"{database}_ARCHIVE",),
            query_rows(connection, f"SHOW STORAGE INTEGRATIONS LIKE '{database}_ARCHIVE'"),
        ),
        *missing_grants(
            settings.snowflake_transformer_role,
            {("EXECUTE TASK", "ACCOUNT")},
            query_rows(connection, f"SHOW GRANTS TO ROLE {identifier(settings.snowflake_transformer_role)}"),
        ),
    ]
    for role in (
        settings.snowflake_loader_role,
        settings.snowflake_transformer_role,
        settings.snowflake_analyst_role,
    ):
        holders = {
            str(row["grantee_name"]).upper()
            for row in query_rows(connection, f"SHOW GRANTS OF ROLE {identifier(role)}")
            if row["granted_to"] == "USER"
        }
        if settings.snowflake_user.upper() not in holders:
            found.append(f"user {settings.snowflake_user} does not hold {role}")
    if found:
        raise AccountNotPreparedError(
            "account_not_prepared",
            f"The Snowflake account is not prepared: {'; '.join(found)}.",
            f"Have an administrator of the account run what `{PRINT_COMMAND}` prints; then provision again.",
        )


def missing(kind: str, names: Iterable[str], shown: Iterable[Row]) -> list[str]:
    """Which of the names SHOW does not show."""
    there = {str(row["name"]).upper() for row in shown}
    return [f"{kind} {name} is missing" for name in names if name not in there]


def missing_grants(role: str, wanted: Iterable[tuple[str, str]], shown: Iterable[Row]) -> list[str]:
    """Which privileges, as pairs of privilege and kind of object, SHOW GRANTS does not show."""
    there = {(str(row["privilege"]), str(row["granted_on"])) for row in shown}
    return [
        f"{privilege} ON {kind} is not granted to {role}"
        for privilege, kind in wanted
        if (privilege, kind) not in there
    ]


def _users(settings: "Settings") -> "dict[str, tuple[Path | None, SecretStr | None]]":
    return {
        settings.snowflake_deployer_user.upper(): (
            settings.snowflake_deployer_private_key_path,
            settings.snowflake_deployer_private_key_passphrase,
        ),
        settings.snowflake_user.upper(): (
            settings.snowflake_private_key_path,
            settings.snowflake_private_key_passphrase,
        ),
        settings.snowflake_reader_user.upper(): (settings.snowflake_reader_public_key_path, None),
    }


def _keys(settings: "Settings") -> Iterator[tuple[str, PublicKey]]:
    """The users whose keys these settings know."""
    for user, (path, passphrase) in _users(settings).items():
        if path is not None:
            yield user, public_key(path, None if passphrase is None else passphrase.get_secret_value())


def _fingerprints(connection: "SnowflakeConnection", user: str) -> dict[str, str]:
    properties = {
        str(row["property"]).upper(): str(row["value"] or "")
        for row in query_rows(connection, f"DESC USER {identifier(user)}")
    }
    found = {place: properties.get(f"{place}_FP", "") for place in PLACES}
    return {place: value for place, value in found.items() if value.startswith("SHA256:")}


def _key_statement(user: str, place: str, key: PublicKey) -> str:
    return f"ALTER USER {identifier(user)} SET {place} = '{key.text}'"
