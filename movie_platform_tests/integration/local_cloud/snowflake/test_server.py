"""The local Snowflake as a program or somebody's test suite starts it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, ProgrammingError

from movie_platform.local_cloud.snowflake.protocol.key_pair import ensure_private_key
from movie_platform.local_cloud.snowflake.server import RunningServer, ServerStartError, running_server
from movie_platform_tests.snowflake_cloud import rows, wait_for


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """A test that fails leaves no server behind."""
    yield
    for process in psutil.process_iter():
        if "--home" in command(process) and str(tmp_path) in " ".join(command(process)):
            process.kill()


def servers(folder: Path) -> list[psutil.Process]:
    """The server of a folder, if it runs."""
    return [
        process
        for process in psutil.process_iter()
        if process.status() != psutil.STATUS_ZOMBIE and f"--home {folder} " in " ".join(command(process))
    ]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_what_was_committed_is_there_when_a_server_starts_in_the_folder_again(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        assert (server.host, server.account) == ("127.0.0.1", "local")
        assert server.key == tmp_path / "snowflake_key.p8"
        assert server.key.stat().st_mode & 0o777 == 0o600
        with snowflake.connector.connect(**server.connect_arguments()) as connection:
            rows(connection, "CREATE WAREHOUSE small")
            rows(connection, "CREATE DATABASE kept")
            rows(connection, "CREATE TABLE kept.public.numbers AS SELECT 7 AS a")
            assert rows(connection, "SELECT current_user(), current_account()") == [("ADMIN", "LOCAL")]
        assert len(servers(tmp_path)) == 1
    assert servers(tmp_path) == []
    with (
        running_server(tmp_path, port=server.port, account="other", administrator="ann") as again,
        snowflake.connector.connect(**again.connect_arguments()) as connection,
    ):
        assert again.port == server.port
        rows(connection, "USE WAREHOUSE small")
        assert rows(connection, "SELECT a, current_user(), current_account() FROM kept.public.numbers") == [
            (7, "ANN", "OTHER")
        ]


def test_a_server_ends_when_the_body_of_its_context_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with running_server(tmp_path):
            assert len(servers(tmp_path)) == 1
            raise LookupError("the test failed")

    with pytest.raises(LookupError, match="the test failed"):
        fail()
    assert servers(tmp_path) == []


def test_a_server_ends_with_the_process_that_started_it_though_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from movie_platform.local_cloud.snowflake.server import running_server\n"
        "with running_server(pathlib.Path(sys.argv[1])):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(600)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        assert len(servers(tmp_path)) == 1
    finally:
        starter.kill()
        starter.wait()
    wait_for(lambda: not servers(tmp_path), seconds=30)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        with (
            pytest.raises(ServerStartError, match="is another local Snowflake using it"),
            running_server(tmp_path),
        ):
            pass
        with (
            pytest.raises(ServerStartError, match=f"Port {server.port} cannot be used"),
            running_server(tmp_path / "other", port=server.port),
        ):
            pass
        with pytest.raises(ServerStartError, match="in time"), running_server(tmp_path / "late", seconds=0.0):
            pass
        assert servers(tmp_path / "late") == []
        with snowflake.connector.connect(**server.connect_arguments()) as connection:
            assert rows(connection, "SELECT 1") == [(1,)]


def test_only_the_key_that_was_given_opens_the_server(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.p8", tmp_path / "other.p8"
    ensure_private_key(other)
    with running_server(tmp_path / "home", key=mine) as server:
        assert server.key == mine
        with snowflake.connector.connect(**server.connect_arguments()) as connection:
            assert rows(connection, "SELECT 1") == [(1,)]
        stranger = RunningServer(server.host, server.port, server.account, other, server.administrator)
        with pytest.raises(DatabaseError, match="JWT token is invalid"):
            snowflake.connector.connect(**stranger.connect_arguments())


def test_without_an_aws_there_are_no_files_and_amazon_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    with (
        running_server(tmp_path) as server,
        snowflake.connector.connect(**server.connect_arguments()) as connection,
    ):
        for statement in (
            "CREATE WAREHOUSE w",
            "CREATE DATABASE d",
            "CREATE TABLE t (a INT)",
            "CREATE STAGE s URL = 's3://bucket/'",
        ):
            rows(connection, statement)
        for statement in (
            "LIST @s",
            "COPY INTO t FROM @s",
            "CREATE PIPE p AUTO_INGEST = TRUE AS COPY INTO t FROM @s",
        ):
            with pytest.raises(ProgrammingError, match="started without the endpoint of an AWS") as raised:
                rows(connection, statement)
            assert raised.value.errno == 91016
        assert rows(connection, "SELECT count(*) FROM t") == [(0,)]
