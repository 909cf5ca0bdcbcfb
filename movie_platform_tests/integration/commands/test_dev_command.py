"""`movie-platform dev` as a process: it brings everything up, and however it ends, nothing of it is left running."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest

from movie_platform.local_cloud import supervisor
from movie_platform.local_cloud.ports import pick
from movie_platform_tests.dev_process import START_SECONDS, STOP_SECONDS, dev, processes_of
from movie_platform_tests.paths import ROOT

SENSORS = """{ repositoriesOrError { ... on RepositoryConnection {
    nodes { location { name } sensors { name sensorState { status } } }
} } }"""

# Runs a program that Ctrl-C ends: a shell that put the tests into the background has them ignore it, and what they
# start inherits that.
INTERRUPTIBLE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(900)]


def left_running(home: Path) -> list[str]:
    """Command lines of processes that serve the home."""
    found = []
    for process in processes_of(home):
        try:
            found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def wait_until_nothing_is_left(home: Path, of: str = "") -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while left := [line for line in left_running(home) if of in line]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def ask(
    port: int, path: str, body: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    connection.request(
        "POST" if body else "GET",
        path,
        json.dumps(body) if body else None,
        {"Content-Type": "application/json", **(headers or {})},
    )
    answer = connection.getresponse()
    assert answer.status == 200
    return json.loads(answer.read())


def status(port: int, headers: dict[str, str], method: str = "POST") -> int:
    """How the UI answers a mutation that says where it comes from by its headers."""
    mutation = 'mutation { setConcurrencyLimit(concurrencyKey: "foreign", limit: 1) }'
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    connection.request(method, f"/graphql?{urlencode({'query': mutation})}", None, headers)
    return connection.getresponse().status


def test_the_ui_of_dev_answers_its_user_alone_and_none_of_other_pages(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with dev(home) as (process, address):
        port, token = address.port, address.authorization
        plain = {"Content-Type": "text/plain"}
        # Another user of the machine, who does not know the token.
        assert status(port, {}) == 401
        assert status(port, plain) == 401
        assert status(port, {"Authorization": "Bearer of-another"}) == 401
        # A page in the browser of the user who does.
        assert status(port, {**token, **plain, "Origin": "https://evil.example"}) == 403
        assert status(port, {**token, "Origin": "http://127.0.0.1:1"}) == 403
        assert status(port, {**token, "Sec-Fetch-Site": "cross-site"}, "GET") == 403
        assert status(port, {**token, "Origin": "https://evil.example"}, "OPTIONS") == 403
        rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
        assert status(port, {**token, **rebound}) == 421
        keys = {"query": "{ instance { concurrencyLimits { concurrencyKey } } }"}
        answer = ask(port, "/graphql", keys, token)
        assert answer["data"]["instance"]["concurrencyLimits"] == []  # type: ignore[index] - GraphQL's shape
        # The UI's own page.
        assert status(port, {**token, "Origin": address.url, "Sec-Fetch-Site": "same-origin"}) == 200
        # Where others of the machine could look for the token.
        own = psutil.Process(process.pid)
        lines = [" ".join(child.cmdline()) for child in [own, *own.children(recursive=True)]]
        assert not [line for line in lines if address.token in line]
        holding = [home / "dagster" / name for name in ("dev.json", "dev_token")]
        assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}
        assert all(address.token in path.read_text() for path in holding)
    assert not any(path.exists() for path in holding)
    wait_until_nothing_is_left(home)


def test_dev_serves_the_definitions_and_ctrl_c_stops_all_of_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with dev(home) as (process, address):
        deadline = time.monotonic() + 60
        while not supervisor.status(home).running:
            assert time.monotonic() < deadline, supervisor.status(home)
            time.sleep(0.5)
        answer = ask(address.port, "/graphql", {"query": SENSORS}, address.authorization)
        repository = answer["data"]["repositoriesOrError"]["nodes"][0]  # type: ignore[index] - GraphQL's shape
        assert repository["location"]["name"] == "movie_platform"
        states = {sensor["name"]: sensor["sensorState"]["status"] for sensor in repository["sensors"]}
        assert states["bundle_arrival_sensor"] == "RUNNING"
        with psutil.Process(process.pid).oneshot():
            listening = [
                connection.laddr.ip
                for child in psutil.Process(process.pid).children(recursive=True)
                for connection in child.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            ]
        assert set(listening) == {"127.0.0.1"}
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
    assert not supervisor.status(home).running
    wait_until_nothing_is_left(home)


def test_dagster_dev_with_the_workspace_file_works_beside_a_cloud_that_is_up(tmp_path: Path) -> None:
    home, workspace = tmp_path / "home", ROOT / "workspace.yaml"
    port, log = pick(), tmp_path / "dagster.log"
    instance = tmp_path / "instance"
    instance.mkdir()
    environment = {**os.environ, "MOVIE_PLATFORM_HOME": str(home), "DAGSTER_HOME": str(instance)}
    dagster = str(Path(sys.executable).with_name("dagster"))
    command = [sys.executable, "-c", INTERRUPTIBLE, dagster, "dev", "-w", str(workspace)]
    try:
        supervisor.up(home)
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, "-h", "127.0.0.1", "-p", str(port)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=tmp_path,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                try:
                    answer = ask(port, "/graphql", {"query": SENSORS})
                    break
                except OSError:
                    time.sleep(0.5)
            locations = answer["data"]["repositoriesOrError"]["nodes"]  # type: ignore[index] - GraphQL's shape
            assert [node["location"]["name"] for node in locations] == ["movie_platform"]
            sensors = {sensor["name"] for sensor in locations[0]["sensors"]}
            assert {"bundle_arrival_sensor", "run_failure_alerts", "freshness_alerts"} <= sensors
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(STOP_SECONDS)
    finally:
        supervisor.down(home)
    wait_until_nothing_is_left(home)


def test_what_a_killed_dev_left_is_ended_by_the_next_one_and_a_closed_terminal_ends_that(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    try:
        with dev(home) as (process, _):
            process.kill()
            process.wait()
            assert any("dagster" in line for line in left_running(home))
        with dev(home) as (process, _):
            os.kill(process.pid, signal.SIGHUP)
            assert process.wait(STOP_SECONDS) == 0
        # The cloud ran before the second one began, so that one leaves it running; the servers of Dagster are ended.
        wait_until_nothing_is_left(home, of="dagster")
    finally:
        supervisor.down(home)
    wait_until_nothing_is_left(home)
