"""Secrets that a profile names and never writes: resolved when used, absent from everything that is printed."""

import json

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from movie_platform.settings import Settings, resolve_environment_secret
from movie_platform.sources.aws_clients import client
from movie_platform.sources.source_errors import SourceAuthenticationError, SourceUnavailable


class SecretReference(BaseModel):
    """Where a secret lies: `{ env = "NAME" }`, or `{ secret = "name" }` in AWS Secrets Manager.

    `field` picks one string of a secret that is a JSON object.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = Field(default=None, min_length=1)
    secret: str | None = Field(default=None, min_length=1)
    field: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> "SecretReference":
        if (self.env is None) == (self.secret is None):
            raise ValueError('a secret is named by either { env = "NAME" } or { secret = "name" }')
        if self.field is not None and self.secret is None:
            raise ValueError("`field` belongs to `secret`")
        return self

    def describe(self) -> str:
        """The reference as text: where the secret lies, not what it is."""
        if self.env is not None:
            return f"env:{self.env}"
        return f"secret:{self.secret}" + (f"#{self.field}" if self.field else "")


def resolve(reference: SecretReference, settings: Settings) -> SecretStr:
    """The secret's value.

    Raises SourceAuthenticationError when it does not exist or may not be read, SourceUnavailable when Secrets
    Manager does not answer.
    """
    if reference.env is not None:
        value = resolve_environment_secret(reference.env)
        if value is None:
            raise SourceAuthenticationError(
                f"the environment variable {reference.env!r}, which the profile names as a secret, is not set. "
                "Set it where Dagster runs."
            )
        return value
    return _from_secrets_manager(reference, settings)


def _from_secrets_manager(reference: SecretReference, settings: Settings) -> SecretStr:
    # Here, because whoever reads a profile imports this module, and botocore takes longer than all else in it.
    import botocore.exceptions

    where = f"the secret {reference.secret!r} in AWS Secrets Manager ({settings.aws_region})"
    try:
        answer = client(settings, "secretsmanager").get_secret_value(SecretId=str(reference.secret))
    except botocore.exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise SourceAuthenticationError(
            f"{where} could not be read ({code}). Create it, or allow the role that runs Dagster "
            "secretsmanager:GetSecretValue on it."
        ) from error
    except botocore.exceptions.BotoCoreError as error:
        raise SourceUnavailable(f"{where} could not be reached: {error}") from error
    text = answer.get("SecretString")
    if text is None:
        raise SourceAuthenticationError(f"{where} is binary; store it as text.")
    if reference.field is None:
        return SecretStr(text)
    try:
        value = json.loads(text)[reference.field]
    except (ValueError, KeyError, TypeError):
        # The text is the secret: no part of it may reach the message or the traceback.
        value = None
    if not isinstance(value, str):
        raise SourceAuthenticationError(f"{where} has no text field {reference.field!r}.")
    return SecretStr(value)
