"""The system function on pipes.

Source: Snowflake documentation, "SYSTEM$PIPE_STATUS"
(docs.snowflake.com/en/sql-reference/functions/system_pipe_status).
"""

import json
from datetime import UTC, datetime
from typing import Any

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.storage_access import NOT_ALLOWED, READING
from movie_platform.local_cloud.snowflake.statements.authorizing import require
from movie_platform.local_cloud.snowflake.text.tokens import parse_name


def pipe_status(session: Session, argument: str) -> str:
    """SYSTEM$PIPE_STATUS: a JSON object.

    Raises SnowflakeError where the pipe does not exist.
    """
    account = session.account
    pipe = account.pipes.require(session.resolve(parse_name(argument)))
    require(session, Securable.in_schema("PIPE", pipe.name), "MONITOR", "OPERATE")
    pending, received = account.pipes.counts(pipe)
    state: dict[str, Any] = {
        "executionState": "PAUSED" if pipe.paused else "RUNNING",
        "pendingFileCount": pending,
    }
    try:
        plan = pipe.plan(account.engine)
    except SnowflakeError as error:
        state["executionState"] = "STALLED_COMPILATION_ERROR"
        state["error"] = error.message
    else:
        try:
            account.storage.require(plan.location, READING)
        except SnowflakeError as error:
            if error.number in NOT_ALLOWED:
                state["executionState"] = "STALLED_STAGE_PERMISSION_ERROR"
                state["error"] = error.message
    if pipe.channel is not None:
        state["notificationChannelName"] = pipe.channel
        state["numOutstandingMessagesOnChannel"] = account.pipe_queue.outstanding()
    if received is not None:
        state["lastReceivedMessageTimestamp"] = _stamp(received)
        state["lastForwardedMessageTimestamp"] = _stamp(received)
    if last := account.pipes.last_loaded(pipe):
        state["lastIngestedTimestamp"] = _stamp(last[0])
        state["lastIngestedFilePath"] = last[1]
    if error := account.pipes.last_error(pipe):
        state["lastPipeErrorTimestamp"] = _stamp(error[0])
        state.setdefault("lastPipeFaultMessage", error[1])
    return json.dumps(state)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
