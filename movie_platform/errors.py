"""The base of the errors that people see: what went wrong, where, and what to do next.

Any part may subclass it. Only the command turns such an error into an exit code and a line on stderr. Parts that a
cloud runs by themselves (bundles, contracts, the Lambda, the Glue job) do not import this module: they have errors
of their own, which the orchestrator's side wraps.
"""

from typing import ClassVar


class PlatformError(Exception):
    """A failure that is explained: `code` for programs, `message` and `next_step` for people.

    `exit_code` is what the command ends with: 1 where the work failed, 2 where usage or configuration is wrong.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, next_step: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message


class ConfigurationError(PlatformError):
    """Usage or configuration is wrong: `message` says which, `next_step` what to change."""

    exit_code = 2
