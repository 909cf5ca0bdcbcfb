"""When a task is due. Pure.

Source: Snowflake documentation, "CREATE TASK" (docs.snowflake.com/en/sql-reference/sql/create-task), SCHEDULE: a
number of seconds, minutes or hours, from the moment at which the task was resumed.
"""

import re
from datetime import datetime, timedelta

from movie_platform.local_cloud.snowflake.errors import invalid_value, unsupported

_INTERVAL = re.compile(r"\s*(\d{1,6})\s+(S|M|H|SECONDS?|MINUTES?|HOURS?)\s*", re.IGNORECASE)
_SECONDS = {"S": 1, "M": 60, "H": 3600}
_SHORTEST = timedelta(seconds=10)
_LONGEST = timedelta(days=8)


def parse_schedule(text: str) -> timedelta:
    """The interval of a SCHEDULE.

    Raises SnowflakeError for one that is out of Snowflake's bounds (10 seconds to 8 days), and for USING CRON.
    """
    if text.strip().upper().startswith("USING CRON"):
        raise unsupported("SCHEDULE = 'USING CRON …'")
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise invalid_value(text, "SCHEDULE")
    interval = timedelta(seconds=int(match[1]) * _SECONDS[match[2][0].upper()])
    if not _SHORTEST <= interval <= _LONGEST:
        raise invalid_value(text, "SCHEDULE")
    return interval


def next_due(resumed_at: datetime, last_scheduled: datetime | None, interval: timedelta) -> datetime:
    """When a task is due next. A time that passed while nobody could run it is made up for once."""
    if last_scheduled is None or last_scheduled < resumed_at:
        return resumed_at + interval
    return last_scheduled + interval
