"""Processes told apart from later ones with the same number, by what earlier versions wrote too."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from movie_platform.process_identity import ProcessIdentity


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        yield child
        child.kill()


def seconds_text(pid: int, *, earlier: int = 0) -> str:
    """As earlier versions wrote it."""
    return f"{socket.gethostname()}:{pid}:{int(psutil.Process(pid).create_time()) - earlier}"


def test_the_process_that_asks_is_alive_and_known_by_its_text() -> None:
    mine = ProcessIdentity.of_this_process()
    assert (mine.pid, mine.host, mine.alive, mine.is_gone()) == (
        os.getpid(),
        socket.gethostname(),
        True,
        False,
    )
    assert ProcessIdentity.parse(str(mine)) == mine
    assert str(mine).startswith(f"{mine.host}:{mine.pid}:")


def test_a_process_with_the_same_number_that_started_at_another_time_is_another() -> None:
    mine = ProcessIdentity.of_this_process()
    boot, _, ticks = mine.started.rpartition(":")
    for started in (f"{boot}:{int(ticks) - 1}", f"another-boot:{ticks}", ""):
        other = replace(mine, started=started)
        assert other.is_gone()
        assert not other.alive


def test_texts_of_earlier_versions_are_understood_with_a_tolerance_for_the_clock() -> None:
    for earlier, alive in ((0, True), (29, True), (3600, False)):
        found = ProcessIdentity.parse(seconds_text(os.getpid(), earlier=earlier))
        assert found is not None
        assert (found.alive, found.is_gone()) == (alive, not alive)


def test_a_process_that_ended_is_gone_whether_or_not_somebody_waited_for_it(
    sleeper: subprocess.Popen[bytes],
) -> None:
    now, before = ProcessIdentity.of(sleeper.pid), ProcessIdentity.parse(seconds_text(sleeper.pid))
    assert now is not None
    assert before is not None
    assert (now.is_gone(), before.is_gone()) == (False, False)
    sleeper.kill()
    # Its entry stays, as that of a zombie.
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert (now.is_gone(), before.is_gone()) == (True, True)
    assert ProcessIdentity.of(sleeper.pid) is None
    assert not ProcessIdentity.of_child(sleeper.pid).alive
    sleeper.wait()
    assert (now.is_gone(), before.is_gone()) == (True, True)


def test_a_process_of_another_host_is_neither_alive_here_nor_gone() -> None:
    for started in ("0", ProcessIdentity.of_this_process().started):
        elsewhere = ProcessIdentity(os.getpid(), started, "elsewhere")
        assert (elsewhere.alive, elsewhere.is_gone()) == (False, False)


@pytest.mark.parametrize(
    "text", ["", "host", "host:1", "host:x:1", ":1:1", "host:1:-1", "host:1:", "host:1:a b:1"]
)
def test_a_text_that_names_no_process_is_not_one(text: str) -> None:
    assert ProcessIdentity.parse(text) is None


def test_a_record_holds_number_and_start_and_is_of_this_machine() -> None:
    mine = ProcessIdentity.of(os.getpid())
    assert mine is not None
    assert mine.as_record() == {"pid": mine.pid, "started": mine.started}
    assert ProcessIdentity.from_record({**mine.as_record(), "port": 1}) == mine
    assert mine.is_of_this_boot
    assert not ProcessIdentity(mine.pid, "another-boot:7").is_of_this_boot


@pytest.mark.parametrize(
    "record", [{}, {"pid": 1}, {"pid": None, "started": "x"}, {"pid": "one", "started": "x"}]
)
def test_a_record_that_names_no_process_is_refused(record: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        ProcessIdentity.from_record(record)
