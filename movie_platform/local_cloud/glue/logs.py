"""A job run's output in CloudWatch Logs: lines as they come, in bounded batches, about once a second."""

import logging
import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING

import botocore.exceptions

from movie_platform.waiting import Deadline

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

_LOG = logging.getLogger(__name__)

OUTPUT_GROUP = "/aws-glue/jobs/output"
ERROR_GROUP = "/aws-glue/jobs/error"

# CloudWatch takes 10,000 events and 1 MiB a call, counting 26 bytes beside each message, and 256 KiB a
# message.
_BATCH_EVENTS = 2_000
_BATCH_BYTES = 900_000
_EVENT_OVERHEAD = 26
_LINE_BYTES = 250_000
_FLUSH_SECONDS = 1.0
_TAIL_LINES = 40


class LogStream:
    """Copies a pipe into a log stream until its end. A reader that waits for a batch to be taken slows the
    writer.
    """

    def __init__(self, client: "CloudWatchLogsClient", group: str, stream: str, source: IO[bytes]) -> None:
        self._client = client
        self._group = group
        self._stream = stream
        self._source = source
        self._pending: list[InputLogEventTypeDef] = []
        self._bytes = 0
        self._last: deque[str] = deque(maxlen=_TAIL_LINES)
        self._room = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, name=f"{group} {stream} read", daemon=True)
        self._sender = threading.Thread(target=self._send, name=f"{group} {stream} send", daemon=True)

    def start(self) -> None:
        """Make the group and the stream where they are missing, and begin."""
        already = self._client.exceptions.ResourceAlreadyExistsException
        try:
            self._client.create_log_group(logGroupName=self._group)
        except already:
            _LOG.debug("log group %s exists", self._group)
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except already:
            _LOG.debug("log stream %s exists", self._stream)
        self._reader.start()
        self._sender.start()

    def finish(self, timeout_seconds: float) -> None:
        """Wait until everything that was written is sent."""
        deadline = Deadline(timeout_seconds)
        self._reader.join(deadline.remaining)
        with self._room:
            self._ended = True
            self._room.notify_all()
        self._sender.join(deadline.remaining)
        if self._reader.is_alive() or self._sender.is_alive():
            _LOG.warning(
                "log stream %s of %s is incomplete: it did not end in time", self._stream, self._group
            )

    def tail(self) -> str:
        """The last lines that were read, for the message of a failed run."""
        with self._room:
            return "\n".join(self._last)

    def _read(self) -> None:
        with self._source:
            while line := self._source.readline(_LINE_BYTES):
                self._add(line)

    def _add(self, line: bytes) -> None:
        # An empty message is refused.
        message = line.decode("utf-8", "replace").rstrip("\r\n") or " "
        size = len(message.encode()) + _EVENT_OVERHEAD
        with self._room:
            while not self._ended and (
                len(self._pending) >= _BATCH_EVENTS or self._bytes + size > _BATCH_BYTES
            ):
                self._room.wait()
            self._pending.append({"timestamp": int(time.time() * 1000), "message": message})
            self._bytes += size
            self._last.append(message)
            if len(self._pending) >= _BATCH_EVENTS or self._bytes > _BATCH_BYTES // 2:
                self._room.notify_all()

    def _send(self) -> None:
        while True:
            with self._room:
                if not self._ended:
                    self._room.wait(_FLUSH_SECONDS)
                batch, self._pending, self._bytes = self._pending, [], 0
                ended = self._ended
                self._room.notify_all()
            if batch:
                self._put(batch)
            if ended and not batch:
                return

    def _put(self, batch: "list[InputLogEventTypeDef]") -> None:
        try:
            self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            # A job does not fail for its log, here as on AWS; the client has tried several times.
            _LOG.exception("%d lines of log stream %s of %s are lost", len(batch), self._stream, self._group)
