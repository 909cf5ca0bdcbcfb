"""The workers of Snowpipe: one receives messages and makes files wait, one loads files that wait.

A message is deleted when its files are recorded as waiting (committed), a file stops waiting in the transaction that
loads it and writes its history: killed at any moment, nothing is lost and nothing is loaded twice. While no pipe asks
for events nothing is polled; while nothing waits the loader sleeps.
"""

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from movie_platform.local_cloud.snowflake.background.s3_events import (
    CreatedObject,
    MalformedMessageError,
    created_objects,
)
from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    WriteConflictError,
    from_exception,
)
from movie_platform.local_cloud.snowflake.state import load_history, value_macros
from movie_platform.local_cloud.snowflake.state.account import Account
from movie_platform.local_cloud.snowflake.state.copy_plan import parse_copy
from movie_platform.local_cloud.snowflake.state.lake import STORAGE_UNREACHABLE
from movie_platform.local_cloud.snowflake.state.loader import Loader
from movie_platform.local_cloud.snowflake.state.pipe_store import (
    FAILED,
    LOADED,
    PendingFile,
    settle,
)
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

logger = logging.getLogger(__name__)

_LONG_POLL_SECONDS = 20
_LONGEST_PAUSE = 30.0
_FILES_A_ROUND = 50


class _PipeGoneError(Exception):
    """The pipe was dropped or re-created while its file was loading: the load is rolled back."""


