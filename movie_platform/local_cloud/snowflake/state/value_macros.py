"""DuckDB macros for the conversions between text, dates and times, and the variables of a session that they read.

The macros are in the account's file; one view gives each session what the session's own formats say.

DuckDB chooses an overload by the argument's type. Time zones are DuckDB's own: its TimeZone is the session's TIMEZONE.

Source: Snowflake documentation, "Date and time input and output formats", "Data type conversion", "TO_DATE",
"TO_TIMESTAMP / TO_TIMESTAMP_*", "TO_CHAR", "CONVERT_TIMEZONE", "Calendar weeks and weekdays" (WEEK_START).
"""

import re
from collections.abc import Mapping

import duckdb

from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE
from movie_platform.local_cloud.snowflake.text import date_formats
from movie_platform.local_cloud.snowflake.text.names import literal
from movie_platform.local_cloud.snowflake.text.session_parameters import ParameterValue

TEXT = f"{ACCOUNT_STATE}._fs_text"
FORMAT = f"{ACCOUNT_STATE}._fs_to_char"
DATE = f"{ACCOUNT_STATE}._fs_to_date"
NTZ = f"{ACCOUNT_STATE}._fs_to_ntz"
LTZ = f"{ACCOUNT_STATE}._fs_to_ltz"
TIME = f"{ACCOUNT_STATE}._fs_to_time"
TRY_DATE = f"{ACCOUNT_STATE}._fs_try_date"
TRY_NTZ = f"{ACCOUNT_STATE}._fs_try_ntz"
TRY_LTZ = f"{ACCOUNT_STATE}._fs_try_ltz"
TRY_TIME = f"{ACCOUNT_STATE}._fs_try_time"
DATE_AS = f"{ACCOUNT_STATE}._fs_date_as"
NTZ_AS = f"{ACCOUNT_STATE}._fs_ntz_as"
LTZ_AS = f"{ACCOUNT_STATE}._fs_ltz_as"
TIME_AS = f"{ACCOUNT_STATE}._fs_time_as"
PARSED_NTZ = f"{ACCOUNT_STATE}._fs_parsed_ntz"
PARSED_LTZ = f"{ACCOUNT_STATE}._fs_parsed_ltz"
CONVERT = f"{ACCOUNT_STATE}._fs_convert_timezone"
DAY_OF_WEEK = f"{ACCOUNT_STATE}._fs_day_of_week"
WEEK = f"{ACCOUNT_STATE}._fs_week"
WEEK_BEGIN = f"{ACCOUNT_STATE}._fs_week_begin"
DIVISION_BY_ZERO = "Division by zero"
DIVIDE = f"{ACCOUNT_STATE}._fs_divide"


def _wrong(kind: str) -> str:
    return f"error('{kind} ''' || x || ''' is not recognized')"


def _unlike(kind: str) -> str:
    return f"error('Can''t parse ''' || x || ''' as {kind} with format ''' || f || '''')"


def _filled(x: str, zone: str) -> str:
    # strftime's text with what it has no word for.
    text = f"strftime({x}, f)"
    for digits, mark in date_formats.FRACTIONS.items():
        text = f"replace({text}, chr({ord(mark)}), left(strftime({x}, '%f'), {digits}))"
    hours, minutes = ord(date_formats.HOURS_FROM_UTC), ord(date_formats.MINUTES_FROM_UTC)
    text = f"replace({text}, chr({hours}), left({zone}, 3))"
    return (
        f"replace({text}, chr({minutes}), CASE WHEN length({zone}) > 3 THEN right({zone}, 2) ELSE '00' END)"
    )


