"""What all commands share: the global options, how errors end a command, and how settings are made."""

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from movie_platform.commands import console
from movie_platform.commands.explain import explain

if TYPE_CHECKING:
    from movie_platform.settings import Settings

_GLOBAL_FLAGS = frozenset({"--debug"})
_GLOBAL_VALUES = frozenset({"--home"})


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that stand before or after any command."""

    home: Path | None = None
    debug: bool = False

    def settings(self, **overrides: Any) -> "Settings":
        """The settings of the environment with the options on top. Raises pydantic's ValidationError."""
        from movie_platform.settings import Settings

        if self.home is not None:
            overrides["home"] = self.home
        return Settings(**overrides)


def global_options(context: typer.Context) -> GlobalOptions:
    """The global options of a running command."""
    found = context.find_root().obj
    return found if isinstance(found, GlobalOptions) else GlobalOptions()


def hoist_global_options(arguments: list[str]) -> list[str]:
    """The arguments with the global options moved to the front, wherever they stood before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        name, equals, _ = argument.partition("=")
        if argument == "--":
            rest.extend(arguments[position:])
            break
        if argument in _GLOBAL_FLAGS or (equals and name in _GLOBAL_VALUES):
            front.append(argument)
        elif argument in _GLOBAL_VALUES:
            if position + 1 == len(arguments):
                raise typer.BadParameter(f"{argument} needs a value.")
            front.append(f"{argument}={arguments[position + 1]}")
            position += 1
        else:
            rest.append(argument)
        position += 1
    return front + rest


class RootGroup(TyperGroup):
    """The command itself: it takes the global options wherever they stand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments after the global options were moved to the front."""
        return super().parse_args(ctx, hoist_global_options(args))


class Command(TyperCommand):
    """A command whose errors are explained on stderr: the one place where an exception becomes an exit
    code.
    """

    def invoke(self, ctx: Any) -> Any:
        """Runs the command. Raises typer.Exit with the code of whatever went wrong."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, SystemExit):
            raise
        except BrokenPipeError:
            # The reader of stdout has gone: Typer ends the command without a word.
            raise
        except BaseException as error:
            raise typer.Exit(report_error(error, debug=global_options(ctx).debug)) from error


class JsonFileCommand(Command):
    """A command whose `--json` takes a file, or stdout where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments after a bare `--json` was given `-` as its file."""
        return super().parse_args(ctx, complete_json_option(args))


def complete_json_option(arguments: list[str]) -> list[str]:
    """The arguments with `-` after each `--json` that no file name follows."""
    completed: list[str] = []
    for position, argument in enumerate(arguments):
        completed.append(argument)
        following = arguments[position + 1] if position + 1 < len(arguments) else None
        if argument == "--json" and (following is None or (following.startswith("-") and following != "-")):
            completed.append("-")
    return completed


def report_error(error: BaseException, *, debug: bool) -> int:
    """Print what an error means on stderr, with `debug` its traceback too, and answer the exit code."""
    explanation = explain(error)
    target = console.stderr()
    if debug:
        target.print("".join(traceback.format_exception(error)), markup=False, end="")
    target.print(f"error: {explanation.message} [{explanation.code}]", markup=False, style="red")
    if explanation.next_step:
        target.print(f"next: {explanation.next_step}", markup=False)
    return explanation.exit_code
