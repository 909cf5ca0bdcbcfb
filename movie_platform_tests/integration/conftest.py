"""What integration tests share beside the local cloud of the session."""

from collections.abc import Iterator

import pytest

from movie_platform_tests import hostile_account as accounts
from movie_platform_tests.snowflake_cloud import SnowflakeCloud


@pytest.fixture(scope="module")
def snowflake_cloud(
    tmp_path_factory: pytest.TempPathFactory, clean_environment: None
) -> Iterator[SnowflakeCloud]:
    """A local Snowflake and AWS of the module's own: its pipes read a queue that nobody else reads."""
    cloud = SnowflakeCloud(tmp_path_factory.mktemp("snowflake") / "home")
    try:
        cloud.up()
        yield cloud
    finally:
        cloud.down()


@pytest.fixture(scope="module")
def hostile_account(snowflake_cloud: SnowflakeCloud) -> Iterator[SnowflakeCloud]:
    """The module's Snowflake with the defaults of `movie_platform_tests.hostile_account` for the account."""
    with snowflake_cloud.connect() as administrator, accounts.hostile_account(administrator):
        yield snowflake_cloud
