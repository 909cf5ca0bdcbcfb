"""Requests side by side, a bounded number of them, with their results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Results that may wait for a slower one before them.
_AHEAD = 4


def ordered_map(
    function: Callable[[T], R], items: Iterable[T], *, workers: int, abandon: Callable[[], object]
) -> Generator[R]:
    """`function` of each item, in the items' order, computed by `workers` threads.

    Items are taken as they are needed, so an endless iterable is no problem. What `function` raises is raised in its
    place in the order. Whenever this ends early `abandon` is called: it makes calls that are under way end soon, for
    they are waited for.
    """
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="source") as executor:
        try:
            for item in items:
                pending.append(executor.submit(function, item))
                if len(pending) >= workers * _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BaseException:
            for future in pending:
                future.cancel()
            abandon()
            raise
