"""Login: key-pair authentication as the connector does it (a JWT signed with the user's private key).

Who logs in is a user of the account, with a key whose public half is the user's RSA_PUBLIC_KEY or RSA_PUBLIC_KEY_2.
Source: Snowflake documentation, "Key-pair authentication and key-pair rotation"
(docs.snowflake.com/en/user-guide/key-pair-auth).
"""

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.state.access_store import AccessStore, AccountObject
from movie_platform.local_cloud.snowflake.state.user_keys import fingerprint, read_public_key

_KEYS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")


class Authenticator:
    """Decides who may log in."""

    def __init__(self, access: AccessStore) -> None:
        self._access = access

    def login(self, data: dict[str, Any]) -> AccountObject:
        """The user for the `data` of a login request.

        Raises SnowflakeError 390100 (no key-pair login), 390101 (a disabled user) or 390144 (a token that is not valid,
        a user that does not exist or has no key).
        """
        if data.get("AUTHENTICATOR") != "SNOWFLAKE_JWT":
            raise SnowflakeError(
                390100,
                "08001",
                "Incorrect username or password was specified: this account takes key pairs only.",
            )
        name = str(data.get("LOGIN_NAME") or "").upper()
        user = next((found for found in self._access.objects("USER") if _login_name(found) == name), None)
        keys = (
            []
            if user is None
            else [read_public_key(str(user.properties.get(option, ""))) for option in _KEYS]
        )
        # The same answer for no user, no key and a wrong key: whoever guesses is told nothing.
        if user is None or not any(
            key is not None and _signed(str(data.get("TOKEN") or ""), key, name) for key in keys
        ):
            raise SnowflakeError(390144, "08001", "JWT token is invalid.")
        if user.properties.get("DISABLED") is True:
            raise SnowflakeError(
                390101, "08001", "User access disabled. Contact your local system administrator."
            )
        return user


def _login_name(user: AccountObject) -> str:
    return str(user.properties.get("LOGIN_NAME", user.name)).upper()


def _signed(token: str, key: RSAPublicKey, user: str) -> bool:
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"], options={"require": ["iss", "sub", "exp"]})
    except jwt.PyJWTError:
        return False
    subject = str(claims["sub"])
    return subject.rpartition(".")[2].upper() == user and claims["iss"] == f"{subject}.{fingerprint(key)}"