_NO_ZONE = "'+00'"
_ZONE_SUFFIX = r"(:[0-9]{2}(?:[.][0-9]+)?|T[0-9]{2})\s*(?:Z|[+-][0-9]{1,2}(?::?[0-9]{2})?)$"
_UNZONED = f"CASE WHEN zoned THEN regexp_replace(x, '{_ZONE_SUFFIX}', '\\1') ELSE x END"
_WITHOUT_Z = "regexp_replace(x, '\\s*Z$', '+00:00')"
# An integer as text is seconds, milliseconds, microseconds or nanoseconds since 1970, by how great it is.
_EPOCH = """CASE WHEN regexp_full_match(x, '-?[0-9]{1,18}') THEN make_timestamp(CASE
    WHEN abs(TRY_CAST(x AS BIGINT)) < 31536000000 THEN TRY_CAST(x AS BIGINT) * 1000000
    WHEN abs(TRY_CAST(x AS BIGINT)) < 31536000000000 THEN TRY_CAST(x AS BIGINT) * 1000
    WHEN abs(TRY_CAST(x AS BIGINT)) < 31536000000000000 THEN TRY_CAST(x AS BIGINT)
    ELSE TRY_CAST(x AS BIGINT) // 1000 END) END"""

_P = ACCOUNT_STATE
_DATES = "getvariable('_fs_dates_in')"
_TIMES = "getvariable('_fs_times_in')"
_STAMPS = "getvariable('_fs_timestamps_in')"
_ZONED = "getvariable('_fs_zoned_timestamps_in')"
_STRIP = "coalesce(getvariable('_fs_timestamps_zoned'), true)"
_IS_AUTO_DATE = "coalesce(getvariable('_fs_dates_auto'), true)"
_IS_AUTO_STAMP = "coalesce(getvariable('_fs_timestamps_auto'), true)"
_WEEK_START = "greatest(coalesce(getvariable('_fs_week_start'), 0), 1)"

_DAYS_INTO_WEEK = f"CAST((isodow(d) - {_WEEK_START} + 7) % 7 AS INTEGER)"


def _on_days(body: str) -> list[tuple[str, str]]:
    # Overloads for what has a day: `d` in the body is the day.
    days = {"DATE": "x", "TIMESTAMP": "CAST(x AS DATE)", "TIMESTAMPTZ": "CAST(x AS DATE)"}
    return [(f"x {kind}", re.sub(r"\bd\b", day, body)) for kind, day in days.items()]


def _list(formats: tuple[str, ...]) -> str:
    return f"[{', '.join(map(literal, formats))}]"


def _overloads(name: str, *bodies: tuple[str, str]) -> str:
    # Each overload is a macro by itself too, since DuckDB cannot choose one for an aggregate or a null.
    by_type: dict[str, list[tuple[str, str]]] = {}
    for arguments, body in bodies:
        names = [argument.split(" ") for argument in arguments.split(", ")]
        kind = next((argument[1] for argument in names if len(argument) > 1), "ANY")
        by_type.setdefault(kind, []).append((", ".join(argument[0] for argument in names), body))
    created = {f"{name}__{kind}": alone for kind, alone in by_type.items()} | {name: list(bodies)}
    return "\n".join(
        f"CREATE OR REPLACE MACRO {macro}{', '.join(f'({arguments}) AS {body}' for arguments, body in written)};"
        for macro, written in created.items()
    )


_KINDS = {
    "DATE": "DATE", "TIME": "TIME", "TIMESTAMP": "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "VARCHAR": "VARCHAR", "STRING_LITERAL": "VARCHAR", '"NULL"': "VARCHAR", "INTEGER": "INTEGER",
    "INTEGER_LITERAL": "INTEGER", "BIGINT": "BIGINT",
}  # fmt: skip


def overload(macro: str, duck_type: str) -> str:
    """The macro that is an overload by itself, for a type as DuckDB names it."""
    return f"{macro}__{_KINDS.get(duck_type, 'ANY')}"


