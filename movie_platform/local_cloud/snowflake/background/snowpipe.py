"""The workers of Snowpipe: one receives messages and makes files wait, one loads files that wait.

Files are loaded in any order, and a file with more rows than a piece in several transactions, each with a scan time of
its own, other files' pieces in between: Snowpipe's loads "are combined or split into a single or multiple transactions"
(docs.snowflake.com/en/user-guide/data-load-snowpipe-intro).

A message is deleted when its files are recorded as waiting (committed), a file's progress is noted in the transaction
that loads a piece of it, with its history: killed at any moment, nothing is lost and nothing is loaded twice. While no
pipe asks for events nothing is polled; while nothing waits the loader sleeps.
"""

import logging
import random
import threading
import time
from dataclasses import replace
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
from movie_platform.local_cloud.snowflake.state.copy_plan import CopyPlan, parse_copy
from movie_platform.local_cloud.snowflake.state.lake import STORAGE_UNREACHABLE, StagedFile
from movie_platform.local_cloud.snowflake.state.loader import Loader, Piece
from movie_platform.local_cloud.snowflake.state.pipe_store import (
    FAILED,
    PendingFile,
    advance,
    settle,
)
from movie_platform.local_cloud.snowflake.state.storage_access import NOT_ALLOWED
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

logger = logging.getLogger(__name__)

# What failed with these is tried again: AWS is down, or somebody has to give the role its rights back.
_TRY_AGAIN = NOT_ALLOWED | {STORAGE_UNREACHABLE}
_LONG_POLL_SECONDS = 20
_LONGEST_PAUSE = 30.0
_FILES_A_ROUND = 50


class _PipeGoneError(Exception):
    """The pipe was dropped or re-created while its file was loading: the piece is rolled back."""


class Snowpipe:
    """Owns the workers."""

    def __init__(self, account: Account) -> None:
        self._engine = account.engine
        self._lake = account.lake
        self._loader = Loader(account.engine, account.lake)
        self._storage = account.storage
        self._store = account.pipes
        self._queue = account.pipe_queue
        self._requests = account.pipe_requests
        self._options = account.options
        self._order = random.Random(account.options.pipe_seed)  # noqa: S311 - an order that anybody may foresee
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
        files = self._store.pending(_FILES_A_ROUND)
        while files and not self._stopping.is_set():
            file = files.pop(self._order.randrange(len(files)))
            rest = self._load(file)
            if rest is None:
                settled += 1
            elif rest.rows_loaded > file.rows_loaded:
                files.append(rest)
            else:
                waiting += 1
        return settled, waiting

    def _load(self, file: PendingFile) -> PendingFile | None:
        """Loads a piece of a file, or records why it cannot be loaded.

        Gives what is left of it to load, None where nothing is; nothing changed where it must be tried again later.
        """
        started = time.monotonic()
        try:
            rest = self._load_piece(file)
        except _PipeGoneError:
            return None
        except Exception as error:
            failure = from_exception(error)
            if failure.number in NOT_ALLOWED:
                self._store.note_error(file.pipe, failure.message)
            if isinstance(failure, WriteConflictError) or failure.number in _TRY_AGAIN:
                logger.warning("Snowpipe %s will try %s again: %s", file.pipe.name, file.key, failure.message)
                return file
            if failure.number == 603:
                logger.exception("Internal error while %s loaded %s", file.pipe.name, file.key)
            return None if self._record_failure(file, failure) else file
        logger.info(
            "%s loaded %s: %d of %s rows, the last in %.2f s",
            file.pipe.name,
            file.key,
            rest.rows_loaded,
            rest.rows_total,
            time.monotonic() - started,
        )
        return None if rest.rows_loaded == rest.rows_total else rest

    def _load_piece(self, file: PendingFile) -> PendingFile:
        plan = file.pipe.plan(self._engine)
        self._storage.require_lately(plan.location)
        staged = self._lake.head(plan.location.bucket, file.key)
        if staged is None:
            raise SnowflakeError(
                100016,
                "22000",
                f"Remote file 's3://{plan.location.bucket}/{file.key}' was not found: removed before it was loaded.",
            )
        if file.rows_total is None:
            file = replace(file, etag=staged.etag, rows_total=self._checked_total(plan, staged))
        elif file.etag != staged.etag:
            raise SnowflakeError(
                100016,
                "22000",
                f"File '{staged.url}' was changed after {file.rows_loaded} of its rows were loaded.",
            )
        assert file.rows_total is not None
        rows_at_once = self._options.piece_of(file.rows_total)
        whole = not file.rows_loaded and file.rows_total <= rows_at_once
        piece = None if whole else Piece(file.rows_loaded, rows_at_once)
        now = datetime.now(UTC)
        with self._engine.transaction() as connection:
            # No session's parameters: the account's.
            effective = self._parameters.effective(None, {})
            value_macros.apply(connection, {name: value for name, (value, _) in effective.items()})
            rows = self._loader.load(connection, plan, staged, now, piece)
            # A file that was changed since its rows were counted is loaded as it is.
            loaded = file.rows_loaded + rows
            new = replace(file, rows_loaded=loaded, rows_total=loaded if whole else file.rows_total)
            if not advance(connection, file, new):
                raise _PipeGoneError
            done = new.rows_loaded == new.rows_total
            load_history.record_progress(
                connection,
                load_history.LoadRecord(
                    plan.table, plan.location.relative(file.key), plan.location.stage_url, staged.size,
                    load_history.LOADED if done else load_history.IN_PROGRESS, now, new.rows_loaded,
                    new.rows_loaded if done else None, pipe=file.pipe.name, received_at=file.received_at,
                ),
            )  # fmt: skip
        return new

    def _checked_total(self, plan: CopyPlan, staged: StagedFile) -> int:
        """The number of rows of a file that loads as a whole, whatever pieces it comes in.

        Raises SnowflakeError where a row of it does not fit the table: a file with an error is skipped, all of it
        (CREATE PIPE: ON_ERROR = SKIP_FILE is the default).
        """
        connection = self._engine.cursor()
        try:
            total = self._loader.count_rows(connection, plan, staged)
            if total > self._options.piece_of(total):
                connection.execute("BEGIN")
                try:
                    self._loader.load(connection, plan, staged, datetime.now(UTC))
                finally:
                    connection.execute("ROLLBACK")
            return total
        finally:
            connection.close()

    def _record_failure(self, file: PendingFile, failure: SnowflakeError) -> bool:
        self._store.note_error(file.pipe, failure.message)
        logger.warning("%s could not load %s: %s", file.pipe.name, file.key, failure.message)
        table, location, relative = self._described(file)
        try:
            with self._engine.transaction() as connection:
                if settle(connection, file, FAILED):
                    load_history.record_progress(
                        connection,
                        load_history.LoadRecord(
                            table, relative, location, self._size(file),
                            load_history.PARTIALLY_LOADED if file.rows_loaded else load_history.FAILED,
                            datetime.now(UTC), file.rows_loaded, file.rows_loaded, error=failure.message,
                            pipe=file.pipe.name, received_at=file.received_at,
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
