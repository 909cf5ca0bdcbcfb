"""The workers of Snowpipe: one receives messages and makes files wait, one loads files that wait.

A message is deleted when its files are recorded as waiting (committed), a file stops waiting in the transaction that
loads it and writes its history: killed at any moment, nothing is lost and nothing is loaded twice. While no pipe asks
for events nothing is polled; while nothing waits the loader sleeps.
"""

import hashlib
import json
import logging
import threading
import time
from datetime import UTC, datetime, timedelta
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
    does_not_exist,
    from_exception,
)
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.engine import Engine
from movie_platform.local_cloud.snowflake.state.lake import Lake
from movie_platform.local_cloud.snowflake.state.loader import Loader
from movie_platform.local_cloud.snowflake.state.pipe_store import (
    FAILED,
    LOADED,
    PendingFile,
    Pipe,
    PipeStore,
    settle,
)
from movie_platform.local_cloud.snowflake.statements.copy_into import parse_copy
from movie_platform.local_cloud.snowflake.statements.stages import files_at
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

logger = logging.getLogger(__name__)

_LONG_POLL_SECONDS = 20
_VISIBILITY_SECONDS = 60
_LONGEST_PAUSE = 30.0
_FILES_A_ROUND = 50
_REFRESH_WINDOW = timedelta(days=7)
_REMOTE_STORAGE_ERROR = 91016


class _PipeGoneError(Exception):
    """The pipe was dropped or re-created while its file was loading: the load is rolled back."""


