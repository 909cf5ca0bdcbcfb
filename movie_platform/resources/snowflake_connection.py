"""How sessions with Snowflake are opened and read: key pair, timeouts, query tag. No Dagster here.

The connector is imported when the first session is opened.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from movie_platform.errors import ConfigurationError, PlatformError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr
    from snowflake.connector import SnowflakeConnection

    from movie_platform.settings import Settings

APPLICATION = "MoviePlatform"
LOGIN_TIMEOUT_SECONDS = 30
FETCH_ROWS = 10_000
# Snowflake's own limit for QUERY_TAG.
QUERY_TAG_CHARACTERS = 2000

BindValues = Sequence[Any] | dict[str, Any]
# Whose key a session is opened with.
Login = Literal["orchestrator", "deployer", "administrator"]


class WarehouseUnavailableError(PlatformError):
    """Snowflake could not be reached or refused the session."""


def _identity(settings: "Settings", login: Login) -> "tuple[str, Path | None, SecretStr | None]":
    match login:
        case "orchestrator":
            return (
                settings.snowflake_user,
                settings.snowflake_private_key_path,
                settings.snowflake_private_key_passphrase,
            )
        case "deployer":
            return (
                settings.snowflake_deployer_user,
                settings.snowflake_deployer_private_key_path,
                settings.snowflake_deployer_private_key_passphrase,
            )
        case "administrator":
            if settings.snowflake_admin_user is None:
                raise ConfigurationError(
                    "snowflake_admin_missing",
                    "No administrator of the Snowflake account is configured.",
                    "Set MOVIE_PLATFORM_SNOWFLAKE_ADMIN_USER and MOVIE_PLATFORM_SNOWFLAKE_ADMIN_PRIVATE_KEY_PATH.",
                )
            return (
                settings.snowflake_admin_user,
                settings.snowflake_admin_private_key_path,
                settings.snowflake_admin_private_key_passphrase,
            )


def _role(settings: "Settings", login: Login) -> str:
    match login:
        case "orchestrator":
            return settings.snowflake_analyst_role
        case "deployer":
            return settings.snowflake_deployer_role
        case "administrator":
            return settings.snowflake_admin_role


@dataclass(frozen=True, slots=True)
class SnowflakeAccess:
    """Where Snowflake is, who asks and with which key; times in seconds."""

    account: str
    user: str
    warehouse: str
    database: str
    private_key_path: "Path | str | None" = None
    private_key_passphrase: str | None = field(default=None, repr=False)
    role: str | None = None
    host: str | None = None
    port: int | None = None
    protocol: str = "https"
    network_timeout: int = 120

    @classmethod
    def of(
        cls, settings: "Settings", *, role: str | None = None, login: Login = "orchestrator"
    ) -> "SnowflakeAccess":
        """What the settings say of one of their users.

        Without a role it is the one that belongs to the user's work: the orchestrator's user then reads, with the role
        that may read everything and the readers' warehouse.
        """
        user, key, passphrase = _identity(settings, login)
        reads = role is None and login == "orchestrator"
        return cls(
            account=settings.snowflake_account,
            user=user,
            warehouse=settings.snowflake_readers_warehouse if reads else settings.snowflake_warehouse,
            database=settings.snowflake_database,
            private_key_path=key,
            private_key_passphrase=None if passphrase is None else passphrase.get_secret_value(),
            role=role or _role(settings, login),
            host=settings.snowflake_host,
            port=settings.snowflake_port,
            protocol=settings.snowflake_protocol,
            network_timeout=settings.snowflake_network_timeout,
        )

    def arguments(self, *, query_tag: str) -> dict[str, Any]:
        """Arguments of `snowflake.connector.connect`. Raises ConfigurationError where no private key is
        configured.
        """
        if self.private_key_path is None:
            raise ConfigurationError(
                "snowflake_private_key_missing",
                f"No private key is configured for the Snowflake user {self.user}.",
                "Set MOVIE_PLATFORM_SNOWFLAKE_PRIVATE_KEY_PATH to the PEM file of the user's private key"
                " (with a local cloud: start it with `movie-platform cloud up`).",
            )
        optional = {
            "role": self.role,
            "host": self.host,
            "port": self.port,
            "private_key_file_pwd": self.private_key_passphrase,
        }
        return {
            "account": self.account,
            "user": self.user,
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": str(self.private_key_path),
            "warehouse": self.warehouse,
            "database": self.database,
            "protocol": self.protocol,
            "application": APPLICATION,
            "login_timeout": LOGIN_TIMEOUT_SECONDS,
            "network_timeout": self.network_timeout,
            "socket_timeout": self.network_timeout,
            # Otherwise each new session asks the metadata addresses of three cloud providers where it runs.
            "platform_detection_timeout_seconds": 0.0,
            "session_parameters": {
                "QUERY_TAG": query_tag[:QUERY_TAG_CHARACTERS],
                "TIMEZONE": "UTC",
                "CLIENT_TELEMETRY_ENABLED": False,
            },
            **{name: value for name, value in optional.items() if value is not None},
        }

    def connect(self, *, query_tag: str = APPLICATION) -> "SnowflakeConnection":
        """A new session; the caller closes it. Raises ConfigurationError and WarehouseUnavailableError."""
        # Takes a second, which processes that load this module and ask Snowflake nothing are spared.
        import snowflake.connector

        arguments = self.arguments(query_tag=query_tag)
        where = f"{self.protocol}://{self.host or self.account}" + (f":{self.port}" if self.port else "")
        try:
            return _with_one_role(snowflake.connector.connect(**arguments))
        except FileNotFoundError as error:
            raise ConfigurationError(
                "snowflake_private_key_missing",
                f"The private key file {self.private_key_path} is not there.",
                "Set MOVIE_PLATFORM_SNOWFLAKE_PRIVATE_KEY_PATH to an existing PEM file.",
            ) from error
        except snowflake.connector.errors.Error as error:
            raise WarehouseUnavailableError(
                "warehouse_unavailable",
                f"No session with Snowflake at {where} as user {self.user}: {error}",
                "Check the account, the user's public key, its role and the network"
                " (with a local cloud: `movie-platform cloud status`).",
            ) from error


def _with_one_role(connection: "SnowflakeConnection") -> "SnowflakeConnection":
    """The session without secondary roles: what its user might do besides is no part of its rights."""
    with connection.cursor() as cursor:
        cursor.execute("USE SECONDARY ROLES NONE")
    return connection


def connect(
    settings: "Settings",
    *,
    role: str | None = None,
    login: Login = "orchestrator",
    query_tag: str = APPLICATION,
) -> "SnowflakeConnection":
    """A new Snowflake session for these settings; a context manager that closes it.

    Without a role the orchestrator's user reads, and any other user has the role of its work.
    Raises ConfigurationError and WarehouseUnavailableError.
    """
    return SnowflakeAccess.of(settings, role=role, login=login).connect(query_tag=query_tag)


def query_rows(
    connection: "SnowflakeConnection", sql: str, values: BindValues | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of a query as dictionaries by lower-case column name, fetched in chunks.

    `values` are bound to `%s` or `%(name)s`. The statement runs when the first row is asked for; errors are
    the connector's own.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name.lower() for column in cursor.description or ()]
        while rows := cursor.fetchmany(FETCH_ROWS):
            for row in rows:
                yield dict(zip(names, row, strict=True))
