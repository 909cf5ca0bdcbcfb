"""Public keys of users, as RSA_PUBLIC_KEY holds them: the PEM file's text without its first and last line.

Source: Snowflake documentation, "Key-pair authentication and key-pair rotation"
(docs.snowflake.com/en/user-guide/key-pair-auth).
"""

import base64
import binascii
import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)


def read_public_key(text: str) -> RSAPublicKey | None:
    """The key that RSA_PUBLIC_KEY holds; None where it holds none."""
    try:
        key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def public_key_text(pem: bytes) -> str | None:
    """What RSA_PUBLIC_KEY holds for the key of a PEM file, private or public; None where that is no RSA key."""
    private = b"PRIVATE KEY" in pem
    key = load_pem_private_key(pem, password=None) if private else load_pem_public_key(pem)
    public = key.public_key() if isinstance(key, RSAPrivateKey) else key
    return base64.b64encode(_der(public)).decode() if isinstance(public, RSAPublicKey) else None


def fingerprint(key: RSAPublicKey) -> str:
    """What Snowflake shows of a key (RSA_PUBLIC_KEY_FP), and what a token names as its issuer."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_der(key)).digest()).decode()


def _der(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
