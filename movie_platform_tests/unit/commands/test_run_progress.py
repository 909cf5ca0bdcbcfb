"""What is shown of a source's progress: how much, how fast, how long still."""

import errno
import os
import pty
import re
from pathlib import Path

import pytest
from rich.console import Console

from movie_platform.commands import progress as shown
from movie_platform.commands.throughput_text import Advance, duration
from movie_platform.sources.progress import Progress, report


def test_rate_and_remaining_time_follow_from_what_was_done_since_the_start() -> None:
    advance = Advance(started=100.0, done=500)
    assert (
        advance.describe(Progress("films", 2_500, 50_000), 150.0)
        == "2,500 of 50,000 films, 40.0/s, 20 min left"
    )
    assert advance.describe(Progress("films", 600, None), 102.0) == "600 films, 50.0/s"
    assert advance.describe(Progress("films", 500, 1_000), 100.0) == "500 of 1,000 films, 0.0/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89, "89 s"), (600, "10 min"), (24_000, "6 h 40 min")]
)
def test_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def read_all(terminal: int) -> bytes:
    """Everything up to the end, which Linux tells as an error when the other side is closed."""
    found = b""
    try:
        while some := os.read(terminal, 65536):
            found += some
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    return found


def test_a_terminal_gets_a_bar_with_rate_and_remaining_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, terminal = pty.openpty()
    with os.fdopen(terminal, "w", buffering=1) as stream:
        console = Console(file=stream, force_terminal=True, width=100)
        monkeypatch.setattr(shown.console, "progress", lambda: console)
        monkeypatch.setattr(shown, "_BAR_SECONDS", 0.0)
        with shown.RunProgress(tmp_path, debug=False) as progress:
            progress._step = "extract__raw_extract"
            progress._spin(progress._step)
            report(Progress("films", 1, 10))
            report(Progress("films", 5, 10))
    seen = read_all(main).decode("utf-8", "replace")
    os.close(main)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert re.search(r"extract__raw_extract 5 of 10 films, [\d,.]+/s, \d+ (s|min) left", plain)
    assert "━" in plain


def test_elsewhere_a_line_comes_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(shown.console, "say", said.append)
    monkeypatch.setattr(shown.console, "progress", lambda: Console(force_terminal=False))
    with shown.RunProgress(tmp_path, debug=False) as progress:
        progress._step = "extract__raw_extract"
        report(Progress("films", 1, 10))
        report(Progress("films", 2, 10))
        assert said == []
        progress._shown -= 31
        report(Progress("films", 3, 10))
    report(Progress("films", 4, 10))
    assert len(said) == 1
    assert said[0].startswith("  extract__raw_extract 3 of 10 films, ")
