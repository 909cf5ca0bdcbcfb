"""How long something took and how much memory it needed, of this process, of a process of its own, or of a server's.

A stage that is to be measured alone runs in a fresh interpreter (`in_own_process`): neither what this process has
imported nor what an earlier stage has left in memory counts for it.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import psutil

from movie_platform.assets.measure import peak_rss_bytes
from movie_platform.errors import PlatformError

_SAMPLE_SECONDS = 0.05
# Between its fork and its exec a process shows the memory of the one that started it, which would count twice.
_SETTLED_SECONDS = 0.5
_CLEAR_REFS = Path("/proc/self/clear_refs")
# https://docs.kernel.org/filesystems/proc.html: resets the peak of the resident set to what it is now.
_RESET_PEAK = "5"

# Whose resident sets count: the process's own, that of its largest descendant, those of all its descendants together,
# or of all of them and itself.
Members = Literal["self", "largest child", "children", "family"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class MeasurementError(PlatformError):
    """A measured process ended before it had done its work."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a piece of work took: wall clock and processor seconds, and the largest resident set in bytes."""

    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A function's result, and the time and memory that its call took."""

    result: Any
    usage: Usage


class Meter:
    """Measures this process, from when it is made or last read."""

    def __init__(self) -> None:
        self._begin()

    def lap(self) -> Usage:
        """What was used since the beginning or the last lap; the peak counts anew where the system allows it."""
        usage = Usage(
            time.monotonic() - self._started, time.process_time() - self._processor, peak_rss_bytes()
        )
        self._begin()
        return usage

    def _begin(self) -> None:
        if _CLEAR_REFS.exists():
            _CLEAR_REFS.write_text(_RESET_PEAK, "ascii")
        self._started = time.monotonic()
        self._processor = time.process_time()


def in_own_process(function: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Calls a function of a module in a fresh interpreter and returns, or raises, what it does.

    Raises MeasurementError where the process is killed, for example for want of memory.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        try:
            return pool.submit(function, *args, **kwargs).result()
        except BrokenProcessPool as error:
            raise MeasurementError(
                "measured_process_ended",
                f"the process of {function.__module__}.{function.__name__} was killed, perhaps for want of memory",
                "measure fewer rows, or leave the naive way out: --beside bare",
            ) from error


def measured_in_own_process(function: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Measured:
    """`in_own_process`, with what the function's call used there; starting and importing do not count."""
    return in_own_process(_measured, function, args, kwargs)


def _measured(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Measured:
    meter = Meter()
    result = function(*args, **kwargs)
    return Measured(result, meter.lap())


class ProcessWatch:
    """Samples a process that runs elsewhere: a server, or what it starts."""

    def __init__(self, pid: int, members: Members) -> None:
        self._pid = pid
        self._members: Members = members
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="process-watch", daemon=True)
        self._peak = 0
        self._first: dict[psutil.Process, float] = {}
        self._last: dict[psutil.Process, float] = {}

    def start(self) -> None:
        """Begin. Processor time of what runs already counts from now on."""
        self._take(started=False)
        self._thread.start()

    def stop(self) -> tuple[int, float]:
        """End; the peak in bytes and the processor seconds, as far as the samples saw them."""
        self._done.set()
        self._thread.join()
        return self._peak, sum(last - self._first[process] for process, last in self._last.items())

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self._take(started=True)
        self._take(started=True)

    def _take(self, *, started: bool) -> None:
        sizes = [0]
        for process in _members(self._pid, self._members):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    if time.time() - process.create_time() > _SETTLED_SECONDS:
                        sizes.append(process.memory_info().rss)
            except psutil.Error:
                # It ended between the two questions.
                continue
            used = times.user + times.system
            self._first.setdefault(process, 0.0 if started else used)
            self._last[process] = used
        self._peak = max(self._peak, max(sizes) if self._members == "largest child" else sum(sizes))


@contextmanager
def watched(pid: int, members: Members) -> Iterator[Callable[[], Usage]]:
    """Measures another process during a block; afterwards the yielded function says what it used."""
    watch = ProcessWatch(pid, members)
    found: list[Usage] = []
    started = time.monotonic()
    watch.start()
    try:
        yield lambda: found[0]
    finally:
        seconds = time.monotonic() - started
        peak, processor = watch.stop()
        found.append(Usage(seconds, processor, peak))


def _members(pid: int, members: Members) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        found = [] if members == "self" else process.children(recursive=True)
    except psutil.Error:
        return []
    return [process, *found] if members in {"self", "family"} else found
