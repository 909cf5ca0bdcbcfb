"""What provision made goes, and nothing else; data goes only where that is said; and it can be made again."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from movie_platform.cli import app
from movie_platform.local_cloud import supervisor
from movie_platform.provision import provision
from movie_platform.provision.destruction import destroy, plan_destruction
from movie_platform.resources.aws_client import aws_client
from movie_platform.resources.snowflake_connection import connect, query_rows
from movie_platform.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A cloud of the module's own: what is deleted belongs to nobody else."""
    home = tmp_path_factory.mktemp("destroyed") / "home"
    try:
        supervisor.up(home)
        found = Settings(home=home)
        provision(found)
        with connect(found, login="administrator") as session, session.cursor() as cursor:
            cursor.execute("CREATE WAREHOUSE theirs COMMENT = 'Somebody else works here'")
            cursor.execute("CREATE ROLE movies_guests")
            cursor.execute("CREATE DATABASE other")
        yield found
    finally:
        supervisor.down(home)


def put(settings: Settings) -> None:
    s3 = aws_client(settings, "s3")
    for version in (b"first", b"second"):
        s3.put_object(Bucket=settings.bucket("archive"), Key="movies/kept.parquet", Body=version)


def names(settings: Settings, show: str) -> set[str]:
    with connect(settings, login="administrator") as session:
        return {str(row["name"]) for row in query_rows(session, show)}


def test_without_data_what_runs_goes_and_what_is_kept_is_there_for_the_next_provision(settings: Settings):
    put(settings)
    planned = plan_destruction(settings, with_data=False)
    kinds = [each.kind for each in planned.deletions]
    assert kinds == ["task"] * 3 + ["pipe"] * 6 + ["stack"] * 2
    assert planned.deletions[0].name == f"{settings.snowflake_database}.CORE.COLLECT_ARRIVALS"
    assert "--with-data" in str(planned)
    destroy(settings, planned)
    assert plan_destruction(settings, with_data=False).deletions == ()
    assert settings.snowflake_database in names(settings, "SHOW DATABASES")
    body = aws_client(settings, "s3").get_object(Bucket=settings.bucket("archive"), Key="movies/kept.parquet")
    assert body["Body"].read() == b"second"

    provision(settings)
    assert not provision(settings).changed


def test_the_command_shows_it_and_deletes_nothing_that_nobody_confirmed(settings: Settings):
    arguments = ["destroy", "--home", str(settings.home)]
    before = plan_destruction(settings, with_data=True)
    shown = CliRunner().invoke(app, [*arguments, "--with-data", "--dry-run", "--json"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout) == before.to_dict() | {"deleted": False}
    refused = CliRunner().invoke(app, [*arguments, "--with-data"])
    assert refused.exit_code == 2
    refused = CliRunner().invoke(app, [*arguments, "--with-data", "--json"])
    assert (refused.exit_code, refused.stdout) == (2, ""), "what was not deleted is not said to be"
    assert plan_destruction(settings, with_data=True) == before


def test_with_data_everything_goes_but_what_others_made(settings: Settings):
    put(settings)
    planned = plan_destruction(settings, with_data=True)
    assert {each.kind for each in planned.deletions} == {
        "task", "pipe", "database", "integration", "warehouse", "resource monitor", "user", "role", "stack", "bucket",
    }  # fmt: skip
    destroy(settings, planned)
    assert plan_destruction(settings, with_data=True).deletions == ()
    assert names(settings, "SHOW DATABASES") >= {"OTHER"}
    assert settings.snowflake_database not in names(settings, "SHOW DATABASES")
    assert "THEIRS" in names(settings, "SHOW WAREHOUSES")
    assert "MOVIES_GUESTS" in names(settings, "SHOW ROLES")
    assert settings.snowflake_user not in names(settings, "SHOW USERS")
    with pytest.raises(ClientError, match="404"):
        aws_client(settings, "s3").head_bucket(Bucket=settings.bucket("archive"))

    report = provision(settings)
    assert report.changed
    assert not provision(settings).changed
