"""Periods of days, cut so that no query is too large: decisions without I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def days(self) -> int:
        """How many days the period has: at least 1."""
        return (self.last - self.first).days + 1

    def halves(self) -> "tuple[Period, Period]":
        """The period cut in two that neither overlap nor leave a day out. ValueError for a single day."""
        if self.days < 2:
            raise ValueError(f"{self} cannot be cut")
        middle = self.first + (self.days // 2 - 1) * DAY
        return Period(self.first, middle), Period(middle + DAY, self.last)


def windows(first: date, last: date, longest_days: int) -> Iterator[Period]:
    """The days from `first` to `last` in periods of at most so many days, each beginning where one ended.

    The shared day costs a request and loses nothing, whether or not the API counts a period's last day. ValueError
    for `longest_days` below 2.
    """
    if longest_days < 2:
        raise ValueError("a period that shares a day with the next one has at least two")
    step = longest_days - 1
    begin = first
    while True:
        end = min(begin + step * DAY, last)
        yield Period(begin, end)
        if end >= last:
            return
        begin = end
