"""The command: usage, exit codes, where errors and JSON go. No server, nothing heavy imported."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from movie_platform import __version__
from movie_platform.cli import app
from movie_platform.commands import base, console
from movie_platform.commands.base import complete_json_option, hoist_global_options
from movie_platform.commands.sql import Format, write_rows
from movie_platform.errors import ConfigurationError, PlatformError
from movie_platform.local_cloud import cloud_file

COMMANDS = (
    "demo",
    "dev",
    "cloud up",
    "cloud down",
    "cloud status",
    "cloud reset",
    "provision",
    "run",
    "extract",
    "land",
    "bundle make",
    "bundle verify",
    "bundle show",
    "sql",
    "export airflow",
    "doctor",
    "bench",
)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MOVIE_PLATFORM_")]:
        monkeypatch.delenv(name)


def invoke(*arguments: str, home: Path | None = None) -> Any:
    before = ["--home", str(home)] if home else []
    return CliRunner().invoke(app, [*before, *arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    example = re.split(r"Examples?:", result.output)[1]
    assert f"movie-platform {command}" in " ".join(example.split())


def test_the_version_is_printed() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"movie-platform {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["run"],
        ["run", "--date", "2026-13-01"],
        ["run", "--date", "18.11.2026"],
        ["land"],
        ["land", "no-such-bundle.zip"],
        ["sql"],
        ["sql", "SELECT 1", "--format", "xml"],
        ["bench", "--rows", "0"],
        ["dev", "--port", "80"],
        ["cloud", "frobnicate"],
        ["demo", "--home"],
        ["run", "--date", "2026-11-18", "--frobnicate"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_no_traceback(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_range_that_ends_before_it_begins_is_wrong_usage(tmp_path: Path) -> None:
    result = invoke("run", "--date", "2026-11-20", "--to", "2026-11-18", home=tmp_path)
    assert result.exit_code == 2
    assert "empty_range" in result.stderr


@pytest.mark.parametrize("command", [["run", "--date", "2026-11-18"], ["sql", "SELECT 1"], ["provision"]])
def test_a_local_cloud_that_is_not_running_is_said_so_with_what_to_do(
    tmp_path: Path, command: list[str]
) -> None:
    result = invoke(*command, home=tmp_path / "home")
    assert result.exit_code == 2
    assert "local_cloud_not_running" in result.stderr
    assert "movie-platform cloud up" in result.stderr
    assert not (tmp_path / "home").exists()


def test_what_a_crash_may_have_cost_is_shown_with_the_status(tmp_path: Path) -> None:
    record = cloud_file.CloudRecord(notes=["the AWS server ended without saving its state"])
    cloud_file.write(tmp_path / "cloud.json", record, endpoints={})
    shown = invoke("cloud", "status", home=tmp_path)
    assert "Note: the AWS server ended without saving its state" in " ".join(shown.stdout.split())
    answer = json.loads(invoke("cloud", "status", "--json", home=tmp_path).stdout)
    assert answer["notes"] == ["the AWS server ended without saving its state"]


def test_an_invalid_setting_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIE_PLATFORM_AWS_ACCOUNT_ID", "12")
    result = invoke("cloud", "status")
    assert result.exit_code == 2
    assert "aws_account_id" in result.stderr
    assert "MOVIE_PLATFORM_<NAME>" in result.stderr


def test_the_demo_refuses_to_run_on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIE_PLATFORM_ENVIRONMENT", "aws")
    result = invoke("demo")
    assert result.exit_code == 2
    assert "demo_is_local" in result.stderr


def failing_app(error: BaseException) -> typer.Typer:
    application = typer.Typer(cls=base.RootGroup)

    @application.callback()
    def root(context: typer.Context, debug: bool = False) -> None:
        context.obj = base.GlobalOptions(debug=debug)

    @application.command("fail", cls=base.Command)
    def fail() -> None:
        raise error

    return application


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (PlatformError("broken", "It broke.", "Mend it."), 1, "broken"),
        (ConfigurationError("misset", "It is set wrong.", "Set it right."), 2, "misset"),
        (KeyboardInterrupt(), 1, "interrupted"),
        (ZeroDivisionError("division by zero"), 1, "unexpected_error"),
        (FileNotFoundError(2, "No such file or directory", "x"), 1, "os_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_becomes_a_line_on_stderr_and_an_exit_code(
    error: BaseException, exit_code: int, code: str
) -> None:
    result = CliRunner().invoke(failing_app(error), ["fail"])
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert f"[{code}]" in result.stderr
    assert "Traceback" not in result.stderr
    if isinstance(error, PlatformError):
        assert f"next: {error.next_step}" in result.stderr


def test_debug_shows_the_traceback_wherever_it_stands() -> None:
    for arguments in (["--debug", "fail"], ["fail", "--debug"]):
        result = CliRunner().invoke(failing_app(ZeroDivisionError("division by zero")), arguments)
        assert result.exit_code == 1
        assert "Traceback (most recent call last)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["demo", "--home", "/x"], ["--home=/x", "demo"]),
        (["demo", "--home=/x", "--debug"], ["--home=/x", "--debug", "demo"]),
        (["--home", "/x", "sql", "SELECT 1"], ["--home=/x", "sql", "SELECT 1"]),
        (["sql", "--", "--home", "/x"], ["sql", "--", "--home", "/x"]),
        (["run", "--date", "2026-11-18"], ["run", "--date", "2026-11-18"]),
        ([], []),
    ],
)
def test_global_options_may_stand_before_or_after_the_command(
    arguments: list[str], expected: list[str]
) -> None:
    assert hoist_global_options(arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["x.zip", "--wait", "--json"], ["x.zip", "--wait", "--json", "-"]),
        (["x.zip", "--json", "--wait"], ["x.zip", "--json", "-", "--wait"]),
        (["x.zip", "--json", "r.json", "--wait"], ["x.zip", "--json", "r.json", "--wait"]),
        (["x.zip", "--json", "-"], ["x.zip", "--json", "-"]),
        (["x.zip"], ["x.zip"]),
    ],
)
def test_json_without_a_file_goes_to_stdout(arguments: list[str], expected: list[str]) -> None:
    assert complete_json_option(arguments) == expected


def test_json_to_a_file_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        console.write_json({}, str(tmp_path / "no" / "such" / "folder.json"))


def rows() -> Iterator[Sequence[Any]]:
    yield from (
        ('Amélie, "le film"', 2001, Decimal("89.00"), None),
        ("1776", None, Decimal("5.25"), date(1972, 11, 9)),
    )


NAMES = ("TITLE", "YEAR", "RATING", "RELEASED")


def test_rows_as_json_are_an_array_of_objects() -> None:
    target = io.StringIO()
    assert write_rows(Format.JSON, NAMES, rows(), target) == 2
    assert json.loads(target.getvalue()) == [
        {"TITLE": 'Amélie, "le film"', "YEAR": 2001, "RATING": 89, "RELEASED": None},
        {"TITLE": "1776", "YEAR": None, "RATING": 5.25, "RELEASED": "1972-11-09"},
    ]


def test_no_rows_as_json_are_an_empty_array() -> None:
    target = io.StringIO()
    assert write_rows(Format.JSON, NAMES, iter(()), target) == 0
    assert json.loads(target.getvalue()) == []


def test_a_decimal_that_no_double_holds_stays_exact_in_json() -> None:
    target = io.StringIO()
    write_rows(Format.JSON, ("N",), iter([(Decimal("9007199254740993.01"),)]), target)
    assert json.loads(target.getvalue()) == [{"N": "9007199254740993.01"}]


def test_rows_as_csv_have_a_header_and_quotes_where_needed() -> None:
    target = io.StringIO()
    assert write_rows(Format.CSV, NAMES, rows(), target) == 2
    assert target.getvalue().splitlines() == [
        "TITLE,YEAR,RATING,RELEASED",
        '"Amélie, ""le film""",2001,89.00,',
        "1776,,5.25,1972-11-09",
    ]


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON])
def test_rows_are_written_as_they_arrive(form: Format) -> None:
    target = io.StringIO()
    seen: list[int] = []

    def watched() -> Iterator[Sequence[Any]]:
        for number in range(3):
            seen.append(len(target.getvalue()))
            yield (number,)

    write_rows(form, ("N",), watched(), target)
    assert seen == sorted(set(seen)), "a row was asked for before the one before it was written"


def test_rows_as_a_table_say_how_many_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_rows(Format.TABLE, NAMES, rows(), sys.stdout) == 2
    shown = capsys.readouterr().out
    assert "Amélie" in shown
    assert "2 rows" in shown
    assert "2001" in shown


def test_control_characters_in_values_are_shown_not_obeyed() -> None:
    assert console.format_value("\x1b[2Jred\n") == "\\x1b[2Jred\\n"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (7 * 10**12, "7000.0 GB")],
)
def test_sizes_are_given_in_decimal_units(size: int, text: str) -> None:
    assert console.format_bytes(size) == text


def test_help_is_there_at_once_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from movie_platform.cli import app; from typer.testing import CliRunner;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "heavy = ('dagster', 'snowflake.connector', 'pandas', 'pyarrow', 'boto3', 'pyspark', 'pydantic_settings');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_console_script_passes_the_exit_code_on() -> None:
    command = [str(Path(sys.executable).with_name("movie-platform")), "run", "--date", "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
