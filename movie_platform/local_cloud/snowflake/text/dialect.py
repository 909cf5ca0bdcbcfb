"""Snowflake's SQL as sqlglot parses it, but for functions whose formats or rules would be lost on the way to a tree."""

from typing import ClassVar

from sqlglot.dialects.snowflake import Snowflake

# These stay calls by their name, with their arguments as they are written.
PLAIN_FUNCTIONS = frozenset(
    {
        "CONVERT_TIMEZONE", "DATE", "DAYOFWEEK", "DAY_OF_WEEK", "TIME", "TO_CHAR", "TO_DATE", "TO_TIME",
        "TO_TIMESTAMP", "TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_NTZ", "TO_TIMESTAMP_TZ", "TO_VARCHAR", "TRY_TO_DATE",
        "TRY_TO_TIME", "TRY_TO_TIMESTAMP", "TRY_TO_TIMESTAMP_LTZ", "TRY_TO_TIMESTAMP_NTZ", "TRY_TO_TIMESTAMP_TZ",
        "WEEK", "WEEKOFYEAR", "WEEK_OF_YEAR",
    }
)  # fmt: skip


class LocalSnowflake(Snowflake):
    """The dialect for `sqlglot.parse`."""

    class Parser(Snowflake.Parser):
        """See the module."""

        FUNCTIONS: ClassVar = {
            name: function
            for name, function in Snowflake.Parser.FUNCTIONS.items()
            if name not in PLAIN_FUNCTIONS
        }
