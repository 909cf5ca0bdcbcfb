"""What to tell people about an exception: a code, a sentence, what to do next, and the exit code.

Pure. Exceptions of libraries are told apart by the names of their classes, so that none has to be imported to
explain an error that cannot have come from it.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from movie_platform.errors import PlatformError

FAILED = 1
WRONG_USAGE = 2


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the command prints of an error and ends with."""

    exit_code: int
    code: str
    message: str
    next_step: str | None = None


# What Dagster turns Ctrl-C into while a step runs; not an Exception.
_INTERRUPTED = "dagster._core.errors.DagsterExecutionInterruptedError"
_WRONG_USAGE_ERRORS = frozenset(
    {
        "movie_platform.sources.source_errors.ProfileError",
        "movie_platform.sources.source_errors.SourceNotFound",
    }
)

# Class name, anywhere among an exception's base classes -> code, exit code, what to do.
_LIBRARY_ERRORS: tuple[tuple[str, str, int, str], ...] = (
    (
        "botocore.exceptions.NoCredentialsError",
        "no_aws_credentials",
        WRONG_USAGE,
        "Configure credentials in one of boto3's ways, for example a profile: MOVIE_PLATFORM_AWS_PROFILE.",
    ),
    (
        "botocore.exceptions.ProfileNotFound",
        "no_aws_profile",
        WRONG_USAGE,
        "Set MOVIE_PLATFORM_AWS_PROFILE to a profile of ~/.aws/config.",
    ),
    *(
        (
            f"botocore.exceptions.{name}",
            "aws_unreachable",
            FAILED,
            "See `movie-platform doctor`; a local cloud is started by `movie-platform cloud up`.",
        )
        for name in ("ConnectionError", "HTTPClientError")
    ),
    (
        "botocore.exceptions.ClientError",
        "aws_error",
        FAILED,
        "If something is missing there: `movie-platform provision`. `movie-platform doctor` looks further.",
    ),
    (
        "snowflake.connector.errors.ProgrammingError",
        "snowflake_statement_failed",
        FAILED,
        "Check the statement; if an object is missing: `movie-platform provision`.",
    ),
    (
        "snowflake.connector.errors.Error",
        "snowflake_unreachable",
        FAILED,
        "See `movie-platform doctor`; a local cloud is started by `movie-platform cloud up`.",
    ),
)


def explain(error: BaseException) -> Explanation:
    """The explanation of any exception. Errors that carry `code` and `message` of their own are passed on."""
    if isinstance(error, PlatformError):
        return Explanation(error.exit_code, error.code, error.message, error.next_step)
    if isinstance(error, ValidationError):
        return _explain_validation(error)
    if isinstance(error, KeyboardInterrupt) or _INTERRUPTED in _class_names(error):
        return Explanation(
            FAILED, "interrupted", "interrupted", "Run the same command again to finish the work."
        )
    for name, code, exit_code, next_step in _LIBRARY_ERRORS:
        if name in _class_names(error):
            return Explanation(exit_code, code, str(error), next_step)
    code = getattr(error, "code", None)
    if code is not None and not isinstance(code, int):
        # Errors of the parts that do not depend on this package's error class, such as bundles.
        wrong_usage = not _WRONG_USAGE_ERRORS.isdisjoint(_class_names(error))
        return Explanation(
            WRONG_USAGE if wrong_usage else FAILED,
            str(getattr(code, "value", code)),
            _message(error),
            getattr(error, "next_step", None),
        )
    if isinstance(error, OSError):
        return Explanation(FAILED, "os_error", str(error), None)
    return Explanation(
        FAILED,
        "unexpected_error",
        f"{type(error).__name__}: {error}",
        "This is a fault of the platform: --debug shows where it happened.",
    )


def _message(error: BaseException) -> str:
    entry = getattr(error, "entry", None)
    return f"{getattr(error, 'message', error)}{f' (entry {entry})' if entry else ''}"


def _explain_validation(error: ValidationError) -> Explanation:
    problems = []
    for detail in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in detail["loc"]) or error.title
        problems.append(f"{name}: {detail['msg']}")
    return Explanation(
        WRONG_USAGE,
        "invalid_configuration",
        f"{error.title} is not valid: {'; '.join(problems)}",
        "Settings come from options and from MOVIE_PLATFORM_<NAME> variables."
        if error.title == "Settings"
        else None,
    )


def _class_names(error: BaseException) -> set[str]:
    return {f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__}
