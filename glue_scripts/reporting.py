"""What a run tells its orchestrator: log lines, and at the end the run's record, through Dagster Pipes where present.

Without Dagster (Airflow, the Glue console) the same lines go to the log alone.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from glue_scripts.s3 import aws_client

_PIPES_ARGUMENTS = ("--dagster-pipes-context", "--dagster-pipes-messages")

logger = logging.getLogger("glue_scripts")


class Reporter(Protocol):
    """What a run is told to: the log alone, or Dagster as well."""

    def info(self, message: str) -> None:
        """A line of the run's log."""

    def finished(self, record: Mapping[str, Any]) -> None:
        """The record of the run, once, at its end."""


class LogReporter:
    """Reports to the process's log, which Glue sends to CloudWatch."""

    def info(self, message: str) -> None:
        """A line of the run's log, at the level INFO."""
        logger.info(message)

    def finished(self, record: Mapping[str, Any]) -> None:
        """The record of the run, as one line of JSON."""
        logger.info("Record of the run: %s", json.dumps(record, sort_keys=True))


class PipesReporter(LogReporter):
    """Reports to Dagster too: log lines as its own, the record as a custom message."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def info(self, message: str) -> None:
        """A line of the run's log, which Dagster shows in its own as well."""
        super().info(message)
        self._context.log.info(message)

    def finished(self, record: Mapping[str, Any]) -> None:
        """The record of the run, as the payload of a custom message."""
        super().finished(record)
        self._context.report_custom_message(record)


@contextmanager
def open_reporter() -> Iterator[Reporter]:
    """The reporter that the command line asks for. An error that leaves the block is reported to Dagster too."""
    given = {argument.split("=", 1)[0] for argument in sys.argv[1:]}
    if not given.issuperset(_PIPES_ARGUMENTS):
        yield LogReporter()
        return
    import dagster_pipes

    params = dagster_pipes.PipesCliArgsParamsLoader()
    client = aws_client("s3")
    context_in_s3 = "bucket" in params.load_context_params()
    messages_in_s3 = "bucket" in params.load_messages_params()
    with dagster_pipes.open_dagster_pipes(
        params_loader=params,
        context_loader=dagster_pipes.PipesS3ContextLoader(client) if context_in_s3 else None,
        message_writer=dagster_pipes.PipesS3MessageWriter(client, interval=2) if messages_in_s3 else None,
    ) as context:
        yield PipesReporter(context)
