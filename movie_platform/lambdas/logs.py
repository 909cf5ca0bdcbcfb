"""The function's log: one JSON object a line, as CloudWatch Logs Insights reads it. Nothing secret is
logged.
"""

import json
import logging
import sys
from datetime import UTC, datetime

LOGGER_NAME = "movie_platform.unpack"
_FIELDS = "fields"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class _StdoutHandler(logging.StreamHandler):
    """Writes to whatever stdout is at the moment: a warm Lambda may exchange it between calls."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


def logger() -> logging.Logger:
    """The function's logger, which writes JSON lines to stdout and nothing to Lambda's own handler."""
    found = logging.getLogger(LOGGER_NAME)
    if not found.handlers:
        handler = _StdoutHandler()
        handler.setFormatter(_JsonFormatter())
        found.addHandler(handler)
        found.setLevel(logging.INFO)
        # Lambda's own handler at the root would print every line a second time.
        found.propagate = False
    return found


def fields(**values: object) -> dict[str, dict[str, object]]:
    """The `extra` argument that adds fields to a log line."""
    return {_FIELDS: values}
