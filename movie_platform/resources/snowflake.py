"""The Dagster resource of Snowflake; `snowflake_connection` opens the sessions, without Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from movie_platform.resources.secrets import secret_config
from movie_platform.resources.snowflake_connection import (
    APPLICATION,
    BindValues,
    SnowflakeAccess,
    connect,
    query_rows,
)
from movie_platform.settings import Settings

if TYPE_CHECKING:
    from dagster_snowflake import SnowflakeResource
    from snowflake.connector import SnowflakeConnection

__all__ = ["WarehouseResource", "connect", "query_rows"]


class WarehouseResource(dg.ConfigurableResource):
    """Snowflake as the settings describe it.

    `connect` and `query` open the connector's own sessions, because importing dagster_snowflake costs a step
    process several seconds; `snowflake_resource` is the same connection as dagster_snowflake's resource for
    code that wants its SQL clients, Snowpark or I/O managers.
    """

    account: str = Field(description="Account identifier.")
    user: str = Field(description="User; it signs in with a key pair.")
    warehouse: str = Field(description="Virtual warehouse.")
    database: str = Field(description="Database.")
    private_key_path: str | None = Field(default=None, description="PEM file of the private key.")
    private_key_passphrase: str | None = Field(
        default=None,
        description="Passphrase of that file.",
        json_schema_extra={"dagster__is_secret": True},
    )
    role: str | None = Field(default=None, description="Role of the sessions.")
    host: str | None = Field(default=None, description="Host; derived from the account where it is not set.")
    port: int | None = Field(default=None, description="Port.")
    protocol: str = Field(default="https", description="Protocol of the connector.")
    network_timeout: int = Field(default=120, description="Seconds until a request is given up.")

    @classmethod
    def from_settings(cls, settings: Settings) -> "WarehouseResource":
        """The resource for these settings; secrets of environment variables are passed by name."""
        key = settings.snowflake_private_key_path
        return cls(
            account=settings.snowflake_account,
            user=settings.snowflake_user,
            warehouse=settings.snowflake_warehouse,
            database=settings.snowflake_database,
            private_key_path=None if key is None else str(key),
            private_key_passphrase=secret_config(settings, "snowflake_private_key_passphrase"),
            role=settings.snowflake_role or settings.snowflake_loader_role,
            host=settings.snowflake_host,
            port=settings.snowflake_port,
            protocol=settings.snowflake_protocol,
            network_timeout=settings.snowflake_network_timeout,
        )

    @property
    def access(self) -> SnowflakeAccess:
        """The connection's parameters without Dagster."""
        return SnowflakeAccess(
            account=self.account,
            user=self.user,
            warehouse=self.warehouse,
            database=self.database,
            private_key_path=self.private_key_path,
            private_key_passphrase=self.private_key_passphrase,
            role=self.role,
            host=self.host,
            port=self.port,
            protocol=self.protocol,
            network_timeout=self.network_timeout,
        )

    @contextmanager
    def connect(
        self, *, query_tag: str = APPLICATION, role: str | None = None
    ) -> "Iterator[SnowflakeConnection]":
        """A session, closed at the end of the block; an open transaction is rolled back.

        `role` replaces the resource's own where it is given.
        """
        access = self.access if role is None else replace(self.access, role=role)
        connection = access.connect(query_tag=query_tag)
        try:
            yield connection
        finally:
            connection.close()

    def query(
        self, sql: str, values: BindValues | None = None, *, query_tag: str = APPLICATION
    ) -> Iterator[dict[str, Any]]:
        """Rows of one query as dictionaries by lower-case column name, streamed from a session of its own."""
        with self.connect(query_tag=query_tag) as connection:
            yield from query_rows(connection, sql, values)

    def snowflake_resource(self) -> "SnowflakeResource":
        """The same connection as a `dagster_snowflake.SnowflakeResource`."""
        # Takes seconds, and hardly anybody asks for it.
        from dagster_snowflake import SnowflakeResource

        arguments = self.access.arguments(query_tag=APPLICATION)
        own = {
            name: arguments.pop(name)
            for name in (
                "account",
                "user",
                "role",
                "warehouse",
                "database",
                "login_timeout",
                "network_timeout",
            )
            if name in arguments
        }
        # The key is passed with the other arguments: in a field of its own the resource would read the file
        # itself, and its authenticator field would then not be the key pair's.
        authenticator = arguments.pop("authenticator")
        return SnowflakeResource(
            **own, authenticator=authenticator, additional_snowflake_connection_args=arguments
        )
