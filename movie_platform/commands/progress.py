"""What happens in a run, as it happens: a spinner on a terminal, a plain line a step elsewhere."""

import time
from typing import TYPE_CHECKING, Self

from rich.status import Status

from movie_platform.commands import console

if TYPE_CHECKING:
    import dagster as dg

    from movie_platform.runs.result import RunReport


class RunProgress:
    """Listens to a run's events and shows the step that is at work."""

    def __init__(self) -> None:
        self._console = console.progress()
        self._status: Status | None = None
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()

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

    def _seconds(self, step: str) -> float:
        return time.monotonic() - self._started.get(step, time.monotonic())

    def _spin(self, step: str) -> None:
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(step)
            self._status.start()
        self._status.update(step)

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _line(self, text: str) -> None:
        console.say(text)
