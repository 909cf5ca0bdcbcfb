"""An account whose defaults are unlike UTC and ISO 8601: no value of the platform may depend on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from snowflake.connector import SnowflakeConnection

from movie_platform_tests.snowflake_cloud import rows

_CLOCK = "DD/MM/YYYY HH24:MI:SS"
HOSTILE = {
    "TIMEZONE": "America/Los_Angeles",
    "DATE_INPUT_FORMAT": "DD/MM/YYYY",
    "DATE_OUTPUT_FORMAT": "DD/MM/YYYY",
    "TIMESTAMP_INPUT_FORMAT": _CLOCK,
    "TIMESTAMP_OUTPUT_FORMAT": _CLOCK,
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": _CLOCK,
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_LTZ",
    "WEEK_START": "7",
}
# What a test's own session needs to write rows into tables by hand.
OWN_FORMATS = {
    "TIMEZONE": "UTC",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
}


@contextmanager
def hostile_account(administrator: SnowflakeConnection) -> Iterator[None]:
    """The account has these defaults as long as the context lasts."""
    rows(administrator, "USE ROLE ACCOUNTADMIN")
    values = " ".join(f"{name} = '{value}'" for name, value in HOSTILE.items() if name != "WEEK_START")
    rows(administrator, f"ALTER ACCOUNT SET {values} WEEK_START = {HOSTILE['WEEK_START']}")
    try:
        yield
    finally:
        rows(administrator, f"ALTER ACCOUNT UNSET {', '.join(HOSTILE)}")
