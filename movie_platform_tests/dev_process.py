"""`movie-platform dev` as a child process of a test, and what it must not leave behind."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from movie_platform.local_cloud.ports import pick

COMMAND = str(Path(sys.executable).with_name("movie-platform"))
START_SECONDS = 300
STOP_SECONDS = 60
# With what follows the token: a line that is half written has only some of its characters.
_READY = re.compile(r"Dagster UI\s+(http://127\.0\.0\.1:(\d+))/\?token=(\S+)\s")


@dataclass(frozen=True)
class Address:
    """Where the UI is: `url` without a slash at its end, and the token that lets a client in."""

    url: str
    port: int
    token: str

    @property
    def printed(self) -> str:
        """The address as the command prints it, to be opened in a browser."""
        return f"{self.url}/?token={self.token}"

    @property
    def authorization(self) -> dict[str, str]:
        """The header with which a program is let in."""
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def dev(home: Path) -> Iterator[tuple[subprocess.Popen[str], Address]]:
    """The command once its UI answers, with the UI's address. Where it still runs in the end, it is stopped as
    Ctrl-C would, so that what it started ends with it.
    """
    log = home.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(
            # Not the usual port: several tests begin at the same time.
            [COMMAND, "--home", str(home), "dev", "--port", str(pick())],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (ready := _READY.search(log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield process, Address(ready[1], int(ready[2]), ready[3])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
            process.wait()


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that serve the home."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if str(home) in " ".join(process.cmdline()) or process.environ().get(
                "MOVIE_PLATFORM_HOME"
            ) == str(home):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
