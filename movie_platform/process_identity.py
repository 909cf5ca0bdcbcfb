"""Who a process is beyond its number: when it started, and on which host.

A number alone says nothing after a crash or a restart of the machine: it may belong to somebody else by then. Whatever
is written down about a process, to be looked for or signalled later, is therefore an identity.
"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

# In tags that earlier versions wrote: seconds since 1970. They are counted from the machine's own start, which a
# correction of the clock moves a little.
_SECONDS = re.compile(r"[0-9]+")
_CLOCK_TOLERANCE_SECONDS = 30
# Which run of the machine, then ticks or seconds.
_STARTED = re.compile(r"[0-9a-f-]+:[0-9.]+")

# Children of this process: polling them collects the ended ones, which would otherwise look alive.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for ever.

    `started` is opaque, and comparable on one host only. `host` is empty where that can only be this one: in what a
    process remembers, and in records of this machine.
    """

    pid: int
    started: str
    host: str = ""

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of a process that runs here now; None where there is none, or it has ended."""
        started = _start_of(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def of_this_process(cls) -> "ProcessIdentity":
        """The identity of the process that asks, with its host: for those who may ask from another."""
        identity = cls.of(os.getpid())
        assert identity is not None, "who asks has not ended"
        return replace(identity, host=socket.gethostname())

    @classmethod
    def of_child(cls, pid: int) -> "ProcessIdentity":
        """The identity of a child that nobody has waited for, and so keeps its number; it may have ended at once."""
        return cls.of(pid) or cls(pid, "ended")

    @classmethod
    def parse(cls, text: str) -> "ProcessIdentity | None":
        """The identity that a text with host, pid and start names; None where it names none.

        `str` makes such a text. Those of earlier versions, with seconds since 1970, are understood too.
        """
        host, _, rest = text.partition(":")
        pid, _, started = rest.partition(":")
        if not (host and pid.isdecimal() and (_SECONDS.fullmatch(started) or _STARTED.fullmatch(started))):
            return None
        return cls(int(pid), started, host)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.started}"

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> "ProcessIdentity":
        """The identity in a record of this machine: the members `pid` and `started`, others do not matter.

        Raises KeyError or ValueError where the record is none.
        """
        return cls(int(str(record["pid"])), str(record["started"]))

    def as_record(self) -> dict[str, int | str]:
        """What `from_record` reads, as JSON has it."""
        return {"pid": self.pid, "started": self.started}

    @property
    def alive(self) -> bool:
        """Whether this very process runs here."""
        if not self._is_here:
            return False
        if _SECONDS.fullmatch(self.started):
            return _started_about(self.pid, int(self.started))
        return _start_of(self.pid) == self.started

    def is_gone(self) -> bool:
        """Whether the process has ended; a process on another host is given the benefit of the doubt."""
        return self._is_here and not self.alive

    @property
    def _is_here(self) -> bool:
        return self.host in ("", socket.gethostname())

    @property
    def is_of_this_boot(self) -> bool:
        """Whether it started since this machine did."""
        return self.started.rpartition(":")[0] == _boot()


def collect_when_ended(child: "subprocess.Popen[bytes]") -> None:
    """Have a child that nobody waits for collected when somebody asks for a process of its number."""
    _children[child.pid] = child


def _start_of(pid: int) -> str | None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        _children.pop(pid, None)
    try:
        if sys.platform == "linux":
            # Ticks since the machine started: exact, and untouched by changes of the clock.
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{_boot()}:{process.create_time():.2f}"
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None


def _started_about(pid: int, moment: int) -> bool:
    try:
        process = psutil.Process(pid)
        other = abs(process.create_time() - moment) > _CLOCK_TOLERANCE_SECONDS
        return not other and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _boot() -> str:
    """Which run of the machine this is."""
    if sys.platform == "linux":
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{psutil.boot_time():.0f}"
