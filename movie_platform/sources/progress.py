"""How far a source has got, told to whoever listens. Sources report and never print; commands listen and show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` things, `total` None where the source cannot tell; `what` names them in the plural."""

    what: str
    done: int
    total: int | None = None


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Until it is left, `listener` gets each report that a source in this process makes, on the source's thread."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def report(progress: Progress) -> None:
    """Tell all listeners; nothing happens where nobody listens."""
    for listener in tuple(_listeners):
        listener(progress)