def creation_sql() -> str:
    """The statements that make all macros."""
    return "\n".join(
        (
            _overloads(
                f"{_P}._fs_filled",
                ("x TIMESTAMPTZ, f", _filled("x", "strftime(x, '%z')")),
                ("x TIMESTAMP, f", _filled("x", _NO_ZONE)),
            ),
            _overloads(
                TEXT,
                ("x DATE", "strftime(x, getvariable('_fs_date_out'))"),
                ("x TIMESTAMP", f"{_P}._fs_filled__TIMESTAMP(x, getvariable('_fs_ntz_out'))"),
                ("x TIMESTAMPTZ", f"{_P}._fs_filled__TIMESTAMPTZ(x, getvariable('_fs_ltz_out'))"),
                ("x TIME", f"{_P}._fs_filled__TIMESTAMP(DATE '1970-01-01' + x, getvariable('_fs_time_out'))"),
                ("x VARCHAR", "x"),
                ("x", "CAST(x AS VARCHAR)"),
            ),
            _overloads(
                FORMAT,
                ("x DATE, f", f"{_P}._fs_filled__TIMESTAMP(CAST(x AS TIMESTAMP), f)"),
                ("x TIMESTAMP, f", f"{_P}._fs_filled__TIMESTAMP(x, f)"),
                ("x TIMESTAMPTZ, f", f"{_P}._fs_filled__TIMESTAMPTZ(x, f)"),
                ("x TIME, f", f"{_P}._fs_filled__TIMESTAMP(DATE '1970-01-01' + x, f)"),
                (
                    "x, f",
                    "error('Unsupported feature ''TO_CHAR of what is no date or time, with a format''.')",
                ),
            ),
            _overloads(
                f"{_P}._fs_parsed_ntz",
                ("x, formats, zoned", f"CAST(try_strptime({_UNZONED}, formats) AS TIMESTAMP)"),
            ),
            _overloads(
                f"{_P}._fs_parsed_ltz",
                (
                    "x, formats, zoned_formats",
                    (
                        f"coalesce(CAST(try_strptime({_WITHOUT_Z}, zoned_formats) AS TIMESTAMPTZ), "
                        "CAST(CAST(try_strptime(x, formats) AS TIMESTAMP) AS TIMESTAMPTZ))"
                    ),
                ),
            ),
            _overloads(
                f"{_P}._fs_parsed_date",
                (
                    "x",
                    (
                        f"CASE WHEN {_IS_AUTO_DATE} THEN coalesce(CAST(try_strptime(x, {_DATES}) AS DATE), "
                        f"CAST({_P}._fs_parsed_ntz(x, {_list(date_formats.AUTO_TIMESTAMPS)}, true) AS DATE), "
                        f"CAST({_EPOCH} AS DATE)) ELSE CAST(try_strptime(x, {_DATES}) AS DATE) END"
                    ),
                ),
            ),
            *(
                _overloads(
                    f"{prefix}",
                    ("x DATE", "x"),
                    ("x TIMESTAMP", "CAST(x AS DATE)"),
                    ("x TIMESTAMPTZ", "CAST(x AS DATE)"),
                    ("x VARCHAR", _or(f"{_P}._fs_parsed_date(x)", "DATE", failure)),
                    ("x", "CAST(x AS DATE)"),
                )
                for prefix, failure in ((DATE, _wrong("Date")), (TRY_DATE, None))
            ),
            *(
                _overloads(
                    f"{prefix}",
                    ("x DATE", "CAST(x AS TIMESTAMP)"),
                    ("x TIMESTAMP", "x"),
                    ("x TIMESTAMPTZ", "CAST(x AS TIMESTAMP)"),
                    ("x INTEGER", "make_timestamp(CAST(x AS BIGINT) * 1000000)"),
                    ("x BIGINT", "make_timestamp(x * 1000000)"),
                    (
                        "x BIGINT, scale",
                        "make_timestamp(CAST(x * 1000000 // CAST(10 ** scale AS BIGINT) AS BIGINT))",
                    ),
                    ("x VARCHAR", _or(_ntz_of_text(), "TIMESTAMP", failure)),
                    ("x", "CAST(x AS TIMESTAMP)"),
                )
                for prefix, failure in ((NTZ, _wrong("Timestamp")), (TRY_NTZ, None))
            ),
            *(
                _overloads(
                    f"{prefix}",
                    ("x DATE", "CAST(x AS TIMESTAMPTZ)"),
                    ("x TIMESTAMP", "CAST(x AS TIMESTAMPTZ)"),
                    ("x TIMESTAMPTZ", "x"),
                    ("x INTEGER", "to_timestamp(x)"),
                    ("x BIGINT", "to_timestamp(x)"),
                    ("x BIGINT, scale", "to_timestamp(x / (10 ** scale))"),
                    ("x VARCHAR", _or(_ltz_of_text(), "TIMESTAMPTZ", failure)),
                    ("x", "CAST(x AS TIMESTAMPTZ)"),
                )
                for prefix, failure in ((LTZ, _wrong("Timestamp")), (TRY_LTZ, None))
            ),
            *(
                _overloads(
                    f"{prefix}",
                    ("x TIME", "x"),
                    ("x TIMESTAMP", "CAST(x AS TIME)"),
                    ("x TIMESTAMPTZ", "CAST(CAST(x AS TIMESTAMP) AS TIME)"),
                    ("x VARCHAR", _or(f"CAST(try_strptime(x, {_TIMES}) AS TIME)", "TIME", failure)),
                    ("x", "CAST(x AS TIME)"),
                )
                for prefix, failure in ((TIME, _wrong("Time")), (TRY_TIME, None))
            ),
            *_with_formats(),
            _overloads(
                CONVERT,
                ("zone, x TIMESTAMPTZ", "timezone(zone, x)"),
                ("zone, x TIMESTAMP", "timezone(zone, CAST(x AS TIMESTAMPTZ))"),
                ("zone, x DATE", "timezone(zone, CAST(x AS TIMESTAMPTZ))"),
                ("zone, x VARCHAR", f"timezone(zone, {LTZ}__VARCHAR(x))"),
                ("source, zone, x TIMESTAMP", "timezone(zone, timezone(source, x))"),
                ("source, zone, x DATE", "timezone(zone, timezone(source, CAST(x AS TIMESTAMP)))"),
                ("source, zone, x VARCHAR", f"timezone(zone, timezone(source, {NTZ}__VARCHAR(x)))"),
            ),
            _overloads(WEEK_BEGIN, *_on_days(f"CAST(d - {_DAYS_INTO_WEEK} AS DATE)")),
            _overloads(
                DAY_OF_WEEK,
                *_on_days(
                    "CASE WHEN coalesce(getvariable('_fs_week_start'), 0) = 0 THEN dayofweek(d) "
                    f"ELSE {_DAYS_INTO_WEEK} + 1 END"
                ),
            ),
            # The week belongs to the year in which four of its days lie (WEEK_OF_YEAR_POLICY = 0).
            _overloads(WEEK, *_on_days(f"(dayofyear(d - {_DAYS_INTO_WEEK} + 3) - 1) // 7 + 1")),
            # Rounded half away from zero; `n` and `d` are whole numbers. No part of it fails by itself where d is zero:
            # DuckDB computes what occurs twice before it looks at a CASE around it.
            _overloads(
                DIVIDE,
                (
                    "n, d",
                    (
                        f"CASE WHEN d = 0 THEN CAST(error('{DIVISION_BY_ZERO}') AS HUGEINT) ELSE n // nullif(d, 0) + "
                        "CASE WHEN abs(n % nullif(d, 0)) >= abs(d) - abs(n % nullif(d, 0)) "
                        "THEN sign(n) * sign(d) ELSE 0 END END"
                    ),
                ),
            ),
        )
    )


