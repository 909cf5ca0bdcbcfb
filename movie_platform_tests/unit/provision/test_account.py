"""What belongs to the account: the statements that an administrator is given, and what is found missing."""

from pathlib import Path

import pytest

from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key
from movie_platform.provision.account import account_sql, missing, missing_grants
from movie_platform.provision.files import SQL_FOLDER
from movie_platform.provision.sql import Pass, SqlFile, load_sql_files
from movie_platform.provision.user_keys import public_key
from movie_platform.provision.warehouse import sql_parameters
from movie_platform.settings import Settings

ROLE = "arn:aws:iam::000000000000:role/archive"


@pytest.fixture(scope="module")
def files() -> tuple[SqlFile, ...]:
    return load_sql_files(SQL_FOLDER, sql_parameters(Settings(), ROLE))


def test_the_script_holds_every_statement_of_the_account_and_no_other(files: tuple[SqlFile, ...]) -> None:
    script = account_sql(Settings(), files)
    for file in files:
        for statement in file.statements:
            assert (f"{statement};" in script) == (file.belongs_to is Pass.ACCOUNT), file.name


def test_the_script_gives_the_users_the_keys_that_are_known_and_says_whose_are_not(
    files: tuple[SqlFile, ...], tmp_path: Path
) -> None:
    key = tmp_path / "deployer.p8"
    ensure_private_key(key)
    script = account_sql(Settings(snowflake_deployer_private_key_path=key), files)
    known = f"ALTER USER MOVIE_PLATFORM_DEPLOYER SET RSA_PUBLIC_KEY = '{public_key(key).text}';"
    assert known in script.splitlines()
    assert "PRIVATE KEY" not in script
    for user in ("MOVIE_PLATFORM", "MOVIE_PLATFORM_READER"):
        assert f"-- ALTER USER {user} SET RSA_PUBLIC_KEY = '…';" in script


def test_what_show_does_not_show_is_missing() -> None:
    shown = [{"name": "MOVIES_WH"}, {"name": "OTHER"}]
    assert missing("warehouse", ("MOVIES_WH",), shown) == []
    assert missing("warehouse", ("MOVIES_WH", "MOVIES_WH_READERS"), shown) == [
        "warehouse MOVIES_WH_READERS is missing"
    ]


def test_a_privilege_counts_on_the_kind_of_object_that_it_is_on() -> None:
    shown = [{"privilege": "EXECUTE TASK", "granted_on": "ACCOUNT"}]
    assert missing_grants("R", {("EXECUTE TASK", "ACCOUNT")}, shown) == []
    assert missing_grants("R", {("USAGE", "ACCOUNT")}, shown) == ["USAGE ON ACCOUNT is not granted to R"]