class PipeService:
    """Owns the queue and the workers."""

    def __init__(self, engine: Engine, lake: Lake) -> None:
        self._engine = engine
        self._lake = lake
        self._loader = Loader(engine, lake)
        self.store = PipeStore(engine)
        self._stopping = threading.Event()
        self._pipes_changed = threading.Event()
        self._work = threading.Event()
        self._last_error: dict[str, tuple[datetime, str]] = {}
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
        self._pipes_changed.set()
        self._work.set()
        for thread in self._threads[1:]:
            thread.join(timeout=10)

    # --- the queue

    @property
    def queue_name(self) -> str:
        """One queue an account, always of the same name: its ARN survives the loss of the queue."""
        return f"sf-snowpipe-LOCAL-{hashlib.sha256(b'movie-platform local snowflake').hexdigest()[:16]}"

    def channel(self) -> str:
        """The queue's ARN; creates the queue where it is not there.

        Raises SnowflakeError where SQS cannot be reached.
        """
        try:
            return self._ensure_queue()[1]
        except (ClientError, BotoCoreError) as error:
            raise SnowflakeError(
                91016,
                "22000",
                f"The notification queue cannot be created in SQS: {type(error).__name__}: {error}",
            ) from error

    def _ensure_queue(self) -> tuple[str, str]:
        attributes = {"VisibilityTimeout": str(_VISIBILITY_SECONDS), "ReceiveMessageWaitTimeSeconds": "0"}
        url = self._lake.sqs.create_queue(QueueName=self.queue_name, Attributes=attributes)["QueueUrl"]
        arn = self._lake.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]},
                    "Action": "sqs:SendMessage", "Resource": arn,
                }
            ],
        }  # fmt: skip
        self._lake.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        return url, arn

    # --- receiving

    def changed(self) -> None:
        """Tells the workers that pipes were created, changed or dropped."""
        self._pipes_changed.set()
        self._work.set()

    def _receive_forever(self) -> None:
        url: str | None = None
        pause = 1.0
        while not self._stopping.is_set():
            if not any(pipe.auto_ingest for pipe in self.store.pipes()):
                self._pipes_changed.wait()
                self._pipes_changed.clear()
                continue
            try:
                if url is None:
                    url, _ = self._ensure_queue()
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
        for pipe in self.store.pipes() if objects else ():
            if not pipe.auto_ingest:
                continue
            try:
                plan = pipe.plan(self._engine)
            except SnowflakeError as error:
                # Whether the file is the pipe's cannot be known: REFRESH finds it when the pipe is whole again.
                self._note_error(pipe, error.message)
                continue
            files = [
                (found.key, found.etag, found.size)
                for found in objects
                if plan.location.matches(found.bucket, found.key, plan.statement.pattern)
            ]
            if files and self.store.enqueue(pipe, files, now):
                self._work.set()
        handles = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        self._lake.sqs.delete_message_batch(QueueUrl=url, Entries=handles)

    # --- loading

    def _load_forever(self) -> None:
        pause = 1.0
        while not self._stopping.is_set():
            self._work.clear()
            try:
                settled, waiting = self._load_round()
            except duckdb.Error as error:
                logger.warning("Snowpipe cannot read its state, next try in %.0f s: %s", pause, error)
                settled, waiting = 0, 1
            if settled:
                pause = 1.0
            elif waiting:
                self._work.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._work.wait()

    def _load_round(self) -> tuple[int, int]:
        settled = waiting = 0
        for file in self.store.pending(_FILES_A_ROUND):
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
            if isinstance(failure, WriteConflictError) or failure.number == _REMOTE_STORAGE_ERROR:
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
        self._note_error(file.pipe, failure.message)
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

    def _note_error(self, pipe: Pipe, message: str) -> None:
        self._last_error[pipe.pipe_id] = (datetime.now(UTC), message)

    # --- what statements ask for

    def require(self, name: FullName) -> Pipe:
        """The pipe.

        Raises SnowflakeError where it does not exist.
        """
        pipe = self.store.find(name)
        if pipe is None:
            raise does_not_exist("Pipe", str(name))
        return pipe

    def refresh(self, name: FullName, prefix: str, modified_after: datetime | None) -> list[str]:
        """Makes the staged files that the pipe has not loaded wait; gives their names, relative to the stage.

        Only files of the last seven days, or modified after a time within them, as on Snowflake.
        """
        pipe = self.require(name)
        plan = pipe.plan(self._engine)
        oldest = datetime.now(UTC) - _REFRESH_WINDOW
        if modified_after is not None:
            if modified_after < oldest:
                raise SnowflakeError(
                    1008,
                    "22023",
                    "MODIFIED_AFTER must be within the last 7 days; load older files with COPY INTO.",
                )
            oldest = modified_after
        wanted = plan.location.prefix + prefix
        files = [
            (file.key, file.etag, file.size)
            for file in files_at(self._lake, plan.location, plan.statement.pattern)
            if file.key.startswith(wanted) and file.last_modified >= oldest
        ]
        added = self.store.enqueue(pipe, files, datetime.now(UTC)) if files else []
        if added:
            self._work.set()
        return [plan.location.relative(key) for key in added]

    def status(self, name: FullName) -> str:
        """SYSTEM$PIPE_STATUS: a JSON object."""
        pipe = self.require(name)
        pending, received = self.store.counts(pipe)
        state: dict[str, Any] = {
            "executionState": "PAUSED" if pipe.paused else "RUNNING",
            "pendingFileCount": pending,
        }
        try:
            pipe.plan(self._engine)
        except SnowflakeError as error:
            state["executionState"] = "STALLED_COMPILATION_ERROR"
            state["error"] = error.message
        if pipe.channel is not None:
            state["notificationChannelName"] = pipe.channel
            state["numOutstandingMessagesOnChannel"] = self._outstanding()
        if received is not None:
            state["lastReceivedMessageTimestamp"] = _stamp(received)
            state["lastForwardedMessageTimestamp"] = _stamp(received)
        if last := self.store.last_loaded(pipe):
            state["lastIngestedTimestamp"] = _stamp(last[0])
            state["lastIngestedFilePath"] = last[1]
        if error := self._last_error.get(pipe.pipe_id):
            state["lastPipeErrorTimestamp"] = _stamp(error[0])
            state.setdefault("lastPipeFaultMessage", error[1])
        return json.dumps(state)

    def _outstanding(self) -> int | None:
        try:
            url = self._lake.sqs.get_queue_url(QueueName=self.queue_name)["QueueUrl"]
            answer = self._lake.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except (ClientError, BotoCoreError) as error:
            logger.warning("Snowpipe cannot count the messages in its queue: %s", error)
            return None
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
