"""The keys of the platform's users: what Snowflake is told of a key, and into which of a user's two places it goes.

Source: Snowflake documentation, "Key-pair authentication and key-pair rotation"
(docs.snowflake.com/en/user-guide/key-pair-auth).
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from movie_platform.errors import ConfigurationError, PlatformError

PLACES = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")


class KeyPlacesTakenError(PlatformError):
    """A user has two keys already, and neither is the one that the settings name."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as `RSA_PUBLIC_KEY` takes it, and as DESC USER shows it (`RSA_PUBLIC_KEY_FP`)."""

    text: str
    fingerprint: str


def public_key(path: Path, passphrase: str | None = None) -> PublicKey:
    """The public key of a PEM file, which may hold the private one.

    Raises ConfigurationError for a file that is not there or holds no RSA key.
    """
    try:
        pem = path.read_bytes()
        private = b"PRIVATE KEY" in pem
        key = (
            load_pem_private_key(pem, password=None if passphrase is None else passphrase.encode())
            if private
            else load_pem_public_key(pem)
        )
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            "key_not_readable",
            f"{path} cannot be read as a key: {error}",
            "Name a PEM file, and its passphrase where it has one.",
        ) from error
    public = key.public_key() if isinstance(key, RSAPrivateKey) else key
    if not isinstance(public, RSAPublicKey):
        raise ConfigurationError("key_not_rsa", f"{path} holds no RSA key.", "Snowflake takes RSA keys.")
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = base64.b64encode(hashlib.sha256(der).digest()).decode()
    return PublicKey(base64.b64encode(der).decode(), f"SHA256:{digest}")


def place_for(user: str, key: PublicKey, fingerprints: Mapping[str, str]) -> str | None:
    """Where a key goes; None where the user has it. `fingerprints` are those of the keys there, by their place.

    A key that is there already is never replaced: whoever signs in with it goes on.
    Raises KeyPlacesTakenError where both places hold others.
    """
    if key.fingerprint in fingerprints.values():
        return None
    free = next((place for place in PLACES if not fingerprints.get(place)), None)
    if free is None:
        raise KeyPlacesTakenError(
            "key_places_taken",
            f"The Snowflake user {user} has two keys, and neither is the one that the settings name.",
            f"Take away the one that nobody uses any more: ALTER USER {user} UNSET RSA_PUBLIC_KEY",
        )
    return free