def _or(parsed: str, kind: str, failure: str | None) -> str:
    if failure is None:
        return parsed
    return f"CASE WHEN x IS NOT NULL THEN coalesce({parsed}, CAST({failure} AS {kind})) END"


def _ntz_of_text() -> str:
    return (
        f"coalesce({_P}._fs_parsed_ntz(x, {_STAMPS}, {_STRIP}), CASE WHEN {_IS_AUTO_STAMP} THEN "
        f"coalesce(CAST(try_strptime(x, {_list(date_formats.AUTO_DATES)}) AS TIMESTAMP), {_EPOCH}) END)"
    )


def _ltz_of_text() -> str:
    return (
        f"coalesce({_P}._fs_parsed_ltz(x, {_STAMPS}, {_ZONED}), CASE WHEN {_IS_AUTO_STAMP} THEN "
        f"coalesce(CAST(CAST(try_strptime(x, {_list(date_formats.AUTO_DATES)}) AS TIMESTAMP) AS TIMESTAMPTZ), "
        f"timezone('UTC', {_EPOCH})) END)"
    )


def _with_formats() -> list[str]:
    # The same with a format in the statement: `formats` for strptime, `f` as it was written.
    return [
        _overloads(
            DATE_AS,
            ("x DATE, formats, f", "x"),
            ("x TIMESTAMP, formats, f", "CAST(x AS DATE)"),
            ("x VARCHAR, formats, f", _or("CAST(try_strptime(x, formats) AS DATE)", "DATE", _unlike("date"))),
        ),
        _overloads(
            TIME_AS,
            ("x TIME, formats, f", "x"),
            ("x VARCHAR, formats, f", _or("CAST(try_strptime(x, formats) AS TIME)", "TIME", _unlike("time"))),
        ),
        _overloads(
            NTZ_AS,
            ("x DATE, formats, zoned_formats, zoned, f", "CAST(x AS TIMESTAMP)"),
            ("x TIMESTAMP, formats, zoned_formats, zoned, f", "x"),
            ("x TIMESTAMPTZ, formats, zoned_formats, zoned, f", "CAST(x AS TIMESTAMP)"),
            (
                "x VARCHAR, formats, zoned_formats, zoned, f",
                _or(f"{_P}._fs_parsed_ntz(x, formats, zoned)", "TIMESTAMP", _unlike("timestamp")),
            ),
        ),
        _overloads(
            LTZ_AS,
            ("x DATE, formats, zoned_formats, zoned, f", "CAST(x AS TIMESTAMPTZ)"),
            ("x TIMESTAMP, formats, zoned_formats, zoned, f", "CAST(x AS TIMESTAMPTZ)"),
            ("x TIMESTAMPTZ, formats, zoned_formats, zoned, f", "x"),
            (
                "x VARCHAR, formats, zoned_formats, zoned, f",
                _or(f"{_P}._fs_parsed_ltz(x, formats, zoned_formats)", "TIMESTAMPTZ", _unlike("timestamp")),
            ),
        ),
    ]


