"""How fast something goes and how long it will take, as text. Pure."""

from dataclasses import dataclass

from movie_platform.sources.progress import Progress


@dataclass(frozen=True, slots=True)
class Advance:
    """Where counting began: `started` in seconds of any clock, `done` how much was done by then."""

    started: float
    done: int

    def describe(self, progress: Progress, now: float) -> str:
        """What is done, at which rate, and what remains at that rate where the total is known."""
        seconds = now - self.started
        rate = (progress.done - self.done) / seconds if seconds > 0 else 0.0
        of = "" if progress.total is None else f" of {progress.total:,}"
        said = [f"{progress.done:,}{of} {progress.what}", f"{rate:,.1f}/s"]
        if progress.total is not None and rate > 0:
            said.append(f"{duration((progress.total - progress.done) / rate)} left")
        return ", ".join(said)


def duration(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `12 min`, `6 h 40 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
