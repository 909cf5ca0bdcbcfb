"""The parameters of account, user and session: names, types, defaults, and which values they take. No state.

Source: Snowflake documentation, "Parameters" (list, types, defaults; a session's value is before its user's, a user's
before the account's).
"""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from movie_platform.local_cloud.snowflake.errors import compilation_error, invalid_value
from movie_platform.local_cloud.snowflake.text.date_formats import check_input_format, check_output_format

ParameterValue = str | int | bool


def _zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(value) from error


def _mapping(value: str) -> None:
    if value.upper() not in {"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"}:
        raise ValueError(value)


def _week_start(value: str) -> None:
    if not 0 <= int(value) <= 7:
        raise ValueError(value)


def _optional_output_format(value: str) -> None:
    if value:
        check_output_format(value)


def _anything(_value: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class SessionParameter:
    """A parameter: its default decides its type; `check` raises ValueError for a value that it does not take."""

    name: str
    default: ParameterValue
    description: str
    check: Callable[[str], None] = _anything

    @property
    def type(self) -> str:
        """The type as SHOW PARAMETERS calls it."""
        if isinstance(self.default, bool):
            return "BOOLEAN"
        return "NUMBER" if isinstance(self.default, int) else "STRING"

    def value(self, given: object) -> ParameterValue:
        """A value as the parameter keeps it.

        Raises SnowflakeError 001008 for one that it does not take.
        """
        text = shown(given)
        try:
            if isinstance(self.default, bool):
                return {"true": True, "false": False}[text.lower()]
            if isinstance(self.default, int):
                self.check(text)
                return int(text)
            self.check(text)
        except (ValueError, KeyError) as error:
            raise invalid_value(text, self.name) from error
        return text


def shown(value: object) -> str:
    """A value as SHOW PARAMETERS and the connector see it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


PARAMETERS: dict[str, SessionParameter] = {
    parameter.name: parameter
    for parameter in (
        SessionParameter("AUTOCOMMIT", default=True, description="Whether a statement is a transaction."),
        SessionParameter(
            "CLIENT_SESSION_KEEP_ALIVE", default=False, description="Whether idle sessions stay."
        ),
        SessionParameter("DATE_INPUT_FORMAT", "AUTO", "Format of dates in text.", check_input_format),
        SessionParameter("DATE_OUTPUT_FORMAT", "YYYY-MM-DD", "Format of dates as text.", check_output_format),
        SessionParameter("LOCK_TIMEOUT", 43_200, "Seconds to wait for a lock."),
        SessionParameter("QUERY_TAG", "", "Text that marks the statements of a session."),
        SessionParameter("ROWS_PER_RESULTSET", 0, "Greatest number of rows of a result, 0 for all."),
        SessionParameter("STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", 0, "Seconds that a statement may wait."),
        SessionParameter("STATEMENT_TIMEOUT_IN_SECONDS", 172_800, "Seconds that a statement may run."),
        SessionParameter(
            "TIMESTAMP_INPUT_FORMAT", "AUTO", "Format of timestamps in text.", check_input_format
        ),
        SessionParameter(
            "TIMESTAMP_LTZ_OUTPUT_FORMAT", "", "Format of TIMESTAMP_LTZ.", _optional_output_format
        ),
        SessionParameter(
            "TIMESTAMP_NTZ_OUTPUT_FORMAT",
            "YYYY-MM-DD HH24:MI:SS.FF3",
            "Format of TIMESTAMP_NTZ.",
            _optional_output_format,
        ),
        SessionParameter(
            "TIMESTAMP_OUTPUT_FORMAT",
            "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
            "Format of timestamps that have none of their own.",
            check_output_format,
        ),
        SessionParameter("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ", "What TIMESTAMP means.", _mapping),
        SessionParameter(
            "TIMESTAMP_TZ_OUTPUT_FORMAT", "", "Format of TIMESTAMP_TZ.", _optional_output_format
        ),
        SessionParameter("TIMEZONE", "America/Los_Angeles", "Time zone of the session.", _zone),
        SessionParameter("TIME_INPUT_FORMAT", "AUTO", "Format of times in text.", check_input_format),
        SessionParameter("TIME_OUTPUT_FORMAT", "HH24:MI:SS", "Format of times as text.", check_output_format),
        SessionParameter("USE_CACHED_RESULT", default=True, description="Whether results may be used again."),
        SessionParameter(
            "WEEK_START", 0, "First day of the week: 0 as ISO, 1 Monday to 7 Sunday.", _week_start
        ),
    )
}


def parameter(name: str) -> SessionParameter:
    """A parameter by its name, in upper case.

    Raises SnowflakeError 001006 for one that there is not.
    """
    found = PARAMETERS.get(name)
    if found is None:
        raise compilation_error(1006, "22023", f"invalid parameter '{name}'")
    return found
