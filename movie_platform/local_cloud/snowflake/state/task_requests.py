"""What statements ask of the scheduler: graphs to run once, and running tasks to end. In memory: a kill forgets it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from movie_platform.local_cloud.snowflake.text.names import FullName


class TaskRequests:
    """`wake` is set when there is something new for the scheduler to see; the scheduler clears it."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self._lock = threading.Lock()
        self._asked: list[FullName] = []
        self._running: list[tuple[FullName, Callable[[], None]]] = []

    def execute(self, root: FullName) -> None:
        """Has a graph run once, now or after its own run; asked twice before it begins it runs once."""
        with self._lock:
            if root not in self._asked:
                self._asked.append(root)
        self.wake.set()

    def asked(self) -> list[FullName]:
        """Roots of the graphs to run, in the order in which they were asked for."""
        with self._lock:
            return list(self._asked)

    def fulfil(self, root: FullName) -> None:
        """Takes a root off the list; until then the request stands, whatever fails."""
        with self._lock:
            self._asked.remove(root)

    @contextmanager
    def running(self, task: FullName, cancel: Callable[[], None]) -> Iterator[None]:
        """A task runs for as long as the context lasts; `cancel` ends it and does not wait for the end."""
        entry = (task, cancel)
        with self._lock:
            self._running.append(entry)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(entry)

    def cancel(self, task: FullName) -> bool:
        """Cancels what a task is running; False where it runs nothing."""
        with self._lock:
            found = [cancel for name, cancel in self._running if name == task]
        for cancel in found:
            cancel()
        return bool(found)