class Snowpipe:
    """Owns the workers."""

    def __init__(self, account: Account) -> None:
        self._engine = account.engine
        self._lake = account.lake
        self._loader = Loader(account.engine, account.lake)
        self._store = account.pipes
        self._queue = account.pipe_queue
        self._requests = account.pipe_requests
        self._parameters = account.parameters
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts both workers."""
        for target in (self._receive_forever, self._load_forever):
            thread = threading.Thread(target=target, name=f"pipes-{target.__name__.strip('_')}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stops the workers; waits for the file that is loading, not for a long poll (its messages come back)."""
        self._stopping.set()
        self._requests.changed()
        for thread in self._threads[1:]:
            thread.join(timeout=10)

    # --- receiving

    def _receive_forever(self) -> None:
        url: str | None = None
        pause = 1.0
        while not self._stopping.is_set():
            if not any(pipe.auto_ingest for pipe in self._store.pipes()):
                self._requests.pipes_changed.wait()
                self._requests.pipes_changed.clear()
                continue
            try:
                if url is None:
                    url, _ = self._queue.ensure()
                answer = self._lake.sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=_LONG_POLL_SECONDS
                )
                if messages := answer.get("Messages"):
                    self._receive(url, messages)
                pause = 1.0
            except (ClientError, BotoCoreError, SnowflakeError, duckdb.Error) as error:
                # AWS is down or has lost the queue: make it again, more and more slowly.
                logger.warning("Snowpipe cannot read its queue, next try in %.0f s: %s", pause, error)
                url = None
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _receive(self, url: str, messages: list[dict[str, Any]]) -> None:
        objects: list[CreatedObject] = []
        for message in messages:
            try:
                objects += created_objects(message["Body"])
            except MalformedMessageError as error:
                logger.warning("Snowpipe drops a message that is no S3 notification: %s", error)
        now = datetime.now(UTC)
        for pipe in self._store.pipes() if objects else ():
            if not pipe.auto_ingest:
                continue
            try:
                plan = pipe.plan(self._engine)
            except SnowflakeError as error:
                # Whether the file is the pipe's cannot be known: REFRESH finds it when the pipe is whole again.
                self._store.note_error(pipe, error.message)
                continue
            files = [
                (found.key, found.etag, found.size)
                for found in objects
                if plan.location.matches(found.bucket, found.key, plan.statement.pattern)
            ]
            if files and self._store.enqueue(pipe, files, now):
                self._requests.files_wait.set()
        handles = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        self._lake.sqs.delete_message_batch(QueueUrl=url, Entries=handles)

    # --- loading

    def _load_forever(self) -> None:
        pause = 1.0
        while not self._stopping.is_set():
            self._requests.files_wait.clear()
            try:
                settled, waiting = self._load_round()
            except duckdb.Error as error:
                logger.warning("Snowpipe cannot read its state, next try in %.0f s: %s", pause, error)
                settled, waiting = 0, 1
            if settled:
                pause = 1.0
            elif waiting:
                self._requests.files_wait.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._requests.files_wait.wait()

    def _load_round(self) -> tuple[int, int]:
        settled = waiting = 0
        for file in self._store.pending(_FILES_A_ROUND):
            if self._stopping.is_set():
                break
            if self._load(file):
                settled += 1
            else:
                waiting += 1
        return settled, waiting

    def _load(self, file: PendingFile) -> bool:
        """Loads one file, or records why it cannot be loaded; False where it must be tried again."""
        started = time.monotonic()
        try:
            rows = self._load_once(file)
        except _PipeGoneError:
            return True
        except Exception as error:
            failure = from_exception(error)
            if isinstance(failure, WriteConflictError) or failure.number == STORAGE_UNREACHABLE:
                logger.warning("Snowpipe %s will try %s again: %s", file.pipe.name, file.key, failure.message)
                return False
            if failure.number == 603:
                logger.exception("Internal error while %s loaded %s", file.pipe.name, file.key)
            return self._record_failure(file, failure)
        logger.info(
            "%s loaded %s: %d rows in %.2f s", file.pipe.name, file.key, rows, time.monotonic() - started
        )
        return True

    def _load_once(self, file: PendingFile) -> int:
        plan = file.pipe.plan(self._engine)
        staged = self._lake.head(plan.location.bucket, file.key)
        if staged is None:
            raise SnowflakeError(
                100016,
                "22000",
                f"Remote file 's3://{plan.location.bucket}/{file.key}' was not found: removed before it was loaded.",
            )
        now = datetime.now(UTC)
        with self._engine.transaction() as connection:
            # No session's parameters: the account's.
            effective = self._parameters.effective(None, {})
            value_macros.apply(connection, {name: value for name, (value, _) in effective.items()})
            rows = self._loader.load(connection, plan, staged, now)
            if not settle(connection, file, LOADED):
                raise _PipeGoneError
            load_history.record(
                connection,
                load_history.LoadRecord(
                    plan.table, plan.location.relative(file.key), plan.location.stage_url, staged.size,
                    load_history.LOADED, now, rows, rows, pipe=file.pipe.name, received_at=file.received_at,
                ),
            )  # fmt: skip
        return rows

    def _record_failure(self, file: PendingFile, failure: SnowflakeError) -> bool:
        self._store.note_error(file.pipe, failure.message)
        logger.warning("%s could not load %s: %s", file.pipe.name, file.key, failure.message)
        table, location, relative = self._described(file)
        try:
            with self._engine.transaction() as connection:
                if settle(connection, file, FAILED):
                    load_history.record(
                        connection,
                        load_history.LoadRecord(
                            table, relative, location, self._size(file), load_history.FAILED, datetime.now(UTC),
                            error=failure.message, pipe=file.pipe.name, received_at=file.received_at,
                        ),
                    )  # fmt: skip
        except duckdb.Error as error:
            logger.warning("Snowpipe cannot record the failure of %s yet: %s", file.key, error)
            return False
        return True

    def _described(self, file: PendingFile) -> tuple[FullName, str, str]:
        # The table and stage for the history's row, also where the pipe's plan no longer resolves.
        statement = parse_copy(TokenStream(file.pipe.definition))
        table = statement.table.resolve(file.pipe.name.database, file.pipe.name.schema)
        # The history row goes where the pipe's state is, so that both commit together.
        table = FullName(file.pipe.name.database, table.schema, table.name)
        try:
            location = file.pipe.plan(self._engine).location
        except SnowflakeError:
            return table, str(statement.stage), file.key
        return table, location.stage_url, location.relative(file.key)

    def _size(self, file: PendingFile) -> int:
        try:
            plan = file.pipe.plan(self._engine)
            staged = self._lake.head(plan.location.bucket, file.key)
        except SnowflakeError:
            return 0
        return staged.size if staged else 0
