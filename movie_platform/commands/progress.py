"""What happens in a run, as it happens: a spinner on a terminal, a plain line a step elsewhere."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from movie_platform.commands import console
from movie_platform.runs.output import output_to_log, output_to_stderr, run_log

if TYPE_CHECKING:
    import dagster as dg

    from movie_platform.runs.result import RunReport


class RunProgress:
    """Listens to a run's events and shows the step that is at work.

    What steps print meanwhile goes to the log of runs, with `debug` to stderr, so that stdout holds results alone.
    """

    def __init__(self, home: Path, *, debug: bool) -> None:
        self._home = home
        self._debug = debug
        self._console = console.progress()
        self._live: Live | None = None
        self._started: dict[str, float] = {}
        self._resources = ExitStack()

    @property
    def log_level(self) -> str:
        """What Dagster's own logger says."""
        return "DEBUG" if self._debug else "INFO"

    def __enter__(self) -> Self:
        self._resources.enter_context(output_to_stderr() if self._debug else output_to_log(self._home))
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()
        self._resources.close()

    def __call__(self, event: "dg.DagsterEvent") -> None:
        """Takes one event."""
        step = event.step_key
        if step is None:
            return
        match event.event_type_value:
            case "STEP_START":
                self._started[step] = time.monotonic()
                self._spin(step)
            case "STEP_SUCCESS":
                self._line(f"  {step} {self._seconds(step):.1f} s")
            case "STEP_FAILURE":
                self._line(f"  {step} failed after {self._seconds(step):.1f} s")
            case "STEP_UP_FOR_RETRY":
                self._line(f"  {step} failed and is tried again")
            case _:
                pass

    def finished(self, report: "RunReport") -> None:
        """Says how a run ended."""
        self._stop()
        self._line(f"{report.date} {report.status}")
        if report.status == "failed" and not self._debug:
            self._line(f"  log: {run_log(self._home)}")

    def _seconds(self, step: str) -> float:
        return time.monotonic() - self._started.get(step, time.monotonic())

    def _spin(self, step: str) -> None:
        if not self._console.is_terminal:
            return
        if self._live is None:
            # Left alone: stdout and stderr belong to the run, and go to its log.
            self._live = Live(
                console=self._console, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        self._live.update(Spinner("dots", text=Text(step)))

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, text: str) -> None:
        console.say(text)
