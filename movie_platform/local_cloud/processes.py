"""Processes of ours: starting them detached, ending them and what they started.

A signal is sent only to the very process that a record names, never to a later one with the same number.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from movie_platform.local_cloud.local_cloud_errors import LocalCloudError
from movie_platform.process_identity import ProcessIdentity, collect_when_ended
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_until

_POLLS = Pauses.steady(0.05)
_KILL_SECONDS = 10.0

_MARK = "MOVIE_PLATFORM_LOCAL_CLOUD_PROCESS"


def start_detached(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
) -> ProcessIdentity:
    """Start a server that outlives this process: its own session, no input, output appended to `log`.

    Raises `OSError` where the program cannot be started.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=marked(environment),
            start_new_session=True,
        )
    identity = ProcessIdentity.of_child(child.pid)
    collect_when_ended(child)
    return identity


def end(process: ProcessIdentity, *, grace_seconds: float) -> bool:
    """End a process and all that is left of its session: politely, and after `grace_seconds` by force.

    Returns whether it ended by itself. Does nothing to a process that only has the same number. Raises
    `LocalCloudError` where it survives even force.
    """
    polite = True
    if process.alive:
        _signal(process, signal.SIGTERM)
        polite = _ended([process], grace_seconds)
        if not polite:
            _signal(process, signal.SIGKILL)
    for member in session_members(process):
        _signal(member, signal.SIGKILL)
    if not _ended([process], _KILL_SECONDS):
        raise LocalCloudError(
            "process_does_not_end",
            f"process {process.pid} still runs {_KILL_SECONDS:.0f} s after it was killed",
            "see what it waits for (a file system that hangs?) and try again",
        )
    return polite


def end_session(process: ProcessIdentity, *, grace_seconds: float) -> None:
    """End a session with all its process groups: each member is asked, then forced after `grace_seconds`."""
    members = session_members(process)
    if process.alive:
        members.append(process)
    for member in members:
        _signal(member, signal.SIGTERM)
    _ended(members, grace_seconds)
    # Asked again: a member may have started another meanwhile.
    for member in [*members, *session_members(process)]:
        _signal(member, signal.SIGKILL)


def _ended(those: Sequence[ProcessIdentity], seconds: float) -> bool:
    """Whether all of them end within so many seconds."""
    try:
        wait_until(
            lambda: not any(process.alive for process in those),
            f"the end of process {', '.join(str(process.pid) for process in those)}",
            deadline=Deadline(seconds),
            pauses=_POLLS,
        )
    except WaitTimeoutError:
        return False
    return True


def session_members(leader: ProcessIdentity) -> list[ProcessIdentity]:
    """What runs in the session that a process leads or led, without the leader.

    A leader may be gone, and its number and session may have been somebody else's since: what is found then
    counts only if the machine was not restarted and if the process carries the mark of a local cloud.
    """
    current = ProcessIdentity.of(leader.pid)
    if current is not None and current != leader:
        return []
    if current is None and not leader.is_of_this_boot:
        return []
    members: list[ProcessIdentity] = []
    for pid in psutil.pids():
        if pid in (leader.pid, os.getpid()):
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader.pid:
                member = ProcessIdentity.of(pid)
                if member is not None and (current is not None or _is_marked(pid)):
                    members.append(member)
    return members


def _is_marked(pid: int) -> bool:
    try:
        return _MARK in psutil.Process(pid).environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def marked(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment by which a process, and all that it starts, can be told from other people's."""
    return {**environment, _MARK: "1"}


def listens(process: ProcessIdentity, port: int) -> bool:
    """Whether a process, or one that it started, listens on a TCP port of this machine."""
    try:
        leader = psutil.Process(process.pid)
        family = [leader, *leader.children(recursive=True)]
        return process.alive and any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for member in family
            for connection in member.net_connections("tcp")
        )
    except psutil.NoSuchProcess:
        return False


def find(arguments: Sequence[str]) -> list[ProcessIdentity]:
    """Processes of this user whose command line ends in, or contains in a row, the arguments given."""
    wanted = list(arguments)
    found: list[ProcessIdentity] = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.uids().real != os.getuid():
                continue
            command = process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if any(command[i : i + len(wanted)] == wanted for i in range(len(command) - len(wanted) + 1)):
            identity = ProcessIdentity.of(process.pid)
            if identity is not None:
                found.append(identity)
    return found


def _signal(process: ProcessIdentity, number: signal.Signals) -> None:
    """Send a signal to this very process; nothing happens where it has ended."""
    with contextlib.suppress(ProcessLookupError):
        if sys.platform != "linux":
            if process.alive:
                os.kill(process.pid, number)
            return
        # The descriptor names one process: between the look and the signal its number cannot change hands.
        descriptor = os.pidfd_open(process.pid)
        try:
            if process.alive:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)
