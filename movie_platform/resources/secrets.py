"""How a secret of the settings becomes a value of a Dagster resource."""

from typing import Any, Literal

import dagster as dg

from movie_platform.settings import Settings

SecretField = Literal["aws_secret_access_key", "snowflake_private_key_passphrase"]


def secret_config(settings: Settings, field: SecretField) -> Any:
    """A `dg.EnvVar` where an environment variable holds the secret, so that the UI shows its name and not its
    value.

    Otherwise the value itself (what a local cloud made up for its own home), or None where the secret is not
    set.
    """
    secret = getattr(settings, field)
    if secret is None:
        return None
    variable = settings.environment_variable(field)
    return secret.get_secret_value() if variable is None else dg.EnvVar(variable)
