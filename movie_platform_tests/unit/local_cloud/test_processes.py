"""Processes, ports, locks and records of a local cloud, without its servers."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from movie_platform.local_cloud import cloud_file, ports, processes, supervisor
from movie_platform.local_cloud.aws import may_change_state
from movie_platform.local_cloud.cloud_file import CloudRecord, ServiceRecord
from movie_platform.local_cloud.home import Home
from movie_platform.local_cloud.local_cloud_errors import CloudFileError, HomeBusyError
from movie_platform.local_cloud.locks import exclusive
from movie_platform.local_cloud.services import SERVICES
from movie_platform.process_identity import ProcessIdentity


def start(code: str, tmp_path: Path, *arguments: str) -> ProcessIdentity:
    return processes.start_detached(
        [sys.executable, "-c", code, *arguments],
        environment=dict(os.environ),
        folder=tmp_path,
        log=tmp_path / "out.log",
    )


def wait_for(path: Path, seconds: float = 10) -> str:
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)
    return path.read_text()


def test_a_started_process_leads_its_own_session_and_is_known_by_number_and_start(tmp_path: Path):
    process = start("import time; time.sleep(60)", tmp_path)
    try:
        assert process.alive
        assert os.getsid(process.pid) == process.pid
        assert ProcessIdentity.of(process.pid) == process
    finally:
        assert processes.end(process, grace_seconds=5)
    assert not process.alive


def test_a_process_that_only_has_the_recorded_number_is_never_signalled(tmp_path: Path):
    process = start("import time; time.sleep(60)", tmp_path)
    try:
        stale = ProcessIdentity(process.pid, "started in another age")
        assert not stale.alive
        processes.end(stale, grace_seconds=0.1)
        processes.end_session(stale, grace_seconds=0.1)
        assert process.alive
    finally:
        processes.end(process, grace_seconds=5)


def test_a_process_that_ignores_the_request_to_end_is_ended_by_force(tmp_path: Path):
    ready = tmp_path / "ready"
    code = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "open(sys.argv[1], 'w').write('x'); time.sleep(60)"
    )
    process = start(code, tmp_path, str(ready))
    wait_for(ready)
    assert not processes.end(process, grace_seconds=0.3)
    assert not process.alive


def test_ending_a_process_ends_what_it_left_in_its_session(tmp_path: Path):
    marker = tmp_path / "child"
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import os, time; os.setpgid(0, 0); time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    process = start(code, tmp_path, str(marker))
    child = ProcessIdentity.of(int(wait_for(marker)))
    assert child is not None
    os.kill(process.pid, signal.SIGKILL)
    while process.alive:
        time.sleep(0.02)
    assert child.alive
    processes.end_session(process, grace_seconds=2)
    assert not child.alive


def test_a_process_is_found_by_the_arguments_that_only_it_has(tmp_path: Path):
    process = start("import time; time.sleep(60)", tmp_path, "--home", str(tmp_path), "tail")
    try:
        # Until it has begun to run Python it has the arguments of its parent.
        deadline = time.monotonic() + 10
        while processes.find(["--home", str(tmp_path)]) != [process]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert processes.find(["--home", f"{tmp_path}-other"]) == []
    finally:
        processes.end(process, grace_seconds=5)


def test_an_ended_child_is_not_taken_for_a_running_one(tmp_path: Path):
    process = start("pass", tmp_path)
    deadline = time.monotonic() + 10
    while process.alive:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_listens_on_a_port_is_told_from_what_listens_elsewhere(tmp_path: Path):
    code = (
        "import socket, sys, time; from pathlib import Path; s = socket.create_server(('127.0.0.1', 0));"
        "Path(sys.argv[1]).write_text(str(s.getsockname()[1])); time.sleep(60)"
    )
    process = start(code, tmp_path, str(tmp_path / "port"))
    try:
        port = int(wait_for(tmp_path / "port"))
        assert processes.listens(process, port)
        assert not processes.listens(ProcessIdentity(os.getpid(), process.started), port)
        with socket.create_server(("127.0.0.1", 0)) as somebodys:
            assert not processes.listens(process, somebodys.getsockname()[1])
    finally:
        processes.end(process, grace_seconds=5)
    assert not processes.listens(process, port)


def test_a_free_port_is_kept_and_a_taken_one_is_replaced():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert not ports.is_free(number)
        assert ports.pick(number) != number
    assert ports.pick(number) == number
    assert ports.pick(number, avoid=frozenset({number})) != number


def test_a_lock_that_another_process_holds_is_reported_and_freed_by_its_death(tmp_path: Path):
    lock = tmp_path / "lock"
    code = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(HomeBusyError), exclusive(lock, timeout_seconds=0.2):
        pass
    holder.kill()
    holder.communicate()
    with exclusive(lock, timeout_seconds=5):
        pass


def test_two_threads_never_hold_the_lock_together(tmp_path: Path):
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with exclusive(tmp_path / "lock", timeout_seconds=10):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_the_record_of_a_cloud_is_read_back_as_written_and_only_its_owner_reads_it(tmp_path: Path):
    path = tmp_path / "cloud.json"
    record = CloudRecord(
        settings={"aws_endpoint_url": "http://127.0.0.1:1"},
        services={"aws": ServiceRecord(1, ProcessIdentity(2, "boot:3")), "glue": ServiceRecord(4, None)},
        notes=["a note"],
    )
    cloud_file.write(path, record, endpoints={"aws": "http://127.0.0.1:1", "glue": "http://127.0.0.1:4"})
    assert cloud_file.read(path) == record
    assert path.stat().st_mode & 0o777 == 0o600
    assert cloud_file.read(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"settings": {}, "services": {"aws": {"port": "x"}}, "notes": []}']
)
def test_a_damaged_record_is_an_error_that_says_what_to_do(tmp_path: Path, text: str):
    path = tmp_path / "cloud.json"
    path.write_text(text)
    with pytest.raises(CloudFileError) as caught:
        cloud_file.read(path)
    assert caught.value.next_step
    assert str(path) in caught.value.message


def test_reset_deletes_nothing_in_a_folder_that_never_was_a_home(tmp_path: Path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mine.txt").write_text("kept")
    supervisor.reset(tmp_path)
    assert (tmp_path / "logs" / "mine.txt").read_text() == "kept"


def test_down_and_status_of_a_home_that_does_not_exist_change_nothing(tmp_path: Path):
    home = tmp_path / "none"
    supervisor.down(home)
    found = supervisor.status(home)
    assert not found.running
    assert [service.pid for service in found.services] == [None, None, None]
    assert not home.exists()


def test_servers_get_none_of_the_callers_cloud_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "DOCKER_HOST", "HTTP_PROXY", "SPARK_HOME", "PYTHONPATH"):
        monkeypatch.setenv(name, "somebody's")
    numbers = {"aws": 1, "glue": 2, "snowflake": 3}
    for service in SERVICES:
        environment = service.environment(Home.at(tmp_path), numbers)
        assert "somebody's" not in environment.values()
        assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
        assert environment["AWS_ENDPOINT_URL_GLUE"] == "http://127.0.0.1:2"
        assert str(tmp_path) in environment["TMPDIR"]


def test_every_server_has_its_own_command_line_that_names_home_and_port(tmp_path: Path):
    numbers = {"aws": 1, "glue": 2, "snowflake": 3}
    for service in SERVICES:
        command = service.command(Home.at(tmp_path), numbers)
        assert command[command.index("--home") + 1] == str(tmp_path)
        assert command[command.index("--port") + 1] == str(numbers[service.name])


@pytest.mark.parametrize(
    ("method", "target", "changes"),
    [
        ("GET", None, False),
        ("HEAD", None, False),
        ("PUT", None, True),
        ("DELETE", None, True),
        ("POST", None, True),
        ("POST", "AmazonSQS.ReceiveMessage", False),
        ("POST", "AmazonSQS.DeleteMessage", True),
        ("POST", "AWSGlue.GetPartitions", False),
        ("POST", "AWSGlue.BatchCreatePartition", True),
        ("POST", "Logs_20140328.PutLogEvents", True),
        ("POST", "Logs_20140328.GetLogEvents", False),
    ],
)
def test_only_requests_that_may_change_something_have_the_state_saved(
    method: str, target: str | None, changes: bool
):
    headers = [] if target is None else [(b"x-amz-target", target.encode())]
    assert may_change_state({"type": "http", "method": method, "headers": headers}) is changes


def test_a_record_holds_exactly_the_settings_that_clients_need(tmp_path: Path):
    settings = supervisor._client_settings(Home.at(tmp_path), {"aws": 1, "glue": 2, "snowflake": 3})
    assert sorted(settings) == [
        "aws_access_key_id",
        "aws_endpoint_url",
        "aws_glue_endpoint_url",
        "aws_secret_access_key",
        "snowflake_account",
        "snowflake_admin_private_key_path",
        "snowflake_admin_user",
        "snowflake_deployer_private_key_path",
        "snowflake_host",
        "snowflake_port",
        "snowflake_private_key_path",
        "snowflake_protocol",
        "snowflake_reader_public_key_path",
    ]
    assert json.loads(json.dumps(settings)) == settings
