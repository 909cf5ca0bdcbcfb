"""What happens in a run, as it happens: a spinner or a bar on a terminal, plain lines elsewhere."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.text import Text

from movie_platform.commands import console
from movie_platform.commands.throughput_text import Advance
from movie_platform.runs.output import output_to_log, output_to_stderr, run_log
from movie_platform.sources.progress import Progress, listening

if TYPE_CHECKING:
    import dagster as dg

    from movie_platform.runs.result import RunReport

# A bar that moves, and lines that do not drown a log.
_BAR_SECONDS = 0.2
_LINE_SECONDS = 30.0


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
        self._step = ""
        self._advance: Advance | None = None
        self._shown = 0.0
        self._resources = ExitStack()

    @property
    def log_level(self) -> str:
        """The level of Dagster's own logger: DEBUG with `debug`, else INFO."""
        return "DEBUG" if self._debug else "INFO"

    def __enter__(self) -> Self:
        self._resources.enter_context(output_to_stderr() if self._debug else output_to_log(self._home))
        self._resources.enter_context(listening(self._advanced))
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()
        self._resources.close()

    def __call__(self, event: "dg.DagsterEvent") -> None:
        """Show what an event of the run says: a step that begins, ends, fails or is tried again."""
        step = event.step_key
        if step is None:
            return
        match event.event_type_value:
            case "STEP_START":
                self._started[step] = time.monotonic()
                self._step, self._advance = step, None
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
        """Take the spinner away and say how the run ended, and where its log is if it failed."""
        self._stop()
        self._line(f"{report.date} {report.status}")
        if report.status == "failed" and not self._debug:
            self._line(f"  log: {run_log(self._home)}")

    def _seconds(self, step: str) -> float:
        return time.monotonic() - self._started.get(step, time.monotonic())

    def _advanced(self, progress: Progress) -> None:
        """Takes one report of the source that a step reads: a bar on a terminal, now and then a line elsewhere."""
        now = time.monotonic()
        if self._advance is None:
            self._advance, self._shown = Advance(now, progress.done), now
        is_terminal = self._console.is_terminal
        if now - self._shown < (_BAR_SECONDS if is_terminal else _LINE_SECONDS):
            return
        self._shown = now
        said = f"{self._step} {self._advance.describe(progress, now)}"
        if not is_terminal:
            self._line(f"  {said}")
        elif self._live is not None:
            bar = ProgressBar(progress.total, progress.done, width=40) if progress.total else Text("")
            self._live.update(Group(Spinner("dots", text=Text(said)), bar))

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
