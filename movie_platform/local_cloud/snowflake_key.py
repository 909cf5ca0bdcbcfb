"""The key pair with which clients sign in to the local Snowflake, as they do to the real one."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from movie_platform.local_cloud.files import write_atomically


def ensure_private_key(path: Path) -> None:
    """Make an RSA key (PKCS #8, PEM, readable by its owner only) unless the file is there."""
    if path.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(path, pem)
