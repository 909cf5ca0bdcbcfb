"""Where what steps print goes while runs are executed in this process: into a log file, never among the results."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOG_LIMIT_BYTES = 20_000_000


def run_log(home: Path) -> Path:
    """The log of runs that commands executed: Dagster's own messages and all that steps printed."""
    return home / "logs" / "runs.log"


@contextmanager
def output_to_log(home: Path) -> Iterator[None]:
    """Until it is left, what anything in this process writes to stdout or stderr goes to the log of runs.

    It is done by file descriptor, because Dagster copies the output of each step to them from another process.
    """
    log = run_log(home)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as file, _redirected((1, 2), file.fileno()):
        yield


@contextmanager
def output_to_stderr() -> Iterator[None]:
    """Until it is left, what anything in this process writes to stdout goes to stderr."""
    with _redirected((1,), 2):
        yield


@contextmanager
def _redirected(descriptors: tuple[int, ...], target: int) -> Iterator[None]:
    _flush()
    saved = [os.dup(descriptor) for descriptor in descriptors]
    try:
        for descriptor in descriptors:
            os.dup2(target, descriptor)
        yield
    finally:
        _flush()
        for descriptor, original in zip(descriptors, saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