def apply(connection: duckdb.DuckDBPyConnection, values: Mapping[str, ParameterValue]) -> None:
    """Gives a connection the values of its session's parameters: its time zone, and what the macros read."""
    general = str(values["TIMESTAMP_OUTPUT_FORMAT"])
    dates, times, stamps = (str(values[f"{kind}_INPUT_FORMAT"]) for kind in ("DATE", "TIME", "TIMESTAMP"))
    variables = {
        "date_out": literal(date_formats.strftime_format(str(values["DATE_OUTPUT_FORMAT"]))),
        "time_out": literal(date_formats.strftime_format(str(values["TIME_OUTPUT_FORMAT"]))),
        "ntz_out": literal(
            date_formats.strftime_format(str(values["TIMESTAMP_NTZ_OUTPUT_FORMAT"]) or general)
        ),
        "ltz_out": literal(
            date_formats.strftime_format(str(values["TIMESTAMP_LTZ_OUTPUT_FORMAT"]) or general)
        ),
        "dates_in": _list(date_formats.date_formats(dates)),
        "times_in": _list(date_formats.time_formats(times)),
        "timestamps_in": _list(date_formats.timestamp_formats(stamps)),
        "zoned_timestamps_in": _list(date_formats.zoned_timestamp_formats(stamps)),
        "timestamps_zoned": str(date_formats.has_zone(stamps)).lower(),
        "dates_auto": str(dates.upper() == date_formats.AUTO).lower(),
        "timestamps_auto": str(stamps.upper() == date_formats.AUTO).lower(),
        "week_start": str(int(values["WEEK_START"])),
    }
    statements = [f"SET VARIABLE _fs_{name} = {value}" for name, value in variables.items()]
    connection.execute("; ".join((f"SET SESSION TimeZone = {literal(str(values['TIMEZONE']))}", *statements)))
