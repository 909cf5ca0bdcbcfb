"""Errors in Snowflake's own form (number, SQLSTATE, text), and how failures of DuckDB and fakesnow become such errors.

Every failure leaves the server as one of these, with HTTP 200: the connector retries HTTP 500 for minutes.
"""

import re

import duckdb
import snowflake.connector.errors as connector_errors

NO_CURRENT_DATABASE = 90105
NO_CURRENT_SCHEMA = 90106


class SnowflakeError(Exception):
    """What a client is told. `number` is Snowflake's error number, `sqlstate` the five characters beside it."""

    def __init__(self, number: int, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.sqlstate = sqlstate
        self.message = message

    @property
    def code(self) -> str:
        """The number as the protocol carries it: six digits."""
        return f"{self.number:06d}"


class WriteConflictError(SnowflakeError):
    """Another transaction changed the same rows: a statement outside a transaction may be tried again."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            625,
            "57014",
            f"Statement aborted: another transaction has changed the same rows ({detail}). Run the transaction again.",
        )


def compilation_error(number: int, sqlstate: str, text: str) -> SnowflakeError:
    """An error found before anything ran."""
    return SnowflakeError(number, sqlstate, f"SQL compilation error:\n{text}")


def syntax_error(text: str) -> SnowflakeError:
    """The statement is not in the grammar."""
    return compilation_error(1003, "42000", text)


def unsupported(feature: str) -> SnowflakeError:
    """Snowflake's answer to a feature that it does not have, given for what the local one lacks."""
    return SnowflakeError(
        2,
        "0A000",
        f"Unsupported feature '{feature}'. The local Snowflake does not have it: see docs/local-snowflake.md.",
    )


def beyond_alter(feature: str) -> SnowflakeError:
    """Snowflake's answer to a change that its own CREATE OR ALTER cannot make."""
    return SnowflakeError(2, "0A000", f"Unsupported feature '{feature}'.")


def does_not_exist(kind: str, name: str) -> SnowflakeError:
    """An object that is not there."""
    return compilation_error(2003, "02000", f"{kind} '{name}' does not exist or not authorized.")


def already_exists(name: str) -> SnowflakeError:
    """An object that is there already."""
    return compilation_error(2002, "42710", f"Object '{name}' already exists.")


def invalid_value(value: str, parameter: str) -> SnowflakeError:
    """A parameter's value is not one that it takes."""
    return compilation_error(1008, "22023", f"invalid value [{value}] for parameter '{parameter}'")


def internal_error(exception: BaseException) -> SnowflakeError:
    """A fault of the local Snowflake itself; its log has the traceback."""
    return SnowflakeError(
        603,
        "XX000",
        f"SQL execution internal error: {type(exception).__name__}: {_first_lines(str(exception))} "
        "(the log of the local Snowflake has the details)",
    )


def from_exception(exception: BaseException) -> SnowflakeError:
    """The Snowflake error for any exception that a statement raised."""
    if isinstance(exception, SnowflakeError):
        return exception
    if isinstance(exception, duckdb.Error):
        return _from_duckdb(exception)
    if isinstance(exception, connector_errors.Error):
        number = exception.errno if isinstance(exception.errno, int) and exception.errno > 0 else 1003
        # The connector's exceptions put "number (sqlstate): query id: " before the text they were given.
        text = re.sub(
            r"^\d{6} \([0-9A-Z]{5}\): (?:[0-9a-f-]{36}: )?", "", str(exception.raw_msg or exception.msg)
        )
        if number == 9999:
            return unsupported(text.split(" not implemented. Please", 1)[0])
        return SnowflakeError(number, exception.sqlstate or "42000", text)
    if isinstance(exception, NotImplementedError):
        return unsupported(str(exception) or "this statement")
    return internal_error(exception)


_CANNOT_CONVERT = re.compile(
    r"""(?:Could not (?:convert|cast)(?: string| value)?) ["']?(?P<value>.*?)["']? to (?P<type>\w+)"""
)
_BAD_FIELD = re.compile(r'invalid (?P<kind>date|timestamp|time) field format: "(?P<value>.*?)"')
_BAD_CAST = re.compile(r"Unimplemented type for cast \((?P<source>\S+) -> (?P<target>\S+)\)")
_OUT_OF_RANGE = re.compile(r"with value (?P<value>\S+) can't be cast because the value is out of range")
_NOT_NULL = re.compile(r"NOT NULL constraint failed: (?:\S+\.)?(?P<column>\S+)")
_NO_FUNCTION = re.compile(r"Function with name (?P<name>\S+) does not exist")
_NO_OBJECT = re.compile(r"(?P<kind>Table|View|Schema|Sequence) with name (?P<name>\S+) does not exist")
_EXISTS = re.compile(r'(?:Table|View|Schema|Sequence) with name "(?P<name>[^"]+)" already exists')
_NO_COLUMN = re.compile(
    r'Referenced column "(?P<name>[^"]+)" not found|does not have a column (?:named|with name) "(?P<other>[^"]+)"'
)
_UNRECOGNIZED = re.compile(r"(?P<kind>Date|Timestamp|Time) '.*' is not recognized")
_UNPARSED = re.compile(r"Can't parse '.*' as \w+ with format '.*'")
_UNSUPPORTED = re.compile(r"Unsupported feature '(?P<feature>.*)'")


def _first_lines(text: str) -> str:
    return text.split("\n\n", 1)[0].replace("\n", " ")[:1000]


def _from_duckdb(exception: duckdb.Error) -> SnowflakeError:
    text = _first_lines(str(exception))
    if isinstance(exception, duckdb.TransactionException):
        if "aborted" in text:
            return SnowflakeError(
                625,
                "25P02",
                "A statement of this transaction failed: end it with ROLLBACK. (The local Snowflake cannot go on with "
                "a transaction after a failed statement.)",
            )
        return WriteConflictError(text.removeprefix("TransactionContext Error: "))
    if isinstance(exception, duckdb.InterruptException):
        return SnowflakeError(604, "57014", "SQL execution canceled")
    if isinstance(exception, duckdb.ConstraintException):
        if match := _NOT_NULL.search(text):
            return SnowflakeError(
                100072, "22000", f"NULL result in a non-nullable column: {match['column'].upper()}"
            )
        return SnowflakeError(100072, "23000", text)
    if isinstance(exception, duckdb.ConversionException):
        return _conversion_error(text)
    if isinstance(exception, duckdb.OutOfRangeException):
        return SnowflakeError(100046, "22003", f"Number out of representable range: {text}")
    if isinstance(exception, duckdb.CatalogException):
        if match := _NO_FUNCTION.search(text):
            return compilation_error(2140, "42601", f"Unknown function {match['name'].upper()}")
        if match := _NO_OBJECT.search(text):
            return compilation_error(
                2003,
                "42S02",
                f"Object '{match['name'].strip(chr(34)).upper()}' does not exist or not authorized.",
            )
        if match := _EXISTS.search(text):
            return already_exists(match["name"])
        return compilation_error(2003, "42S02", text)
    if isinstance(exception, duckdb.BinderException):
        if match := _NO_COLUMN.search(text):
            return compilation_error(904, "42000", f"invalid identifier '{match['name'] or match['other']}'")
        return compilation_error(2043, "42601", text)
    if isinstance(exception, duckdb.ParserException):
        return syntax_error(text)
    if isinstance(exception, duckdb.PermissionException):
        return SnowflakeError(3001, "42501", f"SQL access control error:\n{text}")
    if "cannot affect the same target row more than once" in text:
        return SnowflakeError(100090, "42P18", "Duplicate row detected during DML action")
    if match := _UNRECOGNIZED.search(text):
        number = 100040 if match["kind"] == "Date" else 100108 if match["kind"] == "Time" else 100035
        return SnowflakeError(number, "22007", match[0])
    if match := _UNPARSED.search(text):
        return SnowflakeError(100096, "22007", match[0])
    if match := _UNSUPPORTED.search(text):
        return unsupported(match["feature"])
    if "Division by zero" in text:
        return SnowflakeError(100051, "22012", "Division by zero")
    if "Values were not provided" in text:
        return compilation_error(2049, "42601", "Bind variable not set.")
    if "character length limit" in text:
        return SnowflakeError(100078, "22000", text.removeprefix("Invalid Input Error: "))
    return internal_error(exception)


def _conversion_error(text: str) -> SnowflakeError:
    if match := _OUT_OF_RANGE.search(text):
        return SnowflakeError(100046, "22003", f"Number out of representable range: {match['value']}")
    if match := _BAD_FIELD.search(text):
        kind = match["kind"].capitalize()
        return SnowflakeError(
            100040 if kind == "Date" else 100035, "22007", f"{kind} '{match['value']}' is not recognized"
        )
    if match := _BAD_CAST.search(text):
        return SnowflakeError(
            2023,
            "22000",
            f"Expression type does not match column data type: {match['source']} to {match['target']}",
        )
    if match := _CANNOT_CONVERT.search(text):
        value, target = match["value"], match["type"].upper()
        if target.startswith("BOOL"):
            return SnowflakeError(100037, "22018", f"Boolean value '{value}' is not recognized")
        if target.startswith("TIMESTAMP"):
            return SnowflakeError(100035, "22007", f"Timestamp '{value}' is not recognized")
        if target == "DATE":
            return SnowflakeError(100040, "22007", f"Date '{value}' is not recognized")
        if "Could not cast value" in text:
            return SnowflakeError(100046, "22003", f"Number out of representable range: {value}")
        return SnowflakeError(100038, "22018", f"Numeric value '{value}' is not recognized")
    return SnowflakeError(100038, "22018", text.removeprefix("Conversion Error: "))
