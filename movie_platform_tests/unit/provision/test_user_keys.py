"""What Snowflake is told of a user's key, and where the key goes."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from movie_platform.errors import ConfigurationError
from movie_platform.local_cloud.snowflake.state.user_keys import fingerprint, read_public_key
from movie_platform.provision.user_keys import KeyPlacesTakenError, PublicKey, place_for, public_key

KEY = PublicKey("MIIB", "SHA256:mine")


def write(
    path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: str | None = None
) -> Path:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()
            if passphrase is None
            else serialization.BestAvailableEncryption(passphrase.encode()),
        )
    )
    return path


def test_the_public_half_of_a_private_key_is_what_a_public_file_holds(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = tmp_path / "key.pub"
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    found = public_key(write(tmp_path / "key.p8", key))
    assert found == public_key(public) == public_key(write(tmp_path / "secret.p8", key, "secret"), "secret")
    read = read_public_key(found.text)
    assert read is not None
    assert fingerprint(read) == found.fingerprint


def test_a_file_that_is_no_rsa_key_is_named(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for path in (tmp_path / "absent.p8", write(tmp_path / "secret.p8", key, "secret")):
        with pytest.raises(ConfigurationError, match=path.name):
            public_key(path)
    with pytest.raises(ConfigurationError, match="no RSA key"):
        public_key(write(tmp_path / "ec.p8", ec.generate_private_key(ec.SECP256R1())))


@pytest.mark.parametrize(
    ("fingerprints", "place"),
    [
        ({}, "RSA_PUBLIC_KEY"),
        ({"RSA_PUBLIC_KEY": "SHA256:mine"}, None),
        ({"RSA_PUBLIC_KEY_2": "SHA256:mine"}, None),
        ({"RSA_PUBLIC_KEY": "SHA256:old"}, "RSA_PUBLIC_KEY_2"),
        ({"RSA_PUBLIC_KEY_2": "SHA256:old"}, "RSA_PUBLIC_KEY"),
    ],
)
def test_a_key_goes_where_none_is_so_that_the_old_one_still_opens(
    fingerprints: dict[str, str], place: str | None
) -> None:
    assert place_for("ANN", KEY, fingerprints) == place


def test_a_third_key_takes_no_others_place() -> None:
    with pytest.raises(KeyPlacesTakenError, match="ANN has two keys"):
        place_for("ANN", KEY, {"RSA_PUBLIC_KEY": "SHA256:a", "RSA_PUBLIC_KEY_2": "SHA256:b"})
