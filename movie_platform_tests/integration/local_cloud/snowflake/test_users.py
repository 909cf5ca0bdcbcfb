"""Who may log in to the local Snowflake, with which key and which role.

Snowflake's documentation: "Key-pair authentication and key-pair rotation"
(docs.snowflake.com/en/user-guide/key-pair-auth),
"CREATE USER" (docs.snowflake.com/en/sql-reference/sql/create-user).
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError

from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key
from movie_platform.local_cloud.snowflake.state.user_keys import public_key_text
from movie_platform_tests.snowflake_cloud import WAREHOUSE, SnowflakeCloud, dicts, rows

pytestmark = pytest.mark.cloud


@pytest.fixture
def admin(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeConnection]:
    with snowflake_cloud.connect() as opened:
        yield opened


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """Two private keys."""
    paths = (tmp_path / "first.p8", tmp_path / "second.p8")
    for path in paths:
        ensure_private_key(path)
    return paths


def text(key: Path) -> str:
    return str(public_key_text(key.read_bytes()))


def current(cloud: SnowflakeCloud, user: str, key: Path, **options: Any) -> tuple[object, ...]:
    with closing(cloud.connect(user=user, private_key_file=str(key), **options)) as opened:
        return rows(opened, "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()")[0]


def test_a_user_logs_in_with_either_of_two_keys_and_with_no_other(
    snowflake_cloud: SnowflakeCloud, admin: SnowflakeConnection, keys: tuple[Path, Path]
) -> None:
    old, new = keys
    rows(admin, f"CREATE USER ann RSA_PUBLIC_KEY = '{text(old)}'")
    assert current(snowflake_cloud, "ann", old, warehouse=None) == ("ANN", "PUBLIC", None)
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        current(snowflake_cloud, "ann", new)
    rows(admin, f"ALTER USER ann SET RSA_PUBLIC_KEY_2 = '{text(new)}'")
    for key in keys:
        assert current(snowflake_cloud, "ann", key)[0] == "ANN"
    rows(admin, "ALTER USER ann UNSET RSA_PUBLIC_KEY")
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        current(snowflake_cloud, "ann", old)
    assert current(snowflake_cloud, "ann", new)[0] == "ANN"
    described = {row["property"]: row["value"] for row in dicts(admin, "DESC USER ann")}
    assert described["RSA_PUBLIC_KEY_2_FP"].startswith("SHA256:")
    assert "RSA_PUBLIC_KEY_FP" not in described
    rows(admin, "DROP USER ann")
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        current(snowflake_cloud, "ann", new)


def test_nobody_logs_in_as_a_user_without_a_key_or_one_who_is_disabled(
    snowflake_cloud: SnowflakeCloud, admin: SnowflakeConnection, keys: tuple[Path, Path]
) -> None:
    key = keys[0]
    rows(admin, "CREATE USER bob")
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        current(snowflake_cloud, "bob", key)
    rows(admin, f"ALTER USER bob SET RSA_PUBLIC_KEY = '{text(key)}' DISABLED = TRUE")
    with pytest.raises(DatabaseError, match="access disabled"):
        current(snowflake_cloud, "bob", key)
    rows(admin, "ALTER USER bob SET DISABLED = FALSE")
    assert current(snowflake_cloud, "bob", key)[0] == "BOB"
    with pytest.raises(DatabaseError, match="invalid value"):
        rows(admin, "ALTER USER bob SET RSA_PUBLIC_KEY = 'no key'")


def test_a_session_begins_with_the_users_defaults_and_with_a_role_that_the_user_holds(
    snowflake_cloud: SnowflakeCloud, admin: SnowflakeConnection, keys: tuple[Path, Path]
) -> None:
    key = keys[0]
    for statement in (
        "CREATE ROLE mine",
        "CREATE ROLE beneath",
        "CREATE ROLE not_mine",
        "GRANT ROLE beneath TO ROLE mine",
        f"GRANT USAGE ON WAREHOUSE {WAREHOUSE} TO ROLE beneath",
        f"CREATE USER cleo RSA_PUBLIC_KEY = '{text(key)}' DEFAULT_ROLE = mine DEFAULT_WAREHOUSE = {WAREHOUSE}",
        "GRANT ROLE mine TO USER cleo",
    ):
        rows(admin, statement)
    assert current(snowflake_cloud, "cleo", key, warehouse=None) == ("CLEO", "MINE", WAREHOUSE)
    assert current(snowflake_cloud, "cleo", key, role="BENEATH", warehouse=None)[1] == "BENEATH"
    with pytest.raises(DatabaseError, match="NOT_MINE") as caught:
        current(snowflake_cloud, "cleo", key, role="NOT_MINE")
    assert "390189" in str(caught.value)
    rows(admin, "REVOKE ROLE mine FROM USER cleo")
    assert current(snowflake_cloud, "cleo", key, warehouse=None) == ("CLEO", "PUBLIC", None)


def test_all_of_a_users_roles_count_unless_the_user_says_otherwise(
    snowflake_cloud: SnowflakeCloud, admin: SnowflakeConnection, keys: tuple[Path, Path]
) -> None:
    """Since bundle 2024_08 DEFAULT_SECONDARY_ROLES is ('ALL') where it is not set."""
    key = keys[0]
    for statement in (
        "CREATE DATABASE shared_by_role",
        "CREATE TABLE t (id NUMBER)",
        "CREATE ROLE other",
        "GRANT USAGE ON DATABASE shared_by_role TO ROLE other",
        "GRANT USAGE ON SCHEMA shared_by_role.PUBLIC TO ROLE other",
        "GRANT SELECT ON TABLE t TO ROLE other",
        f"GRANT USAGE ON WAREHOUSE {WAREHOUSE} TO ROLE other",
        f"CREATE USER dan RSA_PUBLIC_KEY = '{text(key)}'",
        f"CREATE USER eve RSA_PUBLIC_KEY = '{text(key)}' DEFAULT_SECONDARY_ROLES = ()",
        "GRANT ROLE other TO USER dan",
        "GRANT ROLE other TO USER eve",
    ):
        rows(admin, statement)
    query = "SELECT id FROM shared_by_role.PUBLIC.t"
    with closing(snowflake_cloud.connect(user="dan", private_key_file=str(key))) as session:
        assert rows(session, query) == []
        rows(session, "USE SECONDARY ROLES NONE")
        with pytest.raises(DatabaseError, match="No active warehouse"):
            rows(session, query)
    with closing(snowflake_cloud.connect(user="eve", private_key_file=str(key))) as session:
        with pytest.raises(DatabaseError, match="No active warehouse"):
            rows(session, query)
        rows(session, "USE ROLE other")
        rows(session, f"USE WAREHOUSE {WAREHOUSE}")
        assert rows(session, query) == []
