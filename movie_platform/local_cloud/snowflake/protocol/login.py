"""Login: key-pair authentication as the connector does it (a JWT signed with the user's private key).

Where there is a key, only a token that was signed with it is taken; where there is none, the server (which only this
machine reaches) takes any login.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from movie_platform.local_cloud.snowflake.errors import SnowflakeError

_USER = re.compile(r"[A-Z_][A-Z0-9_$.@-]{0,254}")


class Authenticator:
    """Decides who may log in."""

    def __init__(self, key_file: Path) -> None:
        self._key = _public_key(key_file) if key_file.exists() else None

    def login(self, data: dict[str, Any]) -> str:
        """The user's name (upper case) for the `data` of a login request.

        Raises SnowflakeError 390100 (no key-pair login), 390144 (a token that is not valid) or 390191 (no user).
        """
        user = str(data.get("LOGIN_NAME") or "").upper()
        if not _USER.fullmatch(user):
            raise SnowflakeError(
                390191, "08001", "User to log in is missing or has characters that no user has."
            )
        if self._key is None:
            return user
        if data.get("AUTHENTICATOR") != "SNOWFLAKE_JWT":
            raise SnowflakeError(
                390100,
                "08001",
                "Incorrect username or password was specified: this account takes key pairs only.",
            )
        self._verify(str(data.get("TOKEN") or ""), user)
        return user

    def _verify(self, token: str, user: str) -> None:
        assert self._key is not None
        try:
            claims = jwt.decode(
                token, self._key, algorithms=["RS256"], options={"require": ["iss", "sub", "exp"]}
            )
        except jwt.PyJWTError as error:
            raise SnowflakeError(390144, "08001", f"JWT token is invalid. [{error}]") from error
        der = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()
        subject = str(claims["sub"])
        if subject.rpartition(".")[2].upper() != user or claims["iss"] != f"{subject}.{fingerprint}":
            raise SnowflakeError(
                390144, "08001", "JWT token is invalid. [It was made for another user or key.]"
            )


def _public_key(path: Path) -> RSAPublicKey:
    pem = path.read_bytes()
    key = load_pem_private_key(pem, password=None) if b"PRIVATE KEY" in pem else load_pem_public_key(pem)
    if isinstance(key, RSAPrivateKey):
        return key.public_key()
    if isinstance(key, RSAPublicKey):
        return key
    raise TypeError(f"{path} holds no RSA key: delete it and start the server again")
